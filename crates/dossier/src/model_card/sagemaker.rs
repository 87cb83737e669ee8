//! The card as Amazon SageMaker's model card content (schema of `CreateModelCard`).

use super::{Fact, ModelCard};
use serde_json::{Value, json};

/// The JSON content. What SageMaker has no field for goes into `additional_information.custom_details`.
pub fn to_sagemaker_json(card: &ModelCard) -> Vec<u8> {
    let metric = |(name, value): &(String, f64)| json!({ "name": name, "type": "number", "value": value });
    let list = |facts: &[Fact], prefix: &str| -> Vec<Value> {
        let chosen =
            facts.iter().filter_map(|fact| Some((fact.name.strip_prefix(prefix)?, fact.value.as_ref()?)));
        chosen.map(|(name, value)| json!({ "name": name, "value": value })).collect()
    };
    let datasets: Vec<&String> = card
        .data
        .iter()
        .filter(|fact| fact.name.starts_with("snapshot"))
        .filter_map(|fact| fact.value.as_ref())
        .collect();
    let mut details = serde_json::Map::new();
    for fact in card.data.iter().chain(&card.training).chain(&card.approvals).chain(&card.retention) {
        if let (Some(value), Some(evidence)) = (&fact.value, &fact.evidence) {
            details.insert(fact.name.clone(), json!(format!("{value} ({evidence})")));
        }
    }
    let verdicts: Vec<String> =
        card.validation.iter().map(|judged| format!("{}: {}", judged.criterion, judged.verdict)).collect();
    let content = json!({
        "model_overview": { "model_name": card.model, "model_version": card.version, "model_description": card.purpose, "model_owner": card.owner },
        "intended_uses": { "purpose_of_model": card.purpose, "intended_uses": card.purpose, "risk_rating": rating(&card.risk_tier) },
        "training_details": { "training_job_details": { "training_datasets": datasets, "user_provided_hyper_parameters": list(&card.training, "parameter ") } },
        "evaluation_details": [{
            "name": "held-back rows",
            "evaluation_observation": verdicts.join("; "),
            "metric_groups": [{ "name": "measured", "metric_data": card.metrics.iter().map(metric).collect::<Vec<_>>() }],
        }],
        "additional_information": { "custom_details": details },
    });
    format!("{content:#}\n").into_bytes()
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
