//! Policies in resources, as the room `iam` reads them. What a deployment certainly has (its account, its region, the
//! ARN of a resource of the template) gets a stand-in; what could change the answer makes it unknown.

use crate::answer::{Spot, find};
use crate::node::{Edge, Node, Piece, Value};
use crate::resource::{Estate, Resource, State, cause};
use crate::unit::Case;
use iam::{Effect, Policy, Statement, WhoSort};
use serde_json::{Map, Value as Json};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// What stands for a part of a resource's ARN that is not known.
pub(crate) const UNKNOWN: &str = "wardmote-unknown";
pub(crate) const ACCOUNT: &str = "111122223333";
const OTHER_ACCOUNT: &str = "444455556666";

/// The part of a policy that a value is in.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Principal,
    Resource,
    Other,
}

/// Reads the policy of a property: an object, or a text of JSON.
///
/// The error says what is not known of it, or why it is no policy.
pub(crate) fn policy(case: &Case<'_>, node: &Node) -> Result<Rc<Policy>, String> {
    // The values of an estate stay where they are while it is scanned.
    let key = std::ptr::from_ref(node);
    if let Some(known) = case.read.0.borrow().get(&key) {
        return known.clone();
    }
    let read = policy_text(case.estate, node).and_then(|text| {
        Policy::parse("policy", &text).map(Rc::new).map_err(|wrong| {
            let said = wrong.0.first().map_or("it is no policy", |first| first.message.as_str());
            format!("the policy cannot be read: {said}")
        })
    });
    case.read.0.borrow_mut().insert(key, read.clone());
    read
}

/// Policies by the value that they were read from, because many controls ask of one.
#[derive(Default)]
pub(crate) struct Policies(RefCell<HashMap<*const Node, Result<Rc<Policy>, String>>>);

fn policy_text(estate: &Estate, node: &Node) -> Result<String, String> {
    match &node.value {
        Value::Text(text) => Ok(text.clone()),
        // A policy written as text, with references within it.
        Value::Open(pieces) if pieces.len() > 1 => {
            let part = |piece: &Piece| match piece {
                Piece::Text(known) => Ok(known.clone()),
                Piece::Pseudo(name) => Ok(pseudo(name).to_owned()),
                Piece::Edge(edge) => Ok(stand_in(estate, edge)),
                Piece::Hole(hole) => Err(format!("a part of the policy: {}", hole.cause)),
            };
            pieces.iter().map(part).collect()
        }
        Value::Map(_) => {
            let mut missing = None;
            let json = convert(estate, node, Part::Other, &mut missing);
            missing.map_or_else(|| Ok(json.to_string()), Err)
        }
        _ => Err(cause(node)),
    }
}

fn convert(estate: &Estate, node: &Node, part: Part, missing: &mut Option<String>) -> Json {
    match &node.value {
        Value::List(items) => items.iter().map(|item| convert(estate, item, part, missing)).collect(),
        Value::Map(members) => {
            let mut out = Map::new();
            for member in members {
                let part = match member.key.as_str() {
                    "Principal" | "NotPrincipal" => Part::Principal,
                    "Resource" | "NotResource" => Part::Resource,
                    "Condition" => Part::Other,
                    _ => part,
                };
                out.insert(member.key.clone(), convert(estate, &member.node, part, missing));
            }
            Json::Object(out)
        }
        Value::Open(pieces) => {
            let many = pieces.len() > 1;
            let mut text = String::new();
            for piece in pieces {
                match (piece, part) {
                    (Piece::Text(known), _) => text.push_str(known),
                    (Piece::Pseudo(name), _) => text.push_str(pseudo(name)),
                    (Piece::Edge(edge), _) => text.push_str(&stand_in(estate, edge)),
                    (Piece::Hole(_), Part::Resource) => text.push_str(UNKNOWN),
                    // A part of an ARN of a principal: whose it is, not whether it is everybody's.
                    (Piece::Hole(_), Part::Principal) if many => text.push_str(OTHER_ACCOUNT),
                    (Piece::Hole(hole), _) => {
                        missing.get_or_insert_with(|| format!("a part of the policy: {}", hole.cause));
                    }
                }
            }
            Json::String(text)
        }
        _ => node.to_json(&|_| String::new()),
    }
}

fn pseudo(name: &str) -> &'static str {
    match name {
        "AWS::AccountId" => ACCOUNT,
        "AWS::Region" => "us-east-1",
        "AWS::Partition" => "aws",
        "AWS::URLSuffix" => "amazonaws.com",
        _ => "stack",
    }
}

/// What a reference will be, so far as its form goes.
fn stand_in(estate: &Estate, edge: &Edge) -> String {
    let name = edge.to.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    let kind = estate.named(&edge.to).map_or("", |resource| resource.kind.as_str());
    let is_arn =
        edge.attribute.as_deref().is_some_and(|attribute| attribute.ends_with("Arn") || attribute == "arn");
    match kind {
        "AWS::S3::Bucket" if is_arn => format!("arn:aws:s3:::{}", name.to_lowercase()),
        "AWS::S3::Bucket" => name.to_lowercase(),
        "AWS::IAM::Role" if is_arn => format!("arn:aws:iam::{ACCOUNT}:role/{name}"),
        "AWS::IAM::User" if is_arn => format!("arn:aws:iam::{ACCOUNT}:user/{name}"),
        "AWS::KMS::Key" if is_arn => format!("arn:aws:kms:us-east-1:{ACCOUNT}:key/{name}"),
        "AWS::EC2::VPCEndpoint" => "vpce-0123456789abcdef0".to_owned(),
        "AWS::EC2::VPC" => "vpc-0123456789abcdef0".to_owned(),
        _ if is_arn => format!("arn:aws:service:us-east-1:{ACCOUNT}:{name}"),
        _ => name,
    }
}

/// A policy of an identity, where it stands, and what it is or why that is not known.
pub(crate) struct Document<'a> {
    pub(crate) spot: Spot<'a>,
    pub(crate) policy: Result<Rc<Policy>, String>,
}

/// The documents that a resource of IAM holds itself.
pub(crate) fn documents<'a>(case: &Case<'_>, resource: &'a Resource) -> Vec<Document<'a>> {
    let read = |(spot, node): (Spot<'a>, Result<&Node, String>)| Document {
        spot,
        policy: node.and_then(|node| policy(case, node)),
    };
    document_nodes(resource).into_iter().map(read).collect()
}

/// The same documents as texts.
pub(crate) fn document_texts<'a>(
    case: &Case<'_>,
    resource: &'a Resource,
) -> Vec<(Spot<'a>, Result<String, String>)> {
    let nodes = document_nodes(resource).into_iter();
    nodes.map(|(spot, node)| (spot, node.and_then(|node| policy_text(case.estate, node)))).collect()
}

fn document_nodes(resource: &Resource) -> Vec<(Spot<'_>, Result<&Node, String>)> {
    let mut all = Vec::new();
    let own = find(resource, "PolicyDocument");
    match own.state {
        State::Known(node) => all.push((own.spot, Ok(node))),
        State::Unknown(cause) => all.push((own.spot, Err(cause))),
        State::Absent => {}
    }
    let inline = find(resource, "Policies");
    if let Some(missing) = inline.missing() {
        all.push((inline.spot, Err(missing)));
        return all;
    }
    for (spot, item) in inline.items() {
        all.push((spot, item.get("PolicyDocument").ok_or_else(|| cause(item))));
    }
    all
}

/// Whether a pattern of actions or ARNs covers a text; both in any case.
pub(crate) fn covers(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.to_lowercase().chars().collect(), text.to_lowercase().chars().collect());
    let (mut p, mut t, mut star, mut mark) = (0, 0, None, 0);
    while t < text.len() {
        if p < pattern.len() && pattern[p] == '*' {
            star = Some(p);
            mark = t;
            p += 1;
        } else if p < pattern.len() && (pattern[p] == '?' || pattern[p] == text[t]) {
            p += 1;
            t += 1;
        } else if let Some(at) = star {
            p = at + 1;
            mark += 1;
            t = mark;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// Whether a statement's actions cover this one.
pub(crate) fn acts(statement: &Statement, action: &str) -> bool {
    statement.action.items.iter().any(|item| covers(&item.text, action)) != statement.action.negated
}

/// The statements that allow.
pub(crate) fn allows(policy: &Policy) -> impl Iterator<Item = &Statement> {
    policy.statements.iter().filter(|statement| statement.effect == Effect::Allow)
}

/// Whether a statement is for everything, by `*` or by an ARN whose resource part begins with `*` after `prefix`.
pub(crate) fn everything(statement: &Statement, prefix: &str) -> bool {
    let Some(resource) = &statement.resource else { return false };
    let wide = |text: &str| {
        let last = text.splitn(6, ':').nth(5).unwrap_or(text);
        text == "*" || last == "*" || last == format!("{prefix}*")
    };
    resource.negated || resource.items.iter().any(|item| wide(&item.text))
}

/// Whether a part of the resources of a statement is not known.
pub(crate) fn resource_unknown(statement: &Statement) -> bool {
    statement.resource.as_ref().is_some_and(|r| r.items.iter().any(|item| item.text.contains(UNKNOWN)))
}

/// The statement with everything that its unknown resources may be.
pub(crate) fn widest(statement: &Statement) -> Statement {
    let mut wide = statement.clone();
    for item in wide.resource.iter_mut().flat_map(|resource| resource.items.iter_mut()) {
        item.text = item.text.replace(UNKNOWN, "*");
    }
    wide
}

/// Whether the statement has a condition on one of these keys (in lower case).
pub(crate) fn conditioned(statement: &Statement, keys: &[&str]) -> bool {
    statement.conditions.iter().any(|condition| keys.contains(&condition.key.text.to_lowercase().as_str()))
}

/// Whether every statement that allows names identities or accounts of AWS one by one, so that nobody else gets in and
/// there is nothing to prove.
fn names_all(policy: &Policy) -> bool {
    let named = |who: &iam::Who| who.sort == WhoSort::Aws && !who.value.text.contains(['*', '?']);
    allows(policy).all(|statement| {
        statement
            .principal
            .as_ref()
            .is_some_and(|p| !p.negated && !p.items.is_empty() && p.items.iter().all(named))
    })
}

/// Whether everybody gets in by a resource's policy.
pub(crate) fn public(spot: Spot<'_>, policy: &Policy, s3: bool) -> crate::answer::Answer {
    if names_all(policy) {
        return spot.holds("nobody outside gets in by the policy: every statement that allows names who may");
    }
    if s3 && iam::is_public_by_s3(policy) {
        return spot.broken("S3 itself calls the policy public");
    }
    // A denial of which it is not known what it denies is no protection to rely on.
    let open = |statement: &Statement| statement.effect == Effect::Deny && resource_unknown(statement);
    let mut sure = policy.clone();
    sure.statements.retain(|statement| !open(statement));
    match iam::prove::no_public_access(&sure) {
        iam::prove::Proof::Witness(_) if sure.statements.len() < policy.statements.len() => {
            spot.unknown("what a statement with `Deny` is for: a part of its `Resource` is not known")
        }
        iam::prove::Proof::Proved => {
            spot.holds("nobody outside gets in by the policy; proved for all requests")
        }
        iam::prove::Proof::Witness(request) => {
            let who = match request.principal() {
                iam::Principal::Anonymous => "anybody, without signing in,",
                _ => "somebody of an account that it does not name",
            };
            spot.broken(format!("{who} may `{}` on `{}`", request.written_action(), request.resource()))
        }
        iam::prove::Proof::Unknown(why) => spot.unknown(why),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn patterns_cover() {
        for (pattern, text, yes) in [
            ("kms:*", "kms:Decrypt", true),
            ("kms:De?rypt*", "kms:decrypt", true),
            ("s3:Get*", "s3:PutObject", false),
            ("*", "", true),
        ] {
            assert_eq!(super::covers(pattern, text), yes, "{pattern} {text}");
        }
    }
}
