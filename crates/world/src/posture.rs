//! Where changes of an account are told, and where verdicts about it are told on.

use crate::PortError;
use serde_json::Value;

/// A message of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Its id.
    pub id: String,
    /// By what it is taken from the queue.
    pub receipt: String,
    /// What it says.
    pub body: String,
    /// How often it was given out, this time included.
    pub received: u32,
}

/// A queue that gives out every message at least once, and again until it is taken from it.
pub trait Queue: Send + Sync {
    /// Some messages, or none after so many seconds.
    fn receive(&self, wait_seconds: u32) -> Result<Vec<Letter>, PortError>;

    /// Takes messages from the queue. Twice is as once.
    fn delete(&self, letters: &[&Letter]) -> Result<(), PortError>;
}

/// Somebody who keeps findings, in the form of AWS Security Hub (ASFF).
pub trait FindingsHub: Send + Sync {
    /// The active findings that are ours, of one account.
    fn known(&self, account: &str) -> Result<Vec<Value>, PortError>;

    /// Writes findings, new and known ones. Gives back those that were not taken: the id, and why.
    fn import(&self, findings: &[Value]) -> Result<Vec<(String, String)>, PortError>;

    /// The account and region for which findings are written: the ARN of the product.
    fn product(&self, account: &str) -> Result<String, PortError>;
}

/// What a rule of AWS Config is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// The type of the resource.
    pub kind: String,
    /// The resource, by the id that Config has for it.
    pub id: String,
    /// Whether it is as it should be; nothing if the rule does not concern it.
    pub compliant: Option<bool>,
    /// Why, in at most 256 letters.
    pub note: String,
    /// As of when, RFC 3339.
    pub time: String,
}

/// Somebody who asked by a token and waits for the answers.
pub trait RuleAnswers: Send + Sync {
    /// Gives the answers. Twice is as once.
    fn answer(&self, token: &str, evaluations: &[Evaluation]) -> Result<(), PortError>;
}
