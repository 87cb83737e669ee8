//! Telling others: findings to AWS Security Hub, verdicts to rules of AWS Config.

use super::watch::{Round, Watch, item_of};
use crate::{Engine, Error};
use controls::{Finding, Origin, Posture, control_named};
use facts::{Timestamp, Verdict};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use trail::Asked;
use world::{Evaluation, FindingsHub, Letter, PortError, Queue, RuleAnswers};

/// What AWS Config takes of a note.
const NOTE: usize = 256;
/// So many findings go in one call.
const AT_ONCE: usize = 100;

/// What was told to Security Hub.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Pushed {
    /// Findings that were written.
    pub written: usize,
    /// Of these, findings that are over.
    pub resolved: usize,
    /// Findings that were not taken, with why.
    pub refused: Vec<(String, String)>,
}

/// What was told to AWS Config.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Evaluated {
    /// Questions that were answered.
    pub answered: usize,
    /// Verdicts in these answers.
    pub verdicts: usize,
    /// Questions that could not be answered, with why; they come again.
    pub failed: Vec<String>,
}

impl Watch {
    /// Brings what Security Hub has of ours in line with what is found now: what does not pass is there, what passes or is
    /// gone is archived, and what is there already keeps the time at which it was made.
    pub fn push_findings(&self, engine: &Engine, hub: &dyn FindingsHub) -> Result<Pushed, PortError> {
        let Some(posture) = &self.posture() else { return Ok(Pushed::default()) };
        let inventory = posture.inventory();
        let now = engine.ports.clock.now();
        let product = hub.product(&inventory.account)?;
        let mut known: BTreeMap<String, Value> = BTreeMap::new();
        for finding in hub.known(&inventory.account)? {
            let of_region = finding["Resources"][0]["Region"] == inventory.region.as_str();
            if let Some(id) = finding["Id"].as_str().filter(|_| of_region) {
                known.insert(id.to_owned(), finding.clone());
            }
        }
        let mut out = Vec::new();
        for mut finding in self.wanted(engine, posture, (&product, now)) {
            let before = finding["Id"].as_str().and_then(|id| known.remove(id));
            if let Some(before) = before {
                if same(&before, &finding) {
                    continue;
                }
                finding["CreatedAt"] = before["CreatedAt"].clone();
                // What people did with it is theirs.
                finding.as_object_mut().map(|members| members.remove("Workflow"));
            }
            out.push(finding);
        }
        let over: Vec<Value> = known.into_values().filter_map(|before| over(posture, &before, now)).collect();
        let resolved = over.len();
        out.extend(over);
        let mut pushed = Pushed { written: out.len(), resolved, refused: Vec::new() };
        for part in out.chunks(AT_ONCE) {
            pushed.refused.extend(hub.import(part)?);
        }
        pushed.written -= pushed.refused.len();
        Ok(pushed)
    }

    /// What does not pass, in the form of Security Hub; what a waiver lets stay is suppressed.
    fn wanted(&self, engine: &Engine, posture: &Posture, (product, now): (&str, Timestamp)) -> Vec<Value> {
        let inventory = posture.inventory();
        let mut report = posture.report();
        let today = now.date();
        let waivers: Vec<controls::Waiver> =
            engine.state().waivers().standing().map(|one| one.granted.what.clone()).collect();
        report.waive(&waivers, &today);
        let time = now.to_string();
        let origin = Origin { account: &inventory.account, region: &inventory.region, time: &time };
        let all = controls::asff_findings(&report, origin);
        let open = all.filter(|finding| finding["Compliance"]["Status"] != "PASSED");
        let own = |mut finding: Value| {
            finding["ProductArn"] = product.into();
            finding
        };
        open.map(own).collect()
    }

    /// Answers what AWS Config asked in a round; the messages are taken from the queue when the answer was taken.
    pub fn answer_rules(&self, round: &Round, (answers, queue): (&dyn RuleAnswers, &dyn Queue)) -> Evaluated {
        let mut evaluated = Evaluated::default();
        for (letter, asked) in &round.questions {
            let told = self.evaluations(asked).map_err(|error| error.to_string()).and_then(|all| {
                let mut parts: Vec<&[Evaluation]> = all.chunks(AT_ONCE).collect();
                if parts.is_empty() {
                    parts.push(&[]);
                }
                let each = parts.iter().try_for_each(|part| answers.answer(&asked.token, part));
                each.map(|()| all.len()).map_err(|error| error.to_string())
            });
            match told {
                Ok(verdicts) => {
                    evaluated.answered += 1;
                    evaluated.verdicts += verdicts;
                    done(queue, letter, &mut evaluated);
                }
                Err(why) => {
                    evaluated.failed.push(format!("the rule `{}` is not answered: {why}", asked.rule));
                }
            }
        }
        evaluated
    }

    /// Messages that ask for verdicts when nobody answers: they are taken from the queue, and that is said.
    pub fn leave_rules(&self, round: &mut Round, queue: &dyn Queue) {
        for (letter, asked) in std::mem::take(&mut round.questions) {
            round.remarks.push(format!(
                "AWS Config asks for verdicts of the rule `{}`, and nobody answers it: add `--push config`",
                asked.rule
            ));
            if let Err(error) = queue.delete(&[&letter]) {
                round.remarks.push(format!("messages that are done come again: {error}"));
            }
        }
    }

    /// What a rule is answered. What is not known is not compliant, with a note that says so: AWS Config takes no "unknown"
    /// from rules of customers, and the last answer would stand if there were none.
    fn evaluations(&self, asked: &Asked) -> Result<Vec<Evaluation>, Error> {
        let posture = self.posture().ok_or_else(|| Error::conflict("the account was not read yet"))?;
        let inventory = posture.inventory();
        let control = control_named(&asked.control).ok_or_else(|| {
            Error::not_found(format!("there is no control `{}`", asked.control.escape_debug()))
        })?;
        let time = asked.time.clone().unwrap_or_else(|| inventory.read_at.to_string());
        let Some(of) = &asked.resource else {
            return Ok(vec![of_account(posture, control.id, time)]);
        };
        let item = item_of(inventory, &of.kind, &of.id, &of.names).filter(|_| !of.gone);
        let named = item.and_then(|item| {
            let mut all = posture.resources();
            all.find(|(_, _, other)| other.is_some_and(|other| std::ptr::eq(other, item)))
                .map(|(_, id, _)| id.to_owned())
        });
        let found = named.as_ref().and_then(|id| {
            posture.findings().find(|one| {
                one.control() == control.id && one.subject.kind == of.kind && one.subject.id == *id
            })
        });
        let (compliant, note) = match found {
            Some(finding) => told(finding),
            None if of.gone => (None, "the resource is gone".to_owned()),
            None if inventory.read.contains(&of.kind) && item.is_none() => {
                (None, "the resource is gone".to_owned())
            }
            None if item.is_some() => (None, "the resource is out of scope".to_owned()),
            None => (Some(false), format!("not known: `{}` could not be listed", of.kind)),
        };
        Ok(vec![Evaluation { kind: of.kind.clone(), id: of.id.clone(), compliant, note: noted(&note), time }])
    }
}

fn done(queue: &dyn Queue, letter: &Letter, evaluated: &mut Evaluated) {
    if let Err(error) = queue.delete(&[letter]) {
        evaluated.failed.push(format!("a question that was answered comes again: {error}"));
    }
}

/// What is said of a finding.
fn told(finding: &Finding) -> (Option<bool>, String) {
    match &finding.verdict {
        Verdict::Holds => (Some(true), "it holds".to_owned()),
        Verdict::Broken { reason } => (Some(false), reason.clone()),
        Verdict::Unknown { missing } => (Some(false), format!("not known: {missing}")),
        Verdict::NotApplicable { reason } => (None, reason.clone()),
    }
}

/// What a rule that is asked now and then is answered: one verdict about the account.
fn of_account(posture: &Posture, control: &str, time: String) -> Evaluation {
    let of: Vec<&Finding> = posture.findings().filter(|one| one.control() == control).collect();
    let count = |what: fn(&Verdict) -> bool| of.iter().filter(|one| what(&one.verdict)).count();
    let broken = count(|verdict| matches!(verdict, Verdict::Broken { .. }));
    let unknown = count(|verdict| matches!(verdict, Verdict::Unknown { .. }));
    let holds = count(|verdict| matches!(verdict, Verdict::Holds));
    let (compliant, note) = match (broken + unknown, holds) {
        (0, 0) => (None, "there is nothing that it concerns".to_owned()),
        (0, _) => (Some(true), format!("it holds on {holds} resources")),
        _ => (Some(false), format!("broken on {broken} resources, not known on {unknown}, holds on {holds}")),
    };
    let id = posture.inventory().account.clone();
    Evaluation { kind: "AWS::::Account".to_owned(), id, compliant, note: noted(&note), time }
}

fn noted(note: &str) -> String {
    note.chars().take(NOTE).collect()
}

/// Whether Security Hub has it so already.
fn same(before: &Value, now: &Value) -> bool {
    let member = |path: &str| before.pointer(path) == now.pointer(path);
    ["/Compliance/Status", "/Description", "/Title", "/Severity/Label"].iter().all(|path| member(path))
}

/// What was found and is over; nothing if that is not certain: out of scope, or not listed this time.
fn over(posture: &Posture, before: &Value, now: Timestamp) -> Option<Value> {
    let control = before["GeneratorId"].as_str()?.strip_prefix("wardmote/")?;
    let resource = before["Resources"][0]["Id"].as_str()?;
    let kind = before["Resources"][0]["Details"]["Other"]["type"].as_str()?;
    let own =
        |one: &&Finding| one.control() == control && one.subject.kind == kind && one.subject.id == resource;
    let status = match posture.findings().find(own) {
        Some(finding) if finding.verdict.passes() => "PASSED",
        Some(_) => return None,
        None => {
            let there = posture.resources().any(|(of, id, _)| of == kind && id == resource);
            let listed = posture.inventory().read.contains(kind) || resource == format!("every {kind}");
            if there || !listed {
                return None;
            }
            "NOT_AVAILABLE"
        }
    };
    let mut over = before.clone();
    over["UpdatedAt"] = now.to_string().into();
    over["RecordState"] = "ARCHIVED".into();
    over["Compliance"] = json!({ "Status": status });
    let members = over.as_object_mut()?;
    for name in NOT_OURS {
        members.remove(name);
    }
    Some(over)
}

/// What only people and Security Hub itself write.
const NOT_OURS: [&str; 9] = [
    "Workflow",
    "WorkflowState",
    "ProcessedAt",
    "Note",
    "UserDefinedFields",
    "VerificationState",
    "FindingProviderFields",
    "Region",
    "AwsAccountName",
];
