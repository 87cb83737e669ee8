//! The digests of one trail, one after the other: signatures, hashes, and whether any is missing between them.

use crate::digest::{Loaded, Previous};
use crate::keys::Signature;
use crate::{Chain, PublicKeys, Report, Window};
use facts::Timestamp;
use std::collections::BTreeMap;

/// Whether each digest, in the order of time, is one that CloudTrail signed, and the one that the next names.
pub(crate) fn judge(
    digests: &[Loaded],
    keys: &PublicKeys,
    window: &Window,
    report: &mut Report,
) -> Vec<bool> {
    let index = Index::of(digests);
    let mut good = Vec::with_capacity(digests.len());
    for (at, digest) in digests.iter().enumerate() {
        let before = report.findings.len();
        let asked = window.meets(digest.start, digest.end);
        if asked {
            signature(digest, &index, keys, report);
        }
        good.push(report.findings.len() == before);
        // A hole before it says nothing against the digest itself.
        if asked {
            link((at, digests), &index, window, report);
        }
    }
    good
}

/// The digests of a chain by bucket and object, and what others say of the digest before them.
struct Index<'d> {
    there: BTreeMap<(&'d str, &'d str), &'d Loaded>,
    named: BTreeMap<(&'d str, &'d str), Vec<&'d Previous>>,
}

impl<'d> Index<'d> {
    fn of(digests: &'d [Loaded]) -> Self {
        let mut index = Self { there: BTreeMap::new(), named: BTreeMap::new() };
        for digest in digests {
            index.there.insert(digest.object(), digest);
            if let Some(previous) = &digest.previous {
                index.named.entry((&previous.bucket, &previous.object)).or_default().push(previous);
            }
        }
        index
    }

    fn successors(&self, digest: &'d Loaded) -> &[&'d Previous] {
        self.named.get(&digest.object()).map_or(&[], Vec::as_slice)
    }

    fn previous(&self, previous: &'d Previous) -> Option<&'d Loaded> {
        self.there.get(&(previous.bucket.as_str(), previous.object.as_str())).copied()
    }
}

fn signature<'d>(digest: &'d Loaded, index: &Index<'d>, keys: &PublicKeys, report: &mut Report) {
    let (name, time) = (digest.name.as_str(), Some(digest.time()));
    let after = index.successors(digest);
    if after.len() > 1 {
        report.broken(name, time, "two digests name it as the one before them".to_owned());
    }
    if after.iter().any(|previous| previous.hash != digest.hash) {
        report.broken(
            name,
            time,
            "it is not the one that the digest after it names: its SHA-256 differs".to_owned(),
        );
        return;
    }
    let named = after.first().map(|previous| previous.signature.as_str());
    let signature = match (digest.signature.as_deref(), named) {
        (Some(own), Some(named)) if own != named => {
            let text = "its signature is not the one that the digest after it names";
            return report.broken(name, time, text.to_owned());
        }
        (own, named) => own.or(named),
    };
    let Some(signature) = signature else {
        let text = "its signature is not in the folder: it is in the metadata of its object in S3, and in the digest after it";
        return report.unknown(name, time, text.to_owned());
    };
    let algorithm = &digest.digest.digest_signature_algorithm;
    if algorithm != "SHA256withRSA" {
        let text = format!("it is signed with `{}`, which is not known here", algorithm.escape_debug());
        return report.unknown(name, time, text);
    }
    let fingerprint = &digest.digest.digest_public_key_fingerprint;
    match keys.check(fingerprint, (&digest.signed_text(), signature), digest.end) {
        Signature::Good => {}
        Signature::Wrong => {
            report.broken(
                name,
                time,
                "its signature does not hold: it is not what CloudTrail delivered".to_owned(),
            );
        }
        Signature::NoSuchKey => {
            let text = format!(
                "the public key `{}` that it is signed with is not among those given",
                fingerprint.escape_debug()
            );
            report.unknown(name, time, text);
        }
        Signature::OutOfTime(from, to) => {
            report.broken(
                name,
                time,
                format!("it is signed with a key that was valid from {from} to {to} only"),
            );
        }
    }
}

/// Whether the digest before this one is there, and nothing between them.
fn link<'d>((at, digests): (usize, &'d [Loaded]), index: &Index<'d>, window: &Window, report: &mut Report) {
    let digest = &digests[at];
    let earlier = digests[..at].iter().rev().find(|other| other.end <= digest.start);
    let mut hole = |from: Timestamp, text: String, broken: bool| {
        // A hole of no length is a hole all the same.
        if window.meets(from, digest.start) || from >= digest.start {
            let time = Some((from, digest.start));
            if broken {
                report.broken(&digest.name, time, text);
            } else {
                report.unknown(&digest.name, time, text);
            }
        }
    };
    match (&digest.previous, earlier) {
        (None, Some(earlier)) if !digest.is_backfill() => hole(
            earlier.end,
            "the chain begins anew with it: the trail, or its validation, was stopped before".to_owned(),
            false,
        ),
        (None, _) => {}
        (Some(previous), earlier) => match index.previous(previous) {
            Some(there) if there.end == digest.start || digest.is_backfill() => {}
            Some(there) if there.end < digest.start => {
                hole(there.end, "it does not begin where the digest before it ends".to_owned(), false);
            }
            Some(there) => hole(there.end, "it begins before the digest before it ends".to_owned(), true),
            None => {
                let object = previous.object.escape_debug();
                match earlier {
                    Some(earlier) => hole(
                        earlier.end,
                        format!(
                            "the digest before it, `{object}`, is missing: it was deleted, or not copied"
                        ),
                        true,
                    ),
                    None if window.from.is_some_and(|from| from >= digest.start) => {}
                    None => {
                        let text = format!(
                            "the digest before it, `{object}`, is not in the folder, so nothing is proved before {}",
                            digest.start
                        );
                        report.unknown(&digest.name, None, text);
                    }
                }
            }
        },
    }
}

/// Whether the chain reaches to both ends of the time asked about.
pub(crate) fn borders(chain: &Chain, window: &Window, report: &mut Report) {
    if chain.backfill {
        return;
    }
    let say = |report: &mut Report, from: Timestamp, to: Timestamp, text: String| {
        report.unknown("", Some((from, to)), text);
    };
    let (Some(first), Some(last)) = (chain.proved.first(), chain.proved.last()) else {
        if chain.digests == 0 {
            let text = format!("`{}` has no digest of the time asked about", chain.name);
            report.unknown("", None, text);
        }
        // Else each of its digests has a finding of its own.
        return;
    };
    if let Some(from) = window.from.filter(|from| *from < first.from) {
        say(report, from, first.from, format!("`{}` proves nothing before {}", chain.name, first.from));
    }
    if let Some(to) = window.to.filter(|to| *to > last.to) {
        say(report, last.to, to, format!("`{}` proves nothing after {}", chain.name, last.to));
    }
}
