//! Answers: text for people, JSON for programs; colours never, since everything reads well without.

use crate::failure::Failure;
use serde::Serialize;
use std::io::{self, BufRead, IsTerminal, Write};

/// Where answers go, and in which form.
pub(crate) struct Answers {
    json: bool,
}

impl Answers {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether programs are listening.
    pub(crate) fn json(&self) -> bool {
        self.json
    }

    /// One answer: `text` makes it for people.
    pub(crate) fn give<T: Serialize>(
        &self,
        value: &T,
        text: impl FnOnce(&T) -> String,
    ) -> Result<(), Failure> {
        if self.json {
            let line = serde_json::to_string(value).map_err(|error| {
                Failure::new(crate::failure::Exit::Failed, format!("cannot encode the answer: {error}"))
            })?;
            self.line(&line)
        } else {
            self.line(text(value).trim_end())
        }
    }

    /// A line of text to standard output.
    pub(crate) fn line(&self, text: &str) -> Result<(), Failure> {
        to_standard_output(|out| writeln!(out, "{text}"))
    }

    /// A document in JSON to standard output, part by part: it may be large.
    pub(crate) fn document(&self, value: &impl Serialize) -> Result<(), Failure> {
        to_standard_output(|out| {
            let mut out = io::BufWriter::with_capacity(1 << 16, out);
            serde_json::to_writer_pretty(&mut out, value)?;
            writeln!(out).and_then(|()| out.flush())
        })
    }

    /// A remark that is not part of the answer.
    pub(crate) fn remark(&self, text: &str) {
        // Nobody listening to standard error is no reason to fail.
        drop(writeln!(io::stderr().lock(), "{text}"));
    }

    /// Whether somebody says yes to what was shown, before or now; programs say it before.
    pub(crate) fn agreed(&self, before: bool) -> Result<bool, Failure> {
        if before {
            return Ok(true);
        }
        if self.json || !io::stdin().is_terminal() {
            return Ok(false);
        }
        self.remark("carry this out? Only `yes` does.");
        let mut line = String::new();
        let read = io::stdin().lock().read_line(&mut line);
        read.map_err(|error| Failure::io("read from the terminal", error))?;
        Ok(line.trim() == "yes")
    }

    /// A failure.
    pub(crate) fn failure(&self, failure: &Failure) {
        if self.json {
            drop(writeln!(io::stdout().lock(), "{}", failure.to_json()));
        } else {
            drop(write!(io::stderr().lock(), "{}", failure.to_text()));
        }
    }
}

fn to_standard_output(write: impl FnOnce(&mut io::StdoutLock<'_>) -> io::Result<()>) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match write(&mut out).and_then(|()| out.flush()) {
        // Whoever read us has seen enough: `wardmote log | head`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::io("write to standard output", error)),
        Ok(()) => Ok(()),
    }
}

/// The last line of an answer: which ledger entries prove it.
pub(crate) fn evidence(list: &[facts::EvidenceId]) -> String {
    let ids: Vec<String> = list.iter().map(ToString::to_string).collect();
    if ids.is_empty() { String::new() } else { format!("evidence: {}", ids.join(", ")) }
}
