//! Roles, policies and access keys of IAM.

use super::keys::{IDENTITIES, of_documents, statement_by_statement};
use crate::answer::{Answer, Spot, all, find, not_applicable};
use crate::policies::{acts, allows, conditioned, covers, documents, everything, policy};
use crate::resource::{Resource, State};
use crate::unit::{Case, Unit, part, unit};
use iam::{Policy, Statement, WhoSort};
use std::rc::Rc;

const ROLE: &str = "AWS::IAM::Role";
/// Services that run models and set the keys against confused deputies.
pub(crate) const SERVICES: [&str; 3] =
    ["sagemaker.amazonaws.com", "bedrock.amazonaws.com", "bedrock-agentcore.amazonaws.com"];
const WIDE: [&str; 4] = ["s3", "kms", "sagemaker", "bedrock"];
/// Policies of AWS that give a whole service away.
const WIDE_POLICIES: [&str; 6] = [
    "AdministratorAccess",
    "PowerUserAccess",
    "AmazonS3FullAccess",
    "AmazonSageMakerFullAccess",
    "AmazonBedrockFullAccess",
    "IAMFullAccess",
];

pub(crate) const UNITS: &[Unit] = &[
    unit!(
        "IAM-01",
        High,
        Single,
        "no policy allows every action on every resource",
        IDENTITIES,
        [
            "IAM.1",
            "IAM_POLICY_NO_STATEMENTS_WITH_ADMIN_ACCESS",
            "CKV_AWS_62",
            "iam_customer_attached_policy_no_administrative_privileges"
        ],
        |case| {
            of_documents(
                case,
                |statement| {
                    let every =
                        statement.action.items.iter().any(|item| item.text == "*" || item.text == "*:*");
                    (every && !statement.action.negated && everything(statement, ""))
                        .then(|| "it allows every action on every resource".to_owned())
                },
                "no statement allows everything",
            )
        }
    ),
    part!(
        "IAM-01",
        "action",
        High,
        "no policy allows every action",
        IDENTITIES,
        ["CKV_AWS_63", "F3", "F4", "F5"],
        |case| {
            of_documents(
                case,
                |statement| {
                    let every =
                        statement.action.items.iter().any(|item| item.text == "*" || item.text == "*:*");
                    (every && !statement.action.negated).then(|| "it allows every action".to_owned())
                },
                "no statement allows every action",
            )
        }
    ),
    part!(
        "IAM-01",
        "service",
        Medium,
        "no policy allows every action of a service",
        IDENTITIES,
        [
            "IAM.21",
            "IAM_POLICY_NO_STATEMENTS_WITH_FULL_ACCESS",
            "IAM_MANAGEDPOLICY_NO_STATEMENTS_WITH_FULL_ACCESS"
        ],
        |case| {
            of_documents(
                case,
                |statement| {
                    let items = statement.action.items.iter();
                    let found = items
                        .filter(|_| !statement.action.negated)
                        .find(|item| item.text == "*" || item.text.ends_with(":*"));
                    found.map(|item| format!("it allows `{}`", item.text))
                },
                "no statement allows every action of a service",
            )
        }
    ),
    unit!(
        "IAM-02",
        High,
        Cross,
        "an execution role of a model has no wildcard over S3, KMS, SageMaker or Bedrock",
        [ROLE],
        ["CKV2_AWS_68"],
        no_wildcards
    ),
    unit!(
        "IAM-03",
        High,
        Single,
        "a role for an AI service is pinned to its account or source",
        [ROLE],
        ["iam_role_cross_service_confused_deputy_prevention"],
        pinned
    ),
    part!(
        "IAM-03",
        "anybody",
        Critical,
        "nobody from anywhere may take a role",
        [ROLE],
        ["CKV_AWS_60", "IAM_ROLE_NO_FULL_ACCESS_ON_TRUST_POLICY"],
        |case| {
            let spot = find(case.resource, "AssumeRolePolicyDocument").spot;
            match trust(case, case.resource) {
                Err(missing) => spot.unknown(missing),
                Ok(policy) if allows(&policy).any(is_for_everybody) => {
                    spot.broken("everybody may take the role")
                }
                Ok(_) => spot.holds("the policy names who may take the role"),
            }
        }
    ),
    part!(
        "IAM-03",
        "account",
        Medium,
        "a role is for roles or services, not for a whole account",
        [ROLE],
        ["CKV_AWS_61"],
        |case| {
            let spot = find(case.resource, "AssumeRolePolicyDocument").spot;
            let whole = |text: &str| {
                text.ends_with(":root") || (text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()))
            };
            let named = |statement: &Statement| {
                let mut all = statement.principal.iter().flat_map(|principal| principal.items.iter());
                all.any(|who| who.sort == WhoSort::Aws && whole(&who.value.text))
            };
            match trust(case, case.resource) {
                Err(missing) => spot.unknown(missing),
                Ok(policy) if allows(&policy).any(named) => spot
                    .broken("everybody of an account may take the role, if a policy of that account says so"),
                Ok(_) => spot.holds("no whole account may take the role"),
            }
        }
    ),
    unit!(
        "IAM-04",
        High,
        Single,
        "iam:PassRole is limited to roles and to services",
        IDENTITIES,
        [],
        |case| {
            of_documents(
                case,
                |statement| {
                    if !acts(statement, "iam:PassRole") {
                        return None;
                    }
                    if everything(statement, "role/") {
                        return Some("it passes every role".to_owned());
                    }
                    let to_service =
                        conditioned(statement, &["iam:passedtoservice", "iam:associatedresourcearn"]);
                    (!to_service).then(|| {
                        "it passes roles to every service; a condition on `iam:PassedToService` is wanted"
                            .to_owned()
                    })
                },
                "no statement passes roles without a limit",
            )
        }
    ),
    part!(
        "IAM-04",
        "any",
        High,
        "no policy passes every role",
        IDENTITIES,
        [
            "IAM_POLICY_NO_WILDCARD_RESOURCE_ON_PASSROLE",
            "IAM_ROLE_NO_WILDCARD_RESOURCE_ON_PASSROLE",
            "F38",
            "F39",
            "F40"
        ],
        |case| {
            of_documents(
                case,
                |statement| {
                    let named = statement
                        .action
                        .items
                        .iter()
                        .any(|item| acts(statement, "iam:PassRole") && item.text.len() > 1);
                    (named && everything(statement, "role/") && statement.conditions.is_empty())
                        .then(|| "it passes every role".to_owned())
                },
                "no statement passes every role",
            )
        }
    ),
    unit!("IAM-06", High, Cross, "every model has an execution role of its own", [ROLE], [], own_role),
    unit!("IAM-09", High, Single, "there is no long-term access key", ["AWS::IAM::AccessKey"], [], |case| {
        find(case.resource, "Status").word(&["Inactive"], Some("Active"))
    }),
];

pub(super) fn trust(case: &Case<'_>, role: &Resource) -> Result<Rc<Policy>, String> {
    match role.property(&["AssumeRolePolicyDocument"]) {
        State::Known(node) => policy(case, node),
        State::Unknown(cause) => Err(cause),
        State::Absent => Err("the role has no `AssumeRolePolicyDocument`".to_owned()),
    }
}

fn is_for_everybody(statement: &Statement) -> bool {
    statement.principal.as_ref().is_some_and(|p| p.negated || p.items.iter().any(iam::Who::is_everyone))
}

fn services(statement: &Statement) -> impl Iterator<Item = &str> {
    let items = statement.principal.iter().flat_map(|principal| principal.items.iter());
    items.filter(|who| who.sort == WhoSort::Service).map(|who| who.value.text.as_str())
}

pub(super) fn is_for_models(policy: &Policy) -> bool {
    allows(policy).any(|statement| services(statement).any(|service| SERVICES.contains(&service)))
}

fn is_wide(statement: &Statement) -> Option<String> {
    let item = statement.action.items.iter().find(|item| {
        let text = item.text.to_lowercase();
        text == "*"
            || WIDE.iter().any(|service| {
                text == format!("{service}:*")
                    || (text.contains(['*', '?']) && covers(&text, &format!("{service}:anything")))
            })
    });
    if statement.action.negated {
        return Some("it allows everything but a few actions".to_owned());
    }
    item.map(|item| format!("it allows `{}`", item.text))
}

fn no_wildcards(case: &Case<'_>) -> Answer {
    let role = case.resource;
    let used = [
        "AWS::SageMaker::Model",
        "AWS::SageMaker::NotebookInstance",
        "AWS::SageMaker::ProcessingJob",
        "AWS::SageMaker::Pipeline",
        "AWS::Bedrock::Agent",
    ]
    .iter()
    .any(|kind| case.estate.referring(role, kind).next().is_some());
    match trust(case, role) {
        Ok(policy) if !used && !is_for_models(&policy) => {
            return not_applicable("no AI service may take this role");
        }
        Err(missing) if !used => return find(role, "AssumeRolePolicyDocument").spot.unknown(missing),
        _ => {}
    }
    let right = "no statement has a wildcard over S3, KMS, SageMaker or Bedrock";
    let mut answers: Vec<Answer> =
        documents(case, role).into_iter().map(|d| statement_by_statement(d, &is_wide, right)).collect();
    for kind in ["AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"] {
        for other in case.estate.of_kind(kind) {
            let attached = attaches(case, other);
            let open = other.properties.get("Roles").and_then(crate::node::Node::any_hole);
            if !attached && open.is_none() {
                continue;
            }
            for document in documents(case, other) {
                let answer = statement_by_statement(document, &is_wide, right).if_exists(other, role);
                match open {
                    Some(hole) if !attached && !answer.is_holds() => {
                        let said = format!("whether `{}` is attached: {}", other.id, hole.cause);
                        answers.push(find(other, "Roles").spot.unknown(said));
                    }
                    _ if attached => answers.push(answer),
                    _ => {}
                }
            }
        }
    }
    let managed = find(role, "ManagedPolicyArns");
    if let Some(missing) = managed.missing() {
        answers.push(managed.spot.clone().unknown(missing));
    }
    answers.extend(managed.items().into_iter().filter_map(|(spot, item)| attached_by_arn(case, spot, item)));
    if answers.is_empty() {
        return Spot::of(role).holds("no policy gives the role anything");
    }
    all(answers)
}

/// Whether a policy resource names the role, on either side.
fn attaches(case: &Case<'_>, other: &Resource) -> bool {
    let from_policy = other
        .properties
        .get("Roles")
        .is_some_and(|roles| roles.items().iter().any(|item| case.estate.refers(item, case.resource)));
    let from_role = case
        .resource
        .properties
        .get("ManagedPolicyArns")
        .is_some_and(|arns| arns.items().iter().any(|item| case.estate.refers(item, other)));
    from_policy || from_role
}

fn attached_by_arn(case: &Case<'_>, spot: Spot<'_>, item: &crate::node::Node) -> Option<Answer> {
    if case.estate.target(item, "AWS::IAM::ManagedPolicy").is_some() {
        return None;
    }
    let shown = item.shown();
    let name = shown.rsplit('/').next().unwrap_or_default().to_owned();
    if WIDE_POLICIES.contains(&name.as_str()) {
        return Some(spot.broken(format!("the role has `{name}`, which gives whole services away")));
    }
    let managed_by_aws = shown.contains(":iam::aws:policy/");
    let what = if managed_by_aws { "what AWS's policy" } else { "what the policy" };
    Some(spot.unknown(format!("{what} `{shown}` allows is not among what was read")))
}

fn pinned(case: &Case<'_>) -> Answer {
    let spot = find(case.resource, "AssumeRolePolicyDocument").spot;
    let policy = match trust(case, case.resource) {
        Ok(policy) => policy,
        Err(missing) => return spot.unknown(missing),
    };
    if !is_for_models(&policy) {
        return not_applicable("no AI service may take this role");
    }
    let keys = ["aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths"];
    let open = allows(&policy).find(|statement| {
        services(statement).any(|service| SERVICES.contains(&service)) && !conditioned(statement, &keys)
    });
    match open.and_then(|statement| services(statement).find(|service| SERVICES.contains(service))) {
        Some(service) => spot.broken(format!("`{service}` may take the role for anybody; a condition on `aws:SourceAccount` or `aws:SourceArn` is wanted")),
        None => spot.holds("every AI service is pinned by `aws:SourceAccount` or `aws:SourceArn`"),
    }
}

fn own_role(case: &Case<'_>) -> Answer {
    let mut models = Vec::new();
    for model in case.estate.of_kind("AWS::SageMaker::Model") {
        let found = find(model, "ExecutionRoleArn");
        match &found.state {
            State::Known(node) if case.estate.refers(node, case.resource) => models.push(found.spot),
            _ => {}
        }
    }
    match models.as_slice() {
        [] => not_applicable("no model runs under this role"),
        [only] => {
            let holes = case
                .estate
                .of_kind("AWS::SageMaker::Model")
                .find_map(|model| find(model, "ExecutionRoleArn").missing().map(|why| (model, why)));
            match holes {
                Some((model, why)) => find(model, "ExecutionRoleArn")
                    .spot
                    .unknown(format!("whether `{}` runs under this role too: {why}", model.id)),
                None => only.clone().holds(format!("only `{}` runs under this role", only.resource.id)),
            }
        }
        [first, second, ..] => second
            .clone()
            .broken(format!("`{}` and `{}` run under the same role", first.resource.id, second.resource.id)),
    }
}
