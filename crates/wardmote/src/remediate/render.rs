//! Plans and what became of them, for people.

use crate::answer;
use engine::{Ended, PlanOnRecord, PlanOutcome};
use facts::EvidenceId;
use facts::remediation::{Call, Plan, Step};
use std::fmt::Write as _;
use std::path::Path;

pub(super) fn fixes() -> String {
    let mut out = String::new();
    for fix in ::controls::fixes() {
        let _ = writeln!(out, "{:18}  {:10}  {}: {}", fix.control, fix.class.name(), fix.name, fix.does);
    }
    out
}

pub(super) fn plan(plan: &Plan, out: &Path, evidence: &[EvidenceId]) -> String {
    let mut text = format!(
        "plan {} for account {} in {}: {}\n",
        plan.digest().short(),
        plan.account,
        plan.region,
        counted(plan.steps.len(), "step")
    );
    plan.steps.iter().for_each(|one| step(one, &mut text));
    if !plan.not_planned.is_empty() {
        text.push_str("\nnot planned\n");
    }
    for not in &plan.not_planned {
        let _ = writeln!(text, "  {} on {}: {}", not.control, not.resource, not.because);
    }
    let _ = write!(text, "\nwrote {}\n", out.display());
    if plan.steps.is_empty() {
        text.push_str("there is nothing to approve\n");
    } else if plan.needs_four_eyes() {
        text.push_str(
            "it cuts deep in production: somebody else has to approve it with `wardmote remediate approve`\n",
        );
    } else {
        text.push_str("next: `wardmote remediate approve`\n");
    }
    text + &answer::evidence(evidence)
}

fn step(step: &Step, out: &mut String) {
    let stage = if step.production { "production" } else { "not in production" };
    let (number, class) = (step.number, step.class.name());
    let _ = write!(
        out,
        "\nstep {number}: {} on {} ({}, {class}, {stage})\n",
        step.fix, step.resource, step.control
    );
    let _ = writeln!(out, "  why      {}", step.why);
    for touched in &step.touches {
        let _ = writeln!(out, "  touches  {touched}");
    }
    for change in &step.changes {
        let _ = writeln!(out, "  before   {}", change.before);
        let _ = writeln!(out, "  after    {}", change.after);
        change.calls.iter().for_each(|call| said(out, "call ", call));
        change.inverse.iter().for_each(|call| said(out, "undo ", call));
        if let Some(left) = &change.undone {
            let _ = writeln!(
                out,
                "  undone   {left}, which is not what it was: the service has no way back to that"
            );
        }
    }
    let _ = writeln!(out, "  needs    {}", step.needs.join(", "));
}

fn said(out: &mut String, what: &str, call: &Call) {
    let region = call.region.as_ref().map_or_else(String::new, |region| format!(" in {region}"));
    let parameters = serde_json::to_string(&call.parameters).unwrap_or_default();
    let _ = writeln!(out, "  {what:7}  {}:{}{region} {parameters}", call.service, call.operation);
}

pub(super) fn approved(plan: &PlanOnRecord, evidence: &[EvidenceId]) -> String {
    let by: Vec<String> = plan.approved_by.iter().map(ToString::to_string).collect();
    format!(
        "plan {} with {} is approved by {}\n{}",
        plan.plan.short(),
        counted(plan.steps, "step"),
        by.join(", "),
        answer::evidence(evidence)
    )
}

pub(super) fn outcome(outcome: &PlanOutcome, evidence: &[EvidenceId]) -> String {
    let mut out = format!("plan {}\n", outcome.plan.short());
    for step in &outcome.steps {
        let ended = match step.ended {
            Ended::Verified => "done, and the control holds",
            Ended::AlreadyDone => "was done before",
            Ended::Drifted => "refused, nothing was written",
            Ended::RolledBack => "did not succeed, everything is as before",
            Ended::Unclear => "unclear, a person has to look",
            Ended::Undone => "undone",
        };
        let _ =
            write!(out, "  step {} {} on {} ({}): {ended}", step.step, step.fix, step.resource, step.control);
        let because = step.because.as_ref().map_or_else(String::new, |because| format!(": {because}"));
        let _ = writeln!(out, "{because}");
    }
    if !outcome.left.is_empty() {
        let left: Vec<String> = outcome.left.iter().map(ToString::to_string).collect();
        let _ = writeln!(out, "  not tried any more: {}", left.join(", "));
    }
    out + &answer::evidence(evidence)
}

fn counted(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
