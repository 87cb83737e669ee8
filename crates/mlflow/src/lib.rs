//! What an MLflow server answers, as plain data: experiments, runs, logged models, registered models; how long things
//! may be, what a search means, which error is said how. Pure: where anything is kept, and who may do it, is decided
//! elsewhere.
//!
//! Source: MLflow REST API 2.0, as `mlflow` 3.17 and `mlflow-skinny` 2.22 use it.

pub mod catalogue;
pub mod check;
pub mod entity;
mod error;
pub mod lenient;
pub mod search;

pub use error::{Code, Error};
