//! Whom a policy names, and whom it lets in without meaning to.

use super::glob;
use super::structure::is_unconditional;
use super::subject::{Case, Out, Subject};
use super::unit::{Unit, unit};
use crate::policy::{PolicyKind, Who, WhoSort};
use crate::request::{AwsPrincipal, is_account};
use crate::text::{JsonKind, Spanned};
use crate::value::split_arn;

pub(super) const UNITS: &[Unit] = &[
    unit!("principal-missing", Error, "A statement without Principal where one is needed", missing),
    unit!("principal-unsupported", Error, "Principal in a policy of an identity", unsupported),
    unit!("principal-wildcard", Error, "A wildcard in a part of a principal", wildcard),
    unit!("principal-malformed", Error, "A principal that is neither account nor ARN", malformed),
    unit!("principal-role-id", Warning, "A principal given by the id of a role", |s, o| unique_id(
        s, o, "AROA"
    )),
    unit!("principal-user-id", Warning, "A principal given by the id of a user", |s, o| unique_id(
        s, o, "AIDA"
    )),
    unit!("allow-not-principal", SecurityWarning, "Allow with NotPrincipal", allow_not),
    unit!(
        "not-principal-spares-nobody",
        Error,
        "NotPrincipal lists somebody without the account or the role, and denies him too",
        spares_nobody
    ),
    unit!(
        "not-principal-boundary",
        Warning,
        "NotPrincipal denies everybody who has a permissions boundary",
        boundary
    ),
    unit!("open-to-everyone", SecurityWarning, "A policy of a resource lets everyone in", everyone),
    unit!("service-principal-format", Error, "A service is not named as AWS names it", service_format),
    unit!("confused-deputy", SecurityWarning, "A service may act here on behalf of anybody", deputy),
    unit!(
        "service-principal-other-key",
        Suggestion,
        "A service is limited by a key that says little of whom it acts for",
        other_key
    ),
    unit!(
        "service-principal-key",
        Error,
        "A condition key that requests of services do not carry",
        service_key
    ),
];

/// The principals that statements list, negated or not.
pub(super) fn listed<'s, 'p>(subject: &'s Subject<'p>) -> impl Iterator<Item = (&'s Case<'p>, &'p Who)> {
    let cases = subject.cases.iter();
    cases.flat_map(|case| case.statement.principal.iter().flat_map(|e| &e.items).map(move |who| (case, who)))
}

fn missing(subject: &Subject<'_>, out: &mut Out) {
    if !matches!(subject.kind, PolicyKind::Resource | PolicyKind::Trust | PolicyKind::KmsKey) {
        return;
    }
    for case in subject.cases.iter().filter(|case| case.statement.principal.is_none()) {
        let message = "the statement does not say whom it is about".to_owned();
        out.say(case, case.head(), message, "add `Principal`, for instance `{\"AWS\": \"111122223333\"}`");
    }
}

fn unsupported(subject: &Subject<'_>, out: &mut Out) {
    if !subject.is_of_caller() {
        return;
    }
    for case in &subject.cases {
        if let Some(element) = &case.statement.principal {
            let message = "a policy of an identity is about that identity and names no principals".to_owned();
            out.say(case, element.span, message, "remove the element, or attach the policy to the resource");
        }
    }
}

fn wildcard(subject: &Subject<'_>, out: &mut Out) {
    for (case, who) in listed(subject) {
        let text = who.value.text.as_str();
        if glob::is_wild(text) && !(text == "*" && who.sort == WhoSort::Aws) {
            let message = format!("`{text}` has a wildcard and so means nobody");
            let help = "name the principals, or use `\"*\"` with a condition on `aws:PrincipalArn`";
            out.say(case, who.value.span, message, help);
        }
    }
}

fn is_unique_id(text: &str) -> bool {
    text.len() >= 16
        && text.starts_with('A')
        && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

fn malformed(subject: &Subject<'_>, out: &mut Out) {
    for (case, who) in listed(subject).filter(|(_, who)| who.sort == WhoSort::Aws) {
        let text = who.value.text.as_str();
        let known = glob::is_wild(text) || is_account(text) || is_unique_id(text);
        let arn = AwsPrincipal::parse(text).is_some_and(|aws| is_account(aws.account()));
        if !known && !arn {
            let message = format!("`{text}` is no principal");
            let help = "write twelve digits, or the ARN of a user, role or session";
            out.say(case, who.value.span, message, help);
        }
    }
}

fn unique_id(subject: &Subject<'_>, out: &mut Out, start: &str) {
    for (case, who) in listed(subject).filter(|(_, who)| who.sort == WhoSort::Aws) {
        let text = who.value.text.as_str();
        if is_unique_id(text) && text.starts_with(start) {
            let message = format!("`{text}` is the id of a principal, perhaps of one that was deleted");
            out.say(
                case,
                who.value.span,
                message,
                "write its ARN; one made anew under the old name has another id",
            );
        }
    }
}

fn allow_not(subject: &Subject<'_>, out: &mut Out) {
    for case in subject.allows() {
        if let Some(element) = case.statement.principal.as_ref().filter(|element| element.negated) {
            let message = "everybody but the listed principals is let in, anonymous callers too".to_owned();
            out.say(case, element.span, message, "list with `Principal` who is let in");
        }
    }
}

fn spares_nobody(subject: &Subject<'_>, out: &mut Out) {
    for case in subject.denies() {
        let Some(element) = case.statement.principal.as_ref().filter(|element| element.negated) else {
            continue;
        };
        let lists = |wanted: &dyn Fn(&str) -> bool| element.items.iter().any(|who| wanted(&who.value.text));
        for who in element.items.iter().filter(|who| who.sort == WhoSort::Aws) {
            let Some([_, _, service, _, account, rest]) = split_arn(&who.value.text) else { continue };
            if rest == "root" || !is_account(account) {
                continue;
            }
            let root = |text: &str| text == account || text.ends_with(&format!("::{account}:root"));
            let role = rest
                .strip_prefix("assumed-role/")
                .filter(|_| service == "sts")
                .and_then(|rest| rest.split('/').next());
            let help = if !lists(&root) {
                format!("list the account too: `arn:aws:iam::{account}:root`")
            } else if let Some(role) = role.filter(|role| !lists(&|text| names_role(text, account, role))) {
                format!("list the role too: `arn:aws:iam::{account}:role/{role}`")
            } else {
                continue;
            };
            let message = format!("`{}` is denied although it is listed", who.value.text);
            out.say(case, who.value.span, message, &help);
        }
    }
}

/// Whether an ARN is that of a role, whatever its path.
fn names_role(text: &str, account: &str, role: &str) -> bool {
    split_arn(text).is_some_and(|fields| {
        fields[4] == account && fields[5].starts_with("role/") && fields[5].rsplit('/').next() == Some(role)
    })
}

fn boundary(subject: &Subject<'_>, out: &mut Out) {
    for case in subject.denies() {
        if let Some(element) = case.statement.principal.as_ref().filter(|element| element.negated) {
            let message = "whoever has a permissions boundary is denied, listed or not".to_owned();
            out.say(case, element.span, message, "deny to `\"*\"` with `ArnNotEquals` on `aws:PrincipalArn`");
        }
    }
}

/// Keys that say who calls or from where, of which one keeps the world out.
const FENCES: [&str; 22] = [
    "aws:principalarn",
    "aws:principalaccount",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principalservicename",
    "aws:principalisawsservice",
    "aws:sourcearn",
    "aws:sourceaccount",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourceowner",
    "aws:sourceip",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:sourcevpcarn",
    "aws:vpceaccount",
    "aws:vpceorgid",
    "aws:vpceorgpaths",
    "aws:userid",
    "aws:username",
    "kms:calleraccount",
    "s3:dataaccesspointaccount",
];

fn everyone(subject: &Subject<'_>, out: &mut Out) {
    if !matches!(subject.kind, PolicyKind::Resource | PolicyKind::KmsKey | PolicyKind::Trust) {
        return;
    }
    for case in subject.allows().filter(|case| !case.demands(&FENCES)) {
        let tagged = case
            .statement
            .conditions
            .iter()
            .any(|c| c.key.text.to_lowercase().starts_with("aws:principaltag/"));
        let everyone = case
            .statement
            .principal
            .iter()
            .filter(|e| !e.negated)
            .flat_map(|e| &e.items)
            .find(|who| who.is_everyone());
        let literal_trust = subject.kind == PolicyKind::Trust && is_bare_star(case);
        if let Some(who) = everyone.filter(|_| !tagged && !literal_trust) {
            let message = "everyone is let in, in every account".to_owned();
            let help =
                "name principals, or demand `aws:PrincipalOrgID`, `aws:PrincipalArn` or `aws:SourceVpce`";
            out.say(case, who.value.span, message, help);
        }
    }
}

/// Whether it says `"Principal": "*"`, without the sort.
pub(super) fn is_bare_star(case: &Case<'_>) -> bool {
    case.member("Principal").is_some_and(|member| matches!(member.value.kind, JsonKind::String(_)))
}

/// Whether a text is what AWS calls a service: `name.amazonaws.com`, in lower case.
pub(super) fn is_service_name(text: &str) -> bool {
    let ends = [".amazonaws.com", ".amazonaws.com.cn", ".amazon.com", ".aws.internal", ".aws.com"];
    let name = ends.iter().find_map(|end| text.strip_suffix(end));
    name.is_some_and(|name| {
        !name.is_empty()
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-._".contains(&b))
    })
}

const SERVICE_KEYS: [&str; 4] = [
    "aws:principalservicename",
    "aws:principalservicenameslist",
    "iam:passedtoservice",
    "iam:awsservicename",
];

fn service_format(subject: &Subject<'_>, out: &mut Out) {
    let help = "write for instance `sagemaker.amazonaws.com`, in lower case";
    for (case, who) in
        listed(subject).filter(|(_, who)| who.sort == WhoSort::Service && !glob::is_wild(&who.value.text))
    {
        if !is_service_name(&who.value.text) {
            out.say(case, who.value.span, format!("`{}` is no service of AWS", who.value.text), help);
        }
    }
    for case in &subject.cases {
        for condition in &case.statement.conditions {
            let key = condition.key.text.to_lowercase();
            let via = key == "kms:viaservice";
            if !via && !SERVICE_KEYS.contains(&key.as_str()) {
                continue;
            }
            for value in condition.values.iter().filter(|v| !glob::is_wild(&v.text) && !v.text.contains("${"))
            {
                if is_service_name(&value.text) && (!via || value.text.matches('.').count() >= 3) {
                    continue;
                }
                let help = if via { "write for instance `s3.eu-central-1.amazonaws.com`" } else { help };
                out.say(case, value.span, format!("`{}` is no service of AWS", value.text), help);
            }
        }
    }
}

const SOURCES: [&str; 4] = ["aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths"];

/// Services that act with a resource of their own, so that there is nobody else to confuse them.
fn services<'p>(case: &Case<'p>) -> impl Iterator<Item = &'p Spanned> + use<'p> {
    let positive = case.statement.principal.iter().filter(|element| !element.negated);
    positive.flat_map(|e| &e.items).filter(|who| who.sort == WhoSort::Service).map(|who| &who.value)
}

fn deputy(subject: &Subject<'_>, out: &mut Out) {
    if !matches!(subject.kind, PolicyKind::Resource | PolicyKind::KmsKey) {
        return;
    }
    let others = ["aws:sourceowner", "kms:viaservice", "kms:calleraccount", "s3:x-amz-acl"];
    for case in subject
        .allows()
        .filter(|case| !case.demands(&SOURCES) && (is_unconditional(case) || !case.has_key(&others)))
    {
        for service in services(case) {
            let message = format!("`{}` may do this for any account that asks it to", service.text);
            out.say(case, service.span, message, "add a condition on `aws:SourceArn` or `aws:SourceAccount`");
        }
    }
}

fn other_key(subject: &Subject<'_>, out: &mut Out) {
    if !matches!(subject.kind, PolicyKind::Resource | PolicyKind::KmsKey) {
        return;
    }
    let weak = [
        "aws:referer",
        "aws:useragent",
        "aws:sourceip",
        "aws:principalaccount",
        "aws:sourceowner",
        "aws:userid",
    ];
    for case in subject.allows().filter(|case| services(case).next().is_some() && !case.has_key(&SOURCES)) {
        for condition in &case.statement.conditions {
            if weak.contains(&condition.key.text.to_lowercase().as_str()) {
                let message = format!("`{}` does not say for whom the service acts", condition.key.text);
                out.say(
                    case,
                    condition.key.span,
                    message,
                    "use `aws:SourceArn`, `aws:SourceAccount` or `aws:SourceOrgID`",
                );
            }
        }
    }
}

/// A service is in no organisation and has no tags; a key that demands one never holds for it.
fn service_key(subject: &Subject<'_>, out: &mut Out) {
    let keys = [
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:username",
        "aws:multifactorauthpresent",
        "aws:multifactorauthage",
    ];
    for case in &subject.cases {
        let Some(element) = case.statement.principal.as_ref().filter(|element| !element.negated) else {
            continue;
        };
        if element.items.is_empty() || element.items.iter().any(|who| who.sort != WhoSort::Service) {
            continue;
        }
        for condition in &case.statement.conditions {
            let key = condition.key.text.to_lowercase();
            if keys.contains(&key.as_str()) || key.starts_with("aws:principaltag/") {
                let message = format!("requests of a service carry no `{}`", condition.key.text);
                out.say(
                    case,
                    condition.key.span,
                    message,
                    "use `aws:SourceOrgID` or `aws:SourceArn`, or remove it",
                );
            }
        }
    }
}
