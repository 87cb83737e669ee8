//! Small documents of others over HTTPS: one request, one answer, within a size and a time. Nothing is followed elsewhere.

use crate::error::AwsError;
use crate::settings::Settings;
use crate::transport::{Fault, Transport};
use http_body_util::Full;
use hyper::Request;
use std::time::Duration;
use world::{Kind, PortError};

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
        let mut request =
            Request::get(url).header("user-agent", concat!("wardmote/", env!("CARGO_PKG_VERSION")));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request
            .body(Full::default())
            .map_err(|_| PortError::new(Kind::Invalid, "the address is not a URL"))?;
        let answer = self.transport.send_within(request, limit, time).map_err(|fault| {
            PortError::new(
                Kind::Failed,
                match fault {
                    Fault::Connect => "it cannot be reached",
                    Fault::Untrusted => "it does not show a certificate that this machine trusts",
                    Fault::Timeout => "it did not answer in time",
                    Fault::Broken => "the connection broke",
                    Fault::TooLarge => "its answer is too large",
                },
            )
        })?;
        Ok((answer.status, answer.body.to_vec()))
    }
}
