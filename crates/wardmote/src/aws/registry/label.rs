//! What the record says of a version, in SageMaker's words and within its limits. Nothing is cut without saying so and where
//! the whole is.

use crate::failure::Failure;
use aws::packages::{ApprovalStatus, Birth, Card, CardStatus, Label, LifeCycle, Package};
use charter::model::{Model, RiskTier};
use dossier::model_card::fitted;
use engine::{Engine, Parts};
use facts::Digest;
use registry::{Status, Version};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// By these a package is found again.
pub(super) const VERSION: &str = "wardmote:version";
pub(super) const ARTEFACT: &str = "wardmote:artefact";

/// The longest sentence.
const SENTENCE: usize = 1024;
/// The longest name and value of a property.
const PROPERTY: (usize, usize) = (128, 256);
/// So many figures are properties: SageMaker takes 50 of them in all.
const FIGURES: usize = 34;
/// What stands where the record says nothing.
const UNKNOWN: &str = "unknown";

/// The parts of a mirror that are compared, each for itself.
pub(super) const APPROVAL: &str = "approval";
pub(super) const PROPERTIES: &str = "properties";
pub(super) const LIFE_CYCLE: &str = "life-cycle";
pub(super) const CARD: &str = "card";
pub(super) const METRICS: &str = "metrics";

/// All that is said of a version.
pub(super) struct Wanted {
    pub(super) label: Label,
    pub(super) birth: Birth,
    /// The name of the object with its figures, if objects are in S3, and its bytes.
    pub(super) statistics: Option<(String, Vec<u8>)>,
}

impl Wanted {
    /// The version as the record has it; `group` is its group, and `address` says where an object is for others.
    pub(super) fn of(
        engine: &Engine,
        (model, version): (&Model, &Version),
        group: &str,
        address: Option<&dyn Fn(&str) -> String>,
    ) -> Result<Self, Failure> {
        let number = version.version;
        let whole = format!("log entry {}", evidence(version).0);
        let commit = &version.registration.code.git_commit;
        let object = format!("mirror/{}/{number}/statistics.json", group.to_lowercase());
        let card = Card { content: engine.package_card(&model.name, number)?, status: card_status(version) };
        Ok(Self {
            birth: Birth {
                description: fitted(&format!("version {number} of {}", model.name), SENTENCE, &whole),
                commit: commit.as_ref().map(|commit| fitted(commit, SENTENCE, &whole)),
                statistics: address.map(|address| address(&object)),
            },
            label: Label {
                status: approval(version),
                why: fitted(&why(version), SENTENCE, &whole),
                properties: properties(model, version),
                life_cycle: life_cycle(version, &whole),
                card,
            },
            statistics: address.map(|_| (object, statistics(model, version))),
        })
    }

    /// The digests of what is to be there.
    pub(super) fn parts(&self) -> Parts {
        let Label { status, why, properties, life_cycle, card } = &self.label;
        let mut parts = said((*status, why), properties, Some(life_cycle), Some(card));
        parts.extend(self.statistics.as_ref().map(|(_, bytes)| (METRICS.to_owned(), Digest::of(bytes))));
        parts
    }
}

/// The digests of what is there; `statistics` is the object with the figures, if it was read and is there.
pub(super) fn there(package: &Package, statistics: Option<&[u8]>) -> Parts {
    let Package { status, why, properties, life_cycle, card, .. } = package;
    let mut parts = said((*status, why), properties, life_cycle.as_ref(), card.as_ref());
    parts.extend(statistics.map(|bytes| (METRICS.to_owned(), Digest::of(bytes))));
    parts
}

fn said(
    approval: (ApprovalStatus, &str),
    properties: &BTreeMap<String, String>,
    life_cycle: Option<&LifeCycle>,
    card: Option<&Card>,
) -> Parts {
    let digest = |value: Value| Digest::of(value.to_string().as_bytes());
    // A card is JSON, which comes back as it was given; that it is the same is not left to its spaces.
    let content = |card: &Card| serde_json::from_str(&card.content).unwrap_or_else(|_| json!(card.content));
    let mut parts = Parts::from([
        (APPROVAL.to_owned(), digest(json!(approval))),
        (PROPERTIES.to_owned(), digest(json!(properties))),
    ]);
    parts.extend(life_cycle.map(|of| (LIFE_CYCLE.to_owned(), digest(json!(of)))));
    parts.extend(card.map(|card| (CARD.to_owned(), digest(json!([card.status, content(card)])))));
    parts
}

/// Whether a version may be deployed, in SageMaker's words.
fn approval(version: &Version) -> ApprovalStatus {
    match (version.is_approved(), version.status.is_refused() || version.quarantined().is_some()) {
        (true, _) => ApprovalStatus::Approved,
        (_, true) => ApprovalStatus::Rejected,
        _ => ApprovalStatus::PendingManualApproval,
    }
}

/// Where a version is in its life, or that nobody may use it.
pub(super) fn status(version: &Version) -> String {
    let held = version.quarantined().map(|_| "in quarantine".to_owned());
    held.unwrap_or_else(|| version.status.to_string())
}

/// The entry on which the newest word about a version rests, and the digest of what it says.
fn evidence(version: &Version) -> (String, String) {
    let registration = &version.registration;
    let results = || version.results_digest().unwrap_or(registration.artefact);
    // What was signed before a quarantine no longer holds.
    let held = version.quarantines.iter().rev().find_map(|last| last.entries().last());
    let signed = version.signature.as_ref().map(|(_, _, entry)| entry.index());
    if let Some(entry) = held.filter(|held| signed.is_none_or(|signed| signed < held.index())) {
        return (entry.to_string(), results().to_string());
    }
    let (entry, digest) = match (&version.signature, &version.validation) {
        (Some((bundle, _, entry)), _) => (entry, *bundle),
        (None, Some((_, entry))) => (entry, results()),
        (None, None) => (&version.registered_by, registration.artefact),
    };
    (entry.to_string(), digest.to_string())
}

fn why(version: &Version) -> String {
    if let Some(held) = version.quarantined() {
        let (entry, digest) = evidence(version);
        let (by, time, reason) = (&held.by, held.time, &held.reason);
        return format!(
            "wardmote: in quarantine since {time}, put there by {by}; digest {digest}; evidence {entry}: {reason}"
        );
    }
    let counts = version.approvals.iter().filter(|given| given.revoked.is_none());
    let approvers: Vec<String> = counts.map(|given| given.approver.id.to_string()).collect();
    let by = if approvers.is_empty() { String::new() } else { format!(" by {}", approvers.join(", ")) };
    let (entry, digest) = evidence(version);
    format!("wardmote: {}{by}; digest {digest}; evidence {entry}", version.status)
}

fn life_cycle(version: &Version, whole: &str) -> LifeCycle {
    let (stage, stage_status) = match version.status {
        _ if version.quarantined().is_some() => ("Development", "InQuarantine"),
        Status::Candidate => ("Development", "Registered"),
        Status::Failed => ("Development", "FailedGate"),
        Status::Validated => ("Development", "PendingApproval"),
        Status::Rejected => ("Development", "Rejected"),
        Status::RolledBack => ("Development", "RolledBack"),
        Status::Approved => ("Staging", "Approved"),
        Status::Superseded => ("Staging", "Superseded"),
        Status::Deployed if version.is_approved() => ("Production", "InService"),
        Status::Deployed => ("Production", "InServiceWithoutApproval"),
        Status::Retired => ("Retired", "OutOfUse"),
    };
    let sentence = format!("wardmote: {}; {whole}", status(version));
    LifeCycle {
        stage: stage.to_owned(),
        stage_status: stage_status.to_owned(),
        stage_description: fitted(&sentence, SENTENCE, whole),
    }
}

fn card_status(version: &Version) -> CardStatus {
    match version.status {
        Status::Retired => CardStatus::Archived,
        _ if version.is_approved() => CardStatus::Approved,
        _ if version.quarantined().is_some() => CardStatus::PendingReview,
        Status::Validated => CardStatus::PendingReview,
        _ => CardStatus::Draft,
    }
}

/// What was measured of a version, or else what is claimed; which of both; and the entry.
fn figures(version: &Version) -> (&BTreeMap<String, f64>, &'static str, String) {
    match &version.validation {
        Some((report, entry)) if report.claimed_by_run.is_some() => {
            (&report.metrics, "claimed", entry.to_string())
        }
        Some((report, entry)) => (&report.metrics, "measured", entry.to_string()),
        None => (&version.registration.claimed_metrics, "claimed", version.registered_by.to_string()),
    }
}

/// SageMaker takes letters, digits, spaces and `_.:/=+-@` in properties, and no empty ones.
fn is_property(name: &str, value: &str) -> bool {
    let proper = |text: &str, most: usize| {
        (1..=most).contains(&text.len())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || " _.:/=+-@".contains(c))
    };
    proper(name, PROPERTY.0) && proper(value, PROPERTY.1)
}

fn properties(model: &Model, version: &Version) -> BTreeMap<String, String> {
    let registration = &version.registration;
    let (entry, digest) = evidence(version);
    let or_unknown = |text: Option<String>| text.unwrap_or_else(|| UNKNOWN.to_owned());
    let approved = version.approvals.iter().rev().find(|given| given.revoked.is_none());
    let charter = approved.map(|given| given.charter);
    let charter = charter.or(version.validation.as_ref().map(|(report, _)| report.charter));
    let separation = match (version.own_work().next(), version.is_approved()) {
        (Some(_), _) => "not achieved",
        (None, true) => "achieved",
        (None, false) => "not decided",
    };
    let tier = match model.risk_tier {
        RiskTier::Minimal => "minimal",
        RiskTier::Limited => "limited",
        RiskTier::High => "high",
    };
    let (figures, basis, said_by) = figures(version);
    let fixed = [
        ("version", version.version.to_string()),
        ("artefact", registration.artefact.to_string()),
        ("status", status(version)),
        ("evidence", entry),
        ("evidence-digest", digest),
        ("snapshot", or_unknown(registration.snapshot().map(ToString::to_string))),
        ("commit", or_unknown(registration.code.git_commit.clone())),
        ("charter", or_unknown(charter.map(|digest| digest.to_string()))),
        ("separation", separation.to_owned()),
        ("risk-tier", tier.to_owned()),
    ];
    let mut all: BTreeMap<String, String> =
        fixed.into_iter().map(|(name, value)| (format!("wardmote:{name}"), value)).collect();
    if registration.code.git_commit.is_some() && registration.code.dirty {
        all.insert("wardmote:code".to_owned(), "with changes that are in no commit".to_owned());
    }
    // A value that SageMaker would refuse is in the log, and the property says where.
    for (name, value) in &mut all {
        if !is_property(name, value) {
            *value = format!("not writable here - see log entry {}", version.registered_by);
        }
    }
    all.extend(figure_properties(figures, basis, &said_by));
    all
}

/// As many figures as there is room for, and how many there are in all.
fn figure_properties(
    figures: &BTreeMap<String, f64>,
    basis: &str,
    said_by: &str,
) -> BTreeMap<String, String> {
    let named = figures.iter().map(|(name, value)| (format!("{basis}:{name}"), value.to_string()));
    let mut shown: BTreeMap<String, String> =
        named.filter(|(name, value)| is_property(name, value)).take(FIGURES).collect();
    let count = match (figures.len(), shown.len()) {
        (0, _) => "none on record".to_owned(),
        (all, shown) if all == shown => format!("{all} {basis} - log entry {said_by}"),
        (all, shown) => format!("{shown} of {all} {basis} - all in log entry {said_by}"),
    };
    shown.insert("wardmote:metrics".to_owned(), count);
    shown
}

/// Figures as SageMaker Model Monitor writes statistics of model quality.
fn statistics(model: &Model, version: &Version) -> Vec<u8> {
    let (figures, basis, entry) = figures(version);
    let sort = if figures.contains_key("auc") { "binary_classification_metrics" } else { "metrics" };
    let value = |value: &f64| json!({ "value": value, "standard_deviation": "NaN" });
    let values: BTreeMap<&String, Value> = figures.iter().map(|(name, one)| (name, value(one))).collect();
    let report = version.validation.as_ref().map(|(report, _)| report);
    let text = json!({
        "version": 0.0,
        "dataset": { "item_count": report.map(|report| report.rows) },
        sort: values,
        "wardmote": {
            "model": model.name, "version": version.version, "artefact": version.registration.artefact,
            "basis": basis, "snapshot": report.map(|report| &report.snapshot), "evidence": entry,
        },
    });
    format!("{text:#}\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names as nobody should give them, and enough of them for every limit.
    fn names(seed: u64, count: usize) -> Vec<String> {
        let letters: Vec<char> = "abc019 _.:/=+-@,;{}\u{fc}\u{6a21}\n".chars().collect();
        let mut state = seed;
        let mut random = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap() % below
        };
        (0..count)
            .map(|_| {
                let length = [0, 1, 8, 20, 117, 118, 119, 200][random(8)];
                (0..length).map(|_| letters[random(letters.len())]).collect()
            })
            .collect()
    }

    #[test]
    fn figures_stay_within_what_sagemaker_takes_and_none_is_lost_without_a_word() {
        for seed in 0..200 {
            let count = usize::try_from(seed % 60).unwrap();
            let figures: BTreeMap<String, f64> = names(seed, count)
                .into_iter()
                .chain([format!("auc{seed}")])
                .map(|name| (name, 0.1 + 0.2))
                .collect();
            let properties = figure_properties(&figures, "measured", "e12-0123456789ab");
            assert!(properties.len() <= FIGURES + 1);
            assert!(properties.iter().all(|(name, value)| is_property(name, value)), "{properties:?}");
            let said = &properties["wardmote:metrics"];
            let shown = properties.len() - 1;
            let expected = if shown == figures.len() {
                format!("{shown} measured")
            } else {
                format!("{shown} of {} measured", figures.len())
            };
            assert!(said.starts_with(&expected), "{said}");
            for (name, value) in &properties {
                let Some(name) = name.strip_prefix("measured:") else { continue };
                assert_eq!(value.parse::<f64>().unwrap().to_bits(), figures[name].to_bits());
            }
        }
    }

    #[test]
    fn nothing_empty_and_nothing_too_long_is_a_property() {
        assert!(is_property(&"n".repeat(128), &"v".repeat(256)));
        assert!(!is_property(&"n".repeat(129), "v") && !is_property("n", &"v".repeat(257)));
        assert!(!is_property("n", "") && !is_property("", "v") && !is_property("n", "a,b"));
    }
}
