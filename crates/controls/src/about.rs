//! What a finding is about: a control of ours, or a rule that a customer wrote. Both answer the same questions.

use crate::customer::Rule;
use crate::framework::{Framework, Requirement};
use crate::unit::{Control, Reach, Severity};
use std::sync::Arc;

/// What was asked of a resource. A copy costs nothing.
#[derive(Debug, Clone, PartialEq)]
pub enum About {
    /// A control of ours.
    Control(&'static Control),
    /// A rule of a customer.
    Rule(Arc<Rule>),
}

impl About {
    /// Its id, stable.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Control(control) => control.id,
            Self::Rule(rule) => &rule.id,
        }
    }

    /// What must be so, in one sentence.
    #[must_use]
    pub fn title(&self) -> &str {
        match self {
            Self::Control(control) => control.title,
            Self::Rule(rule) => &rule.title,
        }
    }

    /// How bad it is if it is not so.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self {
            Self::Control(control) => control.severity,
            Self::Rule(rule) => rule.severity,
        }
    }

    /// Whether other resources are looked at.
    #[must_use]
    pub fn reach(&self) -> Reach {
        match self {
            Self::Control(control) => control.reach,
            Self::Rule(rule) => rule.reach,
        }
    }

    /// The control that it is a part of, if it is one. Rules of customers have no parts.
    #[must_use]
    pub fn part_of(&self) -> Option<&str> {
        match self {
            Self::Control(control) => control.part_of,
            Self::Rule(_) => None,
        }
    }

    /// The types of resources that it concerns.
    #[must_use]
    pub fn kinds(&self) -> Vec<&str> {
        match self {
            Self::Control(control) => control.kinds.to_vec(),
            Self::Rule(rule) => rule.kinds.iter().map(String::as_str).collect(),
        }
    }

    /// What others call it.
    #[must_use]
    pub fn aliases(&self) -> Vec<&str> {
        match self {
            Self::Control(control) => control.aliases.to_vec(),
            Self::Rule(rule) => rule.aliases.iter().map(String::as_str).collect(),
        }
    }

    /// What, why, how to fix; Markdown.
    #[must_use]
    pub fn description(&self) -> &str {
        match self {
            Self::Control(control) => control.description,
            Self::Rule(rule) => &rule.description,
        }
    }

    /// What of which framework it answers.
    #[must_use]
    pub fn answers(&self) -> Vec<(&'static Framework, &'static Requirement)> {
        match self {
            Self::Control(control) => control.answers().collect(),
            Self::Rule(rule) => rule.answers.clone(),
        }
    }
}

impl From<&'static Control> for About {
    fn from(control: &'static Control) -> Self {
        Self::Control(control)
    }
}
