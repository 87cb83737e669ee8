//! What is proved about callers, against a small world of callers who have the keys that AWS gives them; and every
//! witness must be somebody who can exist.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "random/dice.rs"]
mod dice;

use dice::Dice;
use iam::prove::{Grants, Proof, access_not_granted};
use iam::{Context, Layers, Outcome, Policy, PolicyKind, Principal, Program, Request, Values, decide};
use serde_json::{Value, json};

const ONE: &str = "123456789012";
const TWO: &str = "210987654321";

/// A caller, his ARN as a key, his type, id and name.
type Somebody = (&'static str, Option<&'static str>, &'static str, &'static str, Option<&'static str>);

const WORLD: [Somebody; 8] = [
    (
        "arn:aws:iam::123456789012:user/ann",
        Some("arn:aws:iam::123456789012:user/ann"),
        "User",
        "AIDAANN",
        Some("ann"),
    ),
    (
        "arn:aws:iam::123456789012:user/bob",
        Some("arn:aws:iam::123456789012:user/bob"),
        "User",
        "AIDABOB",
        Some("bob"),
    ),
    (
        "arn:aws:sts::123456789012:assumed-role/Admin/x",
        Some("arn:aws:iam::123456789012:role/ops/Admin"),
        "AssumedRole",
        "AROAADMIN:x",
        None,
    ),
    ("arn:aws:iam::123456789012:root", Some("arn:aws:iam::123456789012:root"), "Account", ONE, None),
    (
        "arn:aws:iam::210987654321:user/ann",
        Some("arn:aws:iam::210987654321:user/ann"),
        "User",
        "AIDATWO",
        Some("ann"),
    ),
    ("arn:aws:iam::210987654321:root", Some("arn:aws:iam::210987654321:root"), "Account", TWO, None),
    (
        "arn:aws:sts::210987654321:federated-user/eve",
        Some("arn:aws:sts::210987654321:federated-user/eve"),
        "FederatedUser",
        "210987654321:eve",
        None,
    ),
    ("", None, "Anonymous", "anonymous", None),
];

fn requests() -> Vec<Request> {
    let request = |(name, arn, kind, id, username): &Somebody| {
        let principal = if name.is_empty() { Principal::Anonymous } else { Principal::parse(name) };
        let account = principal.account().unwrap_or("anonymous").to_owned();
        let mut context = Context::default();
        let mut set = |key: &str, value: &str| context.set(key, Values::One(value.into()));
        set("aws:PrincipalAccount", &account);
        set("aws:PrincipalType", kind);
        set("aws:userid", id);
        if let Some(arn) = arn {
            set("aws:PrincipalArn", arn);
            set("aws:PrincipalIsAWSService", "false");
        }
        if let Some(username) = username {
            set("aws:username", username);
        }
        Request::new(principal, "s3:GetObject", "arn:aws:s3:::data/a", Some("000000000000"), context).unwrap()
    };
    WORLD.iter().map(request).collect()
}

fn statement(dice: &mut Dice) -> Value {
    let principal = dice.pick(&[
        json!("*"),
        json!("*"),
        json!({"AWS": ONE}),
        json!({"AWS": "arn:aws:iam::123456789012:user/ann"}),
        json!({"AWS": ["arn:aws:iam::123456789012:role/ops/Admin", TWO]}),
    ]);
    let mut conditions = serde_json::Map::new();
    for _ in 0..dice.pick(&[0, 1, 1, 2, 2]) {
        let (operator, key, value) = dice.pick(&[
            ("StringEquals", "aws:PrincipalAccount", json!(ONE)),
            ("StringNotEquals", "aws:PrincipalAccount", json!([ONE, "anonymous"])),
            ("StringEquals", "aws:PrincipalAccount", json!(["anonymous", TWO])),
            ("ArnEquals", "aws:PrincipalArn", json!("arn:aws:iam::123456789012:role/ops/Admin")),
            ("ArnLike", "aws:PrincipalArn", json!("arn:aws:iam::*:user/ann")),
            ("ArnNotLike", "aws:PrincipalArn", json!(["arn:aws:iam::*:user/*", "arn:aws:iam::*:root"])),
            ("StringLike", "aws:PrincipalArn", json!("*:root")),
            ("StringEquals", "aws:PrincipalType", json!(["User", "Anonymous"])),
            ("StringNotEquals", "aws:PrincipalType", json!("AssumedRole")),
            ("StringLike", "aws:userid", json!("*:*")),
            ("StringEquals", "aws:userid", json!(ONE)),
            ("StringNotLike", "aws:userid", json!(["AIDA*", "AROA*"])),
            ("Null", "aws:username", json!("false")),
            ("StringEquals", "aws:username", json!("ann")),
            ("Bool", "aws:PrincipalIsAWSService", json!("false")),
            ("Null", "aws:PrincipalArn", json!("true")),
        ]);
        let keys = conditions.entry(operator).or_insert_with(|| json!({}));
        keys.as_object_mut().unwrap().insert(key.to_owned(), value);
    }
    let effect = if dice.below(3) == 0 { "Deny" } else { "Allow" };
    json!({"Effect": effect, "Principal": principal, "Action": "s3:GetObject", "Resource": "*", "Condition": conditions})
}

/// Whether the keys of a witness can be those of its caller.
fn can_exist(request: &Request) -> Result<(), String> {
    let json = iam::request_json(request);
    let key = |name: &str| json["context"].as_object()?.get(name)?.as_str().map(str::to_owned);
    let check = |name: &str, fits: bool| fits.then_some(()).ok_or_else(|| format!("{name}: {json}"));
    let principal = request.principal();
    let aws = matches!(principal, Principal::Aws(_));
    if let Some(account) = key("aws:PrincipalAccount") {
        let own = principal.account().map(str::to_owned);
        check("account", own.is_none_or(|own| own == account))?;
        check("anonymous", (*principal == Principal::Anonymous) == (account == "anonymous"))?;
    }
    let name = json["principal"].as_str().unwrap_or_default().to_owned();
    if let (Some(arn), true) = (key("aws:PrincipalArn"), aws) {
        let last = |text: &str, at: usize| text.split(['/']).nth(at).map(str::to_owned);
        let role = last(&name, 1).filter(|_| name.contains(":assumed-role/"));
        check("arn", role.map_or_else(|| arn == name, |role| arn.ends_with(&format!("/{role}"))))?;
    }
    if let (Some(kind), true) = (key("aws:PrincipalType"), aws) {
        let part = match kind.as_str() {
            "User" => ":user/",
            "AssumedRole" => "role/",
            "FederatedUser" => ":federated-user/",
            "Account" => ":root",
            _ => return Err(format!("type: {json}")),
        };
        check("type", name.contains(part))?;
    }
    Ok(())
}

#[test]
fn what_is_proved_of_callers_holds_for_each_of_a_small_world() {
    let mut dice = Dice(11);
    let (mut proved, mut shown, mut unknown) = (0, 0, 0);
    for _ in 0..600 {
        let statements: Vec<Value> = (0..=dice.below(2)).map(|_| statement(&mut dice)).collect();
        let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        let policy = Policy::parse("policy", &text).unwrap();
        let bucket = Program::new(policy, PolicyKind::Resource);
        let layers = Layers { resource: Some(bucket), ..Layers::default() };
        let mut free = layers.clone();
        let all =
            r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;
        free.identity = vec![Program::new(Policy::parse("all", all).unwrap(), PolicyKind::Identity)];
        match access_not_granted(&layers, &Grants::default(), Some("111122223333")) {
            Proof::Proved => {
                proved += 1;
                for request in requests() {
                    assert_ne!(
                        decide(&free, &request).outcome,
                        Outcome::Allowed,
                        "{} {text}",
                        iam::request_json(&request)
                    );
                }
            }
            Proof::Witness(request) => {
                shown += 1;
                if let Err(why) = can_exist(&request) {
                    panic!("{why}\n{text}");
                }
            }
            Proof::Unknown(_) => unknown += 1,
        }
    }
    assert!(proved > 60 && shown > 60 && unknown <= 6, "{proved} proved, {shown} shown, {unknown} unknown");
}
