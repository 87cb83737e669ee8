//! From decided pieces to a request that a person can send: values for variables, an action of the catalogue, an ARN of
//! a resource that the action is about.

use super::ask::HOME;
use super::callers::Sample;
use super::captures::captures;
use super::conditions::{templates_of_resource, templates_of_value, variables_of};
use super::keys::{KeyAnswer, can_be_single, solve};
use super::problem::{Attribute, Piece, Pieces};
use super::search::{Literals, by_attribute, conditions, requirements};
use super::strings::{Found, Pattern, Requirement, Universe, Values as Bindings, find, loosened};
use crate::catalog::{Action, catalog};
use crate::eval::{Clause, Comparand};
use crate::policy::Operator;
use crate::request::{Context, Principal, Request, Values};
use crate::value::{ArnTemplate, Atom, Template, Writing};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Combinations of values of variables that are tried.
const MAX_COMBINATIONS: usize = 600;

/// What is fixed from the beginning: the caller and the resource's account.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) sample: Sample,
    pub(super) account: Box<str>,
    /// Whether a policy of an identity is asked about by itself.
    pub(super) by_itself: bool,
}

impl Frame {
    /// A caller who asks for something in his own account.
    pub(super) fn own(sample: Sample) -> Self {
        let account = sample.principal.account().unwrap_or(HOME).into();
        Self { sample, account, by_itself: false }
    }

    pub(super) fn principal(&self) -> &Principal {
        &self.sample.principal
    }
}

/// A request that is as the literals say. `Ok(None)` if there is certainly none.
pub(super) fn request(
    pieces: &Pieces,
    literals: &Literals,
    frame: &Frame,
) -> Result<Option<Request>, &'static str> {
    let attributes = by_attribute(pieces, literals);
    let keys = variables(pieces, literals);
    let choices: Vec<Choice> = keys.iter().map(|key| choice(pieces, &attributes, key)).collect();
    let exact = choices.iter().all(|choice| choice.exact);
    let mut doubt = None;
    let total = choices.iter().map(|choice| choice.values.len()).product::<usize>();
    for number in 0..total.min(MAX_COMBINATIONS) {
        let mut rest = number;
        let mut values = HashMap::new();
        for (key, choice) in keys.iter().zip(&choices) {
            let value = choice.values.get(rest % choice.values.len()).cloned().flatten();
            rest /= choice.values.len();
            values.insert(key.clone(), value);
        }
        match assemble(pieces, &attributes, &values, frame) {
            Ok(Some(request)) => return Ok(Some(request)),
            Ok(None) => {}
            Err(cause) => doubt = Some(cause),
        }
    }
    match doubt {
        Some(cause) => Err(cause),
        None if exact && total <= MAX_COMBINATIONS => Ok(None),
        None if keys.iter().any(|key| ruled_out(pieces, &attributes, key)) => Ok(None),
        None => Err("no value was found for a variable, and not every value was tried"),
    }
}

/// The keys that stand in variables of the decided pieces.
fn variables(pieces: &Pieces, literals: &Literals) -> Vec<Box<str>> {
    let mut keys = BTreeSet::new();
    for piece in literals.iter().filter_map(|(piece, _)| pieces.list.get(*piece)) {
        keys.extend(templates(piece).into_iter().flat_map(variables_of));
    }
    keys.into_iter().collect()
}

fn templates(piece: &Piece) -> Vec<&Template> {
    match piece {
        Piece::Action(_) => Vec::new(),
        Piece::Resource(test) => templates_of_resource(test),
        Piece::Condition(clause) => clause.values.iter().flat_map(templates_of_value).collect(),
    }
}

/// The values of a variable that are tried; whether there can be no other.
struct Choice {
    values: Vec<Option<String>>,
    exact: bool,
}

fn choice(pieces: &Pieces, attributes: &BTreeMap<Attribute, Literals>, key: &str) -> Choice {
    let own = attributes.get(&Attribute::Key(key.into()));
    let wanted = own.map(|literals| conditions(pieces, literals)).unwrap_or_default();
    let listed = wanted.iter().filter(|(_, holds)| *holds).find_map(|(clause, _)| literal_values(clause));
    if let Some(listed) = listed {
        return Choice { values: listed.into_iter().map(Some).collect(), exact: true };
    }
    if can_be_single(&wanted) == Some(false) {
        return Choice { values: vec![None], exact: true };
    }
    if let Some(values) =
        attributes.iter().find_map(|(a, literals)| forced(&text_requirements(pieces, a, literals), key))
    {
        return Choice { values: values.into_iter().map(Some).collect(), exact: true };
    }
    let mut values: Vec<Option<String>> = Vec::new();
    let mut add = |value: Option<String>| {
        if !values.contains(&value) {
            values.push(value);
        }
    };
    if let KeyAnswer::Be { values: Some(Values::One(value)), .. } = solve(&wanted, &Bindings::Unknown, false)
    {
        add(Some(value.into_string()));
    }
    add(Some(format!("w-{}", key.rsplit([':', '/']).next().unwrap_or("value"))));
    add(None);
    for (attribute, literals) in attributes {
        for value in captured(&text_requirements(pieces, attribute, literals), key) {
            add(Some(value));
        }
    }
    add(Some("same".to_owned()));
    for value in constants(pieces, key) {
        add(Some(value));
    }
    values.truncate(24);
    Choice { values, exact: false }
}

/// The values that a variable can have had at all, if the text is one of a few and all that may be met holds it.
fn forced(requirements: &[Requirement], key: &str) -> Option<Vec<String>> {
    let positive = || requirements.iter().filter(|r| r.positive);
    let texts =
        positive().find_map(|r| r.patterns.iter().map(Pattern::literal).collect::<Option<Vec<String>>>())?;
    let holds = |p: &Pattern| p.symbols().any(|symbol| *symbol.0 == *key && symbol.1.is_none());
    let held = positive().find(|r| !r.patterns.is_empty() && r.patterns.iter().all(holds))?;
    let mut values = BTreeSet::new();
    for (pattern, text) in held.patterns.iter().flat_map(|p| texts.iter().map(move |text| (p, text))) {
        let (found, all) = captures(pattern, text, 64);
        if !all {
            return None;
        }
        values.extend(found.into_iter().filter_map(|mut found| found.remove(key)));
    }
    Some(values.into_iter().collect())
}

/// The values that a condition lists, if it holds for these only.
fn literal_values(clause: &Clause) -> Option<Vec<String>> {
    if clause.test.inverted || clause.test.if_exists || clause.test.quantifier.is_some() {
        return None;
    }
    let literal = |value: &Comparand| match value {
        Comparand::Text(template) if !template.fold => match &*template.atoms {
            [] => Some(String::new()),
            [Atom::Literal(text)] => Some(text.to_string()),
            _ => None,
        },
        _ => None,
    };
    clause.values.iter().map(literal).collect()
}

/// What the literals require of the text of an attribute: of a key, if it has one value.
fn text_requirements(pieces: &Pieces, attribute: &Attribute, literals: &Literals) -> Vec<Requirement> {
    if let Attribute::Action | Attribute::Resource = attribute {
        return requirements(pieces, literals, &Bindings::Unknown).unwrap_or_default();
    }
    let mut all = Vec::new();
    for (clause, holds) in conditions(pieces, literals) {
        let pattern = |value: &Comparand| match value {
            Comparand::Text(template) => Pattern::of(template, &Bindings::Unknown),
            Comparand::Arn(arn) => Pattern::of_arn(arn, &Bindings::Unknown),
            _ => None,
        };
        // What also holds without the key, or of several values, requires nothing of its one value.
        let whole = clause.test.operator == Operator::ArnLike
            && clause.values.iter().any(|value| matches!(value, Comparand::Text(_)));
        if clause.test.if_exists || clause.test.quantifier.is_some() || whole {
            continue;
        }
        let patterns: Vec<Pattern> = clause.values.iter().filter_map(pattern).collect();
        if patterns.len() == clause.values.len() {
            all.push(Requirement { patterns, positive: holds != clause.test.inverted });
        }
    }
    all
}

/// What the variable would have been in texts that meet the requirements on an attribute.
fn captured(requirements: &[Requirement], key: &str) -> Vec<String> {
    let mut values = Vec::new();
    for tried in [requirements.to_vec(), loosened(requirements)] {
        let Found::Text { text, .. } = find(&tried, Universe::Any) else { continue };
        let patterns = requirements.iter().flat_map(|r| &r.patterns);
        values.extend(
            patterns.flat_map(|p| captures(p, &text, 4).0).filter_map(|mut found| found.remove(key)).take(8),
        );
    }
    values
}

/// Whether no value of a variable can meet the requirements on some attribute, because of what its key must be.
fn ruled_out(pieces: &Pieces, attributes: &BTreeMap<Attribute, Literals>, key: &str) -> bool {
    let own = attributes.get(&Attribute::Key(key.into()));
    let listed = own
        .map(|literals| text_requirements(pieces, &Attribute::Key(key.into()), literals))
        .unwrap_or_default();
    let plain =
        |r: &&Requirement| r.positive && r.patterns.iter().all(|p| !p.fold && p.symbols().next().is_none());
    let Some(listed) = listed.iter().find(plain) else { return false };
    attributes.iter().any(|(attribute, literals)| {
        let requirements = text_requirements(pieces, attribute, literals);
        listed.patterns.iter().all(|value| {
            let narrowed: Vec<Requirement> = requirements.iter().map(|r| narrow(r, key, value)).collect();
            find(&narrowed, Universe::Any) == Found::Nothing
        })
    })
}

/// A requirement with a pattern in the place of a variable; where that would say too much, it says nothing.
fn narrow(requirement: &Requirement, key: &str, value: &Pattern) -> Requirement {
    let holds = |p: &&Pattern| p.symbols().any(|symbol| *symbol.0 == *key);
    let kept = requirement.patterns.iter().filter(|p| requirement.positive || !holds(p));
    let patterns = kept.map(|p| if p.fold { p.loosened() } else { p.with(key, &value.tokens) }).collect();
    Requirement { patterns, positive: requirement.positive }
}

/// Texts with which the key is compared anywhere.
fn constants(pieces: &Pieces, key: &str) -> Vec<String> {
    let mut found = Vec::new();
    for piece in &pieces.list {
        let Piece::Condition(clause) = piece else { continue };
        if *clause.key != *key {
            continue;
        }
        for template in clause.values.iter().flat_map(templates_of_value) {
            if let [Atom::Literal(text)] = &*template.atoms {
                found.push(text.to_string());
            }
        }
    }
    found
}

/// A request with these values of variables.
fn assemble(
    pieces: &Pieces,
    attributes: &BTreeMap<Attribute, Literals>,
    values: &HashMap<Box<str>, Option<String>>,
    frame: &Frame,
) -> Result<Option<Request>, &'static str> {
    let mut context = Context::default();
    for (key, value) in values {
        if let Some(value) = value {
            context.set(key, Values::One(value.as_str().into()));
        }
    }
    let bindings = Bindings::Known(values.clone());
    for (attribute, literals) in attributes {
        let Attribute::Key(key) = attribute else { continue };
        let wanted = conditions(pieces, literals);
        let held = wanted.iter().all(|(clause, holds)| clause.holds(&context) == *holds);
        if values.get(key).is_some_and(|value| value.is_some() || held) {
            if !held {
                return Ok(None);
            }
            continue;
        }
        match solve(&wanted, &bindings, pieces.can_be_several(key)) {
            KeyAnswer::Nothing => return Ok(None),
            KeyAnswer::Unknown(cause) => return Err(cause),
            KeyAnswer::Be { values: None, .. } => {}
            // One value would be the value of the variable.
            KeyAnswer::Be { values: Some(Values::One(_)), .. } if values.contains_key(key) => {
                return Ok(None);
            }
            KeyAnswer::Be { values: Some(values), .. } => context.set(key, values),
        }
    }
    let none = Literals::new();
    let actions = attributes.get(&Attribute::Action).unwrap_or(&none);
    let Some(action) = action(pieces, actions)? else { return Ok(None) };
    let resources = attributes.get(&Attribute::Resource).unwrap_or(&none);
    let Some(resource) = resource(pieces, resources, &bindings, (&action, frame.by_itself))? else {
        return Ok(None);
    };
    let request = Request::new(frame.principal().clone(), &action, &resource, Some(&frame.account), context);
    Ok(request.ok())
}

/// Actions tried first, because people know what they mean.
const KNOWN_ACTIONS: [&str; 8] = [
    "s3:GetObject",
    "s3:PutObject",
    "s3:ListBucket",
    "kms:Decrypt",
    "sagemaker:InvokeEndpoint",
    "iam:PassRole",
    "sts:AssumeRole",
    "ec2:RunInstances",
];

/// Services tried next.
const KNOWN_SERVICES: [&str; 8] = ["s3", "kms", "sagemaker", "iam", "sts", "ec2", "lambda", "dynamodb"];

/// An action, of the catalogue if one fits.
fn action(pieces: &Pieces, literals: &Literals) -> Result<Option<String>, &'static str> {
    let nothing = Context::default();
    let fits = |name: &str| {
        literals.iter().all(|(piece, holds)| match pieces.list.get(*piece) {
            Some(Piece::Action(test)) => {
                let listed = test.patterns.iter().any(|p| p.matches(name, &nothing) == Some(true));
                (listed != test.negated) == *holds
            }
            _ => true,
        })
    };
    let spell = |action: Action<'_>| action.to_string();
    let fitting = |name: &String| fits(&name.to_ascii_lowercase());
    if let Some(name) = KNOWN_ACTIONS.into_iter().find(|name| fits(&name.to_ascii_lowercase())) {
        return Ok(Some(name.to_owned()));
    }
    let known =
        KNOWN_SERVICES.into_iter().flat_map(|service| catalog().actions(service)).map(spell).find(fitting);
    if let Some(name) = known.or_else(|| catalog().all_actions().map(spell).find(fitting)) {
        return Ok(Some(name));
    }
    let Some(mut requirements) = requirements(pieces, literals, &Bindings::Unknown) else { return Ok(None) };
    requirements.push(Requirement { patterns: vec![pattern("?*:?*")], positive: true });
    requirements.push(Requirement { patterns: vec![pattern("*:*:*")], positive: false });
    match find(&requirements, Universe::Actions) {
        Found::Nothing => Ok(None),
        Found::Text { text, .. } => Ok(Some(text)),
        Found::TooLarge => Err("a search through actions grew too large"),
    }
}

fn pattern(text: &str) -> Pattern {
    let template = Template::new(text, Writing { wildcards: true, variables: false, fold: false });
    Pattern::of(&template, &Bindings::Unknown).unwrap_or(Pattern { tokens: Vec::new(), fold: false })
}

/// A resource: an ARN of a kind that the action is about, if one fits; else any ARN; else any text.
fn resource(
    pieces: &Pieces,
    literals: &Literals,
    bindings: &Bindings,
    (action, by_itself): (&str, bool),
) -> Result<Option<String>, &'static str> {
    let Some(requirements) = requirements(pieces, literals, bindings) else { return Ok(None) };
    let mut shapes: Vec<String> = Vec::new();
    if let Some(known) = catalog().action(action) {
        if known.is_wildcard_only() {
            shapes.push("${*}".to_owned());
        }
        // Without the policy of a key or role nobody gets at it, so a policy of an identity shows more elsewhere.
        let alone = |arn: &str| !by_itself || !(arn.contains(":key/") || arn.contains(":role/"));
        for used in known.resource_types().filter(|used| alone(used.resource_type().arn())) {
            shapes
                .extend([shape(used.resource_type().arn(), true), shape(used.resource_type().arn(), false)]);
        }
    }
    shapes.truncate(8);
    shapes.extend(["arn:aws:?*:*:*:?*", "arn:?*:?*:*:*:?*", "?*"].map(str::to_owned));
    let mut large = false;
    for shape in shapes {
        let patterns = if shape == "${*}" {
            vec![Pattern { tokens: vec![super::strings::Token::Char('*')], fold: false }]
        } else {
            let writing = Writing { wildcards: true, variables: false, fold: false };
            let arn =
                ArnTemplate::new(&shape, writing).and_then(|arn| Pattern::of_arn(&arn, &Bindings::Unknown));
            vec![arn.unwrap_or_else(|| pattern(&shape))]
        };
        let mut requirements = requirements.clone();
        requirements.push(Requirement { patterns, positive: true });
        match find(&requirements, Universe::Any) {
            Found::Text { text, .. } => return Ok(Some(text)),
            Found::TooLarge => large = true,
            Found::Nothing => {}
        }
    }
    if large { Err("a search through resources grew too large") } else { Ok(None) }
}

/// The ARN of a resource type with its placeholders filled in or left open.
fn shape(arn: &str, filled: bool) -> String {
    let mut out = String::new();
    let mut rest = arn;
    while let Some(start) = rest.find("${") {
        let (before, after) = rest.split_at(start);
        out.push_str(before);
        let end = after.find('}').map_or(after.len(), |at| at + 1);
        let name = after.get(2..end.saturating_sub(1)).unwrap_or_default();
        out.push_str(match name {
            "Partition" => "aws",
            "Region" if filled => "eu-central-1",
            "Account" if filled => "111122223333",
            "Region" | "Account" => "*",
            _ => "?*",
        });
        rest = after.get(end..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}
