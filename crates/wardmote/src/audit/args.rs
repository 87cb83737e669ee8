//! What can be typed after `wardmote audit`.

use clap::{Args, Subcommand, ValueEnum, ValueHint};
use std::path::PathBuf;

const AFTER: &str = "\
A finding holds, is broken, unknown or not applicable; unknown is never a pass.
Exit codes: 0 everything was looked at; 3 with --fail-on, something of that severity is broken or
unknown; 4 a file cannot be read as a template, plan or inventory; 5 there is no such file or control.";

#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(crate) struct AuditArgs {
    /// CloudFormation templates, or folders of them: files that end in .yaml, .yml, .json or .template; an
    /// inventory that --save kept; or a snapshot of AWS Config.
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath, required_unless_present_any = ["plan", "live", "house"], conflicts_with_all = ["plan", "live", "house"])]
    pub(crate) paths: Vec<PathBuf>,
    /// A Terraform plan, as `terraform show -json` writes it.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) plan: Option<PathBuf>,
    /// What is there now, with the credentials of the environment; `wardmote aws permissions audit` says what they need.
    #[arg(long, conflicts_with = "plan")]
    pub(crate) live: bool,
    /// The house of --dir itself: its keys, its versions, what serves and what watches it, as if they were on AWS.
    #[arg(long, conflicts_with_all = ["plan", "live"])]
    pub(crate) house: bool,
    /// Where AWS is, in place of AWS_ENDPOINT_URL.
    #[arg(long, value_name = "URL", requires = "live", conflicts_with_all = ["paths", "plan"], value_hint = ValueHint::Url)]
    pub(crate) endpoint_url: Option<String>,
    /// Keep the inventory that was read.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["paths", "plan"], value_hint = ValueHint::FilePath)]
    pub(crate) save: Option<PathBuf>,
    /// Only what is different from this inventory or snapshot of AWS Config; --fail-on is then about what got worse.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["plan", "format", "waivers", "granted"], value_hint = ValueHint::FilePath)]
    pub(crate) since: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) scope: ScopeArgs,
    /// The form of the report; --json is the same as --format json [default: table].
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// The region that is read, in place of AWS_REGION, and that findings for Security Hub are written for.
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,
    /// Rules of yours, asked beside the controls; can be given more than once.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) rules: Vec<PathBuf>,
    /// Waivers: what may stay broken for a while, and who said so. Those that are over do not count.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) waivers: Option<PathBuf>,
    /// The waivers on the ledger of the house that --dir names; see `wardmote waiver`.
    #[arg(long)]
    pub(crate) granted: bool,
    /// Exit with 3 if something of this severity or above is broken or unknown.
    #[arg(long, value_enum, value_name = "SEVERITY")]
    pub(crate) fail_on: Option<FailOn>,
    /// With --fail-on: let pass what a file alone cannot decide.
    #[arg(long, requires = "fail_on")]
    pub(crate) allow_unknown: bool,
}

/// Which controls are asked of which resources.
#[derive(Debug, Args)]
pub(crate) struct ScopeArgs {
    /// Only this control: an id such as S3-05, or what others call it, such as S3EncryptionEnabled, S3.8 or CKV_AWS_21.
    #[arg(long = "control", value_name = "ID")]
    pub(crate) controls: Vec<String>,
    /// Only what answers something of this framework: gdpr, eu-ai-act, iso-42001, nist-ai-rmf, nist-800-53, sr-26-2 or
    /// security-hub-ai.
    #[arg(long, value_name = "ID")]
    pub(crate) framework: Option<String>,
    /// Only resources of this type too; wildcards are allowed, as in 'AWS::S3::*'.
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) kinds: Vec<String>,
    /// Only resources whose id or name is like this too; wildcards are allowed.
    #[arg(long = "name", value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// Only resources with this tag, or with this value of it; wildcards are allowed in the value.
    #[arg(long = "tag", value_name = "KEY[=VALUE]")]
    pub(crate) tags: Vec<String>,
    /// The account that the resources are or will be in; resources of other accounts are left out.
    #[arg(long, value_name = "ID", value_parser = account)]
    pub(crate) account: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ControlsCommand {
    /// Name all controls, or what of a framework they answer.
    List {
        /// The framework: gdpr, eu-ai-act, iso-42001, nist-ai-rmf, nist-800-53, sr-26-2 or security-hub-ai.
        #[arg(long, value_name = "ID")]
        framework: Option<String>,
        /// Rules of yours, named beside the controls; can be given more than once.
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        rules: Vec<PathBuf>,
    },
    /// Write a CloudFormation template of rules of AWS Config that `wardmote watch --push config` answers, with the queue
    /// that it listens to.
    ConfigRules {
        /// Only this control too: its id, or what others call it.
        #[arg(long = "control", value_name = "ID")]
        controls: Vec<String>,
        /// Only what answers something of this framework.
        #[arg(long, value_name = "ID")]
        framework: Option<String>,
    },
    /// Say what a control asks for, why, how to fix it, and what it cannot see.
    Explain {
        /// Its id, or what others call it.
        control: String,
        /// Rules of yours, which can be named too; can be given more than once.
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        rules: Vec<PathBuf>,
    },
    /// Write controls and rules as Guard, for AWS Config's custom-policy rules or for templates; what Guard cannot say is
    /// named with the reason.
    ExportGuard {
        /// Controls and rules, by id or alias [default: all that can be written].
        #[arg(value_name = "CONTROL")]
        controls: Vec<String>,
        /// Rules of yours; can be given more than once.
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        rules: Vec<PathBuf>,
        /// What the rules will be asked of.
        #[arg(long = "for", value_enum, value_name = "WHAT", default_value = "config")]
        to: GuardTarget,
    },
    /// Run the examples that stand beside rules of yours: what each must say of which resource.
    TestRules {
        /// Files of rules.
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath, required = true)]
        files: Vec<PathBuf>,
    },
}

/// What Guard rules are asked of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum GuardTarget {
    /// Configuration items of AWS Config.
    Config,
    /// CloudFormation templates, by cfn-guard.
    Templates,
}

impl From<GuardTarget> for controls::GuardFor {
    fn from(to: GuardTarget) -> Self {
        match to {
            GuardTarget::Config => Self::Config,
            GuardTarget::Templates => Self::Templates,
        }
    }
}

impl AuditArgs {
    pub(crate) fn format(&self, json: bool) -> Format {
        self.format.unwrap_or(if json { Format::Json } else { Format::Table })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people: what does not pass, worst first.
    Table,
    /// For programs: every finding, and how many there are of each.
    Json,
    /// For code hosts: SARIF 2.1.0.
    Sarif,
    /// For build servers: JUnit.
    Junit,
    /// For security lakes: OCSF, Compliance Finding.
    Ocsf,
    /// For AWS Security Hub: what `BatchImportFindings` takes; needs --account and --region.
    Asff,
    /// For browsers and mail: one page that needs nothing else.
    Html,
}

fn account(text: &str) -> Result<String, String> {
    if text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(text.to_owned());
    }
    Err("expected the twelve digits of an account".to_owned())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    Low,
    Medium,
    High,
    Critical,
}

impl From<FailOn> for controls::Severity {
    fn from(severity: FailOn) -> Self {
        match severity {
            FailOn::Low => Self::Low,
            FailOn::Medium => Self::Medium,
            FailOn::High => Self::High,
            FailOn::Critical => Self::Critical,
        }
    }
}
