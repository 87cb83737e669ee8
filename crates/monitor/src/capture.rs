//! Captured traffic and late labels in the forms of Amazon SageMaker Model Monitor (developer guide, "Capture data
//! from real-time endpoint" and "Ingest ground truth labels and merge them with predictions").

use facts::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One line of a data capture file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CaptureRecord {
    /// What went in and came out.
    pub capture_data: CaptureData,
    /// Which request it was.
    pub event_metadata: EventMetadata,
    /// `0`.
    pub event_version: String,
}

/// What went in and came out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CaptureData {
    /// The request.
    pub endpoint_input: CapturedBody,
    /// The answer.
    pub endpoint_output: CapturedBody,
}

/// A body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CapturedBody {
    /// Its content type.
    pub observed_content_type: String,
    /// `INPUT` or `OUTPUT`.
    pub mode: String,
    /// The body itself.
    pub data: String,
    /// `CSV`, `JSON` or `BASE64`.
    pub encoding: String,
}

/// Which request it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventMetadata {
    /// The request id.
    pub event_id: String,
    /// The id that the client gave, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inference_id: Option<String>,
    /// When.
    #[serde(default = "epoch")]
    pub inference_time: Timestamp,
    /// What the client said about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub custom_attributes: Vec<String>,
}

fn epoch() -> Timestamp {
    Timestamp::EPOCH
}

/// One line of a ground truth file. `data` is the label, or a JSON object of columns with the label among them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GroundTruth {
    /// The label.
    pub ground_truth_data: GroundTruthData,
    /// The request that it belongs to: `eventId` holds the inference id if the request had one.
    pub event_metadata: GroundTruthEvent,
    /// `0`.
    #[serde(default)]
    pub event_version: String,
}

/// The label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroundTruthData {
    /// The label, or a JSON object.
    pub data: String,
    /// `CSV` or `JSON`.
    pub encoding: String,
}

/// The request that a label belongs to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GroundTruthEvent {
    /// Inference id, or request id.
    pub event_id: String,
}

/// A line that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct LineError {
    line: usize,
    reason: String,
}

const MAX_LINE_BYTES: usize = 8 << 20;

/// Reads JSON Lines, one at a time, from either end; empty lines are passed over.
pub fn lines<T: for<'a> Deserialize<'a>>(
    text: &str,
) -> impl DoubleEndedIterator<Item = Result<T, LineError>> {
    text.lines().filter(|line| !line.trim().is_empty()).map(move |line| {
        let wrong = |reason: String| {
            let before = line.as_ptr().addr() - text.as_ptr().addr();
            LineError { line: text[..before].matches('\n').count() + 1, reason }
        };
        if line.len() > MAX_LINE_BYTES {
            return Err(wrong("the line is longer than 8 MiB".to_owned()));
        }
        serde_json::from_str(line).map_err(|error| wrong(error.to_string()))
    })
}

impl GroundTruth {
    /// The columns that it tells: those of a JSON object, or the label under the name given.
    pub fn columns(&self, label: &str) -> BTreeMap<String, String> {
        let object =
            serde_json::from_str::<BTreeMap<String, serde_json::Value>>(&self.ground_truth_data.data);
        match (self.ground_truth_data.encoding.as_str(), object) {
            ("JSON", Ok(object)) => object
                .into_iter()
                .map(|(key, value)| (key, value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
                .collect(),
            _ => BTreeMap::from([(label.to_owned(), self.ground_truth_data.data.trim().to_owned())]),
        }
    }
}

impl CaptureRecord {
    /// The id that labels use: the client's if it gave one, else the request's.
    pub fn join_id(&self) -> &str {
        self.event_metadata.inference_id.as_deref().unwrap_or(&self.event_metadata.event_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_developer_guides_own_lines_are_read() {
        let line = r#"{"captureData":{"endpointInput":{"observedContentType":"text/csv","mode":"INPUT","data":"132,25,113.2","encoding":"CSV"},"endpointOutput":{"observedContentType":"text/csv; charset=utf-8","mode":"OUTPUT","data":"0.025","encoding":"CSV"}},"eventMetadata":{"eventId":"75e3ea1a","inferenceTime":"2022-02-14T17:25:49Z"},"eventVersion":"0"}"#;
        let records: Vec<CaptureRecord> = lines(line).collect::<Result<_, _>>().unwrap();
        assert_eq!(records[0].join_id(), "75e3ea1a");
        let truth = r#"{"groundTruthData":{"data":"1","encoding":"CSV"},"eventMetadata":{"eventId":"75e3ea1a"},"eventVersion":"0"}"#;
        let truth: Vec<GroundTruth> = lines(truth).rev().collect::<Result<_, _>>().unwrap();
        assert_eq!(truth[0].columns("label")["label"], "1");
    }

    #[test]
    fn a_wrong_line_is_named() {
        let error = lines::<GroundTruth>("\n{\"groundTruthData\":1}\n\n").next_back().unwrap().unwrap_err();
        insta::assert_snapshot!(error, @"line 2: invalid type: integer `1`, expected struct GroundTruthData at line 1 column 20");
    }
}
