//! One name type per kind of thing, so that a role cannot be passed where a person is meant.

/// Declares a name type: the letters it may hold, and how to say so.
macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $what:literal, $check:path, $expected:expr, $pattern:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(String);

        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "pattern": $pattern, "description": $what })
            }
        }

        impl $type {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::ParseError;
            fn from_str(text: &str) -> Result<Self, $crate::ParseError> {
                if $check(text) { Ok(Self(text.to_owned())) } else { Err($crate::ParseError::new($what, text, $expected)) }
            }
        }

        impl TryFrom<String> for $type {
            type Error = $crate::ParseError;
            fn try_from(text: String) -> Result<Self, $crate::ParseError> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> String {
                name.0
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}
pub(crate) use name;

/// SageMaker's rule for names of models and endpoints, in lower case: 1 to 63 letters, digits and inner hyphens.
pub(crate) fn is_slug(text: &str) -> bool {
    let bytes = text.as_bytes();
    let plain = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    (1..=63).contains(&bytes.len())
        && bytes.iter().all(|b| plain(b) || *b == b'-')
        && bytes.first().is_some_and(plain)
        && bytes.last().is_some_and(plain)
}

/// Columns and metrics: what a CSV header or an MLflow metric key holds in practice.
fn is_word(text: &str) -> bool {
    (1..=250).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b' ' | b'/'))
        && !text.starts_with(' ')
        && !text.ends_with(' ')
}

/// Streams and snapshots: slugs joined by single slashes.
fn is_path(text: &str) -> bool {
    text.len() <= 200 && text.split('/').all(is_slug)
}

pub(crate) const SLUG: &str = "1 to 63 lower-case letters, digits and hyphens, not at the ends";
const WORD: &str = "1 to 250 letters, digits, spaces and any of `_-./`";
const PATH: &str = "lower-case names joined by `/`";

name!(/// A person or a service that acts: `bruno`, `credit-app`.
    PersonId, "person or service id", is_slug, SLUG, r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$");
name!(/// A team of people: `team-ml`.
    TeamId, "team id", is_slug, SLUG, r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$");
name!(/// A role: `business-owner`.
    RoleId, "role id", is_slug, SLUG, r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$");
name!(/// A data set, of which there are many snapshots: `credit-raw`.
    DatasetId, "data set id", is_slug, SLUG, r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$");
name!(/// A key in the key service: `credit-data`.
    KeyId, "key id", is_slug, SLUG, r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$");
name!(/// A gate of a charter that a program decides: `robustness`.
    GateId, "gate id", is_slug, SLUG, r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$");
name!(/// A kind of document about a version: `model-card`, `impact-assessment`.
    DocumentKind, "kind of document", is_slug, SLUG, r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$");
name!(/// A registered model (SageMaker: model package group): `credit-scoring`.
    ModelName, "model name", is_slug, SLUG, r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$");
name!(/// An endpoint that serves a model: `credit-scoring`.
    EndpointName, "endpoint name", is_slug, SLUG, r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$");
name!(/// A column of a table, as the header has it.
    ColumnName, "column name", is_word, WORD, r"^[A-Za-z0-9_./-]([A-Za-z0-9_./ -]{0,248}[A-Za-z0-9_./-])?$");
name!(/// The key of a metric: `accuracy`, `model_accuracy`.
    MetricName, "metric name", is_word, WORD, r"^[A-Za-z0-9_./-]([A-Za-z0-9_./ -]{0,248}[A-Za-z0-9_./-])?$");
name!(/// One snapshot of a data set: `credit-raw/2025-10-01`.
    SnapshotName, "snapshot name", is_path, PATH, r"^[a-z0-9][a-z0-9/-]{0,198}$");
name!(/// A stream of ledger entries that belong together: `model/credit-scoring`.
    StreamName, "stream name", is_path, PATH, r"^[a-z0-9][a-z0-9/-]{0,198}$");

/// What addresses of snapshots begin with. It names no bucket of AWS: wherever a house keeps its objects, they are those
/// of its record.
const DATASETS: &str = "s3://datasets/";

impl SnapshotName {
    /// Reads what people and programs call a snapshot: its name (`reco/2025-10-01`) or its address
    /// (`s3://datasets/reco/2025-10-01/`, with or without the last slash). Both are the same snapshot, on a laptop and on AWS.
    ///
    /// # Errors
    /// If the text is neither; of an address, what is missing or too much in it.
    pub fn called(text: &str) -> Result<Self, crate::ParseError> {
        if !text.contains("://") {
            return text.parse();
        }
        let wrong = |expected: &str| crate::ParseError::new("address of a snapshot", text, expected);
        const ADDRESS: &str = "`s3://datasets/NAME/SNAPSHOT/`";
        let Some(path) = text.strip_prefix(DATASETS) else {
            return Err(wrong(&format!(
                "{ADDRESS}; a house has its snapshots under `datasets`, whichever bucket keeps their objects"
            )));
        };
        let path = path.strip_suffix('/').unwrap_or(path);
        match path.split_once('/') {
            Some(_) if is_path(path) => Ok(Self(path.to_owned())),
            Some(_) => Err(wrong(&format!("{ADDRESS}, of lower-case letters, digits and inner hyphens"))),
            None if is_slug(path) => {
                Err(wrong(&format!("`{DATASETS}{path}/SNAPSHOT/`, since a data set has many snapshots")))
            }
            None => Err(wrong(ADDRESS)),
        }
    }

    /// Where others find it: `s3://datasets/reco/2025-10-01/`.
    pub fn address(&self) -> String {
        format!("{DATASETS}{self}/")
    }
}

impl GateId {
    /// The gate at which a version is compared with the one that serves; no program of a charter has this name.
    pub fn incumbent() -> Self {
        Self("incumbent".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_has_letters_digits_and_inner_hyphens() {
        for good in ["a", "reco-v3", "team-ml", "0x", &"a".repeat(63)] {
            assert!(good.parse::<ModelName>().is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", "A", "a_b", "a b", "ä", "a/b", &"a".repeat(64)] {
            assert!(bad.parse::<ModelName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_message_names_the_text_and_the_rule() {
        let error = "Credit Scoring".parse::<ModelName>().unwrap_err();
        insta::assert_snapshot!(error, @"`Credit Scoring` is not a valid model name: expected 1 to 63 lower-case letters, digits and hyphens, not at the ends");
    }

    #[test]
    fn names_read_from_json_are_checked() {
        assert!(serde_json::from_str::<PersonId>("\"Bruno!\"").is_err());
        assert_eq!(serde_json::from_str::<PersonId>("\"bruno\"").unwrap().as_str(), "bruno");
    }

    #[test]
    fn a_path_is_slugs_joined_by_slashes() {
        assert!("credit-raw/2025-10-01".parse::<SnapshotName>().is_ok());
        for bad in ["", "/a", "a/", "a//b", "a/../b"] {
            assert!(bad.parse::<SnapshotName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_snapshot_is_called_by_its_name_or_its_address() {
        for text in ["reco/2025-10-01", "s3://datasets/reco/2025-10-01/", "s3://datasets/reco/2025-10-01"] {
            let name = SnapshotName::called(text).unwrap();
            assert_eq!(
                (name.as_str(), name.address().as_str()),
                ("reco/2025-10-01", "s3://datasets/reco/2025-10-01/")
            );
        }
        let said = |text: &str| SnapshotName::called(text).unwrap_err().to_string();
        let all = [
            "s3://bank-lake/reco/2025-10-01/",
            "s3://datasets",
            "s3://datasets/",
            "s3://datasets/reco/",
            "s3://datasets//2025-10-01/",
            "s3://datasets/reco/2025-10-01//",
            "s3://datasets/reco/2025-10-01/part-0.csv",
            "s3://datasets/reco/../other/",
            "s3://datasets/Reco/2025-10-01/",
            "S3://datasets/reco/2025-10-01/",
            "https://datasets/reco/2025-10-01/",
            "Reco",
        ];
        insta::assert_snapshot!(all.map(said).join("\n"));
        assert!(
            "s3://datasets/reco/2025-10-01/".parse::<SnapshotName>().is_err(),
            "the record has names alone"
        );
    }
}
