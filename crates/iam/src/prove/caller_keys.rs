//! What the context keys about the caller are, given the caller. IAM User Guide, "IAM policy elements: Variables and
//! tags" (principal key values), and "AWS global condition context keys".

use super::callers::Sample;
use super::conditions::{Asked, Sayings, condition};
use super::problem::{Formula, Pieces};
use crate::request::{AwsPrincipal, AwsSort, Principal};

/// Keys that tell callers apart.
pub(super) const KEYS: [&str; 9] = [
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principaltype",
    "aws:userid",
    "aws:username",
    "aws:principalisawsservice",
    "aws:principalservicename",
    "aws:principalservicenameslist",
    "kms:calleraccount",
];

/// What the account of nobody is called.
const NOBODY: &str = "anonymous";

/// What holds of the keys about this caller. Who stands for many is none of the `others`, names of principals.
pub(super) fn caller_keys(
    pieces: &mut Pieces,
    asked: &Asked,
    sample: &Sample,
    others: &[String],
) -> Vec<Formula> {
    let tags = asked.iter().filter(|key| key.starts_with("aws:principaltag/"));
    let told = &mut Sayings { pieces, asked };
    match &sample.principal {
        Principal::Anonymous => {
            let mut all = vec![
                told.is("aws:principalaccount", NOBODY),
                told.is("aws:userid", NOBODY),
                told.is("aws:principaltype", "Anonymous"),
            ];
            let absent = ["aws:principalorgid", "aws:principalorgpaths", "aws:username", "kms:calleraccount"];
            all.extend(absent.into_iter().chain(tags).map(|key| told.none(key)));
            all.extend(no_service(told));
            all
        }
        Principal::Service(name) => service(told, name, sample.of_many, others),
        Principal::Aws(aws) => {
            let mut all = vec![
                told.is("aws:principalaccount", &aws.account),
                told.is("kms:calleraccount", &aws.account),
                told.say("Bool", "aws:principalisawsservice", &["false"]),
            ];
            all.extend(no_service(told));
            if sample.of_many {
                all.push(told.say("StringNotEquals", "aws:principalarn", others));
                all.extend(anybody(told, aws));
            } else {
                all.extend(one(told, aws, sample.role.as_deref()));
            }
            all
        }
        // Somebody of an identity provider, or known by a canonical id: who that is, the policy does not say.
        Principal::Other(_) if !sample.of_many => Vec::new(),
        Principal::Other(_) => {
            let mut all = of_no_account(told);
            all.push(told.say("BoolIfExists", "aws:principalisawsservice", &["false"]));
            all.extend(no_service(told));
            all
        }
    }
}

fn no_service(told: &mut Sayings<'_>) -> [Formula; 2] {
    ["aws:principalservicename", "aws:principalservicenameslist"].map(|key| told.none(key))
}

/// Users, roles and accounts are callers of their own, so whoever is none of them has not their keys.
fn of_no_account(told: &mut Sayings<'_>) -> Vec<Formula> {
    let people = ["arn:*:iam::*:*", "arn:*:sts::*:*"];
    let types = ["Account", "User", "FederatedUser", "AssumedRole", "Anonymous"];
    vec![
        told.say("ArnNotLikeIfExists", "aws:principalarn", &people),
        told.say("StringNotLikeIfExists", "aws:principalaccount", &["????????????", NOBODY]),
        told.say("StringNotEqualsIfExists", "aws:principaltype", &types),
        told.none("aws:username"),
    ]
}

fn service(told: &mut Sayings<'_>, name: &str, any: bool, others: &[String]) -> Vec<Formula> {
    let list = "aws:principalservicenameslist";
    let mut all = of_no_account(told);
    all.push(told.say("Bool", "aws:principalisawsservice", &["true"]));
    all.push(told.there("aws:principalservicename"));
    if any {
        all.push(told.say("StringNotEquals", "aws:principalservicename", others));
        all.push(told.say("ForAllValues:StringNotEquals", list, others));
        all.push(told.there(list));
    } else {
        all.push(told.is("aws:principalservicename", name));
        all.push(told.say("ForAnyValue:StringEquals", list, &[name]));
    }
    all
}

/// A user, a session of a role or a federated user of the account; its root user is a caller of its own.
fn anybody(told: &mut Sayings<'_>, aws: &AwsPrincipal) -> Option<Formula> {
    let apart = ["aws:principalarn", "aws:principaltype", "aws:userid", "aws:username"];
    if !apart.iter().any(|key| told.asked.has(key)) {
        return None;
    }
    let AwsPrincipal { partition, account, .. } = aws;
    let user = shape(told, "User", &[format!("arn:{partition}:iam::{account}:user/?*")], account);
    let role = shape(told, "AssumedRole", &[format!("arn:{partition}:iam::{account}:role/?*")], account);
    let federated =
        shape(told, "FederatedUser", &[format!("arn:{partition}:sts::{account}:federated-user/?*")], account);
    Some(Formula::Any(vec![user, role, federated]))
}

/// This very caller.
fn one(told: &mut Sayings<'_>, aws: &AwsPrincipal, role: Option<&str>) -> Vec<Formula> {
    let AwsPrincipal { arn, partition, account, sort } = aws;
    let of_role = |name: &str| {
        let at = format!("arn:{partition}:iam::{account}:role/");
        role.map_or_else(|| vec![format!("{at}{name}"), format!("{at}?*/{name}")], |arn| vec![arn.to_owned()])
    };
    let exactly = [arn.to_string()];
    match sort {
        AwsSort::Root => vec![shape(told, "Account", &exactly, account)],
        AwsSort::User { name } => {
            vec![shape(told, "User", &exactly, account), told.is("aws:username", name)]
        }
        AwsSort::Role { .. } => vec![shape(told, "AssumedRole", &exactly, account)],
        AwsSort::Session { role } => vec![shape(told, "AssumedRole", &of_role(role), account)],
        AwsSort::FederatedUser { .. } => vec![shape(told, "FederatedUser", &exactly, account)],
    }
}

/// The keys of a type of caller whose ARN is like one of these.
fn shape(told: &mut Sayings<'_>, kind: &str, arns: &[String], account: &str) -> Formula {
    let mut all = vec![told.is("aws:principaltype", kind), told.say("ArnLike", "aws:principalarn", arns)];
    all.push(if kind == "User" { told.there("aws:username") } else { told.none("aws:username") });
    if told.asked.has("aws:userid") {
        let (operator, values) = match kind {
            "Account" => ("StringEquals", vec![account.to_owned()]),
            "FederatedUser" => ("StringLike", vec![format!("{account}:?*")]),
            "AssumedRole" => ("StringLike", vec!["?*:?*".to_owned()]),
            _ => ("StringNotLike", vec!["*:*".to_owned()]),
        };
        all.push(condition(told.pieces, operator, "aws:userid", &values));
    }
    Formula::All(all)
}
