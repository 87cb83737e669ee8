//! Keys of KMS and who may use them.

use crate::answer::{Answer, all, any, find, not_applicable};
use crate::policies::{
    Document, acts, allows, conditioned, documents, everything, policy, public, resource_unknown, widest,
};
use crate::resource::State;
use crate::unit::{Case, Unit, part, unit};
use iam::{Policy, Statement, WhoSort};

const KEY: &str = "AWS::KMS::Key";
pub(super) const IDENTITIES: [&str; 5] =
    ["AWS::IAM::Role", "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::IAM::User", "AWS::IAM::Group"];

pub(crate) const UNITS: &[Unit] = &[
    unit!(
        "KMS-01",
        High,
        Single,
        "a key rotates",
        [KEY],
        [
            "KMS.4",
            "CMK_BACKING_KEY_ROTATION_ENABLED",
            "CKV_AWS_7",
            "AVD-AWS-0065",
            "F19",
            "kms_cmk_rotation_enabled"
        ],
        rotates
    ),
    unit!(
        "KMS-03",
        Critical,
        Single,
        "nobody outside can use or manage a key by its policy",
        [KEY],
        ["KMS.5", "kms_key_not_publicly_accessible"],
        |case| {
            of_key_policy(case, "without a policy of its own, only its account has access", |spot, policy| {
                public(spot, policy, false)
            })
        }
    ),
    part!(
        "KMS-03",
        "wildcard",
        High,
        "a key's policy allows nothing to `*`, whatever the conditions",
        [KEY],
        ["KMS_NO_WILDCARD_PRINCIPAL", "CKV_AWS_33", "F76"],
        |case| {
            of_key_policy(case, "without a policy of its own, only its account has access", |spot, policy| {
                let open = |statement: &&Statement| {
                    statement
                        .principal
                        .as_ref()
                        .is_some_and(|p| p.negated || p.items.iter().any(iam::Who::is_everyone))
                };
                match allows(policy).find(open) {
                    Some(_) => spot.broken("a statement allows everybody"),
                    None => spot.holds("no statement allows everybody"),
                }
            })
        }
    ),
    unit!(
        "KMS-04",
        High,
        Single,
        "who administers a key cannot use it, and the other way round",
        [KEY],
        [],
        |case| {
            of_key_policy(
                case,
                "without a policy of its own, the key leaves both to policies of identities",
                duties_apart,
            )
        }
    ),
    unit!(
        "KMS-06",
        Medium,
        Single,
        "no policy of an identity decrypts with every key",
        IDENTITIES,
        [
            "KMS.1",
            "KMS.2",
            "IAM_CUSTOMER_POLICY_BLOCKED_KMS_ACTIONS",
            "IAM_INLINE_POLICY_BLOCKED_KMS_ACTIONS"
        ],
        |case| {
            of_documents(
                case,
                |statement| {
                    let decrypts = acts(statement, "kms:Decrypt") || acts(statement, "kms:ReEncryptFrom");
                    let narrowed = conditioned(
                        statement,
                        &[
                            "kms:viaservice",
                            "kms:resourcealiases",
                            "kms:encryptioncontextkeys",
                            "aws:resourcetag/data-class",
                            "aws:resourceaccount",
                        ],
                    );
                    if !decrypts {
                        return None;
                    }
                    (everything(statement, "key/") && !narrowed)
                        .then(|| "it decrypts with every key".to_owned())
                },
                "no statement decrypts with every key",
            )
        }
    ),
];

fn rotates(case: &Case<'_>) -> Answer {
    let spec = find(case.resource, "KeySpec");
    if let State::Known(node) = spec.state
        && let Some(text) = node.text()
        && text != "SYMMETRIC_DEFAULT"
    {
        return not_applicable(format!("a key of the kind `{text}` cannot rotate by itself"));
    }
    if find(case.resource, "Origin").word(&["AWS_KMS", "AWS_CLOUDHSM"], Some("AWS_KMS")).is_broken() {
        return not_applicable("material that is brought in does not rotate by itself");
    }
    if let Some(missing) = spec.missing() {
        return spec.spot.unknown(missing);
    }
    find(case.resource, "EnableKeyRotation").flag(true, false)
}

fn of_key_policy(
    case: &Case<'_>,
    absent: &str,
    check: impl Fn(crate::answer::Spot<'_>, &Policy) -> Answer,
) -> Answer {
    let found = find(case.resource, "KeyPolicy");
    match &found.state {
        State::Absent => found.spot.holds(absent),
        State::Unknown(cause) => found.spot.clone().unknown(cause.clone()),
        State::Known(node) => match policy(case, node) {
            Ok(policy) => check(found.spot, &policy),
            Err(missing) => found.spot.unknown(missing),
        },
    }
}

const ADMINISTER: [&str; 4] =
    ["kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:DisableKey", "kms:CreateGrant"];
const USE: [&str; 4] = ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom"];

fn duties_apart(spot: crate::answer::Spot<'_>, policy: &Policy) -> Answer {
    let callers = |statement: &Statement, actions: &[&str]| -> Vec<String> {
        let Some(principal) = statement.principal.as_ref().filter(|p| !p.negated) else { return Vec::new() };
        if !actions.iter().any(|action| acts(statement, action)) {
            return Vec::new();
        }
        let named = principal.items.iter().filter(|who| who.sort == WhoSort::Aws);
        named
            .map(|who| who.value.text.clone())
            .filter(|who| !who.ends_with(":root") && !is_account(who))
            .collect()
    };
    let of = |actions: &[&str]| -> Vec<String> { allows(policy).flat_map(|s| callers(s, actions)).collect() };
    // Who may only make grants for services that use the key is not its administrator.
    let administrators: Vec<String> = allows(policy)
        .filter(|statement| !conditioned(statement, &["kms:grantisforawsresource"]))
        .flat_map(|statement| callers(statement, &ADMINISTER))
        .collect();
    let users = of(&USE);
    match administrators.iter().find(|who| users.contains(who)) {
        Some(both) => spot.broken(format!("`{both}` may both administer the key and use it")),
        None => spot.holds("nobody that the policy names may do both"),
    }
}

fn is_account(who: &str) -> bool {
    who.len() == 12 && who.bytes().all(|b| b.is_ascii_digit())
}

/// Every document of an identity, by what is wrong with a statement that allows.
pub(super) fn of_documents(
    case: &Case<'_>,
    wrong: impl Fn(&Statement) -> Option<String>,
    right: &str,
) -> Answer {
    let found = documents(case, case.resource);
    if found.is_empty() {
        return not_applicable("it holds no policy itself");
    }
    all(found.into_iter().map(|document| statement_by_statement(document, &wrong, right)))
}

pub(super) fn statement_by_statement(
    document: Document<'_>,
    wrong: &dyn Fn(&Statement) -> Option<String>,
    right: &str,
) -> Answer {
    let spot = document.spot;
    let policy = match document.policy {
        Err(missing) => return spot.unknown(missing),
        Ok(policy) => policy,
    };
    let name = |statement: &Statement| {
        let number = policy.statements.iter().position(|other| other == statement).map_or(0, |at| at + 1);
        statement
            .sid
            .as_ref()
            .map_or_else(|| format!("statement {number}"), |sid| format!("statement `{}`", sid.text))
    };
    if let Some((statement, said)) = allows(&policy).find_map(|s| wrong(s).map(|said| (s, said))) {
        return spot.broken(format!("{}: {said}", name(statement)));
    }
    let perhaps = |statement: &&Statement| resource_unknown(statement) && wrong(&widest(statement)).is_some();
    match allows(&policy).find(perhaps) {
        Some(open) => spot.unknown(format!("{}: a part of its `Resource`", name(open))),
        None => spot.holds(right),
    }
}

/// Keeps [`any`] in one place for topics that choose among relatives.
pub(super) fn one_of(answers: impl IntoIterator<Item = Answer>, none: impl FnOnce() -> Answer) -> Answer {
    any(answers).unwrap_or_else(none)
}
