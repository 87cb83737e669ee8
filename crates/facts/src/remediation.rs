//! Plans that put resources right: what is looked at, what it must be before and after, what is called for that, and what
//! undoes it. Data only: whoever carries a plan out makes no choices.

use crate::{Digest, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The form of this document.
const FORM: &str = "wardmote-remediation/1";
/// A plan that is longer is more than a person can read.
pub const MAX_STEPS: usize = 1_000;
/// What a plan's file may be.
pub const MAX_PLAN_BYTES: usize = 16 << 20;
/// The member that stands for a value of what was found after the change, by its path there (RFC 6901).
pub const AFTER: &str = "$after";

/// One call of a service's API.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// The service, as in permissions: `s3`.
    pub service: String,
    /// The operation, as its API reference names it: `PutBucketEncryption`.
    pub operation: String,
    /// The region, if not that of the plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Its parameters, named as in its API reference.
    pub parameters: Map<String, Value>,
}

/// A look at a part of a resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Look {
    /// What is asked.
    pub call: Call,
    /// Where in the answer it is (RFC 6901); empty for all of it.
    pub at: String,
    /// If there is a list: the item with this member and value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whose: Option<(String, String)>,
    /// Only these members of it; none for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
    /// Whether it is the text of a policy.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub document: bool,
}

/// One change of one part of a resource; done whole or not at all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// How the part is looked at.
    pub look: Look,
    /// What it is; nothing is done if it is something else by then.
    pub before: Value,
    /// What it becomes; what is not said here is the service's to say.
    pub after: Value,
    /// What does it.
    pub calls: Vec<Call>,
    /// What undoes it.
    pub inverse: Vec<Call>,
    /// What undoing leaves, if that is not what it was before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undone: Option<Value>,
}

/// How deep a step cuts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// A setting is changed where it is.
    Patch,
    /// Something that is missing is made.
    Create,
    /// Something that cannot be changed is made anew beside the old, and used in its place.
    Replace,
    /// Something is taken from whoever uses it.
    Quarantine,
    /// Only a person can know whether it is right.
    Human,
}

impl Class {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Patch => "patch",
            Self::Create => "create",
            Self::Replace => "replace",
            Self::Quarantine => "quarantine",
            Self::Human => "human",
        }
    }

    /// Whether a second person must agree in production.
    #[must_use]
    pub fn needs_four_eyes(self) -> bool {
        matches!(self, Self::Replace | Self::Quarantine | Self::Human)
    }
}

/// A resource by type and id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The type, as CloudFormation calls it.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its primary identifier.
    pub id: String,
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} `{}`", self.kind, self.id)
    }
}

/// What puts one finding right.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// From 1.
    pub number: u32,
    /// The fix: `enable_kms_encryption`.
    pub fix: String,
    /// The control that is broken.
    pub control: String,
    /// The resource that it is broken on.
    pub resource: Target,
    /// The resource on which it must hold afterwards.
    pub proof: Target,
    /// Why it is broken.
    pub why: String,
    /// How deep it cuts.
    pub class: Class,
    /// Whether the resource is in production; if nobody says so, it is.
    pub production: bool,
    /// Who and what is touched, in sentences.
    pub touches: Vec<String>,
    /// The IAM actions that carrying it out and undoing it need.
    pub needs: Vec<String>,
    /// In this order.
    pub changes: Vec<Change>,
}

/// A finding that is not put right, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotPlanned {
    /// The control.
    pub control: String,
    /// The resource.
    pub resource: Target,
    /// In one sentence.
    pub because: String,
}

/// A plan, for one account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    form: String,
    /// The account's id.
    pub account: String,
    /// The region.
    pub region: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// What is done, in this order.
    pub steps: Vec<Step>,
    /// What is not.
    pub not_planned: Vec<NotPlanned>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanFile {
    digest: Digest,
    plan: Plan,
}

impl Plan {
    /// A plan of nothing yet.
    #[must_use]
    pub fn new(account: &str, region: &str, made_at: Timestamp) -> Self {
        Self {
            form: FORM.to_owned(),
            account: account.to_owned(),
            region: region.to_owned(),
            made_at,
            steps: Vec::new(),
            not_planned: Vec::new(),
        }
    }

    /// The digest of everything in it, however it is written down.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(self.canonical().as_bytes())
    }

    /// The plan in its one spelling.
    #[must_use]
    pub fn canonical(&self) -> String {
        // A plan is texts, truths and numbers, which always have a JSON form.
        let mut value = serde_json::to_value(self).unwrap_or_default();
        value.sort_all_objects();
        value.to_string()
    }

    /// The plan as people keep it, with its digest.
    #[must_use]
    pub fn to_file(&self) -> String {
        let file = PlanFile { digest: self.digest(), plan: self.clone() };
        serde_json::to_string_pretty(&file).unwrap_or_default() + "\n"
    }

    /// Reads what [`Plan::to_file`] wrote.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn from_file(text: &str) -> Result<Self, String> {
        if text.len() > MAX_PLAN_BYTES {
            return Err(format!("it has {} bytes; at most {MAX_PLAN_BYTES} are read", text.len()));
        }
        let file: PlanFile = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let found = file.plan.checked()?;
        if found.digest() != file.digest {
            return Err("it was changed after it was made: its digest is that of another plan".to_owned());
        }
        Ok(found)
    }

    /// Reads what [`Plan::canonical`] wrote.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn from_canonical(text: &str) -> Result<Self, String> {
        serde_json::from_str::<Self>(text).map_err(|error| error.to_string())?.checked()
    }

    fn checked(self) -> Result<Self, String> {
        if self.form != FORM {
            return Err(format!("its form is `{}`; expected `{FORM}`", self.form.escape_debug()));
        }
        if self.steps.len() > MAX_STEPS {
            return Err(format!("it has more than {MAX_STEPS} steps"));
        }
        let in_order = self.steps.iter().zip(1..).all(|(step, number)| step.number == number);
        if !in_order || self.steps.iter().any(|step| step.changes.is_empty()) {
            return Err("its steps are not numbered from 1, or one has no change".to_owned());
        }
        Ok(self)
    }

    /// Whether somebody else than who planned and who carries out must agree.
    #[must_use]
    pub fn needs_four_eyes(&self) -> bool {
        self.steps.iter().any(|step| step.production && step.class.needs_four_eyes())
    }
}

impl Call {
    /// The same call with what stands for values of `after` replaced by them; nothing if one is not there.
    #[must_use]
    pub fn filled(&self, after: &Value) -> Option<Self> {
        let parameters =
            self.parameters.iter().map(|(name, value)| Some((name.clone(), fill(value, after)?)));
        Some(Self { parameters: parameters.collect::<Option<_>>()?, ..self.clone() })
    }
}

fn fill(value: &Value, after: &Value) -> Option<Value> {
    Some(match value {
        Value::Object(members) => match members.get(AFTER).and_then(Value::as_str) {
            Some(path) => after.pointer(path)?.clone(),
            None => Value::Object(
                members
                    .iter()
                    .map(|(name, value)| Some((name.clone(), fill(value, after)?)))
                    .collect::<Option<_>>()?,
            ),
        },
        Value::Array(list) => list.iter().map(|value| fill(value, after)).collect::<Option<_>>()?,
        other => other.clone(),
    })
}

/// Whether everything that is wanted is there. More may be: services add what was not said.
#[must_use]
pub fn covers(there: &Value, wanted: &Value) -> bool {
    match (there, wanted) {
        (Value::Object(there), Value::Object(wanted)) => {
            wanted.iter().all(|(name, wanted)| there.get(name).is_some_and(|there| covers(there, wanted)))
        }
        (Value::Array(there), Value::Array(wanted)) => {
            there.len() == wanted.len()
                && there.iter().zip(wanted).all(|(there, wanted)| covers(there, wanted))
        }
        _ => there == wanted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn plan() -> Plan {
        let mut plan = Plan::new("123456789012", "eu-central-1", Timestamp::EPOCH);
        let call = Call {
            service: "s3".into(),
            operation: "PutX".into(),
            region: None,
            parameters: Map::from_iter([
                ("B".to_owned(), json!(1)),
                ("A".to_owned(), json!({"y": 1, "x": 2})),
            ]),
        };
        let look = Look { call: call.clone(), at: String::new(), whose: None, only: vec![], document: false };
        let change = Change {
            look,
            before: Value::Null,
            after: json!({}),
            calls: vec![call.clone()],
            inverse: vec![call],
            undone: None,
        };
        let target = Target { kind: "AWS::S3::Bucket".into(), id: "data".into() };
        plan.steps.push(Step {
            number: 1,
            fix: "x".into(),
            control: "S3-05".into(),
            resource: target.clone(),
            proof: target,
            why: "it is".into(),
            class: Class::Quarantine,
            production: true,
            touches: vec![],
            needs: vec![],
            changes: vec![change],
        });
        plan
    }

    #[test]
    fn a_plan_is_the_same_however_it_is_written_and_no_other() {
        let plan = plan();
        let read = Plan::from_file(&plan.to_file()).unwrap();
        assert_eq!((read.digest(), &read), (plan.digest(), &plan));
        assert_eq!(Plan::from_canonical(&plan.canonical()).unwrap().digest(), plan.digest());
        let other = plan.to_file().replace("\"data\"", "\"date\"");
        insta::assert_snapshot!(Plan::from_file(&other).unwrap_err(), @"it was changed after it was made: its digest is that of another plan");
        let other = plan.to_file().replace("remediation/1", "remediation/2");
        insta::assert_snapshot!(Plan::from_file(&other).unwrap_err(), @"its form is `wardmote-remediation/2`; expected `wardmote-remediation/1`");
        let other = plan.to_file().replace("\"number\": 1", "\"number\": 2");
        insta::assert_snapshot!(Plan::from_file(&other).unwrap_err(), @"its steps are not numbered from 1, or one has no change");
        assert!(Plan::from_file("{}").unwrap_err().contains("missing field"));
    }

    #[test]
    fn four_eyes_are_for_what_cuts_deep_in_production() {
        let mut plan = plan();
        assert!(plan.needs_four_eyes());
        plan.steps[0].production = false;
        assert!(!plan.needs_four_eyes());
        plan.steps[0] = Step { class: Class::Patch, production: true, ..plan.steps[0].clone() };
        assert!(!plan.needs_four_eyes());
    }

    #[test]
    fn what_a_service_adds_is_no_difference_and_what_is_missing_is() {
        let wanted = json!([{"a": 1, "b": {"c": [1]}}]);
        assert!(covers(&json!([{"a": 1, "b": {"c": [1], "d": 2}, "id": "x"}]), &wanted));
        assert!(!covers(&json!([{"a": 1, "b": {"c": [1, 2]}}]), &wanted));
        assert!(!covers(&json!([{"a": 1}]), &wanted) && !covers(&Value::Null, &wanted));
        assert!(covers(&Value::Null, &Value::Null) && !covers(&json!({}), &Value::Null));
    }

    #[test]
    fn an_inverse_takes_ids_from_what_was_made() {
        let mut call = plan().steps[0].changes[0].calls[0].clone();
        call.parameters = Map::from_iter([("Ids".to_owned(), json!([{ AFTER: "/0/id" }, "b"]))]);
        let filled = call.filled(&json!([{"id": "a"}])).unwrap();
        assert_eq!(filled.parameters["Ids"], json!(["a", "b"]));
        assert_eq!(call.filled(&Value::Null), None);
    }
}
