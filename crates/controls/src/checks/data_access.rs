//! Who else gets at data: the account's switches, other accounts, networks, and what is known of personal data.

use super::derived::{Unit as Period, live_only, recent};
use crate::answer::{Answer, Spot, all, any, find, not_applicable};
use crate::node::Node;
use crate::policies::{acts, allows, policy};
use crate::resource::{Resource, State};
use crate::unit::{Case, Unit, unit};
use iam::{Effect, Policy, Statement, WhoSort};
use std::rc::Rc;

const BUCKET: &str = "AWS::S3::Bucket";
const POLICY: &str = "AWS::S3::BucketPolicy";
/// In the shape of a plan and of a live account; CloudFormation has no such type.
const ACCOUNT: &str = "AWS::S3::AccountPublicAccessBlock";
/// What no other account may be given, by the standard of Security Hub.
const DANGEROUS: [&str; 5] = [
    "s3:DeleteBucketPolicy",
    "s3:PutBucketAcl",
    "s3:PutBucketPolicy",
    "s3:PutEncryptionConfiguration",
    "s3:PutObjectAcl",
];
/// Classes of data that only declared networks may reach.
const CLOSED_CLASSES: [&str; 5] = ["confidential", "restricted", "personal", "pii", "sensitive"];

pub(crate) const UNITS: &[Unit] = &[
    unit!(
        "S3-01",
        High,
        Single,
        "an account blocks public access to all its buckets",
        [ACCOUNT],
        ["S3.1", "S3_ACCOUNT_LEVEL_PUBLIC_ACCESS_BLOCKS"],
        |case| {
            let flags = ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"];
            all(flags.map(|flag| find(case.resource, flag).flag(true, false)))
        }
    ),
    unit!(
        "S3-09",
        High,
        Single,
        "other accounts get at a bucket only if that is agreed, and never at its policy",
        [POLICY],
        ["S3.6", "S3_BUCKET_BLACKLISTED_ACTIONS_PROHIBITED", "s3_bucket_cross_account_access"],
        other_accounts
    ),
    unit!(
        "S3-10",
        High,
        Cross,
        "sensitive data is reached only from declared networks",
        [BUCKET],
        [],
        declared_networks
    ),
    unit!(
        "S3-17",
        Medium,
        Cross,
        "it is known what personal data is in a bucket for training",
        [BUCKET],
        ["MACIE_STATUS_CHECK", "Macie.1"],
        |case| match class(case.resource) {
            Class::Unclear(missing) => find(case.resource, "Tags").spot.unknown(missing),
            Class::Closed => searched(case),
            Class::Open => not_applicable("by its tags the bucket is neither for training nor sensitive"),
        }
    ),
];

/// Whether Macie searched the bucket within the limit, by a job or by itself.
fn searched(case: &Case<'_>) -> Answer {
    let what = "when the bucket was last searched for personal data";
    if !case.estate.is_live() {
        return live_only(case, "macie2:DescribeBuckets", what);
    }
    let Some(known) = case
        .estate
        .of_kind("AWS::Macie::Bucket")
        .find(|bucket| bucket.name() == case.resource.name() && bucket.name().is_some())
    else {
        return Spot::of(case.resource).broken("Macie does not know the bucket, so nobody searched it");
    };
    let limit = ("personal_data_search_days", Period::Days);
    let times = ["JobDetails.LastJobRunTime", "LastAutomatedDiscoveryTime"];
    let answers = times.into_iter().filter_map(|path| {
        let found = find(known, path);
        match found.state {
            State::Known(node) => Some(recent(case, found.spot, node, "Macie searched it", limit)),
            State::Unknown(missing) => Some(found.spot.unknown(missing)),
            State::Absent => None,
        }
    });
    any(answers).unwrap_or_else(|| Spot::of(known).broken("Macie never searched it"))
}

pub(super) enum Class {
    Closed,
    Open,
    Unclear(String),
}

/// Whether the tags of a bucket say that its data is sensitive or for training.
pub(super) fn class(bucket: &Resource) -> Class {
    let closed = |tag: &str| {
        bucket.tag(tag).is_some_and(|value| CLOSED_CLASSES.contains(&value.to_lowercase().as_str()))
    };
    let training = bucket.tag("purpose").is_some_and(|value| value.to_lowercase().contains("training"));
    if closed("data-class") || training {
        return Class::Closed;
    }
    match bucket.properties.get("Tags").and_then(Node::any_hole) {
        Some(hole) => Class::Unclear(hole.cause.clone()),
        None => Class::Open,
    }
}

fn read<'a>(case: &Case<'_>, resource: &'a Resource) -> (Spot<'a>, Result<Rc<Policy>, String>) {
    let found = find(resource, "PolicyDocument");
    let policy = match &found.state {
        State::Known(node) => policy(case, node),
        State::Unknown(missing) => Err(missing.clone()),
        State::Absent => Err("the resource has no `PolicyDocument`".to_owned()),
    };
    (found.spot, policy)
}

fn accounts(statement: &Statement) -> impl Iterator<Item = &str> {
    let items = statement.principal.iter().flat_map(|principal| principal.items.iter());
    items.filter(|who| who.sort == WhoSort::Aws).filter_map(|who| {
        let text = who.value.text.as_str();
        let account = text.split(':').nth(4).unwrap_or(text);
        // The account that a template is deployed in stands here under a number of its own.
        (account.len() == 12
            && account.bytes().all(|b| b.is_ascii_digit())
            && account != crate::policies::ACCOUNT)
            .then_some(account)
    })
}

fn other_accounts(case: &Case<'_>) -> Answer {
    let (spot, policy) = read(case, case.resource);
    let policy = match policy {
        Ok(policy) => policy,
        Err(missing) => return spot.unknown(missing),
    };
    let dangerous = |statement: &&Statement| DANGEROUS.iter().find(|action| acts(statement, action));
    let everybody = |statement: &Statement| {
        statement.principal.as_ref().is_some_and(|p| p.negated || p.items.iter().any(iam::Who::is_everyone))
    };
    for statement in allows(&policy) {
        let other = accounts(statement).next();
        if let (Some(action), true) = (dangerous(&statement), other.is_some() || everybody(statement)) {
            let who = other.map_or("everybody".to_owned(), |account| format!("account `{account}`"));
            return spot.broken(format!("{who} may `{action}`"));
        }
    }
    match allows(&policy).find_map(|statement| accounts(statement).next()) {
        Some(account) => {
            spot.unknown(format!("whether access from account `{account}` is agreed, if it is not yours"))
        }
        None => spot.holds("the policy names no other account"),
    }
}

fn declared_networks(case: &Case<'_>) -> Answer {
    match class(case.resource) {
        Class::Open => return not_applicable("by its tags the data is not sensitive"),
        Class::Unclear(missing) => return find(case.resource, "Tags").spot.unknown(missing),
        Class::Closed => {}
    }
    let mut perhaps = None;
    for pointing in case.estate.pointing(POLICY, "Bucket", case.resource) {
        let other = pointing.from;
        if let Some(missing) = pointing.unclear {
            perhaps = Some(find(other, "Bucket").spot.unknown(missing));
            continue;
        }
        let (spot, policy) = read(case, other);
        match policy {
            Err(missing) => perhaps = Some(spot.unknown(missing)),
            Ok(policy) if policy.statements.iter().any(is_fence) => {
                return spot
                    .holds("a statement denies what does not come from a declared network")
                    .if_exists(other, case.resource);
            }
            Ok(_) => {}
        }
    }
    perhaps.unwrap_or_else(|| {
        Spot::of(case.resource)
            .broken("no policy denies what does not come from a declared VPC endpoint or network")
    })
}

/// A denial to everybody of reading objects unless they come by a VPC endpoint or network.
fn is_fence(statement: &Statement) -> bool {
    let keys = ["aws:sourcevpce", "aws:sourcevpc"];
    statement.effect == Effect::Deny
        && statement
            .principal
            .as_ref()
            .is_some_and(|p| !p.negated && p.items.iter().any(iam::Who::is_everyone))
        && acts(statement, "s3:GetObject")
        && statement.conditions.iter().any(|condition| {
            let operator = condition.operator.text.to_lowercase();
            keys.contains(&condition.key.text.to_lowercase().as_str()) && operator.contains("not")
        })
}
