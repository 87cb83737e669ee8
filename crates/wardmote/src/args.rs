//! The command line: what can be typed, and the help that explains it. Help, man pages and completions come from here.

use crate::aws::StoreArgs;
use clap::{Args, Parser, Subcommand, ValueHint};
use facts::{
    ColumnName, DatasetId, DocumentKind, EvidenceId, KeyId, ModelName, PersonId, SnapshotName, Timestamp,
    VerifierKey,
};
use std::path::PathBuf;

/// Wardmote secures and governs AI models from data to retirement.
#[derive(Debug, Parser)]
#[command(name = "wardmote", version, max_term_width = 100)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Cli {
    /// The folder of the house: charter, ledger, keys and encrypted objects [default: the current folder; for `demo`
    /// a new folder `wardmote-demo`].
    #[arg(long, global = true, value_hint = ValueHint::DirPath, env = "WARDMOTE_DIR")]
    pub(crate) dir: Option<PathBuf>,

    /// Answer with JSON instead of text.
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Act as this person or service; the access key is taken from `credentials.json` of the folder, or from
    /// WARDMOTE_ACCESS_KEY if this is absent.
    #[arg(long = "as", global = true, value_name = "ID")]
    pub(crate) act_as: Option<PersonId>,

    #[command(subcommand)]
    pub(crate) command: Command,
}

pub(crate) const EXIT_CODES: &str = "\
Exit codes: 0 done; 1 failed; 2 wrong use of the command line; 3 refused by policy or a gate;
4 bad input; 5 there is no such thing; 6 conflict with the present state; 7 verification found damage;
8 the outside failed (disk full, port taken, access to a file).";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the whole life of a credit-scoring model in a fresh folder, step by step.
    Demo(DemoArgs),
    /// Write a charter to start from.
    Init(InitArgs),
    /// Show what the charter in the folder means, and what it would change; with `--aws`, the reference architecture
    /// that follows from it. Changes nothing.
    Plan(crate::blueprint::PlanArgs),
    /// Put the charter of the folder in force; with `--aws`, deploy the reference architecture that follows from it.
    Apply(crate::blueprint::ApplyArgs),
    /// Print the JSON Schema of charters, for editors.
    Schema,
    /// Snapshots of data sets.
    #[command(subcommand)]
    Data(DataCommand),
    /// Keys that protect data at rest, and keys with which people sign approvals.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Access keys of people and services.
    #[command(subcommand)]
    Credential(CredentialCommand),
    /// Model versions: train, validate, approve, deploy, roll back.
    #[command(subcommand)]
    Model(ModelCommand),
    /// Serve the deployed models: POST /endpoints/{name}/invocations, GET /ping.
    Serve(ServeArgs),
    /// Labels that arrive after the predictions.
    #[command(subcommand)]
    Labels(LabelsCommand),
    /// Look at the latest traffic: drift, quality, fairness, and what the alert rules say.
    Monitor(MonitorArgs),
    /// Write the model card of a version, as HTML, Markdown and SageMaker JSON.
    Card(CardArgs),
    /// What served at a time, and who approved it on which evidence.
    History(HistoryArgs),
    /// Where a version comes from and what became of it: data, code, run, decisions, deployments, use.
    Lineage(crate::lineage::LineageArgs),
    /// Who approved a version, in which role, with which key, and what is missing now.
    WhoApproved {
        /// Which.
        #[command(flatten)]
        version: VersionArgs,
        #[command(flatten)]
        proof: ProofArgs,
    },
    /// Charters before they are in force.
    #[command(subcommand)]
    Charter(CharterCommand),
    /// Show entries of the ledger, or export it.
    #[command(args_conflicts_with_subcommands = true)]
    Log(LogArgs),
    /// Check the whole ledger, bit by bit, and the signature of every approval. Names what is damaged.
    Verify(VerifyArgs),
    /// AWS IAM policies: decide requests, find mistakes, prove who can get in.
    #[command(subcommand)]
    Iam(crate::iam::IamCommand),
    /// Check templates and plans against the controls: what must be so for every AI resource.
    Audit(crate::audit::AuditArgs),
    /// Put right what the controls find broken in an account: plan, approve, apply, undo.
    #[command(subcommand)]
    Remediate(crate::remediate::RemediateCommand),
    /// Watch an account: read it now and then and whenever something changes, and open incidents for what gets worse.
    Watch(Box<crate::watch::WatchArgs>),
    /// What got worse in an account that is watched.
    #[command(subcommand)]
    Incident(crate::watch::IncidentCommand),
    /// What may stay broken for a while, and who says so.
    #[command(subcommand)]
    Waiver(crate::waiver::WaiverCommand),
    /// Amazon Web Services: who calls, what each command may need there.
    #[command(subcommand)]
    Aws(crate::aws::AwsCommand),
    /// The controls: what there is, what each asks for, and what of which framework they answer.
    #[command(subcommand)]
    Controls(crate::audit::ControlsCommand),
    /// Print a shell completion script.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Write man pages into a folder.
    Man {
        /// The folder.
        #[arg(value_hint = ValueHint::DirPath)]
        out: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Set an earlier demo in the same folder aside (it is renamed, not deleted) and start afresh.
    #[arg(long)]
    pub(crate) again: bool,
    /// The training program, built already; by default it is built from the examples with cargo.
    #[arg(long, value_hint = ValueHint::FilePath)]
    pub(crate) trainer: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) stores: StoreArgs,
}

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// The training program that the charter names.
    #[arg(long, default_value = "./trainer", value_hint = ValueHint::FilePath)]
    pub(crate) trainer: String,
    /// The folder of its source code, in a Git checkout.
    #[arg(long, default_value = ".", value_hint = ValueHint::DirPath)]
    pub(crate) code: String,
    #[command(flatten)]
    pub(crate) stores: StoreArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DataCommand {
    /// List the snapshots.
    List,
    /// Take in a CSV file as an encrypted, immutable snapshot.
    Import {
        /// The data set.
        dataset: DatasetId,
        /// The file.
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// The last part of the snapshot's name; today's date by default.
        #[arg(long)]
        label: Option<String>,
    },
    /// Make the pseudonymised snapshot that the charter describes.
    Pseudonymise {
        /// The data set to make.
        dataset: DatasetId,
    },
    /// Read a snapshot, if your role may.
    Read {
        /// The snapshot: `NAME/SNAPSHOT`, or `s3://datasets/NAME/SNAPSHOT/`.
        #[arg(value_parser = SnapshotName::called)]
        snapshot: SnapshotName,
        /// Write to this file (mode 0600) instead of standard output.
        #[arg(long, value_hint = ValueHint::FilePath)]
        out: Option<PathBuf>,
        /// Only the rows that training sees, or only those held back for validation.
        #[arg(long, value_enum, default_value = "whole")]
        part: Part,
        /// Why; goes on record.
        #[arg(long, default_value = "read by hand")]
        purpose: String,
    },
}

/// A part of a snapshot.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum Part {
    /// All of it.
    Whole,
    /// What a training program sees.
    Training,
    /// What is held back from training.
    Validation,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// List the keys and their state.
    List,
    /// Disable a key: what it protects cannot be read until it is enabled again.
    Disable {
        /// The key.
        key: KeyId,
    },
    /// Enable a key again.
    Enable {
        /// The key.
        key: KeyId,
    },
    /// Give a key new material; what it protects already stays readable.
    Rotate {
        /// The key.
        key: KeyId,
    },
    /// Let a role that does not use a key unwrap or make data keys, for one encryption context, for a time or until it is taken
    /// back.
    Grant(crate::grants::GrantArgs),
    /// List the grants: those in the key service beside those on record; or take back those that have ended.
    Grants(crate::grants::GrantsArgs),
    /// Take a grant back.
    RevokeGrant(crate::grants::RevokeGrantArgs),
    /// Give a grant back that your role has.
    RetireGrant(crate::grants::RevokeGrantArgs),
    /// Make your own key to sign approvals with, and register its public half. The private half stays with you.
    New {
        /// Where to write the private half; by default below `~/.config/wardmote`.
        #[arg(long, value_hint = ValueHint::FilePath)]
        out: Option<PathBuf>,
        /// The private half of your present key, which signs for the new one.
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        replaces: Option<PathBuf>,
    },
    /// List the keys with which people sign approvals.
    Approvers,
    /// Stand for somebody else's signing key, after comparing it with its owner.
    Confirm {
        /// Whose.
        holder: PersonId,
        /// The key, as its owner gave it to you.
        key: VerifierKey,
    },
    /// Withdraw a signing key, your own or as a compliance officer anybody's: nothing that it signed counts any more.
    Withdraw {
        /// Whose.
        holder: PersonId,
        /// Why.
        #[arg(long)]
        reason: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum CredentialCommand {
    /// Issue a new access key; the earlier one stops working.
    Issue {
        /// The person or service.
        holder: PersonId,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ModelCommand {
    /// List the models and their versions.
    List,
    /// List the requests for approval that wait for somebody.
    Requests,
    /// Show one version with its evidence.
    Show(VersionArgs),
    /// Run the training program under the training role and register what it makes.
    Train {
        /// The model.
        model: ModelName,
        /// A hyperparameter, in place of the charter's; may be repeated.
        #[arg(long = "set", value_name = "NAME=VALUE", value_parser = name_and_value)]
        set: Vec<(String, String)>,
        /// The snapshot to train on, `NAME/SNAPSHOT` or `s3://datasets/NAME/SNAPSHOT/`; the latest by default.
        #[arg(long, value_parser = SnapshotName::called)]
        snapshot: Option<SnapshotName>,
    },
    /// Register a version that was made elsewhere, from a folder or from an MLflow server.
    Import(crate::import::ImportArgs),
    /// Measure a version on held-back data and judge it by the charter's acceptance criteria.
    Validate(VersionArgs),
    /// Approve a version; not your own.
    Approve {
        /// Which.
        #[command(flatten)]
        version: VersionArgs,
        /// The private half of your signing key; by default the one that `key new` wrote, if you have one.
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        key: Option<PathBuf>,
    },
    /// Take back an approval: your own, or as a compliance officer anybody's.
    RevokeApproval {
        /// Which.
        #[command(flatten)]
        version: VersionArgs,
        /// Whose approval; your own by default.
        #[arg(long, value_name = "ID")]
        of: Option<PersonId>,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Refuse a version for good.
    Reject {
        /// Which.
        #[command(flatten)]
        version: VersionArgs,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// What is different between two versions: data, code, parameters, metrics, documents, people.
    Diff {
        /// The model.
        model: ModelName,
        /// One version.
        from: u32,
        /// The other.
        to: u32,
        #[command(flatten)]
        proof: ProofArgs,
    },
    /// Put an approved version behind the model's endpoint.
    Deploy(DeployArgs),
    /// Name the version to fall back to; it is approved and signed now, so that falling back needs nobody.
    Fallback(VersionArgs),
    /// List what was decided without somebody else, and what a review made of it.
    Reviews {
        /// Only of this model.
        model: Option<ModelName>,
    },
    /// Look at a decision that somebody else took: an emergency, a rollback, an approval of one's own work.
    Review {
        /// The model.
        model: ModelName,
        /// The entry of the decision; the oldest that waits by default.
        #[arg(long, value_name = "ENTRY")]
        of: Option<EvidenceId>,
        /// It was right.
        #[arg(long, conflicts_with = "not_upheld", required_unless_present = "not_upheld")]
        upheld: bool,
        /// It was wrong.
        #[arg(long)]
        not_upheld: bool,
        /// What you found.
        #[arg(long)]
        note: String,
    },
    /// Put the version back that was named as fallback, or else the one that served before.
    Rollback {
        /// The model.
        model: ModelName,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Let nobody use a version, at once: it is not approved, deployed, loaded or exported until somebody else has looked at
    /// it. If it serves, the fallback takes its place, or nothing does.
    Quarantine {
        /// Which.
        #[command(flatten)]
        version: VersionArgs,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Let a version out of quarantine that somebody else put there. It needs new approvals, and is not deployed by this.
    Release {
        /// Which.
        #[command(flatten)]
        version: VersionArgs,
        /// What you found.
        #[arg(long)]
        finding: String,
    },
    /// Show what really serves where a model serves on another platform than the house's gateway, beside the record.
    Serving(crate::serving::ServingArgs),
    /// Write a version's artefact, signature and public key, for others to verify without us.
    Export {
        /// Which.
        #[command(flatten)]
        version: VersionArgs,
        /// The folder to write to.
        #[arg(long, value_hint = ValueHint::DirPath)]
        out: PathBuf,
    },
    /// Put a document about a version on record, by the digest of its bytes; a charter may demand that.
    Document {
        /// Which.
        #[command(flatten)]
        version: VersionArgs,
        /// What it is: `impact-assessment`.
        kind: DocumentKind,
        /// The file; keep it, the house does not.
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
    /// Train a version again as the record says it was trained, and compare.
    Reproduce {
        /// Which.
        #[command(flatten)]
        version: VersionArgs,
        /// How far a metric may be off, as a share of the earlier figure.
        #[arg(long, value_name = "SHARE", default_value = "0.01", value_parser = crate::reproduce::tolerance)]
        tolerance: f64,
    },
    /// Check a signature and the files that it was made for; ours or the OpenSSF tool's. Needs no house.
    Verify(SignatureArgs),
    /// Take a version out of use for good.
    Retire {
        /// Which.
        #[command(flatten)]
        version: VersionArgs,
        /// Why.
        #[arg(long)]
        reason: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct DeployArgs {
    #[command(flatten)]
    pub(crate) version: VersionArgs,
    /// Without approvals, in an emergency; for the roles that the charter names, with a review by somebody else.
    #[arg(long, requires_all = ["reason", "until"])]
    pub(crate) break_glass: bool,
    /// Why it cannot wait.
    #[arg(long, requires = "break_glass")]
    pub(crate) reason: Option<String>,
    /// Until when it may serve without approvals.
    #[arg(long, value_name = "TIME", requires = "break_glass")]
    pub(crate) until: Option<Timestamp>,
}

#[derive(Debug, Args)]
pub(crate) struct VersionArgs {
    /// The model.
    pub(crate) model: ModelName,
    /// The number of the version.
    pub(crate) version: u32,
}

#[derive(Debug, Args)]
pub(crate) struct SignatureArgs {
    /// The folder of the model's files, and nothing else.
    #[arg(value_hint = ValueHint::DirPath)]
    pub(crate) folder: PathBuf,
    /// The signature: an OpenSSF Model Signing bundle.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) signature: PathBuf,
    /// The public key in PEM, got from whom you trust.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) public_key: PathBuf,
    /// The key of a ledger, `log.vkey`: demand the proof that the signature was recorded there.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) log_key: Option<PathBuf>,
    /// A path in the folder that need not be signed, such as `.git`. May be repeated.
    #[arg(long, value_name = "PATH")]
    pub(crate) ignore: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// Believe only approvals signed with these keys, got from their owners: one a line, as `key new` prints them.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) approvers: Option<PathBuf>,
    /// Demand that the checkpoint is signed with each of these verifier keys of the ledger, got from elsewhere: one a line.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) log_keys: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// The address to listen on; port 0 takes any free one.
    #[arg(long, default_value = "127.0.0.1:8080")]
    pub(crate) listen: std::net::SocketAddr,
    /// Speak TLS: the file with this server's certificate and those that vouch for it, in PEM. Read again when it changes.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The file with its private key, in PEM; only its owner may read it.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Listen without TLS on an address that others reach, because what stands before this server speaks TLS.
    #[arg(long, conflicts_with = "tls_cert")]
    pub(crate) without_tls: bool,
    /// Captured traffic is sealed into the record at least this often.
    #[arg(long, default_value_t = 60)]
    pub(crate) capture_seconds: u64,
    /// Stop when standard input is closed (for programs that start this one).
    #[arg(long)]
    pub(crate) until_stdin_closes: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LabelsCommand {
    /// Import ground truth as SageMaker Model Monitor has it, in JSON Lines.
    Import {
        /// The model.
        model: ModelName,
        /// The file.
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct MonitorArgs {
    /// The model.
    pub(crate) model: ModelName,
    /// Only look: let no rule act.
    #[arg(long)]
    pub(crate) look_only: bool,
    /// Answer with one line in CloudWatch's embedded metric format, for a log that CloudWatch Logs reads.
    #[arg(long, value_name = "NAMESPACE")]
    pub(crate) emf: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct CardArgs {
    /// The model.
    pub(crate) model: ModelName,
    /// The number of the version; the serving one by default.
    pub(crate) version: Option<u32>,
    /// The folder to write to; `cards` in the house by default.
    #[arg(long, value_hint = ValueHint::DirPath)]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    /// The model.
    #[arg(long)]
    pub(crate) model: Option<ModelName>,
    /// A stack of the reference architecture, in place of a model: what was done to it until then.
    #[arg(long, value_name = "NAME", conflicts_with = "model")]
    pub(crate) stack: Option<String>,
    /// The time, as RFC 3339 or a date (its midnight in UTC); now by default.
    #[arg(long, value_name = "TIME")]
    pub(crate) as_of: Option<Timestamp>,
    #[command(flatten)]
    pub(crate) proof: ProofArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ProofArgs {
    /// Write the answer into this folder, with the entries that it rests on and a proof of each, to be verified offline.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) proof: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CharterCommand {
    /// Which past deployments a charter would have refused, had it been in force all along.
    Rehearse {
        /// The charter; several files make one.
        #[arg(required = true, value_hint = ValueHint::FilePath)]
        files: Vec<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct LogArgs {
    /// Only entries of this stream, such as `model/credit-scoring` or `key/credit-data`.
    #[arg(long)]
    pub(crate) stream: Option<String>,
    /// Only refusals.
    #[arg(long)]
    pub(crate) refused: bool,
    /// At most this many, the latest.
    #[arg(long, default_value_t = 50)]
    pub(crate) limit: usize,
    #[command(subcommand)]
    pub(crate) command: Option<LogCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LogCommand {
    /// Write the whole ledger as static files for mirrors and monitors of transparency logs (C2SP tlog-tiles).
    Export {
        /// The folder to write to; an earlier export of the same ledger is continued.
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
        tiles: PathBuf,
    },
    /// Check a folder that `--proof` wrote: needs no ledger, no house and no trust in who wrote it.
    VerifyProof {
        /// The folder.
        #[arg(value_hint = ValueHint::DirPath)]
        folder: PathBuf,
        /// The verifier keys of the ledger, one a line, got from elsewhere: each must have signed; else the one in the folder is taken, and says so.
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        vkey: Option<PathBuf>,
    },
}

fn name_and_value(text: &str) -> Result<(String, String), String> {
    let (name, value) =
        text.split_once('=').ok_or_else(|| format!("`{text}` is not of the form NAME=VALUE"))?;
    name.parse::<ColumnName>().map_err(|error| error.to_string())?;
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
