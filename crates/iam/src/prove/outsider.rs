//! Who is outside: what the context keys of somebody can be whom a policy does not name. He chooses freely what is in
//! his own hands, tags of his principals among it; he cannot come from a network, an organisation, an account or a
//! service that the policy names.

use super::conditions::{Asked, condition, listed};
use super::keys::blocks;
use super::problem::{Formula, Pieces, is_multivalued};
use crate::eval::Program;
use crate::value::Block;

/// What an outsider can do about a key.
enum Hand {
    /// It is that of his account.
    Account,
    /// It is an ARN of his account, or one without an account.
    Arn,
    /// Any value that the policy does not name, or none.
    Unnamed,
}

/// The keys that an outsider does not have in his hands, beside those about the caller. `aws:VpcSourceIp` is no such
/// key: everybody can make a network with the same private addresses.
const KEYS: [(&str, Hand); 17] = [
    ("aws:principalorgid", Hand::Unnamed),
    ("aws:principalorgpaths", Hand::Unnamed),
    ("aws:userid", Hand::Unnamed),
    ("aws:sourceaccount", Hand::Account),
    ("aws:sourceowner", Hand::Account),
    ("aws:sourcearn", Hand::Arn),
    ("aws:sourceorgid", Hand::Unnamed),
    ("aws:sourceorgpaths", Hand::Unnamed),
    ("aws:sourcevpc", Hand::Unnamed),
    ("aws:sourcevpcarn", Hand::Arn),
    ("aws:sourcevpce", Hand::Unnamed),
    ("aws:vpceaccount", Hand::Account),
    ("aws:vpceorgid", Hand::Unnamed),
    ("aws:vpceorgpaths", Hand::Unnamed),
    ("s3:dataaccesspointaccount", Hand::Account),
    ("s3:dataaccesspointarn", Hand::Arn),
    ("aws:ec2instancesourcevpc", Hand::Unnamed),
];

/// What must hold of the context keys that the policies ask about. `caller` is his account, unless he is anonymous;
/// then keys about the caller are not looked at.
pub(super) fn outsider(
    pieces: &mut Pieces,
    programs: &[&Program],
    asked: &Asked,
    (caller, account): (Option<&str>, &str),
) -> Vec<Formula> {
    let mut all = Vec::new();
    for key in asked.iter() {
        let hand = KEYS.iter().find(|(name, _)| *name == key).map(|(_, hand)| hand);
        let about_caller = key.starts_with("aws:principal") || key == "aws:userid";
        if caller.is_none() && about_caller {
            continue;
        }
        if key == "aws:sourceip" {
            all.push(address(pieces, programs));
        } else if let Some(hand) = hand {
            all.push(held(pieces, programs, (key, hand), account));
        }
    }
    all
}

fn held(pieces: &mut Pieces, programs: &[&Program], (key, hand): (&str, &Hand), account: &str) -> Formula {
    // All values of a key that has several, or the one of another, if there is one.
    let all_of = |operator: &str| {
        if is_multivalued(key) { format!("ForAllValues:{operator}") } else { format!("{operator}IfExists") }
    };
    let named: Vec<&str> = listed(programs, key).collect();
    match hand {
        Hand::Account => condition(pieces, &all_of("StringEquals"), key, &[account]),
        Hand::Arn => {
            let own = [format!("arn:*:*:*:{account}:*"), "arn:*:*:*::*".to_owned()];
            let mut all = vec![condition(pieces, &all_of("ArnLike"), key, &own)];
            all.push(condition(pieces, &all_of("StringNotEquals"), key, &named));
            Formula::All(all)
        }
        Hand::Unnamed => {
            let mut all = vec![condition(pieces, &all_of("StringNotEquals"), key, &named)];
            let below: Vec<String> = named.iter().filter_map(|value| family(value)).collect();
            all.push(condition(pieces, &all_of("StringNotLike"), key, &below));
            Formula::All(all)
        }
    }
}

/// All values with the same owner: sessions of a role by its id, units of an organisation.
fn family(value: &str) -> Option<String> {
    let at = value.find([':', '/'])?;
    let owner = value.get(..at)?;
    let fixed = !owner.is_empty() && !owner.contains(['*', '?', '$']);
    fixed.then(|| format!("{}*", value.get(..=at).unwrap_or_default()))
}

/// An address outside of the blocks that are narrow enough to belong to somebody.
fn address(pieces: &mut Pieces, programs: &[&Program]) -> Formula {
    let private = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"].map(str::to_owned);
    let clauses = programs.iter().flat_map(|program| &program.statements).flat_map(|s| s.conditions.iter());
    let about = clauses.filter(|clause| &*clause.key == "aws:sourceip");
    let narrow = |block: &&Block| block.last - block.first < if block.v6 { 1 << 96 } else { 1 << 24 };
    let mut listed: Vec<String> = about.flat_map(blocks).filter(narrow).map(Block::written).collect();
    listed.extend(private);
    condition(pieces, "NotIpAddress", "aws:sourceip", &listed)
}
