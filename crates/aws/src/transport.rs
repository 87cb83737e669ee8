//! HTTP over TCP and TLS: one request out, one whole answer back, within a time limit. Knows nothing of AWS.
//!
//! The ports are synchronous, so whoever calls waits for its connection itself: no runtime, and no call wakes another
//! thread. Connections that the other side keeps open are kept, and used again by whoever calls next.

use crate::error::{AwsError, Trouble};
use crate::settings::Settings;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::{Deserialize, Serialize};
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use ureq::config::{AutoHeaderValue, Config};
use ureq::http::header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue};
use ureq::http::{Method, Request, Response, Uri};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    ConnectionDetails, Connector, NextTimeout, RustlsConnector, TcpConnector,
};
use ureq::{Agent, Body, Error};
use zeroize::Zeroizing;

/// What a connection reads or writes at once; the head of a request fits in it.
const BUFFER_BYTES: usize = 16 << 10;
/// A line slower than this is not waited for.
const SLOWEST_BYTES_PER_SECOND: u64 = 128 * 1024;
/// Space that is set aside for an answer on its word alone.
const TRUSTED_LENGTH: usize = 64 << 20;
const IDLE: Duration = Duration::from_secs(20);
const IDLE_CONNECTIONS: usize = 64;

/// Sends requests and keeps connections.
pub(crate) struct Transport {
    tls: TlsConfig,
    connect: Duration,
    /// One for each time that somebody grants; these are constants, so there are few.
    agents: Mutex<Vec<(Limits, Agent)>>,
}

/// How long may pass: without progress and until the answer begins, for a body to go out, and in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Limits {
    still: Duration,
    body: Duration,
    all: Option<Duration>,
}

impl Limits {
    /// Large bodies have longer to go out. In powers of two, so that there are few different ones.
    fn of(body_bytes: usize, still: Duration, all: Option<Duration>) -> Self {
        let longer = (body_bytes as u64 / SLOWEST_BYTES_PER_SECOND).next_power_of_two();
        Self { still, body: still + Duration::from_secs(longer), all }
    }
}

/// A whole answer. The body may hold a key, so it leaves no trace.
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: HeaderMap,
    pub(crate) body: Zeroizing<Vec<u8>>,
}

impl Answer {
    /// An answer that somebody wrote.
    #[cfg(test)]
    pub(crate) fn written(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Self {
        let header = |(name, value): &(&'static str, &'static str)| {
            let value = HeaderValue::from_static(value);
            (HeaderName::from_static(name), value)
        };
        let body = Zeroizing::new(body.as_bytes().to_vec());
        Self { status, headers: headers.iter().map(header).collect(), body }
    }

    /// An answer of which somebody kept the parts; none if they are none.
    pub(crate) fn from_parts(status: u16, headers: &[(String, String)], body: Vec<u8>) -> Option<Self> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(value).ok()?);
        }
        Some(Self { status, headers: map, body: Zeroizing::new(body) })
    }

    /// The same as others write an answer.
    pub(crate) fn into_response<B: From<Vec<u8>>>(mut self) -> Option<Response<B>> {
        let mut response = Response::new(B::from(std::mem::take(&mut *self.body)));
        *response.status_mut() = self.status.try_into().ok()?;
        *response.headers_mut() = self.headers;
        Some(response)
    }

    /// The headers that are text.
    pub(crate) fn headers(&self) -> Vec<(String, String)> {
        let text = self.headers.iter().filter_map(|(name, value)| Some((name, value.to_str().ok()?)));
        text.map(|(name, value)| (name.to_string(), value.to_owned())).collect()
    }

    /// A header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Fault {
    /// No connection, so nothing was sent.
    #[error("no connection")]
    Connect,
    /// Somebody is there who is not trusted; nothing was sent.
    #[error("nobody who is trusted")]
    Untrusted,
    /// The time was up.
    #[error("no answer in time")]
    Timeout,
    /// The connection broke, or the answer was cut off.
    #[error("a broken connection")]
    Broken,
    /// The answer is larger than any that the operation gives.
    #[error("an answer that is too large")]
    TooLarge,
    /// A tape is played, and it is not on it.
    #[error("not on the tape")]
    Unrecorded,
}

impl Transport {
    /// Trusts whom the settings trust: this machine's authorities, or those of a file.
    pub(crate) fn new(settings: &Settings) -> Result<Self, AwsError> {
        Ok(Self::with(settings, &trusted(settings.ca_bundle.as_deref())?))
    }

    /// Trusts one authority and nobody else.
    pub(crate) fn trusting(settings: &Settings, pem: &[u8]) -> Result<Self, AwsError> {
        let found: Vec<_> = CertificateDer::pem_slice_iter(pem).filter_map(Result::ok).collect();
        let none =
            || AwsError::new(Trouble::Unconfigured, "an authority to be trusted is no certificate in PEM");
        Ok(Self::with(settings, &certificates(&found).ok_or_else(none)?))
    }

    fn with(settings: &Settings, trusted: &[Certificate<'static>]) -> Self {
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::new_with_certs(trusted))
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .build();
        Self { tls, connect: settings.connect_timeout, agents: Mutex::default() }
    }

    /// Who sends within such limits. They belong to an agent and not to a request, because a request with settings of its
    /// own makes those of TLS anew.
    fn agent(&self, limits: Limits) -> Agent {
        let mut agents = self.agents.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, agent)) = agents.iter().find(|(known, _)| *known == limits) {
            return agent.clone();
        }
        let config = Agent::config_builder()
            .tls_config(self.tls.clone())
            .proxy(None)
            .http_status_as_error(false)
            // A redirection is an answer like any other.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .allow_non_standard_methods(true)
            .user_agent(AutoHeaderValue::None)
            .accept(AutoHeaderValue::None)
            .accept_encoding(AutoHeaderValue::None)
            .timeout_connect(Some(self.connect))
            .input_buffer_size(BUFFER_BYTES)
            .output_buffer_size(BUFFER_BYTES)
            .max_idle_connections(IDLE_CONNECTIONS)
            .max_idle_connections_per_host(IDLE_CONNECTIONS)
            .max_idle_age(IDLE)
            .timeout_per_read(Some(limits.still))
            .timeout_per_write(Some(limits.still))
            // Progress alone is not enough: a byte now and then would hold a caller for ever.
            .timeout_send_request(Some(limits.still))
            .timeout_send_body(Some(limits.body))
            .timeout_recv_response(Some(limits.still))
            .timeout_global(limits.all)
            .build();
        let chain = TcpConnector::default().chain(RustlsConnector::default());
        let agent = Agent::with_parts(config, Unsent(chain), Unsent(DefaultResolver::default()));
        agents.push((limits, agent.clone()));
        agent
    }

    /// One request, one answer of at most `limit` bytes. `time` is how long may pass without progress: until the answer
    /// begins, and between its parts. Large bodies have longer, both ways, but for a line that is too slow.
    pub(crate) fn send(
        &self,
        request: Request<&[u8]>,
        limit: usize,
        time: Duration,
    ) -> Result<Answer, Fault> {
        whole(self.begin(request, time, None)?, limit, time)
    }

    /// The same with all of it within `time`, however slowly it makes progress.
    pub(crate) fn send_within(
        &self,
        request: Request<&[u8]>,
        limit: usize,
        time: Duration,
    ) -> Result<Answer, Fault> {
        whole(self.begin(request, time, Some(time))?, limit, time)
    }

    /// One request, and the parts of its answer as they come, if it is one with status 200 and `take` wants them.
    pub(crate) fn stream(
        &self,
        request: Request<&[u8]>,
        time: Duration,
        take: &mut (dyn FnMut(&[u8]) -> bool + Send),
    ) -> Result<u16, Fault> {
        let response = self.begin(request, time, None)?;
        let status = response.status().as_u16();
        if status != 200 {
            return Ok(status);
        }
        let mut body = response.into_body().into_reader();
        let mut part = vec![0; BUFFER_BYTES];
        loop {
            match body.read(&mut part) {
                Ok(0) => return Ok(status),
                Ok(length) if take(&part[..length]) => {}
                Ok(_) => return Err(Fault::Broken),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(fault(&error.into())),
            }
        }
    }

    /// The head of the answer.
    fn begin(
        &self,
        request: Request<&[u8]>,
        time: Duration,
        all: Option<Duration>,
    ) -> Result<Response<Body>, Fault> {
        let (head, body) = request.into_parts();
        let agent = self.agent(Limits::of(body.len(), time, all));
        // A body of no bytes is said where one is expected, and nowhere else.
        let bare = body.is_empty() && matches!(head.method, Method::GET | Method::HEAD | Method::DELETE);
        let sent = if bare {
            agent.run(Request::from_parts(head, ()))
        } else {
            agent.run(Request::from_parts(head, body))
        };
        sent.map_err(|error| fault(&error))
    }
}

/// What comes before a connection is there. Whoever fails in it has sent nothing.
#[derive(Debug)]
struct Unsent<T>(T);

impl<T: Connector> Connector for Unsent<T> {
    type Out = T::Out;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<()>,
    ) -> Result<Option<Self::Out>, Error> {
        self.0.connect(details, chained).map_err(|error| Error::Other(Box::new(unsent(&error))))
    }
}

impl Resolver for Unsent<DefaultResolver> {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        self.0.resolve(uri, config, timeout).map_err(|error| Error::Other(Box::new(unsent(&error))))
    }
}

/// Why there is no connection.
fn unsent(error: &Error) -> Fault {
    let untrusted = match error {
        Error::Rustls(_) => true,
        Error::Io(error) => {
            error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<rustls::Error>)
        }
        _ => false,
    };
    if untrusted { Fault::Untrusted } else { Fault::Connect }
}

fn fault(error: &Error) -> Fault {
    match error {
        Error::Other(cause) => cause.downcast_ref().copied().unwrap_or(Fault::Broken),
        Error::Timeout(_) => Fault::Timeout,
        _ => Fault::Broken,
    }
}

/// The whole answer, of at most `limit` bytes, as long as it comes. A byte now and then would hold a caller for ever, so that
/// a line slower than the slowest is left once `time` has passed.
fn whole(response: Response<Body>, limit: usize, time: Duration) -> Result<Answer, Fault> {
    let begun = Instant::now();
    let (head, body) = response.into_parts();
    let expected = head.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let expected = expected.and_then(|text| text.parse::<usize>().ok()).unwrap_or(0);
    let mut read = Zeroizing::new(Vec::with_capacity(expected.min(limit).min(TRUSTED_LENGTH)));
    let (mut body, mut part) = (body.into_reader(), Zeroizing::new(vec![0; BUFFER_BYTES]));
    loop {
        match body.read(&mut part) {
            Ok(0) => break,
            Ok(length) => read.extend_from_slice(&part[..length]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(fault(&error.into())),
        }
        if read.len() > limit {
            return Err(Fault::TooLarge);
        }
        if begun.elapsed() > Limits::of(read.len(), time, None).body {
            return Err(Fault::Timeout);
        }
    }
    Ok(Answer { status: head.status.as_u16(), headers: head.headers, body: read })
}

/// The certificates that this machine trusts, or those in `bundle`.
fn trusted(bundle: Option<&Path>) -> Result<Vec<Certificate<'static>>, AwsError> {
    let Some(path) = bundle else {
        // A machine without certificates can still call endpoints on plain HTTP.
        let known = rustls_native_certs::load_native_certs().certs;
        return Ok(known.iter().map(certificate).collect());
    };
    let unreadable = || {
        AwsError::new(Trouble::Unconfigured, format!("`{}` holds no certificates in PEM", path.display()))
            .with_help("look at AWS_CA_BUNDLE, and `ca_bundle` in the profile")
    };
    let found: Result<Vec<CertificateDer<'static>>, _> =
        CertificateDer::pem_file_iter(path).and_then(Iterator::collect).map_err(|_| unreadable());
    certificates(&found?).ok_or_else(unreadable)
}

/// Authorities, if at least one of them can be read: what TLS cannot read it would leave out without a word.
fn certificates(found: &[CertificateDer<'_>]) -> Option<Vec<Certificate<'static>>> {
    let readable = rustls::RootCertStore::empty().add_parsable_certificates(found.iter().cloned()).0;
    (readable > 0).then(|| found.iter().map(certificate).collect())
}

fn certificate(known: &CertificateDer<'_>) -> Certificate<'static> {
    Certificate::from_der(known).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Sources;
    use std::io::Write;
    use std::net::{TcpListener, TcpStream};
    use std::thread;

    const SHORT: Duration = Duration::from_millis(300);

    fn transport() -> Transport {
        let variables = [("AWS_REGION".to_owned(), "eu-central-1".to_owned())];
        let settings = Settings::load(Sources::only(variables.into(), None), None).unwrap();
        Transport::with(&settings, &[])
    }

    /// A server that does one thing with its first connection, and what to ask it.
    fn served(act: impl FnOnce(TcpStream) + Send + 'static) -> Request<&'static [u8]> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let place = format!("http://{}/", listener.local_addr().unwrap());
        thread::spawn(move || act(listener.accept().unwrap().0));
        Request::get(place).body(&[][..]).unwrap()
    }

    /// Says `text` a byte at a time, with a pause that is no pause to whoever looks at progress alone; whatever happens.
    fn trickle(mut stream: TcpStream, text: &str) {
        for byte in text.bytes() {
            if stream.write_all(&[byte]).is_err() {
                return;
            }
            thread::sleep(SHORT / 6);
        }
    }

    fn answer(request: Request<&[u8]>, limit: usize) -> Result<usize, Fault> {
        transport().send(request, limit, SHORT).map(|answer| answer.body.len())
    }

    #[test]
    fn a_head_that_trickles_is_not_waited_for() {
        let head = format!("HTTP/1.1 200 OK\r\nx-long: {}\r\n\r\n", "x".repeat(400));
        let request = served(move |stream| trickle(stream, &head));
        assert_eq!(answer(request, 100), Err(Fault::Timeout));
    }

    #[test]
    fn silence_is_not_waited_for() {
        let request = served(|stream| {
            thread::sleep(Duration::from_secs(10));
            drop(stream);
        });
        assert_eq!(answer(request, 100), Err(Fault::Timeout));
    }

    #[test]
    fn a_body_may_take_its_time_as_long_as_it_comes_unless_all_of_it_has_a_limit() {
        let said = |mut stream: TcpStream| {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n").unwrap();
            trickle(stream, "twelve bytes");
        };
        assert_eq!(answer(served(said), 100), Ok(12));
        let within = transport().send_within(served(said), 100, SHORT);
        assert_eq!(within.map(|answer| answer.body.len()), Err(Fault::Timeout));
    }

    #[test]
    fn a_body_that_trickles_is_not_waited_for() {
        let said = |mut stream: TcpStream| {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 400\r\n\r\n").unwrap();
            trickle(stream, &"x".repeat(400));
        };
        assert_eq!(answer(served(said), 1000), Err(Fault::Timeout));
    }

    #[test]
    fn an_answer_is_taken_up_to_its_limit_and_half_of_one_not_at_all() {
        let said = |mut stream: TcpStream| {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n12345").unwrap();
        };
        assert_eq!(answer(served(said), 5), Ok(5));
        assert_eq!(answer(served(said), 4), Err(Fault::TooLarge));
        let half = |mut stream: TcpStream| {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n123").unwrap();
        };
        assert_eq!(answer(served(half), 5), Err(Fault::Broken));
    }

    #[test]
    fn large_bodies_have_longer_to_go_out_in_few_steps() {
        let body = |bytes| Limits::of(bytes, SHORT, None).body - SHORT;
        assert_eq!(body(0), Duration::from_secs(1));
        assert_eq!(body(64 << 20), Duration::from_secs(512));
        assert_eq!(body(65 << 20), Duration::from_secs(1024));
    }
}
