//! The six fields of the ARNs in `Resource` and `NotResource`.

use super::catalogue::{Shape, did_you_mean, nearest, open_variables, shapes};
use super::facts::facts;
use super::glob;
use super::subject::{Case, Out, Subject};
use super::unit::{Unit, unit};
use crate::catalog::catalog;
use crate::policy::{PolicyKind, Version};
use crate::request::is_account;
use crate::text::Spanned;
use crate::value::pattern_fields;

pub(super) const UNITS: &[Unit] = &[
    unit!("arn-prefix", Error, "A resource that does not begin with `arn:`", prefix),
    unit!("arn-fields", Error, "An ARN with fewer than six fields", |s, o| short(s, o, false)),
    unit!("arn-completed", Warning, "A short ARN, which IAM completes with wildcards", |s, o| short(
        s, o, true
    )),
    unit!("arn-partition", Error, "An ARN of a partition that does not exist", partition),
    unit!("arn-service-case", Error, "The service of an ARN is not in lower case", service_case),
    unit!("arn-service-unknown", Error, "An ARN of a service that does not exist", service_unknown),
    unit!("arn-service-wildcard", Error, "A wildcard in the service of an ARN", service_wild),
    unit!("arn-region", Error, "An ARN of a Region that does not exist", region),
    unit!("arn-region-not-allowed", Error, "A Region in an ARN that has none", |s, o| field(s, o, 3, true)),
    unit!("arn-region-missing", Error, "An ARN without its Region", |s, o| field(s, o, 3, false)),
    unit!("arn-account", Error, "The account of an ARN is not twelve digits", account),
    unit!("arn-account-not-allowed", Error, "An account in an ARN that has none", |s, o| field(
        s, o, 4, true
    )),
    unit!("arn-account-missing", Error, "An ARN without its account", |s, o| field(s, o, 4, false)),
    unit!("arn-resource", Error, "An ARN that fits no type of resource of its service", resource),
];

/// Every listed resource but `*`, with its fields.
pub(super) fn arns<'s, 'p>(
    subject: &'s Subject<'p>,
) -> impl Iterator<Item = (&'s Case<'p>, &'p Spanned, Vec<&'p str>)> {
    let variables = subject.policy.version == Version::V2012;
    subject.cases.iter().flat_map(move |case| {
        let items = case.statement.resource.iter().flat_map(|element| &element.items);
        let named = items.filter(|item| item.text.is_empty() || !item.text.bytes().all(|byte| byte == b'*'));
        named.map(move |item| (case, item, pattern_fields(&item.text, variables)))
    })
}

/// Those with all six fields.
fn full<'s, 'p>(subject: &'s Subject<'p>) -> impl Iterator<Item = (&'s Case<'p>, &'p Spanned, [&'p str; 6])> {
    arns(subject).filter_map(|(case, item, fields)| {
        let fields: [&str; 6] = fields.try_into().ok()?;
        (fields[0] == "arn").then_some((case, item, fields))
    })
}

fn is_plain(field: &str) -> bool {
    !field.is_empty() && !glob::is_wild(field) && !field.contains("${")
}

fn prefix(subject: &Subject<'_>, out: &mut Out) {
    for (case, item, fields) in arns(subject) {
        if fields[0] != "arn"
            && !(fields.len() == 1
                && item.text.ends_with('*')
                && "arn:".starts_with(&item.text.replace('*', "")))
        {
            let message = format!("`{}` is no ARN", item.text);
            out.say(
                case,
                item.span,
                message,
                "write `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`, or `*` alone",
            );
        }
    }
}

/// In policies of identities a short ARN is completed; elsewhere it matches nothing unless it has a wildcard.
fn short(subject: &Subject<'_>, out: &mut Out, completed: bool) {
    for (case, item, fields) in arns(subject).filter(|(_, _, fields)| fields.len() < 6 && fields[0] == "arn")
    {
        let wild = match subject.kind {
            PolicyKind::Identity | PolicyKind::Boundary | PolicyKind::Session => true,
            PolicyKind::Rcp => false,
            _ => glob::is_wild(&item.text),
        };
        if wild != completed {
            continue;
        }
        let count = fields.len();
        let (message, help) = match completed {
            true => (
                format!("`{}` has {count} fields and is read as `{}`", item.text, complete(&fields)),
                "write the fields out",
            ),
            false => (
                format!("`{}` has {count} fields and matches no resource", item.text),
                "an ARN is `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`",
            ),
        };
        out.say(case, item.span, message, help);
    }
}

fn complete(fields: &[&str]) -> String {
    let mut fields = fields.to_vec();
    fields.resize(6, "*");
    fields.join(":")
}

fn partition(subject: &Subject<'_>, out: &mut Out) {
    for (case, item, fields) in arns(subject) {
        let Some(partition) =
            fields.get(1).filter(|p| fields[0] == "arn" && !glob::is_wild(p) && !p.contains("${"))
        else {
            continue;
        };
        if !facts().is_partition(partition) {
            let message = format!("there is no partition `{partition}`");
            out.say(case, item.span, message, "it is `aws`, in China `aws-cn`, in GovCloud `aws-us-gov`");
        }
    }
}

fn service_case(subject: &Subject<'_>, out: &mut Out) {
    for (case, item, fields) in full(subject).filter(|(_, _, fields)| is_plain(fields[2])) {
        let lower = fields[2].to_ascii_lowercase();
        if lower != fields[2] && !shapes(&lower).is_empty() {
            let message = format!("the service `{}` is in capitals and matches no resource", fields[2]);
            out.say(case, item.span, message, &format!("write `{lower}`"));
        }
    }
}

fn service_unknown(subject: &Subject<'_>, out: &mut Out) {
    for (case, item, fields) in full(subject).filter(|(_, _, fields)| is_plain(fields[2])) {
        let lower = fields[2].to_ascii_lowercase();
        if shapes(&lower).is_empty() && catalog().service(&lower).is_none() {
            let near = nearest(&lower, catalog().services().map(|service| service.prefix()));
            let help = did_you_mean(&near, "", "the third field of an ARN is the prefix of the service");
            out.say(case, item.span, format!("there is no service `{}`", fields[2]), &help);
        }
    }
}

fn service_wild(subject: &Subject<'_>, out: &mut Out) {
    for (case, item, fields) in full(subject).filter(|(_, _, fields)| glob::is_wild(fields[2])) {
        let message = format!("`{}` has a wildcard in its service and matches no resource", item.text);
        let help = format!("name the service in the place of `{}`, or write `*` alone", fields[2]);
        out.say(case, item.span, message, &help);
    }
}

fn region(subject: &Subject<'_>, out: &mut Out) {
    for (case, item, fields) in full(subject).filter(|(_, _, fields)| is_plain(fields[3])) {
        if !facts().is_region(fields[3]) {
            let message = format!("there is no Region `{}`", fields[3]);
            out.say(case, item.span, message, &format!("Regions are known as of {}", facts().as_of()));
        }
    }
}

fn account(subject: &Subject<'_>, out: &mut Out) {
    for (case, item, fields) in full(subject).filter(|(_, _, fields)| is_plain(fields[4])) {
        let named = matches!(fields[4], "aws" | "aws-managed" | "third-party" | "cloudfront" | "public");
        let foreseen = shapes(fields[2]).iter().any(|shape| shape[4] == fields[4]);
        if !is_account(fields[4]) && !named && !foreseen {
            let message = format!("`{}` is no account", fields[4]);
            out.say(case, item.span, message, "an account is twelve digits");
        }
    }
}

/// The shapes that the last field of an ARN fits.
fn candidates(fields: &[&str; 6]) -> Vec<&'static Shape> {
    let last = open_variables(fields[5], "*");
    shapes(fields[2]).iter().filter(|shape| glob::overlaps(&last, &shape[5])).collect()
}

/// Region or account, which a type of resource has or has not.
fn field(subject: &Subject<'_>, out: &mut Out, at: usize, superfluous: bool) {
    let what = if at == 3 { "Region" } else { "account" };
    for (case, item, fields) in full(subject) {
        let candidates = candidates(&fields);
        let written = fields[at];
        let wrong = match superfluous {
            true => {
                !written.is_empty()
                    && !glob::covers(written, "")
                    && candidates.iter().all(|shape| shape[at].is_empty())
            }
            false => written.is_empty() && candidates.iter().all(|shape| !glob::covers(&shape[at], "")),
        };
        if candidates.is_empty() || !wrong {
            continue;
        }
        let (message, help) = match superfluous {
            true => (
                format!("such an ARN of `{}` has no {what}, so this one matches nothing", fields[2]),
                format!("leave the field `{written}` empty"),
            ),
            false => (
                format!("such an ARN of `{}` has an {what}, so this one matches nothing", fields[2])
                    .replace("an Region", "a Region"),
                format!("write the {what}, or `*`"),
            ),
        };
        out.say(case, item.span, message, &help);
    }
}

fn resource(subject: &Subject<'_>, out: &mut Out) {
    for (case, item, fields) in full(subject).filter(|(_, _, fields)| is_plain(fields[2])) {
        if shapes(fields[2]).is_empty() || !candidates(&fields).is_empty() {
            continue;
        }
        let kinds: Vec<&str> =
            shapes(fields[2]).iter().filter_map(|shape| shape[5].split(['/', ':']).next()).collect();
        let written = fields[5].split(['/', ':']).next().unwrap_or_default();
        let near = nearest(written, kinds.into_iter().filter(|kind| !glob::is_wild(kind)));
        let near: Vec<&str> = near.into_iter().fold(Vec::new(), |mut seen, name| {
            if !seen.contains(&name) {
                seen.push(name);
            }
            seen
        });
        let message = format!("`{}` is no resource of `{}`", fields[5], fields[2]);
        let help = did_you_mean(
            &near,
            "",
            "see the resource types of the service in the Service Authorization Reference",
        );
        out.say(case, item.span, message, &help);
    }
}
