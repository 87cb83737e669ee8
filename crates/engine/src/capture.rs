//! Captured traffic and late labels: sealed, recorded, read back for the monitor.

use crate::core::NewEntry;
use crate::record::{Fact, LabelBatch, RefusedCalls, Segment};
use crate::training::model_resource;
use crate::{Done, Engine, Error, vault};
use charter::model::Model;
use facts::{Actor, ColumnName, Digest, EndpointName, EvidenceId, ModelName, Timestamp};
use guard::Action;
use ledger::Outcome;
use monitor::capture::{CaptureRecord, GroundTruth, read_lines};
use monitor::payload;
use serde::Serialize;
use std::collections::BTreeMap;

/// A request that was answered, and its label if that has arrived.
#[derive(Debug, Clone)]
pub(crate) struct Answered {
    /// The id that labels use.
    pub(crate) id: String,
    /// When.
    pub(crate) time: Timestamp,
    /// The cells, in the order of the model's inputs.
    pub(crate) cells: Vec<String>,
    /// The predicted label.
    pub(crate) label: String,
    /// The probability of the positive label.
    pub(crate) probability: f64,
    /// What the label batch says: the label, and sensitive columns.
    pub(crate) truth: Option<BTreeMap<String, String>>,
}

/// Labels were imported.
#[derive(Debug, Clone, Serialize)]
pub struct LabelsImported {
    /// The model.
    pub model: ModelName,
    /// How many.
    pub labels: u64,
}

impl Engine {
    /// Seals a stretch of traffic that the gateway captured.
    pub fn keep_traffic(
        &mut self,
        endpoint: &EndpointName,
        variant: &str,
        bytes: &[u8],
    ) -> Result<EvidenceId, Error> {
        self.refresh()?;
        let automation = self.automation()?;
        let model =
            self.charter()?.charter().models.iter().find(|model| model.endpoint.name == *endpoint).cloned();
        let model = model
            .ok_or_else(|| Error::not_found(format!("no model of the charter serves at `{endpoint}`")))?;
        let key = self.dataset(&model.training.dataset)?.key.clone();
        let text = std::str::from_utf8(bytes).map_err(|_| Error::damaged("captured traffic is not text"))?;
        let records: Vec<CaptureRecord> =
            read_lines(text).map_err(|error| Error::damaged(error.to_string()))?;
        let times = || records.iter().map(|record| record.event_metadata.inference_time);
        let digest = Digest::of(bytes);
        let sealed = self.seal(&automation, &key, &vault::context("traffic", &digest.to_hex()), bytes)?;
        let segment = Segment {
            endpoint: endpoint.clone(),
            variant: variant.to_owned(),
            first: times().min().unwrap_or(Timestamp::EPOCH),
            last: times().max().unwrap_or(Timestamp::EPOCH),
            count: records.len() as u64,
            digest,
            object: sealed.object,
            key,
        };
        let resource = format!("endpoint/{endpoint}");
        let entry = Self::done(&automation, Action::EndpointServe, &resource, Fact::TrafficCaptured(segment));
        let mut evidence = self.record(vec![entry])?;
        evidence.pop().ok_or_else(|| Error::damaged("captured traffic was not recorded"))
    }

    /// Records calls that the gateway refused, counted by kind.
    pub fn keep_refused_calls(&mut self, calls: Vec<RefusedCalls>) -> Result<Vec<EvidenceId>, Error> {
        self.refresh()?;
        let automation = self.automation()?;
        let named = |call: &RefusedCalls| {
            call.endpoint.as_ref().map_or_else(|| "endpoint".to_owned(), |name| format!("endpoint/{name}"))
        };
        let resources: Vec<String> = calls.iter().map(named).collect();
        let entries = calls.into_iter().zip(&resources).map(|(call, resource)| NewEntry {
            actor: &automation,
            action: Action::EndpointInvoke.as_str(),
            resource,
            outcome: Outcome::Refused,
            fact: Fact::CallsRefused(call),
        });
        self.record(entries.collect())
    }

    /// Imports labels in the form of SageMaker's ground truth files.
    pub fn import_labels(
        &mut self,
        actor: &Actor,
        name: &ModelName,
        file: &str,
        bytes: &[u8],
    ) -> Result<Done<LabelsImported>, Error> {
        let model = self.model(name)?.clone();
        self.authorise(actor, Action::LabelsImport, &model_resource(&model))?;
        let text =
            std::str::from_utf8(bytes).map_err(|_| Error::input(format!("`{file}` is not UTF-8 text")))?;
        let labels: Vec<GroundTruth> = read_lines(text).map_err(|error| {
            Error::input(format!("`{file}`, {error}"))
                .with_help("one JSON object a line: `{\"groundTruthData\": {\"data\": \"good\", \"encoding\": \"CSV\"}, \"eventMetadata\": {\"eventId\": \"...\"}, \"eventVersion\": \"0\"}`")
        })?;
        let automation = self.automation()?;
        let key = self.dataset(&model.training.dataset)?.key.clone();
        let digest = Digest::of(bytes);
        let sealed = self.seal(&automation, &key, &vault::context("labels", &digest.to_hex()), bytes)?;
        let batch = LabelBatch {
            model: name.clone(),
            count: labels.len() as u64,
            digest,
            object: sealed.object,
            key,
        };
        let resource = format!("model/{name}");
        let evidence = self.record(vec![Self::done(
            actor,
            Action::LabelsImport,
            &resource,
            Fact::LabelsImported(batch),
        )])?;
        Ok(Done { answer: LabelsImported { model: name.clone(), labels: labels.len() as u64 }, evidence })
    }

    /// The latest `limit` answered requests of an endpoint that a variant answered (or any), oldest first, with labels.
    pub(crate) fn traffic(
        &mut self,
        model: &Model,
        inputs: &[ColumnName],
        variant: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Answered>, Error> {
        let automation = self.automation()?;
        let truths = self.truths(&automation, model)?;
        let wanted = |segment: &Segment| variant.is_none_or(|variant| segment.variant == variant);
        let segments: Vec<Segment> =
            self.state.segments(&model.endpoint.name).iter().map(|s| s.what.clone()).filter(wanted).collect();
        let mut answered = Vec::new();
        for segment in segments.iter().rev() {
            let context = vault::context("traffic", &segment.digest.to_hex());
            let bytes =
                self.unseal(&automation, &segment.key, &context, (&segment.object, &segment.digest))?;
            let records: Vec<CaptureRecord> = read_lines(&String::from_utf8_lossy(&bytes))
                .map_err(|error| Error::damaged(error.to_string()))?;
            answered.extend(records.iter().flat_map(|record| read_record(record, inputs)));
            if answered.len() >= limit {
                break;
            }
        }
        answered.sort_by(|a, b| a.time.cmp(&b.time).then_with(|| a.id.cmp(&b.id)));
        let surplus = answered.len().saturating_sub(limit);
        answered.drain(..surplus);
        for request in &mut answered {
            request.truth = truths.get(&request.id).cloned();
        }
        Ok(answered)
    }

    /// All labels of a model, by request; the last one to arrive counts.
    fn truths(
        &mut self,
        automation: &Actor,
        model: &Model,
    ) -> Result<BTreeMap<String, BTreeMap<String, String>>, Error> {
        let label = self.label_column(model)?;
        let batches: Vec<LabelBatch> =
            self.state.labels(&model.name).iter().map(|batch| batch.what.clone()).collect();
        let mut truths = BTreeMap::new();
        for batch in batches {
            let context = vault::context("labels", &batch.digest.to_hex());
            let bytes = self.unseal(automation, &batch.key, &context, (&batch.object, &batch.digest))?;
            let labels: Vec<GroundTruth> = read_lines(&String::from_utf8_lossy(&bytes))
                .map_err(|error| Error::damaged(error.to_string()))?;
            for truth in labels {
                truths.insert(truth.event_metadata.event_id.clone(), truth.columns(label.as_str()));
            }
        }
        Ok(truths)
    }
}

/// A captured request as its records. A label belongs to a request of one record.
fn read_record(record: &CaptureRecord, inputs: &[ColumnName]) -> Vec<Answered> {
    let (input, output) = (&record.capture_data.endpoint_input, &record.capture_data.endpoint_output);
    let rows = payload::records(inputs, &input.observed_content_type, input.data.as_bytes());
    let predictions = payload::predictions(&output.observed_content_type, &output.data);
    let (Ok(rows), Some(predictions)) = (rows, predictions) else { return Vec::new() };
    let many = rows.len() > 1;
    let id =
        |at: usize| if many { format!("{}#{at}", record.join_id()) } else { record.join_id().to_owned() };
    rows.into_iter()
        .zip(predictions)
        .enumerate()
        .map(|(at, (cells, prediction))| Answered {
            id: id(at),
            time: record.event_metadata.inference_time,
            cells,
            label: prediction.label,
            probability: prediction.probability,
            truth: None,
        })
        .collect()
}
