//! Fixes: what puts a broken control right. Each is data and a function from what there is to the changes that are needed,
//! each with its inverse; nothing here calls anybody. A plan is made of what is broken, never of what is unknown.

mod keys;
mod logs;
mod models;
mod network;
mod serving;
mod storage;
mod subject;

use crate::live::live;
use crate::report::{self, Finding, scan};
use crate::resource::{Estate, Resource};
use crate::selection::Selection;
use facts::inventory::Inventory;
use facts::remediation::{Change, Class, Look, MAX_STEPS, NotPlanned, Plan, Step, Target};
use facts::{Timestamp, Verdict};
use serde_json::Value;
pub(crate) use subject::Subject;

/// What people decide beforehand, because no inventory says it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// The customer key that encrypts, by its ARN.
    pub kms_key: Option<String>,
    /// The bucket that logs go to.
    pub log_bucket: Option<String>,
    /// The bucket that captured traffic goes to.
    pub capture_bucket: Option<String>,
}

/// Looks at a part of a resource, or says why it cannot.
pub type Looks<'l> = &'l mut dyn FnMut(&Look) -> Result<Value, String>;

/// Makes the changes of a fix, or says why there are none.
type Changes = fn(&Subject<'_>, Looks<'_>) -> Result<Vec<Change>, String>;

/// Which resource shows that a fix did what it should.
type Proof = fn(&[Change]) -> Option<Target>;

/// What puts one control right on one type of resource.
#[derive(Debug, Clone, Copy)]
pub struct Fix {
    /// What it is called.
    pub name: &'static str,
    /// The control, or the part of one.
    pub control: &'static str,
    /// The type of the resource.
    pub kind: &'static str,
    /// How deep it cuts.
    pub class: Class,
    /// What it does, in one sentence.
    pub does: &'static str,
    /// Who notices, in one sentence.
    pub touches: &'static str,
    pub(crate) changes: Changes,
    /// Which resource the control is asked of afterwards, if it is another.
    pub(crate) proof: Option<Proof>,
}

const TABLES: [&[Fix]; 6] =
    [storage::FIXES, keys::FIXES, logs::FIXES, network::FIXES, serving::FIXES, models::FIXES];

/// All fixes, by topic.
pub fn fixes() -> impl Iterator<Item = &'static Fix> {
    TABLES.into_iter().flatten()
}

/// Plans what puts right whatever is broken of the selection.
#[must_use]
pub fn plan_fixes(
    inventory: &Inventory,
    selection: &Selection,
    (options, made_at): (&Options, Timestamp),
    look: Looks<'_>,
) -> Plan {
    let estate = live(inventory);
    let report = scan(&estate, &selection.clone().with_parts());
    let mut plan = Plan::new(&inventory.account, &inventory.region, made_at);
    let broken: Vec<Broken<'_>> = report
        .findings()
        .iter()
        .filter(|finding| matches!(finding.verdict, Verdict::Broken { .. }))
        .map(|finding| (finding.control(), &*finding.subject))
        .collect();
    for finding in report.findings() {
        let unclear = subject_of(&estate, finding).is_some_and(|resource| selection.is_unclear(resource));
        let planned = match &finding.verdict {
            Verdict::Holds | Verdict::NotApplicable { .. } => continue,
            // Nobody's bucket is touched because its tags could not be read.
            Verdict::Broken { .. } if unclear => {
                Err("whether it is in scope is not known: its tags could not be read".to_owned())
            }
            // Of a whole that is not known, the parts say nothing new.
            Verdict::Unknown { .. } if finding.about.part_of().is_some() => continue,
            Verdict::Unknown { missing } => Err(format!("it is not known whether it is broken: {missing}")),
            Verdict::Broken { reason } => {
                match step(&Case { inventory, estate: &estate, finding, reason }, options, &mut *look) {
                    Some(planned) => planned.and_then(|step| fits(&plan, step)),
                    None if is_said_by_others(finding, &broken) => continue,
                    None => Err(format!(
                        "there is no fix for it; `wardmote controls explain {}` says what to do",
                        finding.control()
                    )),
                }
            }
        };
        match planned {
            Ok(step) => plan.steps.push(step),
            Err(because) => {
                let resource = target(finding);
                plan.not_planned.push(NotPlanned {
                    control: finding.control().to_owned(),
                    resource,
                    because,
                });
            }
        }
    }
    for (step, number) in plan.steps.iter_mut().zip(1..) {
        step.number = number;
    }
    plan
}

/// What a control says of one resource now.
#[must_use]
pub fn verdict_on(inventory: &Inventory, control: &str, resource: &Target) -> Verdict {
    let gone = || Verdict::Unknown { missing: format!("there is no {resource} any more") };
    let Ok(selection) = Selection::default().control(control) else { return gone() };
    let report = scan(&live(inventory), &selection);
    let found =
        report.findings().iter().find(|finding| finding.control() == control && target(finding) == *resource);
    found.map_or_else(gone, |finding| finding.verdict.clone())
}

struct Case<'a> {
    inventory: &'a Inventory,
    estate: &'a Estate,
    finding: &'a Finding,
    reason: &'a str,
}

/// The step for a finding, or why there is none; nothing if no fix is for such findings.
fn step(case: &Case<'_>, options: &Options, look: Looks<'_>) -> Option<Result<Step, String>> {
    let finding = case.finding;
    let fix = fixes().find(|fix| fix.control == finding.control() && fix.kind == finding.subject.kind)?;
    let resource = target(finding);
    let own = |item: &&facts::inventory::Item| item.kind == resource.kind && item.id == resource.id;
    let Some(item) = case.inventory.resources.iter().find(own) else {
        return Some(Err("it is not among what was read".to_owned()));
    };
    let subject = Subject { inventory: case.inventory, item, options };
    let changes = match (fix.changes)(&subject, look) {
        Ok(changes) if changes.is_empty() => {
            return Some(Err("what was looked at now is as it must be: audit again".to_owned()));
        }
        Ok(changes) => changes,
        Err(because) => return Some(Err(because)),
    };
    let mut touches = vec![fix.touches.to_owned()];
    touches.extend(users(case));
    let proof = fix.proof.and_then(|proof| proof(&changes)).unwrap_or_else(|| resource.clone());
    Some(Ok(Step {
        number: 0,
        fix: fix.name.to_owned(),
        control: fix.control.to_owned(),
        proof,
        why: case.reason.to_owned(),
        class: fix.class,
        production: subject.is_production(),
        touches,
        needs: Vec::new(),
        changes,
        resource,
    }))
}

/// What refers to the resource, as far as it was read.
fn users(case: &Case<'_>) -> Vec<String> {
    const SHOWN: usize = 20;
    let Some(resource) = subject_of(case.estate, case.finding) else { return Vec::new() };
    let mut users: Vec<String> =
        case.estate.referrers(resource).map(|user| format!("used by {} `{}`", user.kind, user.id)).collect();
    users.sort();
    let more = users.len().saturating_sub(SHOWN);
    users.truncate(SHOWN);
    if more > 0 {
        users.push(format!("and by {more} more"));
    }
    if users.is_empty() {
        users.push("nothing that was read refers to it".to_owned());
    }
    users
}

/// Two steps that change the same part would each undo the other.
fn fits(plan: &Plan, step: Step) -> Result<Step, String> {
    if plan.steps.len() >= MAX_STEPS {
        return Err(format!("a plan has at most {MAX_STEPS} steps: plan again when this one is done"));
    }
    for (other, number) in plan.steps.iter().zip(1..) {
        for change in &step.changes {
            let same = other.changes.iter().find(|other| other.look == change.look);
            match same {
                Some(same) if same.after == change.after => return Err(format!("step {number} does it too")),
                Some(_) => {
                    return Err(format!("step {number} changes the same part: plan again when it is done"));
                }
                None => {}
            }
        }
    }
    Ok(step)
}

/// What is broken of what.
type Broken<'r> = (&'r str, &'r report::Subject);

/// Whether a whole or its parts, or the resource that it belongs to, speak for it.
fn is_said_by_others(finding: &Finding, broken: &[Broken<'_>]) -> bool {
    let is_broken = |control: &str| broken.contains(&(control, &*finding.subject));
    let has_fix =
        |control: &str| fixes().any(|fix| fix.control == control && fix.kind == finding.subject.kind);
    let parts_speak = |whole: &str| {
        let of_whole = |fix: &Fix| fix.control.split_once('.').is_some_and(|(name, _)| name == whole);
        !has_fix(whole)
            && fixes().any(|fix| of_whole(fix) && fix.kind == finding.subject.kind && is_broken(fix.control))
    };
    // A policy is put right where its bucket is.
    let by_bucket = finding.subject.kind == "AWS::S3::BucketPolicy"
        && fixes().any(|fix| fix.control == finding.control() && fix.kind == "AWS::S3::Bucket");
    by_bucket
        || match finding.about.part_of() {
            Some(whole) => is_broken(whole) && !parts_speak(whole),
            None => parts_speak(finding.control()),
        }
}

/// The resource of a finding.
fn subject_of<'e>(estate: &'e Estate, finding: &Finding) -> Option<&'e Resource> {
    estate.known_as(&finding.subject.kind, &finding.subject.id)
}

/// The same, as the inventory calls it.
fn target(finding: &Finding) -> Target {
    Target { kind: finding.subject.kind.clone(), id: finding.subject.id.clone() }
}
