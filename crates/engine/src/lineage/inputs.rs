//! Which snapshots an input of a run names. MLflow's clients give an input a name, and where it was read from; what
//! either says is a claim until the record shows the reading.

use facts::SnapshotName;
use mlflow::entity::DatasetInput;
use serde::Deserialize;
use std::collections::BTreeSet;

/// What MLflow keeps of a source that is an address (`S3DatasetSource.to_dict`).
#[derive(Deserialize)]
struct Source {
    uri: String,
}

/// The snapshots that an input calls by its name or by its source. A bare word is no snapshot: clients that give no name
/// send `dataset`.
pub(crate) fn named_snapshots(input: &DatasetInput) -> BTreeSet<SnapshotName> {
    let source = serde_json::from_str::<Source>(&input.dataset.source).map(|source| source.uri);
    let called = [Some(input.dataset.name.as_str()), source.as_deref().ok()];
    let names = called.into_iter().flatten().filter_map(|text| SnapshotName::called(text).ok());
    names.filter(|name| name.as_str().contains('/')).collect()
}

/// How the record names an input: as the one snapshot that it calls, else in its own words.
pub(crate) fn said_name(input: &DatasetInput) -> String {
    let named = named_snapshots(input);
    match named.first() {
        Some(one) if named.len() == 1 => one.to_string(),
        _ => input.dataset.name.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mlflow::entity::Dataset;

    fn named(name: &str, source: &str) -> (String, String) {
        let dataset = Dataset {
            name: name.to_owned(),
            digest: "d".to_owned(),
            source_type: "s3".to_owned(),
            source: source.to_owned(),
            schema: None,
            profile: None,
        };
        let input = DatasetInput { tags: Vec::new(), dataset };
        let names: Vec<String> = named_snapshots(&input).iter().map(ToString::to_string).collect();
        (names.join(" "), said_name(&input))
    }

    #[test]
    fn an_input_names_a_snapshot_by_its_name_or_its_source() {
        const ADDRESS: &str = r#"{"uri": "s3://datasets/reco/2025-10-01/"}"#;
        let one = ("reco/2025-10-01".to_owned(), "reco/2025-10-01".to_owned());
        assert_eq!(named("reco/2025-10-01", "code"), one);
        assert_eq!(named("s3://datasets/reco/2025-10-01", "code"), one);
        assert_eq!(named("dataset", ADDRESS), one);
        assert_eq!(named("reco/2025-10-01", ADDRESS), one);
        let nothing = |said: &str| (String::new(), said.to_owned());
        assert_eq!(named("dataset", r#"{"uri": "s3://bank-lake/reco/2025-10-01/"}"#), nothing("dataset"));
        assert_eq!(named("s3://datasets/reco/", "{}"), nothing("s3://datasets/reco/"));
    }

    #[test]
    fn what_names_two_keeps_its_own_words() {
        let (names, said) = named("reco/2025-09-01", r#"{"uri": "s3://datasets/reco/2025-10-01/"}"#);
        assert_eq!((names.as_str(), said.as_str()), ("reco/2025-09-01 reco/2025-10-01", "reco/2025-09-01"));
    }
}
