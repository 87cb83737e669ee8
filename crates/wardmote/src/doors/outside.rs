//! What doors read from outside: documents of identity providers, answers of AWS STS. Bounded in size and time.

use aws::Web;
use guard::door::aws::Presigned;
use server::Outside;
use std::time::Duration;
use world::{Kind, PortError};

/// The largest document, and how long one may take.
const DOCUMENT: (usize, Duration) = (256 << 10, Duration::from_secs(5));
/// The same for STS, which answers with a few lines.
const ANSWER: (usize, Duration) = (16 << 10, Duration::from_secs(5));

/// The network.
pub(super) struct Network {
    web: Web,
}

impl Network {
    pub(super) fn new(web: Web) -> Self {
        Self { web }
    }
}

impl Outside for Network {
    fn document(&self, url: &str) -> Result<Vec<u8>, PortError> {
        match self.web.get(url, &[("accept", "application/json")], DOCUMENT)? {
            (200, body) => Ok(body),
            (status, _) => Err(PortError::new(Kind::Failed, format!("it answered with status {status}"))),
        }
    }

    fn caller(&self, call: &Presigned) -> Result<Option<String>, PortError> {
        let (status, body) = self.web.get(call.url(), &[call.header()], ANSWER)?;
        match status {
            200 => aws::caller_in(&body)
                .map(Some)
                .ok_or_else(|| PortError::new(Kind::Failed, "its answer is not one of STS")),
            400..=499 => Ok(None),
            _ => Err(PortError::new(Kind::Failed, format!("it answered with status {status}"))),
        }
    }
}
