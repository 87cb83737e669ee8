//! The tag standard: `owner`, `dataClassification`, `modelStage`, `complianceScope`.

use crate::ParseError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

/// How much harm disclosure would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DataClassification {
    /// Anybody may see it.
    Public,
    /// Everybody in the organisation may see it.
    Internal,
    /// Only named roles may see it.
    Confidential,
    /// Personal or otherwise protected data; named roles, logged use.
    Restricted,
}

/// Where a model is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ModelStage {
    /// Being made.
    Development,
    /// Being tried.
    Staging,
    /// Serving.
    Production,
    /// Taken out of use.
    Retired,
}

impl fmt::Display for ModelStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Development => "development",
            Self::Staging => "staging",
            Self::Production => "production",
            Self::Retired => "retired",
        })
    }
}

/// The tags that every governed asset carries; further tags are kept as they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tags {
    /// The team that answers for the asset.
    pub owner: String,
    /// How much harm disclosure would do.
    pub data_classification: DataClassification,
    /// Where the model is in its life; absent on data and keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_stage: Option<ModelStage>,
    /// The rules it falls under: `gdpr`, `hipaa`, `none` ...
    pub compliance_scope: String,
    /// Any other tags.
    #[serde(flatten)]
    pub other: BTreeMap<String, String>,
}

/// Tags as AWS holds them: a flat map of at most 50 keys and values.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct TagSet(pub BTreeMap<String, String>);

impl TagSet {
    /// Reads the tag standard from a flat map; the error names the first tag that is missing or wrong.
    pub fn standard(&self) -> Result<Tags, ParseError> {
        for key in ["owner", "dataClassification", "complianceScope"] {
            if self.0.get(key).is_none_or(|value| value.trim().is_empty()) {
                return Err(ParseError::new(
                    "tag set",
                    format!("{key}="),
                    format!("a value for the tag `{key}`"),
                ));
            }
        }
        let map = self.0.iter().map(|(k, v)| (k.clone(), v.clone().into())).collect();
        serde_json::from_value(serde_json::Value::Object(map))
            .map_err(|error| ParseError::new("tag set", format!("{:?}", self.0), error.to_string()))
    }
}

impl From<&Tags> for TagSet {
    fn from(tags: &Tags) -> Self {
        let mut map = tags.other.clone();
        map.insert("owner".into(), tags.owner.clone());
        map.insert("dataClassification".into(), tags.data_classification.to_string());
        map.insert("complianceScope".into(), tags.compliance_scope.clone());
        if let Some(stage) = tags.model_stage {
            map.insert("modelStage".into(), stage.to_string());
        }
        Self(map)
    }
}

impl fmt::Display for DataClassification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => "public",
            Self::Internal => "internal",
            Self::Confidential => "confidential",
            Self::Restricted => "restricted",
        })
    }
}
