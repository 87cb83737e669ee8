//! The part of the command line that is about the reference architecture.

use blueprint::Limits;
use clap::{Args, ValueHint};
use std::path::PathBuf;

/// What `plan` takes.
#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// Make the reference architecture on AWS that follows from the charter: a CloudFormation template.
    #[arg(long)]
    pub(crate) aws: bool,
    /// The charter, a file or a folder [default: that of the house].
    #[arg(value_name = "CHARTER", requires = "aws", value_hint = ValueHint::AnyPath)]
    pub(crate) charter: Option<PathBuf>,
    /// Write template, diagram and report into this folder instead.
    #[arg(long, value_name = "DIR", requires = "aws", value_hint = ValueHint::DirPath)]
    pub(crate) out: Option<PathBuf>,
    /// The form of the template; JSON has no comments.
    #[arg(long, value_enum, default_value = "yaml", requires = "aws")]
    pub(crate) format: Format,
    #[command(flatten)]
    pub(crate) drawing: DrawingArgs,
}

/// What a charter does not say.
#[derive(Debug, Args)]
pub(crate) struct DrawingArgs {
    /// Who says who a caller of the API is.
    #[arg(long, value_enum, default_value = "iam", requires = "aws")]
    pub(crate) authoriser: Authoriser,
    /// The API is reached through PrivateLink only; with Cognito it always is.
    #[arg(long, requires = "aws")]
    pub(crate) private_api: bool,
    /// The most resources in one stack; a template with more is put into nested stacks. CloudFormation takes 500.
    #[arg(long, value_name = "NUMBER", default_value = "500", requires = "aws", value_parser = clap::value_parser!(u16).range(20..=500))]
    pub(crate) resources_per_stack: u16,
}

impl DrawingArgs {
    /// What is put into one stack at most.
    pub(crate) fn limits(&self) -> Limits {
        Limits { resources: self.resources_per_stack.into(), ..Limits::default() }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    Yaml,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Authoriser {
    /// Signatures of IAM.
    Iam,
    /// Tokens of a Cognito user pool.
    Cognito,
}

/// What `apply` takes.
#[derive(Debug, Args)]
pub(crate) struct ApplyArgs {
    /// Deploy the reference architecture on AWS that follows from the charter, by a change set that is shown first.
    #[arg(long)]
    pub(crate) aws: bool,
    /// The charter, a file or a folder [default: that of the house].
    #[arg(value_name = "CHARTER", requires = "aws", value_hint = ValueHint::AnyPath)]
    pub(crate) charter: Option<PathBuf>,
    /// The name of the stack [default: the id of the organisation].
    #[arg(long, requires = "aws", value_parser = stack)]
    pub(crate) stack: Option<String>,
    /// A parameter of the template; may be repeated. Others keep their values.
    #[arg(long = "parameter", value_name = "NAME=VALUE", requires = "aws", value_parser = parameter)]
    pub(crate) parameters: Vec<(String, String)>,
    /// Where templates are put that are too large for a call: `s3://BUCKET/PREFIX/`.
    #[arg(long, value_name = "PLACE", requires = "aws")]
    pub(crate) templates: Option<crate::aws::ObjectPlace>,
    /// Carry it out without a question.
    #[arg(long, requires = "aws")]
    pub(crate) yes: bool,
    /// Delete the stack; what holds evidence stays.
    #[arg(long, requires = "aws")]
    pub(crate) destroy: bool,
    /// Print the smallest IAM policy with which the stack itself can be changed, and do nothing.
    #[arg(long, requires = "aws")]
    pub(crate) permissions: bool,
    #[command(flatten)]
    pub(crate) drawing: DrawingArgs,
}

/// Lower case, because names of buckets begin with it.
fn stack(text: &str) -> Result<String, String> {
    let letters = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let proper =
        text.len() <= 40 && text.starts_with(|c: char| c.is_ascii_lowercase()) && text.bytes().all(letters);
    let wrong = "is not the name of a stack: expected at most 40 lower-case letters, digits and hyphens";
    if proper { Ok(text.to_owned()) } else { Err(format!("`{}` {wrong}", text.escape_debug())) }
}

fn parameter(text: &str) -> Result<(String, String), String> {
    let wrong = || format!("`{}` is not a parameter: expected NAME=VALUE", text.escape_debug());
    let (name, value) = text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(wrong)?;
    Ok((name.to_owned(), value.to_owned()))
}
