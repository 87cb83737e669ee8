//! What was found, and what is proved from when to when.

use facts::{Timestamp, Verdict};
use serde::Serialize;

/// The answer.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Over everything.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// One for each trail, region and account.
    pub chains: Vec<Chain>,
    /// What is not as it should be.
    pub findings: Vec<Finding>,
}

/// The digests of one trail in one region and account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Chain {
    /// As its files are named: account, region, trail and home region.
    pub name: String,
    /// How many digests were looked at.
    pub digests: usize,
    /// How many log files are, byte for byte, what a good digest names.
    pub log_files: usize,
    /// For which times everything that CloudTrail delivered is there and unchanged.
    pub proved: Vec<Stretch>,
    /// Whether it is of digests that make up for hours without.
    #[serde(skip)]
    pub(crate) backfill: bool,
}

/// A stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Stretch {
    /// Its beginning.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
}

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The file, by its path in the folder; empty if it is about none.
    pub file: String,
    /// The time that it leaves unproved.
    #[serde(flatten)]
    pub stretch: Option<Stretch>,
    /// Broken or unknown, with a sentence.
    #[serde(flatten)]
    pub verdict: Verdict,
}

impl Default for Report {
    fn default() -> Self {
        Self { verdict: Verdict::Holds, chains: Vec::new(), findings: Vec::new() }
    }
}

impl Report {
    pub(crate) fn broken(&mut self, file: &str, time: Option<(Timestamp, Timestamp)>, reason: String) {
        self.add(file, time, Verdict::Broken { reason });
    }

    pub(crate) fn unknown(&mut self, file: &str, time: Option<(Timestamp, Timestamp)>, missing: String) {
        self.add(file, time, Verdict::Unknown { missing });
    }

    fn add(&mut self, file: &str, time: Option<(Timestamp, Timestamp)>, verdict: Verdict) {
        let stretch = time.map(|(from, to)| Stretch { from, to });
        self.findings.push(Finding { file: file.to_owned(), stretch, verdict });
    }

    /// The worst of all findings, the broken ones first.
    pub(crate) fn finish(mut self) -> Self {
        self.findings.sort_by_key(|finding| !matches!(finding.verdict, Verdict::Broken { .. }));
        let worst = self.findings.iter().map(|finding| finding.verdict.clone()).reduce(Verdict::and);
        self.verdict = worst.unwrap_or(Verdict::Holds);
        self
    }
}
