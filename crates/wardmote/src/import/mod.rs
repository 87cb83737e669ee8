//! `wardmote model import`: versions from a folder, from an MLflow server, or from a model registry of SageMaker, as candidates
//! of a model of the charter.

mod folder;
mod sagemaker;
mod tar;
mod tracking;

use crate::answer::Answers;
use crate::aws::failure;
use crate::commands::{At, Run};
use crate::failure::{Exit, Failure};
use aws::Web;
use clap::Args;
use engine::{Engine, Foreign, Import, Imported};
use facts::{Actor, ModelName};
use std::path::Path;
use tracking::Server;

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The model of the charter that the version becomes one of.
    pub(crate) model: ModelName,
    /// A folder with the version's files, the address of an MLflow server (with MLFLOW_TRACKING_TOKEN, or
    /// MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, as the client of MLflow has them), `sagemaker:GROUP` for a model
    /// package group, or the ARN of a model package.
    pub(crate) from: String,
    /// The registered model on the server; the same name by default.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// The version on the server or in the group; the newest by default.
    #[arg(long)]
    pub(crate) version: Option<u32>,
}

/// Where a version comes from.
trait Source {
    /// What is said of it.
    fn foreign(&self) -> Foreign;
    /// Hands over its files, one after the other.
    fn files(&self, engine: &mut Engine, import: &mut Import) -> Result<(), Failure>;
}

pub(crate) fn run(at: &At<'_>, args: &ImportArgs) -> Run {
    let remote = args.from.starts_with("https://") || args.from.starts_with("http://");
    let sagemaker = args.from.starts_with("sagemaker:") || args.from.starts_with("arn:");
    let usage = |text: &str| Err(Failure::new(Exit::Usage, text));
    if !remote && !sagemaker && (args.name.is_some() || args.version.is_some()) {
        return usage("a folder is one version: `--name` and `--version` are for servers");
    }
    if sagemaker && args.name.is_some() {
        return usage("the group stands in the source: `--name` is for MLflow servers");
    }
    let source: Box<dyn Source> = if remote {
        let web = Web::new(&at.house.settings()?.called()?).map_err(failure)?;
        let name = args.name.as_deref().unwrap_or(args.model.as_str());
        Box::new(Server::new(web, &args.from)?.version(name, args.version)?)
    } else if sagemaker {
        let client = at.house.settings()?.client()?;
        Box::new(sagemaker::Registry::named(client, &args.from, args.version)?.find()?)
    } else {
        Box::new(folder::Folder::at(Path::new(&args.from))?)
    };
    at.with(|engine, actor| {
        let imported = import(engine, actor, (&args.model, &*source))?;
        told(at.answers, &imported)
    })
}

fn import(
    engine: &mut Engine,
    actor: &Actor,
    (model, source): (&ModelName, &dyn Source),
) -> Result<Imported, Failure> {
    let mut import = engine.begin_import(actor, model, source.foreign())?;
    let done = source.files(engine, &mut import).and_then(|()| Ok(engine.end_import(actor, &import)?));
    if done.is_err() {
        // The reason is more important than what could not be tidied up after it.
        engine.abandon_import(&import).unwrap_or_default();
    }
    done
}

fn told(answers: &Answers, imported: &Imported) -> Result<(), Failure> {
    answers.give(imported, |one| {
        let Imported { model, version, files, bytes, run } = one;
        format!(
            "imported version {version} of {model}: {files} files, {bytes} bytes, with run {run}\n\
             what came with it are claims; `wardmote lineage {model} {version}` shows what is on record and what is missing"
        )
    })
}
