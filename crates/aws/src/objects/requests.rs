//! How requests of the crate `object_store` get to S3: through the client, as all calls do. The crate says what is asked; who
//! calls, where the bucket is, signatures, what is tried again, traces and permissions are the client's. What the crate has
//! no word for is added here: the owner of the bucket, Object Lock, and conditions on an object that is put together.
//!
//! Source: Amazon S3 API Reference, `PutObject`, `GetObject`, `CreateMultipartUpload`, `CompleteMultipartUpload`.

use super::borrowed::How;
use super::parts::{ABORT, COMPLETE, CREATE, CREATE_LOCKED, PART};
use super::put::{PUT, PUT_LOCKED};
use super::{CHECKSUM, DELETE, GET, S3Objects};
use crate::error::{AwsError, Trouble};
use crate::operation::Operation;
use crate::wire::Wire;
use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::BodyExt;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
};
use std::fmt;
use ureq::http::header::{CONTENT_LENGTH, HOST, USER_AGENT};
use ureq::http::request::Parts;

/// The checksum that S3 keeps with an object, beside what was read of it.
#[derive(Debug, Clone)]
pub(super) struct Kept(pub(super) String);

/// The requests about one object.
#[derive(Clone)]
pub(super) struct Requests {
    objects: S3Objects,
    name: String,
    how: How,
}

impl fmt::Debug for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Requests").field("name", &self.name).field("how", &self.how).finish_non_exhaustive()
    }
}

impl HttpConnector for Requests {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for Requests {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (head, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        // Of this kind, nothing is tried again: the client did.
        self.send(&head, body).map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))
    }
}

impl Requests {
    pub(super) fn of(objects: S3Objects, name: &str, how: How) -> Self {
        Self { objects, name: name.to_owned(), how }
    }

    fn send(&self, head: &Parts, body: Bytes) -> Result<HttpResponse, AwsError> {
        let query: Vec<(String, String)> =
            form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
        let (method, operation) = self.asked(head, &query)?;
        let mut wire = self.objects.wire(method, &self.name)?.body(body);
        wire.query = query;
        for (name, value) in &head.headers {
            if ![CONTENT_LENGTH, HOST, USER_AGENT].contains(name) {
                wire = wire.header(name.as_str(), value.to_str().map_err(|_| unknown(head))?);
            }
        }
        let answer = self.objects.client.call(operation, &self.completed(operation, wire))?;
        let kept = answer.header(CHECKSUM).map(|sum| Kept(sum.to_owned()));
        let length = answer.body.len();
        let mut response: HttpResponse = answer.into_response().ok_or_else(|| unknown(head))?;
        response.headers_mut().insert(CONTENT_LENGTH, length.into());
        // With this a part was taken, also where the answer does not repeat it.
        if let Some(sum) = head.headers.get(CHECKSUM) {
            response.headers_mut().entry(CHECKSUM).or_insert_with(|| sum.clone());
        }
        kept.map(|kept| response.extensions_mut().insert(kept));
        Ok(response)
    }

    /// Which operation a request is.
    fn asked(
        &self,
        head: &Parts,
        query: &[(String, String)],
    ) -> Result<(&'static str, &'static Operation), AwsError> {
        let locked = self.objects.locked_days.is_some();
        let has = |name| query.iter().any(|(key, _)| key == name);
        Ok(match head.method.as_str() {
            "GET" => ("GET", &GET),
            "PUT" if has("partNumber") => ("PUT", &PART),
            "PUT" => ("PUT", if locked { &PUT_LOCKED } else { &PUT }),
            "POST" if has("uploads") => ("POST", if locked { &CREATE_LOCKED } else { &CREATE }),
            "POST" if has("uploadId") => ("POST", &COMPLETE),
            "DELETE" if has("uploadId") => ("DELETE", &ABORT),
            "DELETE" => ("DELETE", &DELETE),
            _ => return Err(unknown(head)),
        })
    }

    /// The same request with what the crate has no word for.
    fn completed(&self, operation: &Operation, wire: Wire) -> Wire {
        match operation.name {
            "GetObject" => {
                let most = self.how.most.unwrap_or(usize::MAX);
                wire.header("x-amz-checksum-mode", "ENABLED").at_most(most)
            }
            // Where objects are locked, by us or by the bucket, S3 wants to be told which checksum goes with the bytes.
            "PutObject" => self.locked(wire.header("x-amz-sdk-checksum-algorithm", "SHA256")),
            "CreateMultipartUpload" => self.locked(wire.header("x-amz-checksum-type", "COMPOSITE")),
            "CompleteMultipartUpload" => {
                let wire = wire
                    .header("content-type", "application/xml")
                    .header("x-amz-mp-object-size", self.how.whole.to_string());
                if self.how.only_new { wire.header("if-none-match", "*") } else { wire }
            }
            _ => wire,
        }
    }

    /// The same request with how its object is locked.
    fn locked(&self, wire: Wire) -> Wire {
        let Some(days) = self.objects.locked_days else { return wire };
        let until = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * i64::from(days));
        wire.header("x-amz-object-lock-mode", "COMPLIANCE")
            .header("x-amz-object-lock-retain-until-date", until.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
    }
}

fn unknown(head: &Parts) -> AwsError {
    AwsError::new(Trouble::Refused, format!("`{}` is not asked of an object this way", head.method))
}
