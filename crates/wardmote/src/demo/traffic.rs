//! Traffic for the demo: real applications that the model has never seen, drawn again and again, changed as the story
//! says; and the labels that arrive for them later.

use super::http::Client;
use super::stage::{Gateway, Stage};
use crate::failure::{Exit, Failure};
use std::path::Path;
use std::time::{Duration, Instant};

/// What happens to the population.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weather {
    /// As in the training data.
    Usual,
    /// Prices have risen: amounts and terms are far larger, and people repay as before.
    Inflation,
    /// A release of the branch software sends amounts in cents.
    Cents,
}

/// Applications to draw from.
pub(super) struct Applications {
    names: Vec<String>,
    rows: Vec<Vec<String>>,
    drawn: u64,
    random: u64,
}

/// Columns that are no inputs of the model.
const NOT_SENT: [&str; 3] = ["application_id", "sex", "creditability"];

impl Applications {
    /// Reads the file that `data read` wrote. Its cells are quoted where they hold commas.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let bytes = crate::commands::read_file(path)?;
        let table =
            privacy::Table::parse(&bytes).map_err(|error| Failure::new(Exit::Input, error.to_string()))?;
        let names = table.columns().iter().map(ToString::to_string).collect();
        Ok(Self { names, rows: table.rows().to_vec(), drawn: 0, random: 0x9e37_79b9_7f4a_7c15 })
    }

    /// Sends `count` applications; gives the ground truth lines for them, in SageMaker's form.
    pub(super) fn play(
        &mut self,
        gateway: &Gateway,
        key: &str,
        count: usize,
        weather: Weather,
    ) -> Result<String, Failure> {
        let mut client = Client::connect(&gateway.address)?;
        let authorization = format!("Bearer {key}");
        let mut labels = String::new();
        for _ in 0..count {
            let row = self.draw(weather);
            self.drawn += 1;
            let id = format!("application-{:06}", self.drawn);
            let headers = [
                ("authorization", authorization.as_str()),
                ("content-type", "application/json"),
                ("accept", "text/csv"),
                ("x-amzn-sagemaker-inference-id", id.as_str()),
            ];
            let answer =
                client.send("POST", "/endpoints/credit-scoring/invocations", &headers, &self.body(&row))?;
            if answer.status != 200 {
                return Err(Failure::new(
                    Exit::Failed,
                    format!("the gateway answered {}: {}", answer.status, answer.body),
                ));
            }
            labels.push_str(&self.label(&row, &id));
        }
        Ok(labels)
    }

    /// A request of one application.
    pub(super) fn body(&self, row: &[String]) -> String {
        let sent = self.names.iter().zip(row).filter(|(name, _)| !NOT_SENT.contains(&name.as_str()));
        let record: serde_json::Map<String, serde_json::Value> =
            sent.map(|(name, cell)| (name.clone(), cell.clone().into())).collect();
        serde_json::json!({ "instances": [record] }).to_string()
    }

    /// One application, changed by the weather.
    pub(super) fn draw(&mut self, weather: Weather) -> Vec<String> {
        // xorshift: the same traffic in every demo.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let count = self.rows.len().max(1);
        let mut row = self.rows[usize::try_from(self.random % count as u64).unwrap_or(0)].clone();
        let mut scale = |name: &str, factor: f64, most: f64| {
            let place = self.names.iter().position(|other| other == name);
            if let Some((cell, number)) = place
                .and_then(|at| row.get_mut(at))
                .and_then(|cell| cell.parse::<f64>().ok().map(|n| (cell, n)))
            {
                *cell = (number * factor).round().min(most).to_string();
            }
        };
        match weather {
            Weather::Usual => {}
            Weather::Inflation => {
                scale("credit_amount", 5.0, 100_000.0);
                scale("duration_in_month", 2.0, 84.0);
            }
            Weather::Cents => {
                scale("credit_amount", 500.0, 10_000_000.0);
                scale("duration_in_month", 2.0, 84.0);
            }
        }
        row
    }

    fn label(&self, row: &[String], id: &str) -> String {
        let cell = |name: &str| {
            self.names
                .iter()
                .position(|other| other == name)
                .and_then(|at| row.get(at))
                .cloned()
                .unwrap_or_default()
        };
        let data =
            serde_json::json!({ "creditability": cell("creditability"), "sex": cell("sex") }).to_string();
        let line = serde_json::json!({
            "groundTruthData": { "data": data, "encoding": "JSON" },
            "eventMetadata": { "eventId": id },
            "eventVersion": "0",
        });
        format!("{line}\n")
    }
}

/// Waits until the gateway serves a variant.
pub(super) fn wait_for_variant(gateway: &Gateway, variant: &str) -> Result<(), Failure> {
    let end = Instant::now() + Duration::from_secs(15);
    while Instant::now() < end {
        let answer = Client::connect(&gateway.address)?.send("GET", "/ping", &[], "")?;
        let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap_or_default();
        if body["variants"]["credit-scoring"] == variant {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Err(Failure::new(Exit::Failed, format!("the gateway does not serve {variant} after 15 s")))
}

/// Waits until what was captured is sealed into the record.
pub(super) fn wait_for_capture(stage: &Stage<'_>) -> Result<(), Failure> {
    let end = Instant::now() + Duration::from_secs(15);
    while has_files(&stage.dir().join("capture")) {
        if Instant::now() > end {
            return Err(Failure::new(Exit::Failed, "captured traffic is not sealed after 15 s"));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

fn has_files(dir: &Path) -> bool {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).any(|path| path.is_file() || has_files(&path))
}
