//! Runs.

use crate::call::Nothing;
use crate::desk::Desk;
use engine::{Batch, NewRun, RunPatch};
use facts::Actor;
use guard::Action;
use mlflow::Error;
use mlflow::entity::{
    ACTIVE, DELETED, DatasetInput, Metric, ModelInput, ModelOutput, Pair, Run, RunInfo, value_of,
};
use mlflow::lenient;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which run: newer clients say `run_id`, older ones `run_uuid`, most both.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Which {
    #[serde(default)]
    run_id: String,
    #[serde(default)]
    run_uuid: String,
}

impl Which {
    fn id(&self) -> Result<&str, Error> {
        [&self.run_id, &self.run_uuid]
            .into_iter()
            .find(|id| !id.is_empty())
            .map(String::as_str)
            .ok_or_else(|| Error::invalid("the parameter `run_id` is missing"))
    }
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Create {
    #[serde(default, deserialize_with = "lenient::text")]
    experiment_id: String,
    #[serde(default)]
    user_id: String,
    #[serde(default)]
    run_name: Option<String>,
    #[serde(default, deserialize_with = "lenient::maybe_int64")]
    #[schemars(with = "Option<i64>")]
    start_time: Option<i64>,
    #[serde(default)]
    tags: Vec<Pair>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct One {
    run: Run,
}

pub(crate) fn create(desk: &Desk, actor: &Actor, input: Create) -> Result<One, Error> {
    let experiment_id = if input.experiment_id.is_empty() { "0".to_owned() } else { input.experiment_id };
    desk.allow_id(actor, Action::TrackingWrite, &experiment_id)?;
    let new = NewRun {
        experiment_id,
        name: input.run_name,
        user_id: input.user_id,
        start_time: input.start_time,
        tags: input.tags,
    };
    Ok(One { run: desk.notebook().create_run(actor, new)? })
}

pub(crate) fn get(desk: &Desk, actor: &Actor, input: Which) -> Result<One, Error> {
    Ok(One { run: desk.allow_run(actor, Action::TrackingRead, input.id()?)? })
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Update {
    #[serde(flatten)]
    which: Which,
    #[serde(default)]
    status: Option<String>,
    #[serde(default, deserialize_with = "lenient::maybe_int64")]
    #[schemars(with = "Option<i64>")]
    end_time: Option<i64>,
    #[serde(default)]
    run_name: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Updated {
    run_info: RunInfo,
}

pub(crate) fn update(desk: &Desk, actor: &Actor, input: Update) -> Result<Updated, Error> {
    let id = input.which.id()?;
    desk.allow_run(actor, Action::TrackingWrite, id)?;
    let patch =
        RunPatch { status: input.status.clone(), end_time: input.end_time, name: input.run_name.clone() };
    Ok(Updated { run_info: desk.notebook().update_run(id, &patch)? })
}

pub(crate) fn delete(desk: &Desk, actor: &Actor, input: Which) -> Result<Nothing, Error> {
    desk.allow_run(actor, Action::TrackingWrite, input.id()?)?;
    desk.notebook().set_run_stage(input.id()?, DELETED)?;
    Ok(Nothing {})
}

pub(crate) fn restore(desk: &Desk, actor: &Actor, input: Which) -> Result<Nothing, Error> {
    desk.allow_run(actor, Action::TrackingWrite, input.id()?)?;
    desk.notebook().set_run_stage(input.id()?, ACTIVE)?;
    Ok(Nothing {})
}

fn log(desk: &Desk, actor: &Actor, which: &Which, mut batch: Batch) -> Result<Nothing, Error> {
    let id = which.id()?;
    desk.allow_run(actor, Action::TrackingWrite, id)?;
    desk.notebook().log(id, &mut batch)?;
    Ok(Nothing {})
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct LogMetric {
    #[serde(default)]
    run_id: String,
    #[serde(default)]
    run_uuid: String,
    key: String,
    #[serde(with = "lenient::number")]
    #[schemars(with = "f64")]
    value: f64,
    #[serde(default, deserialize_with = "lenient::int64")]
    #[schemars(with = "i64")]
    timestamp: i64,
    #[serde(default, deserialize_with = "lenient::int64")]
    #[schemars(with = "i64")]
    step: i64,
    #[serde(default)]
    model_id: Option<String>,
    #[serde(default)]
    dataset_name: Option<String>,
    #[serde(default)]
    dataset_digest: Option<String>,
}

pub(crate) fn log_metric(desk: &Desk, actor: &Actor, input: LogMetric) -> Result<Nothing, Error> {
    let which = Which { run_id: input.run_id, run_uuid: input.run_uuid };
    let metric = Metric {
        key: input.key,
        value: input.value,
        timestamp: input.timestamp,
        step: input.step,
        run_id: input.model_id.is_some().then(|| which.id().map(str::to_owned)).transpose()?,
        model_id: input.model_id,
        dataset_name: input.dataset_name,
        dataset_digest: input.dataset_digest,
    };
    log(desk, actor, &which, Batch { metrics: vec![metric], ..Batch::default() })
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct LogPair {
    #[serde(flatten)]
    which: Which,
    #[serde(default)]
    key: String,
    #[serde(default)]
    value: String,
}

pub(crate) fn log_parameter(desk: &Desk, actor: &Actor, input: LogPair) -> Result<Nothing, Error> {
    let params = vec![Pair { key: input.key, value: input.value }];
    log(desk, actor, &input.which, Batch { params, ..Batch::default() })
}

pub(crate) fn set_tag(desk: &Desk, actor: &Actor, input: LogPair) -> Result<Nothing, Error> {
    let tags = vec![Pair { key: input.key, value: input.value }];
    log(desk, actor, &input.which, Batch { tags, ..Batch::default() })
}

pub(crate) fn delete_tag(desk: &Desk, actor: &Actor, input: LogPair) -> Result<Nothing, Error> {
    let id = input.which.id()?;
    desk.allow_run(actor, Action::TrackingWrite, id)?;
    desk.notebook().untag_run(id, &input.key)?;
    Ok(Nothing {})
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct LogBatch {
    #[serde(flatten)]
    which: Which,
    #[serde(default)]
    metrics: Vec<Metric>,
    #[serde(default)]
    params: Vec<Pair>,
    #[serde(default)]
    tags: Vec<Pair>,
}

pub(crate) fn log_batch(desk: &Desk, actor: &Actor, mut input: LogBatch) -> Result<Nothing, Error> {
    let id = input.which.id()?.to_owned();
    for metric in &mut input.metrics {
        metric.run_id = metric.model_id.is_some().then(|| id.clone());
    }
    let batch = Batch { metrics: input.metrics, params: input.params, tags: input.tags };
    log(desk, actor, &input.which, batch)
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct LogInputs {
    #[serde(flatten)]
    which: Which,
    #[serde(default)]
    datasets: Vec<DatasetInput>,
    #[serde(default)]
    models: Vec<ModelInput>,
}

pub(crate) fn log_inputs(desk: &Desk, actor: &Actor, input: LogInputs) -> Result<Nothing, Error> {
    let id = input.which.id()?;
    desk.allow_run(actor, Action::TrackingWrite, id)?;
    desk.notebook().log_inputs(id, &input.datasets, &input.models)?;
    Ok(Nothing {})
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct LogOutputs {
    #[serde(flatten)]
    which: Which,
    #[serde(default)]
    models: Vec<ModelOutput>,
}

pub(crate) fn log_outputs(desk: &Desk, actor: &Actor, input: LogOutputs) -> Result<Nothing, Error> {
    let id = input.which.id()?;
    desk.allow_run(actor, Action::TrackingWrite, id)?;
    desk.notebook().log_outputs(id, &input.models)?;
    Ok(Nothing {})
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct LogModel {
    #[serde(flatten)]
    which: Which,
    model_json: String,
}

/// Clients of version 2 say what they logged in a tag that holds a list.
const LOGGED: &str = "mlflow.log-model.history";

pub(crate) fn log_model(desk: &Desk, actor: &Actor, input: LogModel) -> Result<Nothing, Error> {
    let id = input.which.id()?;
    let run = desk.allow_run(actor, Action::TrackingWrite, id)?;
    let model: serde_json::Value = serde_json::from_str(&input.model_json)
        .map_err(|_| Error::invalid("the parameter `model_json` is not JSON"))?;
    let known = value_of(&run.data.tags, LOGGED).and_then(|text| serde_json::from_str(text).ok());
    let mut list: Vec<serde_json::Value> = known.unwrap_or_default();
    list.push(model);
    let value = serde_json::Value::Array(list).to_string();
    let tags = vec![Pair { key: LOGGED.to_owned(), value }];
    log(desk, actor, &input.which, Batch { tags, ..Batch::default() })
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct GetHistory {
    #[serde(flatten)]
    which: Which,
    metric_key: String,
    #[serde(default, deserialize_with = "lenient::maybe_int64")]
    #[schemars(with = "Option<i64>")]
    max_results: Option<i64>,
    #[serde(default)]
    page_token: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct History {
    metrics: Vec<Metric>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

pub(crate) fn history(desk: &Desk, actor: &Actor, input: GetHistory) -> Result<History, Error> {
    let id = input.which.id()?;
    desk.allow_run(actor, Action::TrackingRead, id)?;
    let page =
        desk.notebook().history(id, &input.metric_key, (input.max_results, input.page_token.as_deref()))?;
    Ok(History { metrics: page.items, next_page_token: page.next })
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Search {
    #[serde(default, deserialize_with = "lenient::texts")]
    experiment_ids: Vec<String>,
    #[serde(default)]
    filter: Option<String>,
    #[serde(default)]
    run_view_type: Option<String>,
    #[serde(default, deserialize_with = "lenient::maybe_int64")]
    #[schemars(with = "Option<i64>")]
    max_results: Option<i64>,
    #[serde(default, deserialize_with = "lenient::texts")]
    order_by: Vec<String>,
    #[serde(default)]
    page_token: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Found {
    runs: Vec<Run>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

pub(crate) fn search(desk: &Desk, actor: &Actor, input: Search) -> Result<Found, Error> {
    desk.allow_new(actor, Action::TrackingRead, "")?;
    for id in &input.experiment_ids {
        // An experiment that is not there has no runs; one that may not be read is refused.
        if let Ok(experiment) = desk.notebook().experiment(id) {
            desk.allow(actor, Action::TrackingRead, &experiment)?;
        }
    }
    let page = desk.notebook().search_runs(
        &input.experiment_ids,
        (input.filter.as_deref().unwrap_or_default(), &input.order_by),
        input.run_view_type.as_deref(),
        (input.max_results, input.page_token.as_deref()),
    )?;
    Ok(Found { runs: page.items, next_page_token: page.next })
}
