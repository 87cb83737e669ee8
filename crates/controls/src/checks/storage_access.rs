//! Who gets at a bucket: Block Public Access, access control lists, and policies as the prover and S3 see them.

use crate::answer::{Answer, Found, Spot, all, any, find};
use crate::policies::{acts, allows, conditioned, covers, policy, public, resource_unknown, widest};
use crate::resource::{Resource, State};
use crate::unit::{Case, Unit, part, unit};
use iam::{Effect, Policy, Statement};

const BUCKET: &str = "AWS::S3::Bucket";
const POLICY: &str = "AWS::S3::BucketPolicy";
const FLAGS: [&str; 4] =
    ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"];

pub(crate) const UNITS: &[Unit] = &[
    unit!(
        "S3-02",
        High,
        Cross,
        "a bucket, or its account, blocks public access by all four switches",
        [BUCKET],
        [
            "S3.8",
            "S3_BUCKET_LEVEL_PUBLIC_ACCESS_PROHIBITED",
            "S3_BUCKET_PUBLIC_READ_PROHIBITED",
            "S3_BUCKET_PUBLIC_WRITE_PROHIBITED",
            "s3_bucket_level_public_access_block",
            "CKV2_AWS_6"
        ],
        |case| all(FLAGS.map(|flag| blocks(case, flag)))
    ),
    part!(
        "S3-02",
        "acls",
        High,
        "a bucket refuses public access control lists",
        [BUCKET],
        ["CKV_AWS_53", "AVD-AWS-0086"],
        |case| { blocks_itself(case, "BlockPublicAcls") }
    ),
    part!(
        "S3-02",
        "policy",
        High,
        "a bucket refuses public policies",
        [BUCKET],
        ["CKV_AWS_54", "AVD-AWS-0087"],
        |case| { blocks_itself(case, "BlockPublicPolicy") }
    ),
    part!(
        "S3-02",
        "ignore",
        High,
        "a bucket ignores public access control lists",
        [BUCKET],
        ["CKV_AWS_55", "AVD-AWS-0091"],
        |case| { blocks_itself(case, "IgnorePublicAcls") }
    ),
    part!(
        "S3-02",
        "restrict",
        High,
        "a bucket with a public policy is closed to other accounts",
        [BUCKET],
        ["CKV_AWS_56", "AVD-AWS-0093"],
        |case| { blocks_itself(case, "RestrictPublicBuckets") }
    ),
    part!(
        "S3-02",
        "given",
        High,
        "a bucket says something of public access",
        [BUCKET],
        ["AVD-AWS-0094"],
        |case| { find(case.resource, "PublicAccessBlockConfiguration").present() }
    ),
    unit!(
        "S3-03",
        Critical,
        Cross,
        "nobody outside can read a bucket, by its policy or its access control list",
        [BUCKET],
        ["S3.2", "s3_bucket_public_access"],
        |case| effective(case, &READ)
    ),
    part!(
        "S3-03",
        "list",
        Critical,
        "a bucket's access control list lets nobody outside read",
        [BUCKET],
        ["CKV_AWS_20", "AVD-AWS-0092", "S3_BUCKET_PUBLIC_READ_ACL", "s3_bucket_public_list_acl", "W31"],
        |case| { list(case.resource, &READ) }
    ),
    part!(
        "S3-03",
        "principal",
        High,
        "a bucket's policy allows nothing to everybody, whatever the conditions",
        [POLICY],
        ["CKV_AWS_70", "S3_BUCKET_POLICY_NO_WILDCARD_PRINCIPAL", "F16"],
        |case| {
            let check = |spot: Spot<'_>, policy: &Policy| match allows(policy)
                .find(|s| for_everybody_or_all_but(s))
            {
                Some(_) => spot.broken("a statement allows everybody"),
                None => spot.holds("no statement allows everybody"),
            };
            read(case, Related::Policy(case.resource), &check)
        }
    ),
    unit!(
        "S3-04",
        Critical,
        Cross,
        "nobody outside can write into a bucket, by its policy or its access control list",
        [BUCKET],
        ["S3.3", "s3_bucket_public_write_acl"],
        |case| effective(case, &WRITE)
    ),
    part!(
        "S3-04",
        "list",
        Critical,
        "a bucket's access control list lets nobody outside write",
        [BUCKET],
        ["CKV_AWS_57", "S3_BUCKET_PUBLIC_RW_ACL", "F14"],
        |case| { list(case.resource, &WRITE) }
    ),
    unit!(
        "S3-07",
        Medium,
        Cross,
        "a bucket's policy denies every request without TLS",
        [BUCKET, POLICY],
        ["S3.5", "S3_BUCKET_SSL_REQUESTS_ONLY", "s3_bucket_secure_transport_policy", "CKV_AWS_379"],
        |case| { denied(case, "every request without TLS", denies_plain) }
    ),
    unit!(
        "S3-08",
        Medium,
        Cross,
        "a bucket's policy denies uploads under another key",
        [BUCKET, POLICY],
        [],
        |case| { denied(case, "uploads under another key", denies_other_keys) }
    ),
];

/// One direction of access.
struct Direction {
    actions: &'static [&'static str],
    lists: &'static [&'static str],
    grants: &'static [&'static str],
}

/// Groups of S3 that anybody is in, or anybody with an account of AWS.
const GROUPS: [&str; 2] = ["/groups/global/AllUsers", "/groups/global/AuthenticatedUsers"];

const READ: Direction = Direction {
    actions: &[
        "s3:GetObject",
        "s3:GetObjectVersion",
        "s3:ListBucket",
        "s3:ListBucketVersions",
        "s3:GetBucketAcl",
    ],
    lists: &["PublicRead", "PublicReadWrite", "AuthenticatedRead"],
    grants: &["READ", "READ_ACP", "FULL_CONTROL"],
};
const WRITE: Direction = Direction {
    actions: &[
        "s3:PutObject",
        "s3:DeleteObject",
        "s3:PutObjectAcl",
        "s3:PutBucketPolicy",
        "s3:DeleteBucket",
        "s3:PutBucketAcl",
    ],
    lists: &["PublicReadWrite"],
    grants: &["WRITE", "WRITE_ACP", "FULL_CONTROL"],
};

/// A switch of Block Public Access: on, off, or why it is not known.
fn switch<'a>(bucket: &'a Resource, name: &str) -> (Found<'a>, Option<bool>) {
    let found = find(bucket, &format!("PublicAccessBlockConfiguration.{name}"));
    let value = match &found.state {
        State::Known(node) => node.truth(),
        State::Absent => Some(false),
        State::Unknown(_) => None,
    };
    (found, value)
}

/// What is broken only if a switch is off, when the switch is not known.
fn under_switch(bucket: &Resource, names: [&str; 2], answer: impl FnOnce() -> Answer) -> Answer {
    let switches = names.map(|name| switch(bucket, name));
    if let Some((found, _)) = switches.iter().find(|(_, value)| *value == Some(true)) {
        return found.spot.clone().holds(format!("`{}` is true", found.spot.path));
    }
    let answer = answer();
    match switches.into_iter().find(|(_, value)| value.is_none()) {
        Some((found, _)) if answer.is_broken() => {
            let missing =
                found.missing().unwrap_or_else(|| format!("`{}` is no truth value", found.spot.path));
            found.spot.unknown(missing)
        }
        _ => answer,
    }
}

fn blocks_itself(case: &Case<'_>, flag: &str) -> Answer {
    find(case.resource, &format!("PublicAccessBlockConfiguration.{flag}")).flag(true, false)
}

fn blocks(case: &Case<'_>, flag: &str) -> Answer {
    let own = blocks_itself(case, flag);
    if own.is_holds() {
        return own;
    }
    // What the account blocks is blocked for each of its buckets.
    let of_account = case
        .estate
        .of_kind("AWS::S3::AccountPublicAccessBlock")
        .map(|account| find(account, flag).flag(true, false).if_exists(account, case.resource));
    any(of_account.filter(|account| !account.is_broken())).unwrap_or(own)
}

/// What the access control list alone lets through.
fn list(bucket: &Resource, direction: &Direction) -> Answer {
    let list = find(bucket, "AccessControl");
    let canned = match &list.state {
        State::Known(node) => match node.text() {
            Some(text) if direction.lists.contains(&text) => {
                list.spot.clone().broken(format!("`AccessControl` is `{text}`"))
            }
            Some(text) => list.spot.clone().holds(format!("`AccessControl` is `{text}`")),
            None => list.spot.clone().unknown(crate::resource::cause(node)),
        },
        State::Unknown(cause) => list.spot.clone().unknown(cause.clone()),
        State::Absent => list.spot.holds("there is no public access control list"),
    };
    all([canned, grants(bucket, direction)])
}

/// What grants let through, which plans and live accounts list one by one.
fn grants(bucket: &Resource, direction: &Direction) -> Answer {
    let found = find(bucket, "Grants");
    if let Some(missing) = found.missing() {
        return found.spot.unknown(missing);
    }
    for (spot, grant) in found.items() {
        let uri = grant.get("Uri").and_then(crate::node::Node::text).unwrap_or_default();
        let permissions = grant.get("Permission").map(crate::node::Node::items).unwrap_or_default();
        let open = permissions
            .iter()
            .filter_map(crate::node::Node::text)
            .find(|text| direction.grants.contains(text));
        if let (Some(permission), true) = (open, GROUPS.iter().any(|group| uri.ends_with(group))) {
            return spot.broken(format!("a grant gives `{permission}` to `{uri}`"));
        }
        if let Some(hole) = grant.any_hole() {
            return spot.unknown(hole.cause.clone());
        }
    }
    found.spot.holds("no grant is for everybody")
}

fn effective(case: &Case<'_>, direction: &Direction) -> Answer {
    let bucket = case.resource;
    let lists = under_switch(bucket, ["BlockPublicAcls", "IgnorePublicAcls"], || list(bucket, direction));
    let found = bucket_policies(case);
    if found.is_empty() {
        return all([lists, Spot::of(bucket).holds("no policy is for this bucket")]);
    }
    let one = |spot: Spot<'_>, policy: &Policy| {
        let answer = || public(spot, &only(policy, direction), true);
        // The switches stop what S3 calls public, and nothing else.
        if iam::is_public_by_s3(policy) {
            return under_switch(bucket, ["BlockPublicPolicy", "RestrictPublicBuckets"], answer);
        }
        answer()
    };
    let policies = all(found.into_iter().map(|related| read(case, related, &one)));
    all([lists, policies])
}

/// The policy with what allows reduced to actions of a direction.
fn only(policy: &Policy, direction: &Direction) -> Policy {
    let mut policy = policy.clone();
    let of_direction = |pattern: &str| direction.actions.iter().any(|action| covers(pattern, action));
    for statement in &mut policy.statements {
        if statement.effect == Effect::Allow && !statement.action.negated {
            statement.action.items.retain(|item| of_direction(&item.text));
        }
    }
    policy
        .statements
        .retain(|statement| statement.effect == Effect::Deny || !statement.action.items.is_empty());
    policy.statements.retain(|statement| {
        statement.effect == Effect::Deny || direction.actions.iter().any(|action| acts(statement, action))
    });
    policy
}

enum Related<'a> {
    Policy(&'a Resource),
    /// A policy of which it is not known whether it is for this bucket.
    Perhaps(&'a Resource, String),
}

fn bucket_policies<'a>(case: &Case<'a>) -> Vec<Related<'a>> {
    let all = case.estate.pointing("AWS::S3::BucketPolicy", "Bucket", case.resource).into_iter();
    all.map(|policy| match policy.unclear {
        None => Related::Policy(policy.from),
        Some(cause) => Related::Perhaps(policy.from, cause),
    })
    .collect()
}

fn read(case: &Case<'_>, related: Related<'_>, check: &dyn Fn(Spot<'_>, &Policy) -> Answer) -> Answer {
    let resource = match related {
        Related::Policy(resource) => resource,
        Related::Perhaps(resource, cause) => {
            return Spot::of(resource)
                .unknown(format!("whether `{}` is for this bucket: {cause}", resource.id));
        }
    };
    let found = find(resource, "PolicyDocument");
    match &found.state {
        State::Known(node) => match policy(case, node) {
            Ok(policy) => check(found.spot, &policy).if_exists(resource, case.resource),
            Err(missing) => found.spot.unknown(missing),
        },
        State::Unknown(cause) => found.spot.clone().unknown(cause.clone()),
        State::Absent => found.spot.unknown("the policy resource has no `PolicyDocument`"),
    }
}

/// One of the bucket's policies must have a statement that denies something.
fn denied(case: &Case<'_>, what: &str, denies: fn(&Statement) -> bool) -> Answer {
    let check = |spot: Spot<'_>, policy: &Policy| {
        let mut all = policy.statements.iter().filter(|statement| denies(&widest(statement)));
        match all.clone().find(|statement| !resource_unknown(statement)) {
            Some(_) => spot.holds(format!("a statement denies {what} to everybody")),
            None if all.next().is_some() => {
                spot.unknown("for what the denial is: a part of its `Resource` is not known")
            }
            None => spot.broken(format!("no statement denies {what} to everybody")),
        }
    };
    if case.resource.kind == POLICY {
        return read(case, Related::Policy(case.resource), &check);
    }
    let answers = bucket_policies(case).into_iter().map(|related| read(case, related, &check));
    any(answers).unwrap_or_else(|| Spot::of(case.resource).broken(format!("no policy denies {what}")))
}

fn for_everybody_or_all_but(statement: &Statement) -> bool {
    statement.principal.as_ref().is_some_and(|p| p.negated || p.items.iter().any(iam::Who::is_everyone))
}

fn for_everybody(statement: &Statement) -> bool {
    statement.principal.as_ref().is_some_and(|p| !p.negated && p.items.iter().any(iam::Who::is_everyone))
}

fn denies_plain(statement: &Statement) -> bool {
    let secure = |condition: &iam::Condition| {
        let key = condition.key.text.eq_ignore_ascii_case("aws:SecureTransport");
        let test = condition.operator.text.eq_ignore_ascii_case("Bool");
        key && test && condition.values.iter().all(|value| value.text.eq_ignore_ascii_case("false"))
    };
    // Objects must be meant, and no other condition may narrow it.
    let objects = statement.resource.as_ref().is_some_and(|resource| {
        !resource.negated
            && resource.items.iter().any(|item| {
                item.text == "*"
                    || item.text.ends_with("/*")
                    || item.text.ends_with(":::*")
                    || (item.text.ends_with('*') && !item.text.contains('/'))
            })
    });
    statement.effect == Effect::Deny
        && for_everybody(statement)
        && acts(statement, "s3:GetObject")
        && acts(statement, "s3:PutObject")
        && acts(statement, "s3:ListBucket")
        && objects
        && statement.conditions.len() == 1
        && statement.conditions.iter().all(secure)
}

fn denies_other_keys(statement: &Statement) -> bool {
    const KEY: &str = "s3:x-amz-server-side-encryption-aws-kms-key-id";
    statement.effect == Effect::Deny
        && for_everybody(statement)
        && acts(statement, "s3:PutObject")
        && conditioned(statement, &[KEY])
        && statement.conditions.iter().any(|condition| {
            let operator = condition.operator.text.to_lowercase();
            condition.key.text.eq_ignore_ascii_case(KEY)
                && [
                    "stringnotequals",
                    "stringnotequalsifexists",
                    "arnnotequals",
                    "arnnotequalsifexists",
                    "stringnotlike",
                ]
                .contains(&operator.as_str())
        })
}
