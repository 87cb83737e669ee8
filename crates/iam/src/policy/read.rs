//! From JSON to a policy. Every mistake is collected; a policy with one is not used at all, because half a policy
//! grants or denies something that nobody wrote.

use super::{Condition, Effect, Element, Policy, Statement, Test, Version, Who, WhoSort};
use crate::text::{Json, JsonKind, Member, Span, Spanned, Wrong, read};

const POLICY_KEYS: [&str; 3] = ["Version", "Id", "Statement"];
const STATEMENT_KEYS: [&str; 9] = [
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];
const MAX_STATEMENTS: usize = 10_000;
const MAX_VALUES: usize = 10_000;

/// Reads a policy, or a bare statement.
pub(crate) fn policy(text: &str) -> Result<Policy, Vec<Wrong>> {
    from_json(&read(text).map_err(|wrong| vec![wrong])?)
}

/// Reads a policy that is part of a larger text.
pub(super) fn from_json(json: &Json) -> Result<Policy, Vec<Wrong>> {
    let mut reader = Reader { wrongs: Vec::new() };
    let policy = reader.policy(json);
    match policy {
        Some(policy) if reader.wrongs.is_empty() => Ok(policy),
        _ => Err(reader.wrongs),
    }
}

struct Reader {
    wrongs: Vec<Wrong>,
}

impl Reader {
    fn wrong<T>(&mut self, wrong: Wrong) -> Option<T> {
        self.wrongs.push(wrong);
        None
    }

    fn policy(&mut self, json: &Json) -> Option<Policy> {
        let JsonKind::Object(members) = &json.kind else {
            return self
                .wrong(Wrong::new(json.span, format!("a policy is an object, this is {}", json.what())));
        };
        let bare = find(members, "Statement").is_none() && find(members, "Effect").is_some();
        let version = find(members, "Version");
        let written = version.and_then(|m| self.version(&m.value));
        if bare {
            let statement = self.statement(json, &[STATEMENT_KEYS.as_slice(), &["Version"]].concat())?;
            let version = written.unwrap_or(Version::V2012);
            let version_span = version_span(find(members, "Version"));
            return Some(Policy {
                version,
                version_span,
                id: None,
                statements: vec![statement],
                bare,
                span: json.span,
            });
        }
        self.known(members, &POLICY_KEYS, "a policy");
        let id = find(members, "Id").and_then(|m| self.string(&m.value, "`Id`"));
        let Some(list) = find(members, "Statement") else {
            return self.wrong(
                Wrong::new(json.span, "a policy without `Statement`")
                    .help("add `\"Statement\": [{\"Effect\": ..., \"Action\": ..., \"Resource\": ...}]`"),
            );
        };
        let items = match &list.value.kind {
            JsonKind::Array(items) => items.as_slice(),
            JsonKind::Object(_) => std::slice::from_ref(&list.value),
            _ => {
                let message =
                    format!("`Statement` is an object or a list of objects, this is {}", list.value.what());
                return self.wrong(Wrong::new(list.value.span, message));
            }
        };
        if items.len() > MAX_STATEMENTS {
            let message = format!("{} statements; at most {MAX_STATEMENTS} are read", items.len());
            return self.wrong(Wrong::new(list.value.span, message));
        }
        let statements = items.iter().filter_map(|item| self.statement(item, &STATEMENT_KEYS)).collect();
        Some(Policy {
            version: written.unwrap_or(Version::V2008),
            version_span: version_span(version),
            id,
            statements,
            bare,
            span: json.span,
        })
    }

    fn version(&mut self, json: &Json) -> Option<Version> {
        match &json.kind {
            JsonKind::String(text) if text == "2012-10-17" => Some(Version::V2012),
            JsonKind::String(text) if text == "2008-10-17" => Some(Version::V2008),
            JsonKind::String(text) => self.wrong(
                Wrong::new(json.span, format!("there is no policy version `{text}`"))
                    .help("write `\"Version\": \"2012-10-17\"`; it is the version of the language, not of your policy"),
            ),
            _ => self.wrong(Wrong::new(json.span, format!("`Version` is a string, this is {}", json.what()))),
        }
    }

    /// Every key is one of these, or it is named with its nearest neighbour.
    fn known(&mut self, members: &[Member], keys: &[&str], of: &str) {
        for member in members {
            let key = member.key.text.as_str();
            if keys.contains(&key) {
                continue;
            }
            let near = keys.iter().find(|k| k.eq_ignore_ascii_case(key) || distance(k, key) <= 2);
            let help = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("{of} has {}", keys.join(", ")),
            };
            self.wrongs.push(Wrong::new(member.key.span, format!("{of} has no element `{key}`")).help(help));
        }
    }

    fn statement(&mut self, json: &Json, keys: &[&str]) -> Option<Statement> {
        let JsonKind::Object(members) = &json.kind else {
            return self
                .wrong(Wrong::new(json.span, format!("a statement is an object, this is {}", json.what())));
        };
        self.known(members, keys, "a statement");
        let sid = find(members, "Sid").and_then(|m| self.string(&m.value, "`Sid`"));
        let effect = self.effect(json, members);
        let principal = self.pair(members, ("Principal", "NotPrincipal"), Self::principals);
        let action = self.pair(members, ("Action", "NotAction"), |me, v| me.strings(v, "`Action`"));
        let resource = self.pair(members, ("Resource", "NotResource"), |me, v| me.strings(v, "`Resource`"));
        let conditions = find(members, "Condition").map_or_else(Vec::new, |m| self.conditions(&m.value));
        let Some(action) = action else {
            if find(members, "Action").is_none() && find(members, "NotAction").is_none() {
                self.wrongs.push(
                    Wrong::new(json.span, "a statement without `Action`")
                        .help("say what it is about, for instance `\"Action\": \"s3:GetObject\"`"),
                );
            }
            return None;
        };
        for action in &action.items {
            self.action(action);
        }
        Some(Statement { sid, effect: effect?, principal, action, resource, conditions, span: json.span })
    }

    fn effect(&mut self, json: &Json, members: &[Member]) -> Option<Effect> {
        let Some(member) = find(members, "Effect") else {
            return self.wrong(
                Wrong::new(json.span, "a statement without `Effect`")
                    .help("add `\"Effect\": \"Allow\"` or `\"Deny\"`"),
            );
        };
        match &member.value.kind {
            JsonKind::String(text) if text == "Allow" => Some(Effect::Allow),
            JsonKind::String(text) if text == "Deny" => Some(Effect::Deny),
            JsonKind::String(text) => self.wrong(
                Wrong::new(member.value.span, format!("there is no effect `{text}`"))
                    .help("it is `Allow` or `Deny`, written exactly so"),
            ),
            _ => {
                let message = format!("`Effect` is a string, this is {}", member.value.what());
                self.wrong(Wrong::new(member.value.span, message))
            }
        }
    }

    /// An element and its `Not` form, of which at most one may stand.
    fn pair<T>(
        &mut self,
        members: &[Member],
        (plain, not): (&str, &str),
        read: impl Fn(&mut Self, &Json) -> Option<Vec<T>>,
    ) -> Option<Element<T>> {
        let (member, negated) = match (find(members, plain), find(members, not)) {
            (None, None) => return None,
            (Some(member), None) => (member, false),
            (None, Some(member)) => (member, true),
            (Some(_), Some(second)) => {
                return self.wrong(
                    Wrong::new(second.key.span, format!("`{plain}` and `{not}` in one statement"))
                        .help("keep one of them, or make two statements"),
                );
            }
        };
        let items = read(self, &member.value)?;
        if items.len() > MAX_VALUES {
            let message = format!("{} values; at most {MAX_VALUES} are read", items.len());
            return self.wrong(Wrong::new(member.value.span, message));
        }
        Some(Element {
            negated,
            items,
            span: Span { start: member.key.span.start, end: member.value.span.end },
        })
    }

    fn action(&mut self, action: &Spanned) {
        let text = action.text.as_str();
        if text == "*" || text.split_once(':').is_some_and(|(service, _)| !service.is_empty()) {
            return;
        }
        self.wrongs.push(
            Wrong::new(action.span, format!("`{text}` is no action"))
                .help("an action is `service:Name`, for instance `s3:GetObject`, or `*`"),
        );
    }

    fn principals(&mut self, json: &Json) -> Option<Vec<Who>> {
        match &json.kind {
            JsonKind::String(text) if text == "*" => {
                let value = Spanned { text: text.clone(), span: json.span };
                Some(vec![Who { sort: WhoSort::Aws, value }])
            }
            JsonKind::Object(members) => {
                let mut all = Vec::new();
                for member in members {
                    if let Some(sort) = self.sort(member) {
                        let values = self.strings(&member.value, "a principal")?;
                        all.extend(values.into_iter().map(|value| Who { sort, value }));
                    }
                }
                Some(all)
            }
            _ => {
                let message = format!("`Principal` is `\"*\"` or an object, this is {}", json.what());
                self.wrong(
                    Wrong::new(json.span, message)
                        .help("write for instance `{\"AWS\": \"arn:aws:iam::111122223333:role/app\"}`"),
                )
            }
        }
    }

    fn sort(&mut self, member: &Member) -> Option<WhoSort> {
        match member.key.text.as_str() {
            "AWS" => Some(WhoSort::Aws),
            "Service" => Some(WhoSort::Service),
            "Federated" => Some(WhoSort::Federated),
            "CanonicalUser" => Some(WhoSort::CanonicalUser),
            other => self.wrong(
                Wrong::new(member.key.span, format!("there is no sort of principal `{other}`"))
                    .help("the sorts are AWS, Service, Federated, CanonicalUser"),
            ),
        }
    }

    fn conditions(&mut self, json: &Json) -> Vec<Condition> {
        let mut all = Vec::new();
        let JsonKind::Object(operators) = &json.kind else {
            self.wrongs
                .push(Wrong::new(json.span, format!("`Condition` is an object, this is {}", json.what())));
            return all;
        };
        for operator in operators {
            let JsonKind::Object(keys) = &operator.value.kind else {
                let message = format!(
                    "under `{}` stand condition keys with their values, this is {}",
                    operator.key.text,
                    operator.value.what()
                );
                self.wrongs.push(Wrong::new(operator.value.span, message));
                continue;
            };
            for key in keys {
                if let Some(values) = self.values(&key.value) {
                    let test = Test::named(&operator.key.text);
                    all.push(Condition {
                        operator: operator.key.clone(),
                        test,
                        key: key.key.clone(),
                        values,
                    });
                }
            }
        }
        all
    }

    fn string(&mut self, json: &Json, what: &str) -> Option<Spanned> {
        match &json.kind {
            JsonKind::String(text) => Some(Spanned { text: text.clone(), span: json.span }),
            _ => self.wrong(Wrong::new(json.span, format!("{what} is a string, this is {}", json.what()))),
        }
    }

    fn strings(&mut self, json: &Json, what: &str) -> Option<Vec<Spanned>> {
        match &json.kind {
            JsonKind::Array(items) => items.iter().map(|item| self.string(item, what)).collect(),
            JsonKind::String(_) => Some(vec![self.string(json, what)?]),
            _ => {
                let message = format!("{what} is a string or a list of strings, this is {}", json.what());
                self.wrong(Wrong::new(json.span, message))
            }
        }
    }

    /// Values of a condition, which may be numbers and booleans too.
    fn values(&mut self, json: &Json) -> Option<Vec<Spanned>> {
        match &json.kind {
            JsonKind::Array(items) if items.len() > MAX_VALUES => {
                let message = format!("{} values; at most {MAX_VALUES} are read", items.len());
                self.wrong(Wrong::new(json.span, message))
            }
            JsonKind::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            _ => Some(vec![self.value(json)?]),
        }
    }

    fn value(&mut self, json: &Json) -> Option<Spanned> {
        let text = match &json.kind {
            JsonKind::String(text) | JsonKind::Number(text) => text.clone(),
            JsonKind::Bool(value) => value.to_string(),
            _ => {
                let message = format!("the value of a condition is a string, this is {}", json.what());
                return self.wrong(Wrong::new(json.span, message));
            }
        };
        Some(Spanned { text, span: json.span })
    }
}

fn find<'m>(members: &'m [Member], key: &str) -> Option<&'m Member> {
    members.iter().find(|m| m.key.text == key)
}

fn version_span(member: Option<&Member>) -> Option<Span> {
    member.map(|m| Span { start: m.key.span.start, end: m.value.span.end })
}

/// Levenshtein distance, for hints.
pub(crate) fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut last = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let next = (last + usize::from(x != *y)).min(row[j] + 1).min(row[j + 1] + 1);
            last = row[j + 1];
            row[j + 1] = next;
        }
    }
    row[b.len()]
}
