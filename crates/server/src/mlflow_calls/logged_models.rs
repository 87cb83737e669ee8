//! Logged models.

use crate::call::Nothing;
use crate::desk::Desk;
use engine::{ModelPatch, NewLoggedModel};
use facts::Actor;
use guard::Action;
use mlflow::Error;
use mlflow::entity::{LoggedModel, Pair};
use mlflow::lenient;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Create {
    #[serde(deserialize_with = "lenient::text")]
    experiment_id: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    model_type: Option<String>,
    #[serde(default)]
    source_run_id: Option<String>,
    #[serde(default)]
    params: Vec<Pair>,
    #[serde(default)]
    tags: Vec<Pair>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct One {
    model: LoggedModel,
}

pub(crate) fn create(desk: &Desk, actor: &Actor, input: Create) -> Result<One, Error> {
    desk.allow_id(actor, Action::TrackingWrite, &input.experiment_id)?;
    let new = NewLoggedModel {
        experiment_id: input.experiment_id,
        name: input.name,
        model_type: input.model_type,
        source_run_id: input.source_run_id.filter(|id| !id.is_empty()),
        params: input.params,
        tags: input.tags,
    };
    Ok(One { model: desk.notebook().create_logged_model(actor, new)? })
}

fn allowed(desk: &Desk, actor: &Actor, action: Action, id: &str) -> Result<LoggedModel, Error> {
    let model = desk.notebook().logged_model(id)?;
    desk.allow_id(actor, action, &model.info.experiment_id)?;
    Ok(model)
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct ById {
    model_id: String,
}

pub(crate) fn get(desk: &Desk, actor: &Actor, input: ById) -> Result<One, Error> {
    Ok(One { model: allowed(desk, actor, Action::TrackingRead, &input.model_id)? })
}

pub(crate) fn delete(desk: &Desk, actor: &Actor, input: ById) -> Result<Nothing, Error> {
    allowed(desk, actor, Action::TrackingWrite, &input.model_id)?;
    desk.notebook().delete_logged_model(&input.model_id)?;
    Ok(Nothing {})
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Finalize {
    model_id: String,
    status: String,
}

fn change(desk: &Desk, actor: &Actor, id: &str, patch: ModelPatch) -> Result<LoggedModel, Error> {
    allowed(desk, actor, Action::TrackingWrite, id)?;
    desk.notebook().change_logged_model(id, patch)
}

pub(crate) fn finalize(desk: &Desk, actor: &Actor, input: Finalize) -> Result<One, Error> {
    let patch = ModelPatch { status: Some(input.status), ..ModelPatch::default() };
    Ok(One { model: change(desk, actor, &input.model_id, patch)? })
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct SetTags {
    model_id: String,
    #[serde(default)]
    tags: Vec<Pair>,
}

pub(crate) fn set_tags(desk: &Desk, actor: &Actor, input: SetTags) -> Result<One, Error> {
    let patch = ModelPatch { tags: input.tags, ..ModelPatch::default() };
    Ok(One { model: change(desk, actor, &input.model_id, patch)? })
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct DeleteTag {
    model_id: String,
    key: String,
}

pub(crate) fn delete_tag(desk: &Desk, actor: &Actor, input: DeleteTag) -> Result<Nothing, Error> {
    let patch = ModelPatch { untag: Some(input.key), ..ModelPatch::default() };
    change(desk, actor, &input.model_id, patch)?;
    Ok(Nothing {})
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct LogParams {
    model_id: String,
    #[serde(default)]
    params: Vec<Pair>,
}

pub(crate) fn log_params(desk: &Desk, actor: &Actor, input: LogParams) -> Result<Nothing, Error> {
    let patch = ModelPatch { params: input.params, ..ModelPatch::default() };
    change(desk, actor, &input.model_id, patch)?;
    Ok(Nothing {})
}

/// A key of an order; the client sends it apart from its direction.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct OrderBy {
    field_name: String,
    #[serde(default = "yes")]
    ascending: bool,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Search {
    #[serde(default, deserialize_with = "lenient::texts")]
    experiment_ids: Vec<String>,
    #[serde(default)]
    filter: Option<String>,
    #[serde(default, deserialize_with = "lenient::maybe_int64")]
    #[schemars(with = "Option<i64>")]
    max_results: Option<i64>,
    #[serde(default)]
    order_by: Vec<OrderBy>,
    #[serde(default)]
    page_token: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Found {
    models: Vec<LoggedModel>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

pub(crate) fn search(desk: &Desk, actor: &Actor, input: Search) -> Result<Found, Error> {
    desk.allow_new(actor, Action::TrackingRead, "")?;
    for id in &input.experiment_ids {
        if let Ok(experiment) = desk.notebook().experiment(id) {
            desk.allow(actor, Action::TrackingRead, &experiment)?;
        }
    }
    let key = |one: &OrderBy| format!("{} {}", one.field_name, if one.ascending { "ASC" } else { "DESC" });
    let order: Vec<String> = input.order_by.iter().map(key).collect();
    let page = desk.notebook().search_logged_models(
        &input.experiment_ids,
        (input.filter.as_deref().unwrap_or_default(), &order),
        (input.max_results, input.page_token.as_deref()),
    )?;
    Ok(Found { models: page.items, next_page_token: page.next })
}
