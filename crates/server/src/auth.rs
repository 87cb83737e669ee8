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
    let key = match scheme.to_ascii_lowercase().as_str() {
        "bearer" => rest.trim().to_owned(),
        "basic" => {
            let decoded = STANDARD.decode(rest.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            let decoded = decoded.ok_or_else(wrong)?;
            decoded.split_once(':').map(|(_, password)| password.to_owned()).ok_or_else(wrong)?
        }
        _ => return Err(missing()),
    };
    AccessKey::parse(&key).map_err(|_| wrong())
}
