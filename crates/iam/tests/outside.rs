//! Who is outside, and what follows from who somebody is: questions with one right answer each.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use iam::prove::{
    Grants, Proof, access_not_granted, no_new_access_within, no_public_access, no_public_access_within,
};
use iam::{Layers, OrganizationLevel, Policy, PolicyKind, Program};
use serde_json::{Value, json};

fn policy(statements: &Value) -> Policy {
    let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    Policy::parse("policy", &text).unwrap()
}

/// A bucket policy that lets everybody read under these conditions.
fn read_if(condition: &Value) -> Policy {
    policy(&json!([{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::data/*", "Condition": condition}]))
}

fn public_if(condition: &Value) -> Proof {
    no_public_access(&read_if(condition))
}

fn shown(proof: &Proof) -> Value {
    match proof {
        Proof::Witness(request) => iam::request_json(request),
        other => panic!("no witness: {other:?}"),
    }
}

#[test]
fn the_keys_of_nobody_are_those_that_aws_gives_him() {
    for condition in [
        json!({"StringEquals": {"aws:PrincipalAccount": "anonymous"}}),
        json!({"StringEquals": {"aws:userid": "anonymous"}}),
        json!({"StringEquals": {"aws:PrincipalType": "Anonymous"}}),
        json!({"Null": {"aws:PrincipalArn": "true"}}),
    ] {
        assert_eq!(shown(&public_if(&condition))["principal"]["type"], "Anonymous", "{condition}");
    }
    for condition in [
        json!({"Null": {"aws:PrincipalAccount": "true"}}),
        json!({"Null": {"aws:userid": "true"}}),
        json!({"Null": {"aws:SecureTransport": "true"}}),
        json!({"StringEquals": {"aws:PrincipalType": "Nobody"}}),
        json!({"Null": {"aws:PrincipalArn": "true"}, "Bool": {"aws:PrincipalIsAWSService": "false"}}),
        json!({"Bool": {"aws:PrincipalIsAWSService": "true"}}),
    ] {
        assert_eq!(public_if(&condition), Proof::Proved, "{condition}");
    }
}

#[test]
fn who_is_outside_has_a_caller_s_keys() {
    let arn = shown(&public_if(&json!({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/Admin"}})));
    assert_eq!(arn["principal"], "arn:aws:sts::999999999999:assumed-role/Admin/somebody");
    let kinds = json!({"StringEquals": {"aws:PrincipalType": "User"}, "Null": {"aws:username": "true"}});
    assert_eq!(public_if(&kinds), Proof::Proved);
    let root = json!({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111111111111:*"}});
    assert_eq!(public_if(&root), Proof::Proved);
}

#[test]
fn a_private_address_of_a_network_is_nobody_s_own() {
    let private = json!({"IpAddress": {"aws:VpcSourceIp": "10.0.0.0/8"}});
    shown(&public_if(&private));
    let both =
        json!({"IpAddress": {"aws:VpcSourceIp": "10.0.0.0/8"}, "StringEquals": {"aws:SourceVpc": "vpc-1"}});
    assert_eq!(public_if(&both), Proof::Proved);
    let impossible = json!({"IpAddress": {"aws:VpcSourceIp": "10.0.0.0/8", "aws:SourceIp": "0.0.0.0/0"}});
    assert_eq!(public_if(&impossible), Proof::Proved);
}

#[test]
fn a_pattern_of_accounts_is_never_called_proved() {
    assert!(matches!(public_if(&json!({"StringLike": {"aws:PrincipalAccount": "12*"}})), Proof::Witness(_)));
    let narrow =
        json!({"StringLike": {"aws:PrincipalAccount": "12*"}, "StringEquals": {"aws:PrincipalOrgID": "o-1"}});
    assert!(matches!(public_if(&narrow), Proof::Unknown(_)));
}

#[test]
fn other_layers_keep_the_public_out() {
    let open = read_if(&json!({}));
    let rcp = policy(&json!([{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*",
        "Condition": {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}, "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}}]));
    let level = OrganizationLevel { id: "r-1".into(), policies: vec![Program::new(rcp, PolicyKind::Rcp)] };
    let within = Layers { rcp: vec![level], ..Layers::default() };
    assert_eq!(no_public_access_within(&open, &within), Proof::Proved);
    shown(&no_public_access(&open));
    let s3 = serde_json::from_value(json!({"BlockPublicAccess": [{"RestrictPublicBuckets": true}]})).unwrap();
    let blocked = Layers { s3, ..Layers::default() };
    assert_eq!(no_public_access_within(&open, &blocked), Proof::Proved);
}

fn granted(policies: &Policy, except: &[&str], account: Option<&str>) -> Proof {
    let layers =
        Layers { resource: Some(Program::new(policies.clone(), PolicyKind::Resource)), ..Layers::default() };
    let except = except.iter().map(|name| (*name).to_owned()).collect();
    access_not_granted(&layers, &Grants { except, ..Grants::default() }, account)
}

#[test]
fn accounts_in_conditions_are_callers_too() {
    let one = read_if(&json!({"StringEquals": {"aws:PrincipalAccount": "123456789012"}}));
    assert_eq!(granted(&one, &["123456789012"], None), Proof::Proved);
    let witness = shown(&granted(&one, &["111122223333"], None));
    assert!(witness["principal"].as_str().unwrap().contains(":123456789012:"), "{witness}");
}

#[test]
fn nobody_has_the_arn_of_another() {
    let admin = "arn:aws:iam::123456789012:role/ops/Admin";
    let one = read_if(&json!({"ArnEquals": {"aws:PrincipalArn": admin}}));
    assert_eq!(granted(&one, &[admin], None), Proof::Proved);
    let witness = shown(&granted(&one, &["arn:aws:iam::123456789012:role/Other"], None));
    assert_eq!(witness["principal"], "arn:aws:sts::123456789012:assumed-role/Admin/somebody");
    let torn = read_if(&json!({"ArnEquals": {"aws:PrincipalArn": admin},
        "StringEquals": {"aws:PrincipalAccount": "210987654321"}}));
    assert_eq!(granted(&torn, &[], None), Proof::Proved);
    let user = read_if(&json!({"ArnEquals": {"aws:PrincipalArn": admin}, "Null": {"aws:username": "false"}}));
    assert_eq!(granted(&user, &[], None), Proof::Proved);
}

#[test]
fn a_named_caller_has_his_own_keys() {
    let role = "arn:aws:iam::123456789012:role/Train";
    let of = |condition: &Value| {
        policy(&json!([{"Effect": "Allow", "Principal": {"AWS": role}, "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::data/*", "Condition": condition}]))
    };
    for condition in [
        json!({"StringNotEquals": {"aws:PrincipalAccount": "123456789012"}}),
        json!({"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/Train"}}),
        json!({"StringEquals": {"aws:PrincipalType": "User"}}),
        json!({"Bool": {"aws:PrincipalIsAWSService": "true"}}),
    ] {
        assert_eq!(granted(&of(&condition), &[], None), Proof::Proved, "{condition}");
    }
    shown(&granted(&of(&json!({"StringLike": {"aws:userid": "AROA*:*"}})), &[], None));
}

#[test]
fn services_have_their_name() {
    let logs = read_if(&json!({"StringEquals": {"aws:PrincipalServiceName": "logs.amazonaws.com"}}));
    assert_eq!(shown(&granted(&logs, &[], None))["principal"], "logs.amazonaws.com");
    assert_eq!(granted(&logs, &["logs.amazonaws.com"], None), Proof::Proved);
    let user = read_if(&json!({"StringEquals": {"aws:PrincipalServiceName": "logs.amazonaws.com"},
        "Bool": {"aws:PrincipalIsAWSService": "false"}}));
    assert_eq!(granted(&user, &[], None), Proof::Proved);
}

#[test]
fn an_account_that_is_not_told_is_not_guessed() {
    let own = policy(&json!([{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*",
        "Condition": {"StringEquals": {"aws:PrincipalAccount": "123456789012"}}}]));
    let layers = Layers { identity: vec![Program::new(own, PolicyKind::Identity)], ..Layers::default() };
    let ask = |account| access_not_granted(&layers, &Grants::default(), account);
    shown(&ask(None));
    shown(&ask(Some("123456789012")));
    assert_eq!(ask(Some("111122223333")), Proof::Proved);
}

#[test]
fn a_user_of_the_same_account_needs_no_policy_of_his_own() {
    let user = "arn:aws:iam::123456789012:user/ann";
    let bucket = policy(&json!([{"Effect": "Allow", "Principal": {"AWS": user}, "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::data/*"}]));
    let other = policy(&json!([{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]));
    let layers = Layers {
        resource: Some(Program::new(bucket, PolicyKind::Resource)),
        identity: vec![Program::new(other, PolicyKind::Identity)],
        ..Layers::default()
    };
    let ask = |account| {
        let actions = vec!["s3:*".to_owned()];
        access_not_granted(&layers, &Grants { actions, ..Grants::default() }, account)
    };
    shown(&ask(None));
    shown(&ask(Some("123456789012")));
    assert_eq!(ask(Some("111122223333")), Proof::Proved);
}

#[test]
fn block_public_access_bounds_what_a_public_policy_grants() {
    let mut layers = Layers {
        resource: Some(Program::new(read_if(&json!({})), PolicyKind::Resource)),
        ..Layers::default()
    };
    layers.s3 =
        serde_json::from_value(json!({"BlockPublicAccess": [{"RestrictPublicBuckets": true}]})).unwrap();
    let ask = |except: &[&str]| {
        let except = except.iter().map(|name| (*name).to_owned()).collect();
        access_not_granted(&layers, &Grants { except, ..Grants::default() }, Some("111122223333"))
    };
    let inside = shown(&ask(&[]));
    assert!(
        inside["principal"].to_string().contains("111122223333")
            || inside["principal"].to_string().contains("amazonaws"),
        "{inside}"
    );
    assert!(
        matches!(ask(&["111122223333"]), Proof::Witness(r) if iam::request_json(&r)["principal"] == "somebody.amazonaws.com")
    );
}

#[test]
fn nobody_anonymous_is_bound_by_an_organisation() {
    let scp = policy(&json!([{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]));
    let level = OrganizationLevel { id: "r-1".into(), policies: vec![Program::new(scp, PolicyKind::Scp)] };
    let layers = Layers {
        resource: Some(Program::new(read_if(&json!({})), PolicyKind::Resource)),
        scp: vec![level],
        ..Layers::default()
    };
    let witness = shown(&access_not_granted(&layers, &Grants::default(), None));
    assert_eq!(witness["principal"]["type"], "Anonymous");
}

#[test]
fn what_the_other_layers_refuse_is_no_new_access() {
    let of = |action: &str| policy(&json!([{"Effect": "Allow", "Action": action, "Resource": "*"}]));
    let (old, new) = (of("s3:GetObject"), of("s3:*"));
    let boundary = Program::new(of("s3:GetObject"), PolicyKind::Boundary);
    let within = Layers { boundaries: vec![boundary], ..Layers::default() };
    assert_eq!(no_new_access_within(&old, &new, PolicyKind::Resource, &within), Proof::Proved);
    shown(&no_new_access_within(&old, &new, PolicyKind::Resource, &Layers::default()));
    let bucket = |action: &str| {
        policy(
            &json!([{"Effect": "Allow", "Principal": "*", "Action": action, "Resource": "arn:aws:s3:::data/*"}]),
        )
    };
    let rcp =
        policy(&json!([{"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "*"}]));
    let level = OrganizationLevel { id: "r-1".into(), policies: vec![Program::new(rcp, PolicyKind::Rcp)] };
    let within = Layers { rcp: vec![level], ..Layers::default() };
    let old = bucket("s3:GetObject");
    shown(&no_new_access_within(&old, &bucket("s3:*"), PolicyKind::Resource, &within));
    let new_two =
        policy(&json!([{"Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject", "s3:PutObject"],
        "Resource": "arn:aws:s3:::data/*"}]));
    assert_eq!(no_new_access_within(&old, &new_two, PolicyKind::Resource, &within), Proof::Proved);
}
