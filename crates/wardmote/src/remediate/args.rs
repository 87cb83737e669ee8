//! What can be typed after `wardmote remediate`.

use crate::audit::ScopeArgs;
use clap::{Args, Subcommand, ValueHint};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum RemediateCommand {
    /// Plan what puts right whatever is broken, step by step, each with what undoes it. Changes nothing.
    Plan(Box<PlanArgs>),
    /// Approve a plan. What cuts deep in production is approved by somebody else than who planned it.
    Approve {
        /// The plan's file.
        #[arg(value_hint = ValueHint::FilePath)]
        plan: PathBuf,
    },
    /// Carry out an approved plan: look, write, look again, ask the control again.
    Apply(ApplyArgs),
    /// Bring back what was there before a plan, or before one step of it.
    Undo(UndoArgs),
    /// Name all fixes.
    List,
}

#[derive(Debug, Args)]
pub(crate) struct LiveArgs {
    /// Where AWS is, in place of AWS_ENDPOINT_URL.
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub(crate) endpoint_url: Option<String>,
    /// The region, in place of AWS_REGION; for a plan that is made already, its own by default.
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// From what is there now; nothing else can be put right.
    #[arg(long)]
    pub(crate) live: bool,
    #[command(flatten)]
    pub(crate) place: LiveArgs,
    #[command(flatten)]
    pub(crate) scope: ScopeArgs,
    /// The customer key that encrypts, by its ARN.
    #[arg(long, value_name = "ARN")]
    pub(crate) kms_key: Option<String>,
    /// The bucket that logs go to.
    #[arg(long, value_name = "NAME")]
    pub(crate) log_bucket: Option<String>,
    /// The bucket that captured traffic of endpoints goes to.
    #[arg(long, value_name = "NAME")]
    pub(crate) capture_bucket: Option<String>,
    /// Where the plan is written.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct ApplyArgs {
    /// The plan's file.
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) plan: PathBuf,
    #[command(flatten)]
    pub(crate) place: LiveArgs,
    /// Stop when so many steps did not end well.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) max_errors: u32,
    /// At most so many calls that write.
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) writes_per_second: u32,
}

#[derive(Debug, Args)]
pub(crate) struct UndoArgs {
    /// The plan: its digest, the beginning of it, or its file.
    pub(crate) plan: String,
    /// Only this step.
    pub(crate) step: Option<u32>,
    #[command(flatten)]
    pub(crate) place: LiveArgs,
    /// At most so many calls that write.
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) writes_per_second: u32,
}
