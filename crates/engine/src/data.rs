//! Snapshots: imported, pseudonymised, read. Each is immutable, encrypted under a data key of its own, and can be
//! read only by the roles that the charter names.

use crate::record::{Fact, Origin, Refused, Snapshot};
use crate::{Done, Engine, Error, split, vault};
use charter::model::{ColumnRole, ColumnType, Dataset, Transformation};
use facts::{Actor, ColumnName, DatasetId, Digest, SnapshotName};
use guard::{Action, Resource};
use privacy::pseudonym::{self, Table};
use privacy::risk;
use serde::Serialize;
use std::collections::BTreeMap;

/// A file to take in as a snapshot.
pub struct ImportRequest {
    /// The data set that it belongs to.
    pub dataset: DatasetId,
    /// The name of the file, for messages and for the record.
    pub file: String,
    /// Its bytes: CSV with a header.
    pub bytes: Vec<u8>,
    /// The last part of the snapshot's name; today's date if absent.
    pub label: Option<String>,
}

/// Which rows and columns of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// All of it.
    Whole,
    /// What a training program may see: no held-back rows, no identifiers, no sensitive columns.
    Training,
    /// The rows held back from training, with all columns; for validation and fairness checks.
    Validation,
}

impl View {
    /// The word for it in the record.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Training => "training",
            Self::Validation => "validation",
        }
    }
}

/// A wish to read a snapshot.
pub struct ReadRequest {
    /// Which.
    pub snapshot: SnapshotName,
    /// Which part.
    pub view: View,
    /// The share of rows held back for validation, where the view asks for it.
    pub validation_share: f64,
    /// Why, for the record.
    pub purpose: String,
}

/// The answer to an import or a pseudonymisation.
#[derive(Debug, Clone, Serialize)]
pub struct SnapshotMade {
    /// The snapshot.
    #[serde(flatten)]
    pub snapshot: Snapshot,
}

impl Engine {
    /// Takes in a file as an encrypted, immutable snapshot.
    pub fn import(&mut self, actor: &Actor, request: ImportRequest) -> Result<Done<SnapshotMade>, Error> {
        let dataset = self.dataset(&request.dataset)?.clone();
        self.authorise(actor, Action::DataImport, &dataset_resource(&dataset))?;
        if let Some(from) = &dataset.pseudonymised_from {
            let text =
                format!("`{}` is pseudonymised from `{}` and cannot be imported", dataset.id, from.source);
            return Err(
                Error::input(text).with_help(format!("run `wardmote data pseudonymise {}`", dataset.id))
            );
        }
        let table = Table::parse(&request.bytes).map_err(|error| in_file(&request.file, &error))?;
        check_columns(&table, &dataset, &request.file)?;
        let origin = Origin::File { file: request.file };
        self.keep(
            actor,
            Action::DataImport,
            NewSnapshot { dataset: &dataset, table: &table, origin, label: request.label },
        )
    }

    /// Makes the pseudonymised snapshot that the charter describes from the latest snapshot of its source.
    pub fn pseudonymise(&mut self, actor: &Actor, id: &DatasetId) -> Result<Done<SnapshotMade>, Error> {
        let dataset = self.dataset(id)?.clone();
        let resource = dataset_resource(&dataset);
        self.authorise(actor, Action::DataPseudonymise, &resource)?;
        let Some(policy) = dataset.pseudonymised_from.clone() else {
            return Err(Error::input(format!("the charter does not say from what `{id}` is pseudonymised"))
                .with_help("give it `pseudonymised_from` in the charter"));
        };
        let source_dataset = self.dataset(&policy.source)?.clone();
        let source = self.latest_snapshot(&policy.source)?;
        let read = ReadRequest {
            snapshot: source.name.clone(),
            view: View::Whole,
            validation_share: 0.0,
            purpose: format!("to pseudonymise as {id}"),
        };
        let raw = self.read(actor, &read)?.answer;
        let rules = self.transformations(actor, &dataset, &policy.columns)?;
        let table = pseudonym::apply(&raw, &rules).map_err(|error| Error::input(error.to_string()))?;
        let risk = risk::Comparison {
            before: risk::measure(&raw, &quasi_identifiers(&source_dataset), None)
                .map_err(|error| Error::input(error.to_string()))?,
            after: risk::measure(&table, &quasi_identifiers(&dataset), None)
                .map_err(|error| Error::input(error.to_string()))?,
        };
        if let Some(reason) = over_limit(&risk.after, &policy.risk_limits) {
            let help = "make the bands of the quasi-identifiers wider, or drop one, in the charter";
            let why = Refused { reason, help: Some(help.to_owned()), policies: vec![] };
            return Err(self.refuse(actor, Action::DataPseudonymise.as_str(), &resource.name(), why));
        }
        let policy_text = serde_json::to_vec(&policy).map_err(|error| Error::damaged(error.to_string()))?;
        let origin = Origin::Pseudonymised {
            source: source.name,
            policy: Digest::of(&policy_text),
            risk: Box::new(risk),
        };
        self.keep(
            actor,
            Action::DataPseudonymise,
            NewSnapshot { dataset: &dataset, table: &table, origin, label: None },
        )
    }

    /// Hands out rows of a snapshot to a role that may have them.
    pub fn read(&mut self, actor: &Actor, request: &ReadRequest) -> Result<Done<Table>, Error> {
        let snapshot = self.snapshot(&request.snapshot)?.clone();
        let dataset = self.dataset(&snapshot.dataset)?.clone();
        let action =
            if request.view == View::Validation { Action::DataFairnessRead } else { Action::DataRead };
        let resource = dataset_resource(&dataset);
        self.authorise(actor, action, &resource)?;
        let context = vault::context("snapshots", snapshot.name.as_str());
        let plain = self
            .unseal(actor, &snapshot.key, &context, (&snapshot.object, &snapshot.digest))
            .map_err(|error| self.explain_ended(&snapshot, &dataset, error))?;
        let whole = Table::parse(&plain).map_err(|error| Error::damaged(error.to_string()))?;
        let table = match request.view {
            View::Whole => whole,
            View::Validation => split::side(&whole, &identifiers(&dataset), request.validation_share, true),
            View::Training => {
                let rows = split::side(&whole, &identifiers(&dataset), request.validation_share, false);
                rows.select(&training_columns(&dataset)).map_err(|error| Error::damaged(error.to_string()))?
            }
        };
        let name = format!("{}/{}", resource.name(), snapshot.name);
        let fact = Fact::SnapshotRead {
            snapshot: snapshot.name,
            view: request.view.as_str().to_owned(),
            rows: table.rows().len() as u64,
            purpose: request.purpose.clone(),
        };
        let evidence = self.record(vec![Self::done(actor, action, &name, fact)])?;
        Ok(Done { answer: table, evidence })
    }

    /// A snapshot whose time is over may be gone: the lifecycle of a bucket ends it.
    fn explain_ended(&self, snapshot: &Snapshot, dataset: &Dataset, error: Error) -> Error {
        let made = self.state.snapshot(&snapshot.name).map(|recorded| recorded.time);
        match (made, dataset.retention_days) {
            (Some(made), Some(days)) if self.has_ended(&snapshot.object, made, days) => {
                let text = format!(
                    "the snapshot `{}` was kept for {} days, and has ended",
                    snapshot.name,
                    days.get()
                );
                Error::not_found(text).with_help("name a newer one; `wardmote data list` shows the snapshots")
            }
            _ => error,
        }
    }

    /// The data set that the charter knows under this id.
    pub(crate) fn dataset(&self, id: &DatasetId) -> Result<&Dataset, Error> {
        let charter = self.charter()?;
        charter.dataset(id).ok_or_else(|| {
            let known: Vec<_> =
                charter.charter().datasets.iter().map(|dataset| format!("`{}`", dataset.id)).collect();
            Error::not_found(format!("there is no data set `{id}` in the charter"))
                .with_help(format!("data sets: {}", known.join(", ")))
        })
    }

    pub(crate) fn snapshot(&self, name: &SnapshotName) -> Result<&Snapshot, Error> {
        self.state.snapshot(name).map(|snapshot| &snapshot.what).ok_or_else(|| {
            Error::not_found(format!("there is no snapshot `{name}`"))
                .with_help("`wardmote data list` shows the snapshots")
        })
    }

    pub(crate) fn latest_snapshot(&self, dataset: &DatasetId) -> Result<Snapshot, Error> {
        let latest = self.state.snapshots().iter().rev().find(|snapshot| snapshot.what.dataset == *dataset);
        latest.map(|snapshot| snapshot.what.clone()).ok_or_else(|| {
            Error::not_found(format!("there is no snapshot of `{dataset}` yet"))
                .with_help(format!("make one with `wardmote data import {dataset} FILE` or `wardmote data pseudonymise {dataset}`"))
        })
    }

    /// Encrypts, stores and records a table as the next snapshot of its data set.
    pub(crate) fn keep(
        &mut self,
        actor: &Actor,
        action: Action,
        new: NewSnapshot<'_>,
    ) -> Result<Done<SnapshotMade>, Error> {
        let dataset = new.dataset;
        let name = self.free_name(&dataset.id, new.label.as_deref())?;
        let csv = new.table.to_csv().map_err(|error| Error::damaged(error.to_string()))?;
        let sealed = self.seal(actor, &dataset.key, &vault::context("snapshots", name.as_str()), &csv)?;
        let snapshot = Snapshot {
            dataset: dataset.id.clone(),
            digest: sealed.digest,
            object: sealed.object,
            object_digest: sealed.object_digest,
            rows: new.table.rows().len() as u64,
            columns: new.table.columns().to_vec(),
            key: dataset.key.clone(),
            origin: new.origin,
            name,
        };
        let resource = format!("dataset/{}", snapshot.name);
        let fact = Fact::SnapshotMade(Box::new(snapshot.clone()));
        let evidence = self.record(vec![Self::done(actor, action, &resource, fact)])?;
        Ok(Done { answer: SnapshotMade { snapshot }, evidence })
    }

    fn free_name(&self, dataset: &DatasetId, label: Option<&str>) -> Result<SnapshotName, Error> {
        let parse =
            |text: String| text.parse::<SnapshotName>().map_err(|error| Error::input(error.to_string()));
        if let Some(label) = label {
            let name = parse(format!("{dataset}/{label}"))?;
            return match self.state.snapshot(&name) {
                None => Ok(name),
                Some(_) => Err(Error::conflict(format!(
                    "the snapshot `{name}` exists, and snapshots are never changed"
                ))
                .with_help("choose another `--label`")),
            };
        }
        let date = self.now().date();
        let mut name = parse(format!("{dataset}/{date}"))?;
        let mut n = 2;
        while self.state.snapshot(&name).is_some() {
            name = parse(format!("{dataset}/{date}-{n}"))?;
            n += 1;
        }
        Ok(name)
    }

    fn transformations(
        &mut self,
        actor: &Actor,
        dataset: &Dataset,
        columns: &BTreeMap<ColumnName, Transformation>,
    ) -> Result<BTreeMap<ColumnName, pseudonym::Transformation>, Error> {
        let mut rules = BTreeMap::new();
        for (column, transformation) in columns {
            rules.insert(column.clone(), self.transformation(actor, dataset, transformation)?);
        }
        Ok(rules)
    }

    fn transformation(
        &mut self,
        actor: &Actor,
        dataset: &Dataset,
        rule: &Transformation,
    ) -> Result<pseudonym::Transformation, Error> {
        Ok(match rule {
            Transformation::Drop => pseudonym::Transformation::Drop,
            Transformation::Keep => pseudonym::Transformation::Keep,
            Transformation::Band { width, from, to } => {
                pseudonym::Transformation::Band { width: *width, from: *from, to: *to }
            }
            Transformation::Round { to } => pseudonym::Transformation::Round { to: *to },
            Transformation::Map { words } => pseudonym::Transformation::Map { words: words.clone() },
            Transformation::Token { domain } => {
                self.key_use(actor, &dataset.key, "derive", &vault::context("tokens", domain))?;
                let secret = self.ports.keys.derive_secret(&dataset.key, domain);
                let secret = secret.map_err(|error| self.explain_key(&dataset.key, error))?;
                pseudonym::Transformation::Token {
                    secret: pseudonym::TokenSecret::new(secret.0),
                    domain: domain.clone(),
                }
            }
        })
    }
}

/// A table that is to become a snapshot.
pub(crate) struct NewSnapshot<'a> {
    /// Of which data set.
    pub(crate) dataset: &'a Dataset,
    /// The rows.
    pub(crate) table: &'a Table,
    /// How it came to be.
    pub(crate) origin: Origin,
    /// The last part of its name; today's date if absent.
    pub(crate) label: Option<String>,
}

/// The data set as the policies see it.
pub(crate) fn dataset_resource(dataset: &Dataset) -> Resource {
    Resource::Dataset {
        id: dataset.id.clone(),
        classification: dataset.tags.data_classification,
        readers: dataset.readers.clone(),
        writers: dataset.writers.clone(),
    }
}

/// The columns that training sees: features, quasi-identifiers that the charter left in, and the label.
fn training_columns(dataset: &Dataset) -> Vec<ColumnName> {
    let seen = |role: ColumnRole| !matches!(role, ColumnRole::Identifier | ColumnRole::Sensitive);
    dataset.columns.iter().filter(|column| seen(column.role)).map(|column| column.name.clone()).collect()
}

fn identifiers(dataset: &Dataset) -> Vec<ColumnName> {
    dataset
        .columns
        .iter()
        .filter(|column| column.role == ColumnRole::Identifier)
        .map(|column| column.name.clone())
        .collect()
}

fn quasi_identifiers(dataset: &Dataset) -> Vec<ColumnName> {
    // Sensitive attributes such as sex are known to others too, so an attacker can single out by them.
    let known = |role: ColumnRole| matches!(role, ColumnRole::QuasiIdentifier | ColumnRole::Sensitive);
    dataset.columns.iter().filter(|column| known(column.role)).map(|column| column.name.clone()).collect()
}

fn over_limit(risk: &risk::Risk, limits: &charter::model::RiskLimits) -> Option<String> {
    if let Some(min_k) = limits.min_k.filter(|min_k| risk.k < u64::from(*min_k)) {
        return Some(format!(
            "the smallest group of records that look alike has {} records; the charter demands at least {min_k}",
            risk.k
        ));
    }
    let share = limits.max_unique_share.filter(|share| risk.unique_share > *share)?;
    Some(format!(
        "{:.1} % of the records are unique; the charter allows at most {:.1} %",
        risk.unique_share * 100.0,
        share * 100.0
    ))
}

fn in_file(file: &str, error: &impl std::fmt::Display) -> Error {
    Error::input(format!("`{file}`: {error}"))
}

/// The columns of a file must be those of the charter, in any order of complaint but all named.
fn check_columns(table: &Table, dataset: &Dataset, file: &str) -> Result<(), Error> {
    let expected: Vec<&ColumnName> = dataset.columns.iter().map(|column| &column.name).collect();
    let missing: Vec<String> = expected
        .iter()
        .filter(|name| !table.columns().contains(name))
        .map(|name| format!("`{name}`"))
        .collect();
    let extra: Vec<String> = table
        .columns()
        .iter()
        .filter(|name| !expected.contains(name))
        .map(|name| format!("`{name}`"))
        .collect();
    let help = format!("the charter gives `{}` these columns: {}", dataset.id, join(&expected));
    if !missing.is_empty() || !extra.is_empty() {
        let mut parts = Vec::new();
        if !missing.is_empty() {
            parts.push(format!("lacks the column {}", missing.join(", ")));
        }
        if !extra.is_empty() {
            parts.push(format!("has the unknown column {}", extra.join(", ")));
        }
        return Err(Error::input(format!("`{file}` {}", parts.join(" and "))).with_help(help));
    }
    for (n, column) in dataset.columns.iter().enumerate() {
        if table.columns()[n] != column.name {
            return Err(Error::input(format!("`{file}` has its columns in another order than the charter"))
                .with_help(help));
        }
        if column.kind == ColumnType::Number {
            check_numbers(table, n, &column.name, file)?;
        }
    }
    Ok(())
}

fn check_numbers(table: &Table, n: usize, column: &ColumnName, file: &str) -> Result<(), Error> {
    for (row, cells) in table.rows().iter().enumerate() {
        let cell = cells[n].trim();
        if !cell.is_empty() && !cell.parse::<f64>().is_ok_and(f64::is_finite) {
            let text = format!("`{file}`, line {}, column `{column}`: `{cell}` is not a number", row + 2);
            return Err(Error::input(text)
                .with_help("correct the cell, or declare the column as `type: category` in the charter"));
        }
    }
    Ok(())
}

fn join(names: &[&ColumnName]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
