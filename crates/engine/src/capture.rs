//! Captured traffic and late labels: sealed, recorded, read back for the monitor.

use crate::core::NewEntry;
use crate::record::{Fact, LabelBatch, RefusedCalls, Segment};
use crate::training::model_resource;
use crate::{Done, Engine, Error, vault};
use charter::model::Model;
use facts::{Actor, ColumnName, Days, Digest, EndpointName, EvidenceId, ModelName, Timestamp};
use guard::Action;
use ledger::Outcome;
use monitor::capture::{CaptureRecord, GroundTruth, lines};
use monitor::payload;
use serde::Serialize;
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use world::Kind;

/// A request that was answered.
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
}

/// What is shown one at a time, until it is enough.
type Visit<'a, T> = &'a mut dyn FnMut(T) -> Result<ControlFlow<()>, Error>;

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
        let model =
            self.charter()?.charter().models.iter().find(|model| model.endpoint.name == *endpoint).cloned();
        let model = model
            .ok_or_else(|| Error::not_found(format!("no model of the charter serves at `{endpoint}`")))?;
        let Segmented { count, times: (first, last) } = segmented(bytes).map_err(Error::damaged)?;
        self.keep_segment(&model, (variant, None), bytes, (first, last, count))
    }

    /// Takes over what the platform on which a model serves has captured since: each file once, by its name.
    pub(crate) fn take_captured(&mut self, model: &Model) -> Result<(), Error> {
        let Some(site) = Self::site(model) else { return Ok(()) };
        let fleet = self.fleet();
        let known: BTreeSet<String> =
            self.state.segments(&site.endpoint).iter().filter_map(|one| one.what.file.clone()).collect();
        for file in fleet.captured(&site)?.into_iter().filter(|file| !known.contains(&file.name)) {
            let bytes = fleet.captured_file(&site, &file.name)?;
            let Segmented { count, times: (first, last) } = segmented(&bytes).map_err(|why| {
                Error::input(format!("the captured traffic `{}` cannot be read: {why}", file.name)).with_help(
                    "look at what writes there; move the file away, and run the command again to go on without it",
                )
            })?;
            self.keep_segment(model, (&file.variant, Some(file.name)), &bytes, (first, last, count))?;
        }
        Ok(())
    }

    fn keep_segment(
        &mut self,
        model: &Model,
        (variant, file): (&str, Option<String>),
        bytes: &[u8],
        (first, last, count): (Timestamp, Timestamp, u64),
    ) -> Result<EvidenceId, Error> {
        let automation = self.automation()?;
        let endpoint = model.endpoint.name.clone();
        let key = self.dataset(&model.training.dataset)?.key.clone();
        let digest = Digest::of(bytes);
        let sealed = self.seal(&automation, &key, &vault::context("traffic", &digest.to_hex()), bytes)?;
        let resource = format!("endpoint/{endpoint}");
        let (variant, object) = (variant.to_owned(), sealed.object);
        let segment = Segment { endpoint, variant, first, last, count, digest, object, key, file };
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
        let labels = lines::<GroundTruth>(text).try_fold(0u64, |count, label| label.map(|_| count + 1));
        let count = labels.map_err(|error| {
            Error::input(format!("`{file}`, {error}"))
                .with_help("one JSON object a line: `{\"groundTruthData\": {\"data\": \"good\", \"encoding\": \"CSV\"}, \"eventMetadata\": {\"eventId\": \"...\"}, \"eventVersion\": \"0\"}`")
        })?;
        let automation = self.automation()?;
        let key = self.dataset(&model.training.dataset)?.key.clone();
        let digest = Digest::of(bytes);
        let sealed = self.seal(&automation, &key, &vault::context("labels", &digest.to_hex()), bytes)?;
        let batch = LabelBatch { model: name.clone(), count, digest, object: sealed.object, key };
        let resource = format!("model/{name}");
        let evidence = self.record(vec![Self::done(
            actor,
            Action::LabelsImport,
            &resource,
            Fact::LabelsImported(batch),
        )])?;
        Ok(Done { answer: LabelsImported { model: name.clone(), labels: count }, evidence })
    }

    /// Shows the answered requests of an endpoint that a variant answered (or any), the last captured first. One
    /// segment is in memory at a time, because nothing of it is believed before all of it is authenticated.
    pub(crate) fn each_answered(
        &mut self,
        model: &Model,
        (inputs, variant): (&[ColumnName], Option<&str>),
        visit: Visit<'_, Answered>,
    ) -> Result<(), Error> {
        let automation = self.automation()?;
        let wanted = |segment: &Segment| variant.is_none_or(|variant| segment.variant == variant);
        let segments: Vec<Segment> =
            self.state.segments(&model.endpoint.name).iter().map(|s| s.what.clone()).filter(wanted).collect();
        for segment in segments.iter().rev() {
            let context = vault::context("traffic", &segment.digest.to_hex());
            let bytes =
                match self.unseal(&automation, &segment.key, &context, (&segment.object, &segment.digest)) {
                    Err(_) if self.has_ended(&segment.object, segment.last, model.retention.capture_days) => {
                        continue;
                    }
                    other => other?,
                };
            for record in lines::<CaptureRecord>(&String::from_utf8_lossy(&bytes)).rev() {
                let record = record.map_err(|error| Error::damaged(error.to_string()))?;
                for answered in read_record(&record, inputs).into_iter().rev() {
                    if visit(answered)?.is_break() {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether an object is gone and its days are over: the lifecycle of a bucket ends it then. One that is gone earlier is
    /// missed.
    pub(crate) fn has_ended(&self, object: &str, since: Timestamp, days: Days) -> bool {
        let is_past = since.plus_seconds(days.seconds()) <= self.now();
        is_past && self.ports.objects.get(object).is_err_and(|error| error.kind() == Kind::Absent)
    }

    /// Shows all labels of a model, the last to arrive first: of several for one request, the first shown counts. One
    /// batch is in memory at a time.
    pub(crate) fn each_label(&mut self, model: &Model, visit: Visit<'_, GroundTruth>) -> Result<(), Error> {
        let automation = self.automation()?;
        let batches: Vec<LabelBatch> =
            self.state.labels(&model.name).iter().map(|batch| batch.what.clone()).collect();
        for batch in batches.iter().rev() {
            let context = vault::context("labels", &batch.digest.to_hex());
            let bytes = self.unseal(&automation, &batch.key, &context, (&batch.object, &batch.digest))?;
            for label in lines::<GroundTruth>(&String::from_utf8_lossy(&bytes)).rev() {
                if visit(label.map_err(|error| Error::damaged(error.to_string()))?)?.is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

/// How much a stretch of captured traffic holds, and from when to when it is.
struct Segmented {
    count: u64,
    times: (Timestamp, Timestamp),
}

/// Every line must be a request; why it is not, else.
fn segmented(bytes: &[u8]) -> Result<Segmented, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "captured traffic is not text".to_owned())?;
    let (mut count, mut times) = (0, None);
    for record in lines::<CaptureRecord>(text) {
        let time = record.map_err(|error| error.to_string())?.event_metadata.inference_time;
        let (first, last) = times.unwrap_or((time, time));
        times = Some((first.min(time), last.max(time)));
        count += 1;
    }
    Ok(Segmented { count, times: times.unwrap_or((Timestamp::EPOCH, Timestamp::EPOCH)) })
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
        })
        .collect()
}
