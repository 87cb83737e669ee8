//! The log files that digests name: there, and unchanged; and those that none names.

use crate::digest::{Loaded, LogFile, Place, is_digest, sha256};
use crate::{Chain, Folder, Report, Stretch, Window, gzip};
use facts::Timestamp;
use std::collections::BTreeSet;

/// CloudTrail's own are some tens of megabytes at most.
const LARGEST_LOG: usize = 512 << 20;

/// The log files that digests name, by their paths in the folder.
#[derive(Default)]
pub(crate) struct Listed(BTreeSet<String>);

/// Looks at the log files of one chain. `judged` says of each digest whether it is good.
pub(crate) fn check(
    (name, digests, judged): (&str, &[Loaded], &[bool]),
    (folder, place, window): (&Folder<'_>, &Place, &Window),
    listed: &mut Listed,
    report: &mut Report,
) -> Chain {
    let mut chain = Chain {
        name: name.to_owned(),
        digests: 0,
        log_files: 0,
        proved: Vec::new(),
        backfill: digests.iter().any(Loaded::is_backfill),
    };
    for (digest, good) in digests.iter().zip(judged) {
        let asked = window.meets(digest.start, digest.end);
        chain.digests += usize::from(asked);
        let mut whole = *good;
        for log in &digest.digest.log_files {
            let path = place.path(&log.s3_object);
            listed.0.extend(path.map(str::to_owned));
            if !asked {
                continue;
            }
            let there = path.filter(|path| {
                folder.names.contains(*path) && log.s3_bucket == digest.digest.digest_s3_bucket
            });
            match one(log, there, folder) {
                Ok(()) => chain.log_files += usize::from(*good),
                Err((verdict_is_broken, text)) => {
                    whole = false;
                    let (file, time) = (there.unwrap_or(&log.s3_object), Some(digest.time()));
                    let add = if verdict_is_broken { Report::broken } else { Report::unknown };
                    add(report, &file.escape_debug().to_string(), time, text);
                }
            }
        }
        if asked && whole {
            prove(&mut chain.proved, digest.start, digest.end);
        }
    }
    chain
}

/// Adds a stretch to those that are proved.
fn prove(proved: &mut Vec<Stretch>, from: Timestamp, to: Timestamp) {
    match proved.last_mut() {
        Some(last) if last.to == from => last.to = to,
        _ => proved.push(Stretch { from, to }),
    }
}

/// Whether a log file is what its digest names; else whether that is broken or only unknown, and why.
fn one(log: &LogFile, there: Option<&str>, folder: &Folder<'_>) -> Result<(), (bool, String)> {
    if log.hash_algorithm != "SHA-256" {
        let text = format!("its hash is `{}`, which is not known here", log.hash_algorithm.escape_debug());
        return Err((false, text));
    }
    let Some(path) = there else {
        return Err((true, "it is missing: it was deleted, or not copied".to_owned()));
    };
    let bytes = (folder.read)(path).map_err(|why| (false, why))?;
    let plain = gzip::expand(&bytes, LARGEST_LOG).map_err(|why| (true, why))?;
    if sha256(&plain).eq_ignore_ascii_case(&log.hash_value) {
        Ok(())
    } else {
        Err((
            true,
            "it is not what CloudTrail delivered: its SHA-256 differs from that in the digest".to_owned(),
        ))
    }
}

/// Log files that no digest names: younger than the last digest, or put there by somebody else.
pub(crate) fn unlisted(folder: &Folder<'_>, window: &Window, listed: &Listed, report: &mut Report) {
    for name in folder.names.iter().filter(|name| is_log(name) && !listed.0.contains(*name)) {
        let asked = delivered(name).is_none_or(|time| window.meets(time, time.plus_seconds(1)));
        if asked {
            report.unknown(
                name,
                None,
                "no digest in the folder names it, so nothing is proved of it".to_owned(),
            );
        }
    }
}

fn is_log(name: &str) -> bool {
    name.ends_with(".json.gz") && !is_digest(name)
}

/// When a log file was delivered, to the minute, by its name: `..._20250817T1445Z_...`.
fn delivered(name: &str) -> Option<Timestamp> {
    let part = name.rsplit('/').next()?.split('_').find(|part| part.len() == 14 && part.ends_with('Z'))?;
    let digits =
        |from: usize, to: usize| part.get(from..to).filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
    let (year, month, day) = (digits(0, 4)?, digits(4, 6)?, digits(6, 8)?);
    let (hour, minute) = (digits(9, 11)?, digits(11, 13)?);
    format!("{year}-{month}-{day}T{hour}:{minute}:00Z").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_when_a_file_was_delivered() {
        let name =
            "AWSLogs/1/CloudTrail/eu-central-1/2025/08/17/1_CloudTrail_eu-central-1_20250817T1445Z_x.json.gz";
        assert_eq!(delivered(name).unwrap().to_string(), "2025-08-17T14:45:00.000Z");
        for odd in ["a/b.json.gz", "1_CloudTrail_20250817Tab45Z_x.json.gz", "1_20251317T1445Z_x.json.gz"] {
            assert_eq!(delivered(odd), None);
        }
    }
}
