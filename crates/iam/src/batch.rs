//! Cases line by line: JSON in, JSON out, each answered by itself. A line that cannot be read is answered with an
//! error and stops nothing.

use crate::eval::{Clause, Layers, OrganizationLevel, Program, decide};
use crate::kms::Grant;
use crate::policy::{Condition, Policy, PolicyKind, Test, Version};
use crate::prove::{Proof, difference};
use crate::request::{Context, Principal, Request, Values};
use crate::text::{Span, Spanned};
use crate::{Outcome, s3};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Lines longer than this are answered with an error.
const MAX_LINE_BYTES: usize = 16 << 20;

/// Answers one case. The answer is one line of JSON with the same id.
#[must_use]
pub fn answer_line(line: &str) -> String {
    let case: Value = match serde_json::from_str(line) {
        Ok(case) => case,
        Err(error) => {
            return json!({"id": null, "error": format!("this line is no JSON: {error}")}).to_string();
        }
    };
    let id = case.get("id").cloned().unwrap_or(Value::Null);
    let answer = if line.len() > MAX_LINE_BYTES {
        Err(format!("the line has {} bytes; at most {MAX_LINE_BYTES} are read", line.len()))
    } else {
        answer(&case)
    };
    let mut out = serde_json::Map::new();
    out.insert("id".to_owned(), id);
    match answer {
        Ok(fields) => out.extend(fields),
        Err(error) => {
            out.insert("error".to_owned(), error.into());
        }
    }
    Value::Object(out).to_string()
}

type Fields = serde_json::Map<String, Value>;

fn answer(case: &Value) -> Result<Fields, String> {
    let value = match case.get("kind").and_then(Value::as_str) {
        Some("authorize") => authorize(case)?,
        Some("operator") => operator(case)?,
        Some("condition") => condition(case)?,
        Some("s3_public") => {
            let policy = policy(case.get("policy").unwrap_or(&Value::Null), "policy")?;
            json!({"result": if s3::is_public(&policy) { "public" } else { "nonPublic" }})
        }
        Some("diff") => diff(case)?,
        Some(other) => {
            return Err(format!(
                "there is no kind `{other}`; the kinds are authorize, operator, condition, s3_public, diff"
            ));
        }
        None => {
            return Err(
                "the case has no `kind`; the kinds are authorize, operator, condition, s3_public, diff"
                    .to_owned(),
            );
        }
    };
    match value {
        Value::Object(fields) => Ok(fields),
        other => Err(format!("no answer but `{other}`")),
    }
}

/// The parts of a case that hold JSON of a known shape.
fn part<T: for<'d> Deserialize<'d>>(case: &Value) -> Result<T, String> {
    T::deserialize(case).map_err(|error| error.to_string())
}

fn policy(value: &Value, name: &str) -> Result<Policy, String> {
    let text = value.to_string();
    Policy::parse(name, &text).map_err(|malformed| {
        let first = malformed.0.first();
        first.map_or_else(
            || "no policy".to_owned(),
            |d| format!("`{name}`: {} (column {})", d.message, d.column),
        )
    })
}

#[derive(Deserialize)]
struct AuthorizeCase {
    #[serde(default)]
    policies: PoliciesPart,
    request: RequestPart,
}

/// The policies of a case, by layer.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct PoliciesPart {
    #[serde(default)]
    identity: Option<Vec<Value>>,
    #[serde(default)]
    resource: Option<Value>,
    #[serde(default)]
    boundaries: Option<Vec<Value>>,
    #[serde(default)]
    session: Option<Value>,
    #[serde(default)]
    endpoint: Option<Vec<Value>>,
    #[serde(default)]
    scp: Option<Vec<LevelPart>>,
    #[serde(default)]
    rcp: Option<Vec<LevelPart>>,
    #[serde(default)]
    grants: Option<Vec<Grant>>,
    #[serde(default)]
    s3: Option<s3::Settings>,
}

#[derive(Deserialize)]
struct LevelPart {
    #[serde(rename = "orgIdentifier", default)]
    org_identifier: String,
    #[serde(default)]
    policies: Vec<Value>,
}

/// The request of a case.
#[derive(Deserialize)]
pub(crate) struct RequestPart {
    principal: PrincipalPart,
    action: String,
    resource: String,
    #[serde(rename = "resourceAccount", default)]
    resource_account: Option<String>,
    #[serde(default)]
    context: Option<BTreeMap<String, ValuePart>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum PrincipalPart {
    Name(String),
    Sort {
        #[serde(rename = "type")]
        sort: String,
    },
}

/// A value or a list of values; numbers and booleans are taken as their text.
#[derive(Deserialize)]
#[serde(untagged)]
enum ValuePart {
    Many(Vec<Value>),
    One(Value),
}

fn scalar(value: &Value) -> Result<Box<str>, String> {
    match value {
        Value::String(text) => Ok(text.as_str().into()),
        Value::Bool(_) | Value::Number(_) => Ok(value.to_string().into()),
        _ => Err(format!("`{value}` is no value of a condition key; expected a string or a list of strings")),
    }
}

impl ValuePart {
    fn values(&self) -> Result<Values, String> {
        Ok(match self {
            Self::One(value) => Values::One(scalar(value)?),
            Self::Many(list) => Values::Many(list.iter().map(scalar).collect::<Result<_, _>>()?),
        })
    }
}

fn context(keys: Option<BTreeMap<String, ValuePart>>) -> Result<Context, String> {
    let mut context = Context::default();
    for (key, value) in keys.unwrap_or_default() {
        context.set(&key, value.values()?);
    }
    Ok(context)
}

impl RequestPart {
    pub(crate) fn read(self) -> Result<Request, String> {
        let principal = match self.principal {
            PrincipalPart::Name(name) => Principal::parse(&name),
            PrincipalPart::Sort { sort } if sort.eq_ignore_ascii_case("anonymous") => Principal::Anonymous,
            PrincipalPart::Sort { sort } => {
                return Err(format!(
                    "there is no principal of type `{sort}`; expected an ARN, a service, or the type `Anonymous`"
                ));
            }
        };
        let context = context(self.context)?;
        let account = self.resource_account.as_deref();
        Request::new(principal, &self.action, &self.resource, account, context).map_err(|bad| bad.to_string())
    }
}

impl PoliciesPart {
    pub(crate) fn read(self, request: &Request) -> Result<Layers, String> {
        let kind = match request.service() {
            "kms" => PolicyKind::KmsKey,
            "sts" => PolicyKind::Trust,
            _ => PolicyKind::Resource,
        };
        let one = |value: Option<Value>, kind: PolicyKind, name: &str| -> Result<Vec<Program>, String> {
            let given = value.filter(|value| !value.is_null());
            given.iter().map(|value| Ok(Program::new(policy(value, name)?, kind))).collect()
        };
        Ok(Layers {
            identity: programs(self.identity, PolicyKind::Identity, "identity")?,
            resource: one(self.resource, kind, "resource")?.pop(),
            boundaries: programs(self.boundaries, PolicyKind::Boundary, "boundaries")?,
            session: one(self.session, PolicyKind::Session, "session")?,
            endpoint: programs(self.endpoint, PolicyKind::Endpoint, "endpoint")?,
            scp: levels(self.scp, PolicyKind::Scp, "scp")?,
            rcp: levels(self.rcp, PolicyKind::Rcp, "rcp")?,
            grants: self.grants.unwrap_or_default(),
            s3: self.s3.unwrap_or_default(),
        })
    }
}

fn programs(values: Option<Vec<Value>>, kind: PolicyKind, name: &str) -> Result<Vec<Program>, String> {
    let numbered = values.unwrap_or_default().into_iter().enumerate();
    numbered.map(|(at, value)| Ok(Program::new(policy(&value, &format!("{name}[{at}]"))?, kind))).collect()
}

fn levels(
    values: Option<Vec<LevelPart>>,
    kind: PolicyKind,
    name: &str,
) -> Result<Vec<OrganizationLevel>, String> {
    let level = |(at, level): (usize, LevelPart)| {
        let policies = programs(Some(level.policies), kind, &format!("{name}[{at}].policies"))?;
        Ok(OrganizationLevel { id: level.org_identifier.into(), policies })
    };
    values.unwrap_or_default().into_iter().enumerate().map(level).collect()
}

#[derive(Serialize)]
struct Authorized {
    decision: Outcome,
    #[serde(rename = "blockedBy")]
    blocked_by: Vec<crate::Layer>,
}

fn authorize(case: &Value) -> Result<Value, String> {
    let case: AuthorizeCase = part(case)?;
    let request = case.request.read()?;
    let layers = case.policies.read(&request)?;
    let decision = decide(&layers, &request);
    let authorized = Authorized { decision: decision.outcome, blocked_by: decision.blocked_by().collect() };
    serde_json::to_value(authorized).map_err(|error| error.to_string())
}

/// Reads a request in the form in which cases give it.
///
/// # Errors
/// What is wrong with it, in one sentence.
pub fn read_request(text: &str) -> Result<Request, String> {
    let part: RequestPart =
        serde_json::from_str(text).map_err(|error| format!("this is no request: {error}"))?;
    part.read()
}

/// Whether each of two policies lets a request through that the other does not.
fn diff(case: &Value) -> Result<Value, String> {
    let read = |name: &str| policy(case.get(name).unwrap_or(&Value::Null), name);
    let (a, b) = (read("a")?, read("b")?);
    let mut out = Fields::new();
    for (name, proof) in [("a_minus_b", difference(&a, &b)), ("b_minus_a", difference(&b, &a))] {
        let verdict = proof.exists().map_or_else(|| Value::from("unknown"), Value::from);
        out.insert(name.to_owned(), verdict);
        match proof {
            Proof::Witness(request) => {
                out.insert(format!("witness_{name}"), request_json(&request));
            }
            Proof::Unknown(cause) => {
                out.insert(format!("cause_{name}"), cause.into());
            }
            Proof::Proved => {}
        }
    }
    Ok(Value::Object(out))
}

/// A request in the form in which cases give it.
#[must_use]
pub fn request_json(request: &Request) -> Value {
    let principal = match request.principal() {
        Principal::Anonymous => json!({"type": "Anonymous"}),
        other => Value::from(other.to_string()),
    };
    let value = |values: &Values| match values {
        Values::One(value) => Value::from(&**value),
        Values::Many(list) => list.iter().map(|value| Value::from(&**value)).collect(),
    };
    let context: Fields =
        request.context().spelled().map(|(key, values)| (key.to_owned(), value(values))).collect();
    json!({
        "principal": principal,
        "action": request.written_action(),
        "resource": request.resource(),
        "resourceAccount": request.resource_account(),
        "context": context,
    })
}

#[derive(Deserialize)]
struct OperatorCase {
    operator: String,
    #[serde(rename = "policyValues")]
    policy_values: ValuePart,
    #[serde(rename = "requestValue", default)]
    request_value: Option<ValuePart>,
    #[serde(default)]
    context: Option<BTreeMap<String, ValuePart>>,
}

/// The name under which an operator case asks; no real key has a space.
const ASKED: &str = "the value";

fn operator(case: &Value) -> Result<Value, String> {
    let case: OperatorCase = part(case)?;
    let mut context = context(case.context)?;
    if let Some(value) = case.request_value {
        context.set(ASKED, value.values()?);
    }
    Ok(json!({"result": holds(&case.operator, ASKED, &case.policy_values, &context)?}))
}

#[derive(Deserialize)]
struct ConditionCase {
    conditions: Vec<ConditionPart>,
    #[serde(default)]
    context: Option<BTreeMap<String, ValuePart>>,
}

#[derive(Deserialize)]
struct ConditionPart {
    operator: String,
    key: String,
    values: ValuePart,
}

fn condition(case: &Value) -> Result<Value, String> {
    let case: ConditionCase = part(case)?;
    let context = context(case.context)?;
    let mut all = true;
    for condition in &case.conditions {
        all &= holds(&condition.operator, &condition.key, &condition.values, &context)?;
    }
    Ok(json!({ "result": all }))
}

/// Whether a condition holds; an operator that does not exist never does.
fn holds(operator: &str, key: &str, values: &ValuePart, context: &Context) -> Result<bool, String> {
    let spanned = |text: &str| Spanned { text: text.to_owned(), span: Span::default() };
    let listed = match values {
        ValuePart::One(value) => vec![spanned(&scalar(value)?)],
        ValuePart::Many(list) => {
            list.iter().map(|v| Ok(spanned(&scalar(v)?))).collect::<Result<_, String>>()?
        }
    };
    let test = Test::named(operator);
    let condition = Condition { operator: spanned(operator), test, key: spanned(key), values: listed };
    Ok(Clause::new(&condition, Version::V2012).is_some_and(|clause| clause.holds(context)))
}
