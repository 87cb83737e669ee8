//! The registry over HTTP: unmodified clients of MLflow on one side, the engine on the other. Each call is declared once
//! (`routes.rs`), with what it takes, what it gives and what it asks of the policies; the router, the OpenAPI document
//! and the tests come from there.

mod artefacts;
mod auth;
mod body;
mod call;
mod desk;
mod doors;
mod failure;
mod lineage;
mod mlflow_calls;
mod openapi;
mod routes;

pub use desk::Desk;
pub use doors::{Doors, Outside, Shown};
pub use openapi::document;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use std::sync::Arc;

/// Everything that is answered beside the model endpoints.
pub fn router(desk: &Arc<Desk>) -> Router {
    let mut router = Router::new();
    for call in routes::all() {
        router = call.mount(router, desk);
    }
    artefacts::mount(router, desk)
        .merge(openapi::routes())
        .fallback(failure::nothing_here)
        .layer(DefaultBodyLimit::disable())
}
