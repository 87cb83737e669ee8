//! What stands around models: guardrails, agents, network endpoints, logs, images.

use super::keys::statement_by_statement;
use crate::answer::{Answer, all, any, below, find};
use crate::policies::{Document, everything, policy};
use crate::resource::State;
use crate::unit::{Case, Unit, unit};
use std::sync::LazyLock;

/// For how many days logs are kept at least; with its source in the data file.
static LOG_DAYS: LazyLock<Option<u64>> = LazyLock::new(|| {
    let data: serde_json::Value = serde_json::from_str(include_str!("../../data/thresholds.json")).ok()?;
    data.get("log_retention_days")?.get("value")?.as_u64()
});

pub(crate) const UNITS: &[Unit] = &[
    unit!(
        "BR-03",
        High,
        Single,
        "every agent has a guardrail",
        ["AWS::Bedrock::Agent"],
        ["CKV_AWS_383"],
        |case| {
            all([
                find(case.resource, "GuardrailConfiguration.GuardrailIdentifier").present(),
                find(case.resource, "GuardrailConfiguration.GuardrailVersion").present(),
            ])
        }
    ),
    unit!(
        "BR-04",
        High,
        Single,
        "a guardrail stops prompt attacks, guards personal data and checks the grounds of answers",
        ["AWS::Bedrock::Guardrail"],
        ["bedrock_guardrail_prompt_attack_filter_enabled"],
        guardrail
    ),
    unit!(
        "NET-02",
        High,
        Single,
        "the policy of a VPC endpoint is not full access",
        ["AWS::EC2::VPCEndpoint"],
        [],
        endpoint_policy
    ),
    unit!(
        "LOG-04",
        Medium,
        Single,
        "a log group has a customer key and keeps its entries for six months",
        ["AWS::Logs::LogGroup"],
        ["CW_LOGGROUP_RETENTION_PERIOD_CHECK"],
        |case| { all([find(case.resource, "KmsKeyId").customer_key(), retention(case)]) }
    ),
    unit!(
        "CTR-05",
        Medium,
        Single,
        "a repository of images scans, fixes its tags, and has a customer key",
        ["AWS::ECR::Repository"],
        ["ECR.1", "ECR.2"],
        |case| {
            all([
                find(case.resource, "ImageScanningConfiguration.ScanOnPush").flag(true, false),
                find(case.resource, "ImageTagMutability").word(&["IMMUTABLE"], Some("MUTABLE")),
                find(case.resource, "EncryptionConfiguration.EncryptionType")
                    .word(&["KMS", "KMS_DSSE"], Some("AES256")),
                find(case.resource, "EncryptionConfiguration.KmsKey").customer_key(),
            ])
        }
    ),
];

fn guardrail(case: &Case<'_>) -> Answer {
    let filters = find(case.resource, "ContentPolicyConfig.FiltersConfig");
    let attack = match filters.missing() {
        Some(missing) => filters.spot.unknown(missing),
        None => {
            let of_attacks = filters.items().into_iter().filter_map(|(spot, item)| {
                let sort = below(&spot, item, "Type").word(&["PROMPT_ATTACK"], None);
                (!sort.is_broken())
                    .then(|| all([sort, below(&spot, item, "InputStrength").word(&["HIGH"], None)]))
            });
            any(of_attacks)
                .unwrap_or_else(|| filters.spot.broken("there is no filter of the type `PROMPT_ATTACK`"))
        }
    };
    all([
        attack,
        find(case.resource, "SensitiveInformationPolicyConfig.PiiEntitiesConfig").present(),
        find(case.resource, "ContextualGroundingPolicyConfig.FiltersConfig").present(),
    ])
}

fn endpoint_policy(case: &Case<'_>) -> Answer {
    let found = find(case.resource, "PolicyDocument");
    let node = match &found.state {
        State::Absent => return found.spot.broken("`PolicyDocument` is absent, which means full access"),
        State::Unknown(cause) => return found.spot.clone().unknown(cause.clone()),
        State::Known(node) => *node,
    };
    let document = Document { spot: found.spot, policy: policy(case.estate, node) };
    let full = |statement: &iam::Statement| {
        let anybody = statement
            .principal
            .as_ref()
            .is_none_or(|p| p.negated || p.items.iter().any(iam::Who::is_everyone));
        let every = statement.action.negated || statement.action.items.iter().any(|item| item.text == "*");
        (anybody && every && everything(statement, "") && statement.conditions.is_empty())
            .then(|| "it lets everybody do everything with everything".to_owned())
    };
    statement_by_statement(document, &full, "no statement is full access")
}

fn retention(case: &Case<'_>) -> Answer {
    let found = find(case.resource, "RetentionInDays");
    let Some(least) = *LOG_DAYS else { return found.spot.unknown("for how long logs are to be kept") };
    match &found.state {
        State::Absent => found.spot.holds("entries are kept for ever by default"),
        State::Unknown(cause) => found.spot.clone().unknown(cause.clone()),
        State::Known(node) => match node.text().and_then(|text| text.parse::<u64>().ok()) {
            Some(days) if days >= least => {
                found.spot.clone().holds(format!("entries are kept for {days} days"))
            }
            Some(days) => found
                .spot
                .clone()
                .broken(format!("entries are kept for {days} days; at least {least} are wanted")),
            None => found.spot.clone().unknown(crate::resource::cause(node)),
        },
    }
}
