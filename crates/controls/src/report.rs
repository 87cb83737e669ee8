//! What a scan found: one finding for each control and each resource that it concerns.

use crate::about::About;
use crate::answer::{Answer, Evidence};
use crate::checks::units;
use crate::customer::{Asking, Rule};
use crate::live::every;
use crate::node::Place;
use crate::policies::Policies;
use crate::resource::{Estate, Resource, Source};
use crate::selection::Selection;
use crate::unit::{Case, Severity, Unit};
use crate::waiver::Waiver;
use facts::Verdict;
use serde::{Serialize, Serializer};
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;

/// One control on one resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// What was asked: the control or rule, with its aliases and severity.
    pub about: About,
    /// Of what.
    pub subject: Arc<Subject>,
    /// What was found.
    pub verdict: Verdict,
    /// By what.
    pub evidence: Vec<Evidence>,
    /// Why it may stay so for a while, if somebody said so.
    pub waiver: Option<Box<Waiver>>,
}

/// The resource that a finding is about. All findings about it share it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Its type.
    pub kind: String,
    /// Its logical id, its address in a plan, or what its account calls it.
    pub id: String,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// What else of a plan it was put together from, by address.
    pub parts: Vec<String>,
    /// Where it begins.
    pub at: Place,
    /// The account that it is in, if that is known.
    pub account: Option<String>,
    /// The region that it is in, if that is known.
    pub region: Option<String>,
}

impl Subject {
    pub(crate) fn of(resource: &Resource) -> Arc<Self> {
        Arc::new(Self {
            kind: resource.kind.clone(),
            id: resource.known_as().to_owned(),
            name: resource.name().map(ToOwned::to_owned),
            parts: resource.parts.clone(),
            at: resource.at,
            account: resource.account.clone(),
            region: resource.region.clone(),
        })
    }
}

impl Finding {
    /// The id of the control.
    #[must_use]
    pub fn control(&self) -> &str {
        self.about.id()
    }

    /// Where the decisive thing stands.
    #[must_use]
    pub fn decisive(&self) -> Place {
        let last = self.evidence.iter().rev().find(|evidence| evidence.line > 0);
        last.map_or(self.subject.at, |evidence| Place { line: evidence.line, column: evidence.column })
    }

    /// The verdict in the words of the command line.
    #[must_use]
    pub fn word(&self) -> &'static str {
        word(&self.verdict)
    }

    /// The reason of the verdict, in one sentence; nothing if it holds.
    #[must_use]
    pub fn reason(&self) -> &str {
        reason(&self.verdict)
    }

    /// What was answered about a resource.
    fn new(about: About, subject: &Arc<Subject>, answer: Answer) -> Self {
        let Answer { verdict, evidence } = answer;
        Self { about, subject: Arc::clone(subject), verdict, evidence, waiver: None }
    }

    /// A rule concerns a type of which the source is silent: nothing is known of every resource of it.
    fn silent(rule: &Arc<Rule>, kind: &str, missing: String) -> Self {
        let (id, at) = (every(kind), Place::default());
        let said = Evidence::new(id.as_str().into(), String::new(), at, missing.clone());
        let kind = kind.to_owned();
        let subject = Subject { kind, id, name: None, parts: Vec::new(), at, account: None, region: None };
        let answer = Answer { verdict: Verdict::Unknown { missing }, evidence: vec![said] };
        Self::new(About::Rule(Arc::clone(rule)), &Arc::new(subject), answer)
    }

    /// The same of every selected type of which the source is silent.
    fn all_silent<'r: 'a, 'a>(rules: &Asking<'r, 'a>, selection: &Selection) -> impl Iterator<Item = Self> {
        let silent = rules.silent().into_iter().filter(|(_, kind, _)| selection.has_kind(kind));
        silent.map(|(rule, kind, missing)| Self::silent(rule, kind, missing))
    }
}

/// A verdict in the words of the command line.
pub(crate) fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Holds => "holds",
        Verdict::Broken { .. } => "broken",
        Verdict::Unknown { .. } => "unknown",
        Verdict::NotApplicable { .. } => "not_applicable",
    }
}

/// The reason of a verdict, in one sentence; nothing if it holds.
pub(crate) fn reason(verdict: &Verdict) -> &str {
    match verdict {
        Verdict::Holds => "",
        Verdict::Broken { reason } | Verdict::NotApplicable { reason } => reason,
        Verdict::Unknown { missing } => missing,
    }
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let missing: Vec<&str> = match &self.verdict {
            Verdict::Unknown { .. } if !self.evidence.is_empty() => {
                self.evidence.iter().map(|e| e.said.as_str()).collect()
            }
            Verdict::Unknown { missing } => vec![missing],
            _ => Vec::new(),
        };
        let subject = &self.subject;
        let value = json!({
            "control": self.control(),
            "title": self.about.title(),
            "aliases": self.about.aliases(),
            "partOf": self.about.part_of(),
            "resource": {"type": subject.kind, "id": subject.name.as_ref().unwrap_or(&subject.id), "logicalId": subject.id, "parts": subject.parts},
            "verdict": self.word(),
            "severity": self.about.severity(),
            "reason": self.reason(),
            "line": self.decisive().line,
            "evidence": self.evidence,
            "missing": missing,
            "waiver": self.waiver,
        });
        value.serialize(serializer)
    }
}

/// How many there are of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Summary {
    /// Resources looked at.
    pub resources: usize,
    /// Findings that hold.
    pub holds: usize,
    /// Findings that are broken.
    pub broken: usize,
    /// Findings that could not be decided.
    pub unknown: usize,
    /// Findings that do not concern their resource.
    pub not_applicable: usize,
}

impl Summary {
    fn count(&mut self, verdict: &Verdict) {
        match verdict {
            Verdict::Holds => self.holds += 1,
            Verdict::Broken { .. } => self.broken += 1,
            Verdict::Unknown { .. } => self.unknown += 1,
            Verdict::NotApplicable { .. } => self.not_applicable += 1,
        }
    }

    /// Counts these too.
    pub fn add(&mut self, more: Self) {
        self.resources += more.resources;
        self.holds += more.holds;
        self.broken += more.broken;
        self.unknown += more.unknown;
        self.not_applicable += more.not_applicable;
    }
}

/// Everything that a scan found.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    file: String,
    source: Source,
    findings: Vec<Finding>,
    summary: Summary,
    unread: Vec<String>,
}

impl Report {
    /// A report of nothing yet.
    pub(crate) fn empty(estate: &Estate) -> Self {
        let (file, unread, source) = (estate.file.clone(), estate.unread.clone(), estate.source());
        Self { file, source, findings: Vec::new(), summary: Summary::default(), unread }
    }

    /// Adds all that was found about one resource.
    pub(crate) fn put(&mut self, findings: impl Iterator<Item = Finding>) {
        self.summary.resources += 1;
        findings.for_each(|finding| self.add(finding));
    }

    fn add(&mut self, finding: Finding) {
        self.summary.count(&finding.verdict);
        self.findings.push(finding);
    }

    /// Adds what was found about types of which the source is silent.
    pub(crate) fn put_silent(&mut self, findings: impl IntoIterator<Item = Finding>) {
        findings.into_iter().for_each(|finding| self.add(finding));
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Where its resources come from.
    #[must_use]
    pub fn source(&self) -> Source {
        self.source
    }

    /// What a finding is called wherever findings of many reports are kept. The type is in it where ids are names that
    /// resources of several types may have.
    #[must_use]
    pub fn uid(&self, finding: &Finding) -> String {
        let Subject { kind, id, .. } = &*finding.subject;
        match self.source {
            Source::File => format!("{}/{}/{id}", finding.control(), self.file),
            Source::Account | Source::House => format!("{}/{}/{kind}/{id}", finding.control(), self.file),
        }
    }

    /// All findings, in the order of the resources and then of the controls.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The findings without those that a finding of the whole control says again.
    pub fn wholes(&self) -> impl Iterator<Item = &Finding> {
        let mut asked: Vec<&str> = self.findings.iter().map(Finding::control).collect();
        asked.sort_unstable();
        asked.dedup();
        self.findings.iter().filter(move |finding| {
            finding.about.part_of().is_none_or(|whole| asked.binary_search(&whole).is_err())
        })
    }

    pub(crate) fn findings_mut(&mut self) -> &mut [Finding] {
        &mut self.findings
    }

    /// How many there are of each.
    #[must_use]
    pub fn summary(&self) -> Summary {
        self.summary
    }

    /// How many there are of each, parts not counted beside their whole.
    #[must_use]
    pub fn summary_of_wholes(&self) -> Summary {
        let mut sum = Summary { resources: self.summary.resources, ..Summary::default() };
        self.wholes().for_each(|finding| sum.count(&finding.verdict));
        sum
    }

    /// What of the file was not read.
    #[must_use]
    pub fn unread(&self) -> &[String] {
        &self.unread
    }

    /// The worst severity of what does not pass; what is unknown does not.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        self.findings
            .iter()
            .filter(|finding| !finding.verdict.passes())
            .map(|finding| finding.about.severity())
            .max()
    }
}

/// Asks every selected control, and rule, of every selected resource that it concerns.
#[must_use]
pub fn scan(estate: &Estate, selection: &Selection) -> Report {
    let mut report = Report::empty(estate);
    let read = Policies::default();
    let by_kind = units_by_kind(selection);
    let mut rules = Asking::new(estate, selection.rules());
    // Room for all of them at once: growing would copy them again and again.
    let of = |kind: &str| by_kind.get(kind).map_or(0, Vec::len) + rules.about(kind);
    report.findings.reserve(estate.resources().iter().map(|resource| of(&resource.kind)).sum());
    for resource in estate.resources() {
        if selection.has_resource(resource) {
            let subject = Subject::of(resource);
            let units = by_kind.get(resource.kind.as_str()).into_iter().flatten();
            let own = units.map(|unit| ask(&Case { estate, resource, read: &read }, &subject, unit));
            report.put(own);
            rules.of(resource, |rule, answer| {
                report.add(Finding::new(About::Rule(Arc::clone(rule)), &subject, answer));
            });
        }
    }
    report.put_silent(Finding::all_silent(&rules, selection));
    report
}

/// The selected controls, by the types that they concern.
pub(crate) fn units_by_kind(selection: &Selection) -> HashMap<&'static str, Vec<&'static Unit>> {
    let mut by_kind: HashMap<&str, Vec<&Unit>> = HashMap::new();
    for unit in units().filter(|unit| selection.has_control(&unit.control)) {
        unit.control.kinds.iter().for_each(|kind| by_kind.entry(kind).or_default().push(unit));
    }
    by_kind
}

/// Asks one control of one resource.
pub(crate) fn ask(case: &Case<'_>, subject: &Arc<Subject>, unit: &'static Unit) -> Finding {
    Finding::new(About::Control(&unit.control), subject, decided(case, unit.check))
}

/// What the rules of customers say.
#[derive(Debug, Default)]
pub(crate) struct Ruled {
    /// Of each resource, by its place.
    pub(crate) of: Vec<Vec<Finding>>,
    /// Of types of which the source is silent.
    pub(crate) silent: Vec<Finding>,
}

impl Ruled {
    /// Asks the selected rules of every selected resource that they concern.
    pub(crate) fn ask(estate: &Estate, selection: &Selection) -> Self {
        let mut ruled = Self::default();
        if selection.rules().next().is_none() {
            return ruled;
        }
        let mut rules = Asking::new(estate, selection.rules());
        for resource in estate.resources() {
            let mut own = Vec::new();
            if selection.has_resource(resource) {
                let subject = Subject::of(resource);
                rules.of(resource, |rule, answer| {
                    own.push(Finding::new(About::Rule(Arc::clone(rule)), &subject, answer));
                });
            }
            ruled.of.push(own);
        }
        ruled.silent = Finding::all_silent(&rules, selection).collect();
        ruled
    }

    /// All of them.
    pub(crate) fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.of.iter().flatten().chain(&self.silent)
    }
}

/// What a check answers counts only if it could see all that it looked for.
fn decided(case: &Case<'_>, check: fn(&Case<'_>) -> Answer) -> Answer {
    let answer = check(case);
    match (case.estate.missed(case.resource), &answer.verdict) {
        (None, _) | (_, Verdict::Unknown { .. }) => answer,
        (Some(missing), _) => Answer { verdict: Verdict::Unknown { missing }, ..answer },
    }
}
