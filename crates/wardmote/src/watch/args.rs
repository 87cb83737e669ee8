//! What can be typed after `wardmote watch` and `wardmote incident`.

use crate::audit::{FailOn, ScopeArgs};
use clap::{Args, Subcommand, ValueEnum, ValueHint};
use std::path::PathBuf;
use std::time::Duration;

const AFTER: &str = "\
Ends with 0 after SIGINT or SIGTERM, and after --once. What is broken when an account is seen for the
first time is no incident; `wardmote audit --live` shows it.
Exit codes: 3 the one named may not watch; 8 with --once, the account could not be read.";

#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(crate) struct WatchArgs {
    /// Read all of the account so often: 90s, 15m, 6h.
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = duration)]
    pub(crate) every: Duration,
    /// The address of an SQS queue that tells of changes: events of EventBridge, CloudTrail, S3 or AWS Config.
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub(crate) queue: Option<String>,
    /// Read all of it once, take in what the queue holds, and end.
    #[arg(long)]
    pub(crate) once: bool,
    /// What gets worse is an incident from this severity on.
    #[arg(long, value_enum, value_name = "SEVERITY", default_value = "high")]
    pub(crate) incident_at: FailOn,
    /// Tell the verdicts on: to AWS Security Hub, or to the rules of AWS Config that ask by the queue.
    #[arg(long, value_enum, value_name = "WHERE")]
    pub(crate) push: Vec<Push>,
    /// Rules of yours, asked beside the controls; can be given more than once.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) rules: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) scope: ScopeArgs,
    /// Where AWS is, in place of AWS_ENDPOINT_URL.
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub(crate) endpoint_url: Option<String>,
    /// The region, in place of AWS_REGION.
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,
}

/// Where verdicts are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Push {
    /// What does not pass, as findings; what is over is archived.
    SecurityHub,
    /// Answers to rules: see `wardmote controls config-rules`.
    Config,
}

#[derive(Debug, Subcommand)]
pub(crate) enum IncidentCommand {
    /// List the incidents that are open.
    List {
        /// Those that are over too.
        #[arg(long)]
        all: bool,
    },
    /// End an incident about the bytes of a version: all of them are read again, and must be what was registered.
    Resolve {
        /// Its id, such as I-1.
        id: String,
        /// What there is to say.
        #[arg(long)]
        note: Option<String>,
    },
    /// Take an incident in hand.
    Acknowledge {
        /// Its id, such as I-1.
        id: String,
        /// What there is to say.
        #[arg(long)]
        note: Option<String>,
    },
}

fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no time: expected a number and `s`, `m` or `h`, such as `15m`");
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let seconds = match unit {
        "s" => number,
        "m" => number.saturating_mul(60),
        "h" => number.saturating_mul(3600),
        _ => return Err(wrong()),
    };
    if !(1..=7 * 24 * 3600).contains(&seconds) {
        return Err(format!("`{text}` is too short or too long: expected from `1s` to `168h`"));
    }
    Ok(Duration::from_secs(seconds))
}
