//! The five JSON documents that people bring along, read as they stand: tags ([`crate::Tags`]), a policy
//! statement, a model version, an alert rule and a control rule.

use crate::{Arn, MetricName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One value or a list of them, as IAM allows nearly everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OneOrMany<T> {
    /// A single value.
    One(T),
    /// A list.
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    /// The values as a slice.
    pub fn as_slice(&self) -> &[T] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        }
    }
}

/// Allow or Deny.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum StatementEffect {
    /// Grants.
    Allow,
    /// Forbids, whatever else grants.
    Deny,
}

/// One IAM policy statement on its own, as the reference of the IAM JSON policy elements has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct PolicyStatement {
    /// An identifier for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// Allow or Deny.
    pub effect: StatementEffect,
    /// The actions, with wildcards.
    pub action: OneOrMany<String>,
    /// The resources, with wildcards.
    pub resource: OneOrMany<String>,
    /// Operator, then key, then values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub condition: BTreeMap<String, BTreeMap<String, OneOrMany<String>>>,
}

/// A model version as others describe it. What it claims about approval is kept as a claim: it approves nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ModelVersionDocument {
    /// The id in its system of origin: `reco-v3`.
    pub model_id: String,
    /// Where the training data is: `s3://datasets/reco/2025-10-01/`.
    pub data_snapshot: String,
    /// Metrics as its maker states them.
    #[serde(default)]
    pub metrics: BTreeMap<MetricName, f64>,
    /// Who is said to have approved it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<String>,
    /// The status it is said to have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry_status: Option<String>,
}

/// What an alert does when it fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Runs the model's training program again.
    TriggerRetrainingPipeline,
    /// Puts the previous version back.
    Rollback,
    /// Lets nobody use the version that it is about until somebody has looked at it; the previous one serves, or nothing does.
    Quarantine,
    /// Records and shows it, nothing more.
    Notify,
}

impl std::fmt::Display for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::TriggerRetrainingPipeline => "trigger_retraining_pipeline",
            Self::Rollback => "rollback",
            Self::Quarantine => "quarantine",
            Self::Notify => "notify",
        })
    }
}

/// On which side of the threshold an alert fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// When the metric falls below the threshold.
    Below,
    /// When the metric rises above the threshold.
    Above,
}

/// `{"metric": "model_accuracy", "threshold": 0.75, "action": "trigger_retraining_pipeline"}`, with more said if wanted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertRule {
    /// What is watched.
    pub metric: MetricName,
    /// The number that must not be crossed.
    pub threshold: f64,
    /// What happens when it is.
    pub action: Action,
    /// Which side fires; derived from the metric if absent (see [`AlertRule::direction`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// The fewest observations that may fire it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_samples: Option<u32>,
    /// Seconds in which it does not fire again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cool_down_seconds: Option<u32>,
}

impl AlertRule {
    /// The side that fires: as said, or else below for what should be high (accuracy, precision, recall, AUC ...)
    /// and above for what should be low (drift, differences, error and latency).
    pub fn direction(&self) -> Direction {
        self.direction.unwrap_or_else(|| {
            const LOW_IS_GOOD: [&str; 8] =
                ["psi", "drift", "difference", "error", "latency", "loss", "missing", "distance"];
            let name = self.metric.as_str().to_ascii_lowercase();
            if LOW_IS_GOOD.iter().any(|word| name.contains(word)) {
                Direction::Above
            } else {
                Direction::Below
            }
        })
    }
}

/// `{"rule": "S3EncryptionEnabled", "scope": "ml-data-buckets", "remediation": "enable_kms_encryption"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ControlRule {
    /// The control, by its id or an alias.
    pub rule: String,
    /// The resources it is about.
    pub scope: String,
    /// The remediation to plan when it is broken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remediation: Option<String>,
}

impl PolicyStatement {
    /// The resources that are written as whole ARNs; patterns such as `*` are left out.
    pub fn resource_arns(&self) -> impl Iterator<Item = Arn> {
        self.resource.as_slice().iter().filter_map(|text| text.parse().ok())
    }
}

#[cfg(test)]
mod tests {
    //! Goal: the documents people already have parse as they stand, and write back the same JSON.
    use super::*;
    use crate::{DataClassification, ModelStage, Tags};
    use serde::de::DeserializeOwned;

    fn round_trip<T: DeserializeOwned + Serialize>(text: &str) -> T {
        let value: T = serde_json::from_str(text).unwrap();
        let original: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_value(&value).unwrap(), original);
        value
    }

    #[test]
    fn tags() {
        let tags: Tags = round_trip(
            r#"{"owner": "team-ml", "dataClassification": "confidential", "modelStage": "production", "complianceScope": "gdpr"}"#,
        );
        assert_eq!(tags.data_classification, DataClassification::Confidential);
        assert_eq!(tags.model_stage, Some(ModelStage::Production));
        assert_eq!(crate::TagSet::from(&tags).standard().unwrap(), tags);
    }

    #[test]
    fn policy_statement() {
        let statement: PolicyStatement = round_trip(
            r#"{"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"],
 "Resource": ["arn:aws:s3:::ml-training-data", "arn:aws:s3:::ml-training-data/*"],
 "Condition": {"StringEquals": {"aws:PrincipalTag/role": "ml-training"}}}"#,
        );
        assert_eq!(statement.resource_arns().count(), 2);
        assert_eq!(statement.action.as_slice().len(), 2);
    }

    #[test]
    fn model_version() {
        let version: ModelVersionDocument = round_trip(
            r#"{"modelId": "reco-v3", "dataSnapshot": "s3://datasets/reco/2025-10-01/",
 "metrics": {"precision": 0.82, "recall": 0.77}, "approvedBy": "business-owner", "registryStatus": "Approved"}"#,
        );
        assert_eq!(version.approved_by.as_deref(), Some("business-owner"));
    }

    #[test]
    fn alert_rule() {
        let rule: AlertRule = round_trip(
            r#"{"metric": "model_accuracy", "threshold": 0.75, "action": "trigger_retraining_pipeline"}"#,
        );
        assert_eq!(rule.direction(), Direction::Below);
        let drift: AlertRule =
            serde_json::from_str(r#"{"metric":"psi","threshold":0.2,"action":"notify"}"#).unwrap();
        assert_eq!(drift.direction(), Direction::Above);
    }

    #[test]
    fn control_rule() {
        let rule: ControlRule = round_trip(
            r#"{"rule": "S3EncryptionEnabled", "scope": "ml-data-buckets", "remediation": "enable_kms_encryption"}"#,
        );
        assert_eq!(rule.scope, "ml-data-buckets");
    }

    #[test]
    fn unknown_keys_are_refused() {
        assert!(
            serde_json::from_str::<AlertRule>(r#"{"metric":"a","treshold":1,"action":"notify"}"#).is_err()
        );
    }
}
