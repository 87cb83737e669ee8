//! Three values in place of two: whether a statement matches when part of the request is not known.

use super::facts::Known;
use crate::eval::{Clause, Comparand, Compiled, ResourcePattern, ResourceTest};
use crate::policy::{Condition, Statement};
use crate::request::{Context, Request};
use crate::value::{ArnTemplate, Atom, Template};

/// The order is that of certainty: a conjunction is the least of its parts, a disjunction the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Truth {
    No,
    Maybe,
    Yes,
}

impl Truth {
    pub(super) fn of(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }

    /// As it is if all that is open turns out to fit.
    pub(super) fn at_best(self) -> bool {
        self >= Self::Maybe
    }

    /// As it is if nothing that is open turns out to fit.
    pub(super) fn at_worst(self) -> bool {
        self == Self::Yes
    }
}

/// Whether a condition holds.
pub(super) fn clause(clause: &Clause, known: &Known, context: &Context) -> Truth {
    if context.get(&clause.key).is_none() {
        let open = known.is_open(&clause.key);
        return if open { Truth::Maybe } else { Truth::of(clause.holds(context)) };
    }
    let holds = clause.holds(context);
    if !clause.values.iter().any(|listed| has_open_variable(listed, known, context)) {
        return Truth::of(holds);
    }
    // What an open variable would add is one more value that fits: that cannot undo a fit, nor a misfit of an inverse.
    if holds != clause.test.inverted { Truth::of(holds) } else { Truth::Maybe }
}

fn has_open_variable(listed: &Comparand, known: &Known, context: &Context) -> bool {
    match listed {
        Comparand::Text(template) => is_open(template, known, context),
        Comparand::Arn(arn) => arn.fields.iter().any(|field| is_open(field, known, context)),
        _ => false,
    }
}

fn is_open(template: &Template, known: &Known, context: &Context) -> bool {
    template.atoms.iter().any(|atom| match atom {
        Atom::Variable { key, .. } => context.get(key).is_none() && known.is_open(key),
        _ => false,
    })
}

/// Whether a statement is about the resource.
pub(super) fn resource(test: Option<&ResourceTest>, known: &Known, request: &Request) -> Truth {
    let Some(test) = test else { return Truth::Yes };
    let mut listed = Truth::No;
    for pattern in &test.patterns {
        listed = listed.max(fits(pattern, known, request));
        if listed == Truth::Yes {
            break;
        }
    }
    match (listed, test.negated) {
        (Truth::Yes, true) => Truth::No,
        (Truth::No, true) => Truth::Yes,
        (truth, _) => truth,
    }
}

/// Whether a listed resource is the one of the request.
pub(super) fn fits(pattern: &ResourcePattern, known: &Known, request: &Request) -> Truth {
    if known.class {
        return fits_class(pattern, known, request);
    }
    if let ResourcePattern::Arn(template) = pattern
        && template.fields.iter().any(|field| is_open(field, known, request.context()))
    {
        let could = request
            .arn()
            .is_some_and(|arn| starred(template, known, request.context()).matches(arn, request.context()));
        return if could { Truth::Maybe } else { Truth::No };
    }
    Truth::of(pattern.matches(request))
}

/// Whether a pattern fits all ARNs that begin like that of the request up to its final star, or some, or none.
fn fits_class(pattern: &ResourcePattern, known: &Known, request: &Request) -> Truth {
    let template = match pattern {
        ResourcePattern::Any => return Truth::Yes,
        ResourcePattern::Nothing => return Truth::No,
        ResourcePattern::Arn(template) => template,
    };
    let (Some(arn), context) = (request.arn(), request.context()) else { return Truth::No };
    let [.., field] = arn;
    let [head @ .., last] = &*template.fields;
    let before = head.iter().zip(arn).all(|(wanted, field)| wanted.matches(field, context) == Some(true));
    let start = field.strip_suffix('*').unwrap_or(field);
    if !before || !can_begin(&last.atoms, start, context) {
        return Truth::No;
    }
    // What ends with a star and fits the beginning alone fits whatever follows it.
    let all = last.atoms.last() == Some(&Atom::Star) && last.matches(start, context) == Some(true);
    if all && !is_open(last, known, context) { Truth::Yes } else { Truth::Maybe }
}

/// Whether some text that begins with `start` fits these pieces. The first star takes in all that is left of it.
fn can_begin(atoms: &[Atom], start: &str, context: &Context) -> bool {
    let Some((first, rest)) = atoms.split_first() else { return start.is_empty() };
    let mut chars = start.chars();
    if chars.next().is_none() {
        return true;
    }
    let literal = match first {
        Atom::Star => return true,
        Atom::One => return can_begin(rest, chars.as_str(), context),
        Atom::Literal(text) => Some(&**text),
        Atom::Variable { key, default } => context.single(key).or(default.as_deref()),
    };
    let Some(literal) = literal else { return true };
    match start.strip_prefix(literal) {
        Some(left) => can_begin(rest, left, context),
        None => literal.starts_with(start),
    }
}

/// The pattern with a star for each variable that is open.
fn starred(template: &ArnTemplate, known: &Known, context: &Context) -> ArnTemplate {
    let field = |field: &Template| {
        let atom = |atom: &Atom| match atom {
            Atom::Variable { key, .. } if context.get(key).is_none() && known.is_open(key) => Atom::Star,
            other => other.clone(),
        };
        Template::of(field.atoms.iter().map(atom).collect(), field.fold)
    };
    let [a, b, c, d, e, f] = &*template.fields;
    ArnTemplate::of([a, b, c, d, e, f].map(field))
}

/// Whether all conditions hold.
pub(super) fn conditions(compiled: &Compiled, known: &Known, context: &Context) -> Truth {
    let each = compiled.conditions.iter().map(|one| clause(one, known, context));
    each.min().unwrap_or(Truth::Yes)
}

/// The conditions of a statement that are open.
pub(super) fn open_conditions<'s>(
    (compiled, source): (&'s Compiled, &'s Statement),
    known: &'s Known,
    context: &'s Context,
) -> impl Iterator<Item = &'s Condition> {
    let pairs = compiled.conditions.iter().zip(&source.conditions);
    pairs.filter(|(one, _)| clause(one, known, context) == Truth::Maybe).map(|(_, condition)| condition)
}

/// Whether what a statement says depends on what the resource is, apart from its ARN.
pub(super) fn depends_on_resource(compiled: &Compiled) -> bool {
    let about = |key: &str| key.starts_with("aws:resource");
    let variable = |template: &Template| {
        template.atoms.iter().any(|atom| matches!(atom, Atom::Variable { key, .. } if about(key)))
    };
    let listed = |value: &Comparand| match value {
        Comparand::Text(template) => variable(template),
        Comparand::Arn(arn) => arn.fields.iter().any(variable),
        _ => false,
    };
    let pattern = |pattern: &ResourcePattern| match pattern {
        ResourcePattern::Arn(arn) => arn.fields.iter().any(variable),
        _ => false,
    };
    compiled.conditions.iter().any(|one| about(&one.key) || one.values.iter().any(listed))
        || compiled.resource.as_ref().is_some_and(|test| test.patterns.iter().any(pattern))
}
