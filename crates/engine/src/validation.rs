//! Validation: the candidate is measured on rows that training never saw, with the sensitive columns that only this
//! check may read, and judged by the charter's criteria. What the training program claims plays no part.

use crate::data::{ReadRequest, View};
use crate::registering::lineage;
use crate::{Done, Engine, Error, vault};
use charter::model::{ColumnRole, Dataset, Model};
use facts::{Actor, ColumnName, ModelName, SnapshotName};
use guard::Action;
use monitor::fairness::{self, Fairness};
use monitor::measure::Measurements;
use monitor::quality::{self, Outcome};
use privacy::pseudonym::Table;
use registry::{Command, GateResult, Stage, Status, ValidationReport, VersionNumber};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use world::LoadedModel;
use zeroize::Zeroizing;

/// Groups smaller than this are not spoken about.
pub(crate) const MIN_GROUP: u64 = 10;

/// What validation found.
#[derive(Debug, Clone, Serialize)]
pub struct Validated {
    /// The model.
    pub model: ModelName,
    /// The version.
    pub version: VersionNumber,
    /// Where it is now.
    pub status: Status,
    /// The report, as recorded.
    pub report: ValidationReport,
    /// What the programs at the gates said.
    pub gates: Vec<GateResult>,
}

impl Validated {
    /// Whether every criterion and every gate holds.
    pub fn passes(&self) -> bool {
        self.report.passes() && self.gates.iter().all(GateResult::opens)
    }
}

impl Engine {
    /// Measures a version and records what was found. A version that does not pass is refused by the gate: that is an
    /// answer, not an error.
    pub fn validate(
        &mut self,
        actor: &Actor,
        name: &ModelName,
        number: VersionNumber,
    ) -> Result<Done<Validated>, Error> {
        let model = self.model(name)?.clone();
        let version = self.version(name, number)?;
        let resource = self.version_resource(&model, number);
        self.authorise(actor, Action::ModelValidate, &resource)?;
        let measurable = self.measurable(&version);
        let report = match self.noticing((name.as_str(), number.0), measurable)? {
            true => self.measure(actor, &model, &version)?,
            false => self.judge_claims(&model, &version)?,
        };
        let event = self.decide(actor, &Command::Validate(name, number, Box::new(report.clone())), &model)?;
        let validated = self.record_event(actor, Action::ModelValidate, event)?;
        let (gates, mut evidence) = self.run_gates(&model, number, Stage::Validation)?;
        evidence.extend(validated);
        let status = self.version(name, number)?.status;
        let answer = Validated { model: name.clone(), version: number, status, report, gates };
        Ok(Done { answer, evidence })
    }

    /// Whether the house can run the version itself.
    fn measurable(&self, version: &registry::Version) -> Result<bool, Error> {
        let registration = &version.registration;
        Ok(registration.files.is_none()
            || self.manifest(&registration.object, &registration.artefact)?.onnx().is_some())
    }

    /// Judges the figures of the run itself. They are claims, so the charter must have said that it accepts them.
    fn judge_claims(&self, model: &Model, version: &registry::Version) -> Result<ValidationReport, Error> {
        let registration = &version.registration;
        let run = registration.run.as_ref().filter(|_| model.training.accept_run_metrics).ok_or_else(|| {
            Error::conflict(format!(
                "version {} of `{}` holds no ONNX model that the house can measure, and the charter does not accept the figures of the run itself",
                version.version, model.name
            ))
            .with_help("log the model with `mlflow.onnx`, or set `accept_run_metrics: true` under `training` in the charter")
        })?;
        let snapshot = lineage(version)?.clone();
        let mut report = ValidationReport::judge(
            registration.artefact,
            self.charter()?.digest(),
            (snapshot, 0),
            registration.claimed_metrics.clone(),
            &model.acceptance,
        );
        report.claimed_by_run = Some(run.run_id.clone());
        Ok(report)
    }

    /// Measures a version on rows that training never saw.
    fn measure(
        &mut self,
        actor: &Actor,
        model: &Model,
        version: &registry::Version,
    ) -> Result<ValidationReport, Error> {
        let automation = self.automation()?;
        let loaded = self.load_version(&automation, model, version)?;
        let snapshot = lineage(version)?;
        let purpose = format!("to validate {} {}, as {} asked", model.name, version.version, actor.id);
        let (values, rows) = self.measured(model, loaded.as_ref(), snapshot, purpose)?;
        Ok(ValidationReport::judge(
            version.registration.artefact,
            self.charter()?.digest(),
            (snapshot.clone(), rows),
            values,
            &model.acceptance,
        ))
    }

    /// What a model does on the held-back rows of a snapshot, and how many these are.
    pub(crate) fn measured(
        &mut self,
        model: &Model,
        loaded: &dyn LoadedModel,
        snapshot: &SnapshotName,
        purpose: String,
    ) -> Result<(BTreeMap<String, f64>, u64), Error> {
        let read = ReadRequest {
            snapshot: snapshot.clone(),
            view: View::Validation,
            validation_share: model.training.validation_share,
            purpose,
        };
        let automation = self.automation()?;
        let table = self.read(&automation, &read)?.answer;
        let outcomes = self.score_table(model, loaded, &table)?;
        let groups = sensitive_groups(model, self.charter()?, &table, &outcomes)?;
        let measurements = Measurements::of_validation(&quality::binary(&outcomes), &groups);
        let mut values = measurements.values();
        values.extend(data_quality(model, self.dataset(&model.training.dataset)?, &table)?);
        Ok((values, table.rows().len() as u64))
    }

    /// Decrypts and loads a version; what is loaded is byte for byte what was registered.
    pub(crate) fn load_version(
        &mut self,
        actor: &Actor,
        model: &Model,
        version: &registry::Version,
    ) -> Result<Box<dyn LoadedModel>, Error> {
        let bytes = self.artefact(actor, model, version)?;
        Ok(self.ports.runtime.load(&bytes)?)
    }

    /// The plain bytes of a version, byte for byte what was registered.
    pub(crate) fn artefact(
        &mut self,
        actor: &Actor,
        model: &Model,
        version: &registry::Version,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let read = self.read_artefact(actor, model, version);
        self.noticing((model.name.as_str(), version.version.0), read)
    }

    fn read_artefact(
        &mut self,
        actor: &Actor,
        model: &Model,
        version: &registry::Version,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let registration = &version.registration;
        if registration.files.is_some() {
            let manifest = self.manifest(&registration.object, &registration.artefact)?;
            let file = manifest.onnx().cloned().ok_or_else(|| {
                Error::conflict(format!(
                    "version {} of `{}` holds no ONNX model, which is what the house can run",
                    version.version, model.name
                ))
                .with_help("log the model with `mlflow.onnx`, or load it with MLflow's own client")
            })?;
            return self.read_file(file);
        }
        let key = self.dataset(&model.training.dataset)?.key.clone();
        let context = vault::context("artefacts", &version.registration.artefact.to_hex());
        self.unseal(actor, &key, &context, (&version.registration.object, &version.registration.artefact))
    }

    /// Scores a table with labels.
    pub(crate) fn score_table(
        &self,
        model: &Model,
        loaded: &dyn LoadedModel,
        table: &Table,
    ) -> Result<Vec<Outcome>, Error> {
        let inputs = table.select(loaded.inputs()).map_err(|error| {
            Error::input(format!("the model asks for an input that the data does not have: {error}"))
        })?;
        let label = self.label_column(model)?;
        let actual = table.words(&label).map_err(|error| Error::input(error.to_string()))?;
        let scores = loaded.score(inputs.rows())?;
        let positive = &model.training.positive_label;
        let pairs = scores.iter().zip(actual).filter_map(|(score, actual)| {
            let probability = score.probabilities.get(positive).copied()?;
            Some(Outcome { actual: actual? == *positive, predicted: score.label == *positive, probability })
        });
        let outcomes: Vec<Outcome> = pairs.collect();
        if outcomes.len() == scores.len() {
            return Ok(outcomes);
        }
        Err(Error::input(format!("the model gives no probability of `{positive}`, or a row has no label"))
            .with_help("check `positive_label` in the charter against the labels that the model knows"))
    }

    /// The label column of a model's training data.
    pub(crate) fn label_column(&self, model: &Model) -> Result<ColumnName, Error> {
        let dataset = self.dataset(&model.training.dataset)?;
        let label = dataset.columns.iter().find(|column| column.role == ColumnRole::Label);
        label
            .map(|column| column.name.clone())
            .ok_or_else(|| Error::input(format!("`{}` has no label column", dataset.id)))
    }
}

/// What criteria ask of the rows themselves: how many there are (`data_rows`), the largest share of a column that is empty
/// (`data_missing_share`), and the share of rows that repeat an earlier one in everything but its identifier
/// (`data_duplicate_share`). What no criterion asks for is not counted.
fn data_quality(model: &Model, dataset: &Dataset, table: &Table) -> Result<BTreeMap<String, f64>, Error> {
    let mut values = BTreeMap::new();
    let asked = |name: &str| model.acceptance.iter().any(|criterion| criterion.metric.as_str() == name);
    let count = table.rows().len();
    if asked("data_rows") {
        values.insert("data_rows".to_owned(), count as f64);
    }
    // Of no rows no share is known.
    if count == 0 {
        return Ok(values);
    }
    if asked("data_missing_share") {
        let mut most = 0;
        for column in table.columns() {
            let words = table.words(column).map_err(|error| Error::input(error.to_string()))?;
            most = most.max(words.iter().filter(|word| word.is_none()).count());
        }
        values.insert("data_missing_share".to_owned(), most as f64 / count as f64);
    }
    if asked("data_duplicate_share") {
        let names = |name: &&ColumnName| {
            let known = dataset.columns.iter().find(|column| column.name == **name);
            known.is_none_or(|column| column.role != ColumnRole::Identifier)
        };
        let columns: Vec<ColumnName> = table.columns().iter().filter(names).cloned().collect();
        let content = table.select(&columns).map_err(|error| Error::input(error.to_string()))?;
        let different: BTreeSet<&Vec<String>> = content.rows().iter().collect();
        values.insert("data_duplicate_share".to_owned(), (count - different.len()) as f64 / count as f64);
    }
    Ok(values)
}

/// Fairness by every column that a criterion or the monitor names.
fn sensitive_groups(
    model: &Model,
    charter: &charter::Checked,
    table: &Table,
    outcomes: &[Outcome],
) -> Result<BTreeMap<ColumnName, Fairness>, Error> {
    let known = charter.dataset(&model.training.dataset).map_or(&[] as &[_], |dataset| &dataset.columns);
    let mut columns: Vec<ColumnName> =
        model.acceptance.iter().filter_map(|criterion| criterion.group.clone()).collect();
    columns.extend(model.monitor.groups.iter().cloned());
    columns.retain(|name| known.iter().any(|column| column.name == *name));
    let mut groups = BTreeMap::new();
    for column in columns {
        let words = table.words(&column).map_err(|error| Error::input(error.to_string()))?;
        groups.insert(column, fairness::compare(outcomes, &words, MIN_GROUP));
    }
    Ok(groups)
}
