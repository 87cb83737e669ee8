//! Who calls: `Authorization: Bearer ...` (MLFLOW_TRACKING_TOKEN), or Basic with the same as password
//! (MLFLOW_TRACKING_PASSWORD). What is shown is an access key, or a token of a door that is open.

use crate::doors::Shown;
use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mlflow::{Code, Error};

/// What a call shows, and as whom it says to come.
pub(crate) struct Login {
    pub(crate) shown: Shown,
    /// The user name that came with it; often empty.
    pub(crate) user: String,
}

/// What a call shows. Says nothing about whether it is valid.
pub(crate) fn login(headers: &HeaderMap) -> Result<Login, Error> {
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
    let (user, secret) = match scheme.to_ascii_lowercase().as_str() {
        "bearer" => (String::new(), rest.trim().to_owned()),
        "basic" => {
            let decoded = STANDARD.decode(rest.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            let decoded = decoded.ok_or_else(wrong)?;
            let (user, password) = decoded.split_once(':').ok_or_else(wrong)?;
            (user.to_owned(), password.to_owned())
        }
        _ => return Err(missing()),
    };
    Ok(Login { shown: Shown::read(&secret).ok_or_else(wrong)?, user })
}

/// Nobody should believe to act as somebody else than whom the record will name.
pub(crate) fn same_name(user: &str, known: &facts::PersonId) -> Result<(), Error> {
    if user.is_empty() || user == known.as_str() {
        return Ok(());
    }
    Err(Error::new(
        Code::Unauthenticated,
        "the access key or token is not that of the user name that came with it",
    ))
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
        let login = match login(&headers) {
            Ok(login) => login,
            Err(error) => return error.message,
        };
        match login.shown {
            Shown::Key(key) => same_name(&login.user, key.holder())
                .map_or_else(|error| error.message, |()| format!("{key:?}")),
            Shown::Token(_) => "a token".to_owned(),
            Shown::Aws(_) => "a signed call".to_owned(),
        }
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
            "Bearer eyJhbGciOiJSUzI1NiJ9.e30.c2ln".to_owned(),
            basic("ada:wardmote-aws-v1.aHR0cHM6Ly8"),
            format!("Bearer eyJ{}.e30.c2ln", "a".repeat(9000)),
        ];
        let all: Vec<String> = all.iter().map(|text| said(text)).collect();
        insta::assert_snapshot!(all.join("\n"), @r"
        AccessKey(ada, ...)
        AccessKey(ada, ...)
        AccessKey(ada, ...)
        the access key or token is not that of the user name that came with it
        the access key is not valid
        nobody is calling: set MLFLOW_TRACKING_TOKEN to your access key (`wmk_...`, in `credentials.json` of the house)
        the access key is not valid
        nobody is calling: set MLFLOW_TRACKING_TOKEN to your access key (`wmk_...`, in `credentials.json` of the house)
        a token
        a signed call
        the access key is not valid
        ");
    }
}
