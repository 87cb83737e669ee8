//! Data capture: what went in and came out, as SageMaker writes it, in segments that are handed over when they are
//! full or old. A file is removed only after whoever takes segments has said yes; what a crash leaves is handed over
//! at the next start.

use crate::refused::{Refusals, RefusedCalls};
use facts::{EndpointName, Timestamp};
use monitor::capture::CaptureRecord;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use world::{Clock, PortError};

/// A stretch of captured traffic of one variant.
#[derive(Debug, Clone)]
pub struct Segment {
    /// The endpoint.
    pub endpoint: EndpointName,
    /// The variant.
    pub variant: String,
    /// JSON Lines.
    pub bytes: Vec<u8>,
}

/// Whoever keeps segments.
pub trait CaptureSink: Send {
    /// Takes a segment; after Ok it is removed here.
    fn take(&mut self, segment: Segment) -> Result<(), PortError>;
    /// Takes counts of refused calls.
    fn refused(&mut self, calls: Vec<RefusedCalls>) -> Result<(), PortError>;
}

/// When a segment is handed over.
#[derive(Debug, Clone, Copy)]
pub struct CaptureSettings {
    /// At this age.
    pub max_age: Duration,
    /// At this size.
    pub max_bytes: usize,
    /// Records waiting to be written may take so much memory; beyond it they are dropped and counted.
    pub max_queue_bytes: usize,
}

/// The queue to the writer. Never blocks a request.
#[derive(Clone)]
pub struct Capture {
    sender: Sender<(EndpointName, String, Vec<u8>)>,
    queued: Arc<AtomicUsize>,
    limit: usize,
    pub(crate) refusals: Arc<Refusals>,
}

impl Capture {
    /// Starts the writer over `folder`. The handle ends when all senders are gone and everything is handed over.
    pub fn start(
        folder: &Path,
        settings: CaptureSettings,
        clock: Arc<dyn Clock>,
        sink: Box<dyn CaptureSink>,
    ) -> Result<(Self, JoinHandle<()>), PortError> {
        fs::create_dir_all(folder)
            .map_err(|error| PortError::io(format!("make the folder `{}`", folder.display()), error))?;
        let (sender, receiver) = channel();
        let queued = Arc::new(AtomicUsize::new(0));
        let refusals = Arc::new(Refusals::default());
        let writer = Writer {
            folder: folder.to_owned(),
            settings,
            clock,
            sink,
            open: BTreeMap::new(),
            queued: Arc::clone(&queued),
            refusals: Arc::clone(&refusals),
        };
        let thread = std::thread::Builder::new()
            .name("capture".to_owned())
            .spawn(move || writer.run(&receiver))
            .map_err(|error| PortError::io("start the capture writer", error))?;
        Ok((Self { sender, queued, limit: settings.max_queue_bytes, refusals }, thread))
    }

    /// Queues a record; false if there is no room and it was dropped.
    pub(crate) fn record(&self, endpoint: &EndpointName, variant: &str, record: &CaptureRecord) -> bool {
        let Ok(mut line) = serde_json::to_vec(record) else { return false };
        line.push(b'\n');
        let size = line.len();
        if self.queued.fetch_add(size, Ordering::Relaxed) + size > self.limit {
            self.queued.fetch_sub(size, Ordering::Relaxed);
            return false;
        }
        self.sender.send((endpoint.clone(), variant.to_owned(), line)).is_ok()
    }
}

struct OpenFile {
    path: PathBuf,
    file: File,
    bytes: usize,
    since: Instant,
}

struct Writer {
    folder: PathBuf,
    settings: CaptureSettings,
    clock: Arc<dyn Clock>,
    sink: Box<dyn CaptureSink>,
    open: BTreeMap<(EndpointName, String), OpenFile>,
    queued: Arc<AtomicUsize>,
    refusals: Arc<Refusals>,
}

impl Writer {
    fn run(mut self, records: &Receiver<(EndpointName, String, Vec<u8>)>) {
        self.hand_over_leftovers();
        let mut handed_over = Instant::now();
        loop {
            match records.recv_timeout(Duration::from_millis(50)) {
                Ok((endpoint, variant, line)) => {
                    self.queued.fetch_sub(line.len(), Ordering::Relaxed);
                    // A disk that is full loses capture, not requests; the file stays and is tried again.
                    drop(self.write(endpoint, variant, &line));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if handed_over.elapsed() >= self.settings.max_age {
                self.hand_over_refusals();
                handed_over = Instant::now();
            }
            self.hand_over(|open, settings| {
                open.since.elapsed() >= settings.max_age || open.bytes >= settings.max_bytes
            });
        }
        self.hand_over(|_, _| true);
        self.hand_over_refusals();
    }

    fn hand_over_refusals(&mut self) {
        let calls = self.refusals.take();
        if !calls.is_empty() {
            // What cannot be recorded now cannot be recorded at all: the answer was given long ago.
            drop(self.sink.refused(calls));
        }
    }

    fn write(&mut self, endpoint: EndpointName, variant: String, line: &[u8]) -> std::io::Result<()> {
        let key = (endpoint, variant);
        if !self.open.contains_key(&key) {
            let file = self.fresh(&key.0, &key.1)?;
            self.open.insert(key.clone(), file);
        }
        match self.open.get_mut(&key) {
            Some(open) => {
                open.bytes += line.len();
                open.file.write_all(line)
            }
            None => Ok(()),
        }
    }

    /// `endpoint/variant/yyyy/mm/dd/hh/<time>.jsonl`, as SageMaker lays it out.
    fn fresh(&self, endpoint: &EndpointName, variant: &str) -> std::io::Result<OpenFile> {
        let now: Timestamp = self.clock.now();
        let dir = self.folder.join(endpoint.as_str()).join(variant).join(now.hour_path());
        fs::create_dir_all(&dir)?;
        let mut n = 0;
        loop {
            let path = dir.join(format!("{}-{n}.jsonl", now.unix_ms()));
            match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
                Ok(file) => return Ok(OpenFile { path, file, bytes: 0, since: Instant::now() }),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => n += 1,
                Err(error) => return Err(error),
            }
        }
    }

    fn hand_over(&mut self, due: impl Fn(&OpenFile, &CaptureSettings) -> bool) {
        let ready: Vec<_> = self
            .open
            .iter()
            .filter(|(_, open)| due(open, &self.settings))
            .map(|(key, _)| key.clone())
            .collect();
        for key in ready {
            if let Some(open) = self.open.remove(&key) {
                self.give(key.0, key.1, &open.path);
            }
        }
    }

    fn give(&mut self, endpoint: EndpointName, variant: String, path: &Path) {
        let Ok(bytes) = fs::read(path) else { return };
        // A line that a crash cut off is not a record.
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let segment = Segment { endpoint, variant, bytes: bytes[..whole].to_vec() };
        if whole == 0 || self.sink.take(segment).is_ok() {
            drop(fs::remove_file(path));
        }
    }

    fn hand_over_leftovers(&mut self) {
        for endpoint in names(&self.folder) {
            let Ok(name) = endpoint.parse::<EndpointName>() else { continue };
            for variant in names(&self.folder.join(&endpoint)) {
                let mut files = Vec::new();
                collect(&self.folder.join(&endpoint).join(&variant), &mut files);
                files.sort();
                for file in files {
                    self.give(name.clone(), variant.clone(), &file);
                }
            }
        }
    }
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|end| end == "jsonl") {
            files.push(path);
        }
    }
}
