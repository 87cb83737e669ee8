//! Documents and files of others over HTTPS: one request, one answer, within a size and a time. Nothing is followed
//! elsewhere.

use crate::error::AwsError;
use crate::settings::Settings;
use crate::transport::{Fault, Transport};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::time::Duration;
use ureq::http::Request;
use world::{Kind, PortError};
use zeroize::Zeroizing;

/// Reads what is at an address.
pub struct Web {
    transport: Transport,
}

impl Web {
    /// Trusts whom the settings trust: this machine's authorities, or those of `AWS_CA_BUNDLE`.
    ///
    /// # Errors
    /// If the settings name no certificates.
    pub fn new(settings: &Settings) -> Result<Self, AwsError> {
        Ok(Self { transport: Transport::new(settings)? })
    }

    /// `GET` of `url` with these headers: the status and at most `limit` bytes, all within `time`. A redirection is an
    /// answer like any other.
    ///
    /// # Errors
    /// Of kind Invalid if the address is none, else Failed. Repeats neither the address nor a header: they may be secrets.
    pub fn get(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        (limit, time): (usize, Duration),
    ) -> Result<(u16, Vec<u8>), PortError> {
        let answer = self.transport.send_within(request(url, headers)?, limit, time).map_err(silence)?;
        Ok((answer.status, answer.body.to_vec()))
    }

    /// `GET` of something large: `take` gets the parts of the answer, if it is one with status 200, and says whether to
    /// go on. `time` is how long may pass without progress. The status.
    ///
    /// # Errors
    /// As [`Web::get`]; also if `take` wants no more.
    pub fn stream(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        time: Duration,
        take: &mut (dyn FnMut(&[u8]) -> bool + Send),
    ) -> Result<u16, PortError> {
        self.transport.stream(request(url, headers)?, time, take).map_err(silence)
    }
}

/// User name and password as HTTP's Basic has them.
#[must_use]
pub fn basic(user: &str, password: &str) -> Zeroizing<String> {
    let both = Zeroizing::new(format!("{user}:{password}"));
    Zeroizing::new(STANDARD.encode(both.as_bytes()))
}

fn request(url: &str, headers: &[(&str, &str)]) -> Result<Request<&'static [u8]>, PortError> {
    let mut request = Request::get(url).header("user-agent", concat!("wardmote/", env!("CARGO_PKG_VERSION")));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(&[][..]).map_err(|_| PortError::new(Kind::Invalid, "the address is not a URL"))
}

fn silence(fault: Fault) -> PortError {
    let text = match fault {
        Fault::Connect => "it cannot be reached",
        Fault::Untrusted => "it does not show a certificate that this machine trusts",
        Fault::Timeout => "it did not answer in time",
        Fault::Broken | Fault::Unrecorded => "the connection broke",
        Fault::TooLarge => "its answer is too large",
    };
    PortError::new(Kind::Failed, text)
}
