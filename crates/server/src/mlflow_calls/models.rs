//! Registered models.

use super::versions::OneVersion;
use crate::call::Nothing;
use crate::desk::Desk;
use crate::failure::wire;
use engine::Engine;
use facts::Actor;
use guard::{Action, Resource};
use mlflow::Error;
use mlflow::catalogue::{ModelVersionView, RegisteredModelView};
use mlflow::check;
use mlflow::entity::Pair;
use mlflow::lenient;
use mlflow::search::{Filter, Kind, Order, page};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many models if nobody says, and the most.
const PAGE: (usize, usize) = (100, 1000);

/// Asks whether somebody may look at a model, which need not exist.
pub(super) fn may_read(engine: &mut Engine, actor: &Actor, name: &str) -> Result<(), Error> {
    let chartered = engine.names_model(name);
    let resource = Resource::RegisteredModel { name: name.to_owned(), chartered };
    engine.may(actor, Action::RegistryRead, &resource).map_err(wire)
}

fn view(engine: &Engine, name: &str) -> Result<One, Error> {
    Ok(One { registered_model: engine.registered_model(name).map_err(wire)?.view() })
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Create {
    #[serde(default)]
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    tags: Vec<Pair>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct One {
    registered_model: RegisteredModelView,
}

pub(crate) fn create(desk: &Desk, actor: &Actor, input: Create) -> Result<One, Error> {
    let mut engine = desk.engine()?;
    let made = engine.create_registered_model(actor, &input.name, (input.description, input.tags));
    made.map_err(wire)?;
    view(&engine, &input.name)
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct ByName {
    #[serde(default)]
    name: String,
}

pub(crate) fn get(desk: &Desk, actor: &Actor, input: ByName) -> Result<One, Error> {
    let mut engine = desk.engine()?;
    may_read(&mut engine, actor, &input.name)?;
    view(&engine, &input.name)
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Rename {
    name: String,
    new_name: String,
}

pub(crate) fn rename(desk: &Desk, actor: &Actor, input: Rename) -> Result<One, Error> {
    let mut engine = desk.engine()?;
    engine.rename_model(actor, &input.name, &input.new_name).map_err(wire)?;
    view(&engine, &input.new_name)
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Update {
    name: String,
    #[serde(default)]
    description: String,
}

pub(crate) fn update(desk: &Desk, actor: &Actor, input: Update) -> Result<One, Error> {
    let mut engine = desk.engine()?;
    engine.describe_model(actor, &input.name, input.description).map_err(wire)?;
    view(&engine, &input.name)
}

pub(crate) fn delete(desk: &Desk, actor: &Actor, input: ByName) -> Result<Nothing, Error> {
    desk.engine()?.delete_model(actor, &input.name).map_err(wire)?;
    Ok(Nothing {})
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Tagging {
    name: String,
    key: String,
    #[serde(default)]
    value: String,
}

pub(crate) fn set_tag(desk: &Desk, actor: &Actor, input: Tagging) -> Result<Nothing, Error> {
    desk.engine()?.tag_model(actor, &input.name, (&input.key, Some(&input.value))).map_err(wire)?;
    Ok(Nothing {})
}

pub(crate) fn delete_tag(desk: &Desk, actor: &Actor, input: Tagging) -> Result<Nothing, Error> {
    desk.engine()?.tag_model(actor, &input.name, (&input.key, None)).map_err(wire)?;
    Ok(Nothing {})
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct ByAlias {
    name: String,
    alias: String,
}

pub(crate) fn get_by_alias(desk: &Desk, actor: &Actor, input: ByAlias) -> Result<OneVersion, Error> {
    let mut engine = desk.engine()?;
    may_read(&mut engine, actor, &input.name)?;
    let model = engine.registered_model(&input.name).map_err(wire)?;
    // `latest` is no alias, and always means the newest.
    let number = match model.aliases.get(&input.alias) {
        Some(number) => *number,
        None if input.alias.eq_ignore_ascii_case("latest") => {
            model.versions.keys().last().copied().unwrap_or_default()
        }
        None => {
            return Err(Error::invalid(format!(
                "the registered model `{}` has no alias `{}`",
                input.name, input.alias
            )));
        }
    };
    let (model, version) = engine.registered_version(&input.name, number).map_err(wire)?;
    Ok(OneVersion { model_version: version.view(model) })
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct SetAlias {
    name: String,
    alias: String,
    #[serde(deserialize_with = "lenient::int64")]
    #[schemars(with = "i64")]
    version: i64,
}

pub(crate) fn set_alias(desk: &Desk, actor: &Actor, input: SetAlias) -> Result<Nothing, Error> {
    let version = super::versions::number(input.version)?;
    desk.engine()?.set_alias(actor, (&input.name, version), &input.alias).map_err(wire)?;
    Ok(Nothing {})
}

pub(crate) fn delete_alias(desk: &Desk, actor: &Actor, input: ByAlias) -> Result<Nothing, Error> {
    desk.engine()?.delete_alias(actor, &input.name, &input.alias).map_err(wire)?;
    Ok(Nothing {})
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Latest {
    name: String,
    #[serde(default, deserialize_with = "lenient::texts")]
    stages: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct LatestVersions {
    model_versions: Vec<ModelVersionView>,
}

pub(crate) fn latest(desk: &Desk, actor: &Actor, input: Latest) -> Result<LatestVersions, Error> {
    let mut engine = desk.engine()?;
    may_read(&mut engine, actor, &input.name)?;
    let stages = input.stages.iter().map(|stage| check::stage(stage)).collect::<Result<Vec<_>, _>>()?;
    let model = engine.registered_model(&input.name).map_err(wire)?;
    let wanted =
        model.latest().filter(|version| stages.is_empty() || stages.contains(&version.stage.as_str()));
    Ok(LatestVersions { model_versions: wanted.map(|version| version.view(model)).collect() })
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Search {
    #[serde(default)]
    pub(super) filter: Option<String>,
    #[serde(default, deserialize_with = "lenient::maybe_int64")]
    #[schemars(with = "Option<i64>")]
    pub(super) max_results: Option<i64>,
    #[serde(default, deserialize_with = "lenient::texts")]
    pub(super) order_by: Vec<String>,
    #[serde(default)]
    pub(super) page_token: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Found {
    registered_models: Vec<RegisteredModelView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

pub(crate) fn search(desk: &Desk, actor: &Actor, input: Search) -> Result<Found, Error> {
    let mut engine = desk.engine()?;
    may_read(&mut engine, actor, "")?;
    let filter = Filter::parse(Kind::RegisteredModels, input.filter.as_deref().unwrap_or_default())?;
    let order = Order::parse(Kind::RegisteredModels, &input.order_by, &["name ASC"])?;
    let mut found: Vec<_> =
        engine.state().catalogue().models().filter(|model| filter.matches(*model)).collect();
    found.sort_by(|a, b| order.compare(*a, *b));
    let page = page(found, input.max_results, input.page_token.as_deref(), PAGE)?;
    Ok(Found {
        registered_models: page.items.into_iter().map(mlflow::catalogue::Model::view).collect(),
        next_page_token: page.next,
    })
}
