//! `wardmote model serving`: what really serves on other platforms, beside what the record says; put on record, put right.

use crate::answer::evidence;
use crate::commands::{At, Run};
use crate::failure::{Exit, Failure};
use clap::Args;
use engine::{PlaceState, ServingPlace, ServingView};
use facts::{EvidenceId, ModelName, Verdict};
use serde::Serialize;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub(crate) struct ServingArgs {
    /// Only of this model.
    pub(crate) model: Option<ModelName>,
    /// Open an incident where somebody changed an endpoint past the record, and close it where that is over.
    #[arg(long)]
    pub(crate) record: bool,
    /// Put the endpoint right: what serves as recorded gets all the traffic, as the charter says.
    #[arg(long, requires = "model", conflicts_with = "record")]
    pub(crate) sync: bool,
    /// Remove releases of versions that may not serve again, once captured traffic of their time is not kept any more.
    #[arg(long, requires = "model", conflicts_with_all = ["record", "sync"])]
    pub(crate) prune: bool,
}

impl At<'_> {
    pub(crate) fn serving(&self, args: &ServingArgs) -> Run {
        let mut views = Vec::new();
        match (&args.model, args.record, args.sync, args.prune) {
            (Some(model), _, _, true) => {
                return self.with(|engine, actor| {
                    let done = engine.prune_releases(actor, model)?;
                    self.answers.give(&done_as_json("removed", &done.answer, &done.evidence), |_| match done
                        .answer
                        .is_empty()
                    {
                        true => "no release can go".to_owned(),
                        false => format!("removed {}\n{}", done.answer.join(", "), evidence(&done.evidence)),
                    })
                });
            }
            (Some(model), _, true, _) => {
                self.with(|engine, actor| {
                    let done = engine.sync_serving(actor, model)?;
                    views.push(done.answer);
                    self.tell(&views, &done.evidence)
                })?;
            }
            (model, true, ..) => {
                self.with(|engine, actor| {
                    let done = engine.check_serving(actor, model.as_ref())?;
                    views = done.answer;
                    self.tell(&views, &done.evidence)
                })?;
            }
            (model, ..) => {
                views = self.house.open_read_only()?.serving(model.as_ref())?;
                self.tell(&views, &[])?;
            }
        }
        // The answer is whole, and whoever asks must hear "no" all the same.
        let worst = views.iter().fold(Verdict::Holds, |worst, view| worst.and(view.verdict.clone()));
        Ok(match worst {
            Verdict::Broken { .. } => ExitCode::from(Exit::Conflict as u8),
            Verdict::Unknown { .. } => ExitCode::from(Exit::Failed as u8),
            Verdict::Holds | Verdict::NotApplicable { .. } => ExitCode::SUCCESS,
        })
    }

    fn tell(&self, views: &[ServingView], ids: &[EvidenceId]) -> Result<(), Failure> {
        self.answers.give(&done_as_json("endpoints", views, ids), |_| {
            let mut lines: Vec<String> = views.iter().map(shown).collect();
            if lines.is_empty() {
                lines.push("every model serves on the gateway of the house".to_owned());
            }
            lines.extend((!ids.is_empty()).then(|| evidence(ids)));
            lines.join("\n")
        })
    }
}

fn done_as_json(name: &str, what: &(impl Serialize + ?Sized), ids: &[EvidenceId]) -> serde_json::Value {
    serde_json::json!({ name: what, "evidence": ids })
}

fn shown(view: &ServingView) -> String {
    let version = match (view.version, &view.release) {
        (None, _) => "nothing serves".to_owned(),
        (Some(version), Some(release)) => format!("version {version} serves as `{release}`"),
        (Some(version), None) => format!("version {version} serves"),
    };
    let mut text = format!("{} at `{}` on {}: {version} in the record", view.model, view.endpoint, view.on);
    match &view.verdict {
        Verdict::Unknown { missing } => text.push_str(&format!("\n  UNKNOWN: {missing}")),
        Verdict::Broken { .. } => {
            for one in &view.differences {
                let kind = if one.outside { "OUTSIDE" } else { "behind " };
                text.push_str(&format!("\n  {kind} {}", one.what));
            }
        }
        Verdict::Holds | Verdict::NotApplicable { .. } => text.push_str(", and there"),
    }
    if let Some(incident) = &view.incident {
        text.push_str(&format!("\n  incident {incident}"));
    }
    text
}

/// A version, and where it serves as the record says.
#[derive(Serialize)]
pub(crate) struct VersionShown<'a> {
    #[serde(flatten)]
    pub(crate) version: &'a registry::Version,
    pub(crate) serving: Vec<ServingPlace>,
}

impl VersionShown<'_> {
    /// Where it serves, line by line, as the other lines of a version are.
    pub(crate) fn places(&self) -> String {
        let line = |text: &str| format!("  {:<14} {text}\n", "serves");
        if self.serving.is_empty() {
            return line("nowhere, as the record says");
        }
        self.serving.iter().map(|place| line(&said(place))).collect()
    }
}

fn said(place: &ServingPlace) -> String {
    let on = place.on.as_deref().unwrap_or("the gateway of the house");
    let release = place.release.as_ref().map_or_else(String::new, |release| format!(" as `{release}`"));
    let share = match place.at_most_percent {
        100 => String::new(),
        percent => format!(" with at most {percent} % of the traffic"),
    };
    let state = match place.state {
        PlaceState::Serves => "",
        PlaceState::Withheld => ", where the record lets it serve no more",
        PlaceState::Unsettled => ", begun and NOT seen to end",
    };
    let ServingPlace { endpoint, since, evidence, .. } = place;
    format!("at `{endpoint}` on {on}{release}{share}{state}, since {since} ({evidence})")
}
