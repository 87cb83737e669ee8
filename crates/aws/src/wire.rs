//! How requests and answers look in each protocol, and what an answer means when it is an error.

use crate::error::{AwsError, Trouble};
use crate::operation::{Call, Operation, Protocol};
use crate::sign::encode;
use crate::transport::Answer;
use bytes::Bytes;
use quick_xml::events::Event;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::Duration;

/// A request before it has a host, a time and a signature.
#[derive(Clone)]
pub(crate) struct Wire {
    pub(crate) method: &'static str,
    /// Put before the host: a bucket.
    pub(crate) label: Option<String>,
    /// Encoded, from the first slash.
    pub(crate) path: String,
    /// Not encoded.
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
    /// The most bytes of an answer that are taken, if it is less than the service may give.
    pub(crate) most: Option<usize>,
}

impl Wire {
    /// A request with nothing in it.
    pub(crate) fn new(method: &'static str, path: impl Into<String>) -> Self {
        Self {
            method,
            label: None,
            path: path.into(),
            query: Vec::new(),
            headers: Vec::new(),
            body: Bytes::new(),
            most: None,
        }
    }

    /// The same with a header.
    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The same with a query parameter.
    pub(crate) fn parameter(mut self, name: &str, value: impl Into<String>) -> Self {
        self.query.push((name.to_owned(), value.into()));
        self
    }

    /// The same with a body.
    pub(crate) fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// The same; an answer of more bytes is not taken.
    pub(crate) fn at_most(mut self, bytes: usize) -> Self {
        self.most = Some(bytes);
        self
    }

    /// A call of a JSON service.
    pub(crate) fn json(operation: &'static Operation, input: &impl Serialize) -> Result<Self, AwsError> {
        let body = serde_json::to_vec(input)
            .map_err(|_| AwsError::new(Trouble::Refused, "the request cannot be written").of(operation))?;
        let wire = Self::new("POST", "/").body(body);
        Ok(match operation.service.protocol {
            Protocol::Json { version, target } => wire
                .header("content-type", format!("application/x-amz-json-{version}"))
                .header("x-amz-target", format!("{target}.{}", operation.name)),
            _ => wire.header("content-type", "application/json"),
        })
    }

    /// A call of a service with paths, or of a JSON service.
    pub(crate) fn of(call: &'static Call, input: &Value) -> Result<Self, AwsError> {
        match call.operation.service.protocol {
            Protocol::RestJson => Self::rest(call, input),
            _ => Self::json(&call.operation, input),
        }
    }

    /// A call of a service with paths, as [`Call::at`] says.
    pub(crate) fn rest(call: &'static Call, input: &Value) -> Result<Self, AwsError> {
        let wrong = |what: &str| {
            AwsError::new(Trouble::Refused, format!("the request cannot be written: {what}"))
                .of(&call.operation)
        };
        let (method, at) = call.at.split_once(' ').ok_or_else(|| wrong("it has no place"))?;
        let (at, fixed) = at.split_once('?').unwrap_or((at, ""));
        let mut rest = input.as_object().cloned().unwrap_or_default();
        let mut path = String::new();
        for (number, piece) in at.split(['{', '}']).enumerate() {
            // Every other piece was in braces.
            if number % 2 == 0 {
                path.push_str(piece);
                continue;
            }
            let label = rest.remove(piece);
            // An empty label would make it the call that lists.
            let label = label.as_ref().and_then(Value::as_str).filter(|label| !label.is_empty());
            path.push_str(&encode(label.ok_or_else(|| wrong("a part of its place is missing"))?));
        }
        // As the service speaks JSON only to whoever asks for it.
        let mut wire = Self::new(method, path).header("accept", "application/json");
        let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        for pair in fixed.split('&').filter(|pair| !pair.is_empty()) {
            wire = match (pair.split_once('='), rest.remove(pair)) {
                (Some((name, value)), _) => wire.parameter(name, value),
                (None, Some(value)) => wire.parameter(pair, plain(&value)),
                (None, None) => wire,
            };
        }
        if method != "GET" {
            let body = Value::Object(rest).to_string();
            return Ok(wire.header("content-type", "application/json").body(body));
        }
        for (name, value) in rest {
            wire = wire.parameter(&name, plain(&value));
        }
        Ok(wire)
    }

    /// A call of a query service.
    pub(crate) fn form(operation: &'static Operation, parameters: &[(&str, &str)]) -> Self {
        let version = match operation.service.protocol {
            Protocol::Query { version } => version,
            _ => "",
        };
        let head = [("Action", operation.name), ("Version", version)];
        let pairs: Vec<String> = head
            .iter()
            .chain(parameters)
            .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
            .collect();
        Self::new("POST", "/")
            .header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
            .body(pairs.join("&"))
    }

    /// The query as it is sent.
    pub(crate) fn encoded_query(&self) -> String {
        let pairs: Vec<String> =
            self.query.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        pairs.join("&")
    }
}

/// Reads the JSON of an answer.
pub(crate) fn from_json<T: DeserializeOwned>(
    operation: &'static Operation,
    answer: &Answer,
) -> Result<T, AwsError> {
    serde_json::from_slice(&answer.body).map_err(|_| unreadable(operation, answer))
}

/// Reads the XML of an answer.
pub(crate) fn from_xml<T: DeserializeOwned>(
    operation: &'static Operation,
    answer: &Answer,
) -> Result<T, AwsError> {
    let text = std::str::from_utf8(&answer.body).map_err(|_| unreadable(operation, answer))?;
    quick_xml::de::from_str(text).map_err(|_| unreadable(operation, answer))
}

/// What to do about an answer that the service does not give.
pub(crate) const SOMEBODY_ELSE: &str = "look whether a proxy or AWS_ENDPOINT_URL answers in place of AWS";

/// An answer that is not one of the service's.
pub(crate) fn unreadable(operation: &'static Operation, answer: &Answer) -> AwsError {
    let message =
        format!("the answer (status {}) is not one that `{}` gives", answer.status, operation.service.name);
    AwsError::said(Trouble::Unreadable, "", &message, request_id(answer))
        .of(operation)
        .with_help(SOMEBODY_ELSE)
}

pub(crate) fn request_id(answer: &Answer) -> Option<String> {
    let id = answer.header("x-amzn-requestid").or_else(|| answer.header("x-amz-request-id"))?;
    plain(id).then(|| id.to_owned())
}

/// Codes and ids are short words; what is not is not repeated.
fn plain(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'/' | b'=' | b'+'))
}

/// What a refusal means.
pub(crate) fn refusal(operation: &'static Operation, answer: &Answer) -> AwsError {
    let (code, message) = match operation.service.protocol {
        Protocol::Json { .. } | Protocol::RestJson => json_words(answer),
        Protocol::Query { .. } | Protocol::RestXml => xml_words(answer),
    }
    .unwrap_or_default();
    let code = if plain(&code) { code } else { String::new() };
    let trouble = trouble(answer.status, &code);
    let message = if code.is_empty() {
        format!("the answer has status {} and no error that AWS gives", answer.status)
    } else {
        message.chars().map(|c| if c.is_control() { ' ' } else { c }).take(500).collect()
    };
    let error = AwsError::said(trouble, &code, &message, request_id(answer)).of(operation);
    match help(answer, &code, trouble, operation) {
        Some(help) => error.with_help(help),
        None => error,
    }
}

fn help(answer: &Answer, code: &str, trouble: Trouble, operation: &Operation) -> Option<String> {
    if (300..400).contains(&answer.status) || code == "AuthorizationHeaderMalformed" {
        let region =
            answer.header("x-amz-bucket-region").filter(|name| crate::settings::region(name).is_ok());
        return Some(match region {
            Some(region) => format!("the bucket is in `{region}`: set AWS_REGION to it"),
            None => "set AWS_REGION to the region of the bucket".to_owned(),
        });
    }
    if matches!(code, "RequestTimeTooSkewed" | "RequestExpired") {
        return Some("set the clock of this machine".to_owned());
    }
    if expired(code) {
        return Some("sign in again: the credentials have expired".to_owned());
    }
    match trouble {
        Trouble::Denied
            if matches!(
                code,
                "InvalidClientTokenId" | "UnrecognizedClientException" | "InvalidAccessKeyId"
            ) =>
        {
            Some("AWS does not know the access key: look at the credentials and their region".to_owned())
        }
        Trouble::Denied if matches!(code, "SignatureDoesNotMatch" | "InvalidSignatureException") => {
            Some("look at the secret access key".to_owned())
        }
        Trouble::Denied => {
            let mut actions: Vec<String> =
                operation.needs.iter().map(|need| format!("`{}`", need.action)).collect();
            actions.dedup();
            (!actions.is_empty()).then(|| format!("the caller needs {}", actions.join(" and ")))
        }
        Trouble::Throttled => Some("run the command again later, or ask AWS for a higher quota".to_owned()),
        _ => None,
    }
}

/// Whether a failure came with a status that says success: S3 begins its answer before it has put the parts of an object
/// together (API Reference, `CompleteMultipartUpload`).
pub(crate) fn failed_late(operation: &Operation, answer: &Answer) -> bool {
    operation.name == "CompleteMultipartUpload" && xml_words(answer).is_some()
}

/// Whether an answer that says success can be one of the service's. A page of somebody between says it too: a list would be
/// read out of it in which nothing is, or a write be taken for done.
pub(crate) fn may_be_of(operation: &Operation, answer: &Answer) -> bool {
    match operation.service.protocol {
        Protocol::Json { .. } | Protocol::RestJson => !answer.body.trim_ascii_start().starts_with(b"<"),
        Protocol::Query { .. } => {
            root(answer).is_some_and(|name| name.strip_suffix("Response") == Some(operation.name))
        }
        // What somebody put there may be a page; S3 names the request that it answers.
        Protocol::RestXml if operation.name == "GetObject" && answer.header("x-amz-request-id").is_some() => {
            true
        }
        Protocol::RestXml => root(answer).is_none_or(|name| !name.eq_ignore_ascii_case("html")),
    }
}

/// The name of the outermost element; none if it is no XML.
fn root(answer: &Answer) -> Option<String> {
    let mut reader = quick_xml::Reader::from_str(std::str::from_utf8(&answer.body).ok()?);
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) | Event::Empty(start) => return Some(start.local_name().as_ref().to_owned()),
            // No service of AWS writes one.
            Event::DocType(_) => return Some("html".to_owned()),
            Event::Eof => return None,
            _ => {}
        }
    }
}

/// Whether other credentials would help.
pub(crate) fn expired(code: &str) -> bool {
    matches!(code, "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired")
}

fn json_words(answer: &Answer) -> Option<(String, String)> {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let code = answer.header("x-amzn-errortype").or_else(|| text("__type")).or_else(|| text("code"))?;
    let code = code.split(':').next().unwrap_or(code);
    let code = code.rsplit('#').next().unwrap_or(code);
    Some((code.to_owned(), text("message").or_else(|| text("Message")).unwrap_or_default().to_owned()))
}

fn xml_words(answer: &Answer) -> Option<(String, String)> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Words {
        code: Option<String>,
        message: Option<String>,
        error: Option<Box<Words>>,
    }
    let text = std::str::from_utf8(&answer.body).ok()?;
    let words: Words = quick_xml::de::from_str(text).ok()?;
    let words = words
        .error
        .map_or_else(|| Words { error: None, code: words.code, message: words.message }, |inner| *inner);
    Some((words.code?, words.message.unwrap_or_default()))
}

fn trouble(status: u16, code: &str) -> Trouble {
    const THROTTLED: [&str; 12] = [
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    ];
    const DENIED: [&str; 11] = [
        "AccessDenied",
        "AccessDeniedException",
        "AuthFailure",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "OptInRequired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    ];
    const TRANSIENT: [&str; 6] = [
        "DependencyTimeoutException",
        "InternalError",
        "InternalFailure",
        "KMSInternalException",
        "RequestTimeout",
        "RequestTimeoutException",
    ];
    let absent =
        code.starts_with("NoSuch") || code.ends_with("NotFoundException") || code.ends_with("NotFound");
    if status == 429 || THROTTLED.contains(&code) {
        Trouble::Throttled
    } else if DENIED.contains(&code) || expired(code) {
        Trouble::Denied
    } else if status >= 500 || TRANSIENT.contains(&code) {
        Trouble::Unavailable
    } else if absent {
        Trouble::Absent
    } else {
        match status {
            401 | 403 => Trouble::Denied,
            // Without a word from the service, nobody knows that it was the service.
            _ if code.is_empty() => Trouble::Unreadable,
            404 => Trouble::Absent,
            _ => Trouble::Refused,
        }
    }
}

/// The pause that the service asks for.
pub(crate) fn asked_pause(answer: &Answer) -> Option<Duration> {
    let number = |name: &str| answer.header(name).and_then(|text| text.parse::<u32>().ok());
    number("x-amz-retry-after")
        .map(|ms| Duration::from_millis(ms.into()))
        .or_else(|| number("retry-after").map(|seconds| Duration::from_secs(seconds.into())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::{KMS, Retry, S3, STS, Service};

    const REST_JSON: Service = Service { id: "LAMBDA", name: "lambda", protocol: Protocol::RestJson };
    const OF_KMS: Operation =
        Operation { service: &KMS, name: "Call", retry: Retry::Safe, needs: &[], pages: None };
    const OF_S3: Operation = Operation { service: &S3, ..OF_KMS };
    const OF_STS: Operation = Operation { service: &STS, ..OF_KMS };
    const OF_REST_JSON: Operation = Operation { service: &REST_JSON, ..OF_KMS };

    #[test]
    fn refusals_of_every_protocol() {
        let id = [("x-amzn-requestid", "r-1")];
        let kind = [("x-amzn-errortype", "ResourceNotFoundException:http://internal.amazon.com/")];
        let xml = "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
            <Code>AccessDenied</Code><Message>not &lt;you&gt;</Message></Error><RequestId>r</RequestId></ErrorResponse>";
        let cases: [(&'static Operation, Answer); 8] = [
            (
                &OF_KMS,
                Answer::written(
                    400,
                    &id,
                    r#"{"__type":"com.amazonaws.kms#NotFoundException","message":"no"}"#,
                ),
            ),
            (&OF_KMS, Answer::written(400, &id, r#"{"__type":"AccessDeniedException","Message":"no"}"#)),
            (&OF_KMS, Answer::written(500, &[], r#"{"__type":"KMSInternalException"}"#)),
            (&OF_REST_JSON, Answer::written(404, &kind, r#"{"message":"gone"}"#)),
            (&OF_STS, Answer::written(403, &id, xml)),
            (
                &OF_S3,
                Answer::written(
                    400,
                    &[],
                    "<Error><Code>RequestTimeout</Code><Message>slow</Message></Error>",
                ),
            ),
            (&OF_S3, Answer::written(404, &[], "")),
            (&OF_S3, Answer::written(503, &[("x-amz-request-id", "not an id \u{9}")], "<html>")),
        ];
        let lines: Vec<String> = cases
            .iter()
            .map(|(operation, answer)| {
                let error = refusal(operation, answer);
                format!("{:?}: {error}", error.trouble())
            })
            .collect();
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn pages_of_somebody_between_are_no_answers() {
        let of = |operation, body: &str| may_be_of(operation, &Answer::written(200, &[], body));
        let page = "<!DOCTYPE html><html><body>sign in</body></html>";
        for operation in [&OF_KMS, &OF_REST_JSON, &OF_STS, &OF_S3] {
            for strange in [page, " <HTML/>"] {
                assert!(!of(operation, strange), "{}", operation.service.name);
            }
        }
        assert!(
            of(&OF_KMS, "{}") && of(&OF_REST_JSON, "") && of(&OF_S3, "") && of(&OF_S3, "{\"Version\": 1}")
        );
        let name = OF_STS.name;
        assert!(of(&OF_STS, &format!("<?xml version=\"1.0\"?>\n<{name}Response xmlns=\"x\"/>")));
        assert!(!of(&OF_STS, "") && !of(&OF_STS, "<OtherResponse/>") && !of(&OF_STS, "ok"));
        const GET: Operation = Operation { name: "GetObject", ..OF_S3 };
        assert!(!of(&GET, page) && of(&GET, "bytes"));
        let put = Answer::written(200, &[("x-amz-request-id", "r")], page);
        assert!(may_be_of(&GET, &put), "what somebody put there");
    }

    #[test]
    fn questions_of_services_with_paths() {
        const READ: &Call = crate::operation::call!(
            REST_JSON,
            "GetStages",
            "apigateway:GET",
            "GET /apis/{apiId}/stages/{stage}?embed=methods"
        );
        const LIST: &Call =
            crate::operation::call!(REST_JSON, "List", "x:List", "POST /jobs/list?type=OWN&mark");
        let input = serde_json::json!({"apiId": "arn:a/b", "stage": "\u{e4}", "limit": 5});
        let wire = Wire::rest(READ, &input).unwrap();
        assert_eq!((wire.method, &*wire.path), ("GET", "/apis/arn%3Aa%2Fb/stages/%C3%A4"));
        assert_eq!(wire.encoded_query(), "embed=methods&limit=5");
        assert!(wire.body.is_empty());
        let wire = Wire::rest(LIST, &serde_json::json!({"maxResults": 5, "mark": "a b"})).unwrap();
        assert_eq!(wire.encoded_query(), "type=OWN&mark=a%20b");
        assert_eq!(
            (wire.method, &*wire.path, &wire.body[..]),
            ("POST", "/jobs/list", &br#"{"maxResults":5}"#[..])
        );
        let empty = Wire::rest(READ, &serde_json::json!({"apiId": "a", "stage": ""})).err().unwrap();
        insta::assert_snapshot!(empty, @"`lambda:GetStages` failed: the request cannot be written: a part of its place is missing");
    }

    proptest::proptest! {
        #[test]
        fn no_answer_makes_it_panic(status in 300u16..600, body in "[<>/a-zA-Z\"{}:,_&;# \n\u{0}-\u{ff}]{0,120}") {
            for operation in [&OF_KMS, &OF_S3, &OF_STS, &OF_REST_JSON] {
                let text = refusal(operation, &Answer::written(status, &[], &body)).to_string();
                proptest::prop_assert!(text.len() < 4000 && !text.contains(char::is_control));
            }
        }
    }
}
