//! Files of rules: YAML or JSON, read strictly, with the place of every mistake.

use super::examples::SUBJECT;
use super::host::ENVIRONMENT;
use super::{Example, Message, Rule, Rules};
use crate::checks::controls_named;
use crate::framework::{Framework, Requirement, framework_named, frameworks};
use crate::node::{Member, Node, Place, Value};
use crate::read::{Unreadable, either};
use crate::unit::{Reach, Severity};
use cel::{Expression, Id, Program};
use std::collections::HashMap;
use std::sync::Arc;

/// The largest file, in bytes.
const MAX_BYTES: usize = 1 << 20;
const MAX_RULES: usize = 1_000;
const MAX_EXAMPLES: usize = 100;
const MAX_KINDS: usize = 50;

const FIELDS: [&str; 13] = [
    "id",
    "title",
    "description",
    "severity",
    "type",
    "when",
    "expression",
    "message",
    "message_expression",
    "aliases",
    "frameworks",
    "fix",
    "tests",
];
const HELP: &str = "a rule has `id`, `title`, `severity`, `type` and `expression`; and may have `when`, `message`, \
    `message_expression`, `description`, `aliases`, `frameworks`, `fix` and `tests`";
const TEST_FIELDS: [&str; 5] = ["name", "type", "properties", "resources", "verdict"];
const TEST_HELP: &str = "a test has `properties` and `verdict`; and may have `name`, `type` and `resources`";
const VERDICTS: [&str; 4] = ["holds", "broken", "unknown", "not_applicable"];

type Read<T> = Result<T, Unreadable>;

/// Reads a file of rules: `rules:` with a list. `before` are those of other files, whose ids are taken.
///
/// # Errors
/// If it is none, or a rule lacks something, has an id that is taken, or an expression that is not CEL.
pub fn rules(file: &str, text: &str, before: Rules) -> Result<Rules, Unreadable> {
    read(file, text, before).map_err(|wrong| wrong.in_file(file))
}

fn read(file: &str, text: &str, before: Rules) -> Read<Rules> {
    if text.len() > MAX_BYTES {
        let message = format!("the file has {} bytes; at most {MAX_BYTES} are read", text.len());
        return Err(Unreadable::new(Place { line: 1, column: 1 }, message, "make several files of it"));
    }
    let root = either(file, text)?;
    let Some(list) = root.get("rules").filter(|list| matches!(list.value, Value::List(_))) else {
        return Err(Unreadable::new(root.at, "expected `rules`, a list of rules", HELP));
    };
    if let Some(member) = root.members().iter().find(|member| member.key != "rules") {
        return Err(Unreadable::new(
            member.at,
            format!("a file of rules has no `{}`", member.key),
            "it has `rules` alone",
        ));
    }
    let Rules(mut all) = before;
    let mut taken: HashMap<String, Arc<Rule>> =
        all.iter().map(|rule| (rule.id.to_ascii_lowercase(), Arc::clone(rule))).collect();
    for item in list.items() {
        let rule = Arc::new(one(file, item)?);
        if let Some(first) = taken.get(&rule.id.to_ascii_lowercase()) {
            let message = format!("there is a rule `{}` already ({}:{})", rule.id, first.file, first.at.line);
            return Err(Unreadable::new(rule.at, message, "give it another id"));
        }
        taken.insert(rule.id.to_ascii_lowercase(), Arc::clone(&rule));
        all.push(rule);
        if all.len() > MAX_RULES {
            return Err(Unreadable::new(
                item.at,
                format!("there are more than {MAX_RULES} rules"),
                "name fewer files",
            ));
        }
    }
    Ok(Rules(all))
}

fn one(file: &str, item: &Node) -> Read<Rule> {
    if !matches!(item.value, Value::Map(_)) {
        return Err(Unreadable::new(item.at, "a rule is an object", HELP));
    }
    known(item, &FIELDS, "a rule", HELP)?;
    let (id, id_node) = needed(item, "id")?;
    check_id(&id, id_node)?;
    let (title, _) = needed(item, "title")?;
    let (severity, severity_node) = needed(item, "severity")?;
    let severity = Severity::named(&severity).ok_or_else(|| {
        let message = format!("there is no severity `{severity}`");
        Unreadable::new(severity_node.at, message, "expected `low`, `medium`, `high` or `critical`")
    })?;
    let kinds = kinds(item)?;
    let (expression, expression_node) = needed(item, "expression")?;
    let expression = compiled(&expression, expression_node, "expression")?;
    let when = optional(item, "when")?.map(|(text, node)| compiled(&text, node, "when")).transpose()?;
    let message = match (optional(item, "message")?, optional(item, "message_expression")?) {
        (Some(_), Some((_, node))) => {
            return Err(Unreadable::new(node.at, "the rule has `message` already", "keep one of the two"));
        }
        (Some((text, _)), None) => Some(Message::Text(text)),
        (None, Some((text, node))) => Some(Message::Expression(compiled(&text, node, "message_expression")?)),
        (None, None) => None,
    };
    let programs = [Some(&expression), when.as_ref()];
    let is_cross = programs.into_iter().flatten().any(|program| looks_around(program, program.root()));
    let examples = examples(item, &kinds)?;
    let mut rule = Rule {
        id,
        title,
        severity,
        reach: if is_cross { Reach::Cross } else { Reach::Single },
        kinds,
        aliases: texts(item, "aliases")?,
        description: String::new(),
        answers: answers(item)?,
        file: file.to_owned(),
        at: item.at,
        when,
        expression,
        message,
        examples,
    };
    rule.description = described(&rule, optional(item, "description")?, optional(item, "fix")?);
    Ok(rule)
}

/// The form that descriptions of our own controls have.
fn described(rule: &Rule, description: Option<(String, &Node)>, fix: Option<(String, &Node)>) -> String {
    let what = description.map_or_else(|| format!("{}.", rule.title), |(text, _)| text.trim().to_owned());
    let mut out = format!(
        "# {}: {}\n\n## What\n\n{what}\n\n```cel\n{}\n```\n",
        rule.id,
        rule.title,
        rule.expression.text().trim()
    );
    if let Some(when) = &rule.when {
        out += &format!("\nOnly if:\n\n```cel\n{}\n```\n", when.text().trim());
    }
    if let Some((fix, _)) = fix {
        out += &format!("\n## How to fix\n\n{}\n", fix.trim());
    }
    out + &format!("\n## References\n\n- {}, line {}\n", rule.file, rule.at.line)
}

fn known(item: &Node, fields: &[&str], what: &str, help: &str) -> Read<()> {
    match item.members().iter().find(|member| !fields.contains(&member.key.as_str())) {
        Some(member) => Err(Unreadable::new(member.at, format!("{what} has no `{}`", member.key), help)),
        None => Ok(()),
    }
}

fn optional<'n>(item: &'n Node, name: &str) -> Read<Option<(String, &'n Node)>> {
    let Some(node) = item.get(name) else { return Ok(None) };
    let text = match &node.value {
        Value::Text(text) => text.as_str(),
        // `expression: true` is one.
        _ => node.text().unwrap_or_default(),
    };
    if text.trim().is_empty() {
        return Err(Unreadable::new(node.at, format!("`{name}` must be a text"), HELP));
    }
    Ok(Some((text.to_owned(), node)))
}

fn needed<'n>(item: &'n Node, name: &str) -> Read<(String, &'n Node)> {
    optional(item, name)?.ok_or_else(|| Unreadable::new(item.at, format!("the rule says no `{name}`"), HELP))
}

fn check_id(id: &str, node: &Node) -> Read<()> {
    let legal = id.starts_with(|c: char| c.is_ascii_alphabetic())
        && id.len() <= 64
        && id.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if !legal {
        let message = format!("`{}` cannot be an id", id.escape_debug());
        let help = "an id begins with a letter and has at most 64 letters, digits, `-`, `_` and `.`, as in `ACME-01`";
        return Err(Unreadable::new(node.at, message, help));
    }
    match controls_named(id).next() {
        Some(control) => {
            let message = format!("`{id}` is what {} is called already", control.id);
            Err(Unreadable::new(node.at, message, "give the rule another id; an alias may be the same"))
        }
        None => Ok(()),
    }
}

fn texts(item: &Node, name: &str) -> Read<Vec<String>> {
    let Some(node) = item.get(name) else { return Ok(Vec::new()) };
    let text = |node: &Node| match node.text().filter(|text| !text.trim().is_empty()) {
        Some(text) => Ok(text.to_owned()),
        None => Err(Unreadable::new(node.at, format!("`{name}` must be a text or a list of texts"), HELP)),
    };
    if matches!(node.value, Value::Map(_) | Value::Null) {
        return Err(Unreadable::new(node.at, format!("`{name}` must be a text or a list of texts"), HELP));
    }
    node.items().iter().map(text).collect()
}

fn kinds(item: &Node) -> Read<Vec<String>> {
    let node = item.get("type").ok_or_else(|| Unreadable::new(item.at, "the rule says no `type`", HELP))?;
    let kinds = texts(item, "type")?;
    if kinds.is_empty() || kinds.len() > MAX_KINDS {
        return Err(Unreadable::new(node.at, format!("expected one to {MAX_KINDS} types"), HELP));
    }
    let legal = |kind: &str| {
        let parts: Vec<&str> = kind.split("::").collect();
        parts.len() >= 3
            && parts.iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric()))
    };
    if let Some(wrong) = kinds.iter().find(|kind| !legal(kind)) {
        let message = format!("`{}` is no type of resources", wrong.escape_debug());
        return Err(Unreadable::new(
            node.at,
            message,
            "types are as CloudFormation has them: `AWS::S3::Bucket`",
        ));
    }
    Ok(kinds)
}

/// A mistake in an expression is told with its place in the expression; where that is in the file, a block of YAML hides.
fn compiled(text: &str, node: &Node, field: &str) -> Read<Program> {
    Program::compile(text, &ENVIRONMENT).map_err(|wrong| {
        let place = match wrong.line() {
            1 => format!("column {}", wrong.column()),
            line => format!("line {line}, column {}", wrong.column()),
        };
        Unreadable::new(node.at, format!("`{field}`, {place}: {}", wrong.message()), wrong.help().to_owned())
    })
}

fn looks_around(program: &Program, id: Id) -> bool {
    let mut open = vec![id];
    while let Some(id) = open.pop() {
        let expression = program.expression(id);
        if matches!(expression, Expression::Outside(..)) {
            return true;
        }
        open.extend(expression.children());
    }
    false
}

type Answers = Vec<(&'static Framework, &'static Requirement)>;

fn answers(item: &Node) -> Read<Answers> {
    let Some(node) = item.get("frameworks") else { return Ok(Vec::new()) };
    let mut all = Vec::new();
    if !matches!(node.value, Value::Map(_)) {
        let help = "write it as `frameworks: {gdpr: ['32(1)(a)']}`; `wardmote controls list --framework gdpr` shows what there is";
        return Err(Unreadable::new(node.at, "`frameworks` must be an object", help));
    }
    for member in node.members() {
        let Some(framework) = framework_named(&member.key) else {
            let known: Vec<String> = frameworks().iter().map(|one| format!("`{}`", one.id)).collect();
            let message = format!("there is no framework `{}`", member.key);
            return Err(Unreadable::new(member.at, message, format!("expected one of {}", known.join(", "))));
        };
        for asked in member.node.items() {
            let text = asked.text().unwrap_or_default();
            let Some(requirement) =
                framework.requirements.iter().find(|one| one.id.eq_ignore_ascii_case(text))
            else {
                let message = format!("`{}` has no requirement `{}`", framework.id, text.escape_debug());
                let help = format!("`wardmote controls list --framework {}` shows them", framework.id);
                return Err(Unreadable::new(asked.at, message, help));
            };
            all.push((framework, requirement));
        }
    }
    Ok(all)
}

fn examples(item: &Node, kinds: &[String]) -> Read<Vec<Example>> {
    let Some(node) = item.get("tests") else { return Ok(Vec::new()) };
    if !matches!(node.value, Value::List(_)) || node.items().len() > MAX_EXAMPLES {
        let message = format!("`tests` must be a list of at most {MAX_EXAMPLES}");
        return Err(Unreadable::new(node.at, message, TEST_HELP));
    }
    node.items().iter().map(|test| example(test, kinds)).collect()
}

fn example(test: &Node, kinds: &[String]) -> Read<Example> {
    if !matches!(test.value, Value::Map(_)) {
        return Err(Unreadable::new(test.at, "a test is an object", TEST_HELP));
    }
    known(test, &TEST_FIELDS, "a test", TEST_HELP)?;
    let wrong = |at: Place, message: String| Unreadable::new(at, message, TEST_HELP);
    let verdict = test.get("verdict").and_then(Node::text).unwrap_or_default();
    if !VERDICTS.contains(&verdict) {
        let at = test.get("verdict").map_or(test.at, |node| node.at);
        return Err(wrong(at, format!("`verdict` must be one of `{}`", VERDICTS.join("`, `"))));
    }
    let kind = match test.get("type").and_then(Node::text) {
        Some(kind) if kinds.iter().any(|one| one == kind) => kind.to_owned(),
        Some(kind) => return Err(wrong(test.at, format!("the rule is not about `{kind}`"))),
        None => kinds.first().cloned().unwrap_or_default(),
    };
    let member = |key: &str, node: Node| Member { key: key.to_owned(), at: test.at, node };
    let mut resource = vec![member("Type", Node::new(test.at, Value::Text(kind)))];
    if let Some(properties) = test.get("properties") {
        resource.push(member("Properties", properties.clone()));
    }
    let mut resources = vec![member(SUBJECT, Node::new(test.at, Value::Map(resource)))];
    for other in test.get("resources").map(Node::members).unwrap_or_default() {
        if other.key == SUBJECT {
            return Err(wrong(other.at, format!("`{SUBJECT}` is the resource of the test itself")));
        }
        resources.push(other.clone());
    }
    let template = vec![member("Resources", Node::new(test.at, Value::Map(resources)))];
    Ok(Example {
        at: test.at,
        name: test.get("name").and_then(Node::text).map(ToOwned::to_owned),
        template: Node::new(test.at, Value::Map(template)),
        verdict: verdict.to_owned(),
    })
}
