//! Reading what clients really send: whole numbers as text (protobuf's JSON), numbers that are not finite as words, one
//! value where there could be several (a query string).

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serializer};
use serde_json::Value;

fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| {
            let float = number.as_f64()?;
            (float.fract() == 0.0 && float.abs() < 9.0e15).then_some(float as i64)
        }),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A whole number, also as text.
pub fn int64<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    let value = Value::deserialize(from)?;
    whole(&value).ok_or_else(|| D::Error::custom(format!("`{}` is not a whole number", plain(&value))))
}

/// A whole number, also as text, if there is one.
pub fn maybe_int64<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    match Value::deserialize(from)? {
        Value::Null => Ok(None),
        value => whole(&value)
            .map(Some)
            .ok_or_else(|| D::Error::custom(format!("`{}` is not a whole number", plain(&value)))),
    }
}

/// A truth value, also as text.
pub fn flag<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    match Value::deserialize(from)? {
        Value::Bool(flag) => Ok(flag),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Ok(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Ok(false),
        Value::Null => Ok(false),
        value => Err(D::Error::custom(format!("`{}` is neither true nor false", plain(&value)))),
    }
}

/// Text, also as a number: versions come in both forms.
pub fn text<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    match Value::deserialize(from)? {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        value => Err(D::Error::custom(format!("`{}` is not text", plain(&value)))),
    }
}

/// Several texts, or one.
pub fn texts<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    match Value::deserialize(from)? {
        Value::Null => Ok(Vec::new()),
        Value::String(text) => Ok(vec![text]),
        Value::Array(list) => list
            .into_iter()
            .map(|value| match value {
                Value::String(text) => Ok(text),
                value => Err(D::Error::custom(format!("`{}` is not text", plain(&value)))),
            })
            .collect(),
        value => Err(D::Error::custom(format!("`{}` is not a list of texts", plain(&value)))),
    }
}

/// A number; `NaN`, `Infinity` and `-Infinity` as words.
pub fn float<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    let value = Value::deserialize(from)?;
    let read = match &value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => match text.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            text => text.parse().ok(),
        },
        _ => None,
    };
    read.ok_or_else(|| D::Error::custom(format!("`{}` is not a number", plain(&value))))
}

/// The other direction of [`float`].
///
/// # Errors
/// Those of the serializer.
pub fn write_float<S: Serializer>(value: &f64, to: S) -> Result<S::Ok, S::Error> {
    if value.is_nan() {
        to.serialize_str("NaN")
    } else if value.is_infinite() {
        to.serialize_str(if *value > 0.0 { "Infinity" } else { "-Infinity" })
    } else {
        to.serialize_f64(*value)
    }
}

/// A number that JSON has no form for is a word.
pub mod number {
    pub use super::float as deserialize;
    pub use super::write_float as serialize;
}

fn plain(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    };
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Sent {
        #[serde(deserialize_with = "int64")]
        n: i64,
        #[serde(with = "number")]
        x: f64,
        #[serde(default, deserialize_with = "texts")]
        list: Vec<String>,
    }

    #[test]
    fn numbers_come_as_text_too() {
        let sent: Sent = serde_json::from_str(r#"{"n": "12", "x": "NaN", "list": "a"}"#).unwrap();
        assert!(sent.n == 12 && sent.x.is_nan() && sent.list == ["a"]);
        let sent: Sent = serde_json::from_str(r#"{"n": 12.0, "x": 1, "list": ["a", "b"]}"#).unwrap();
        assert!(sent.n == 12 && (sent.x - 1.0).abs() < 1e-12 && sent.list.len() == 2);
    }

    #[test]
    fn what_is_no_number_is_said() {
        let error = serde_json::from_str::<Sent>(r#"{"n": "twelve", "x": 1}"#).map(|_| ()).unwrap_err();
        insta::assert_snapshot!(error, @"`twelve` is not a whole number at line 1 column 14");
    }
}
