//! `model reproduce`: a version trained again, and what comes of it beside what came of it then.

use crate::answer::evidence;
use crate::args::VersionArgs;
use crate::commands::{At, Run};
use crate::failure::Exit;
use engine::{Compared, ReproduceRequest, Reproduced};
use facts::{EvidenceId, Verdict};
use registry::VersionNumber;
use std::process::ExitCode;

/// A share between nothing and all.
pub(crate) fn tolerance(text: &str) -> Result<f64, String> {
    let share = text.parse::<f64>().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "expected a share from 0 to 1, for example 0.01 for one percent".to_owned())
}

impl At<'_> {
    pub(crate) fn reproduce(&self, which: &VersionArgs, tolerance: f64) -> Run {
        let request =
            ReproduceRequest { model: which.model.clone(), version: VersionNumber(which.version), tolerance };
        let mut holds = false;
        self.with(|engine, actor| {
            let done = engine.reproduce(actor, &request)?;
            holds = done.answer.verdict == Verdict::Holds;
            self.answers.give(&done, |done| text(&done.answer, &done.evidence))
        })?;
        // The answer is whole, and a pipeline that asks must hear "no" all the same.
        Ok(if holds { ExitCode::SUCCESS } else { ExitCode::from(Exit::Refused as u8) })
    }
}

fn text(answer: &Reproduced, ids: &[EvidenceId]) -> String {
    let Reproduced { model, version, .. } = answer;
    let what = match (&answer.verdict, answer.made == Some(answer.artefact)) {
        (Verdict::Holds, true) => "reproduced byte for byte".to_owned(),
        (Verdict::Holds, false) => {
            format!("reproduced: other bytes, and no metric is off by more than {} of it", answer.tolerance)
        }
        (Verdict::Broken { reason }, _) => format!("NOT reproduced: {reason}"),
        (Verdict::Unknown { missing } | Verdict::NotApplicable { reason: missing }, _) => {
            format!("unknown whether it is reproduced: {missing}")
        }
    };
    let made = answer.made.map_or_else(|| "nothing".to_owned(), |digest| digest.to_string());
    let code = answer
        .at_commit
        .as_ref()
        .map_or_else(|| "the code that is there".to_owned(), |commit| format!("the code of commit {commit}"));
    let mut text = format!(
        "version {version} of {model}: {what}\n  trained again as recorded in {}, with {code}\n  then  {}\n  now   {made}\n",
        answer.run, answer.artefact
    );
    for (name, both) in &answer.metrics {
        text.push_str(&format!("  {name:<40} {}\n", compared(*both)));
    }
    text + &evidence(ids)
}

fn compared(both: Compared) -> String {
    let figure =
        |value: Option<f64>| value.map_or_else(|| "unknown".to_owned(), |value| format!("{value:.6}"));
    format!("{} then, {} now", figure(both.then), figure(both.now))
}
