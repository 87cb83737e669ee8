//! What can be typed after `wardmote aws`, and where a house keeps what it keeps.

use super::settings::{Account, KeyPlace, ObjectPlace};
use clap::{Args, Subcommand, ValueHint};
use facts::serving::LogGroup;
use facts::{Arn, Timestamp};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum AwsCommand {
    /// Show who calls, in which region, and which endpoints are in force. Shows no secret.
    Identity,
    /// Print a token with which a server that takes AWS identities recognises the caller; set MLFLOW_TRACKING_TOKEN to it.
    Token(TokenArgs),
    /// Print the smallest IAM policy with which a command works.
    Permissions(PermissionsArgs),
    /// Show the CloudWatch alarms that the alert rules of the charter make, and put them.
    Alarms(AlarmsArgs),
    /// Copy the ledger into a bucket, as static files (C2SP tlog-tiles) that can be locked there.
    Archive(ArchiveArgs),
    /// Show whether the lifecycle of the house's bucket is that of the charter: nothing ends too soon or stays too long.
    Lifecycle(LifecycleArgs),
    /// Compare the SageMaker Model Registry with the record, and make it its mirror.
    Registry(RegistryArgs),
    /// Log files of AWS CloudTrail.
    #[command(subcommand)]
    Trail(TrailCommand),
}

#[derive(Debug, Args)]
pub(crate) struct TokenArgs {
    /// The name of the server, as whoever runs it gave it; no other server takes the token.
    #[arg(long)]
    pub(crate) server: String,
    /// How long it lasts.
    #[arg(long, default_value_t = 900, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=900))]
    pub(crate) seconds: u32,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TrailCommand {
    /// Verify a copy of a trail's bucket, without AWS: signatures, hashes, and that nothing is missing.
    Verify(VerifyArgs),
    /// Copy a trail's bucket into a folder, with the signatures of its digests and the public keys.
    Fetch(FetchArgs),
}

#[derive(Debug, Args)]
pub(crate) struct FetchArgs {
    /// The bucket, and what the keys of all files begin with: `s3://BUCKET/AWSLogs/`.
    pub(crate) place: ObjectPlace,
    /// The folder; what is there already is not fetched again.
    #[arg(value_hint = ValueHint::DirPath)]
    pub(crate) folder: PathBuf,
    /// Write the public keys of CloudTrail to this file.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) public_keys: PathBuf,
    /// Only files of this day and later ones.
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<Timestamp>,
    /// Only files up to the day after this one: digests come after what they cover.
    #[arg(long, value_name = "TIME")]
    pub(crate) to: Option<Timestamp>,
    /// The account that must own the bucket.
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) bucket_owner: Option<Account>,
    /// Print the smallest IAM policy with which this works, and do nothing.
    #[arg(long)]
    pub(crate) permissions: bool,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The folder: log files and digest files, and beside a digest FILE the answer of `aws s3api head-object` in
    /// FILE.head.json.
    #[arg(value_hint = ValueHint::DirPath)]
    pub(crate) folder: PathBuf,
    /// The public keys of CloudTrail, as `aws cloudtrail list-public-keys` prints them.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) public_keys: PathBuf,
    /// Everything delivered from this time on must be proved [default: from the first digest on].
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<Timestamp>,
    /// Everything delivered up to this time must be proved [default: up to the last digest].
    #[arg(long, value_name = "TIME")]
    pub(crate) to: Option<Timestamp>,
}

#[derive(Debug, Args)]
pub(crate) struct ArchiveArgs {
    /// Where to: `s3://BUCKET/PREFIX/`; an earlier copy of the same ledger is continued.
    pub(crate) place: ObjectPlace,
    /// Lock what is put for so many days: nobody can change or delete it (Object Lock, compliance mode).
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub(crate) retain_days: Option<u32>,
    /// The KMS key under which S3 encrypts it [default: the account's key `aws/s3`].
    #[arg(long, value_name = "ARN", value_parser = key)]
    pub(crate) objects_key: Option<Arn>,
    /// The account that must own the bucket.
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) bucket_owner: Option<Account>,
    /// Compare what is there already, byte for byte.
    #[arg(long)]
    pub(crate) compare: bool,
    /// Print the smallest IAM policy with which this works, and do nothing.
    #[arg(long)]
    pub(crate) permissions: bool,
}

#[derive(Debug, Args)]
pub(crate) struct LifecycleArgs {
    /// Put the rules that the charter makes; rules of others stay as they are. Shows first what changes, and asks.
    #[arg(long)]
    pub(crate) put: bool,
    /// Put them without a question.
    #[arg(long, requires = "put")]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RegistryArgs {
    /// Make what is missing and put right what is different; without it, only look.
    #[arg(long)]
    pub(crate) sync: bool,
    /// Print the smallest IAM policy with which this works, and do nothing.
    #[arg(long)]
    pub(crate) permissions: bool,
}

#[derive(Debug, Args)]
pub(crate) struct AlarmsArgs {
    /// Put them; alarms of the same names are replaced.
    #[arg(long)]
    pub(crate) put: bool,
    /// How long one look of an alarm lasts; a period without a figure is an alarm too.
    #[arg(long, default_value_t = 86_400, value_name = "SECONDS", value_parser = whole_minutes)]
    pub(crate) period_seconds: u32,
}

/// CloudWatch looks at whole minutes, and over at most a day.
fn whole_minutes(text: &str) -> Result<u32, String> {
    let seconds = text.parse().ok().filter(|seconds| (60..=86_400).contains(seconds) && seconds % 60 == 0);
    seconds
        .ok_or_else(|| format!("`{text}` is not a period: expected whole minutes, from 60 to 86400 seconds"))
}

#[derive(Debug, Args)]
pub(crate) struct PermissionsArgs {
    /// The command, for example `model train` or `iam who-can`; without one, all that the house needs.
    #[arg(value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
    /// The policy of the caller who administers keys, where that is another.
    #[arg(long)]
    pub(crate) administration: bool,
}

/// Where a house keeps its objects and keys, in its folder by default, and where it sends signals, if anywhere.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Amazon Web Services")]
pub(crate) struct StoreArgs {
    /// Keep the encrypted objects in a bucket that exists: `s3://BUCKET/PREFIX/`.
    #[arg(long, value_name = "PLACE")]
    pub(crate) objects: Option<ObjectPlace>,
    /// The KMS key under which S3 encrypts them once more [default: the account's key `aws/s3`].
    #[arg(long, value_name = "ARN", requires = "objects", value_parser = key)]
    pub(crate) objects_key: Option<Arn>,
    /// The account that must own the bucket.
    #[arg(long, value_name = "ACCOUNT", requires = "objects")]
    pub(crate) bucket_owner: Option<Account>,
    /// Keep the keys in AWS KMS, with aliases that begin so: `kms:alias/PREFIX/`.
    #[arg(long, value_name = "PLACE")]
    pub(crate) keys: Option<KeyPlace>,
    /// A role that administers new keys and cannot use them; may be repeated.
    #[arg(long = "key-administrator", value_name = "ARN", requires_all = ["keys", "key_users"])]
    pub(crate) key_administrators: Vec<Arn>,
    /// A role that uses new keys and cannot administer them; may be repeated.
    #[arg(long = "key-user", value_name = "ARN", requires_all = ["keys", "key_administrators"])]
    pub(crate) key_users: Vec<Arn>,
    /// The profile of the shared files as which keys are administered, if not the one as which they are used.
    #[arg(long, value_name = "PROFILE", requires = "keys")]
    pub(crate) administration_profile: Option<String>,
    /// Send the figures of the monitor to CloudWatch, in this namespace, for example `Wardmote/bank`.
    #[arg(long, value_name = "NAMESPACE")]
    pub(crate) metrics: Option<String>,
    /// Write them as lines into this group of CloudWatch Logs too, which is made if it is not there.
    #[arg(long, value_name = "GROUP", requires = "metrics")]
    pub(crate) logs: Option<LogGroup>,
    /// The key of KMS that encrypts the group; its policy must let CloudWatch Logs use it.
    #[arg(long, value_name = "ARN", requires = "logs")]
    pub(crate) logs_key: Option<Arn>,
    /// Send alerts to this SNS topic.
    #[arg(long, value_name = "ARN")]
    pub(crate) alerts: Option<Arn>,
    /// Send alerts to this EventBridge bus, by name or ARN.
    #[arg(long, value_name = "BUS")]
    pub(crate) events: Option<String>,
    /// Start this pipeline too when an alert triggers the retraining pipeline: the name of one of SageMaker, or the ARN
    /// of a state machine of Step Functions.
    #[arg(long, value_name = "PIPELINE")]
    pub(crate) retraining: Option<String>,
    /// The profile of the shared files as which the house calls [default: as the environment says].
    #[arg(long, value_name = "PROFILE")]
    pub(crate) profile: Option<String>,
    /// Call as this role, assumed with the credentials of the profile or the environment.
    #[arg(long, value_name = "ARN", value_parser = role)]
    pub(crate) role: Option<Arn>,
    /// A tag of the role's session, which policies see as `aws:PrincipalTag/KEY`; may be repeated.
    #[arg(long = "session-tag", value_name = "KEY=VALUE", requires = "role", value_parser = tag)]
    pub(crate) session_tags: Vec<(String, String)>,
    /// The region of the keys and the bucket [default: the one in force now, which the house keeps].
    #[arg(long)]
    pub(crate) region: Option<String>,
}

/// The ARN of a role, and of nothing else.
fn role(text: &str) -> Result<Arn, String> {
    let arn =
        text.parse::<Arn>().ok().filter(|arn| arn.service() == "iam" && arn.resource().starts_with("role/"));
    arn.ok_or_else(|| {
        format!(
            "`{}` is not the ARN of a role: expected `arn:aws:iam::ACCOUNT:role/NAME`",
            text.escape_debug()
        )
    })
}

/// The ARN of a key of KMS, or of its alias.
fn key(text: &str) -> Result<Arn, String> {
    let arn = text.parse::<Arn>().ok().filter(|arn| arn.service() == "kms");
    arn.ok_or_else(|| {
        format!(
            "`{}` is not the ARN of a key: expected `arn:aws:kms:REGION:ACCOUNT:key/ID`",
            text.escape_debug()
        )
    })
}

/// STS takes keys of up to 128 letters and values of up to 256.
fn tag(text: &str) -> Result<(String, String), String> {
    let wrong = || format!("`{}` is not a session tag: expected KEY=VALUE", text.escape_debug());
    let (key, value) = text.split_once('=').ok_or_else(wrong)?;
    let fits = |text: &str, most: usize| text.chars().count() <= most && !text.contains(char::is_control);
    if key.is_empty() || !fits(key, 128) || !fits(value, 256) {
        return Err(wrong());
    }
    Ok((key.to_owned(), value.to_owned()))
}

impl StoreArgs {
    /// As they were typed.
    pub(crate) fn words(&self) -> Vec<String> {
        fn text(value: &Option<impl ToString>) -> Vec<String> {
            value.iter().map(ToString::to_string).collect()
        }
        fn texts(values: &[Arn]) -> Vec<String> {
            values.iter().map(ToString::to_string).collect()
        }
        let all = [
            ("--objects", text(&self.objects)),
            ("--objects-key", text(&self.objects_key)),
            ("--bucket-owner", text(&self.bucket_owner)),
            ("--keys", text(&self.keys)),
            ("--key-administrator", texts(&self.key_administrators)),
            ("--key-user", texts(&self.key_users)),
            ("--administration-profile", text(&self.administration_profile)),
            ("--metrics", text(&self.metrics)),
            ("--logs", self.logs.iter().map(ToString::to_string).collect()),
            ("--logs-key", texts(self.logs_key.as_slice())),
            ("--alerts", text(&self.alerts)),
            ("--events", text(&self.events)),
            ("--retraining", text(&self.retraining)),
            ("--profile", text(&self.profile)),
            ("--role", text(&self.role)),
            (
                "--session-tag",
                self.session_tags.iter().map(|(key, value)| format!("{key}={value}")).collect(),
            ),
            ("--region", text(&self.region)),
        ];
        let words = |(name, values): (&str, Vec<String>)| {
            values.into_iter().flat_map(|value| [name.to_owned(), value]).collect::<Vec<_>>()
        };
        all.into_iter().flat_map(words).collect()
    }
}
