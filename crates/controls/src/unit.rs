//! One control: what it is called, what it concerns, how it is checked, and the four files that describe and hold it.

use crate::answer::Answer;
use crate::policies::Policies;
use crate::resource::{Estate, Resource};
use serde::Serialize;
use std::fmt;

/// How bad it is if a control is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Somebody should know.
    Low,
    /// It weakens a protection.
    Medium,
    /// It takes a protection away.
    High,
    /// It lets the world in, or loses what cannot be had again.
    Critical,
}

impl Severity {
    /// All, from the least.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Critical];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The severity of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.name() == name)
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a check is asked: a resource among the others.
pub(crate) struct Case<'a> {
    pub(crate) estate: &'a Estate,
    pub(crate) resource: &'a Resource,
    /// The policies that were read in this scan.
    pub(crate) read: &'a Policies,
}

/// What a control is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// The resource alone.
    Single,
    /// The resource and others that it belongs with.
    Cross,
}

/// A control as the table holds it.
pub(crate) struct Unit {
    pub(crate) control: Control,
    pub(crate) check: fn(&Case<'_>) -> Answer,
}

/// A unit with the files of its folder; without them it does not compile.
macro_rules! unit {
    ($id:literal, $severity:ident, $reach:ident, $title:literal, $kinds:expr, $aliases:expr, $check:expr) => {
        $crate::unit::Unit {
            control: $crate::unit::Control {
                id: $id,
                title: $title,
                severity: $crate::unit::Severity::$severity,
                reach: $crate::unit::Reach::$reach,
                part_of: None,
                kinds: &$kinds,
                aliases: &$aliases,
                description: include_str!(concat!("../../controls/", $id, "/README.md")),
                holds: include_str!(concat!("../../controls/", $id, "/holds.yaml")),
                broken: include_str!(concat!("../../controls/", $id, "/broken.yaml")),
                unknown: include_str!(concat!("../../controls/", $id, "/unknown.yaml")),
            },
            check: $check,
        }
    };
}
pub(crate) use unit;

/// A part of a unit: a question of its own to those who ask for it, described and held by the files of the whole.
macro_rules! part {
    ($whole:literal, $name:literal, $severity:ident, $title:literal, $kinds:expr, $aliases:expr, $check:expr) => {
        $crate::unit::Unit {
            control: $crate::unit::Control {
                id: concat!($whole, ".", $name),
                title: $title,
                severity: $crate::unit::Severity::$severity,
                reach: $crate::unit::Reach::Single,
                part_of: Some($whole),
                kinds: &$kinds,
                aliases: &$aliases,
                description: include_str!(concat!("../../controls/", $whole, "/README.md")),
                holds: include_str!(concat!("../../controls/", $whole, "/holds.yaml")),
                broken: include_str!(concat!("../../controls/", $whole, "/broken.yaml")),
                unknown: include_str!(concat!("../../controls/", $whole, "/unknown.yaml")),
            },
            check: $check,
        }
    };
}
pub(crate) use part;

/// What is known of a control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Control {
    /// Its id, stable.
    pub id: &'static str,
    /// What must be so, in one sentence.
    pub title: &'static str,
    /// How bad it is if it is not so.
    pub severity: Severity,
    /// Whether other resources are looked at.
    pub reach: Reach,
    /// The control that it is a part of, if it is one.
    pub part_of: Option<&'static str>,
    /// The types of resources that it concerns.
    pub kinds: &'static [&'static str],
    /// What others call it.
    pub aliases: &'static [&'static str],
    /// What, why, how to fix, what it cannot see, references; Markdown.
    pub description: &'static str,
    /// A template that it holds on.
    pub holds: &'static str,
    /// A template that breaks it.
    pub broken: &'static str,
    /// A template on which it cannot be decided.
    pub unknown: &'static str,
}
