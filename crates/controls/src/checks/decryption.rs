//! Who can decrypt with a key, by its policy, its grants and the policies of identities, beside who was declared: whom the
//! key's own policy names.

use super::derived::live_only;
use super::keys::IDENTITIES;
use crate::answer::{Answer, Found, Spot, all, find};
use crate::node::Node;
use crate::policies::{acts, allows, covers, documents, policy};
use crate::resource::{Resource, State};
use crate::unit::Case;
use iam::{Effect, Policy, Statement, WhoSort};

const DECRYPT: &str = "kms:Decrypt";
/// Policies of AWS that let their holder decrypt with every key.
const DECRYPTING: [&str; 2] = ["AdministratorAccess", "PowerUserAccess"];
const HOLDERS: [&str; 3] = ["AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group"];

/// Whether all who can decrypt are named by the key's policy.
pub(super) fn declared(case: &Case<'_>) -> Answer {
    let Some(arn) = arn(case) else {
        let calls = "kms:ListGrants, iam:GetAccountAuthorizationDetails";
        return live_only(case, calls, "who can decrypt by grants and by policies of identities");
    };
    let found = find(case.resource, "KeyPolicy");
    let own = match &found.state {
        State::Known(node) => match policy(case, node) {
            Ok(policy) => policy,
            Err(missing) => return found.spot.unknown(missing),
        },
        State::Unknown(missing) => return found.spot.clone().unknown(missing.clone()),
        State::Absent => return found.spot.unknown("the key's policy"),
    };
    let named = named(&own);
    let mut answers = vec![granted(case, &named)];
    if leaves_it_to_identities(&own) {
        answers.extend(identities(case, &arn, &named));
    }
    answers.push(found.spot.holds("nobody can decrypt whom the key's policy does not name"));
    all(answers)
}

/// The key's ARN, if it is one of a live account.
fn arn(case: &Case<'_>) -> Option<String> {
    if !case.estate.is_live() {
        return None;
    }
    let (account, region) = (case.resource.account.as_deref()?, case.resource.region.as_deref()?);
    let partition = match region {
        region if region.starts_with("cn-") => "aws-cn",
        region if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    };
    Some(format!("arn:{partition}:kms:{region}:{account}:key/{}", case.resource.id))
}

/// Whom statements that let somebody decrypt name, but for whole accounts.
fn named(policy: &Policy) -> Vec<String> {
    let who = |statement: &Statement| {
        let principal = statement.principal.as_ref().filter(|principal| !principal.negated);
        principal
            .map(|principal| principal.items.iter().map(|who| who.value.text.clone()).collect::<Vec<_>>())
    };
    let decrypting = allows(policy).filter(|statement| acts(statement, DECRYPT));
    decrypting.filter_map(who).flatten().filter(|who| !is_account(who)).collect()
}

fn is_account(who: &str) -> bool {
    who.ends_with(":root") || (who.len() == 12 && who.bytes().all(|b| b.is_ascii_digit()))
}

/// Whether the key's policy lets the policies of its account's identities say who decrypts.
fn leaves_it_to_identities(policy: &Policy) -> bool {
    let account = |statement: &Statement| {
        statement
            .principal
            .iter()
            .flat_map(|principal| principal.items.iter())
            .any(|who| who.sort == WhoSort::Aws && (is_account(&who.value.text) || who.is_everyone()))
    };
    allows(policy).any(|statement| acts(statement, DECRYPT) && account(statement))
}

fn granted(case: &Case<'_>, named: &[String]) -> Answer {
    let grants = find(case.resource, "Grants");
    if let Some(missing) = grants.missing() {
        return grants.spot.unknown(missing);
    }
    let answers = grants.items().into_iter().filter_map(|(spot, grant)| {
        let operations = grant.get("Operations").map(Node::items).unwrap_or_default();
        if !operations.iter().any(|operation| operation.text() == Some("Decrypt")) {
            return None;
        }
        let who = grant.get("GranteePrincipal").and_then(Node::text).unwrap_or_default();
        let known = named.iter().any(|name| name == who) || who.ends_with(".amazonaws.com");
        (!known).then(|| {
            spot.broken(format!("a grant lets `{who}` decrypt, whom the key's policy does not name"))
        })
    });
    let answers: Vec<Answer> = answers.collect();
    if answers.is_empty() { grants.spot.holds("no grant lets anybody else decrypt") } else { all(answers) }
}

/// What is wrong with identities of the account.
fn identities(case: &Case<'_>, arn: &str, named: &[String]) -> Vec<Answer> {
    let mut answers = Vec::new();
    for kind in HOLDERS {
        for holder in case.estate.of_kind(kind) {
            if is_named(holder, named) || is_of_aws(holder) {
                continue;
            }
            answers.extend(decrypts(case, holder, arn));
        }
    }
    answers
}

/// Whether the key's policy names a role or user: its ARN ends with the path and name.
fn is_named(holder: &Resource, named: &[String]) -> bool {
    let sort = if holder.kind == HOLDERS[0] { "role" } else { "user" };
    let path = holder.properties.get("Path").and_then(Node::text).unwrap_or("/");
    let Some(name) = holder.name() else { return false };
    named.iter().any(|who| who.ends_with(&format!(":{sort}{path}{name}")))
}

/// A role that a service of AWS made for itself.
fn is_of_aws(holder: &Resource) -> bool {
    let path = holder.properties.get("Path").and_then(Node::text);
    path.is_some_and(|path| path.starts_with("/aws-service-role/"))
}

/// Whether a holder of policies can decrypt, or may; nothing if not.
fn decrypts(case: &Case<'_>, holder: &Resource, arn: &str) -> Option<Answer> {
    let attached = find(holder, "ManagedPolicyArns");
    if let Some(missing) = attached.missing() {
        return Some(attached.spot.unknown(missing));
    }
    let mut all = documents(case, holder);
    let mut wide = None;
    let mut unread = None;
    for (spot, item) in attached.items() {
        if let Some(policy) = case.estate.target(item, IDENTITIES[1]) {
            all.extend(documents(case, policy));
            continue;
        }
        let name = item.text().and_then(|arn| arn.rsplit('/').next()).unwrap_or_default().to_owned();
        match DECRYPTING.contains(&name.as_str()) {
            true => wide = Some((spot, name)),
            false => unread = Some((spot, name)),
        }
    }
    let mut allowed: Option<(Spot<'_>, bool)> = None;
    let mut bounded = !matches!(find(holder, "PermissionsBoundary"), Found { state: State::Absent, .. });
    for document in all {
        let policy = match document.policy {
            Ok(policy) => policy,
            Err(missing) => return Some(document.spot.unknown(missing)),
        };
        let about = |statement: &&Statement| acts(statement, DECRYPT) && covers_key(statement, arn);
        bounded |= policy.statements.iter().filter(about).any(|statement| statement.effect == Effect::Deny);
        for statement in allows(&policy).filter(about) {
            let free = statement.conditions.is_empty();
            if allowed.as_ref().is_none_or(|(_, sure)| free && !sure) {
                allowed = Some((document.spot.clone(), free));
            }
        }
    }
    let who = &holder.id;
    match (allowed, wide) {
        (Some((spot, true)), _) if !bounded => Some(
            spot.broken(format!("`{who}` can decrypt by its policies; the key's policy does not name it")),
        ),
        (_, Some((spot, name))) if !bounded => {
            Some(spot.broken(format!("`{who}` can decrypt by `{name}`; the key's policy does not name it")))
        }
        (Some((spot, _)), _) | (_, Some((spot, _))) => Some(spot.unknown(format!(
            "whether `{who}` can decrypt, which conditions, a denial or a boundary decide"
        ))),
        (None, None) => {
            let (spot, name) = unread?;
            Some(spot.unknown(format!("whether `{name}`, a policy of AWS, lets `{who}` decrypt")))
        }
    }
}

fn covers_key(statement: &Statement, arn: &str) -> bool {
    let Some(resource) = &statement.resource else { return true };
    resource.items.iter().any(|item| covers(&item.text, arn)) != resource.negated
}
