//! Answers and refusals in the form of AWS: a JSON message, `x-amzn-ErrorType`, `x-amzn-RequestId`.

use facts::PersonId;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::HeaderValue;
use hyper::{Response, StatusCode};

/// An answer.
pub(crate) type Answer = Response<Full<Bytes>>;

/// A refusal: status, AWS's error type, one sentence, further headers.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) kind: &'static str,
    pub(crate) message: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) principal: Option<PersonId>,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Self {
        Self { status, kind, message: message.into(), headers: Vec::new(), principal: None }
    }

    pub(crate) fn with(mut self, header: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((header, value.into()));
        self
    }

    /// The same refusal, with whom it was given to.
    pub(crate) fn to(mut self, principal: &PersonId) -> Self {
        self.principal = Some(principal.clone());
        self
    }

    pub(crate) fn unauthorised() -> Self {
        let message =
            "this endpoint answers only to callers with an access key: send `Authorization: Bearer wmk_...`";
        Self::unknown(message.to_owned())
    }

    pub(crate) fn wrong_key() -> Self {
        Self::unknown("the access key is not valid".to_owned())
    }

    /// Somebody whom no door recognises.
    pub(crate) fn unknown(why: String) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "UnauthorizedException", why).with("www-authenticate", "Bearer")
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "ValidationError", message)
    }

    pub(crate) fn answer(&self) -> Answer {
        let body = serde_json::json!({ "message": self.message }).to_string();
        let mut answer = plain(self.status, "application/json", body.into_bytes());
        set(&mut answer, "x-amzn-errortype", self.kind);
        for (name, value) in &self.headers {
            set(&mut answer, name, value);
        }
        answer
    }
}

/// An answer with a body.
pub(crate) fn plain(status: StatusCode, content_type: &str, body: Vec<u8>) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = status;
    set(&mut answer, "content-type", content_type);
    answer
}

/// Sets a header; a value that HTTP cannot carry is left out.
pub(crate) fn set(answer: &mut Answer, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(name, value);
    }
}
