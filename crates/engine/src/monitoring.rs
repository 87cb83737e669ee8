//! Watching a model: the latest window of the version that serves, against the rows it was validated on.

use crate::data::{ReadRequest, View};
use crate::record::{Fact, MonitorReport, RuleOutcome};
use crate::registering::lineage;
use crate::training::model_resource;
use crate::validation::MIN_GROUP;
use crate::{Done, Engine, Error};
use charter::model::Model;
use facts::{Actor, ColumnName, ModelName, Timestamp};
use guard::Action;
use monitor::baseline::{Baseline, Column, Limits};
use monitor::drift::{self, DriftSettings};
use monitor::fairness::Fairness;
use monitor::join::{MAX_PENDING, Pending, Predicted};
use monitor::measure::{Measurements, Window};
use monitor::profile::{Profile, Request};
use monitor::quality::{BinaryQuality, Outcome};
use monitor::rules::{self, Memory};
use privacy::pseudonym::Table;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

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
        self.take_captured(&model)?;
        let version = self.version(name, number)?;
        let automation = self.automation()?;
        let loaded = self.load_version(&automation, &model, &version)?;
        let inputs = loaded.inputs().to_vec();
        let read = ReadRequest {
            snapshot: lineage(&version)?.clone(),
            view: View::Validation,
            validation_share: model.training.validation_share,
            purpose: format!("as reference, to monitor {name} {number}"),
        };
        let reference = columns(&self.read(&automation, &read)?.answer, &inputs)?;
        let baseline = Arc::new(Baseline::new(reference, Limits::default()));
        let (profile, pending) = self.profile(&model, (&inputs, number), baseline)?;
        let report = self.look(&model, number, &profile, &pending);
        let resource = format!("model/{name}");
        let evidence = self.record(vec![Self::done(
            actor,
            Action::MonitorRun,
            &resource,
            Fact::Monitored(Box::new(report.clone())),
        )])?;
        Ok(Done { answer: report, evidence })
    }

    /// Takes in the last requests that a version answered, one at a time, and then the labels that they wait for.
    fn profile(
        &mut self,
        model: &Model,
        (inputs, version): (&[ColumnName], registry::VersionNumber),
        baseline: Arc<Baseline>,
    ) -> Result<(Profile, Pending), Error> {
        let positive = &model.training.positive_label;
        let (mut profile, mut pending) = (Profile::new(baseline, &model.monitor.groups), Pending::default());
        let until = |enough: bool| if enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        self.each_answered(model, (inputs, Some(&format!("v{version}"))), &mut |answered| {
            let is_positive = answered.label == *positive;
            let request = Request { cells: &answered.cells, time: answered.time, positive: is_positive };
            profile.push(&request).map_err(|error| Error::damaged(error.to_string()))?;
            let predicted = Predicted { positive: is_positive, probability: answered.probability };
            pending.wait(&answered.id, predicted);
            Ok(until(profile.requests() >= u64::from(model.monitor.window_requests)))
        })?;
        let label = self.label_column(model)?;
        self.each_label(model, &mut |truth| {
            let settled = pending.settle(&truth.event_metadata.event_id);
            let columns = if settled.is_empty() { BTreeMap::new() } else { truth.columns(label.as_str()) };
            for predicted in settled {
                if let Some(actual) = columns.get(label.as_str()) {
                    let Predicted { positive: predicted, probability } = predicted;
                    let outcome = Outcome { actual: actual == positive, predicted, probability };
                    profile.push_outcome(&outcome, &columns);
                }
            }
            Ok(until(pending.is_settled()))
        })?;
        Ok((profile, pending))
    }

    fn look(
        &self,
        model: &Model,
        version: registry::VersionNumber,
        profile: &Profile,
        pending: &Pending,
    ) -> MonitorReport {
        let settings = DriftSettings {
            psi: model.monitor.drift_psi,
            significance: model.monitor.significance,
            min_samples: model.monitor.min_samples as usize,
        };
        let drift = drift::report(profile, &settings);
        let (quality, fairness) = (profile.quality(), profile.fairness(MIN_GROUP));
        let measurements = Measurements::of_window(&Window {
            requests: profile.requests(),
            positives: profile.positives(),
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
        let (from, to) = profile.times().unwrap_or((Timestamp::EPOCH, Timestamp::EPOCH));
        MonitorReport {
            model: model.name.clone(),
            version,
            from,
            to,
            requests: profile.requests(),
            labelled: quality.samples,
            drift,
            measurements,
            notes: notes(&quality, &fairness, pending),
            rules,
        }
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

/// What bounded memory has left out or made approximate, drift apart.
fn notes(
    quality: &BinaryQuality,
    fairness: &BTreeMap<ColumnName, Fairness>,
    pending: &Pending,
) -> Vec<String> {
    let auc = quality.auc_bounds.map(|(low, high)| format!("the AUC lies between {low:.6} and {high:.6}"));
    let groups = fairness.iter().filter_map(|(column, fairness)| {
        let limit = fairness.more_groups_than?;
        Some(format!("`{column}` has more than {limit} groups, which are not compared"))
    });
    let unawaited = match pending.unawaited() {
        0 => None,
        left => {
            Some(format!("{left} requests have no label because more than {MAX_PENDING} would wait for one"))
        }
    };
    auc.into_iter().chain(groups).chain(unawaited).collect()
}

/// The columns of a table as the monitor takes them: numbers where all cells are numbers.
fn columns(table: &Table, names: &[ColumnName]) -> Result<Vec<(ColumnName, Column)>, Error> {
    let column = |name: &ColumnName| {
        let column = match table.numbers(name) {
            Ok(numbers) => Column::Numeric(numbers),
            Err(privacy::TableError::NotANumber { .. }) => {
                Column::Category(table.words(name).map_err(|error| Error::damaged(error.to_string()))?)
            }
            Err(error) => return Err(Error::damaged(error.to_string())),
        };
        Ok((name.clone(), column))
    };
    names.iter().map(column).collect()
}
