//! Bodies of inference requests and answers: CSV or JSON, the same reading for the gateway that serves them and for the
//! monitor that finds them captured.

use facts::ColumnName;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Records in one request.
pub const MAX_RECORDS: usize = 1_000;

/// A prediction.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// The label.
    pub label: String,
    /// The probability of the positive label.
    pub probability: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Instances {
    instances: Vec<Map<String, Value>>,
}

/// Whether a content type can be read.
pub fn is_supported(content_type: &str) -> bool {
    matches!(kind(content_type), "text/csv" | "application/json")
}

/// The records of a request, cells in the order of `inputs`. The error is a sentence that names row and column.
pub fn records(inputs: &[ColumnName], content_type: &str, body: &[u8]) -> Result<Vec<Vec<String>>, String> {
    let rows = match kind(content_type) {
        "text/csv" => csv_records(inputs, body)?,
        "application/json" => json_records(inputs, body)?,
        other => {
            return Err(format!(
                "content type `{other}` is not supported: send `text/csv` or `application/json`"
            ));
        }
    };
    match rows.len() {
        0 => Err("the body holds no record".to_owned()),
        1..=MAX_RECORDS => Ok(rows),
        more => Err(format!("the body holds {more} records or more; at most {MAX_RECORDS} are possible")),
    }
}

/// The body of an answer, and its content type: CSV (`label,probability`) if that is wanted, else JSON.
pub fn answer(
    predictions: &[(Prediction, &BTreeMap<String, f64>)],
    (model, version): (&str, u32),
    accept: &str,
) -> (&'static str, Vec<u8>) {
    if accept.contains("text/csv") {
        let lines: String =
            predictions.iter().map(|(p, _)| format!("{},{}\n", p.label, p.probability)).collect();
        return ("text/csv; charset=utf-8", lines.into_bytes());
    }
    let list: Vec<Value> = predictions
        .iter()
        .map(|(p, all)| json!({ "predicted_label": p.label, "probability": p.probability, "probabilities": all }))
        .collect();
    (
        "application/json",
        json!({ "predictions": list, "model": model, "version": version }).to_string().into_bytes(),
    )
}

/// The predictions of a captured answer; none if it cannot be read.
pub fn predictions(content_type: &str, body: &str) -> Option<Vec<Prediction>> {
    if kind(content_type) == "text/csv" {
        let line = |line: &str| {
            let (label, probability) = line.rsplit_once(',')?;
            Some(Prediction { label: label.to_owned(), probability: probability.parse().ok()? })
        };
        return body.lines().map(line).collect();
    }
    let body: Value = serde_json::from_str(body).ok()?;
    let one = |value: &Value| {
        let label = value.get("predicted_label")?.as_str()?.to_owned();
        Some(Prediction { label, probability: value.get("probability")?.as_f64()? })
    };
    body.get("predictions")?.as_array()?.iter().map(one).collect()
}

fn kind(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or("").trim()
}

/// CSV without a header, in the order of the inputs; or with a header, in any order.
fn csv_records(inputs: &[ColumnName], body: &[u8]) -> Result<Vec<Vec<String>>, String> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(body);
    let mut rows = Vec::new();
    let mut order: Option<Vec<usize>> = None;
    for (at, record) in reader.records().enumerate() {
        let record = record.map_err(|error| format!("the body is not CSV: {error}"))?;
        let cells: Vec<&str> = record.iter().collect();
        if at == 0 && cells.iter().any(|cell| inputs.iter().any(|input| input.as_str() == *cell)) {
            let place = |input: &ColumnName| {
                let found = cells.iter().position(|cell| *cell == input.as_str());
                found.ok_or_else(|| format!("the column `{input}` is missing in the header"))
            };
            order = Some(inputs.iter().map(place).collect::<Result<_, _>>()?);
            continue;
        }
        let row: Vec<String> = match &order {
            None => cells.iter().map(|cell| (*cell).to_owned()).collect(),
            Some(order) => {
                order.iter().map(|place| cells.get(*place).copied().unwrap_or_default().to_owned()).collect()
            }
        };
        if row.len() != inputs.len() {
            let names = inputs.iter().map(|input| format!("`{input}`")).collect::<Vec<_>>().join(", ");
            return Err(format!(
                "row {}: {} cells where the model has {} inputs: {names}",
                at + 1,
                row.len(),
                inputs.len()
            ));
        }
        rows.push(row);
        if rows.len() > MAX_RECORDS {
            break;
        }
    }
    Ok(rows)
}

/// `{"instances": [{"column": value, ...}, ...]}`.
fn json_records(inputs: &[ColumnName], body: &[u8]) -> Result<Vec<Vec<String>>, String> {
    let body: Instances = serde_json::from_slice(body)
        .map_err(|error| format!("the body is not `{{\"instances\": [{{\"column\": value}}]}}`: {error}"))?;
    let cell = |at: usize, record: &Map<String, Value>, input: &ColumnName| match record.get(input.as_str()) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Number(number)) => Ok(number.to_string()),
        Some(Value::Bool(value)) => Ok(value.to_string()),
        Some(Value::Null) => Ok(String::new()),
        Some(_) => Err(format!("record {}, `{input}`: a number or text is expected", at + 1)),
        None => Err(format!("record {}: `{input}` is missing", at + 1)),
    };
    let row = |(at, record): (usize, &Map<String, Value>)| {
        inputs.iter().map(|input| cell(at, record, input)).collect()
    };
    body.instances.iter().take(MAX_RECORDS + 1).enumerate().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs() -> Vec<ColumnName> {
        ["age", "job"].iter().map(|name| name.parse().unwrap()).collect()
    }

    #[test]
    fn the_same_record_in_every_form() {
        let read = |kind: &str, body: &str| records(&inputs(), kind, body.as_bytes());
        let row = vec![vec!["30".to_owned(), "a, b".to_owned()]];
        assert_eq!(read("text/csv", "30,\"a, b\"\n").unwrap(), row);
        assert_eq!(read("text/csv; charset=utf-8", "job,age\n\"a, b\",30").unwrap(), row);
        assert_eq!(read("application/json", r#"{"instances":[{"job":"a, b","age":30}]}"#).unwrap(), row);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = |kind: &str, body: &str| records(&inputs(), kind, body.as_bytes()).unwrap_err();
        insta::assert_snapshot!(wrong("text/csv", "1,2,3"), @"row 1: 3 cells where the model has 2 inputs: `age`, `job`");
        insta::assert_snapshot!(wrong("text/csv", "age,x\n1,2"), @"the column `job` is missing in the header");
        insta::assert_snapshot!(wrong("text/csv", ""), @"the body holds no record");
        insta::assert_snapshot!(wrong("application/json", r#"{"instances":[{"age":1}]}"#), @"record 1: `job` is missing");
        insta::assert_snapshot!(wrong("application/json", r#"{"instances":[{"age":[1],"job":"x"}]}"#), @"record 1, `age`: a number or text is expected");
        insta::assert_snapshot!(wrong("image/png", ""), @"content type `image/png` is not supported: send `text/csv` or `application/json`");
    }

    #[test]
    fn an_answer_reads_back() {
        let all = BTreeMap::from([("good".to_owned(), 0.75)]);
        let prediction = Prediction { label: "good".into(), probability: 0.75 };
        for accept in ["text/csv", "application/json"] {
            let (kind, body) = answer(&[(prediction.clone(), &all)], ("credit", 2), accept);
            assert_eq!(
                predictions(kind, std::str::from_utf8(&body).unwrap()).unwrap(),
                std::slice::from_ref(&prediction)
            );
        }
    }
}
