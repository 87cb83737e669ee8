//! Watching a model: the latest window of the version that serves, against the rows it was validated on.

use crate::capture::Answered;
use crate::data::{ReadRequest, View};
use crate::record::{Fact, MonitorReport, RuleOutcome};
use crate::training::model_resource;
use crate::validation::MIN_GROUP;
use crate::{Done, Engine, Error};
use charter::model::Model;
use facts::{Actor, ColumnName, ModelName, Timestamp};
use guard::Action;
use monitor::drift::{self, Column, DriftSettings};
use monitor::fairness::{self, Fairness};
use monitor::measure::{Measurements, Window};
use monitor::quality::{self, Outcome};
use monitor::rules::{self, Memory};
use privacy::pseudonym::Table;
use std::collections::BTreeMap;

impl Engine {
    /// Looks at the latest window and records what it shows. What the rules say is in the report; nothing is done yet
    /// ([`Engine::act_on`] does it).
    pub fn monitor(&mut self, actor: &Actor, name: &ModelName) -> Result<Done<MonitorReport>, Error> {
        let model = self.model(name)?.clone();
        self.authorise(actor, Action::MonitorRun, &model_resource(&model))?;
        let serving = self
            .state
            .registry()
            .model(name)
            .and_then(|known| known.serving())
            .map(|stretch| stretch.version);
        let number = serving.ok_or_else(|| {
            Error::conflict(format!("no version of `{name}` is serving, so there is nothing to watch"))
                .with_help(format!("deploy one with `wardmote model deploy {name} VERSION`"))
        })?;
        let version = self.version(name, number)?;
        let automation = self.automation()?;
        let loaded = self.load_version(&automation, &model, &version)?;
        let inputs = loaded.inputs().to_vec();
        let window = self.traffic(
            &model,
            &inputs,
            Some(&format!("v{number}")),
            model.monitor.window_requests as usize,
        )?;
        let read = ReadRequest {
            snapshot: version.registration.snapshot.clone(),
            view: View::Validation,
            validation_share: model.training.validation_share,
            purpose: format!("as reference, to monitor {name} {number}"),
        };
        let reference = self.read(&automation, &read)?.answer;
        let report = self.look(&model, number, (&inputs, &reference), &window)?;
        let resource = format!("model/{name}");
        let evidence = self.record(vec![Self::done(
            actor,
            Action::MonitorRun,
            &resource,
            Fact::Monitored(Box::new(report.clone())),
        )])?;
        Ok(Done { answer: report, evidence })
    }

    fn look(
        &self,
        model: &Model,
        version: registry::VersionNumber,
        (inputs, reference): (&[ColumnName], &Table),
        window: &[Answered],
    ) -> Result<MonitorReport, Error> {
        let settings = DriftSettings {
            psi: model.monitor.drift_psi,
            significance: model.monitor.significance,
            min_samples: model.monitor.min_samples as usize,
        };
        let current =
            Table::new(inputs.to_vec(), window.iter().map(|request| request.cells.clone()).collect())
                .map_err(|error| Error::damaged(error.to_string()))?;
        let drift = drift::report(&columns(reference, inputs)?, &columns(&current, inputs)?, &settings);
        let label = self.label_column(model)?;
        let positive = &model.training.positive_label;
        let labelled: Vec<&Answered> = window
            .iter()
            .filter(|r| r.truth.as_ref().is_some_and(|truth| truth.contains_key(label.as_str())))
            .collect();
        let outcomes: Vec<Outcome> = labelled.iter().map(|r| outcome(r, &label, positive)).collect();
        let group = |column: &ColumnName| -> Vec<Option<String>> {
            labelled
                .iter()
                .map(|r| r.truth.as_ref().and_then(|truth| truth.get(column.as_str()).cloned()))
                .collect()
        };
        let fairness: BTreeMap<ColumnName, Fairness> = model
            .monitor
            .groups
            .iter()
            .map(|column| (column.clone(), fairness::compare(&outcomes, &group(column), MIN_GROUP)))
            .collect();
        let quality = quality::binary(&outcomes);
        let measurements = Measurements::of_window(&Window {
            requests: window.len() as u64,
            positives: window.iter().filter(|r| r.label == *positive).count() as u64,
            drift: &drift,
            quality: &quality,
            fairness: &fairness,
        });
        let rules = model
            .alerts
            .iter()
            .map(|rule| RuleOutcome {
                rule: rule.clone(),
                outcome: rules::evaluate(
                    rule,
                    &measurements,
                    model.monitor.min_samples,
                    self.memory(model, rule, version),
                    self.now(),
                ),
            })
            .collect();
        Ok(MonitorReport {
            model: model.name.clone(),
            version,
            from: window.first().map_or(Timestamp::EPOCH, |r| r.time),
            to: window.last().map_or(Timestamp::EPOCH, |r| r.time),
            requests: window.len() as u64,
            labelled: outcomes.len() as u64,
            drift,
            measurements,
            rules,
        })
    }

    /// When a rule last fired, and whether all was well since. Another version serving is a new episode.
    fn memory(&self, model: &Model, rule: &facts::AlertRule, version: registry::VersionNumber) -> Memory {
        let alerts = self.state.alerts(&model.name);
        let Some(fired) = alerts.iter().rev().find(|alert| alert.what.rule == *rule) else {
            return Memory::default();
        };
        let since = self
            .state
            .reports(&model.name)
            .iter()
            .filter(|report| report.evidence.index() > fired.evidence.index());
        let well = |report: &MonitorReport| {
            let quiet = report
                .rules
                .iter()
                .any(|one| one.rule == *rule && matches!(one.outcome, rules::Outcome::Quiet { .. }));
            quiet || report.version != version
        };
        let before = self
            .state
            .reports(&model.name)
            .iter()
            .rev()
            .find(|report| report.evidence.index() < fired.evidence.index());
        let other_version = before.is_some_and(|report| report.what.version != version);
        Memory {
            last_fired: Some(fired.time),
            recovered_since: other_version || since.into_iter().any(|report| well(&report.what)),
        }
    }
}

/// A labelled request as a pair of prediction and truth.
fn outcome(request: &Answered, label: &ColumnName, positive: &str) -> Outcome {
    let actual = request.truth.as_ref().and_then(|truth| truth.get(label.as_str()));
    Outcome {
        actual: actual.is_some_and(|actual| actual == positive),
        predicted: request.label == positive,
        probability: request.probability,
    }
}

/// The columns of a table as the monitor takes them: numbers where all cells are numbers.
fn columns(table: &Table, names: &[ColumnName]) -> Result<BTreeMap<ColumnName, Column>, Error> {
    let mut all = BTreeMap::new();
    for name in names {
        let column = match table.numbers(name) {
            Ok(numbers) => Column::Numeric(numbers),
            Err(privacy::TableError::NotANumber { .. }) => {
                Column::Category(table.words(name).map_err(|error| Error::damaged(error.to_string()))?)
            }
            Err(error) => return Err(Error::damaged(error.to_string())),
        };
        all.insert(name.clone(), column);
    }
    Ok(all)
}
