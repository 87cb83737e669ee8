//! The HTTP server: who calls, what they may, what the model says.

use crate::answer::{Answer, Refusal, plain, set};
use crate::bundle::{Bundle, BundleSlot, Principal, Route};
use crate::capture::Capture;
use crate::metrics::Metrics;
use crate::tls::Tls;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use facts::{EndpointName, PersonId};
use guard::AccessKey;
use guard::quota::Admission;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use monitor::capture::{CaptureData, CaptureRecord, CapturedBody, EventMetadata};
use monitor::payload::{self, Prediction};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use world::{Clock, Entropy, Kind, PortError, Score};

const MAX_BODY_BYTES: usize = 5 << 20;
const MAX_HEADERS: usize = 64;
const MAX_CONNECTIONS: usize = 4096;
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
const BODY_TIMEOUT: Duration = Duration::from_secs(30);
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);
const MAX_ATTRIBUTES: usize = 1024;

/// A gateway that has its address and waits to run.
pub struct Gateway {
    listener: TcpListener,
    address: SocketAddr,
    shared: Arc<Shared>,
    tls: Option<Tls>,
}

/// What is answered beside the endpoints, under paths of its own.
pub trait Beside: Send + Sync {
    /// Whether the path is one of its.
    fn has(&self, path: &str) -> bool;
    /// What it counts itself, in Prometheus' text format.
    fn counts(&self) -> String;
    /// Answers.
    fn answer(&self, request: Request<Incoming>) -> Pin<Box<dyn Future<Output = Response<Reply>> + Send>>;
}

/// Ways to show who calls beside access keys.
pub trait Doors: Send + Sync {
    /// Whether a text may be for one of them.
    fn may_be_theirs(&self, text: &str) -> bool;
    /// Who shows it, or why that is nobody.
    fn who(&self, text: String) -> Pin<Box<dyn Future<Output = Result<PersonId, String>> + Send>>;
}

/// The body of an answer; that of a large one comes in parts.
pub type Reply = UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

struct Shared {
    beside: Option<Arc<dyn Beside>>,
    doors: Option<Arc<dyn Doors>>,
    slot: BundleSlot,
    capture: Option<Capture>,
    clock: Arc<dyn Clock>,
    /// Makes request ids: a random beginning and a counter, so that they are unique and cost nothing.
    session: [u8; 8],
    count: AtomicU64,
    metrics: Metrics,
}

impl Gateway {
    /// Takes the address. An error of kind Busy if it is taken.
    pub async fn bind(
        address: SocketAddr,
        slot: BundleSlot,
        capture: Option<Capture>,
        clock: Arc<dyn Clock>,
        entropy: &dyn Entropy,
    ) -> Result<Self, PortError> {
        let failed = |error| PortError::io(format!("listen on `{address}`"), error);
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let mut session = [0; 8];
        entropy.fill(&mut session)?;
        let shared = Shared {
            beside: None,
            doors: None,
            slot,
            capture,
            clock,
            session,
            count: AtomicU64::new(0),
            metrics: Metrics::default(),
        };
        Ok(Self { listener, address, shared: Arc::new(shared), tls: None })
    }

    /// Answers further paths on the same address.
    #[must_use]
    pub fn with(mut self, beside: Arc<dyn Beside>) -> Self {
        // Nothing runs yet, so that nobody else holds it.
        if let Some(shared) = Arc::get_mut(&mut self.shared) {
            shared.beside = Some(beside);
        }
        self
    }

    /// Takes other ways to show who calls.
    #[must_use]
    pub fn through(mut self, doors: Arc<dyn Doors>) -> Self {
        if let Some(shared) = Arc::get_mut(&mut self.shared) {
            shared.doors = Some(doors);
        }
        self
    }

    /// Speaks TLS and nothing else.
    #[must_use]
    pub fn over(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `shutdown` is ready, then lets what has begun finish.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let graceful = GracefulShutdown::new();
        let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        tokio::pin!(shutdown);
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = &mut shutdown => break,
            };
            let Ok((stream, _)) = accepted else { continue };
            let Ok(permit) = Arc::clone(&room).try_acquire_owned() else { continue };
            let shared = Arc::clone(&self.shared);
            let (watcher, acceptor) = (graceful.watcher(), self.tls.as_ref().map(Tls::acceptor));
            tokio::spawn(async move {
                match acceptor {
                    None => serve(shared, TokioIo::new(stream), watcher).await,
                    Some(acceptor) => {
                        let shaken = tokio::time::timeout(HEADER_TIMEOUT, acceptor.accept(stream)).await;
                        // Who does not speak TLS is not spoken to.
                        if let Ok(Ok(stream)) = shaken {
                            serve(shared, TokioIo::new(stream), watcher).await;
                        }
                    }
                }
                drop(permit);
            });
        }
        drop(tokio::time::timeout(DRAIN_TIMEOUT, graceful.shutdown()).await);
    }
}

/// One connection, until it ends or all are to end.
async fn serve<S>(shared: Arc<Shared>, stream: S, watcher: Watcher)
where
    S: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    let service = service_fn(move |request| {
        let shared = Arc::clone(&shared);
        async move { Ok::<_, Infallible>(shared.reply(request).await) }
    });
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_headers(MAX_HEADERS)
        .max_buf_size(64 << 10);
    // A connection that breaks is the client's affair.
    drop(watcher.watch(builder.serve_connection(stream, service)).await);
}

impl Shared {
    async fn reply(&self, request: Request<Incoming>) -> Response<Reply> {
        let beside = self.beside.as_ref().filter(|beside| beside.has(request.uri().path()));
        let Some(beside) = beside else {
            let answer = self.answer(request).await;
            return answer.map(|body| body.map_err(|never| match never {}).boxed_unsync());
        };
        let (started, id) = (Instant::now(), self.request_id());
        let mut reply = beside.answer(request).await;
        self.metrics.count(reply.status().as_u16(), started.elapsed());
        if let Ok(value) = hyper::header::HeaderValue::from_str(&id) {
            reply.headers_mut().insert("x-request-id", value);
        }
        reply
    }

    async fn answer(&self, request: Request<Incoming>) -> Answer {
        let started = Instant::now();
        let id = self.request_id();
        let mut answer = match (request.method(), request.uri().path()) {
            (&Method::GET, "/ping") => self.ping(),
            (&Method::GET, "/metrics") => {
                let beside = self.beside.as_ref().map(|beside| beside.counts()).unwrap_or_default();
                let text = self.metrics.text() + &beside;
                plain(StatusCode::OK, "text/plain; version=0.0.4", text.into_bytes())
            }
            (method, path) => {
                let name = path
                    .strip_prefix("/endpoints/")
                    .and_then(|rest| rest.strip_suffix("/invocations"))
                    .map(str::to_owned);
                let path_endpoint = name.as_ref().and_then(|name| name.parse().ok());
                let answer = match (method, name) {
                    (&Method::POST, Some(name)) => self.invoke(&name, &id, request).await,
                    (_, Some(_)) => Err(Refusal::new(
                        StatusCode::METHOD_NOT_ALLOWED,
                        "MethodNotAllowedException",
                        "invocations are made with POST",
                    )
                    .with("allow", "POST")),
                    (_, None) => Err(Refusal::new(
                        StatusCode::NOT_FOUND,
                        "ResourceNotFoundException",
                        "there is nothing here: call `POST /endpoints/{name}/invocations` or `GET /ping`",
                    )),
                };
                let answer = answer.unwrap_or_else(|refusal| self.refuse(path_endpoint, &refusal));
                self.metrics.count(answer.status().as_u16(), started.elapsed());
                answer
            }
        };
        set(&mut answer, "x-amzn-requestid", &id);
        answer
    }

    /// The answer to a refused call, counted for the record.
    fn refuse(&self, endpoint: Option<EndpointName>, refusal: &Refusal) -> Answer {
        if let Some(capture) = &self.capture {
            capture.refusals.add(
                endpoint,
                refusal.principal.clone(),
                refusal.status.as_u16(),
                &refusal.message,
            );
        }
        refusal.answer()
    }

    fn ping(&self) -> Answer {
        let bundle = self.slot.get();
        let variants: std::collections::BTreeMap<&str, String> = bundle
            .routes
            .iter()
            .filter_map(|(name, route)| Some((name.as_str(), route.as_ref()?.variant())))
            .collect();
        let dropped = self.metrics.capture_dropped.load(Ordering::Relaxed);
        let body = serde_json::json!({ "endpoints": bundle.routes.len(), "variants": variants, "capture_dropped": dropped });
        plain(StatusCode::OK, "application/json", body.to_string().into_bytes())
    }

    async fn invoke(&self, name: &str, id: &str, request: Request<Incoming>) -> Result<Answer, Refusal> {
        let bundle = self.slot.get();
        let (parts, body) = request.into_parts();
        let principal = self.sign_in(&bundle, &parts.headers).await?;
        self.invoke_as(&bundle, principal, (name, id), (&parts.headers, body))
            .await
            .map_err(|refusal| refusal.to(&principal.id))
    }

    async fn sign_in<'a>(&self, bundle: &'a Bundle, headers: &HeaderMap) -> Result<&'a Principal, Refusal> {
        let text = shown(headers)?;
        if let Some(doors) = self.doors.as_ref().filter(|doors| doors.may_be_theirs(&text)) {
            let who = doors.who(text).await.map_err(Refusal::unknown)?;
            let found = bundle.principals.iter().find(|principal| principal.id == who);
            return found.ok_or_else(|| Refusal::unknown(format!("the charter names no `{who}`")));
        }
        let key = AccessKey::parse(&text).map_err(|_| Refusal::wrong_key())?;
        bundle.sign_in(&key).ok_or_else(Refusal::wrong_key)
    }

    async fn invoke_as(
        &self,
        bundle: &Bundle,
        principal: &Principal,
        (name, id): (&str, &str),
        (headers, body): (&HeaderMap, Incoming),
    ) -> Result<Answer, Refusal> {
        let (endpoint, route) = find(bundle, name)?;
        if !route.allowed.contains(&principal.id) {
            let message = format!(
                "`{}` may not invoke the endpoint `{name}`: the charter names its consumers",
                principal.id
            );
            return Err(Refusal::new(StatusCode::FORBIDDEN, "AccessDeniedException", message));
        }
        if let Admission::Limited { retry_after_seconds, limit } = self.slot.take(principal, self.clock.now())
        {
            let message = format!(
                "`{}` is over its quota: {limit}; try again in {retry_after_seconds} s",
                principal.id
            );
            let refusal = Refusal::new(StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException", message);
            return Err(refusal
                .with("retry-after", retry_after_seconds.to_string())
                .with("ratelimit-policy", limit));
        }
        let meta = Meta::of(headers)?;
        let body = read(body).await?;
        let content_type = header(headers, CONTENT_TYPE.as_str()).unwrap_or("text/csv").to_owned();
        if !payload::is_supported(&content_type) {
            let message = format!(
                "content type `{content_type}` is not supported: send `text/csv` or `application/json`"
            );
            return Err(Refusal::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "UnsupportedMediaTypeException",
                message,
            ));
        }
        let rows =
            payload::records(route.loaded.inputs(), &content_type, &body).map_err(Refusal::bad_request)?;
        let scores = route.loaded.score(&rows).map_err(|error| model_error(&error))?;
        let accept = header(headers, ACCEPT.as_str()).unwrap_or("application/json");
        let predictions: Vec<_> =
            scores.iter().map(|score| (prediction(route, score), &score.probabilities)).collect();
        let (answer_type, answer_body) = payload::answer(&predictions, (&route.model, route.version), accept);
        let variant = route.variant();
        self.capture(endpoint, route, id, &meta, (&content_type, &body), (answer_type, &answer_body));
        let mut answer = plain(StatusCode::OK, answer_type, answer_body);
        set(&mut answer, "x-amzn-invoked-production-variant", &variant);
        if let Some(inference_id) = &meta.inference_id {
            set(&mut answer, "x-amzn-sagemaker-inference-id", inference_id);
        }
        if let Some(attributes) = &meta.custom_attributes {
            set(&mut answer, "x-amzn-sagemaker-custom-attributes", attributes);
        }
        Ok(answer)
    }

    #[expect(clippy::too_many_arguments, reason = "the two sides of one exchange, each with its type")]
    fn capture(
        &self,
        endpoint: &EndpointName,
        route: &Route,
        id: &str,
        meta: &Meta,
        input: (&str, &[u8]),
        output: (&str, &[u8]),
    ) {
        let Some(capture) = &self.capture else { return };
        let drawn = facts::Digest::of(id.as_bytes()).as_bytes()[0];
        if f64::from(drawn) >= route.capture_share * 256.0 {
            return;
        }
        let record = CaptureRecord {
            capture_data: CaptureData {
                endpoint_input: captured("INPUT", input.0, input.1),
                endpoint_output: captured("OUTPUT", output.0, output.1),
            },
            event_metadata: EventMetadata {
                event_id: id.to_owned(),
                inference_id: meta.inference_id.clone(),
                inference_time: self.clock.now(),
                custom_attributes: meta.custom_attributes.iter().cloned().collect(),
            },
            event_version: "0".to_owned(),
        };
        if !capture.record(endpoint, &route.variant(), &record) {
            self.metrics.capture_dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A UUID in form: random beginning, counter at the end.
    fn request_id(&self) -> String {
        let n = self.count.fetch_add(1, Ordering::Relaxed);
        let s = self.session;
        format!(
            "{:02x}{:02x}{:02x}{:02x}-{:02x}{:02x}-4{:01x}{:02x}-8{:03x}-{:012x}",
            s[0],
            s[1],
            s[2],
            s[3],
            s[4],
            s[5],
            s[6] & 15,
            s[7],
            (n >> 48) & 0xfff,
            n & 0xffff_ffff_ffff
        )
    }
}

/// What SageMaker's headers say.
struct Meta {
    inference_id: Option<String>,
    custom_attributes: Option<String>,
}

impl Meta {
    fn of(headers: &HeaderMap) -> Result<Self, Refusal> {
        let bounded = |name: &'static str, most: usize| match header(headers, name) {
            Some(text) if text.len() > most => {
                Err(Refusal::bad_request(format!("the header `{name}` is longer than {most} characters")))
            }
            text => Ok(text.map(str::to_owned)),
        };
        Ok(Self {
            inference_id: bounded("x-amzn-sagemaker-inference-id", 64)?,
            custom_attributes: bounded("x-amzn-sagemaker-custom-attributes", MAX_ATTRIBUTES)?,
        })
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// `Authorization: Bearer ...`, or Basic with the same as password.
fn shown(headers: &HeaderMap) -> Result<String, Refusal> {
    let text = header(headers, AUTHORIZATION.as_str()).ok_or_else(Refusal::unauthorised)?;
    let (scheme, rest) = text.split_once(' ').ok_or_else(Refusal::unauthorised)?;
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" => Ok(rest.trim().to_owned()),
        "basic" => {
            let decoded = STANDARD.decode(rest.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            let decoded = decoded.ok_or_else(Refusal::wrong_key)?;
            decoded.split_once(':').map(|(_, password)| password.to_owned()).ok_or_else(Refusal::wrong_key)
        }
        _ => Err(Refusal::unauthorised()),
    }
}

fn find<'a>(bundle: &'a Bundle, name: &str) -> Result<(&'a EndpointName, &'a Route), Refusal> {
    let found = bundle.routes.iter().find(|(endpoint, _)| endpoint.as_str() == name);
    match found {
        Some((endpoint, Some(route))) => Ok((endpoint, route)),
        Some((_, None)) => {
            let message =
                format!("no version is deployed at the endpoint `{name}`: approve and deploy one first");
            Err(Refusal::new(StatusCode::CONFLICT, "ModelNotReadyException", message))
        }
        None => {
            let message = format!("there is no endpoint `{name}`");
            Err(Refusal::new(StatusCode::NOT_FOUND, "ResourceNotFoundException", message))
        }
    }
}

async fn read(body: Incoming) -> Result<Vec<u8>, Refusal> {
    let limited = Limited::new(body, MAX_BODY_BYTES).collect();
    match tokio::time::timeout(BODY_TIMEOUT, limited).await {
        Err(_) => Err(Refusal::new(
            StatusCode::REQUEST_TIMEOUT,
            "RequestTimeoutException",
            "the body did not come in time",
        )),
        Ok(Ok(collected)) => Ok(collected.to_bytes().to_vec()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            let message = format!("the body is larger than {MAX_BODY_BYTES} bytes");
            Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "RequestTooLargeException", message))
        }
        Ok(Err(_)) => Err(Refusal::bad_request("the body could not be read")),
    }
}

fn prediction(route: &Route, score: &Score) -> Prediction {
    let probability = score.probabilities.get(&route.positive_label).copied().unwrap_or(0.0);
    Prediction { label: score.label.clone(), probability }
}

fn model_error(error: &PortError) -> Refusal {
    match error.kind() {
        Kind::Invalid => Refusal::bad_request(error.to_string()),
        _ => Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "ModelError", "the model could not answer"),
    }
}

fn captured(mode: &str, content_type: &str, body: &[u8]) -> CapturedBody {
    let (data, encoding) = match std::str::from_utf8(body) {
        Ok(text) if content_type.starts_with("text/csv") => (text.to_owned(), "CSV"),
        Ok(text) if content_type.starts_with("application/json") => (text.to_owned(), "JSON"),
        _ => (STANDARD.encode(body), "BASE64"),
    };
    CapturedBody {
        observed_content_type: content_type.to_owned(),
        mode: mode.to_owned(),
        data,
        encoding: encoding.to_owned(),
    }
}
