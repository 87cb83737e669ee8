//! Documents from the record: the model card of a version.

use crate::record::{Fact as Recorded, Origin};
use crate::{Done, Engine, Error};
use charter::model::{Model, RiskTier};
use dossier::model_card::{self, Event, Fact, Judged, ModelCard, Point};
use facts::{Actor, Digest, DocumentKind, EvidenceId, GateId, ModelName};
use guard::Action;
use registry::{Version, VersionNumber};
use std::collections::BTreeMap;

/// The sort of document that a model card is.
pub(crate) const MODEL_CARD: &str = "model-card";

/// What the house makes itself, so that nobody else's file is taken for it.
const HOUSE_DOCUMENTS: [&str; 2] = [MODEL_CARD, "export"];

/// A document of an organisation about a version.
#[derive(Debug, Clone, serde::Serialize)]
pub struct DocumentOnRecord {
    /// The model.
    pub model: ModelName,
    /// The version.
    pub version: VersionNumber,
    /// What it is: `impact-assessment`.
    pub kind: DocumentKind,
    /// The name of the file.
    pub file: String,
    /// The digest of its bytes.
    pub digest: Digest,
}

/// Files about a version.
#[derive(Debug, Clone)]
pub struct CardFiles {
    /// The version that it is about.
    pub version: VersionNumber,
    /// File name and content.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Engine {
    /// Writes the card of a version; of the serving one if none is named, else of the latest.
    pub fn model_card(
        &mut self,
        actor: &Actor,
        name: &ModelName,
        number: Option<VersionNumber>,
    ) -> Result<Done<CardFiles>, Error> {
        let model = self.model(name)?.clone();
        let known = self.state.registry().model(name);
        let latest = known.and_then(|known| known.versions.last()).map(|version| version.version);
        let serving = known.and_then(|known| known.serving()).map(|stretch| stretch.version);
        let number = number.or(serving).or(latest).unwrap_or(VersionNumber(1));
        let version = self.version(name, number)?;
        let resource = self.version_resource(&model, number);
        self.authorise(actor, Action::DocumentWrite, &resource)?;
        let card = self.card_of(&model, &version)?;
        let stem = format!("{name}-v{number}");
        let files = BTreeMap::from([
            (format!("{stem}.html"), model_card::to_html(&card)),
            (format!("{stem}.md"), model_card::to_markdown(&card)),
            (format!("{stem}.sagemaker.json"), model_card::to_sagemaker_json(&card)),
        ]);
        let digests = files.iter().map(|(name, bytes)| (name.clone(), Digest::of(bytes))).collect();
        let fact = Recorded::DocumentMade {
            model: name.clone(),
            version: number,
            kind: MODEL_CARD.to_owned(),
            files: digests,
        };
        let evidence = self.record(vec![Self::done(actor, Action::DocumentWrite, &resource.name(), fact)])?;
        Ok(Done { answer: CardFiles { version: number, files }, evidence })
    }

    /// Puts a document of this organisation about a version on record: its name and the digest of its bytes. Whoever has the
    /// file can show later that it is the one; the house does not keep it.
    pub fn document(
        &mut self,
        actor: &Actor,
        (name, number): (&ModelName, VersionNumber),
        kind: &DocumentKind,
        (file, bytes): (&str, &[u8]),
    ) -> Result<Done<DocumentOnRecord>, Error> {
        let model = self.model(name)?.clone();
        self.version(name, number)?;
        if HOUSE_DOCUMENTS.contains(&kind.as_str()) {
            return Err(Error::input(format!("the house makes `{kind}` itself, and takes none"))
                .with_help(format!("`wardmote card {name} {number}` writes one")));
        }
        let resource = self.version_resource(&model, number);
        self.authorise(actor, Action::DocumentWrite, &resource)?;
        if bytes.is_empty() {
            return Err(Error::input(format!("`{file}` is empty, and no document")));
        }
        let digest = Digest::of(bytes);
        let fact = Recorded::DocumentMade {
            model: name.clone(),
            version: number,
            kind: kind.to_string(),
            files: BTreeMap::from([(file.to_owned(), digest)]),
        };
        let evidence = self.record(vec![Self::done(actor, Action::DocumentWrite, &resource.name(), fact)])?;
        let (model, version, kind) = (name.clone(), number, kind.clone());
        Ok(Done {
            answer: DocumentOnRecord { model, version, kind, file: file.to_owned(), digest },
            evidence,
        })
    }

    pub(crate) fn card_of(&self, model: &Model, version: &Version) -> Result<ModelCard, Error> {
        let charter = self.charter()?.charter();
        let validation = version.validation.as_ref();
        let days = |name: &str, days: u32| {
            Fact::new(name, format!("{days} days"), self.state.charters().last().map(|c| &c.evidence))
        };
        let reports =
            self.state.reports(&model.name).iter().filter(|report| report.what.version == version.version);
        let accuracy = reports.filter_map(|report| {
            let measured = report.what.measurements.get("model_accuracy")?;
            Some(Point { label: report.time.to_string()[11..19].to_owned(), value: measured.value })
        });
        Ok(ModelCard {
            model: model.name.to_string(),
            version: version.version.0,
            status: version.status.to_string(),
            purpose: model.purpose.clone(),
            risk_tier: match model.risk_tier {
                RiskTier::Minimal => "Minimal",
                RiskTier::Limited => "Limited",
                RiskTier::High => "High",
            }
            .to_owned(),
            owner: model.tags.owner.clone(),
            organisation: charter.organisation.name.clone(),
            made: self.now().to_string()[..16].replace('T', " ") + " UTC",
            data: self.data_facts(version),
            training: training_facts(version),
            validation: validation
                .map_or_else(Vec::new, |(report, _)| report.criteria.iter().map(judged).collect())
                .into_iter()
                .chain(asked_at(model).iter().filter_map(|gate| said_at(version, gate)))
                .collect(),
            validated: validation.map(|(_, evidence)| evidence.clone()),
            metrics: validation.map_or_else(Vec::new, |(report, _)| {
                report.metrics.iter().map(|(n, v)| (n.clone(), *v)).collect()
            }),
            approvals: approval_facts(version),
            accuracy: accuracy.collect(),
            accuracy_threshold: model
                .alerts
                .iter()
                .find(|rule| rule.metric.as_str() == "model_accuracy")
                .map(|rule| rule.threshold),
            timeline: self.timeline(model, version),
            retention: vec![
                days("captured traffic", model.retention.capture_days.get()),
                days("documents", model.retention.documents_days.get()),
            ],
            verify: vec![
                "wardmote verify".to_owned(),
                format!("wardmote model show {} {}", model.name, version.version),
                format!("wardmote history --model {}", model.name),
                format!("wardmote log --stream model/{}", model.name),
            ],
        })
    }

    /// The snapshot, and everything it was made from, back to the file.
    fn data_facts(&self, version: &Version) -> Vec<Fact> {
        let mut facts = Vec::new();
        let mut name = version.registration.snapshot().cloned();
        while let Some(recorded) = name.take().and_then(|name| self.state.snapshot(&name)) {
            let (snapshot, evidence) = (&recorded.what, Some(&recorded.evidence));
            let text = format!("{}: {} rows, {}", snapshot.name, snapshot.rows, snapshot.digest.short());
            facts.push(Fact::new("snapshot", text, evidence));
            name = match &snapshot.origin {
                Origin::File { file } => {
                    facts.push(Fact::new("imported from", format!("{file}, by {}", recorded.by), evidence));
                    None
                }
                Origin::Pseudonymised { source, risk, .. } => {
                    let line = |risk: &privacy::risk::Risk| {
                        format!("k = {}, {:.1} % unique", risk.k, risk.unique_share * 100.0)
                    };
                    facts.push(Fact::new("pseudonymised by", recorded.by.to_string(), evidence));
                    facts.push(Fact::new("re-identification risk before", line(&risk.before), evidence));
                    facts.push(Fact::new("re-identification risk after", line(&risk.after), evidence));
                    Some(source.clone())
                }
                Origin::Feedback { base, labelled_requests, .. } => {
                    facts.push(Fact::new(
                        "joined by",
                        format!("{labelled_requests} labelled requests from production"),
                        evidence,
                    ));
                    Some(base.clone())
                }
            };
        }
        facts
    }

    fn timeline(&self, model: &Model, version: &Version) -> Vec<Event> {
        let mut events: Vec<(EvidenceId, String, String)> =
            vec![(version.registered_by.clone(), version.registered.to_string(), "registered".to_owned())];
        for given in &version.approvals {
            let what = format!("approved by {} as {}", given.approver.id, given.role);
            events.push((given.evidence.clone(), given.time.to_string(), what));
        }
        for held in &version.quarantines {
            let what = format!("put in quarantine by {}: {}", held.by, held.reason);
            events.push((held.evidence.clone(), held.time.to_string(), what));
            events.extend(held.released.iter().map(|out| {
                let what = format!("let out of quarantine by {}: {}", out.by, out.finding);
                (out.evidence.clone(), out.time.to_string(), what)
            }));
        }
        let stretches =
            self.state.registry().model(&model.name).map_or(&[] as &[_], |known| &known.stretches);
        for (at, stretch) in
            stretches.iter().enumerate().filter(|(_, stretch)| stretch.version == version.version)
        {
            let how = match (&stretch.broken_glass, stretch.rolled_back) {
                (Some(_), _) => "deployed WITHOUT approvals, in an emergency,",
                (None, true) => "put back by a rollback",
                (None, false) => "deployed",
            };
            events.push((
                stretch.evidence.clone(),
                stretch.since.to_string(),
                format!("{how} at {}", stretch.endpoint),
            ));
            if let Some(next) = stretches.get(at + 1) {
                let how = if next.rolled_back { "taken back, in favour of" } else { "superseded by" };
                events.push((
                    next.evidence.clone(),
                    next.since.to_string(),
                    format!("{how} version {}", next.version),
                ));
            }
        }
        for alert in self.state.alerts(&model.name) {
            let during = stretches.iter().any(|stretch| {
                stretch.version == version.version
                    && stretch.since <= alert.time
                    && stretch.until.is_none_or(|until| alert.time <= until)
            });
            if during {
                events.push((
                    alert.evidence.clone(),
                    alert.time.to_string(),
                    format!("alert: {}", alert.what.sentence),
                ));
            }
        }
        events.sort();
        let event = |(evidence, time, what): (EvidenceId, String, String)| Event {
            time: time[..19].replace('T', " "),
            what,
            evidence,
        };
        events.into_iter().map(event).collect()
    }
}

fn judged(result: &registry::CriterionResult) -> Judged {
    Judged {
        criterion: result.criterion.to_string(),
        measured: result.measured,
        holds: result.verdict.passes(),
        verdict: result.verdict.to_string(),
    }
}

/// The gates of a model, the house's own first.
fn asked_at(model: &Model) -> Vec<GateId> {
    let compared = model.acceptance.iter().any(|one| one.against_incumbent.is_some());
    let own = compared.then(GateId::incumbent);
    own.into_iter().chain(model.gates.iter().map(|gate| gate.id.clone())).collect()
}

/// What the program at a gate said last.
fn said_at(version: &Version, gate: &GateId) -> Option<Judged> {
    let (result, _) = version.gates.iter().rev().find(|(result, _)| result.gate == *gate)?;
    Some(Judged {
        criterion: format!("gate {gate}, at {}", result.stage),
        measured: None,
        holds: result.opens(),
        verdict: format!("{}{}", result.verdict, compared(result)),
    })
}

/// With what a version was compared, in words.
fn compared(result: &registry::GateResult) -> String {
    result.incumbent.as_ref().map_or_else(String::new, |with| format!("; {with}"))
}

fn training_facts(version: &Version) -> Vec<Fact> {
    let r = &version.registration;
    let evidence = Some(&version.registered_by);
    let mut facts = vec![Fact::new("artefact", format!("{} ({} bytes)", r.artefact, r.size_bytes), evidence)];
    facts.push(match &r.code.git_commit {
        Some(commit) if r.code.dirty => {
            Fact::new("code", format!("{commit}, with changes that are in no commit"), evidence)
        }
        Some(commit) => Fact::new("code", commit.clone(), evidence),
        None => Fact::unknown("code"),
    });
    let locks = r.environment.lock_files.iter();
    facts.extend(
        locks.map(|(path, digest)| Fact::new(format!("lock file {path}"), digest.to_string(), evidence)),
    );
    if let Some(image) = &r.environment.image {
        facts.push(Fact::new("container image, as claimed", image.clone(), evidence));
    }
    facts.extend(
        r.hyperparameters
            .iter()
            .map(|(name, value)| Fact::new(format!("parameter {name}"), value.clone(), evidence)),
    );
    facts.extend(
        r.involved
            .iter()
            .map(|hand| Fact::new("involved", format!("{} {}", hand.person, hand.how), evidence)),
    );
    facts
}

/// What a reader of an approval must know beside who and when.
fn remarks(given: &registry::ApprovalGiven) -> String {
    let signed =
        if given.signed.is_some() { ", signed with their own key" } else { ", not signed by the approver" };
    let revoked =
        given.revoked.as_ref().map(|revoked| format!("; taken back on {}: {}", revoked.time, revoked.reason));
    let own_work = given.own_work.as_ref().map(|own| format!("; {own}"));
    signed.to_owned() + &own_work.unwrap_or_default() + &revoked.unwrap_or_default()
}

fn approval_facts(version: &Version) -> Vec<Fact> {
    let mut facts: Vec<Fact> = version
        .approvals
        .iter()
        .map(|given| {
            Fact::new(
                given.approver.id.to_string(),
                format!("as {} on {}{}", given.role, given.time, remarks(given)),
                Some(&given.evidence),
            )
        })
        .collect();
    if let Some((digest, _, evidence)) = &version.signature {
        facts.push(Fact::new("signature", digest.to_string(), Some(evidence)));
    }
    if let Some(held) = version.quarantined() {
        facts.push(Fact::new("IN QUARANTINE", format!("nobody may use it: {held}"), Some(&held.evidence)));
    }
    facts
}
