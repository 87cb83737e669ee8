//! An ordinary training program: logistic regression over a CSV table, written as ONNX. It knows nothing of who runs
//! it. Files and settings come by the names that SageMaker's training toolkit uses:
//!
//! - `SM_CHANNEL_TRAINING`: a folder with one CSV file;
//! - `SM_HPS`: hyperparameters, a JSON object of strings: `label`, `positive_label`, `features` (a comma list, or
//!   `all`), `l2` (strength of the penalty);
//! - `SM_MODEL_DIR`: where `model.onnx` goes; `SM_OUTPUT_DATA_DIR`: where `metrics.json` goes.

mod fit;
mod onnx;
mod table;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            use std::io::Write;
            drop(writeln!(std::io::stderr(), "{message}"));
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let variable =
        |name: &str| std::env::var(name).map_err(|_| format!("the environment variable `{name}` is not set"));
    let settings: BTreeMap<String, String> =
        serde_json::from_str(&std::env::var("SM_HPS").unwrap_or_else(|_| "{}".to_owned()))
            .map_err(|error| format!("`SM_HPS` is not a JSON object of strings: {error}"))?;
    let setting = |name: &str, default: &str| settings.get(name).map_or(default, String::as_str).to_owned();
    let table = table::read(Path::new(&variable("SM_CHANNEL_TRAINING")?))?;
    let label = setting("label", "label");
    let features = table.features(&label, &setting("features", "all"))?;
    let l2: f64 = setting("l2", "1.0").parse().map_err(|_| "`l2` is not a number".to_owned())?;
    let model = fit::fit(&table, &features, (&label, &setting("positive_label", "1")), l2)?;
    let metrics = model.training_metrics(&table, &label);
    write(&Path::new(&variable("SM_MODEL_DIR")?).join("model.onnx"), &onnx::encode(&model))?;
    let metrics = serde_json::to_vec_pretty(&metrics).map_err(|error| error.to_string())?;
    write(&Path::new(&variable("SM_OUTPUT_DATA_DIR")?).join("metrics.json"), &metrics)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    std::fs::write(path, bytes).map_err(|error| format!("cannot write `{}`: {error}", path.display()))
}
