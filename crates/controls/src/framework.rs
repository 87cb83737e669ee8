//! Frameworks: which requirement of which law or standard a control answers. Dated data with sources, in `frameworks/`.

use crate::checks::controls;
use crate::unit::Control;
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// A law or a standard, as of a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Framework {
    /// Its short name.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// Where its text is.
    pub source: String,
    /// The day of that text.
    pub as_of: String,
    /// What it asks for.
    pub requirements: Vec<Requirement>,
}

/// Something that a framework asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// Its article or number.
    pub id: String,
    /// What it is about, in our words.
    pub title: String,
    /// The controls that answer it, by id.
    #[serde(default)]
    pub controls: Vec<String>,
    /// Why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_control: Option<String>,
}

const FILES: [&str; 7] = [
    include_str!("../frameworks/gdpr.json"),
    include_str!("../frameworks/eu-ai-act.json"),
    include_str!("../frameworks/iso-42001.json"),
    include_str!("../frameworks/nist-ai-rmf.json"),
    include_str!("../frameworks/nist-800-53.json"),
    include_str!("../frameworks/sr-26-2.json"),
    include_str!("../frameworks/security-hub-ai.json"),
];

/// That each file can be read is held by a test.
static ALL: LazyLock<Vec<Framework>> =
    LazyLock::new(|| FILES.iter().filter_map(|text| serde_json::from_str(text).ok()).collect());

/// All frameworks.
#[must_use]
pub fn frameworks() -> &'static [Framework] {
    &ALL
}

/// The framework of this name, in any case.
#[must_use]
pub fn framework_named(name: &str) -> Option<&'static Framework> {
    ALL.iter().find(|framework| framework.id.eq_ignore_ascii_case(name))
}

impl Framework {
    /// The controls that answer something of it, in the order of the table.
    pub fn controls(&self) -> impl Iterator<Item = &'static Control> {
        controls().filter(|control| self.asks_for(control.id))
    }

    fn asks_for(&self, id: &str) -> bool {
        self.requirements.iter().any(|requirement| requirement.controls.iter().any(|other| other == id))
    }
}

impl Control {
    /// What of which framework it answers.
    pub fn answers(&self) -> impl Iterator<Item = (&'static Framework, &'static Requirement)> {
        let id = self.id;
        let all = ALL
            .iter()
            .flat_map(|framework| framework.requirements.iter().map(move |asked| (framework, asked)));
        all.filter(move |(_, asked)| asked.controls.iter().any(|other| other == id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_file_is_a_framework_with_source_and_date() {
        assert_eq!(frameworks().len(), FILES.len());
        for framework in frameworks() {
            let dated: Vec<usize> = framework.as_of.split('-').map(str::len).collect();
            assert_eq!(dated, [4, 2, 2], "{}", framework.id);
            assert!(framework.source.len() > 20 && !framework.requirements.is_empty(), "{}", framework.id);
        }
    }

    #[test]
    fn what_a_framework_names_exists_and_what_has_no_control_has_a_reason() {
        let ids: HashSet<&str> = controls().map(|control| control.id).collect();
        for framework in frameworks() {
            let mut seen = HashSet::new();
            for asked in &framework.requirements {
                assert!(seen.insert(&asked.id), "{} {} twice", framework.id, asked.id);
                for control in &asked.controls {
                    assert!(ids.contains(control.as_str()), "{} {}: {control}", framework.id, asked.id);
                }
                let mut each = HashSet::new();
                assert!(
                    asked.controls.iter().all(|id| each.insert(id)),
                    "{} {}: twice",
                    framework.id,
                    asked.id
                );
                let reason = asked.no_control.as_deref().is_some_and(|reason| reason.len() > 20);
                assert_eq!(asked.controls.is_empty(), reason, "{} {}", framework.id, asked.id);
            }
        }
    }

    #[test]
    fn every_control_answers_something() {
        for control in controls().filter(|control| control.part_of.is_none()) {
            assert!(control.answers().next().is_some(), "{} answers nothing", control.id);
        }
    }

    #[test]
    fn all_of_security_hubs_standard_for_ai_is_there_by_its_own_names() {
        let standard = framework_named("Security-Hub-AI").unwrap();
        assert_eq!(standard.requirements.len(), 31);
        let services = ["SageMaker.", "Bedrock.", "BedrockAgentCore."];
        for control in controls() {
            for alias in control.aliases.iter().filter(|alias| services.iter().any(|s| alias.starts_with(s)))
            {
                let asked = standard.requirements.iter().find(|asked| asked.id == **alias);
                let named = asked.is_some_and(|asked| asked.controls.iter().any(|id| id == control.id));
                assert!(named, "{alias} of {}", control.id);
            }
        }
        for asked in &standard.requirements {
            let by_alias =
                |id: &String| controls().any(|c| c.id == id && c.aliases.contains(&asked.id.as_str()));
            assert!(asked.controls.iter().all(by_alias), "{}", asked.id);
        }
    }
}
