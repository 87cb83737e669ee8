//! Who may do what, as one table: every built-in role, of every kind of actor, on every action. A change of a policy
//! shows here as a diff. `UPDATE_GOLDEN=1 cargo test -p guard` writes it anew.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on fails, and its golden file is on disk"
)]

use facts::{Actor, ActorKind, DataClassification, RoleId};
use guard::{Action, Authorizer, Decision, Resource};
use std::fmt::Write;

const ROLES: [&str; 10] = [
    "ml-engineer",
    "ml-training",
    "data-steward",
    "security-engineer",
    "business-owner",
    "product-owner",
    "compliance-officer",
    "auditor",
    "model-consumer",
    "automation",
];

fn role(name: &str) -> RoleId {
    name.parse().unwrap()
}

/// The resources of a typical charter, one or two of each kind.
fn resources() -> Vec<(&'static str, Resource)> {
    let dataset = |id: &str, readers: &[&str]| Resource::Dataset {
        id: id.parse().unwrap(),
        classification: DataClassification::Restricted,
        readers: readers.iter().map(|name| role(name)).collect(),
        writers: vec![role("data-steward")],
    };
    let version = |involved: &[&str]| Resource::Version {
        model: "credit-scoring".parse().unwrap(),
        version: 1,
        approver_roles: vec![role("business-owner")],
        breaker_roles: vec![role("ml-engineer")],
        involved: involved.iter().map(|name| name.parse().unwrap()).collect(),
        separated: true,
    };
    vec![
        ("the charter", Resource::Charter),
        ("the account", Resource::Account { id: "123456789012".to_owned() }),
        ("the stack", Resource::Stack { name: "bank".to_owned() }),
        ("the bucket", Resource::Bucket { name: "bank-objects".to_owned() }),
        (
            "a waiver for another",
            Resource::Waiver { id: "W-1".to_owned(), owner: "another".parse().unwrap() },
        ),
        (
            "a waiver of their own",
            Resource::Waiver { id: "W-2".to_owned(), owner: "somebody".parse().unwrap() },
        ),
        ("the ledger", Resource::Ledger),
        (
            "the data key",
            Resource::Key {
                id: "credit-data".parse().unwrap(),
                administrators: vec![role("security-engineer")],
                users: vec![role("data-steward"), role("ml-training"), role("automation")],
            },
        ),
        ("the raw data", dataset("credit-raw", &["data-steward"])),
        ("the pseudonymised data", dataset("credit-training", &["ml-training", "automation"])),
        (
            "the model",
            Resource::Model {
                name: "credit-scoring".parse().unwrap(),
                approver_roles: vec![role("business-owner")],
                reviewer_roles: vec![role("auditor")],
                training_service: "somebody".parse().unwrap(),
            },
        ),
        ("somebody else's version", version(&["another"])),
        ("their own version", version(&["somebody"])),
        (
            "the endpoint",
            Resource::Endpoint {
                name: "credit-scoring".parse().unwrap(),
                consumers: vec![role("model-consumer")],
            },
        ),
        ("an experiment", Resource::Experiment { id: "1".to_owned(), name: "credit".to_owned() }),
        (
            "a registered model",
            Resource::RegisteredModel { name: "credit-scoring".to_owned(), chartered: true },
        ),
    ]
}

fn matrix() -> String {
    let authorizer = Authorizer::new(&[]).unwrap();
    let mut text =
        String::from("Who may do what. Actor kinds: h human, s service, a alert; a letter means allowed.\n");
    for (label, resource) in resources() {
        for action in Action::ALL {
            let mut cells = Vec::new();
            for name in ROLES {
                let mut kinds = String::new();
                for (letter, kind) in
                    [('h', ActorKind::Human), ('s', ActorKind::Service), ('a', ActorKind::Alert)]
                {
                    let actor = Actor::new("somebody".parse().unwrap(), kind, vec![role(name)]);
                    if authorizer.permits(&actor, *action, &resource) {
                        kinds.push(letter);
                    }
                }
                if !kinds.is_empty() {
                    cells.push(format!("{name}({kinds})"));
                }
            }
            if !cells.is_empty() {
                writeln!(text, "{:<22} {:<24} {}", action.as_str(), label, cells.join(" ")).unwrap();
            }
        }
    }
    text
}

#[test]
fn the_matrix_is_as_agreed() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/authorisation-matrix.txt");
    let actual = matrix();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &actual).unwrap();
    }
    let agreed = std::fs::read_to_string(path).unwrap_or_default();
    let gained: Vec<&str> = actual.lines().filter(|line| !agreed.contains(line)).collect();
    let lost: Vec<&str> = agreed.lines().filter(|line| !actual.contains(line)).collect();
    assert!(
        gained.is_empty() && lost.is_empty(),
        "now:\n{}\nagreed:\n{}",
        gained.join("\n"),
        lost.join("\n")
    );
}

#[test]
fn a_denial_says_why_and_who_could() {
    let authorizer = Authorizer::new(&[]).unwrap();
    let ask = |id: &str, kind, roles: &[&str], action, label: &str| {
        let actor = Actor::new(id.parse().unwrap(), kind, roles.iter().map(|name| role(name)).collect());
        let resource = resources().into_iter().find(|(name, _)| *name == label).unwrap().1;
        match authorizer.decide(&actor, action, &resource) {
            Decision::Denied(denial) => {
                format!("{} [{}]", denial.reason(), denial.help().unwrap_or_default())
            }
            Decision::Allowed(_) => "allowed".to_owned(),
        }
    };
    insta::assert_snapshot!(ask("ada", ActorKind::Human, &["ml-engineer"], Action::DataRead, "the raw data"), @"ada may not `data.read` on `dataset/credit-raw`: no policy permits it to the role `ml-engineer` [the role `data-steward` may, as far as the charter names somebody who holds it]");
    insta::assert_snapshot!(ask("somebody", ActorKind::Human, &["business-owner"], Action::ModelApprove, "their own version"), @"somebody may not `model.approve` on `model/credit-scoring/1`: whoever submitted a version, trained it, committed its code or prepared its data cannot approve it [the role `business-owner` may, as far as the charter names somebody who holds it]");
    insta::assert_snapshot!(ask("selma", ActorKind::Human, &["security-engineer", "data-steward"], Action::KeyUse, "the data key"), @"selma may not `key.use` on `key/credit-data`: whoever administers a key cannot use it [the role `automation` or `data-steward` or `ml-training` may, as far as the charter names somebody who holds it]");
}

#[test]
fn a_charters_policy_can_forbid_and_a_wrong_one_is_named() {
    let freeze = r#"@id("freeze") @reason("no deployments in December") forbid(principal, action == Wardmote::Action::"model.deploy", resource);"#;
    let authorizer = Authorizer::new(&[("freeze".into(), freeze.into())]).unwrap();
    let ada = Actor::new("ada".parse().unwrap(), ActorKind::Human, vec![role("ml-engineer")]);
    let version = resources().into_iter().find(|(name, _)| *name == "somebody else's version").unwrap().1;
    let Decision::Denied(denial) = authorizer.decide(&ada, Action::ModelDeploy, &version) else {
        panic!("allowed")
    };
    assert!(denial.reason().ends_with("no deployments in December"), "{}", denial.reason());
    let error = Authorizer::new(&[("broken".into(), "permit(principal, action".into())]).unwrap_err();
    assert!(error.to_string().starts_with("the policy `broken` cannot be used: "), "{error}");
    let unknown = r#"permit(principal, action == Wardmote::Action::"model.destroy", resource);"#;
    assert!(Authorizer::new(&[("unknown".into(), unknown.into())]).is_err());
}
