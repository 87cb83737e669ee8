//! What identities may do with models and keys, taken together: escalation, duties that must be apart, guards on what
//! they create.

use super::decryption::declared;
use super::derived::{Unit as Period, fact, recent};
use super::identity::{is_for_models, trust};
use super::keys::{IDENTITIES, of_documents};
use crate::answer::{Answer, Spot, all, find, not_applicable};
use crate::node::Node;
use crate::policies::{acts, allows, document_texts, documents};
use crate::unit::{Case, Unit, part, unit};
use iam::{PolicyKind, Statement};

const ROLE: &str = "AWS::IAM::Role";
const KEY: &str = "AWS::KMS::Key";
/// What makes something of SageMaker that can be bound to a network or a key when it is made.
const CREATES: [&str; 5] = [
    "sagemaker:CreateTrainingJob",
    "sagemaker:CreateProcessingJob",
    "sagemaker:CreateModel",
    "sagemaker:CreateNotebookInstance",
    "sagemaker:CreateEndpointConfig",
];
const GUARDS: [&str; 7] = [
    "sagemaker:vpcsubnets",
    "sagemaker:vpcsecuritygroupids",
    "sagemaker:networkisolation",
    "sagemaker:volumekmskey",
    "sagemaker:outputkmskey",
    "sagemaker:directinternetaccess",
    "sagemaker:intercontainertrafficencryption",
];

pub(crate) const UNITS: &[Unit] = &[
    unit!(
        "KMS-02",
        Critical,
        Cross,
        "a key that is used is enabled, and is not to be deleted",
        [KEY],
        ["KMS.3", "kms_cmk_not_deleted_unintentionally"],
        in_use
    ),
    part!("KMS-02", "enabled", High, "a key is enabled", [KEY], ["CKV_AWS_227"], |case| {
        find(case.resource, "Enabled").flag(true, true)
    }),
    unit!("KMS-05", High, Cross, "who can decrypt is who was declared", [KEY], [], |case| {
        if !is_used(case) {
            return not_applicable("nothing uses the key");
        }
        declared(case)
    }),
    unit!("IAM-05", Medium, Cross, "rights over models are used", [ROLE], [], |case| match trust(
        case,
        case.resource
    ) {
        Err(missing) => find(case.resource, "AssumeRolePolicyDocument").spot.unknown(missing),
        Ok(policy) if is_for_models(&policy) => used_lately(case),
        Ok(_) => not_applicable("no AI service may take this role"),
    }),
    unit!(
        "IAM-07",
        High,
        Cross,
        "nobody can give himself more rights",
        IDENTITIES,
        [
            "iam_policy_allows_privilege_escalation",
            "iam_inline_policy_allows_privilege_escalation",
            "CKV_AWS_110",
            "CKV_AWS_286"
        ],
        escalates
    ),
    unit!(
        "IAM-08",
        Medium,
        Single,
        "who creates jobs and models is bound to networks and keys",
        IDENTITIES,
        [],
        |case| {
            of_documents(
                case,
                |statement| {
                    let creates = CREATES.iter().find(|action| acts(statement, action))?;
                    let guarded = crate::policies::conditioned(statement, &GUARDS);
                    (!guarded).then(|| {
                        format!("it allows `{creates}` without a condition on its network, its isolation or its keys")
                    })
                },
                "what creates is bound to networks or keys, or nothing creates",
            )
        }
    ),
    unit!("IAM-10", High, Cross, "who approves a model is not who registers it", IDENTITIES, [], apart),
];

/// Whether a role used its rights over models within the limit.
fn used_lately(case: &Case<'_>) -> Answer {
    let asked = ("iam:GenerateServiceLastAccessedDetails", "when the role last used its rights");
    let limit = ("unused_rights_days", Period::Days);
    let (spot, services) = match fact(case, case.resource, "ServicesLastAccessed", asked) {
        Ok((spot, Some(services))) => (spot, services),
        Ok((spot, None)) => return spot.unknown(asked.1),
        Err(answer) => return answer,
    };
    if services.items().is_empty() {
        return not_applicable("no policy gives the role rights over models");
    }
    // A role that is new had no time to use anything.
    if let Ok((spot, Some(made))) = fact(case, case.resource, "CreateDate", asked) {
        let made = recent(case, spot, made, "the role was made", limit);
        if made.is_holds() {
            return made;
        }
    }
    all(services.items().iter().map(|service| {
        let name = service.get("ServiceNamespace").map(Node::shown).unwrap_or_default();
        match service.get("LastAuthenticated").filter(|last| last.text().is_some_and(|text| !text.is_empty()))
        {
            Some(last) => recent(case, spot.clone(), last, &format!("it used `{name}`"), limit),
            None => spot.clone().broken(format!("it has rights over `{name}` and never used them")),
        }
    }))
}

/// Whether anything of the file refers to the key, an alias of it aside.
fn is_used(case: &Case<'_>) -> bool {
    let idle = ["AWS::KMS::Alias", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", KEY];
    let uses = |resource: &crate::resource::Resource| {
        case.estate.referrers(resource).any(|other| !idle.contains(&other.kind.as_str()))
    };
    uses(case.resource) || case.estate.referring(case.resource, "AWS::KMS::Alias").any(uses)
}

fn in_use(case: &Case<'_>) -> Answer {
    if !is_used(case) {
        return not_applicable("nothing uses the key");
    }
    find(case.resource, "Enabled").flag(true, true)
}

/// The published ways of escalation, as the linter of policies knows them.
fn escalates(case: &Case<'_>) -> Answer {
    let texts = document_texts(case, case.resource);
    if texts.is_empty() {
        return not_applicable("it holds no policy itself");
    }
    all(texts.into_iter().map(|(spot, text)| match text {
        Err(missing) => spot.unknown(missing),
        Ok(text) => {
            if iam::Policy::parse("policy", &text).is_ok_and(|policy| allows(&policy).any(gives_everything)) {
                return spot.broken("a statement allows everything, so also more rights");
            }
            let ways = |code: &str| code.starts_with("escalation-");
            let report = iam::lint::lint_for("policy", &text, PolicyKind::Identity, ways);
            let way = report.findings().iter().find(|finding| ways(finding.code()));
            match way {
                Some(way) => spot.broken(format!("{}: {}", way.code(), way.message())),
                None => spot.holds("no published way of escalation is open"),
            }
        }
    }))
}

fn gives_everything(statement: &Statement) -> bool {
    acts(statement, "iam:AttachUserPolicy")
        && crate::policies::everything(statement, "")
        && statement.conditions.is_empty()
}

fn apart(case: &Case<'_>) -> Answer {
    let found = documents(case, case.resource);
    if found.is_empty() {
        return not_applicable("it holds no policy itself");
    }
    let mut policies = Vec::new();
    for document in found {
        match document.policy {
            Ok(policy) => policies.push(policy),
            Err(missing) => return document.spot.unknown(missing),
        }
    }
    let may = |action: &str| {
        let allowed = |statement: &Statement| acts(statement, action);
        policies.iter().any(|policy| allows(policy).any(allowed))
    };
    let spot = Spot::of(case.resource);
    match (may("sagemaker:CreateModelPackage"), may("sagemaker:UpdateModelPackage")) {
        (true, true) => spot.broken("it allows both to register (`sagemaker:CreateModelPackage`) and to approve (`sagemaker:UpdateModelPackage`)"),
        _ => spot.holds("it does not allow both to register and to approve"),
    }
}
