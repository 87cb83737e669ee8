//! Questions to an inventory: golden answers over a platform for machine learning, agreement with `decide` on random
//! requests, strictness of reading.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use iam::inventory::{Inventory, Matrix, Question, Verdict};
use iam::{Context, Outcome, Values, decide, explain};
use proptest::prelude::*;
use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::sync::LazyLock;

const TEXT: &str = include_str!("inventory/ml-platform.json");
static PLATFORM: LazyLock<Inventory> =
    LazyLock::new(|| Inventory::parse("ml-platform.json", TEXT).map_err(|e| e.to_string()).unwrap());

fn question(keys: &[(&str, &str)]) -> Question {
    let keys = keys.iter().map(|(key, value)| ((*key).to_owned(), Values::One((*value).into())));
    Question { context: Context::new(keys), endpoint: None }
}

fn ask(action: &str, resource: &str, question: &Question) -> String {
    let mut out = format!("{action} on {resource}\n");
    for access in PLATFORM.who_can(action, resource, question).unwrap() {
        write!(out, "{access}").unwrap();
    }
    out
}

const TRAINING: &str = "arn:aws:s3:::ml-data/train/loans.csv";
const TRAIL: &str = "arn:aws:s3:::ml-data/audit/2026.log";
const KEY: &str = "arn:aws:kms:eu-central-1:111122223333:key/data";

#[test]
fn who_can_read_training_data() {
    let everything = ask("s3:GetObject", TRAINING, &Question::default());
    let here = question(&[("aws:SourceVpce", "vpce-ml"), ("aws:RequestedRegion", "eu-central-1")]);
    insta::assert_snapshot!(format!(
        "{everything}\nfrom the endpoint\n{}",
        ask("s3:GetObject", TRAINING, &here)
    ));
}

#[test]
fn who_can_reach_the_audit_trail() {
    let europe = question(&[("aws:RequestedRegion", "eu-central-1")]);
    let asked = [("s3:GetObject", TRAIL), ("s3:DeleteObject", TRAIL), ("s3:PutObject", TRAIL)];
    insta::assert_snapshot!(asked.map(|(action, arn)| ask(action, arn, &europe)).join("\n"));
}

#[test]
fn some_objects_are_not_all() {
    let here = question(&[("aws:SourceVpce", "vpce-ml"), ("aws:RequestedRegion", "eu-central-1")]);
    let asked = ["ml-data/*", "ml-data/train/*", "ml-data/audit/2026*", "ml-data/t*"];
    let all = asked.map(|name| ask("s3:GetObject", &format!("arn:aws:s3:::{name}"), &here));
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn who_can_decrypt() {
    let europe = question(&[("aws:RequestedRegion", "eu-central-1")]);
    let through = Question { endpoint: Some("vpce-ml".to_owned()), ..europe.clone() };
    let assume = ask("sts:AssumeRole", "arn:aws:iam::111122223333:role/trainer", &europe);
    insta::assert_snapshot!(
        [ask("kms:Decrypt", KEY, &europe), ask("kms:Decrypt", KEY, &through), assume].join("\n")
    );
}

#[test]
fn answers_for_programs() {
    let europe = question(&[("aws:RequestedRegion", "eu-central-1")]);
    let answer = PLATFORM.who_can("kms:Decrypt", KEY, &europe).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&answer).unwrap());
}

#[test]
fn what_a_scientist_can_do() {
    let europe = question(&[("aws:RequestedRegion", "eu-central-1")]);
    let can = PLATFORM.what_can("arn:aws:iam::111122223333:user/anna", &europe).unwrap();
    let mut out = String::new();
    for possible in can.iter().filter(|possible| !possible.action.starts_with("sagemaker:")) {
        writeln!(out, "{} on {}: {}", possible.action, possible.resource, possible.access.verdict.words())
            .unwrap();
    }
    let endpoint = can.iter().filter(|possible| possible.action.starts_with("sagemaker:")).count();
    writeln!(out, "and {endpoint} actions of sagemaker").unwrap();
    insta::assert_snapshot!(out);
}

fn matrix(threads: usize) -> Matrix {
    let actions = [
        "s3:ListBucket",
        "s3:GetObject",
        "s3:PutObject",
        "kms:Decrypt",
        "sagemaker:InvokeEndpoint",
        "iam:PassRole",
    ];
    let actions: Vec<String> = actions.map(str::to_owned).to_vec();
    let europe = question(&[("aws:RequestedRegion", "eu-central-1")]);
    PLATFORM.matrix(&actions, &europe, NonZeroUsize::new(threads).unwrap()).unwrap()
}

#[test]
fn the_matrix_is_the_same_on_any_number_of_threads() {
    let one = matrix(1);
    assert_eq!(one, matrix(2));
    assert_eq!(one, matrix(64));
    insta::assert_snapshot!(one.to_csv().replace("\r\n", "\n"));
    insta::assert_snapshot!(serde_json::to_string(&one.rows[0]).unwrap());
}

#[test]
fn a_question_can_be_followed_by_why() {
    let (trainer, asked) = ("arn:aws:iam::111122223333:role/trainer", ("s3:GetObject", TRAINING));
    let question = question(&[("aws:RequestedRegion", "us-east-1")]);
    let layers = PLATFORM.layers(trainer, TRAINING, &question).unwrap();
    let request = PLATFORM.request(trainer, asked, &question).unwrap();
    insta::assert_snapshot!(explain(&layers, &request));
}

#[test]
fn whole_operations() {
    use iam::inventory::whole;
    use iam::operations::{expand, operation};
    let europe = question(&[("aws:RequestedRegion", "eu-central-1"), ("aws:SourceVpce", "vpce-ml")]);
    let mut out = String::new();
    let mut run = |principal: &str, name: &str, given: &[(&str, &str)]| {
        let common = [("Region", "eu-central-1"), ("Account", "111122223333")];
        let given = given.iter().chain(&common).map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let checks = expand(operation(name).unwrap(), &given.collect()).unwrap();
        let principal = format!("arn:aws:iam::111122223333:{principal}");
        let answers = PLATFORM.can_operate(&principal, &checks, &europe).unwrap();
        writeln!(out, "{name}: {}", whole(&answers).map_or("not known", Verdict::words)).unwrap();
        for (check, access) in answers {
            let access = access.map_or("not known\n".to_owned(), |access| access.to_string());
            write!(
                out,
                "  {} on {}\n    {}",
                check.action,
                check.resource,
                access.replace('\n', "\n    ").trim_end()
            )
            .unwrap();
            out.push('\n');
        }
    };
    let role = ("RoleArn", "arn:aws:iam::111122223333:role/trainer");
    run("user/anna", "sagemaker:CreateTrainingJob", &[("TrainingJobName", "credit-7"), role]);
    let object = [("Bucket", "ml-data"), ("Key", "train/loans.csv"), ("SSEKMSKeyId", KEY)];
    run("role/trainer", "s3:GetObject", &object);
    run("role/trainer", "s3:PutObject", &[("Bucket", "ml-data"), ("Key", "models/m"), ("SSEKMSKeyId", KEY)]);
    run("role/trainer", "s3:ListObjectsV2", &[("Bucket", "elsewhere")]);
    run("role/trainer", "s3:DeleteObject", &[("Bucket", "ml-data"), ("Key", "models/m")]);
    insta::assert_snapshot!(out);
}

/// A bucket whose policy has this one statement, asked by whom it is open.
fn open_bucket(principal: &serde_json::Value, condition: &serde_json::Value, restricted: bool) -> String {
    let text = serde_json::json!({
        "accounts": [{"id": "111122223333"}],
        "principals": [{"arn": "arn:aws:iam::111122223333:role/app"}],
        "resources": [{"arn": "arn:aws:s3:::site", "account": "111122223333",
            "s3": {"BlockPublicAccess": [{"RestrictPublicBuckets": restricted}]},
            "policy": {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": principal,
                "Action": "s3:GetObject", "Resource": "arn:aws:s3:::site/*", "Condition": condition}}}]
    });
    let inventory = Inventory::parse("open", &text.to_string()).unwrap();
    let all = inventory.who_can("s3:GetObject", "arn:aws:s3:::site/x", &Question::default()).unwrap();
    all.iter().map(ToString::to_string).collect()
}

#[test]
fn whom_a_policy_lets_in_from_outside() {
    use serde_json::json;
    let (everyone, none) = (json!("*"), json!({}));
    let foreign = json!({"AWS": ["arn:aws:iam::999900001111:user/anna", "222233334444"], "Service": "cloudtrail.amazonaws.com"});
    let canonical = json!({"CanonicalUser": "79a59df9"});
    let cases = [
        ("everyone", open_bucket(&everyone, &none, false)),
        ("everyone, but public access is restricted", open_bucket(&everyone, &none, true)),
        (
            "through an endpoint",
            open_bucket(&everyone, &json!({"StringEquals": {"aws:SourceVpce": "vpce-1"}}), false),
        ),
        ("signed", open_bucket(&everyone, &json!({"Null": {"aws:PrincipalArn": "false"}}), false)),
        ("named", open_bucket(&foreign, &none, false)),
        ("canonical", open_bucket(&canonical, &none, false)),
    ];
    insta::assert_snapshot!(cases.map(|(name, text)| format!("{name}\n{text}")).join("\n"));
}

#[test]
fn mistakes_are_told_with_their_place() {
    let text = r#"{
  "principal": [],
  "accounts": [{"id": "12"}, {"id": "111122223333", "path": ["r-root"]}],
  "policies": {"p": {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Acton": "*"}}},
  "principals": [
    {"arn": "arn:aws:iam::111122223333:role/r", "atached": []},
    {"arn": "arn:aws:sts::111122223333:assumed-role/r/s"},
    {"arn": "arn:aws:iam::111122223333:user/u", "groups": ["g"]},
    {"inline": [7], "tags": {"team": 3}, "arn": "arn:aws:iam::111122223333:user/v", "attached": ["q"]}
  ],
  "resources": [
    {"arn": "arn:aws:s3:::b"},
    {"arn": "data", "account": "111122223333"},
    {"arn": "arn:aws:s3:::c", "account": "111122223333", "s3": {"BlockPublicAcess": []}}
  ]
}"#;
    insta::assert_snapshot!(Inventory::parse("inventory.json", text).unwrap_err().to_string());
    assert!(Inventory::parse("x", "{").is_err() && Inventory::parse("x", "[]").is_err());
}

#[test]
fn questions_about_what_is_not_there() {
    let none = Question::default();
    let missing = [
        PLATFORM.who_can("s3:GetObject", "arn:aws:s3:::other/x", &none).map(drop),
        PLATFORM.who_can("GetObject", TRAINING, &none).map(drop),
        PLATFORM.what_can("arn:aws:iam::111122223333:user/bert", &none).map(drop),
        PLATFORM
            .who_can(
                "s3:GetObject",
                TRAINING,
                &Question { endpoint: Some("vpce-x".to_owned()), ..none.clone() },
            )
            .map(drop),
    ];
    insta::assert_snapshot!(missing.map(|answer| answer.unwrap_err().to_string()).join("\n"));
}

/// What a request may say that no inventory knows.
fn keys() -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
    let all = vec![
        ("aws:SourceVpce", "vpce-ml"),
        ("aws:RequestedRegion", "eu-central-1"),
        ("aws:MultiFactorAuthPresent", "true"),
        ("aws:SourceIp", "198.51.100.7"),
        ("s3:prefix", "train/a"),
        ("kms:ViaService", "s3.eu-central-1.amazonaws.com"),
        ("kms:EncryptionContext:job", "restore"),
        ("iam:PassedToService", "sagemaker.amazonaws.com"),
        ("aws:SourceAccount", "111122223333"),
    ];
    prop::sample::subsequence(all, 0..9)
}

const ACTIONS: [(&str, &str); 10] = [
    ("s3:GetObject", TRAINING),
    ("s3:GetObject", TRAIL),
    ("s3:GetObject", "arn:aws:s3:::ml-data/fraud/x"),
    ("s3:PutObject", "arn:aws:s3:::ml-data/models/m"),
    ("s3:DeleteObject", TRAIL),
    ("s3:ListBucket", "arn:aws:s3:::ml-data"),
    ("kms:Decrypt", KEY),
    ("kms:DescribeKey", KEY),
    ("sagemaker:InvokeEndpoint", "arn:aws:sagemaker:eu-central-1:111122223333:endpoint/credit"),
    ("iam:PassRole", "arn:aws:iam::111122223333:role/trainer"),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// An answer for all objects holds for each.
    #[test]
    fn an_answer_for_all_holds_for_each(
        class in prop::sample::select(vec!["", "t", "train/", "audit/", "audit/2026", "models/", "fraud/x", "f"]),
        rest in "[a-z/*?]{0,6}",
        action in prop::sample::select(vec!["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]),
        said in keys(),
    ) {
        let question = question(&said);
        let all = format!("arn:aws:s3:::ml-data/{class}*");
        let one = format!("arn:aws:s3:::ml-data/{class}{rest}");
        let all = PLATFORM.who_can(action, &all, &question).unwrap();
        let one = PLATFORM.who_can(action, &one, &question).unwrap();
        for access in &all {
            let object = one.iter().find(|other| other.principal == access.principal);
            match (access.verdict, object.map(|object| object.verdict)) {
                (Verdict::Allowed, verdict) => prop_assert_eq!(verdict, Some(Verdict::Allowed), "{}", access),
                (Verdict::Denied, verdict) => prop_assert_eq!(verdict, Some(Verdict::Denied), "{}", access),
                _ => {}
            }
        }
        // Who is not named at all for the class is not let in to any of it.
        prop_assert!(one.iter().all(|access| all.iter().any(|other| other.principal == access.principal)));
    }

    /// What is allowed or refused whatever the request says stays so for every request; and what is given makes the
    /// answer only more certain.
    #[test]
    fn certain_answers_hold_for_every_request(
        (action, resource) in prop::sample::select(ACTIONS.to_vec()),
        said in keys(),
        more in keys(),
        endpoint in any::<bool>(),
    ) {
        let endpoint = endpoint.then(|| "vpce-ml".to_owned());
        let asked = Question { endpoint, ..question(&said) };
        let full: Vec<_> = more.iter().chain(&said).copied().collect();
        let exact = Question { endpoint: asked.endpoint.clone(), ..question(&full) };
        for access in PLATFORM.who_can(action, resource, &asked).unwrap() {
            if PLATFORM.principals().all(|principal| principal.to_string() != access.principal) {
                continue;
            }
            let layers = PLATFORM.layers(&access.principal, resource, &exact).unwrap();
            let request = PLATFORM.request(&access.principal, (action, resource), &exact).unwrap();
            let outcome = decide(&layers, &request).outcome;
            match access.verdict {
                Verdict::Allowed => prop_assert_eq!(outcome, Outcome::Allowed, "{}", access),
                Verdict::Denied => prop_assert_ne!(outcome, Outcome::Allowed, "{}", access),
                Verdict::Conditional => {
                    prop_assert!(!access.ways.is_empty(), "{}", access);
                    let open = access.ways.iter().any(|way| way.needs.is_empty());
                    prop_assert!(!open || !access.unless.is_empty(), "{}", access);
                }
                Verdict::Undecided => prop_assert!(false, "{}", access),
            }
        }
    }
}
