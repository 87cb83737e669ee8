//! One call: what it takes, what it gives, and the function between.

use crate::desk::Desk;
use crate::{auth, failure};
use axum::Router;
use axum::body::Body;
use axum::extract::RawPathParams;
use axum::http::{Method, Request, Response};
use axum::routing::{MethodFilter, on};
use facts::Actor;
use guard::Action;
use http_body_util::{BodyExt, Limited};
use mlflow::{Code, Error};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::sync::Arc;
use std::time::Duration;

/// Where MLflow's calls are, for clients and for its pages.
const ROOTS: &[&str] = &["/api/2.0/mlflow", "/ajax-api/2.0/mlflow"];
/// The largest body of a call; MLflow's own limit of a batch is 1 MB.
const MAX_BODY_BYTES: usize = 4 << 20;
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

type Run = Arc<dyn Fn(&Desk, &Actor, Value) -> Result<Value, Error> + Send + Sync>;
type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// A call.
#[derive(Clone)]
pub(crate) struct Call {
    /// `POST`, `GET`, `PATCH` or `DELETE`.
    pub(crate) method: Method,
    /// Below the root: `/runs/create`.
    pub(crate) path: &'static str,
    /// What stands before the path.
    roots: &'static [&'static str],
    /// What it does, in a few words.
    pub(crate) summary: &'static str,
    /// What the policies are asked.
    pub(crate) action: Action,
    /// What it takes.
    pub(crate) input: SchemaOf,
    /// What it gives.
    pub(crate) output: SchemaOf,
    run: Run,
}

/// Nothing: `{}` on the wire.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Nothing {}

impl Call {
    /// Declares a call.
    pub(crate) fn new<I, O>(
        (method, path): (Method, &'static str),
        summary: &'static str,
        action: Action,
        run: fn(&Desk, &Actor, I) -> Result<O, Error>,
    ) -> Self
    where
        I: DeserializeOwned + JsonSchema + 'static,
        O: Serialize + JsonSchema + 'static,
    {
        let run = move |desk: &Desk, actor: &Actor, input: Value| {
            let input =
                serde_json::from_value(input).map_err(|error| Error::invalid(not_understood(&error)))?;
            serde_json::to_value(run(desk, actor, input)?)
                .map_err(|error| Error::new(Code::InternalError, format!("cannot write the answer: {error}")))
        };
        Self {
            method,
            path,
            roots: ROOTS,
            summary,
            action,
            input: SchemaGenerator::subschema_for::<I>,
            output: SchemaGenerator::subschema_for::<O>,
            run: Arc::new(run),
        }
    }

    /// The same, not one of MLflow's: below another root.
    pub(crate) fn below(mut self, roots: &'static [&'static str]) -> Self {
        self.roots = roots;
        self
    }

    /// The path under the first root.
    pub(crate) fn full_path(&self) -> String {
        format!("{}{}", self.roots.first().copied().unwrap_or_default(), self.path)
    }

    /// Puts it where clients look for it.
    pub(crate) fn mount(&self, mut router: Router, desk: &Arc<Desk>) -> Router {
        let filter = MethodFilter::try_from(self.method.clone()).unwrap_or(MethodFilter::POST);
        for root in self.roots {
            let (desk, run) = (Arc::clone(desk), Arc::clone(&self.run));
            let handler = move |path: RawPathParams, request: Request<Body>| {
                let (desk, run) = (Arc::clone(&desk), Arc::clone(&run));
                async move {
                    answer(desk, run, &path, request).await.unwrap_or_else(|error| failure::answer(&error))
                }
            };
            router = router.route(&format!("{root}{}", self.path), on(filter, handler));
        }
        router
    }
}

async fn answer(
    desk: Arc<Desk>,
    run: Run,
    path: &RawPathParams,
    request: Request<Body>,
) -> Result<Response<Body>, Error> {
    let login = auth::login(request.headers())?;
    let (parts, body) = request.into_parts();
    let mut input = query(parts.uri.query().unwrap_or_default());
    input.extend(read(body).await?);
    for (name, value) in path {
        input.insert(name.to_owned(), Value::String(value.to_owned()));
    }
    blocking(move || {
        let actor = desk.sign_in(&login)?;
        run(&desk, &actor, Value::Object(input))
    })
    .await
    .map(|value| failure::json(value.to_string()))
}

/// Runs what waits for disks on a thread that may.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| {
        Err(Error::new(Code::InternalError, "the call broke off; it is in the server's log"))
    })
}

/// The fields of a body; no body is no fields.
async fn read(body: Body) -> Result<Map<String, Value>, Error> {
    let limited = Limited::new(body, MAX_BODY_BYTES).collect();
    let bytes = match tokio::time::timeout(BODY_TIMEOUT, limited).await {
        Err(_) => return Err(Error::invalid("the body did not come in time")),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            return Err(Error::invalid(format!("the body is larger than {MAX_BODY_BYTES} bytes")));
        }
        Ok(Err(_)) => return Err(Error::invalid("the body could not be read")),
        Ok(Ok(collected)) => collected.to_bytes(),
    };
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(Error::invalid("the body is not a JSON object")),
        Err(error) => Err(Error::invalid(format!("the body is not JSON: {error}"))),
    }
}

/// The fields of a query; a name that comes several times is a list.
pub(crate) fn query(text: &str) -> Map<String, Value> {
    let mut fields = Map::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decoded(name), Value::String(decoded(value)));
        match fields.get_mut(&name) {
            None => drop(fields.insert(name, value)),
            Some(Value::Array(list)) => list.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    fields
}

/// `%20` and `+` as what they stand for.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, later)) = rest.split_first() {
        let escaped = later.get(..2).filter(|_| *first == b'%').and_then(|two| std::str::from_utf8(two).ok());
        match escaped.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = later.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(if *first == b'+' { b' ' } else { *first });
                rest = later;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// serde's sentence without positions in a text that the caller never saw.
fn not_understood(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_decoded() {
        let fields = query("filter=name+%3D+%27a%20b%27&order_by=a&order_by=b&empty&bad=%zz");
        insta::assert_snapshot!(Value::Object(fields), @r#"{"filter":"name = 'a b'","order_by":["a","b"],"empty":"","bad":"%zz"}"#);
    }
}
