//! Experiments.

use crate::call::Nothing;
use crate::desk::Desk;
use facts::Actor;
use guard::Action;
use mlflow::Error;
use mlflow::entity::{ACTIVE, DELETED, Experiment, Pair};
use mlflow::lenient;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Create {
    #[serde(default)]
    name: String,
    #[serde(default)]
    tags: Vec<Pair>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Created {
    experiment_id: String,
}

pub(crate) fn create(desk: &Desk, actor: &Actor, input: Create) -> Result<Created, Error> {
    desk.allow_new(actor, Action::TrackingWrite, &input.name)?;
    let made = desk.notebook().create_experiment(&input.name, input.tags)?;
    Ok(Created { experiment_id: made.experiment_id })
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct ById {
    #[serde(deserialize_with = "lenient::text")]
    experiment_id: String,
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct ByName {
    experiment_name: String,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct One {
    experiment: Experiment,
}

pub(crate) fn get(desk: &Desk, actor: &Actor, input: ById) -> Result<One, Error> {
    Ok(One { experiment: desk.allow_id(actor, Action::TrackingRead, &input.experiment_id)? })
}

pub(crate) fn get_by_name(desk: &Desk, actor: &Actor, input: ByName) -> Result<One, Error> {
    let experiment = desk.notebook().experiment_by_name(&input.experiment_name)?;
    desk.allow(actor, Action::TrackingRead, &experiment)?;
    Ok(One { experiment })
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Update {
    #[serde(deserialize_with = "lenient::text")]
    experiment_id: String,
    #[serde(default)]
    new_name: String,
}

pub(crate) fn update(desk: &Desk, actor: &Actor, input: Update) -> Result<Nothing, Error> {
    desk.allow_id(actor, Action::TrackingWrite, &input.experiment_id)?;
    desk.notebook().rename_experiment(&input.experiment_id, &input.new_name)?;
    Ok(Nothing {})
}

pub(crate) fn delete(desk: &Desk, actor: &Actor, input: ById) -> Result<Nothing, Error> {
    desk.allow_id(actor, Action::TrackingWrite, &input.experiment_id)?;
    desk.notebook().set_experiment_stage(&input.experiment_id, DELETED)?;
    Ok(Nothing {})
}

pub(crate) fn restore(desk: &Desk, actor: &Actor, input: ById) -> Result<Nothing, Error> {
    desk.allow_id(actor, Action::TrackingWrite, &input.experiment_id)?;
    desk.notebook().set_experiment_stage(&input.experiment_id, ACTIVE)?;
    Ok(Nothing {})
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Tagging {
    #[serde(deserialize_with = "lenient::text")]
    experiment_id: String,
    key: String,
    #[serde(default)]
    value: String,
}

pub(crate) fn set_tag(desk: &Desk, actor: &Actor, input: Tagging) -> Result<Nothing, Error> {
    desk.allow_id(actor, Action::TrackingWrite, &input.experiment_id)?;
    desk.notebook().tag_experiment(&input.experiment_id, &input.key, Some(&input.value))?;
    Ok(Nothing {})
}

pub(crate) fn delete_tag(desk: &Desk, actor: &Actor, input: Tagging) -> Result<Nothing, Error> {
    desk.allow_id(actor, Action::TrackingWrite, &input.experiment_id)?;
    desk.notebook().tag_experiment(&input.experiment_id, &input.key, None)?;
    Ok(Nothing {})
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Search {
    #[serde(default, deserialize_with = "lenient::maybe_int64")]
    #[schemars(with = "Option<i64>")]
    max_results: Option<i64>,
    #[serde(default)]
    page_token: Option<String>,
    #[serde(default)]
    filter: Option<String>,
    #[serde(default, deserialize_with = "lenient::texts")]
    order_by: Vec<String>,
    #[serde(default)]
    view_type: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Found {
    experiments: Vec<Experiment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

pub(crate) fn search(desk: &Desk, actor: &Actor, input: Search) -> Result<Found, Error> {
    desk.allow_new(actor, Action::TrackingRead, "")?;
    let page = desk.notebook().search_experiments(
        (input.filter.as_deref().unwrap_or_default(), &input.order_by),
        input.view_type.as_deref(),
        (input.max_results, input.page_token.as_deref()),
    )?;
    Ok(Found { experiments: page.items, next_page_token: page.next })
}
