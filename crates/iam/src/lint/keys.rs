//! Condition keys: those that do not exist, and those that the actions of a statement do not have.

use super::catalogue::{did_you_mean, nearest};
use super::conditions::all;
use super::subject::{Case, Out, Subject, some};
use super::tags::is_tag_key;
use super::unit::{Unit, unit};
use crate::catalog::{Availability, availability_for, catalog, global_key, global_keys};
use crate::policy::{Condition, PolicyKind};

pub(super) const UNITS: &[Unit] = &[
    unit!("key-format", Error, "A condition key without its service", format),
    unit!("key-global-unknown", Error, "A global condition key that does not exist", global_unknown),
    unit!("key-global-retired", Error, "A global condition key that is no longer supported", retired),
    unit!("key-service-unknown", Error, "A condition key of a service that does not exist", service_unknown),
    unit!("key-unknown", Error, "A condition key that its service does not have", unknown),
    unit!(
        "key-of-other-service",
        Error,
        "A condition key that requests for the action never carry",
        other_service
    ),
    unit!(
        "key-not-of-action",
        Error,
        "A condition key of the service that the action does not have",
        not_of_action
    ),
    unit!(
        "key-untrustworthy",
        SecurityWarning,
        "A condition key that the caller can set as he likes",
        untrustworthy
    ),
    unit!(
        "key-irrelevant",
        Suggestion,
        "A condition key that says the same in every request to the resource",
        irrelevant
    ),
    unit!("key-unpaired", SecurityWarning, "An address in a VPC without the VPC", unpaired),
];

fn prefix(key: &str) -> Option<&str> {
    key.rsplit_once('/')
        .map_or(key, |(start, _)| start)
        .rsplit_once(':')
        .or(key.split_once(':'))
        .map(|(prefix, _)| prefix)
}

fn is_aws(key: &str) -> bool {
    key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:"))
}

/// Whether keys of this prefix come from an identity provider.
fn is_foreign(key: &str) -> bool {
    let start = key.rsplit_once(':').map_or(key, |(start, _)| start);
    start.contains('.')
        || start.contains('/')
        || catalog().foreign_prefixes().any(|(name, _)| name.eq_ignore_ascii_case(start))
}

fn is_known(key: &str) -> bool {
    global_key(key).is_some() || catalog().condition_key(key).is_some()
}

const RETIRED: [&str; 1] = ["aws:arn"];

fn is_retired(key: &str) -> bool {
    RETIRED.contains(&key.to_lowercase().as_str())
}

fn format(subject: &Subject<'_>, out: &mut Out) {
    for (case, condition) in all(subject) {
        let key = condition.key.text.as_str();
        let well = prefix(key).is_some_and(|prefix| !prefix.is_empty())
            && !key.ends_with(':')
            && !key.contains(char::is_whitespace);
        if !well && !is_known(key) {
            let message = format!("`{key}` is no condition key");
            out.say(
                case,
                condition.key.span,
                message,
                "a key is `service:name`, for instance `aws:SourceIp`",
            );
        }
    }
}

fn global_unknown(subject: &Subject<'_>, out: &mut Out) {
    for (case, condition) in all(subject) {
        let key = condition.key.text.as_str();
        if is_aws(key) && key.len() > 4 && !is_known(key) && !is_retired(key) && !is_tag_key(key) {
            let near = nearest(key, global_keys().iter().map(crate::catalog::GlobalKey::name));
            let help = did_you_mean(&near, "", "see the global condition keys in the IAM User Guide");
            out.say(case, condition.key.span, format!("there is no global key `{key}`"), &help);
        }
    }
}

fn retired(subject: &Subject<'_>, out: &mut Out) {
    for (case, condition) in all(subject).filter(|(_, condition)| is_retired(&condition.key.text)) {
        let message = format!("`{}` is not supported any more", condition.key.text);
        out.say(case, condition.key.span, message, "use `aws:PrincipalArn`, or `aws:SourceArn` for services");
    }
}

/// The prefix of a key that claims to be one of a service.
fn service_prefix(key: &str) -> Option<&str> {
    if is_aws(key) || is_known(key) || is_foreign(key) {
        return None;
    }
    key.split_once(':').map(|(prefix, _)| prefix).filter(|prefix| !prefix.is_empty())
}

fn service_unknown(subject: &Subject<'_>, out: &mut Out) {
    for (case, condition) in all(subject) {
        let Some(prefix) = service_prefix(&condition.key.text) else { continue };
        if catalog().service(prefix).is_none() {
            let near = nearest(prefix, catalog().services().map(|service| service.prefix()).chain(["aws"]));
            let help = did_you_mean(&near, "", "a key begins with the prefix of its service");
            let message =
                format!("there is no service `{prefix}`, so no request carries `{}`", condition.key.text);
            out.say(case, condition.key.span, message, &help);
        }
    }
}

fn unknown(subject: &Subject<'_>, out: &mut Out) {
    for (case, condition) in all(subject).filter(|(_, condition)| !is_tag_key(&condition.key.text)) {
        let Some(service) = service_prefix(&condition.key.text).and_then(|prefix| catalog().service(prefix))
        else {
            continue;
        };
        let near = nearest(&condition.key.text, service.condition_keys().map(|key| key.name()));
        let help = did_you_mean(
            &near,
            "",
            "see the condition keys of the service in the Service Authorization Reference",
        );
        let message = format!("there is no key `{}` of {}", condition.key.text, service.name());
        out.say(case, condition.key.span, message, &help);
    }
}

/// The listed actions that never carry a key that no service of the statement shares.
pub(super) fn without_key(case: &Case<'_>, key: &str) -> Vec<String> {
    let never =
        case.exact_actions().filter(|(_, action)| availability_for(action, key) == Availability::Never);
    never.map(|(item, _)| item.text.clone()).collect()
}

fn other_service(subject: &Subject<'_>, out: &mut Out) {
    for (case, condition) in all(subject) {
        let key = condition.key.text.as_str();
        let actions = without_key(case, key);
        if !actions.is_empty() {
            let message =
                format!("requests for {} never carry `{key}`", some(actions.iter().map(String::as_str)));
            out.say(
                case,
                condition.key.span,
                message,
                "move these actions to a statement without the condition",
            );
        }
    }
}

/// Keys that the catalogue lists for actions of the service, but not for this one.
fn not_of_action(subject: &Subject<'_>, out: &mut Out) {
    for (case, condition) in all(subject) {
        let key = condition.key.text.as_str();
        if is_tag_key(key) || is_aws(key) || global_key(key).is_some() {
            continue;
        }
        let lacking = case.exact_actions().filter(|(_, action)| {
            let own = action.service().condition_key(key).is_some();
            own && !action.lists_key(key) && !is_anywhere(case.kind, key) && elsewhere(action.service(), key)
        });
        let actions: Vec<String> = lacking.map(|(item, _)| item.text.clone()).collect();
        if !actions.is_empty() {
            let message =
                format!("the condition on `{key}` is not for {}", some(actions.iter().map(String::as_str)));
            out.say(
                case,
                condition.key.span,
                message,
                "move these actions to a statement without the condition",
            );
        }
    }
}

/// Whether some other action of the service has the key: otherwise the catalogue tells nothing of it.
fn elsewhere(service: crate::catalog::Service<'_>, key: &str) -> bool {
    service.actions().any(|action| action.lists_key(key))
}

/// Keys of sessions, which come with any request.
fn is_anywhere(kind: PolicyKind, key: &str) -> bool {
    let key = key.to_lowercase();
    kind == PolicyKind::Trust && (key.starts_with("sts:") || key.starts_with("saml:"))
}

fn untrustworthy(subject: &Subject<'_>, out: &mut Out) {
    let keys = ["aws:referer", "aws:useragent"];
    for (case, condition) in all(subject) {
        if keys.contains(&condition.key.text.to_lowercase().as_str()) {
            let message = format!("the caller can send any `{}`", condition.key.text);
            out.say(
                case,
                condition.key.span,
                message,
                "use a key that AWS sets, such as `aws:PrincipalArn` or `aws:SourceVpce`",
            );
        }
    }
}

fn irrelevant(subject: &Subject<'_>, out: &mut Out) {
    if !matches!(subject.kind, PolicyKind::Resource | PolicyKind::KmsKey) {
        return;
    }
    let keys = ["s3:resourceaccount", "aws:resourceaccount", "aws:resourceorgid", "aws:resourceorgpaths"];
    for (case, condition) in all(subject) {
        if keys.contains(&condition.key.text.to_lowercase().as_str()) {
            let message = format!("`{}` is the same for every request to this resource", condition.key.text);
            out.say(
                case,
                condition.key.span,
                message,
                "use the key in policies of identities or of the organisation",
            );
        }
    }
}

fn unpaired(subject: &Subject<'_>, out: &mut Out) {
    let vpc = ["aws:sourcevpc", "aws:sourcevpce", "aws:sourcevpcarn"];
    let wants = |condition: &Condition| condition.key.text.eq_ignore_ascii_case("aws:VpcSourceIp");
    for (case, condition) in all(subject).filter(|(case, c)| wants(c) && !case.has_key(&vpc)) {
        let message = "every VPC can have this private address, those of others too".to_owned();
        out.say(case, condition.key.span, message, "add a condition on `aws:SourceVpc` or `aws:SourceVpce`");
    }
}
