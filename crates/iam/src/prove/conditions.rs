//! Conditions of our own, and which keys policies ask about at all: about other keys nothing needs to be said.

use super::problem::{Formula, Piece, Pieces};
use crate::eval::{Clause, Comparand, Program, ResourcePattern, ResourceTest};
use crate::policy::{Condition, Operator, Test, Version};
use crate::text::{Span, Spanned};
use crate::value::{Atom, Template};
use std::collections::BTreeSet;

/// The context keys that some policies ask about, in conditions or by variables; in lower case.
#[derive(Debug, Default)]
pub(super) struct Asked(BTreeSet<Box<str>>);

impl Asked {
    pub(super) fn by(programs: &[&Program]) -> Self {
        let mut keys = BTreeSet::new();
        for statement in programs.iter().flat_map(|program| &program.statements) {
            for clause in &statement.conditions {
                keys.insert(clause.key.clone());
                keys.extend(clause.values.iter().flat_map(templates_of_value).flat_map(variables_of));
            }
            keys.extend(statement.resource.iter().flat_map(templates_of_resource).flat_map(variables_of));
        }
        Self(keys)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.0.contains(key)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|key| &**key)
    }
}

/// The templates of a resource element.
pub(super) fn templates_of_resource(test: &ResourceTest) -> Vec<&Template> {
    let arns = test.patterns.iter().filter_map(|pattern| match pattern {
        ResourcePattern::Arn(arn) => Some(arn),
        _ => None,
    });
    arns.flat_map(|arn| arn.fields.iter()).collect()
}

/// The templates of a listed value.
pub(super) fn templates_of_value(value: &Comparand) -> Vec<&Template> {
    match value {
        Comparand::Text(template) => vec![template],
        Comparand::Arn(arn) => arn.fields.iter().collect(),
        _ => Vec::new(),
    }
}

/// The keys that stand in variables of a template.
pub(super) fn variables_of(template: &Template) -> impl Iterator<Item = Box<str>> {
    template.atoms.iter().filter_map(|atom| match atom {
        Atom::Variable { key, .. } => Some(key.clone()),
        _ => None,
    })
}

/// The texts that policies list for a key, as they are written.
pub(super) fn listed<'p>(programs: &'p [&Program], key: &'p str) -> impl Iterator<Item = &'p str> {
    let statements = programs.iter().flat_map(|program| &program.source().statements);
    let about = statements.flat_map(|s| &s.conditions).filter(|c| c.key.text.eq_ignore_ascii_case(key));
    about.flat_map(|condition| &condition.values).map(|value| value.text.as_str())
}

/// A condition of our own.
pub(super) fn condition<T: AsRef<str>>(
    pieces: &mut Pieces,
    operator: &str,
    key: &str,
    values: &[T],
) -> Formula {
    let spanned = |text: &str| Spanned { text: text.to_owned(), span: Span::default() };
    let fallback =
        Test { operator: Operator::StringEquals, inverted: true, if_exists: true, quantifier: None };
    let condition = Condition {
        operator: spanned(operator),
        test: Some(Test::named(operator).unwrap_or(fallback)),
        key: spanned(key),
        values: values.iter().map(|value| spanned(value.as_ref())).collect(),
    };
    match Clause::new(&condition, Version::V2008) {
        Some(clause) => pieces.piece(Piece::Condition(clause)),
        None => Formula::always(),
    }
}

/// What is said of keys that somebody asks about. Of others nothing is said, so that formulas stay small.
pub(super) struct Sayings<'p> {
    pub(super) pieces: &'p mut Pieces,
    pub(super) asked: &'p Asked,
}

impl Sayings<'_> {
    pub(super) fn say<T: AsRef<str>>(&mut self, operator: &str, key: &str, values: &[T]) -> Formula {
        if self.asked.has(key) { condition(self.pieces, operator, key, values) } else { Formula::always() }
    }

    pub(super) fn is(&mut self, key: &str, value: &str) -> Formula {
        self.say("StringEquals", key, &[value])
    }

    /// The key is there.
    pub(super) fn there(&mut self, key: &str) -> Formula {
        self.say("Null", key, &["false"])
    }

    /// The key is not there.
    pub(super) fn none(&mut self, key: &str) -> Formula {
        self.say("Null", key, &["true"])
    }
}
