//! The words of `wardmote iam`.

use clap::{Args, Subcommand, ValueHint};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum IamCommand {
    /// Decide one request. Exit code 0 if it is allowed, 3 if it is denied.
    Evaluate(Box<EvaluateArgs>),
    /// Find what is wrong, dangerous or superfluous in policies. Exit code 3 for errors and security warnings.
    Lint(LintArgs),
    /// Prove that nobody can, or show who can and how. Exit code 0 if it is proved, 3 with a witness, 1 if unknown.
    #[command(subcommand)]
    Prove(ProveCommand),
    /// Who can do this with this resource, and under which conditions.
    WhoCan(WhoCanArgs),
    /// What a principal can do, on which resources of the inventory.
    WhatCan(WhatCanArgs),
    /// All principals, all resources, some actions: who may what, as CSV or JSON.
    Matrix(MatrixArgs),
    /// Read a live account and print its inventory, for `--inventory`. Exit code 1 if something may not be read.
    Inventory,
    /// What one call of an API asks for: every action and resource that is checked, and whether a principal has them.
    Operation(OperationArgs),
    /// Answer cases, one JSON object a line, in the order in which they come.
    Batch {
        /// The file of cases; `-` is standard input.
        #[arg(value_hint = ValueHint::FilePath)]
        cases: PathBuf,
    },
}

/// The policies that bear on a request. A file holds one policy, or a list of policies that are united.
#[derive(Debug, Args, Default, PartialEq, Eq)]
pub(crate) struct LayerArgs {
    /// A policy of the caller: of the user or role, or of a group. May be given several times.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) identity: Vec<PathBuf>,
    /// The policy of the resource: bucket, key, role (its trust policy).
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) resource_policy: Option<PathBuf>,
    /// The permissions boundary of the caller.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) boundary: Vec<PathBuf>,
    /// Service control policies, one level of the organisation each time, from the root to the account.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) scp: Vec<PathBuf>,
    /// Resource control policies, one level of the organisation each time.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) rcp: Vec<PathBuf>,
    /// The session policy of the caller.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) session: Vec<PathBuf>,
    /// The policy of the VPC endpoint that the request goes through.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) endpoint: Vec<PathBuf>,
    /// Grants on the KMS key, as `aws kms list-grants` gives them.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) grants: Option<PathBuf>,
    /// What S3 knows of the bucket: BlockPublicAccess, ObjectOwnership, BucketAcl, ObjectAcl.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) s3: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct EvaluateArgs {
    /// The request: principal, action, resource, resourceAccount, context.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) request: PathBuf,
    #[command(flatten)]
    pub(crate) layers: LayerArgs,
    /// Say which statement and which value made it so.
    #[arg(long)]
    pub(crate) explain: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ProveCommand {
    /// Nobody outside gets in by this policy of a resource: nobody anonymous, and no account that it does not name.
    NoPublicAccess {
        /// The policy.
        #[arg(value_hint = ValueHint::FilePath)]
        policy: PathBuf,
        /// Resource control policies that bind everybody, one level of the organisation each time.
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        rcp: Vec<PathBuf>,
        /// What S3 knows of the bucket; of this BlockPublicAccess counts here.
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        s3: Option<PathBuf>,
    },
    /// Certain access is granted to nobody, or to nobody but some, all given layers taken together.
    AccessNotGranted(Box<GrantedArgs>),
    /// A new policy lets nothing through that the old one did not, within the other layers if they are given.
    NoNewAccess {
        /// The policy as it was.
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        old: PathBuf,
        /// The policy as it is to be.
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        new: PathBuf,
        #[command(flatten)]
        layers: Box<LayerArgs>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct GrantedArgs {
    /// A policy by itself: of a resource if it names principals, else of the caller.
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) policy: Option<PathBuf>,
    /// An action that must not be granted, with wildcards if wanted [default: any].
    #[arg(long = "action", value_name = "ACTION")]
    pub(crate) actions: Vec<String>,
    /// A resource on which it must not be granted, with wildcards if wanted [default: any].
    #[arg(long = "resource", value_name = "ARN")]
    pub(crate) resources: Vec<String>,
    /// A principal or account that may.
    #[arg(long = "except", value_name = "ARN")]
    pub(crate) except: Vec<String>,
    /// The account of the resource.
    #[arg(long, value_name = "ID")]
    pub(crate) account: Option<String>,
    #[command(flatten)]
    pub(crate) layers: LayerArgs,
}

/// Where principals, policies and resources are known from, and what all requests have in common.
#[derive(Debug, Args)]
pub(crate) struct AskArgs {
    /// The inventory: accounts, principals, resources and their policies.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, required_unless_present = "live")]
    pub(crate) inventory: Option<PathBuf>,
    /// Ask the account itself, with the credentials of the environment; docs/iam.md lists the actions that it needs.
    #[arg(long, conflicts_with = "inventory")]
    pub(crate) live: bool,
    /// A context key that all requests carry, for instance `aws:SourceVpce=vpce-1`.
    #[arg(long = "context", value_name = "KEY=VALUE")]
    pub(crate) context: Vec<String>,
    /// The VPC endpoint of the inventory that all requests go through.
    #[arg(long, value_name = "ID")]
    pub(crate) endpoint: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct WhoCanArgs {
    /// The action.
    pub(crate) action: String,
    /// The ARN of the resource; of a bucket `/*` stands for any object.
    pub(crate) resource: String,
    /// Those who cannot, too.
    #[arg(long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) ask: AskArgs,
}

#[derive(Debug, Args)]
pub(crate) struct WhatCanArgs {
    /// The ARN of the principal.
    pub(crate) principal: String,
    #[command(flatten)]
    pub(crate) ask: AskArgs,
}

#[derive(Debug, Args)]
pub(crate) struct MatrixArgs {
    /// An action; may be given several times.
    #[arg(long = "action", value_name = "ACTION", required = true)]
    pub(crate) actions: Vec<String>,
    #[command(flatten)]
    pub(crate) ask: AskArgs,
}

/// What a policy is attached to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    Identity,
    Resource,
    Trust,
    Key,
    Boundary,
    Session,
    Scp,
    Rcp,
    Endpoint,
}

#[derive(Debug, Args)]
pub(crate) struct LintArgs {
    /// The policies.
    #[arg(value_hint = ValueHint::FilePath, required_unless_present_any = ["list", "describe"])]
    pub(crate) policies: Vec<PathBuf>,
    /// What they are attached to [default: a resource, key or role if they name principals, else an identity].
    #[arg(long, value_enum)]
    pub(crate) kind: Option<Kind>,
    /// Answer in SARIF, for code scanning.
    #[arg(long)]
    pub(crate) sarif: bool,
    /// List all lints.
    #[arg(long, conflicts_with = "policies")]
    pub(crate) list: bool,
    /// Describe one lint: what, why, how to fix, with an example that fails and one that passes.
    #[arg(long, value_name = "CODE", conflicts_with = "policies")]
    pub(crate) describe: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct OperationArgs {
    /// The operation, for instance `s3:CopyObject`; without one all are listed.
    pub(crate) operation: Option<String>,
    /// A parameter of the call, or an option, which needs no value.
    #[arg(long = "with", value_name = "NAME=VALUE")]
    pub(crate) with: Vec<String>,
    /// Decide the checks for this principal of an inventory.
    #[arg(long, value_name = "ARN", requires = "inventory")]
    pub(crate) principal: Option<String>,
    /// The inventory.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) inventory: Option<PathBuf>,
    /// A context key that the call carries.
    #[arg(long = "context", value_name = "KEY=VALUE")]
    pub(crate) context: Vec<String>,
}
