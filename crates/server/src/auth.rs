//! Who calls: `Authorization: Bearer wmk_...` (MLFLOW_TRACKING_TOKEN), or Basic with the access key as password
//! (MLFLOW_TRACKING_PASSWORD).

use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use guard::AccessKey;
use mlflow::{Code, Error};

/// The access key of a call.
pub(crate) fn access_key(headers: &HeaderMap) -> Result<AccessKey, Error> {
    let missing = || {
        Error::new(
            Code::Unauthenticated,
            "nobody is calling: set MLFLOW_TRACKING_TOKEN to your access key (`wmk_...`, in `credentials.json` of the house)",
        )
    };
    let wrong = || Error::new(Code::Unauthenticated, "the access key is not valid");
    let text = headers.get(header::AUTHORIZATION).ok_or_else(missing)?;
    let text = text.to_str().map_err(|_| wrong())?;
    let (scheme, rest) = text.split_once(' ').ok_or_else(missing)?;
    let (user, key) = match scheme.to_ascii_lowercase().as_str() {
        "bearer" => (String::new(), rest.trim().to_owned()),
        "basic" => {
            let decoded = STANDARD.decode(rest.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            let decoded = decoded.ok_or_else(wrong)?;
            let (user, password) = decoded.split_once(':').ok_or_else(wrong)?;
            (user.to_owned(), password.to_owned())
        }
        _ => return Err(missing()),
    };
    let key = AccessKey::parse(&key).map_err(|_| wrong())?;
    if user.is_empty() || user == key.holder().as_str() {
        return Ok(key);
    }
    // Nobody should believe to act as somebody else than whom the record will name.
    Err(Error::new(Code::Unauthenticated, "the access key is not that of the user name that came with it"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    const KEY: &str = "wmk_ada_0123456789012345678901234567890123456789012";

    fn said(text: &str) -> String {
        let mut headers = HeaderMap::new();
        if !text.is_empty() {
            headers.insert(header::AUTHORIZATION, HeaderValue::from_str(text).unwrap());
        }
        access_key(&headers).map_or_else(|error| error.message, |key| format!("{key:?}"))
    }

    #[test]
    fn keys_come_as_bearer_or_as_password() {
        let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
        let all = [
            format!("Bearer {KEY}"),
            basic(&format!("ada:{KEY}")),
            basic(&format!(":{KEY}")),
            basic(&format!("carla:{KEY}")),
            basic("ada"),
            String::new(),
            "Bearer nonsense".to_owned(),
            "Digest x".to_owned(),
        ];
        let all: Vec<String> = all.iter().map(|text| said(text)).collect();
        insta::assert_snapshot!(all.join("\n"), @r"
        AccessKey(ada, ...)
        AccessKey(ada, ...)
        AccessKey(ada, ...)
        the access key is not that of the user name that came with it
        the access key is not valid
        nobody is calling: set MLFLOW_TRACKING_TOKEN to your access key (`wmk_...`, in `credentials.json` of the house)
        the access key is not valid
        nobody is calling: set MLFLOW_TRACKING_TOKEN to your access key (`wmk_...`, in `credentials.json` of the house)
        ");
    }
}
