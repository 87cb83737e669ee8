//! Which callers a policy tells apart: the principals it names, sessions of its roles, somebody else of an account that
//! it names, and somebody of whom it knows nothing.

use crate::eval::{Level, Program, WhoTest};
use crate::policy::WhoSort;
use crate::request::{AwsPrincipal, AwsSort, Principal};

/// An account that no policy here names.
pub(super) fn stranger(programs: &[&Program]) -> String {
    let named = |account: &str| programs.iter().any(|program| mentions(program, account));
    let mut digit = 999_999_999_999_u64;
    while named(&digit.to_string()) {
        digit -= 1;
    }
    digit.to_string()
}

/// Whether the text stands anywhere in the policy.
fn mentions(program: &Program, text: &str) -> bool {
    let policy = program.source();
    policy.statements.iter().any(|statement| {
        let principals = statement.principal.iter().flat_map(|p| &p.items).map(|who| &who.value);
        let resources = statement.resource.iter().flat_map(|r| &r.items);
        let values = statement.conditions.iter().flat_map(|c| &c.values);
        principals.chain(resources).chain(values).any(|value| value.text.contains(text))
    })
}

/// One caller of every sort that the policies tell apart, the usual ones first.
pub(super) fn representatives(programs: &[&Program]) -> Vec<Principal> {
    let stranger = stranger(programs);
    let mut all = vec![Principal::parse(&format!("arn:aws:iam::{stranger}:user/somebody"))];
    let listed = programs.iter().flat_map(|program| &program.statements).filter_map(|s| s.principal.as_ref());
    for who in listed.flat_map(|test| &test.items) {
        match who {
            WhoTest::Everyone | WhoTest::Nobody => {}
            WhoTest::Account(account) => {
                all.push(Principal::parse(&format!("arn:aws:iam::{account}:user/somebody")));
                all.push(Principal::parse(&format!("arn:aws:iam::{account}:root")));
            }
            WhoTest::Aws(aws) => all.extend(relatives(aws)),
            WhoTest::Name(WhoSort::Service, name) => all.push(Principal::Service(name.clone())),
            WhoTest::Name(_, name) => all.push(Principal::Other(name.clone())),
        }
    }
    all.push(Principal::Anonymous);
    all.push(Principal::Service("somebody.amazonaws.com".into()));
    all.push(Principal::Other("somebody".into()));
    distinct(all, programs)
}

/// The principal, its sessions, and somebody else of its account.
fn relatives(aws: &AwsPrincipal) -> Vec<Principal> {
    let (partition, account) = (&aws.partition, &aws.account);
    let somebody = Principal::parse(&format!("arn:{partition}:iam::{account}:user/somebody"));
    let mut all = vec![Principal::Aws(aws.clone())];
    let session = match &aws.sort {
        AwsSort::Role { name, .. } => {
            Some(format!("arn:{partition}:sts::{account}:assumed-role/{name}/somebody"))
        }
        AwsSort::User { name } => Some(format!("arn:{partition}:sts::{account}:federated-user/{name}")),
        _ => None,
    };
    all.extend(session.map(|arn| Principal::parse(&arn)));
    all.push(somebody);
    all
}

/// Of callers that every statement means equally closely, the first.
fn distinct(all: Vec<Principal>, programs: &[&Program]) -> Vec<Principal> {
    let mut seen: Vec<Vec<Level>> = Vec::new();
    let statements: Vec<_> = programs.iter().flat_map(|program| &program.statements).collect();
    let mut kept = Vec::new();
    for principal in all {
        let signature: Vec<Level> = statements.iter().map(|s| s.level(&principal, false)).collect();
        if !seen.contains(&signature) {
            seen.push(signature);
            kept.push(principal);
        }
    }
    kept
}
