//! Events of OpenLineage: what a run read and wrote becomes lineage of the run of that id. Pipelines that speak OpenLineage
//! (Airflow, Spark, dbt) so tell what MLflow's clients do not.
//!
//! Source: OpenLineage.json 2-0-2, `RunEvent`. Everything but what is named here is passed over.

use crate::call::Nothing;
use crate::desk::Desk;
use crate::failure::wire;
use engine::{INPUT, OUTPUT, lineage_dataset};
use facts::Actor;
use guard::Action;
use mlflow::Error;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// The most data sets of one event.
const MAX_DATASETS: usize = 200;
/// The longest name, in bytes: MLflow's own limit of a data set's name.
const MAX_NAME: usize = 500;
/// The longest version of a data set, in bytes.
const MAX_VERSION: usize = 250;

/// An event of a run.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct RunEvent {
    run: EventRun,
    job: EventJob,
    #[serde(default)]
    inputs: Vec<EventDataset>,
    #[serde(default)]
    outputs: Vec<EventDataset>,
}

/// The run: its id is that of the MLflow run, with or without dashes.
#[derive(Deserialize, JsonSchema)]
struct EventRun {
    #[serde(rename = "runId")]
    run_id: String,
}

#[derive(Deserialize, JsonSchema)]
struct EventJob {
    namespace: String,
    name: String,
}

#[derive(Deserialize, JsonSchema)]
struct EventDataset {
    namespace: String,
    name: String,
    /// Of these, `version.datasetVersion` counts.
    #[serde(default)]
    facets: Value,
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "a call owns what it was given; the table has one type for all"
)]
pub(crate) fn note(desk: &Desk, actor: &Actor, event: RunEvent) -> Result<Nothing, Error> {
    let all = event.inputs.len() + event.outputs.len();
    if all > MAX_DATASETS {
        return Err(Error::invalid(format!(
            "the event names {all} data sets, and one may name {MAX_DATASETS}"
        )));
    }
    let id = run_id(&event.run.run_id)?;
    desk.allow_run(actor, Action::TrackingWrite, &id)?;
    let ours = desk.engine()?.lineage_namespace().map_err(wire)?;
    let mut datasets = Vec::with_capacity(all);
    for (direction, given) in [(INPUT, &event.inputs), (OUTPUT, &event.outputs)] {
        for one in given {
            let version =
                one.facets.pointer("/version/datasetVersion").and_then(Value::as_str).unwrap_or_default();
            let job = format!("{}/{}", event.job.namespace, event.job.name);
            // A name of another namespace must not be taken for one of ours.
            let name = if one.namespace == ours {
                one.name.clone()
            } else {
                format!("{}/{}", one.namespace, one.name)
            };
            for (what, text, most) in [
                ("name of a data set", &name, MAX_NAME),
                ("name of the job", &job, MAX_NAME),
                ("version of a data set", &version.to_owned(), MAX_VERSION),
            ] {
                if text.len() > most || text.contains(char::is_control) {
                    return Err(Error::invalid(format!(
                        "the {what} is longer than {most} bytes or no plain text"
                    )));
                }
            }
            datasets.push(lineage_dataset(&name, version, direction, &job));
        }
    }
    desk.notebook().log_inputs(&id, &datasets, &[])?;
    Ok(Nothing {})
}

/// MLflow writes UUIDs without their dashes.
fn run_id(text: &str) -> Result<String, Error> {
    let id: String = text.chars().filter(|letter| *letter != '-').collect::<String>().to_ascii_lowercase();
    if id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(id);
    }
    Err(Error::invalid(
        "`run.runId` is not a UUID: expected the id of the MLflow run that the data belongs to",
    ))
}
