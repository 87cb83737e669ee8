//! Calls with their answers in a file, to be played again without the service: for tests.
//!
//! A line is a JSON object: what was asked (method, host without port, path and query, the operation's header, the body) and what came back
//! (status, headers, body) or what broke. Who calls is not on it: neither `Authorization` nor a token. Answers are whole, data
//! keys and secrets of services too, so a tape is made for its owner alone; nothing but tests makes one.

use crate::error::{AwsError, Trouble};
use crate::settings::Settings;
use crate::transport::{Answer, Fault, Transport};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use ureq::http::Request;

/// The largest tape that is played.
const MOST_BYTES: u64 = 64 << 20;

/// A tape, of which clients share one place.
#[derive(Debug)]
pub struct Tape(Mode);

#[derive(Debug)]
enum Mode {
    Record(Mutex<File>),
    /// What was not played yet.
    Play(Mutex<Vec<Entry>>),
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    asked: Asked,
    #[serde(flatten)]
    came: Came,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Asked {
    method: String,
    host: String,
    path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    body: Bytes,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Came {
    Answer { status: u16, headers: Vec<(String, String)>, body: Bytes },
    Fault(Fault),
}

/// Bytes as they are if they are text, else in Base64.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Bytes {
    Text(String),
    Base64(String),
}

impl Bytes {
    fn of(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Base64(STANDARD.encode(bytes)),
        }
    }

    fn read(&self) -> Option<Vec<u8>> {
        match self {
            Self::Text(text) => Some(text.clone().into_bytes()),
            Self::Base64(text) => STANDARD.decode(text).ok(),
        }
    }
}

impl Tape {
    /// A new tape, on which everything goes that is asked and answered.
    ///
    /// # Errors
    /// If there is something at `path` already, or it cannot be written.
    pub fn record(path: &Path) -> Result<Self, AwsError> {
        let open = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let file = open.map_err(|error| unusable(path, &error.kind().to_string()))?;
        Ok(Self(Mode::Record(Mutex::new(file))))
    }

    /// A tape to be played: the same questions get the same answers, those of one question in their order, and each
    /// once. No other question has an answer, and nobody is called.
    ///
    /// # Errors
    /// If it cannot be read, or is no tape.
    pub fn play(path: &Path) -> Result<Self, AwsError> {
        let mut text = String::new();
        let read = File::open(path).and_then(|file| file.take(MOST_BYTES).read_to_string(&mut text));
        read.map_err(|error| unusable(path, &error.kind().to_string()))?;
        let entry = |(n, line): (usize, &str)| {
            let why = |why: &dyn std::fmt::Display| unusable(path, &format!("line {}: {why}", n + 1));
            let entry: Entry = serde_json::from_str(line).map_err(|error| why(&error))?;
            let readable = match &entry.came {
                Came::Answer { status, headers, body } => entry_answer(*status, headers, body).is_some(),
                Came::Fault(_) => true,
            };
            readable.then_some(entry).ok_or_else(|| why(&"it holds no answer"))
        };
        let entries: Result<Vec<Entry>, AwsError> = text.lines().enumerate().map(entry).collect();
        Ok(Self(Mode::Play(Mutex::new(entries?))))
    }

    /// How many answers were not played.
    #[must_use]
    pub fn left(&self) -> usize {
        match &self.0 {
            Mode::Record(_) => 0,
            Mode::Play(entries) => entries.lock().unwrap_or_else(PoisonError::into_inner).len(),
        }
    }
}

fn unusable(path: &Path, why: &str) -> AwsError {
    AwsError::new(Trouble::Unconfigured, format!("cannot use the tape `{}`: {why}", path.display()))
        .with_help("record it anew")
}

fn entry_answer(status: u16, headers: &[(String, String)], body: &Bytes) -> Option<Answer> {
    Answer::from_parts(status, headers, body.read()?)
}

/// What sends requests: the network, with a tape beside it, or a tape alone.
pub(crate) struct Exchange<'a> {
    pub(crate) transport: &'a Transport,
    pub(crate) settings: &'a Settings,
}

impl Exchange<'_> {
    /// As [`Transport::send`].
    pub(crate) fn send(
        &self,
        request: Request<&[u8]>,
        limit: usize,
        time: Duration,
    ) -> Result<Answer, Fault> {
        match self.settings.tape.as_deref().map(|Tape(mode)| mode) {
            None => self.transport.send(request, limit, time),
            Some(Mode::Play(entries)) => play(entries, &asked(&request)),
            Some(Mode::Record(file)) => {
                let asked = asked(&request);
                let answer = self.transport.send(request, limit, time);
                let came = match &answer {
                    Ok(answer) => Came::Answer {
                        status: answer.status,
                        headers: answer.headers(),
                        body: Bytes::of(&answer.body),
                    },
                    Err(fault) => Came::Fault(*fault),
                };
                write(file, &Entry { asked, came })?;
                answer
            }
        }
    }
}

fn asked(request: &Request<&[u8]>) -> Asked {
    let (uri, header) = (request.uri(), |name| request.headers().get(name)?.to_str().ok());
    Asked {
        method: request.method().to_string(),
        host: uri.host().unwrap_or_default().to_owned(),
        path: uri.path_and_query().map_or_else(String::new, ToString::to_string),
        target: header("x-amz-target").map(str::to_owned),
        body: Bytes::of(request.body()),
    }
}

fn play(entries: &Mutex<Vec<Entry>>, asked: &Asked) -> Result<Answer, Fault> {
    let mut left = entries.lock().unwrap_or_else(PoisonError::into_inner);
    let found = left.iter().position(|entry| entry.asked == *asked).ok_or(Fault::Unrecorded)?;
    match left.remove(found).came {
        Came::Answer { status, headers, body } => {
            entry_answer(status, &headers, &body).ok_or(Fault::Unrecorded)
        }
        Came::Fault(fault) => Err(fault),
    }
}

/// What is not on the tape would be missed later, so it is a fault now.
fn write(file: &Mutex<File>, entry: &Entry) -> Result<(), Fault> {
    let mut line = serde_json::to_vec(entry).map_err(|_| Fault::Unrecorded)?;
    line.push(b'\n');
    let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
    file.write_all(&line).map_err(|_| Fault::Unrecorded)
}
