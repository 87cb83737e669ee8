//! Emergencies, fallbacks, the reviews that follow what was decided without somebody else, and documents that are to be on record.

use crate::answer::evidence;
use crate::args::{DeployArgs, VersionArgs};
use crate::commands::{At, Run};
use crate::{files, render};
use engine::ReviewView;
use facts::{DocumentKind, EvidenceId, ModelName};
use registry::VersionNumber;
use std::path::Path;
use std::process::ExitCode;

/// The largest document.
const MAX_DOCUMENT_BYTES: usize = 256 << 20;

impl At<'_> {
    pub(crate) fn deploy(&self, args: &DeployArgs) -> Run {
        self.with(|engine, actor| {
            let (model, number) = (&args.version.model, VersionNumber(args.version.version));
            let done = match (args.break_glass, &args.reason, args.until) {
                (true, Some(reason), Some(until)) => {
                    engine.break_glass(actor, (model, number), reason, until)?
                }
                _ => engine.deploy(actor, model, number)?,
            };
            self.answers.give(&done, |done| render::deployed(&done.answer, &done.evidence))
        })
    }

    pub(crate) fn fallback(&self, which: &VersionArgs) -> Run {
        self.with(|engine, actor| {
            let done = engine.name_fallback(actor, &which.model, VersionNumber(which.version))?;
            self.answers.give(&done, |done| {
                let (model, version) = (&done.answer.model, done.answer.version);
                format!("a rollback of {model} falls back to version {version}\n{}", evidence(&done.evidence))
            })
        })
    }

    pub(crate) fn document(&self, which: &VersionArgs, kind: &DocumentKind, file: &Path) -> Run {
        self.with(|engine, actor| {
            let bytes = files::bounded(file, MAX_DOCUMENT_BYTES)?;
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            let about = (&which.model, VersionNumber(which.version));
            let done = engine.document(actor, about, kind, (&name, &bytes))?;
            self.answers.give(&done, |done| {
                let one = &done.answer;
                format!(
                    "the {} of version {} of {} is on record: {} ({})\n{}",
                    one.kind,
                    one.version,
                    one.model,
                    one.file,
                    one.digest,
                    evidence(&done.evidence)
                )
            })
        })
    }

    pub(crate) fn reviews(&self, model: Option<&ModelName>) -> Run {
        let views = self.house.open_read_only()?.reviews(model);
        self.answers.give(&views, |views| {
            let lines: Vec<String> = views.iter().map(line).collect();
            if lines.is_empty() {
                "nothing was decided that calls for a review".to_owned()
            } else {
                lines.join("\n")
            }
        })?;
        Ok(ExitCode::SUCCESS)
    }

    pub(crate) fn review(
        &self,
        (model, of): (&ModelName, Option<&EvidenceId>),
        (upheld, note): (bool, &str),
    ) -> Run {
        self.with(|engine, actor| {
            let done = engine.review(actor, model, of, (upheld, note))?;
            self.answers.give(&done, |done| format!("{}\n{}", line(&done.answer), evidence(&done.evidence)))
        })
    }
}

fn line(view: &ReviewView) -> String {
    let review = &view.review;
    let asked = &review.asked;
    let state = match &review.done {
        Some(done) => {
            let word = if done.upheld { "upheld" } else { "NOT upheld" };
            format!("{word} by {} on {}: {} ({})", done.by, done.time.date(), done.note, done.evidence)
        }
        None if view.overdue => format!("OVERDUE: `{}` was to review it by {}", asked.role, asked.due),
        None => format!("waits for `{}` until {}", asked.role, asked.due),
    };
    format!(
        "{} version {} {} by {} ({}): {state}",
        view.model, review.version, asked.occasion, asked.decided_by, review.of
    )
}
