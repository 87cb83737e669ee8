//! A digest file: what it says, where it belongs, and the text that its signature is over.

use crate::{Folder, gzip};
use aws_lc_rs::digest::{SHA256, digest};
use facts::Timestamp;
use serde::Deserialize;
use std::collections::BTreeMap;

/// One that lists more log files than this holds is none.
const LARGEST_DIGEST: usize = 64 << 20;
const ENDING: &str = ".json.gz";
const BACKFILL: &str = "_backfill";
/// As long as `20250817T150131Z`.
const TIME_LETTERS: usize = 16;

/// Whether a file is a digest, by its name.
pub(crate) fn is_digest(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    file.contains("_CloudTrail-Digest_") && file.ends_with(ENDING)
}

/// What a digest file says.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Digest {
    digest_start_time: String,
    digest_end_time: String,
    pub(crate) digest_s3_bucket: String,
    pub(crate) digest_s3_object: String,
    pub(crate) digest_public_key_fingerprint: String,
    pub(crate) digest_signature_algorithm: String,
    previous_digest_s3_bucket: Option<String>,
    previous_digest_s3_object: Option<String>,
    previous_digest_hash_value: Option<String>,
    previous_digest_hash_algorithm: Option<String>,
    previous_digest_signature: Option<String>,
    pub(crate) log_files: Vec<LogFile>,
}

/// A log file, as its digest names it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LogFile {
    pub(crate) s3_bucket: String,
    pub(crate) s3_object: String,
    pub(crate) hash_value: String,
    pub(crate) hash_algorithm: String,
}

/// The digest before, as the one after it names it.
#[derive(Debug, Clone)]
pub(crate) struct Previous {
    pub(crate) bucket: String,
    pub(crate) object: String,
    pub(crate) hash: String,
    pub(crate) signature: String,
}

/// A digest file that was read.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// Its path in the folder.
    pub(crate) name: String,
    pub(crate) digest: Digest,
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    pub(crate) previous: Option<Previous>,
    /// SHA-256 of the file without its gzip, in hexadecimal.
    pub(crate) hash: String,
    /// Its signature, if the metadata of its object are in the folder.
    pub(crate) signature: Option<String>,
}

/// The metadata of an object, as `aws s3api head-object` prints them.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Head {
    metadata: BTreeMap<String, String>,
}

/// Reads a digest and what is beside it.
pub(crate) fn load(folder: &Folder<'_>, name: &str) -> Result<Loaded, String> {
    let bytes = (folder.read)(name)?;
    let plain = gzip::expand(&bytes, LARGEST_DIGEST)?;
    let digest: Digest =
        serde_json::from_slice(&plain).map_err(|error| format!("it is not a digest: {error}"))?;
    let time = |text: &str| text.parse::<Timestamp>().map_err(|error| error.to_string());
    let (start, end) = (time(&digest.digest_start_time)?, time(&digest.digest_end_time)?);
    if start >= end {
        return Err("it ends before it begins".to_owned());
    }
    let previous = previous(&digest)?;
    let beside = format!("{name}.head.json");
    let signature = match folder.names.contains(&beside) {
        false => None,
        true => Some(signature(&(folder.read)(&beside)?)?),
    };
    let hash = sha256(&plain);
    Ok(Loaded { name: name.to_owned(), digest, start, end, previous, hash, signature })
}

fn previous(digest: &Digest) -> Result<Option<Previous>, String> {
    let parts = (
        &digest.previous_digest_s3_bucket,
        &digest.previous_digest_s3_object,
        &digest.previous_digest_hash_value,
        &digest.previous_digest_signature,
    );
    match parts {
        (None, None, None, None) => Ok(None),
        (Some(bucket), Some(object), Some(hash), Some(signature)) => {
            if digest.previous_digest_hash_algorithm.as_deref() != Some("SHA-256") {
                return Err("it does not name the digest before it by SHA-256".to_owned());
            }
            let (bucket, object) = (bucket.clone(), object.clone());
            Ok(Some(Previous { bucket, object, hash: hash.clone(), signature: signature.clone() }))
        }
        _ => Err("it names the digest before it only in part".to_owned()),
    }
}

fn signature(head: &[u8]) -> Result<String, String> {
    let head: Head = serde_json::from_slice(head).map_err(|error| {
        format!("the file `.head.json` beside it is not what `aws s3api head-object` prints: {error}")
    })?;
    let signature = head.metadata.get("signature").cloned();
    signature.ok_or_else(|| "the file `.head.json` beside it has no signature in it".to_owned())
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex::encode(digest(&SHA256, bytes))
}

impl Loaded {
    /// The text that is signed.
    pub(crate) fn signed_text(&self) -> String {
        let Digest { digest_end_time, digest_s3_bucket, digest_s3_object, .. } = &self.digest;
        let before = self.previous.as_ref().map_or("null", |previous| previous.signature.as_str());
        format!("{digest_end_time}\n{digest_s3_bucket}/{digest_s3_object}\n{}\n{before}", self.hash)
    }

    /// What it covers.
    pub(crate) fn time(&self) -> (Timestamp, Timestamp) {
        (self.start, self.end)
    }

    /// Whether it makes up for hours without digests; those come as need be.
    pub(crate) fn is_backfill(&self) -> bool {
        self.digest.digest_s3_object.ends_with(&format!("{BACKFILL}{ENDING}"))
    }

    /// The trail, region and account whose digest it is: its file name without the time.
    pub(crate) fn chain(&self) -> String {
        let file = self.digest.digest_s3_object.rsplit('/').next().unwrap_or_default();
        let stem = file.strip_suffix(ENDING).unwrap_or(file);
        let (stem, end) = match stem.strip_suffix(BACKFILL) {
            Some(stem) => (stem, BACKFILL),
            None => (stem, ""),
        };
        let cut = stem.len().saturating_sub(TIME_LETTERS);
        format!("{}{end}", stem.get(..cut).unwrap_or(stem).trim_end_matches('_'))
    }

    /// The bucket and object that it was delivered as.
    pub(crate) fn object(&self) -> (&str, &str) {
        (&self.digest.digest_s3_bucket, &self.digest.digest_s3_object)
    }
}

/// Where the folder is in the bucket: what its paths lack at their beginning.
pub(crate) struct Place {
    lead: String,
}

impl Place {
    /// As most digests have it.
    pub(crate) fn of(digests: &[Loaded]) -> Self {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for digest in digests {
            if let Some(lead) = digest.digest.digest_s3_object.strip_suffix(&digest.name)
                && (lead.is_empty() || lead.ends_with('/'))
            {
                *counts.entry(lead).or_default() += 1;
            }
        }
        let lead = counts.into_iter().max_by_key(|(_, count)| *count).map_or("", |(lead, _)| lead);
        Self { lead: lead.to_owned() }
    }

    /// The path in the folder of an object.
    pub(crate) fn path<'k>(&self, object: &'k str) -> Option<&'k str> {
        object.strip_prefix(&self.lead)
    }

    /// Whether a digest is where it says.
    pub(crate) fn of_digest(&self, digest: &Loaded) -> Result<(), String> {
        let object = &digest.digest.digest_s3_object;
        if self.path(object) == Some(digest.name.as_str()) {
            return Ok(());
        }
        Err(format!("it was delivered as `{}`, and is not in its place", object.escape_debug()))
    }
}
