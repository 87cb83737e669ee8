//! Versions of registered models.

use super::models::{Search, may_read};
use crate::call::Nothing;
use crate::desk::Desk;
use crate::failure::wire;
use engine::{Engine, NewModelVersion};
use facts::Actor;
use mlflow::Error;
use mlflow::catalogue::ModelVersionView;
use mlflow::entity::Pair;
use mlflow::lenient;
use mlflow::search::{Filter, Kind, Order, page};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many versions if nobody says, and the most.
const PAGE: (usize, usize) = (10_000, 200_000);

pub(super) fn number(version: i64) -> Result<u32, Error> {
    u32::try_from(version).map_err(|_| Error::invalid(format!("`{version}` is not the number of a version")))
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Create {
    #[serde(default)]
    name: String,
    #[serde(default)]
    source: String,
    #[serde(default)]
    run_id: Option<String>,
    #[serde(default)]
    model_id: Option<String>,
    #[serde(default)]
    run_link: Option<String>,
    #[serde(default)]
    description: String,
    #[serde(default)]
    tags: Vec<Pair>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct OneVersion {
    pub(super) model_version: ModelVersionView,
}

fn view(engine: &Engine, name: &str, number: u32) -> Result<OneVersion, Error> {
    let (model, version) = engine.registered_version(name, number).map_err(wire)?;
    Ok(OneVersion { model_version: version.view(model) })
}

pub(crate) fn create(desk: &Desk, actor: &Actor, input: Create) -> Result<OneVersion, Error> {
    let name = input.name.clone();
    let new = NewModelVersion {
        name: input.name,
        source: input.source,
        run_id: input.run_id.filter(|id| !id.is_empty()),
        model_id: input.model_id.filter(|id| !id.is_empty()),
        run_link: input.run_link.filter(|link| !link.is_empty()),
        description: input.description,
        tags: input.tags,
        document: None,
    };
    let prepared = desk.notebook().prepare(new);
    let mut engine = desk.engine()?;
    let made = engine.create_version(actor, desk.notebook(), prepared).map_err(wire)?;
    if let Some(asking) = engine.asking_at_registration(&name, made).map_err(wire)? {
        // Programs take their time, and only who registers waits for them.
        drop(engine);
        let turn = desk.programs();
        let said = asking.ask();
        drop(turn);
        engine = desk.engine()?;
        engine.answered_at_registration(actor, said).map_err(wire)?;
    }
    view(&engine, &name, made)
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Which {
    name: String,
    #[serde(deserialize_with = "lenient::int64")]
    #[schemars(with = "i64")]
    version: i64,
}

pub(crate) fn get(desk: &Desk, actor: &Actor, input: Which) -> Result<OneVersion, Error> {
    let mut engine = desk.engine()?;
    may_read(&mut engine, actor, &input.name)?;
    view(&engine, &input.name, number(input.version)?)
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Update {
    name: String,
    #[serde(deserialize_with = "lenient::int64")]
    #[schemars(with = "i64")]
    version: i64,
    #[serde(default)]
    description: String,
}

pub(crate) fn update(desk: &Desk, actor: &Actor, input: Update) -> Result<OneVersion, Error> {
    let version = number(input.version)?;
    let mut engine = desk.engine()?;
    engine.describe_version(actor, (&input.name, version), input.description).map_err(wire)?;
    view(&engine, &input.name, version)
}

pub(crate) fn delete(desk: &Desk, actor: &Actor, input: Which) -> Result<Nothing, Error> {
    desk.engine()?.delete_version(actor, (&input.name, number(input.version)?)).map_err(wire)?;
    Ok(Nothing {})
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Tagging {
    name: String,
    #[serde(deserialize_with = "lenient::int64")]
    #[schemars(with = "i64")]
    version: i64,
    key: String,
    #[serde(default)]
    value: String,
}

pub(crate) fn set_tag(desk: &Desk, actor: &Actor, input: Tagging) -> Result<Nothing, Error> {
    let which = (input.name.as_str(), number(input.version)?);
    desk.engine()?.tag_version(actor, which, (&input.key, Some(&input.value))).map_err(wire)?;
    Ok(Nothing {})
}

pub(crate) fn delete_tag(desk: &Desk, actor: &Actor, input: Tagging) -> Result<Nothing, Error> {
    let which = (input.name.as_str(), number(input.version)?);
    desk.engine()?.tag_version(actor, which, (&input.key, None)).map_err(wire)?;
    Ok(Nothing {})
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Transition {
    name: String,
    #[serde(deserialize_with = "lenient::int64")]
    #[schemars(with = "i64")]
    version: i64,
    stage: String,
    #[serde(default, deserialize_with = "lenient::flag")]
    archive_existing_versions: bool,
}

pub(crate) fn transition(desk: &Desk, actor: &Actor, input: Transition) -> Result<OneVersion, Error> {
    let version = number(input.version)?;
    let to = (input.stage.as_str(), input.archive_existing_versions);
    let mut engine = desk.engine()?;
    engine.set_stage(actor, (&input.name, version), to).map_err(wire)?;
    view(&engine, &input.name, version)
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct DownloadUri {
    artifact_uri: String,
}

pub(crate) fn download_uri(desk: &Desk, actor: &Actor, input: Which) -> Result<DownloadUri, Error> {
    let version = number(input.version)?;
    let mut engine = desk.engine()?;
    let files = engine.open_version(actor, (&input.name, version)).map_err(wire)?;
    let artifact_uri = match files {
        Some(_) => format!("mlflow-artifacts:/versions/{}/{version}", input.name),
        None => engine.registered_version(&input.name, version).map_err(wire)?.1.made.source.clone(),
    };
    if artifact_uri.starts_with("wardmote:") {
        return Err(Error::absent(format!(
            "version {version} of `{0}` was trained by the house and is no folder of MLflow: `wardmote model export {0} {version} --out DIR` writes it",
            input.name
        )));
    }
    Ok(DownloadUri { artifact_uri })
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Found {
    model_versions: Vec<ModelVersionView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

pub(crate) fn search(desk: &Desk, actor: &Actor, input: Search) -> Result<Found, Error> {
    let mut engine = desk.engine()?;
    may_read(&mut engine, actor, "")?;
    let filter = Filter::parse(Kind::ModelVersions, input.filter.as_deref().unwrap_or_default())?;
    let otherwise = ["last_updated_timestamp DESC", "name ASC", "version_number DESC"];
    let order = Order::parse(Kind::ModelVersions, &input.order_by, &otherwise)?;
    let all = engine.state().catalogue().models();
    let mut found: Vec<_> = all
        .flat_map(|model| model.versions.values().map(move |version| (model, version)))
        .filter(|pair| filter.matches(pair))
        .collect();
    found.sort_by(|a, b| order.compare(a, b));
    let page = page(found, input.max_results, input.page_token.as_deref(), PAGE)?;
    Ok(Found {
        model_versions: page.items.into_iter().map(|(model, version)| version.view(model)).collect(),
        next_page_token: page.next,
    })
}
