//! Passing roles to services, and making service-linked roles, wider than anybody means.

use super::subject::{Case, Covering, Out, Reach, Subject};
use super::unit::{Unit, unit};
use crate::policy::PolicyKind;

pub(super) const UNITS: &[Unit] = &[
    unit!("pass-role-not-resource", SecurityWarning, "iam:PassRole with NotResource", |s, o| pass(
        s,
        o,
        How::Name,
        Reach::Not
    )),
    unit!(
        "pass-role-star-action-not-resource",
        SecurityWarning,
        "iam:PassRole by a pattern, with NotResource",
        |s, o| {
            pass(s, o, How::Star, Reach::Not);
        }
    ),
    unit!(
        "pass-role-not-action-not-resource",
        SecurityWarning,
        "iam:PassRole by NotAction, with NotResource",
        |s, o| {
            pass(s, o, How::Not, Reach::Not);
        }
    ),
    unit!("pass-role-star-resource", SecurityWarning, "iam:PassRole for every role", |s, o| pass(
        s,
        o,
        How::Name,
        Reach::Open
    )),
    unit!(
        "pass-role-star-action-star-resource",
        SecurityWarning,
        "iam:PassRole by a pattern, for every role",
        |s, o| {
            pass(s, o, How::Star, Reach::Open);
        }
    ),
    unit!(
        "pass-role-not-action-star-resource",
        SecurityWarning,
        "iam:PassRole by NotAction, for every role",
        |s, o| {
            pass(s, o, How::Not, Reach::Open);
        }
    ),
    unit!("linked-role-not-resource", Warning, "iam:CreateServiceLinkedRole with NotResource", |s, o| {
        linked(s, o, How::Name, Reach::Not);
    }),
    unit!(
        "linked-role-star-action-not-resource",
        Warning,
        "iam:CreateServiceLinkedRole by a pattern, with NotResource",
        |s, o| {
            linked(s, o, How::Star, Reach::Not);
        }
    ),
    unit!(
        "linked-role-not-action-not-resource",
        Warning,
        "iam:CreateServiceLinkedRole by NotAction, with NotResource",
        |s, o| {
            linked(s, o, How::Not, Reach::Not);
        }
    ),
    unit!("linked-role-star-resource", Warning, "iam:CreateServiceLinkedRole for every role", |s, o| {
        linked(s, o, How::Name, Reach::Open);
    }),
    unit!(
        "linked-role-star-action-star-resource",
        Warning,
        "iam:CreateServiceLinkedRole by a pattern, for every role",
        |s, o| {
            linked(s, o, How::Star, Reach::Open);
        }
    ),
    unit!(
        "linked-role-not-action-star-resource",
        Warning,
        "iam:CreateServiceLinkedRole by NotAction, for every role",
        |s, o| {
            linked(s, o, How::Not, Reach::Open);
        }
    ),
];

/// How a statement comes to allow the action.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Name,
    Star,
    Not,
}

fn how(covering: Covering) -> How {
    match covering {
        Covering::Name(_) => How::Name,
        Covering::Star(_) => How::Star,
        Covering::Not(_) => How::Not,
    }
}

/// The statements of identities that allow an action in this way.
fn allowing<'s, 'p>(
    subject: &'s Subject<'p>,
    action: &'static str,
    (wanted, reach): (How, Reach),
) -> impl Iterator<Item = &'s Case<'p>> {
    let of_caller = subject.kind == PolicyKind::Identity;
    subject.allows().filter(move |case| {
        of_caller
            && case.reach() == reach
            && case.covering(action).is_some_and(|covering| how(covering) == wanted)
    })
}

fn pass(subject: &Subject<'_>, out: &mut Out, wanted: How, reach: Reach) {
    for case in allowing(subject, "iam:PassRole", (wanted, reach)) {
        if case.demands(&["iam:passedtoservice", "iam:associatedresourcearn"]) {
            continue;
        }
        let message = "any role of the account can be handed to a service, an administrator's too".to_owned();
        let help = "name the roles, and add a condition on `iam:PassedToService`";
        out.say(case, case.span_of("iam:PassRole"), message, help);
    }
}

fn linked(subject: &Subject<'_>, out: &mut Out, wanted: How, reach: Reach) {
    for case in allowing(subject, "iam:CreateServiceLinkedRole", (wanted, reach)) {
        if case.demands(&["iam:awsservicename"]) {
            continue;
        }
        let message = "a service-linked role can be made for every service".to_owned();
        let help = "name the role, `arn:aws:iam::*:role/aws-service-role/SERVICE/*`, or add a condition on `iam:AWSServiceName`";
        out.say(case, case.span_of("iam:CreateServiceLinkedRole"), message, help);
    }
}
