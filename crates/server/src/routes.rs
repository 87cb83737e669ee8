//! All calls that are answered: MLflow's, and few beside them.

use crate::call::Call;
use crate::mlflow_calls::{experiments, logged_models, models, runs, versions};
use axum::http::Method;
use guard::Action::{RegistryPromote, RegistryRead, RegistryWrite, TrackingRead, TrackingWrite};

/// All of them.
pub(crate) fn all() -> Vec<Call> {
    [experiments(), runs(), logged_models(), models(), versions(), beside_mlflow()].concat()
}

/// What is not MLflow's.
fn beside_mlflow() -> Vec<Call> {
    let lineage = Call::new(
        post("/lineage"),
        "Note what a run read and wrote, as an event of OpenLineage",
        TrackingWrite,
        crate::lineage::note,
    );
    vec![lineage.below(&["/api/v1"])]
}

fn post(path: &'static str) -> (Method, &'static str) {
    (Method::POST, path)
}

fn get(path: &'static str) -> (Method, &'static str) {
    (Method::GET, path)
}

fn patch(path: &'static str) -> (Method, &'static str) {
    (Method::PATCH, path)
}

fn delete(path: &'static str) -> (Method, &'static str) {
    (Method::DELETE, path)
}

fn experiments() -> Vec<Call> {
    use experiments as e;
    vec![
        Call::new(post("/experiments/create"), "Make an experiment", TrackingWrite, e::create),
        Call::new(get("/experiments/get"), "An experiment", TrackingRead, e::get),
        Call::new(get("/experiments/get-by-name"), "An experiment by its name", TrackingRead, e::get_by_name),
        Call::new(post("/experiments/update"), "Rename an experiment", TrackingWrite, e::update),
        Call::new(post("/experiments/delete"), "Delete an experiment", TrackingWrite, e::delete),
        Call::new(post("/experiments/restore"), "Restore an experiment", TrackingWrite, e::restore),
        Call::new(post("/experiments/set-experiment-tag"), "Tag an experiment", TrackingWrite, e::set_tag),
        Call::new(post("/experiments/delete-experiment-tag"), "Remove a tag", TrackingWrite, e::delete_tag),
        Call::new(post("/experiments/search"), "Search experiments", TrackingRead, e::search),
        Call::new(get("/experiments/search"), "Search experiments", TrackingRead, e::search),
    ]
}

fn runs() -> Vec<Call> {
    use runs as r;
    vec![
        Call::new(post("/runs/create"), "Begin a run", TrackingWrite, r::create),
        Call::new(get("/runs/get"), "A run", TrackingRead, r::get),
        Call::new(post("/runs/update"), "Change or end a run", TrackingWrite, r::update),
        Call::new(post("/runs/delete"), "Delete a run", TrackingWrite, r::delete),
        Call::new(post("/runs/restore"), "Restore a run", TrackingWrite, r::restore),
        Call::new(post("/runs/log-metric"), "Log a figure", TrackingWrite, r::log_metric),
        Call::new(post("/runs/log-parameter"), "Log a parameter", TrackingWrite, r::log_parameter),
        Call::new(post("/runs/log-batch"), "Log figures, parameters and tags", TrackingWrite, r::log_batch),
        Call::new(post("/runs/log-inputs"), "Note what a run read", TrackingWrite, r::log_inputs),
        Call::new(post("/runs/outputs"), "Note what a run made", TrackingWrite, r::log_outputs),
        Call::new(
            post("/runs/log-model"),
            "Note a model (clients of version 2)",
            TrackingWrite,
            r::log_model,
        ),
        Call::new(post("/runs/set-tag"), "Tag a run", TrackingWrite, r::set_tag),
        Call::new(post("/runs/delete-tag"), "Remove a tag", TrackingWrite, r::delete_tag),
        Call::new(get("/metrics/get-history"), "All figures of a metric", TrackingRead, r::history),
        Call::new(post("/runs/search"), "Search runs", TrackingRead, r::search),
    ]
}

fn logged_models() -> Vec<Call> {
    use logged_models as l;
    vec![
        Call::new(post("/logged-models"), "Make a logged model", TrackingWrite, l::create),
        Call::new(get("/logged-models/{model_id}"), "A logged model", TrackingRead, l::get),
        Call::new(patch("/logged-models/{model_id}"), "Its files are complete", TrackingWrite, l::finalize),
        Call::new(delete("/logged-models/{model_id}"), "Delete a logged model", TrackingWrite, l::delete),
        Call::new(patch("/logged-models/{model_id}/tags"), "Tag a logged model", TrackingWrite, l::set_tags),
        Call::new(
            delete("/logged-models/{model_id}/tags/{key}"),
            "Remove a tag",
            TrackingWrite,
            l::delete_tag,
        ),
        Call::new(post("/logged-models/{model_id}/params"), "Log parameters", TrackingWrite, l::log_params),
        Call::new(post("/logged-models/search"), "Search logged models", TrackingRead, l::search),
    ]
}

fn models() -> Vec<Call> {
    use models as m;
    vec![
        Call::new(post("/registered-models/create"), "Make a registered model", RegistryWrite, m::create),
        Call::new(get("/registered-models/get"), "A registered model", RegistryRead, m::get),
        Call::new(post("/registered-models/rename"), "Rename a registered model", RegistryWrite, m::rename),
        Call::new(
            patch("/registered-models/update"),
            "Describe a registered model",
            RegistryWrite,
            m::update,
        ),
        Call::new(delete("/registered-models/delete"), "Delete a registered model", RegistryWrite, m::delete),
        Call::new(get("/registered-models/search"), "Search registered models", RegistryRead, m::search),
        Call::new(
            post("/registered-models/get-latest-versions"),
            "The newest of each stage",
            RegistryRead,
            m::latest,
        ),
        Call::new(
            get("/registered-models/get-latest-versions"),
            "The newest of each stage",
            RegistryRead,
            m::latest,
        ),
        Call::new(post("/registered-models/set-tag"), "Tag a registered model", RegistryWrite, m::set_tag),
        Call::new(delete("/registered-models/delete-tag"), "Remove a tag", RegistryWrite, m::delete_tag),
        Call::new(get("/registered-models/alias"), "The version of an alias", RegistryRead, m::get_by_alias),
        Call::new(post("/registered-models/alias"), "Set an alias", RegistryPromote, m::set_alias),
        Call::new(delete("/registered-models/alias"), "Delete an alias", RegistryPromote, m::delete_alias),
    ]
}

fn versions() -> Vec<Call> {
    use versions as v;
    vec![
        Call::new(post("/model-versions/create"), "Register a version", RegistryWrite, v::create),
        Call::new(get("/model-versions/get"), "A version", RegistryRead, v::get),
        Call::new(get("/model-versions/search"), "Search versions", RegistryRead, v::search),
        Call::new(patch("/model-versions/update"), "Describe a version", RegistryWrite, v::update),
        Call::new(delete("/model-versions/delete"), "Delete a version", RegistryWrite, v::delete),
        Call::new(post("/model-versions/transition-stage"), "Set the stage", RegistryPromote, v::transition),
        Call::new(post("/model-versions/set-tag"), "Tag a version", RegistryWrite, v::set_tag),
        Call::new(delete("/model-versions/delete-tag"), "Remove a tag", RegistryWrite, v::delete_tag),
        Call::new(
            get("/model-versions/get-download-uri"),
            "Where its files are",
            RegistryRead,
            v::download_uri,
        ),
    ]
}
