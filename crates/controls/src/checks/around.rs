//! What stands around models: guardrails, agents, and the policies of network endpoints.

use super::keys::statement_by_statement;
use crate::answer::{Answer, all, any, below, find};
use crate::policies::{Document, everything, policy};
use crate::resource::State;
use crate::unit::{Case, Unit, part, unit};

pub(crate) const UNITS: &[Unit] = &[
    unit!(
        "BR-03",
        High,
        Cross,
        "every agent has a guardrail, or the account enforces one",
        ["AWS::Bedrock::Agent"],
        ["CKV_AWS_383", "bedrock_agent_guardrail_enabled"],
        guarded
    ),
    unit!(
        "BR-04",
        High,
        Single,
        "a guardrail stops prompt attacks, guards personal data and checks the grounds of answers",
        ["AWS::Bedrock::Guardrail"],
        [],
        |case| all([
            attacks(case),
            personal_data(case),
            find(case.resource, "ContextualGroundingPolicyConfig.FiltersConfig").present()
        ])
    ),
    part!(
        "BR-04",
        "attacks",
        High,
        "a guardrail stops prompt attacks",
        ["AWS::Bedrock::Guardrail"],
        ["bedrock_guardrail_prompt_attack_filter_enabled"],
        attacks
    ),
    part!(
        "BR-04",
        "personal",
        High,
        "a guardrail guards personal data",
        ["AWS::Bedrock::Guardrail"],
        ["bedrock_guardrail_sensitive_information_filter_enabled"],
        personal_data
    ),
    part!(
        "BR-04",
        "grounding",
        Medium,
        "a guardrail checks the grounds of answers",
        ["AWS::Bedrock::Guardrail"],
        ["bedrock_guardrail_contextual_grounding_enabled"],
        |case| { find(case.resource, "ContextualGroundingPolicyConfig.FiltersConfig").present() }
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
];

fn guarded(case: &Case<'_>) -> Answer {
    let enforced = case
        .estate
        .of_kind("AWS::Bedrock::EnforcedGuardrailConfiguration")
        .map(|all| find(all, "GuardrailIdentifier").present().if_exists(all, case.resource));
    match any(enforced) {
        Some(enforced) if enforced.is_holds() => enforced,
        _ => all(["GuardrailIdentifier", "GuardrailVersion"]
            .map(|name| find(case.resource, &format!("GuardrailConfiguration.{name}")).present())),
    }
}

fn attacks(case: &Case<'_>) -> Answer {
    let filters = find(case.resource, "ContentPolicyConfig.FiltersConfig");
    if let Some(missing) = filters.missing() {
        return filters.spot.unknown(missing);
    }
    let of_attacks = filters.items().into_iter().filter_map(|(spot, item)| {
        let sort = below(&spot, item, "Type").word(&["PROMPT_ATTACK"], None);
        (!sort.is_broken()).then(|| {
            all([
                sort,
                below(&spot, item, "InputStrength").word(&["HIGH"], None),
                below(&spot, item, "InputAction").word(&["BLOCK"], Some("BLOCK")),
                below(&spot, item, "InputEnabled").flag(true, true),
            ])
        })
    });
    any(of_attacks).unwrap_or_else(|| filters.spot.broken("there is no filter of the type `PROMPT_ATTACK`"))
}

fn personal_data(case: &Case<'_>) -> Answer {
    find(case.resource, "SensitiveInformationPolicyConfig.PiiEntitiesConfig").present()
}

fn endpoint_policy(case: &Case<'_>) -> Answer {
    let found = find(case.resource, "PolicyDocument");
    let node = match &found.state {
        State::Absent => return found.spot.broken("`PolicyDocument` is absent, which means full access"),
        State::Unknown(cause) => return found.spot.clone().unknown(cause.clone()),
        State::Known(node) => *node,
    };
    let document = Document { spot: found.spot, policy: policy(case, node) };
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
