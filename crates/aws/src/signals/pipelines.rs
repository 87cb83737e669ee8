//! Pipelines elsewhere that an alert starts: of SageMaker, or state machines of Step Functions. Each alert starts one
//! execution: the token or name that it is started with follows from the evidence, so a second call starts nothing.
//!
//! Source: Amazon SageMaker API Reference, "StartPipelineExecution"; AWS Step Functions API Reference, "StartExecution".

use super::{Alert, Signals, region_of};
use crate::error::AwsError;
use crate::operation::{On, Operation, Permission, Retry, SAGEMAKER, STEP_FUNCTIONS};
use crate::sign::sha256_hex;
use crate::wire::Wire;
use serde_json::json;

pub(super) const START_PIPELINE: Operation = Operation {
    service: &SAGEMAKER,
    name: "StartPipelineExecution",
    retry: Retry::Safe,
    needs: &[Permission { action: "sagemaker:StartPipelineExecution", on: On::Pipeline }],
    pages: None,
};
pub(super) const START_MACHINE: Operation = Operation {
    service: &STEP_FUNCTIONS,
    name: "StartExecution",
    retry: Retry::Safe,
    needs: &[Permission { action: "states:StartExecution", on: On::Pipeline }],
    pages: None,
};

const LONGEST_DESCRIPTION: usize = 1000;

/// What starts a pipeline of this name or ARN.
pub(super) fn operation(pipeline: &str) -> &'static Operation {
    if is_machine(pipeline) { &START_MACHINE } else { &START_PIPELINE }
}

/// Whether it is the ARN of a state machine; else it is the name of a pipeline of SageMaker.
pub(super) fn is_machine(pipeline: &str) -> bool {
    region_of(pipeline, "states").is_some() && pipeline.contains(":stateMachine:")
}

/// The rule of SageMaker for names of pipelines.
pub(super) fn is_name(pipeline: &str) -> bool {
    let letters = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    (1..=256).contains(&pipeline.len())
        && pipeline.bytes().all(letters)
        && !pipeline.starts_with('-')
        && !pipeline.ends_with('-')
}

impl Signals {
    /// Starts the retraining pipeline for an alert. Does nothing without one.
    pub fn retrain(&self, alert: &Alert) -> Result<(), AwsError> {
        let Some(pipeline) = &self.settings.pipeline else { return Ok(()) };
        // Letters and digits, at least 32 of them: as SageMaker wants a token, and as a name of an execution may be.
        let once = sha256_hex(alert.evidence.join(",").as_bytes());
        let operation = operation(pipeline);
        let (input, region) = if is_machine(pipeline) {
            let detail = serde_json::to_string(alert).unwrap_or_default();
            let input =
                json!({ "stateMachineArn": pipeline, "name": format!("wardmote-{once}"), "input": detail });
            (input, region_of(pipeline, "states"))
        } else {
            let evidence = alert.evidence.join(", ");
            let text: String = format!("{}; evidence {evidence}", alert.sentence);
            let input = json!({
                "PipelineName": pipeline, "ClientRequestToken": once,
                "PipelineExecutionDescription": text.chars().take(LONGEST_DESCRIPTION).collect::<String>(),
            });
            (input, None)
        };
        let here = self.client.region()?;
        let elsewhere = match region.filter(|region| *region != here) {
            Some(region) => Some(self.client.in_region(region)?),
            None => None,
        };
        let client = elsewhere.as_ref().unwrap_or(&self.client);
        client.call(operation, &Wire::json(operation, &input)?).map(|_| ())
    }
}
