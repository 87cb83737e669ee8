//! Production data becomes training data: labelled requests join the latest snapshot, as a new one with its lineage.

use crate::capture::Answered;
use crate::data::{NewSnapshot, ReadRequest, SnapshotMade, View};
use crate::record::Origin;
use crate::{Done, Engine, Error};
use charter::model::{Dataset, Model};
use facts::{ColumnName, ModelName};
use guard::Action;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// The most requests that join a snapshot at once.
const MAX_REQUESTS: usize = 1_000_000;

impl Engine {
    /// Makes a snapshot of the model's training data set from its latest one and all labelled traffic since.
    pub(crate) fn collect_feedback(&mut self, name: &ModelName) -> Result<Done<SnapshotMade>, Error> {
        let model = self.model(name)?.clone();
        let automation = self.automation()?;
        let dataset = self.dataset(&model.training.dataset)?.clone();
        let base = self.latest_snapshot(&dataset.id)?;
        let serving = self
            .state
            .registry()
            .model(name)
            .and_then(|known| known.serving())
            .map(|stretch| stretch.version);
        let number = serving.ok_or_else(|| Error::conflict(format!("no version of `{name}` is serving")))?;
        let version = self.version(name, number)?;
        let inputs = self.load_version(&automation, &model, &version)?.inputs().to_vec();
        let (traffic, truths) = self.labelled_traffic(&model, &inputs)?;
        let read = ReadRequest {
            snapshot: base.name.clone(),
            view: View::Whole,
            validation_share: 0.0,
            purpose: format!("to join it with labelled traffic of {name}"),
        };
        let table = self.read(&automation, &read)?.answer;
        let rows: Vec<Vec<String>> = traffic
            .iter()
            .rev()
            .filter_map(|request| {
                let truth = truths.get(&request.id)?.as_ref()?;
                let cells: BTreeMap<&ColumnName, &String> = inputs.iter().zip(&request.cells).collect();
                row(&dataset, table.columns(), &request.id, (&cells, truth))
            })
            .collect();
        let labelled_requests = rows.len() as u64;
        if labelled_requests == 0 {
            return Err(Error::conflict(format!(
                "no labelled request of `{name}` can join its training data"
            ))
            .with_help("import labels with `wardmote labels import`"));
        }
        let all = table.rows().iter().cloned().chain(rows).collect();
        let table = table.with_rows(all);
        let segments =
            self.state.segments(&model.endpoint.name).iter().map(|segment| segment.evidence.clone());
        let labels = self.state.labels(name).iter().map(|batch| batch.evidence.clone());
        let sources = segments.chain(labels).collect();
        let origin = Origin::Feedback { base: base.name, labelled_requests, sources };
        self.keep(
            &automation,
            Action::DataImport,
            NewSnapshot { dataset: &dataset, table: &table, origin, label: None },
        )
    }
}

/// What the label batches say of a request: the label, and sensitive columns; none if no label has come.
type Truths = BTreeMap<String, Option<BTreeMap<String, String>>>;

impl Engine {
    /// The last requests, the last one first, and what is known of each.
    fn labelled_traffic(
        &mut self,
        model: &Model,
        inputs: &[ColumnName],
    ) -> Result<(Vec<Answered>, Truths), Error> {
        let label = self.label_column(model)?;
        let (mut traffic, mut truths) = (Vec::new(), Truths::new());
        self.each_answered(model, (inputs, None), &mut |request| {
            truths.insert(request.id.clone(), None);
            traffic.push(request);
            Ok(if traffic.len() == MAX_REQUESTS { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        self.each_label(model, &mut |truth| {
            if let Some(open @ None) = truths.get_mut(&truth.event_metadata.event_id) {
                *open = Some(truth.columns(label.as_str()));
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok((traffic, truths))
    }
}

/// A request as a row of the training data: inputs as served, label and sensitive columns as the label batch tells
/// them, the request's id in place of the identifier. None if something that training needs is missing.
fn row(
    dataset: &Dataset,
    columns: &[ColumnName],
    id: &str,
    (cells, truth): (&BTreeMap<&ColumnName, &String>, &BTreeMap<String, String>),
) -> Option<Vec<String>> {
    use charter::model::ColumnRole;
    let cell = |name: &ColumnName| -> Option<String> {
        let role = dataset.columns.iter().find(|column| column.name == *name).map(|column| column.role);
        match (cells.get(name), role) {
            (Some(cell), _) => Some((*cell).clone()),
            (None, Some(ColumnRole::Identifier)) => Some(id.to_owned()),
            (None, Some(ColumnRole::Label | ColumnRole::Sensitive)) => truth.get(name.as_str()).cloned(),
            _ => None,
        }
    };
    columns.iter().map(cell).collect()
}
