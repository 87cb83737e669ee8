//! Who is outside: what the context keys of somebody can be whom a policy does not name. He chooses freely what is in
//! his own hands, tags of his principals among it; he cannot come from a network, an organisation, an account or a
//! service that the policy names.

use super::keys::blocks;
use super::problem::{Formula, Piece, Pieces, is_multivalued};
use super::witness::Frame;
use crate::eval::{Clause, Program};
use crate::policy::{Condition, Operator, Test, Version};
use crate::request::Principal;
use crate::text::{Span, Spanned};
use crate::value::Block;

/// What an outsider can do about a key.
enum Hand {
    /// It is that of his account.
    Account,
    /// It is an ARN of his account, or one without an account.
    Arn,
    /// Any value that the policy does not name, or none.
    Unnamed,
    /// None: it is set for services only, or within networks of others.
    Absent,
    /// `false`.
    No,
}

/// The keys that an outsider does not have in his hands.
const KEYS: [(&str, Hand); 24] = [
    ("aws:principalaccount", Hand::Account),
    ("aws:principalarn", Hand::Arn),
    ("aws:principalorgid", Hand::Unnamed),
    ("aws:principalorgpaths", Hand::Unnamed),
    ("aws:userid", Hand::Unnamed),
    ("aws:principalisawsservice", Hand::No),
    ("aws:principalservicename", Hand::Absent),
    ("aws:principalservicenameslist", Hand::Absent),
    ("aws:sourceaccount", Hand::Account),
    ("aws:sourceowner", Hand::Account),
    ("aws:sourcearn", Hand::Arn),
    ("aws:sourceorgid", Hand::Unnamed),
    ("aws:sourceorgpaths", Hand::Unnamed),
    ("aws:sourcevpc", Hand::Unnamed),
    ("aws:sourcevpcarn", Hand::Arn),
    ("aws:sourcevpce", Hand::Unnamed),
    ("aws:vpcsourceip", Hand::Absent),
    ("aws:vpceaccount", Hand::Account),
    ("aws:vpceorgid", Hand::Unnamed),
    ("aws:vpceorgpaths", Hand::Unnamed),
    ("kms:calleraccount", Hand::Account),
    ("s3:dataaccesspointaccount", Hand::Account),
    ("s3:dataaccesspointarn", Hand::Arn),
    ("aws:ec2instancesourcevpc", Hand::Unnamed),
];

/// Keys that nobody has who did not sign the request.
const SIGNED: [&str; 6] = [
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:userid",
    "kms:calleraccount",
];

/// What must hold of the context keys that the policy asks about.
pub(super) fn outsider(pieces: &mut Pieces, program: &Program, frame: &Frame, account: &str) -> Vec<Formula> {
    let mut asked: Vec<&Clause> = program.statements.iter().flat_map(|s| s.conditions.iter()).collect();
    asked.sort_by(|a, b| a.key.cmp(&b.key));
    let mut keys: Vec<&str> = asked.iter().map(|clause| &*clause.key).collect();
    keys.dedup();
    let anonymous = frame.principal == Principal::Anonymous;
    let mut all = Vec::new();
    for key in keys {
        let hand = KEYS.iter().find(|(name, _)| *name == key).map(|(_, hand)| hand);
        let signed = SIGNED.contains(&key) || key.starts_with("aws:principaltag/") || key == "aws:username";
        if anonymous && signed {
            all.push(condition(pieces, "Null", key, &["true".to_owned()]));
        } else if key == "aws:sourceip" {
            all.extend(address(pieces, &asked));
        } else if let Some(hand) = hand {
            all.push(held(pieces, program, (key, hand), account));
        }
    }
    all
}

fn held(pieces: &mut Pieces, program: &Program, (key, hand): (&str, &Hand), account: &str) -> Formula {
    // All values of a key that has several, or the one of another, if there is one.
    let all_of = |operator: &str| {
        if is_multivalued(key) { format!("ForAllValues:{operator}") } else { format!("{operator}IfExists") }
    };
    match hand {
        Hand::Account => condition(pieces, &all_of("StringEquals"), key, &[account.to_owned()]),
        Hand::Arn => {
            let own = [format!("arn:*:*:*:{account}:*"), "arn:*:*:*::*".to_owned()];
            let mut all = vec![condition(pieces, &all_of("ArnLike"), key, &own)];
            all.push(condition(pieces, &all_of("StringNotEquals"), key, &named(program, key)));
            Formula::All(all)
        }
        Hand::Unnamed => {
            let mut all = vec![condition(pieces, &all_of("StringNotEquals"), key, &named(program, key))];
            let below: Vec<String> = named(program, key).iter().filter_map(|value| family(value)).collect();
            all.push(condition(pieces, &all_of("StringNotLike"), key, &below));
            Formula::All(all)
        }
        Hand::Absent => condition(pieces, "Null", key, &["true".to_owned()]),
        Hand::No => condition(pieces, "StringEquals", key, &["false".to_owned()]),
    }
}

/// The values of a key that the policy lists.
fn named(program: &Program, key: &str) -> Vec<String> {
    let conditions = program.source().statements.iter().flat_map(|statement| &statement.conditions);
    let about = conditions.filter(|condition| condition.key.text.eq_ignore_ascii_case(key));
    about.flat_map(|condition| &condition.values).map(|value| value.text.clone()).collect()
}

/// All values with the same owner: sessions of a role by its id, units of an organisation.
fn family(value: &str) -> Option<String> {
    let at = value.find([':', '/'])?;
    let owner = value.get(..at)?;
    let fixed = !owner.is_empty() && !owner.contains(['*', '?', '$']);
    fixed.then(|| format!("{}*", value.get(..=at).unwrap_or_default()))
}

/// An address outside of the blocks that are narrow enough to belong to somebody.
fn address(pieces: &mut Pieces, asked: &[&Clause]) -> Vec<Formula> {
    let private = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"].map(str::to_owned);
    let about = asked.iter().filter(|clause| &*clause.key == "aws:sourceip");
    let narrow = |block: &&Block| block.last - block.first < if block.v6 { 1 << 96 } else { 1 << 24 };
    let mut listed: Vec<String> =
        about.flat_map(|clause| blocks(clause)).filter(narrow).map(Block::written).collect();
    listed.extend(private);
    vec![condition(pieces, "NotIpAddress", "aws:sourceip", &listed)]
}

/// A condition of our own.
fn condition(pieces: &mut Pieces, operator: &str, key: &str, values: &[String]) -> Formula {
    let spanned = |text: &str| Spanned { text: text.to_owned(), span: Span::default() };
    let fallback =
        Test { operator: Operator::StringEquals, inverted: true, if_exists: true, quantifier: None };
    let condition = Condition {
        operator: spanned(operator),
        test: Some(Test::named(operator).unwrap_or(fallback)),
        key: spanned(key),
        values: values.iter().map(|value| spanned(value)).collect(),
    };
    match Clause::new(&condition, Version::V2008) {
        Some(clause) => pieces.piece(Piece::Condition(clause)),
        None => Formula::always(),
    }
}
