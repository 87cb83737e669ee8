//! Explanations: always the answer of `decide`, always with evidence that holds, and readable.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use iam::explain::{Path, Reason};
use iam::{
    Context, Explanation, Grant, Layers, OrganizationLevel, Outcome, Policy, PolicyKind, Principal, Program,
    Request, Values, decide, explain,
};
use proptest::prelude::*;
use serde_json::{Value, json};

fn program(policy: &Value, kind: PolicyKind) -> Program {
    Program::new(Policy::parse("test", &policy.to_string()).unwrap(), kind)
}

fn allow_all() -> Value {
    json!({"Version": "2012-10-17", "Statement": {"Sid": "Full", "Effect": "Allow", "Action": "*", "Resource": "*"}})
}

fn request(principal: &str, action: &str, resource: &str, keys: &[(&str, &str)]) -> Request {
    let context =
        Context::new(keys.iter().map(|(key, value)| ((*key).to_owned(), Values::One((*value).into()))));
    let caller = if principal == "anonymous" { Principal::Anonymous } else { Principal::parse(principal) };
    Request::new(caller, action, resource, Some("111122223333"), context).unwrap()
}

/// Text and JSON of an explanation, as one golden text.
fn golden(layers: &Layers, request: &Request) -> String {
    let explanation = explain(layers, request);
    assert_eq!(explanation.decision, decide(layers, request));
    format!("{explanation}---\n{}\n", serde_json::to_string_pretty(&explanation).unwrap())
}

const TRAINER: &str = "arn:aws:sts::111122223333:assumed-role/trainer/job-7";
const OBJECT: &str = "arn:aws:s3:::ml-data/train/loans.csv";
const KEY: &str = "arn:aws:kms:eu-central-1:111122223333:key/0b1d";

fn trainer() -> Value {
    json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "ReadTrainingData", "Effect": "Allow", "Action": "s3:GetObject",
         "Resource": "arn:aws:s3:::ml-data/${aws:PrincipalTag/team}/*"},
        {"Sid": "FromTheOffice", "Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"],
         "Resource": ["arn:aws:s3:::ml-data", "arn:aws:s3:::ml-data/*"],
         "Condition": {"IpAddress": {"aws:SourceIp": ["192.168.0.0/16", "172.16.0.0/12"]},
                       "StringEquals": {"aws:PrincipalTag/team": "credit"}}},
        {"Sid": "UseTheKey", "Effect": "Allow", "Action": "kms:Decrypt", "Resource": KEY}
    ]})
}

fn secure() -> Value {
    json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "OnlyTls", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
         "Resource": ["arn:aws:s3:::ml-data", "arn:aws:s3:::ml-data/*"],
         "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        {"Sid": "OnlyOurOrganization", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
         "Resource": "arn:aws:s3:::ml-data/*",
         "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-wardmote"}}}
    ]})
}

#[test]
fn every_denying_statement_is_named() {
    let layers = Layers {
        identity: vec![program(&allow_all(), PolicyKind::Identity)],
        resource: Some(program(&secure(), PolicyKind::Resource)),
        scp: vec![OrganizationLevel {
            id: "ou-ml".into(),
            policies: vec![program(&allow_all(), PolicyKind::Scp)],
        }],
        ..Layers::default()
    };
    let request = request(TRAINER, "s3:GetObject", OBJECT, &[("aws:SecureTransport", "false")]);
    insta::assert_snapshot!(golden(&layers, &request));
}

#[test]
fn a_lack_names_what_came_nearest() {
    let layers = Layers { identity: vec![program(&trainer(), PolicyKind::Identity)], ..Layers::default() };
    let request = request(TRAINER, "s3:GetObject", OBJECT, &[("aws:SourceIp", "10.1.2.3")]);
    insta::assert_snapshot!(golden(&layers, &request));
}

#[test]
fn every_layer_that_lacks_an_allow_is_named() {
    let nothing = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}});
    let layers = Layers {
        identity: vec![program(&trainer(), PolicyKind::Identity)],
        resource: Some(program(&secure(), PolicyKind::Resource)),
        boundaries: vec![program(&nothing, PolicyKind::Boundary)],
        session: vec![program(&nothing, PolicyKind::Session)],
        endpoint: vec![program(&nothing, PolicyKind::Endpoint)],
        scp: vec![
            OrganizationLevel { id: "r-root".into(), policies: vec![program(&allow_all(), PolicyKind::Scp)] },
            OrganizationLevel { id: "ou-ml".into(), policies: vec![program(&nothing, PolicyKind::Scp)] },
        ],
        ..Layers::default()
    };
    let keys = [("aws:SecureTransport", "true"), ("aws:PrincipalOrgID", "o-wardmote")];
    insta::assert_snapshot!(golden(&layers, &request(TRAINER, "s3:PutObject", OBJECT, &keys)));
}

#[test]
fn a_key_policy_must_delegate() {
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "Administration", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
         "Action": ["kms:Create*", "kms:Put*"], "Resource": "*"},
        {"Sid": "Use", "Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam::111122223333:role/scorer"]},
         "Action": "kms:Decrypt", "Resource": "*"}
    ]});
    let mut layers = Layers {
        identity: vec![program(&trainer(), PolicyKind::Identity)],
        resource: Some(program(&policy, PolicyKind::KmsKey)),
        ..Layers::default()
    };
    let request = request(TRAINER, "kms:Decrypt", KEY, &[]);
    let without = explain(&layers, &request).to_string();
    let grant =
        json!({"GranteePrincipal": "arn:aws:iam::111122223333:role/trainer", "Operations": ["Decrypt"]});
    layers.grants = vec![serde_json::from_value::<Grant>(grant).unwrap()];
    let with = explain(&layers, &request).to_string();
    insta::assert_snapshot!(format!("{without}\nwith a grant\n{with}"));
}

#[test]
fn the_way_of_a_permission_is_told() {
    let open = json!({"Version": "2012-10-17", "Statement": {"Sid": "Auditors", "Effect": "Allow",
        "Principal": {"AWS": ["arn:aws:iam::999900001111:role/auditor", "arn:aws:iam::111122223333:role/trainer"]},
        "Action": "s3:Get*", "Resource": "arn:aws:s3:::ml-data/*",
        "Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-guest"}}}});
    let layers = Layers {
        identity: vec![program(&allow_all(), PolicyKind::Identity)],
        resource: Some(program(&open, PolicyKind::Resource)),
        boundaries: vec![program(&allow_all(), PolicyKind::Boundary)],
        ..Layers::default()
    };
    let own = request(TRAINER, "s3:GetObject", OBJECT, &[]);
    let foreign = request("arn:aws:iam::999900001111:role/auditor", "s3:GetObject", OBJECT, &[]);
    let nobody = request("anonymous", "s3:GetObject", OBJECT, &[]);
    let asks = request(TRAINER, "sts:GetCallerIdentity", "*", &[]);
    let all = [&own, &foreign, &nobody, &asks].map(|request| explain(&layers, request).to_string());
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn what_aws_decides_itself_is_told() {
    let layers = Layers { identity: vec![program(&allow_all(), PolicyKind::Identity)], ..Layers::default() };
    let request = request(TRAINER, "iam:DeletePolicy", "arn:aws:iam::aws:policy/ReadOnlyAccess", &[]);
    let told = explain(&layers, &request);
    assert!(matches!(told.reason, Reason::BelongsToAws) && told.decided_by().is_none());
}

/// Each sort of condition, with the sentence that it gives when it does not hold.
#[test]
fn conditions_in_words() {
    let conditions = json!({
        "Bool": {"aws:MultiFactorAuthPresent": "true"},
        "StringLike": {"s3:prefix": ["a/*", "b/*", "c/*", "d/*", "e/*"]},
        "StringNotLike": {"aws:userid": "AROA*:*"},
        "StringEquals": {"aws:PrincipalTag/team": "${aws:ResourceTag/team}", "aws:TagKeys": "a"},
        "NumericLessThan": {"s3:max-keys": "10"},
        "DateLessThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"},
        "ForAllValues:StringEquals": {"aws:CalledVia": ["athena.amazonaws.com"]},
        "ForAnyValue:StringNotEquals": {"aws:PrincipalOrgPaths": ["o-a/r-b/"]},
        "ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/trainer"},
        "Null": {"aws:SourceVpce": "false"},
        "NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}
    });
    let policy = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Condition": conditions}});
    let layers = Layers { identity: vec![program(&policy, PolicyKind::Identity)], ..Layers::default() };
    let many = |values: &[&str]| Values::Many(values.iter().map(|value| (*value).into()).collect());
    let one = |value: &str| Values::One(value.into());
    let context = Context::new(
        [
            ("s3:prefix", one("f/1")),
            ("aws:userid", one("AROAX:job")),
            ("aws:PrincipalTag/team", one("credit")),
            ("aws:TagKeys", many(&["a", "b"])),
            ("s3:max-keys", one("10")),
            ("aws:CurrentTime", one("2026-06-01T00:00:00Z")),
            ("aws:CalledVia", many(&["athena.amazonaws.com", "glue.amazonaws.com"])),
            ("aws:PrincipalOrgPaths", many(&["o-a/r-b/"])),
            ("aws:PrincipalArn", one("arn:aws:iam::111122223333:role/trainer")),
            ("aws:SourceIp", one("10.1.2.3")),
        ]
        .map(|(key, value)| (key.to_owned(), value)),
    );
    let request = Request::new(Principal::parse(TRAINER), "s3:GetObject", OBJECT, None, context).unwrap();
    insta::assert_snapshot!(explain(&layers, &request));
}

/// A statement from a small world in which much meets.
fn statement(with_principal: bool) -> impl Strategy<Value = Value> {
    let effect = prop_oneof![3 => Just("Allow"), 1 => Just("Deny")];
    let action = prop::sample::select(vec!["*", "s3:*", "s3:GetObject", "kms:Decrypt", "s3:Put*", "kms:*"]);
    let resource = prop::sample::select(vec![
        "*",
        "arn:aws:s3:::ml-data/*",
        "arn:aws:s3:::ml-data/${aws:PrincipalTag/team}/*",
        "arn:aws:kms:eu-central-1:111122223333:key/*",
        "arn:aws:s3:::other/*",
    ]);
    let condition = prop::sample::select(vec![
        json!({}),
        json!({}),
        json!({"Bool": {"aws:SecureTransport": "false"}}),
        json!({"StringNotEquals": {"aws:PrincipalTag/team": ["credit", "${aws:username}"]}}),
        json!({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}, "Null": {"aws:SourceVpce": "true"}}),
        json!({"ForAnyValue:StringLike": {"aws:TagKeys": ["a*", "b"]}}),
        json!({"StringEqual": {"aws:username": "anna"}}),
        json!({"NumericLessThanEqualsIfExists": {"s3:max-keys": "ten"}}),
    ]);
    let principal = prop::sample::select(vec![
        json!("*"),
        json!({"AWS": "111122223333"}),
        json!({"AWS": ["arn:aws:iam::111122223333:role/trainer", "arn:aws:iam::111122223333:user/anna"]}),
        json!({"Service": "s3.amazonaws.com"}),
        json!({"AWS": "arn:aws:iam::999900001111:root"}),
    ]);
    (effect, action, resource, condition, principal, prop::bool::weighted(0.1)).prop_map(
        move |(effect, action, resource, condition, principal, not)| {
            let (action_key, resource_key) =
                if not { ("NotAction", "NotResource") } else { ("Action", "Resource") };
            let mut it =
                json!({"Effect": effect, action_key: action, resource_key: resource, "Condition": condition});
            if with_principal {
                it["Principal"] = principal;
            }
            it
        },
    )
}

fn policy(kind: PolicyKind) -> impl Strategy<Value = Program> {
    prop::collection::vec(statement(kind.has_principals()), 0..4)
        .prop_map(move |statements| program(&json!({"Version": "2012-10-17", "Statement": statements}), kind))
}

fn levels(kind: PolicyKind) -> impl Strategy<Value = Vec<OrganizationLevel>> {
    let level = (policy(kind), any::<bool>()).prop_map(move |(random, open)| {
        let mut policies = vec![random];
        if open {
            policies.push(program(&allow_all(), kind));
        }
        OrganizationLevel { id: "ou-1".into(), policies }
    });
    prop::collection::vec(level, 0..3)
}

fn cases() -> impl Strategy<Value = (Layers, Request)> {
    let some = |kind| prop::collection::vec(policy(kind), 0..2);
    let resource = prop_oneof![Just(PolicyKind::Resource), Just(PolicyKind::KmsKey)].prop_flat_map(policy);
    let layers = (
        prop::collection::vec(policy(PolicyKind::Identity), 0..3),
        prop::option::of(resource),
        (some(PolicyKind::Boundary), some(PolicyKind::Session), some(PolicyKind::Endpoint)),
        (levels(PolicyKind::Scp), levels(PolicyKind::Rcp)),
        any::<bool>(),
    )
        .prop_map(|(identity, resource, (boundaries, session, endpoint), (scp, rcp), open)| {
            let mut layers =
                Layers { identity, resource, boundaries, session, endpoint, scp, rcp, ..Layers::default() };
            if open {
                layers.identity.push(program(&allow_all(), PolicyKind::Identity));
            }
            layers
        });
    let caller = prop::sample::select(vec![
        TRAINER,
        "arn:aws:iam::111122223333:user/anna",
        "arn:aws:iam::111122223333:root",
        "arn:aws:iam::999900001111:role/auditor",
        "arn:aws:sts::111122223333:federated-user/anna",
        "arn:aws:iam::111122223333:role/aws-service-role/s3.amazonaws.com/linked",
        "s3.amazonaws.com",
        "anonymous",
    ]);
    let asked = prop::sample::select(vec![
        ("s3:GetObject", OBJECT),
        ("s3:PutObject", "arn:aws:s3:::ml-data/credit/x"),
        ("kms:Decrypt", KEY),
        ("sts:GetCallerIdentity", "*"),
    ]);
    let keys = prop::sample::subsequence(
        vec![
            ("aws:SecureTransport", "false"),
            ("aws:SourceIp", "10.1.1.1"),
            ("aws:PrincipalTag/team", "credit"),
            ("aws:username", "anna"),
            ("aws:SourceVpce", "vpce-1"),
            ("aws:TagKeys", "abc"),
            ("s3:max-keys", "9"),
        ],
        0..7,
    );
    let asks = (caller, asked, keys)
        .prop_map(|(caller, (action, resource), keys)| request(caller, action, resource, &keys));
    (layers, asks)
}

/// Every reason comes with evidence.
fn has_evidence(explanation: &Explanation<'_>) -> Result<(), TestCaseError> {
    match (&explanation.reason, explanation.decision.outcome) {
        (Reason::NeedsNoPermission, Outcome::Allowed) => {}
        (Reason::Granted { path, by, .. }, Outcome::Allowed) => {
            prop_assert!(!by.is_empty() || *path == Path::RootUser, "{explanation}");
            prop_assert!(by.iter().flat_map(|c| &c.conditions).all(|found| found.holds), "{explanation}");
        }
        (Reason::Denied { by }, Outcome::ExplicitlyDenied) => {
            prop_assert!(!by.is_empty());
            prop_assert!(by.iter().flat_map(|c| &c.conditions).all(|found| found.holds), "{explanation}");
        }
        (Reason::Lacking { layers }, Outcome::ImplicitlyDenied) => {
            prop_assert!(!layers.is_empty());
            for near in layers.iter().flat_map(|lack| &lack.nearest) {
                prop_assert!(!near.misses.is_empty(), "{explanation}");
            }
        }
        _ => prop_assert!(false, "{explanation}"),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn the_answer_is_that_of_decide((layers, request) in cases()) {
        let explanation = explain(&layers, &request);
        prop_assert_eq!(explanation.decision, decide(&layers, &request));
        has_evidence(&explanation)?;
        let text = explanation.to_string();
        prop_assert!(text.lines().count() > 1 && text.ends_with('\n'));
        prop_assert!(serde_json::to_string(&explanation).is_ok());
    }

    /// Without the statements that an explanation calls denying, nothing denies.
    #[test]
    fn no_denying_statement_is_left_out((layers, request) in cases()) {
        let explanation = explain(&layers, &request);
        let Reason::Denied { by } = &explanation.reason else { return Ok(()) };
        let without = |programs: &[Program], layer: iam::Layer| -> Vec<Program> {
            programs.iter().enumerate().map(|(at, program)| {
                let mut policy = program.source().clone();
                let mut number = 0;
                policy.statements.retain(|_| {
                    number += 1;
                    !by.iter().any(|c| c.layer == layer && c.policy == at && c.statement + 1 == number)
                });
                Program::new(policy, program.kind())
            }).collect()
        };
        let mut rest = layers.clone();
        rest.identity = without(&layers.identity, iam::Layer::Identity);
        rest.boundaries = without(&layers.boundaries, iam::Layer::Boundary);
        rest.session = without(&layers.session, iam::Layer::Session);
        rest.endpoint = without(&layers.endpoint, iam::Layer::Endpoint);
        rest.resource = without(layers.resource.as_slice(), iam::Layer::Resource).pop();
        for (kind, levels) in [(iam::Layer::Scp, &mut rest.scp), (iam::Layer::Rcp, &mut rest.rcp)] {
            for level in levels {
                level.policies = without(&level.policies, kind);
            }
        }
        prop_assert_ne!(decide(&rest, &request).outcome, Outcome::ExplicitlyDenied);
    }
}
