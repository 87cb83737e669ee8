//! An account is read, and what it says about who can do what is right; what may not be read leaves answers open.

use crate::support::account::key;
use crate::support::proxy::{json_error, xml_error};
use crate::support::{Emulator, client, proxied};
use aws::inventory::{Collected, Scope, collect};
use iam::Inventory;
use iam::inventory::{Question, Verdict};

const OBJECT: &str = "arn:aws:s3:::live-data/train/1";

fn ask(text: &str, action: &str, resource: &str) -> String {
    let inventory = Inventory::parse("live", text).unwrap_or_else(|wrong| panic!("{wrong}\n{text}"));
    let found = inventory.who_can(action, resource, &Question::default()).unwrap();
    let short = |principal: &str| principal.rsplit(':').next().unwrap().to_owned();
    let of = |access: &iam::inventory::Access| format!("{} {:?}", short(&access.principal), access.verdict);
    found.iter().filter(|access| access.verdict != Verdict::Denied).map(of).collect::<Vec<_>>().join(", ")
}

fn both(collected: &Collected, action: &str, resource: &str) -> [String; 2] {
    [collected.least(), collected.most()].map(|text| ask(&text, action, resource))
}

#[test]
fn a_bucket_is_read_and_asked() {
    key();
    let found = collect(&client(Emulator::get().address), Scope::One(OBJECT)).unwrap();
    assert!(found.gaps().is_empty(), "{:?}", found.gaps());
    let [least, most] = both(&found, "s3:GetObject", OBJECT);
    assert_eq!(least, most, "nothing is missing");
    insta::assert_snapshot!(least, @r"root Allowed, user/anna Allowed, user/bert Allowed, role/trainer Allowed, role/auditor Undecided");
    insta::assert_snapshot!(ask(&found.most(), "s3:DeleteObject", OBJECT), @r"root Allowed, user/dora Allowed");
    insta::assert_snapshot!(found.notes().join("\n"), @"");
    let inventory: serde_json::Value = serde_json::from_str(&found.least()).unwrap();
    let buckets: Vec<_> =
        inventory["resources"].as_array().unwrap().iter().filter(|r| !r["s3"].is_null()).collect();
    insta::assert_snapshot!(serde_json::to_string_pretty(&buckets).unwrap());
}

#[test]
fn a_key_and_a_role_are_read_and_asked() {
    let client = client(Emulator::get().address);
    let found = collect(&client, Scope::One(key())).unwrap();
    insta::assert_snapshot!(ask(&found.least(), "kms:Decrypt", key()), @r"user/carl Allowed, role/trainer Conditional");
    let role = "arn:aws:iam::123456789012:role/trainer";
    let found = collect(&client, Scope::One(role)).unwrap();
    insta::assert_snapshot!(ask(&found.least(), "sts:AssumeRole", role), @r"sagemaker.amazonaws.com Allowed");
}

#[test]
fn a_whole_account_is_read() {
    key();
    let found = collect(&client(Emulator::get().address), Scope::All).unwrap();
    let inventory = Inventory::parse("live", &found.least()).unwrap();
    let all: Vec<&str> = inventory.resources().collect();
    for arn in ["arn:aws:s3:::live-data", "arn:aws:iam::123456789012:role/trainer", key()] {
        assert!(all.contains(&arn), "{arn} in {all:?}");
    }
}

#[test]
fn a_policy_that_may_not_be_read_leaves_open_what_depends_on_it() {
    key();
    let (proxy, client) = proxied();
    proxy.always("live-data?policy=", xml_error(403, "AccessDenied"));
    let found = collect(&client, Scope::One(OBJECT)).unwrap();
    insta::assert_snapshot!(found.gaps().iter().map(|gap| gap.text.as_str()).collect::<Vec<_>>().join("\n"), @r"s3:GetBucketPolicy was denied on `arn:aws:s3:::live-data`: what its policy allows and forbids is not known");
    let [least, most] = both(&found, "s3:GetObject", OBJECT);
    assert_eq!(least, "", "it may forbid everything");
    insta::assert_snapshot!(most, @r"root Allowed, user/anna Allowed, user/bert Allowed, user/carl Allowed, role/trainer Allowed, role/fenced Allowed, anonymous Allowed, any principal of another account Undecided");
    assert!(!most.contains("dora"), "whom her own policy forbids it cannot be let in by another");
}

#[test]
fn grants_lists_and_blocks_that_may_not_be_read() {
    let key = key();
    let (proxy, client) = proxied();
    proxy.always("TrentService.ListGrants", json_error(400, "AccessDeniedException"));
    proxy.always("live-data?publicAccessBlock=", xml_error(403, "AccessDenied"));
    proxy.always("live-data?ownershipControls=", xml_error(403, "AccessDenied"));
    let found = collect(&client, Scope::One(key)).unwrap();
    assert_eq!(found.gaps().len(), 1);
    let [least, most] = both(&found, "kms:Decrypt", key);
    assert!(!least.contains("trainer") && most.contains("trainer"), "{least}\n{most}");
    let found = collect(&client, Scope::One(OBJECT)).unwrap();
    insta::assert_snapshot!(found.gaps().iter().map(|gap| gap.text.as_str()).collect::<Vec<_>>().join("\n"), @r"
    s3:GetBucketPublicAccessBlock was denied on `arn:aws:s3:::live-data`: whether Block Public Access keeps outsiders out is not known
    s3:GetBucketOwnershipControls was denied on `arn:aws:s3:::live-data`: whether access control lists let somebody in is not known
    ");
}

#[test]
fn organisation_policies_that_may_not_be_read_are_said() {
    key();
    let (proxy, client) = proxied();
    proxy.always("DescribeOrganization", json_error(400, "AccessDeniedException"));
    let found = collect(&client, Scope::One(OBJECT)).unwrap();
    insta::assert_snapshot!(found.notes().join("\n"), @r"organisation policies are not known: organizations:DescribeOrganization was denied; what they forbid is not considered");
}

#[test]
fn without_principals_there_is_no_answer() {
    let (proxy, client) = proxied();
    proxy.always("Action=GetAccountAuthorizationDetails", xml_error(403, "AccessDenied"));
    let error = collect(&client, Scope::One(OBJECT)).unwrap_err();
    insta::assert_snapshot!(format!("{:?}: {error}; {}", error.trouble(), error.help().unwrap()), @r"Denied: `iam:GetAccountAuthorizationDetails` failed: AWS says `AccessDenied`: `because` (request `4442587FB7D0A2F9`); the caller needs `iam:GetAccountAuthorizationDetails`");
    let straight = crate::support::client(Emulator::get().address);
    for absent in ["arn:aws:s3:::live-none/x", "arn:aws:iam::999900001111:role/x", "nonsense"] {
        assert!(collect(&straight, Scope::One(absent)).is_err(), "{absent}");
    }
}

#[test]
fn what_reading_needs() {
    insta::assert_snapshot!(aws::inventory::permissions().actions().join("\n"));
}
