//! `wardmote lineage`: the graph behind a version, as a picture or for programs.

use crate::answer::Answers;
use crate::commands::Run;
use crate::failure::Failure;
use crate::house::{House, write_private};
use clap::{Args, ValueEnum, ValueHint};
use facts::ModelName;
use registry::VersionNumber;
use std::path::PathBuf;
use std::process::ExitCode;

/// In which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Nodes and edges as one JSON object.
    Json,
    /// A Mermaid flowchart, for Markdown.
    Mermaid,
    /// A picture.
    Svg,
    /// Events of OpenLineage 2-0-2 for all runs, one JSON object a line.
    Openlineage,
}

#[derive(Debug, Args)]
pub(crate) struct LineageArgs {
    /// The model.
    pub(crate) model: ModelName,
    /// The number of the version; all versions by default.
    pub(crate) version: Option<u32>,
    /// The form [default: mermaid; with `--json`, json].
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
    /// Write to this file (mode 0600) instead of standard output.
    #[arg(long, value_hint = ValueHint::FilePath)]
    pub(crate) out: Option<PathBuf>,
}

pub(crate) fn run(house: &House, args: &LineageArgs, answers: &Answers) -> Run {
    let engine = house.open_read_only()?;
    let (name, version) = (&args.model, args.version.map(VersionNumber));
    let usual = if answers.json() { Format::Json } else { Format::Mermaid };
    let format = args.format.unwrap_or(usual);
    let text = match format {
        Format::Openlineage => {
            let events = engine.lineage_events(name, version)?;
            events.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        }
        Format::Json => encoded(&engine.lineage(name, version)?)?,
        Format::Mermaid => engine.lineage(name, version)?.to_mermaid(),
        Format::Svg => engine.lineage(name, version)?.to_svg(),
    };
    let text = text.trim_end();
    match &args.out {
        None => answers.line(text)?,
        Some(path) => {
            write_private(path, format!("{text}\n").as_bytes())?;
            let path = path.display().to_string();
            answers.give(&serde_json::json!({ "written": path }), |_| format!("wrote {path}"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn encoded(graph: &dossier::lineage::Graph) -> Result<String, Failure> {
    serde_json::to_string(graph).map_err(|error| {
        Failure::new(crate::failure::Exit::Failed, format!("cannot encode the lineage: {error}"))
    })
}
