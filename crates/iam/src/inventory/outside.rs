//! Whom the policy of a resource lets in who is not in the inventory. Of a principal of AWS only that side is known; of
//! a service, and of somebody who does not sign at all, there is no other.

use super::answer::{Access, Verdict};
use super::facts::{self, Caller, Known};
use super::hear::{About, Asked, Prepared};
use super::{Inventory, Target};
use crate::policy::{Effect, Who, WhoSort};
use crate::request::{Context, Principal, Values, is_account};

/// An account that nobody has, for a principal of which nothing is known.
const NO_ACCOUNT: &str = "000000000000";

/// Adds them, in the order of the policy.
pub(super) fn accesses<'i>(
    inventory: &'i Inventory,
    target: Target<'_, 'i>,
    (asked, about): (&Asked<'i>, &About),
    all: &mut Vec<Access>,
) {
    let inside = all.len();
    let Some(program) = &target.resource.layers.resource else { return };
    let allowing = about.iter().filter_map(|(at, _)| program.source().statements.get(*at));
    let allowing = allowing.filter(|statement| statement.effect == Effect::Allow);
    for who in allowing.filter_map(|statement| statement.principal.as_ref()).flat_map(|p| &p.items) {
        for (name, caller, context, caller_sort) in named(inventory, who, asked) {
            if all.iter().skip(inside).any(|access| access.principal == name) {
                continue;
            }
            let known = Known {
                caller: caller_sort,
                principal_tags: false,
                resource_tags: false,
                organization: inventory.organization.is_some(),
                class: false,
            };
            let undecided = matches!(caller, Principal::Aws(_));
            let mut prepared = Prepared::outsider(asked, caller, (context, known));
            let access = prepared.access(inventory, target, about);
            if access.verdict != Verdict::Denied {
                let verdict = if undecided { Verdict::Undecided } else { access.verdict };
                all.push(Access { principal: name, verdict, ..access });
            }
        }
    }
}

type Named = (String, Principal, Context, Caller);

/// Who is meant, as far as not in the inventory.
fn named(inventory: &Inventory, who: &Who, asked: &Asked<'_>) -> Vec<Named> {
    let text = who.value.text.as_str();
    let somebody = |account: &str, mut context: Context| {
        context.set("aws:PrincipalIsAWSService", Values::One("false".into()));
        (Principal::parse(&format!("arn:aws:iam::{account}:role/somebody")), context, Caller::Somebody)
    };
    if who.is_everyone() {
        let nobody = Principal::Anonymous;
        let context = facts::of_caller(&nobody, asked.context);
        let (caller, open, sort) = somebody(NO_ACCOUNT, facts::base(asked.context));
        return vec![
            ("anonymous".to_owned(), nobody, context, Caller::Anonymous),
            ("any principal of another account".to_owned(), caller, open, sort),
        ];
    }
    let caller = Principal::parse(text);
    let context = facts::of_caller(&caller, asked.context);
    match (who.sort, &caller) {
        (WhoSort::Service, _) => vec![(text.to_owned(), caller, context, Caller::Service)],
        (WhoSort::Aws, Principal::Aws(aws)) => {
            let account = aws.account();
            if is_account(text) || text.ends_with(":root") {
                if inventory.accounts.contains_key(account) {
                    return Vec::new();
                }
                let mut context = facts::base(asked.context);
                context.set("aws:PrincipalAccount", Values::One(account.into()));
                let (caller, context, sort) = somebody(account, context);
                return vec![(format!("any principal of account {account}"), caller, context, sort)];
            }
            if inventory.knows(aws) {
                return Vec::new();
            }
            vec![(text.to_owned(), caller, context, Caller::Named)]
        }
        (WhoSort::Federated | WhoSort::CanonicalUser, _) => {
            vec![(text.to_owned(), Principal::Other(text.into()), context, Caller::Somebody)]
        }
        _ => Vec::new(),
    }
}
