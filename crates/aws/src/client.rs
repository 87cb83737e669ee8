//! The client: signs, sends, tries again within its budget, and says what went wrong.

use crate::calls::{Attempt, Exchange};
use crate::credentials::{self, Credentials};
use crate::endpoint::{Endpoint, Partition, partition, signing_region};
use crate::error::{AwsError, Trouble};
use crate::operation::{Call, Operation, Protocol, Retry, Service};
use crate::retry::{Budget, Failure, pause};
use crate::settings::Settings;
use crate::sign::{Signed, Signer, sha256_hex};
use crate::transport::{Answer, Fault, Transport};
use crate::wire::{self, Wire, from_json, refusal};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use ureq::http::Request;

/// Answers of services with paths are objects, of which the largest has 5 TiB.
const LARGEST_OBJECT: usize = 5 << 40;
const LARGEST_ANSWER: usize = 16 << 20;

/// A client for all services that share settings. Cheap to clone; clones share connections, credentials and budget.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    line: Line,
    region: OnceLock<String>,
    credentials: Mutex<Option<Credentials>>,
}

/// Everything but who calls.
pub(crate) struct Line {
    pub(crate) settings: Settings,
    pub(crate) transport: Transport,
    budget: Budget,
}

impl Client {
    /// A client with these settings. Nothing is called yet.
    pub fn new(settings: Settings) -> Result<Self, AwsError> {
        let transport = Transport::new(&settings)?;
        let line = Line { settings, transport, budget: Budget::new() };
        let inner = Inner { line, region: OnceLock::new(), credentials: Mutex::new(None) };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// A client with the same settings for another region.
    pub(crate) fn in_region(&self, region: &str) -> Result<Self, AwsError> {
        Self::new(self.inner.line.settings.clone().with_region(region)?)
    }

    /// A client with the same settings that calls as a role, which whoever calls now may assume.
    pub(crate) fn assuming(&self, role: &facts::Arn) -> Result<Self, AwsError> {
        Self::new(self.inner.line.settings.clone().with_role(role, &std::collections::BTreeMap::new()))
    }

    /// Where calls go: what was set, else where this machine is.
    pub fn region(&self) -> Result<&str, AwsError> {
        if let Some(region) = self.inner.region.get() {
            return Ok(region);
        }
        let found = match &self.inner.line.settings.region {
            Some(region) => region.clone(),
            None => credentials::machine_region(&self.inner.line)?,
        };
        Ok(self.inner.region.get_or_init(|| found))
    }

    /// The partition of the region, as in ARNs.
    pub(crate) fn partition(&self) -> Result<Partition, AwsError> {
        partition(self.region()?)
    }

    /// Where the service of an operation is.
    pub(crate) fn endpoint(&self, operation: &'static Operation) -> Result<Endpoint, AwsError> {
        self.address(operation.service)
    }

    /// Whether this bucket, or account, stands in the path of an operation and not before the host.
    pub(crate) fn in_path(&self, operation: &'static Operation, label: &str) -> Result<bool, AwsError> {
        Ok(self.endpoint(operation)?.in_path(label, &self.inner.line.settings))
    }

    /// Where a service is.
    pub(crate) fn address(&self, service: &Service) -> Result<Endpoint, AwsError> {
        Endpoint::of(service, self.region()?, &self.inner.line.settings)
    }

    /// What it was made with.
    pub(crate) fn settings(&self) -> &Settings {
        &self.inner.line.settings
    }

    /// A random part of a pause between looks at something that takes its time: one second, doubled each time up to
    /// sixteen; in tests, with their shorter pauses, less.
    pub(crate) fn pause_between(&self, looks: u32) -> Duration {
        let whole = self.inner.line.settings.pause.saturating_mul(5 << looks.min(4));
        whole.mul_f64(0.75 + 0.5 * f64::from(chance()) / f64::from(u32::MAX))
    }

    /// The profile of the shared files that is read.
    pub(crate) fn profile(&self) -> &str {
        &self.inner.line.settings.profile
    }

    /// Calls a JSON service.
    pub(crate) fn json<T: DeserializeOwned>(
        &self,
        operation: &'static Operation,
        input: &impl Serialize,
    ) -> Result<T, AwsError> {
        let answer = self.call(operation, &Wire::json(operation, input)?)?;
        from_json(operation, &answer)
    }

    /// Calls a JSON service, or one with paths.
    pub(crate) fn ask(&self, call: &'static Call, input: &Value) -> Result<Value, AwsError> {
        let answer = self.call(&call.operation, &Wire::of(call, input)?)?;
        from_json(&call.operation, &answer)
    }

    /// Calls, with credentials that are fresh.
    pub(crate) fn call(&self, operation: &'static Operation, wire: &Wire) -> Result<Answer, AwsError> {
        let region = self.region()?;
        let used = self.credentials(None)?;
        match self.inner.line.call(operation, wire, region, Some(&used)) {
            // Credentials may have been replaced before their time: once, others are asked for.
            Err(error) if wire::expired(error.code()) => {
                let others = self.credentials(Some(&used))?;
                if others.same_as(&used) {
                    return Err(error);
                }
                self.inner.line.call(operation, wire, region, Some(&others))
            }
            result => result,
        }
    }

    /// The URL of a signed call without a body that somebody else may send for `seconds`, with one more header.
    pub(crate) fn presigned(
        &self,
        operation: &'static Operation,
        query: &[(&str, &str)],
        header: (&str, &str),
        seconds: u32,
    ) -> Result<String, AwsError> {
        let (region, endpoint) = (self.region()?, self.endpoint(operation)?);
        let used = self.credentials(None)?;
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let query: Vec<_> = query.iter().copied().map(own).collect();
        let headers = [own(("host", &endpoint.authority)), own(header)];
        let time = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
        let signer = Signer {
            key_id: used.key_id(),
            secret: used.secret(),
            region: signing_region(operation.service, region),
            service: operation.service.name,
            time: &time,
            encode_again: true,
        };
        let path = format!("{}/", endpoint.path);
        let payload = sha256_hex(b"");
        let signed =
            Signed { method: "GET", path: &path, query: &query, headers: &headers, payload: &payload };
        Ok(format!("{endpoint}/?{}", signer.presigned(&signed, used.token(), seconds)))
    }

    /// The credentials in use; new ones if they end soon or are `refused`.
    fn credentials(&self, refused: Option<&Credentials>) -> Result<Credentials, AwsError> {
        let mut cached = self.inner.credentials.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = cached.as_ref()
            && !known.end_soon()
            && refused.is_none_or(|refused| !refused.same_as(known))
        {
            return Ok(known.clone());
        }
        let found = credentials::find(&self.inner.line)?;
        *cached = Some(found.clone());
        Ok(found)
    }
}

impl Line {
    /// Calls one operation until it succeeds, cannot succeed, or may not be tried again.
    pub(crate) fn call(
        &self,
        operation: &'static Operation,
        wire: &Wire,
        region: &str,
        credentials: Option<&Credentials>,
    ) -> Result<Answer, AwsError> {
        let endpoint = Endpoint::of(operation.service, region, &self.settings)?;
        let payload = sha256_hex(&wire.body);
        let mut last = None;
        for number in 1.. {
            let start = Instant::now();
            let signed_in = signing_region(operation.service, region);
            let request = build(wire, &endpoint, (operation, signed_in, &payload), credentials)
                .map_err(|error| error.of(operation))?;
            let limit =
                if operation.service.protocol == Protocol::RestXml { LARGEST_OBJECT } else { LARGEST_ANSWER };
            let limit = wire.most.map_or(limit, |most| most.min(limit));
            let sent = self.exchange().send(request, limit, self.settings.timeout);
            let id = sent.as_ref().ok().and_then(wire::request_id);
            let told = |trouble| Attempt {
                operation,
                region: signed_in,
                number,
                trouble,
                request_id: id.as_deref(),
                elapsed: start.elapsed(),
            };
            let (error, failure, asked) = match sent {
                Ok(answer) if answer.status < 300 && !wire::may_be_of(operation, &answer) => {
                    (wire::unreadable(operation, &answer), Failure::of(Trouble::Unreadable), None)
                }
                Ok(answer) if answer.status < 300 && !wire::failed_late(operation, &answer) => {
                    self.tell(&told(None));
                    self.budget.earn(last);
                    return Ok(answer);
                }
                Ok(mut answer) => {
                    if answer.status < 300 {
                        answer.status = 500;
                    }
                    let error = refusal(operation, &answer);
                    let failure = Failure::of(error.trouble());
                    (error, failure, wire::asked_pause(&answer))
                }
                Err(fault) => {
                    let (error, failure) = self.silence(operation, &endpoint, fault);
                    (error, failure, None)
                }
            };
            self.tell(&told(Some(error.trouble())));
            let again = number < self.settings.attempts
                && failure.may_retry(operation.retry)
                && self.budget.pay(failure);
            if !again {
                return Err(finish(error, failure, operation, credentials));
            }
            last = Some(failure);
            std::thread::sleep(pause(self.settings.pause, number, chance(), asked));
        }
        Err(AwsError::new(Trouble::Unreached, "no attempt was made").of(operation))
    }

    /// What requests go through.
    pub(crate) fn exchange(&self) -> Exchange<'_> {
        Exchange { transport: &self.transport, settings: &self.settings }
    }

    fn tell(&self, attempt: &Attempt<'_>) {
        self.settings.watchers.iter().for_each(|watcher| watcher(attempt));
    }

    fn silence(
        &self,
        operation: &'static Operation,
        endpoint: &Endpoint,
        fault: Fault,
    ) -> (AwsError, Failure) {
        let host = endpoint.host();
        let seconds = self.settings.timeout.as_secs_f64();
        let (failure, message) = match fault {
            Fault::Connect => (Failure::NotDone, format!("`{host}` cannot be reached")),
            Fault::Untrusted => {
                let message = format!("`{host}` does not show a certificate that this machine trusts");
                let error = AwsError::new(Trouble::Unreached, message).of(operation);
                let help = "set AWS_CA_BUNDLE to the certificates of who signs for it, or install the package `ca-certificates`";
                return (error.with_help(help), Failure::Final);
            }
            Fault::Timeout => {
                (Failure::UnclearAfterTimeout, format!("`{host}` said nothing for {seconds} seconds"))
            }
            Fault::Broken => (Failure::Unclear, format!("the connection to `{host}` broke")),
            Fault::Unrecorded => {
                let message = "there is no such question, or no more answers to it, on the tape";
                return (AwsError::new(Trouble::Unreached, message).of(operation), Failure::Final);
            }
            Fault::TooLarge => {
                let message = format!("`{host}` answers with more bytes than are taken");
                let error = AwsError::new(Trouble::Unreached, message).of(operation);
                return (error.with_help("look at what lies there, and who put it there"), Failure::Final);
            }
        };
        let error = AwsError::new(Trouble::Unreached, message).of(operation);
        (
            error.with_help(
                "look at the network, AWS_REGION and AWS_ENDPOINT_URL; then run the command again",
            ),
            failure,
        )
    }
}

/// The last error of a call, without secrets.
fn finish(
    error: AwsError,
    failure: Failure,
    operation: &'static Operation,
    credentials: Option<&Credentials>,
) -> AwsError {
    let unclear = matches!(failure, Failure::Unclear | Failure::UnclearAfterTimeout);
    let error = if unclear && operation.retry == Retry::Unsafe {
        error.uncertain().with_help("look whether it happened before you run the command again")
    } else {
        error
    };
    match credentials {
        Some(credentials) => error.without(&credentials.secrets()),
        None => error,
    }
}

/// The request as it is sent, signed if there are credentials.
fn build<'w>(
    wire: &'w Wire,
    endpoint: &Endpoint,
    (operation, region, payload): (&'static Operation, &str, &str),
    credentials: Option<&Credentials>,
) -> Result<Request<&'w [u8]>, AwsError> {
    let authority = match &wire.label {
        Some(label) => format!("{label}.{}", endpoint.authority),
        None => endpoint.authority.clone(),
    };
    let path = format!("{}{}", endpoint.path, wire.path);
    let mut headers = wire.headers.clone();
    headers.push(("host".to_owned(), authority.clone()));
    if let Some(credentials) = credentials {
        let time = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
        headers.push(("x-amz-date".to_owned(), time.clone()));
        headers.push(("x-amz-content-sha256".to_owned(), payload.to_owned()));
        if let Some(token) = credentials.token() {
            headers.push(("x-amz-security-token".to_owned(), token.to_owned()));
        }
        // Calls about the buckets of an account are signed as all of S3.
        let service = operation.service.name.trim_end_matches("-control");
        let signer = Signer {
            key_id: credentials.key_id(),
            secret: credentials.secret(),
            region,
            service,
            time: &time,
            encode_again: service != "s3",
        };
        let (query, headers_) = (&wire.query, &headers);
        let signed = Signed { method: wire.method, path: &path, query, headers: headers_, payload };
        let authorization = signer.authorization(&signed);
        headers.push(("authorization".to_owned(), authorization));
    }
    headers.push(("user-agent".to_owned(), concat!("wardmote/", env!("CARGO_PKG_VERSION")).to_owned()));
    let query = wire.encoded_query();
    let mark = if query.is_empty() { "" } else { "?" };
    let mut request = Request::builder()
        .method(wire.method)
        .uri(format!("{}://{authority}{path}{mark}{query}", endpoint.scheme));
    for (name, value) in &headers {
        request = request.header(name, value);
    }
    // What is wrong may be a secret with a line break in it, so it is not repeated.
    request.body(&*wire.body).map_err(|_| {
        AwsError::new(
            Trouble::Unconfigured,
            "the request cannot be written: a name or value in it has letters that HTTP does not allow",
        )
        .with_help("look at the credentials and at the names of buckets")
    })
}

fn chance() -> u32 {
    let mut bytes = [0; 4];
    // Without chance the pause is a whole one, which is safe.
    match aws_lc_rs::rand::fill(&mut bytes) {
        Ok(()) => u32::from_be_bytes(bytes),
        Err(_) => u32::MAX,
    }
}
