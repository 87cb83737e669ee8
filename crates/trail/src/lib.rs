//! CloudTrail log files, verified without AWS: what is in a folder is what CloudTrail delivered, nothing was taken out of
//! it, and where that cannot be proved, the report says from when to when.
//!
//! Every hour CloudTrail delivers a digest file: the SHA-256 of each log file of that hour, and SHA-256 and signature of
//! the digest before it. Its own signature (RSA, PKCS #1, SHA-256) is in the metadata of its object in S3.
//!
//! Source: AWS CloudTrail User Guide, "CloudTrail digest file structure" and "Custom implementations of CloudTrail log
//! file integrity validation"; the AWS CLI's `cloudtrail validate-logs` is held against it (`tests/reference`).

mod chain;
mod digest;
pub mod gzip;
mod keys;
mod logs;
mod report;
mod touched;

pub use keys::PublicKeys;
pub use report::{Chain, Finding, Report, Stretch};
pub use touched::{
    Asked, AskedOf, Event, LogFile, MAX_LOG_FILE_BYTES, MAX_MESSAGE_BYTES, Message, read_log_file,
    read_message,
};

use digest::Place;
use facts::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// A folder as it was copied from S3. What is beside a digest file under the same name with `.head.json` after it is the
/// answer of `aws s3api head-object`, in which its signature is.
pub struct Folder<'a> {
    /// The paths of all files in it, with slashes.
    pub names: &'a BTreeSet<String>,
    /// Reads one of them; an error says why it cannot be read.
    pub read: &'a dyn Fn(&str) -> Result<Vec<u8>, String>,
}

/// The time that somebody asks about.
#[derive(Debug, Clone, Copy, Default)]
pub struct Window {
    /// Its beginning; none: the beginning of what there is.
    pub from: Option<Timestamp>,
    /// Its end; none: the end of what there is.
    pub to: Option<Timestamp>,
}

impl Window {
    /// Whether any of the time between `start` and `end` is asked about.
    pub(crate) fn meets(&self, start: Timestamp, end: Timestamp) -> bool {
        self.from.is_none_or(|from| end > from) && self.to.is_none_or(|to| start < to)
    }
}

/// Verifies a folder.
pub fn verify(folder: &Folder<'_>, keys: &PublicKeys, window: &Window) -> Report {
    let mut report = Report::default();
    let mut digests = Vec::new();
    for name in folder.names.iter().filter(|name| digest::is_digest(name)) {
        match digest::load(folder, name) {
            Ok(digest) => digests.push(digest),
            Err(why) => report.broken(name, None, why),
        }
    }
    let place = Place::of(&digests);
    digests.retain(|digest| match place.of_digest(digest) {
        Ok(()) => true,
        Err(why) => {
            report.broken(&digest.name, Some(digest.time()), why);
            false
        }
    });
    let mut chains: BTreeMap<String, Vec<digest::Loaded>> = BTreeMap::new();
    for digest in digests {
        chains.entry(digest.chain()).or_default().push(digest);
    }
    if chains.is_empty() {
        report.unknown("", None, "there is no digest file in the folder, so nothing is proved".to_owned());
    }
    let mut listed = logs::Listed::default();
    for (name, mut digests) in chains {
        digests.sort_by_key(|digest| digest.end);
        let judged = chain::judge(&digests, keys, window, &mut report);
        let chain =
            logs::check((&name, &digests, &judged), (folder, &place, window), &mut listed, &mut report);
        chain::borders(&chain, window, &mut report);
        report.chains.push(chain);
    }
    logs::unlisted(folder, window, &listed, &mut report);
    report.finish()
}
