//! Rules that customers write, beside the controls of ours.

use crate::framework::{Framework, Requirement};
use crate::unit::{Reach, Severity};

/// A rule of a customer.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its id.
    pub id: String,
    /// What must be so, in one sentence.
    pub title: String,
    /// How bad it is if it is not so.
    pub severity: Severity,
    /// Whether other resources are looked at.
    pub reach: Reach,
    /// The types of resources that it concerns.
    pub kinds: Vec<String>,
    /// What else it is called.
    pub aliases: Vec<String>,
    /// What, why, how to fix; Markdown.
    pub description: String,
    /// What of which framework it answers.
    pub answers: Vec<(&'static Framework, &'static Requirement)>,
}
