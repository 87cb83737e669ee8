//! One call, several checks: what AWS asks of the caller before it does an operation. The table is dated data,
//! `table.json`, each row with the page of AWS that it follows; checks that depend on how the call is made have a named
//! option. It is kept by hand and written from knowledge of those pages; that an action exists and is about such a
//! resource is held against the catalogue by a test.
//!
//! ```
//! use iam::operations::{expand, operation};
//!
//! let copy = operation("s3:CopyObject").expect("an operation");
//! let parameters = [("SourceBucket", "raw"), ("SourceKey", "x"), ("Bucket", "train"), ("Key", "x")];
//! let checks = expand(copy, &parameters.map(|(k, v)| (k.to_owned(), v.to_owned())).into()).expect("enough");
//! assert_eq!(checks[0].action, "s3:GetObject");
//! assert_eq!(checks[1].resource, "arn:aws:s3:::train/x");
//! ```

use crate::eval::{Layers, Outcome, decide};
use crate::request::{BadRequest, Context, Principal, Request, Values};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

/// The table.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operations {
    #[serde(rename = "asOf")]
    as_of: String,
    sources: BTreeMap<String, Page>,
    options: BTreeMap<String, String>,
    defaults: BTreeMap<String, String>,
    operations: Vec<Operation>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    title: String,
    url: String,
}

/// An operation of an API.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    #[serde(rename = "operation")]
    name: String,
    source: String,
    checks: Vec<Rule>,
}

/// A check as it stands in the table, its resource still with parameters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    action: String,
    resource: String,
    /// Made only if this parameter is given.
    when: Option<String>,
    #[serde(default)]
    context: BTreeMap<String, String>,
}

/// One check, ready to be decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// The action.
    pub action: String,
    /// The resource.
    pub resource: String,
    /// The context keys that the operation itself brings along.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub context: BTreeMap<String, String>,
    /// Why it is made, if not every such call needs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<&'static str>,
}

/// Why an operation cannot be expanded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadOperation(pub String);

impl fmt::Display for BadOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadOperation {}

/// What bears on a check: the policies, and whose the resource is, if its ARN does not say.
#[derive(Debug, Clone, Copy)]
pub struct Bearing<'l> {
    /// The policies.
    pub layers: &'l Layers,
    /// The account of the resource.
    pub account: Option<&'l str>,
}

/// An answer for a whole operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OperationDecision {
    /// Whether all checks pass; nothing if none fails and of some the policies are not known.
    pub allowed: Option<bool>,
    /// Each check with its answer; nothing if its policies are not known.
    pub checks: Vec<(Check, Option<Outcome>)>,
}

// A test holds that the table can be read. Without it there would be no operations, which is an error for every caller.
static TABLE: LazyLock<Operations> =
    LazyLock::new(|| serde_json::from_str(include_str!("table.json")).unwrap_or_default());

/// The table of operations.
#[must_use]
pub fn operations() -> &'static Operations {
    &TABLE
}

/// The operation of this name, such as `s3:CopyObject`, in letters of any case.
#[must_use]
pub fn operation(name: &str) -> Option<&'static Operation> {
    TABLE.operations.iter().find(|operation| operation.name.eq_ignore_ascii_case(name))
}

impl Operations {
    /// The day of the table, as `2026-11-21`.
    #[must_use]
    pub fn as_of(&self) -> &str {
        &self.as_of
    }

    /// The operations, service by service.
    pub fn iter(&self) -> std::slice::Iter<'_, Operation> {
        self.operations.iter()
    }
}

impl<'a> IntoIterator for &'a Operations {
    type Item = &'a Operation;
    type IntoIter = std::slice::Iter<'a, Operation>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Operation {
    /// Its name, such as `s3:CopyObject`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Title and address of the page that its row follows.
    #[must_use]
    pub fn source(&self) -> (&'static str, &'static str) {
        TABLE.sources.get(&self.source).map_or(("", ""), |page| (&page.title, &page.url))
    }

    /// Every parameter that it takes: by name, and what giving it means, if it is an option.
    #[must_use]
    pub fn parameters(&self) -> BTreeMap<&str, Option<&'static str>> {
        let mut all = BTreeMap::new();
        for rule in &self.checks {
            let texts = rule.context.values().chain([&rule.resource]);
            for name in texts.flat_map(|text| names(text)) {
                all.entry(name).or_insert(None);
                let default = TABLE.defaults.get(name).map_or("", String::as_str);
                for name in names(default) {
                    all.entry(name).or_insert(None);
                }
            }
            if let Some(option) = &rule.when {
                all.insert(option, TABLE.options.get(option).map(String::as_str));
            }
        }
        all
    }
}

/// The names between `${` and `}`.
fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split("${").skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
}

/// The checks of a call with these parameters, in the order of the table. They are called as in the API, beside
/// `Region`, `Account` and, if it is not `aws`, `Partition`; keys and roles are given by ARN. Objects that S3 encrypts
/// under a bucket key have the ARN of the bucket as `EncryptedArn`.
///
/// # Errors
/// If a parameter is missing, or is none of this operation.
pub fn expand(
    operation: &Operation,
    parameters: &BTreeMap<String, String>,
) -> Result<Vec<Check>, BadOperation> {
    let known = operation.parameters();
    let common = ["Region", "Account", "Partition"];
    if let Some(stranger) =
        parameters.keys().find(|name| !known.contains_key(name.as_str()) && !common.contains(&name.as_str()))
    {
        let takes: Vec<&str> = known.keys().copied().collect();
        let takes = takes.join(", ");
        return Err(BadOperation(format!(
            "`{}` has no parameter `{stranger}`; it has {takes}",
            operation.name
        )));
    }
    let made = |rule: &&Rule| rule.when.as_ref().is_none_or(|option| parameters.contains_key(option));
    let fill = |text: &str| fill(operation, text, parameters);
    let check = |rule: &Rule| {
        let context = rule.context.iter().map(|(key, value)| Ok((key.clone(), fill(value)?)));
        let because = rule.when.as_ref().and_then(|option| TABLE.options.get(option));
        Ok(Check {
            action: rule.action.clone(),
            resource: fill(&rule.resource)?,
            context: context.collect::<Result<_, _>>()?,
            because: because.map(String::as_str),
        })
    };
    operation.checks.iter().filter(made).map(check).collect()
}

/// Puts the parameters in; what is not given has a default or is an error.
fn fill(
    operation: &Operation,
    text: &str,
    parameters: &BTreeMap<String, String>,
) -> Result<String, BadOperation> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        let (name, left) = after.split_once('}').unwrap_or((after, ""));
        match (parameters.get(name), TABLE.defaults.get(name)) {
            (Some(value), _) => out.push_str(value),
            (None, Some(default)) => out.push_str(&fill(operation, default, parameters)?),
            (None, None) => {
                return Err(BadOperation(format!("`{}` needs the parameter `{name}`", operation.name)));
            }
        }
        rest = left;
    }
    out.push_str(rest);
    Ok(out)
}

/// Decides every check of an operation. `bearing` gives the policies of a check; of what it does not know the answer is
/// not known, which is never a pass.
///
/// # Errors
/// If a check is no request, because a parameter made it so.
pub fn decide_operation<'l>(
    checks: Vec<Check>,
    caller: &Principal,
    context: &Context,
    bearing: impl Fn(&Check) -> Option<Bearing<'l>>,
) -> Result<OperationDecision, BadRequest> {
    let mut decided = Vec::with_capacity(checks.len());
    for check in checks {
        let outcome = match bearing(&check) {
            None => None,
            Some(bearing) => {
                let request = request(&check, caller, context, bearing.account)?;
                Some(decide(bearing.layers, &request).outcome)
            }
        };
        decided.push((check, outcome));
    }
    let failed = decided.iter().any(|(_, outcome)| outcome.is_some_and(|it| it != Outcome::Allowed));
    let unknown = decided.iter().any(|(_, outcome)| outcome.is_none());
    let allowed = if failed { Some(false) } else { (!unknown).then_some(true) };
    Ok(OperationDecision { allowed, checks: decided })
}

/// The request that a check stands for. What the operation brings along overrides the context of the caller.
///
/// # Errors
/// If it is none.
pub fn request(
    check: &Check,
    caller: &Principal,
    context: &Context,
    account: Option<&str>,
) -> Result<Request, BadRequest> {
    let mut context = context.clone();
    for (key, value) in &check.context {
        context.set(key, Values::One(value.as_str().into()));
    }
    if let (true, Some(account)) = (check.action.starts_with("kms:"), caller.account()) {
        context.set("kms:CallerAccount", Values::One(account.into()));
    }
    Request::new(caller.clone(), &check.action, &check.resource, account, context)
}

impl OperationDecision {
    /// The checks that do not pass.
    pub fn failing(&self) -> impl Iterator<Item = &Check> {
        let failing = self.checks.iter().filter(|(_, outcome)| *outcome != Some(Outcome::Allowed));
        failing.map(|(check, _)| check)
    }
}

impl fmt::Display for OperationDecision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = match self.allowed {
            Some(true) => "allowed",
            Some(false) => "not allowed",
            None => "not known",
        };
        writeln!(f, "{all}")?;
        for (check, outcome) in &self.checks {
            let one = match outcome {
                Some(Outcome::Allowed) => "allowed",
                Some(Outcome::ExplicitlyDenied) => "denied",
                Some(Outcome::ImplicitlyDenied) => "not allowed",
                None => "not known",
            };
            write!(f, "  {one}: `{}` on `{}`", check.action, check.resource)?;
            match check.because {
                Some(because) => writeln!(f, ", because {because}")?,
                None => writeln!(f)?,
            }
        }
        Ok(())
    }
}
