//! Versions that nobody may use until somebody else has looked at them.

use crate::answer::evidence;
use crate::args::VersionArgs;
use crate::commands::{At, Run};
use engine::{Decision, Held, Vacated};
use facts::EvidenceId;
use registry::VersionNumber;

impl At<'_> {
    pub(crate) fn quarantine(&self, which: &VersionArgs, reason: &str) -> Run {
        self.with(|engine, actor| {
            let version = (&which.model, VersionNumber(which.version));
            let done = engine.quarantine(actor, version, (reason, None))?;
            self.answers.give(&done, |done| held(&done.answer, &done.evidence))
        })
    }

    pub(crate) fn release(&self, which: &VersionArgs, finding: &str) -> Run {
        self.with(|engine, actor| {
            let done = engine.release(actor, (&which.model, VersionNumber(which.version)), finding)?;
            self.answers.give(&done, |done| released(&done.answer, &done.evidence))
        })
    }
}

/// That nobody may use a version, and who let it out.
pub(crate) fn told(one: &registry::Quarantine) -> String {
    let after = one.released.as_ref().map_or_else(
        || "nobody may use it until somebody else has looked at it".to_owned(),
        ToString::to_string,
    );
    format!("from {}, put there by `{}` ({}): {}; {after}", one.time, one.by, one.evidence, one.reason)
}

/// A version in quarantine, and what became of its place.
fn held(held: &Held, ids: &[EvidenceId]) -> String {
    let (version, model) = (held.version, &held.model);
    let already = if held.already { " already" } else { "" };
    let same: Vec<String> = held.same_bytes.iter().map(ToString::to_string).collect();
    let same = match same.is_empty() {
        true => String::new(),
        false => format!(
            "\nof the same bytes: version {}; nobody approves, deploys or gets them either, and what serves of them goes on",
            same.join(", ")
        ),
    };
    let entries = if ids.is_empty() { String::new() } else { format!("\n{}", evidence(ids)) };
    format!(
        "version {version} of {model} is{already} {}\n{}{same}\nsomebody else lets it out: `wardmote model release {model} {version} --finding TEXT --as ID`{entries}",
        held.quarantine,
        vacated(&held.place)
    )
}

fn released(decision: &Decision, ids: &[EvidenceId]) -> String {
    format!(
        "version {} of {} is out of quarantine and waits for new approvals; it is {}\n{}",
        decision.version,
        decision.model,
        decision.status,
        evidence(ids)
    )
}

pub(crate) fn vacated(place: &Vacated) -> String {
    match place {
        Vacated::NotServing => "it does not serve".to_owned(),
        Vacated::FellBack { serving } => {
            format!("version {} serves at {} in its place", serving.version, serving.endpoint)
        }
        Vacated::Empty { why } => format!("NOTHING serves in its place: {why}"),
    }
}
