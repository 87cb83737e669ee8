//! The model card, in three forms made of one list of sections: Markdown with Hugging Face's front matter, a
//! self-contained HTML page, and SageMaker's model card JSON.

mod chart;
mod html;
mod markdown;
mod sagemaker;

pub(crate) use html::escape;
pub use html::to_html;
pub use markdown::to_markdown;
pub use sagemaker::{fitted, to_package_json, to_sagemaker_json};

use facts::EvidenceId;
use serde::{Deserialize, Serialize};

/// A fact and where it comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// What it is.
    pub name: String,
    /// What it says; none if nothing is recorded.
    pub value: Option<String>,
    /// The entry that says so.
    pub evidence: Option<EvidenceId>,
}

impl Fact {
    /// A fact with its evidence.
    pub fn new(name: impl Into<String>, value: impl Into<String>, evidence: Option<&EvidenceId>) -> Self {
        Self { name: name.into(), value: Some(value.into()), evidence: evidence.cloned() }
    }

    /// Something that nothing is recorded of.
    pub fn unknown(name: impl Into<String>) -> Self {
        Self { name: name.into(), value: None, evidence: None }
    }
}

/// A judged criterion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// The criterion, in words.
    pub criterion: String,
    /// What was measured.
    pub measured: Option<f64>,
    /// Whether it holds.
    pub holds: bool,
    /// The verdict, in words.
    pub verdict: String,
}

/// A point of a chart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// What the axis says.
    pub label: String,
    /// The number.
    pub value: f64,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When, as text.
    pub time: String,
    /// What, in words.
    pub what: String,
    /// The entry.
    pub evidence: EvidenceId,
}

/// Everything that a card shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelCard {
    /// The model.
    pub model: String,
    /// The version.
    pub version: u32,
    /// Where the version is in its life, in words.
    pub status: String,
    /// What it is for.
    pub purpose: String,
    /// `Minimal`, `Limited` or `High`.
    pub risk_tier: String,
    /// Who answers for it.
    pub owner: String,
    /// Whose it is.
    pub organisation: String,
    /// When the card was made.
    pub made: String,
    /// Data: snapshots and risk.
    pub data: Vec<Fact>,
    /// Training: code, parameters, artefact.
    pub training: Vec<Fact>,
    /// Validation, criterion by criterion.
    pub validation: Vec<Judged>,
    /// The entry of the validation.
    pub validated: Option<EvidenceId>,
    /// Everything that was measured: name and number.
    pub metrics: Vec<(String, f64)>,
    /// Approvals and signature.
    pub approvals: Vec<Fact>,
    /// Accuracy in production, window by window.
    pub accuracy: Vec<Point>,
    /// The threshold of the alert on accuracy, if there is one.
    pub accuracy_threshold: Option<f64>,
    /// What happened to the version.
    pub timeline: Vec<Event>,
    /// How long records are kept.
    pub retention: Vec<Fact>,
    /// Commands that check what the card says.
    pub verify: Vec<String>,
}

/// What stands where nothing is recorded.
pub(crate) const NO_EVIDENCE: &str = "no evidence recorded";
