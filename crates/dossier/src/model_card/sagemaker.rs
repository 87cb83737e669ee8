//! The card as Amazon SageMaker's model card content: as a card of its own (schema of `CreateModelCard`), and as the one in a
//! model package, whose schema knows less of the model.
//!
//! Source: Amazon SageMaker Developer Guide, "Model card JSON schema" and "Model package model card schema".

use super::{Fact, ModelCard};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The longest text about uses.
const USES: usize = 2048;
/// The longest observation of an evaluation.
const OBSERVATION: usize = 2096;
/// The longest custom detail, data set or overview.
const DETAIL: usize = 1024;
/// The longest name of a figure, and name or value of a parameter.
const NAME: usize = 255;
/// The most data sets of a training.
const DATASETS: usize = 15;
/// The most parameters of a training.
const PARAMETERS: usize = 100;
/// So many figures are shown.
const FIGURES: usize = 200;
/// The longest content of a card.
const CONTENT: usize = 100_000;

/// A text within a limit of characters. What is left out is said, with where the whole is.
pub fn fitted(text: &str, most: usize, whole: &str) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let end = format!(" ... shortened - the whole is in {whole}");
    let room = most.saturating_sub(end.chars().count());
    text.chars().take(room).chain(end.chars()).take(most).collect()
}

/// The JSON content. What SageMaker has no field for goes into `additional_information.custom_details`.
pub fn to_sagemaker_json(card: &ModelCard) -> Vec<u8> {
    let overview = json!({
        "model_name": fitted(&card.model, DETAIL, &whole(card)), "model_version": card.version,
        "model_description": fitted(&card.purpose, DETAIL, &whole(card)), "model_owner": fitted(&card.owner, DETAIL, &whole(card)),
    });
    format!("{:#}\n", content(card, &overview, true)).into_bytes()
}

/// The content of the card of a model package, on one line. If all is more than SageMaker takes, details are left out, and
/// the card says so.
pub fn to_package_json(card: &ModelCard) -> String {
    let artefact =
        card.training.iter().find(|fact| fact.name == "artefact").and_then(|fact| fact.value.as_ref());
    let overview = json!({
        "model_creator": fitted(&format!("{}, {}", card.owner, card.organisation), DETAIL, &whole(card)),
        "model_artifact": artefact.map(|text| fitted(text, DETAIL, &whole(card))).into_iter().collect::<Vec<_>>(),
    });
    let all = content(card, &overview, true).to_string();
    if all.chars().count() <= CONTENT { all } else { content(card, &overview, false).to_string() }
}

/// Where everything is.
fn whole(card: &ModelCard) -> String {
    format!("`wardmote card {} --version {}`", card.model, card.version)
}

fn content(card: &ModelCard, overview: &Value, all: bool) -> Value {
    let whole = whole(card);
    let metric = |(name, value): &(String, f64)| json!({ "name": fitted(name, NAME, &whole), "type": "number", "value": value });
    let (mut details, parameters) = (details(card, &whole), parameters(card, &whole));
    let datasets: Vec<String> = card
        .data
        .iter()
        .filter(|fact| fact.name.starts_with("snapshot"))
        .filter_map(|fact| fact.value.as_ref())
        .map(|text| fitted(text, DETAIL, &whole))
        .collect();
    let left_out =
        datasets.len() > DATASETS || parameters.len() > PARAMETERS || card.metrics.len() > FIGURES || !all;
    if !all {
        details.clear();
    }
    if left_out {
        let text = format!(
            "not all figures, parameters, data sets and details have room here - the whole is in {whole}"
        );
        details.insert("left out".to_owned(), json!(text));
    }
    let parameters: Vec<Value> = parameters.into_iter().take(if all { PARAMETERS } else { 0 }).collect();
    let verdicts: Vec<String> =
        card.validation.iter().map(|judged| format!("{}: {}", judged.criterion, judged.verdict)).collect();
    let mut groups = Vec::new();
    if !card.metrics.is_empty() {
        groups.push(
            json!({ "name": "measured", "metric_data": card.metrics.iter().take(FIGURES).map(metric).collect::<Vec<_>>() }),
        );
    }
    let purpose = fitted(&card.purpose, USES, &whole);
    json!({
        "model_overview": overview,
        "intended_uses": { "purpose_of_model": purpose, "intended_uses": purpose, "risk_rating": rating(&card.risk_tier) },
        "training_details": { "training_job_details": {
            "training_datasets": datasets.into_iter().take(DATASETS).collect::<Vec<_>>(),
            "user_provided_hyper_parameters": parameters,
        } },
        "evaluation_details": [{
            "name": "held-back rows",
            "evaluation_observation": fitted(&verdicts.join("; "), OBSERVATION, &whole),
            "metric_groups": groups,
        }],
        "additional_information": { "custom_details": details },
    })
}

/// Facts with their evidence; what has the same name is numbered.
fn details(card: &ModelCard, whole: &str) -> Map<String, Value> {
    let (mut details, mut same) = (Map::new(), BTreeMap::new());
    let facts = card.data.iter().chain(&card.training).chain(&card.approvals).chain(&card.retention);
    for fact in facts.filter(|fact| !fact.name.starts_with(PARAMETER)) {
        if let (Some(value), Some(evidence)) = (&fact.value, &fact.evidence) {
            let count = same.entry(&fact.name).or_insert(0);
            *count += 1;
            let name = if *count == 1 { fact.name.clone() } else { format!("{} {count}", fact.name) };
            let end = format!(" ({evidence})");
            let text = fitted(value, DETAIL - end.len(), whole) + &end;
            details.insert(name, json!(text));
        }
    }
    details
}

const PARAMETER: &str = "parameter ";

fn parameters(card: &ModelCard, whole: &str) -> Vec<Value> {
    let pair = |fact: &Fact| {
        let (name, value) = (fact.name.strip_prefix(PARAMETER)?, fact.value.as_ref()?);
        // SageMaker knows no empty values.
        let value = if value.is_empty() { "(empty)" } else { value };
        Some(json!({ "name": fitted(name, NAME, whole), "value": fitted(value, NAME, whole) }))
    };
    card.training.iter().filter_map(pair).collect()
}

/// SageMaker's words for risk.
fn rating(tier: &str) -> &'static str {
    match tier.to_lowercase().as_str() {
        "high" => "High",
        "limited" => "Medium",
        "minimal" => "Low",
        _ => "Unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(parameters: usize, length: usize) -> ModelCard {
        let evidence = "e1-0123456789ab".parse().ok();
        let fact =
            |number: usize| Fact::new(format!("parameter p{number}"), "v".repeat(length), evidence.as_ref());
        let involved = |number: usize| {
            Fact::new("involved", format!("person {number} {}", "x".repeat(length)), evidence.as_ref())
        };
        ModelCard {
            model: "credit".to_owned(),
            version: 3,
            status: "approved".to_owned(),
            purpose: "p".repeat(length),
            risk_tier: "High".to_owned(),
            owner: "team".to_owned(),
            organisation: "bank".to_owned(),
            made: String::new(),
            data: Vec::new(),
            training: (0..parameters).map(fact).chain((0..parameters).map(involved)).collect(),
            validation: Vec::new(),
            validated: None,
            metrics: vec![("auc".to_owned(), 0.75)],
            approvals: Vec::new(),
            accuracy: Vec::new(),
            accuracy_threshold: None,
            timeline: Vec::new(),
            retention: Vec::new(),
            verify: Vec::new(),
        }
    }

    #[test]
    fn what_is_too_long_says_so_and_where_the_whole_is() {
        assert_eq!(fitted("short", 5, "x"), "short");
        let cut = fitted(&"\u{fc}".repeat(2000), 100, "the log");
        assert_eq!(cut.chars().count(), 100);
        assert!(cut.ends_with("shortened - the whole is in the log"), "{cut}");
        let texts = to_package_json(&card(3, 5000));
        let content: Value = serde_json::from_str(&texts).unwrap();
        let purpose = content["intended_uses"]["purpose_of_model"].as_str().unwrap();
        assert!(purpose.chars().count() == USES && purpose.ends_with("`wardmote card credit --version 3`"));
        assert!(content["additional_information"]["custom_details"]["involved 3"].is_string());
    }

    #[test]
    fn a_card_is_never_larger_than_sagemaker_takes() {
        for (parameters, length) in [(0, 0), (99, 10), (101, 10), (400, 1000), (1000, 1000)] {
            let text = to_package_json(&card(parameters, length));
            assert!(text.chars().count() <= CONTENT && !text.contains('\n'), "{parameters} {length}");
            assert_eq!(text.contains("left out"), parameters > 100, "{parameters} {length}");
        }
    }
}
