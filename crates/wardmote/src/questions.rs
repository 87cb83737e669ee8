//! Questions to the record: what served, who approved, what is different, what another charter would have said.

use crate::args::{HistoryArgs, ProofArgs, VersionArgs};
use crate::commands::{At, Run};
use crate::failure::{Exit, Failure};
use crate::{proofs, render};
use engine::{Engine, HistoryAnswer, Rehearsal, Served, VersionDiff, WhoApproved};
use facts::{EvidenceId, ModelName};
use registry::VersionNumber;
use serde::Serialize;
use std::path::PathBuf;
use std::process::ExitCode;

impl At<'_> {
    pub(crate) fn history(&self, args: &HistoryArgs) -> Run {
        let engine = self.house.open_read_only()?;
        if let Some(stack) = &args.stack {
            let answer = engine.stack_history(stack, args.as_of)?;
            let entries = answer.evidence();
            return self.answered(&engine, &answer, (&entries, &args.proof), crate::blueprint::history);
        }
        let model = args.model.as_ref().ok_or_else(|| {
            Failure::new(Exit::Usage, "nothing is named whose history is asked for")
                .with_help("add `--model NAME` or `--stack NAME`")
        })?;
        let answer = engine.history(model, args.as_of)?;
        let entries = answer.evidence();
        self.answered(&engine, &answer, (&entries, &args.proof), history)
    }

    pub(crate) fn who_approved(&self, which: &VersionArgs, proof: &ProofArgs) -> Run {
        let engine = self.house.open_read_only()?;
        let answer = engine.who_approved(&which.model, VersionNumber(which.version))?;
        let entries = answer.evidence.clone();
        self.answered(&engine, &answer, (&entries, proof), who_approved)
    }

    pub(crate) fn diff(&self, model: &ModelName, (from, to): (u32, u32), proof: &ProofArgs) -> Run {
        let engine = self.house.open_read_only()?;
        let answer = engine.diff(model, (VersionNumber(from), VersionNumber(to)))?;
        let entries = answer.evidence.clone();
        self.answered(&engine, &answer, (&entries, proof), diff)
    }

    pub(crate) fn rehearse(&self, files: &[PathBuf]) -> Run {
        let charter = self.house.charter_of(files)?;
        let answer = self.house.open_read_only()?.rehearse(&charter)?;
        self.answers.give(&answer, rehearsal)?;
        Ok(ExitCode::SUCCESS)
    }

    /// Gives an answer, and takes along what proves it.
    fn answered<T: Serialize>(
        &self,
        engine: &Engine,
        answer: &T,
        (entries, proof): (&[EvidenceId], &ProofArgs),
        text: impl FnOnce(&T) -> String,
    ) -> Run {
        if let Some(folder) = &proof.proof {
            proofs::write(self.house, engine, (answer, entries), folder)?;
        }
        self.answers.give(answer, |answer| {
            let proved = proof.proof.as_ref().map(|folder| {
                let shown = folder.display();
                format!("\nproofs of {} entries are in `{shown}`; check them with `wardmote log verify-proof {shown}`", entries.len())
            });
            text(answer).trim_end().to_owned() + &proved.unwrap_or_default()
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

fn who_approved(answer: &WhoApproved) -> String {
    let mut text = format!(
        "version {} of {} is {}, artefact {}\n",
        answer.version, answer.model, answer.status, answer.artefact
    );
    if answer.approvals.is_empty() {
        text.push_str("  nobody approved it\n");
    }
    for given in &answer.approvals {
        let counts = if given.counts { "counts" } else { "does not count now" };
        text.push_str(&format!(
            "  {} as {} on {} ({}), {}; {counts}\n",
            given.person,
            given.role,
            given.time,
            given.evidence,
            render::signed(given.signed.is_some())
        ));
        if let Some(key) = &given.key {
            text.push_str(&format!("    key {key}\n"));
        }
        if let Some(own) = &given.own_work {
            text.push_str(&format!("    {own}\n"));
        }
        if let Some(revoked) = &given.revoked {
            text.push_str(&format!(
                "    taken back on {}: {} ({})\n",
                revoked.time, revoked.reason, revoked.evidence
            ));
        }
    }
    match (&answer.missing, &answer.validation) {
        (Some(missing), _) => text.push_str(&format!("  for a deployment now: {missing}\n")),
        (None, Some(validation)) => {
            text.push_str(&format!("  on the evidence of {validation}; nothing is missing\n"));
        }
        (None, None) => {}
    }
    text
}

fn diff(answer: &VersionDiff) -> String {
    let mut text = format!("{}: from version {} to version {}\n", answer.model, answer.from, answer.to);
    let mut area = "";
    for change in &answer.changes {
        if change.area != area {
            area = change.area;
            text.push_str(&format!("{area}\n"));
        }
        let side = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        text.push_str(&format!("  {}: {} -> {}\n", change.name, side(&change.from), side(&change.to)));
    }
    if answer.changes.is_empty() {
        text.push_str("nothing is different\n");
    }
    text + &crate::answer::evidence(&answer.evidence)
}

fn rehearsal(answer: &Rehearsal) -> String {
    let refused = answer.promotions.iter().filter(|one| one.refused.is_some()).count();
    let mut text = format!(
        "the charter {} would have refused {refused} of {} deployments\n",
        answer.charter.short(),
        answer.promotions.len()
    );
    for one in &answer.promotions {
        let said = one.refused.clone().unwrap_or_else(|| "as it was".to_owned());
        text.push_str(&format!(
            "  {} version {} on {} ({}): {said}\n",
            one.model, one.version, one.time, one.evidence
        ));
    }
    text
}

/// So that a failure names the folder.
pub(crate) fn written(folder: &std::path::Path, error: world::PortError) -> Failure {
    let failure: Failure = error.into();
    failure.with_help(format!("name another folder than `{}` with `--proof`", folder.display()))
}

/// What was beside the ordinary way while a version served.
fn beside_the_ordinary(served: &Served) -> String {
    let mut text = String::new();
    if let Some(glass) = &served.broken_glass {
        text.push_str(&format!(
            "  deployed WITHOUT approvals by {} until {}: {}\n",
            glass.by, glass.until, glass.reason
        ));
    }
    if let Some(review) = &served.review {
        let state = match &review.done {
            Some(done) if done.upheld => format!("upheld by {} ({})", done.by, done.evidence),
            Some(done) => format!("NOT upheld by {}: {} ({})", done.by, done.note, done.evidence),
            None => format!("waits for `{}`, due on {}", review.asked.role, review.asked.due),
        };
        text.push_str(&format!("  review: {state}\n"));
    }
    for one in &served.tampering {
        text.push_str(&format!("  {}\n", render::tampering(one)));
    }
    for held in &served.quarantines {
        text.push_str(&format!("  quarantine: {}\n", crate::quarantine::told(held)));
    }
    for loss in &served.losses {
        text.push_str(&format!(
            "  WITHOUT its evidence from {}: {} ({})\n",
            loss.time, loss.missing, loss.evidence
        ));
    }
    text
}

fn history(answer: &HistoryAnswer) -> String {
    let (as_of, model) = (answer.as_of, &answer.model);
    let (head, served) = match (&answer.serving, &answer.before) {
        (Some(served), _) => {
            (format!("at {as_of} version {} of {model} was serving\n", served.version), served)
        }
        (None, None) => return format!("at {as_of} no version of {model} was serving"),
        (None, Some(last)) => {
            let version = last.version;
            (
                format!(
                    "at {as_of} no version of {model} was serving; before that it was version {version}\n"
                ),
                last,
            )
        }
    };
    let until = served.until.map_or_else(|| "now".to_owned(), |until| until.to_string());
    let how = if served.how == "deployed" { "deployed" } else { "put back by a rollback" };
    let mut text = head;
    text.push_str(&format!("  {how} ({}), serving from {} to {until}\n", served.evidence, served.since));
    for approval in &served.approved_by {
        text.push_str(&format!(
            "  approved by {} as {} on {}, {} ({})\n",
            approval.person,
            approval.role,
            approval.time,
            render::signed(approval.signed),
            approval.evidence
        ));
        if let Some(own) = &approval.own_work {
            text.push_str(&format!("    {own}\n"));
        }
        if let Some(revoked) = &approval.revoked {
            text.push_str(&format!(
                "    taken back on {}: {} ({})\n",
                revoked.time, revoked.reason, revoked.evidence
            ));
        }
    }
    if let Some(validation) = &served.validation {
        let metrics: Vec<String> =
            served.metrics.iter().map(|(name, value)| format!("{name} {value:.3}")).collect();
        text.push_str(&format!("  on the evidence of {validation}: {}\n", metrics.join(", ")));
    }
    if let Some(signature) = &served.signature {
        text.push_str(&format!("  signed ({signature}), artefact {}\n", served.artefact.short()));
    }
    let code = served
        .git_commit
        .as_ref()
        .map_or_else(|| "code not in Git".to_owned(), |commit| format!("code {commit}"));
    text.push_str(&format!("  trained on {}, {code}\n", served.snapshot));
    text + &beside_the_ordinary(served)
}
