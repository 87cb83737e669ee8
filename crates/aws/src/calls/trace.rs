//! Every attempt as a line of JSON, for whoever looks why a command is slow or refused.

use super::Attempt;
use crate::error::{AwsError, Trouble};
use serde::Serialize;
use std::fs::OpenOptions;
use std::io::{Write, stderr};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Where the lines go.
pub struct Trace {
    out: Mutex<Box<dyn Write + Send>>,
}

#[derive(Serialize)]
struct Line<'a> {
    time: String,
    service: &'a str,
    operation: &'a str,
    region: &'a str,
    attempt: u32,
    outcome: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    elapsed_ms: f64,
}

impl Trace {
    /// To the end of a file, which is made for its owner alone, or to standard error (`-`).
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn to(place: &str) -> Result<Self, AwsError> {
        if place == "-" {
            return Ok(Self { out: Mutex::new(Box::new(stderr())) });
        }
        let open = |path: &Path| OpenOptions::new().append(true).create(true).mode(0o600).open(path);
        let file = open(Path::new(place)).map_err(|error| {
            let message = format!("cannot write the trace `{}`: {}", place.escape_debug(), error.kind());
            AwsError::new(Trouble::Unconfigured, message)
                .with_help("set WARDMOTE_AWS_TRACE to a file in a folder that is there, to `-`, or unset it")
        })?;
        Ok(Self { out: Mutex::new(Box::new(file)) })
    }

    /// One line. What cannot be written is left out: a trace stops no work.
    pub fn add(&self, attempt: &Attempt<'_>) {
        let line = Line {
            time: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
            service: attempt.operation.service.name,
            operation: attempt.operation.name,
            region: attempt.region,
            attempt: attempt.number,
            outcome: attempt.outcome(),
            request_id: attempt.request_id,
            elapsed_ms: (attempt.elapsed.as_secs_f64() * 1e6).round() / 1e3,
        };
        if let Ok(mut line) = serde_json::to_vec(&line) {
            line.push(b'\n');
            let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
            drop(out.write_all(&line));
        }
    }
}
