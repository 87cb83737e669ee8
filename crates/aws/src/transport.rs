//! HTTP over TCP and TLS: one request out, one whole answer back, within a time limit. Knows nothing of AWS.
//!
//! The ports are synchronous, so whoever calls waits in a lane: a small runtime with connections of its own, on the caller's
//! thread, so that no call wakes another thread. There are as many lanes as calls at the same time. A caller that is itself
//! on a runtime may not wait on another, so a thread beside it does.

use crate::error::{AwsError, Trouble};
use crate::settings::Settings;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Bytes};
use hyper::header::HeaderMap;
use hyper::{Request, Response};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::{Handle, Runtime};
use zeroize::Zeroizing;

/// A line slower than this is not waited for.
const SLOWEST_BYTES_PER_SECOND: u64 = 128 * 1024;

/// Sends requests and keeps connections.
pub(crate) struct Transport {
    https: HttpsConnector<HttpConnector>,
    /// Lanes in which nobody waits.
    free: Mutex<Vec<Lane>>,
}

/// A runtime and the connections that it drives.
struct Lane {
    /// There until it is dropped.
    runtime: Option<Runtime>,
    client: legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
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
            let value = hyper::header::HeaderValue::from_static(value);
            (hyper::header::HeaderName::from_static(name), value)
        };
        let body = Zeroizing::new(body.as_bytes().to_vec());
        Self { status, headers: headers.iter().map(header).collect(), body }
    }

    /// A header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// No connection, so nothing was sent.
    Connect,
    /// Somebody is there who is not trusted; nothing was sent.
    Untrusted,
    /// The time was up.
    Timeout,
    /// The connection broke, or the answer was cut off.
    Broken,
    /// The answer is larger than any that the operation gives.
    TooLarge,
}

impl Transport {
    /// Trusts whom the settings trust: this machine's authorities, or those of a file.
    pub(crate) fn new(settings: &Settings) -> Result<Self, AwsError> {
        Self::with(settings, trusted(settings.ca_bundle.as_deref())?)
    }

    /// Trusts one authority and nobody else.
    pub(crate) fn trusting(settings: &Settings, pem: &[u8]) -> Result<Self, AwsError> {
        let mut roots = rustls::RootCertStore::empty();
        let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem).filter_map(Result::ok).collect();
        if roots.add_parsable_certificates(certificates).0 == 0 {
            return Err(AwsError::new(
                Trouble::Unconfigured,
                "an authority to be trusted is no certificate in PEM",
            ));
        }
        Self::with(settings, roots)
    }

    fn with(settings: &Settings, roots: rustls::RootCertStore) -> Result<Self, AwsError> {
        let failed = |what: &str| AwsError::new(Trouble::Unconfigured, what);
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|_| failed("cannot set up TLS"))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(settings.connect_timeout));
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        Ok(Self { https, free: Mutex::default() })
    }

    /// One request, one answer of at most `limit` bytes. `time` is how long may pass without progress: until the answer
    /// begins (large bodies have longer to go out), and between its parts.
    pub(crate) fn send(
        &self,
        request: Request<Full<Bytes>>,
        limit: usize,
        time: Duration,
    ) -> Result<Answer, Fault> {
        self.in_lane(|lane| lane.send(request, limit, time))
    }

    /// The same with all of it within `time`, however slowly it makes progress.
    pub(crate) fn send_within(
        &self,
        request: Request<Full<Bytes>>,
        limit: usize,
        time: Duration,
    ) -> Result<Answer, Fault> {
        self.in_lane(|lane| lane.send_within(request, limit, time))
    }

    /// One request, and the parts of its answer as they come, if it is one with status 200 and `take` wants them.
    pub(crate) fn stream(
        &self,
        request: Request<Full<Bytes>>,
        time: Duration,
        take: &mut (dyn FnMut(&[u8]) -> bool + Send),
    ) -> Result<u16, Fault> {
        self.in_lane(|lane| lane.stream(request, time, take))
    }

    fn in_lane<T: Send>(&self, work: impl FnOnce(&Lane) -> Result<T, Fault> + Send) -> Result<T, Fault> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let lane = match free {
            Some(lane) => lane,
            None => Lane::new(&self.https)?,
        };
        let result = if Handle::try_current().is_ok() {
            let beside = || work(&lane);
            std::thread::scope(|scope| scope.spawn(beside).join()).unwrap_or(Err(Fault::Broken))
        } else {
            work(&lane)
        };
        self.free.lock().unwrap_or_else(PoisonError::into_inner).push(lane);
        result
    }
}

impl Lane {
    fn new(https: &HttpsConnector<HttpConnector>) -> Result<Self, Fault> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .max_blocking_threads(1)
            .thread_name("aws")
            .enable_io()
            .enable_time()
            .build()
            // Without a descriptor for it there is none for a connection either.
            .map_err(|_| Fault::Connect)?;
        let client = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(20))
            .build(https.clone());
        Ok(Self { runtime: Some(runtime), client })
    }

    fn send(&self, request: Request<Full<Bytes>>, limit: usize, time: Duration) -> Result<Answer, Fault> {
        let Some(runtime) = &self.runtime else { return Err(Fault::Connect) };
        runtime.block_on(self.exchange(request, limit, time))
    }

    fn send_within(
        &self,
        request: Request<Full<Bytes>>,
        limit: usize,
        time: Duration,
    ) -> Result<Answer, Fault> {
        let Some(runtime) = &self.runtime else { return Err(Fault::Connect) };
        runtime.block_on(async { timeout(time, self.exchange(request, limit, time)).await? })
    }

    fn stream(
        &self,
        request: Request<Full<Bytes>>,
        time: Duration,
        take: &mut (dyn FnMut(&[u8]) -> bool + Send),
    ) -> Result<u16, Fault> {
        let Some(runtime) = &self.runtime else { return Err(Fault::Connect) };
        runtime.block_on(async {
            let mut response = self.begin(request, time).await?;
            let status = response.status().as_u16();
            if status != 200 {
                return Ok(status);
            }
            while let Some(frame) = timeout(time, response.body_mut().frame()).await? {
                let Ok(data) = frame.map_err(|_| Fault::Broken)?.into_data() else { continue };
                if !take(&data) {
                    return Err(Fault::Broken);
                }
            }
            Ok(status)
        })
    }

    async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
        limit: usize,
        time: Duration,
    ) -> Result<Answer, Fault> {
        whole(self.begin(request, time).await?, limit, time).await
    }

    /// The head of the answer.
    async fn begin(
        &self,
        request: Request<Full<Bytes>>,
        time: Duration,
    ) -> Result<Response<hyper::body::Incoming>, Fault> {
        let bytes = request.body().size_hint().exact().unwrap_or_default();
        let until_begin = time + Duration::from_secs(bytes / SLOWEST_BYTES_PER_SECOND);
        // Nobody looked at the lane's connections since it was used last: one that was closed is noticed now, and not
        // when a request is half out.
        tokio::task::yield_now().await;
        let sent = self.client.request(request);
        timeout(until_begin, sent).await?.map_err(|error: legacy::Error| fault(&error))
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        // Waiting for threads is forbidden where another runtime drops us.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn fault(error: &legacy::Error) -> Fault {
    if !error.is_connect() {
        return Fault::Broken;
    }
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(cause) = next {
        // An I/O error shows what it wraps here, but not among its causes.
        let wrapped = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let wrapped = wrapped.and_then(|inner| inner.downcast_ref::<rustls::Error>());
        if wrapped.is_some() || cause.is::<rustls::Error>() {
            return Fault::Untrusted;
        }
        next = cause.source();
    }
    Fault::Connect
}

async fn timeout<T>(time: Duration, work: impl Future<Output = T>) -> Result<T, Fault> {
    tokio::time::timeout(time, work).await.map_err(|_| Fault::Timeout)
}

async fn whole(
    response: Response<hyper::body::Incoming>,
    limit: usize,
    time: Duration,
) -> Result<Answer, Fault> {
    let (head, mut incoming) = response.into_parts();
    let expected = head.headers.get(hyper::header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let expected = expected.and_then(|text| text.parse::<usize>().ok()).unwrap_or(0);
    let mut body = Zeroizing::new(Vec::with_capacity(expected.min(limit).min(64 << 20)));
    while let Some(frame) = timeout(time, incoming.frame()).await? {
        let Ok(data) = frame.map_err(|_| Fault::Broken)?.into_data() else { continue };
        if body.len() + data.len() > limit {
            return Err(Fault::TooLarge);
        }
        body.extend_from_slice(&data);
    }
    Ok(Answer { status: head.status.as_u16(), headers: head.headers, body })
}

/// The certificates that this machine trusts, or those in `bundle`.
fn trusted(bundle: Option<&Path>) -> Result<rustls::RootCertStore, AwsError> {
    let mut roots = rustls::RootCertStore::empty();
    let Some(path) = bundle else {
        // A machine without certificates can still call endpoints on plain HTTP.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        return Ok(roots);
    };
    let unreadable = || {
        AwsError::new(Trouble::Unconfigured, format!("`{}` holds no certificates in PEM", path.display()))
            .with_help("look at AWS_CA_BUNDLE, and `ca_bundle` in the profile")
    };
    let certificates: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(path).and_then(Iterator::collect).map_err(|_| unreadable());
    if roots.add_parsable_certificates(certificates?).0 == 0 {
        return Err(unreadable());
    }
    Ok(roots)
}
