//! Random requests, and what KMS and S3 know beside policies.

use super::conditions::SORTS;
use super::{Dice, Theme};
use serde_json::{Map, Value, json};

const CALLERS: [&str; 14] = [
    "arn:aws:iam::111111111111:user/bob",
    "arn:aws:iam::111111111111:user/div/bob",
    "arn:aws:iam::222222222222:user/eve",
    "arn:aws:iam::111111111111:role/App",
    "arn:aws:iam::111111111111:role/path/App",
    "arn:aws:sts::111111111111:assumed-role/App/s1",
    "arn:aws:sts::111111111111:assumed-role/App/s2",
    "arn:aws:sts::222222222222:assumed-role/App/s1",
    "arn:aws:iam::111111111111:root",
    "arn:aws:iam::222222222222:root",
    "arn:aws:sts::111111111111:federated-user/bob",
    "arn:aws:iam::111111111111:role/aws-service-role/x.amazonaws.com/Linked",
    "lambda.amazonaws.com",
    "cafe01",
];

pub(crate) fn context(dice: &mut Dice) -> Map<String, Value> {
    let mut context = Map::new();
    for sort in &SORTS {
        for key in sort.keys {
            if dice.one_in(3) {
                continue;
            }
            let listed = key.ends_with("Keys") || key.ends_with("Via");
            let value = if listed != dice.one_in(12) {
                let many = dice.below(4);
                (0..many).map(|_| Value::from(dice.pick(sort.held))).collect()
            } else {
                dice.pick(sort.held).into()
            };
            let key = if dice.one_in(8) { key.to_lowercase() } else { (*key).to_owned() };
            context.insert(key, value);
        }
    }
    for name in ["a", "B"] {
        if dice.one_in(2) {
            context.insert(format!("kms:EncryptionContext:{name}"), dice.pick(&["1", "2"]).into());
        }
    }
    context
}

/// A request about a theme.
pub(crate) fn request(dice: &mut Dice, theme: &Theme) -> Value {
    let principal = if dice.one_in(10) { json!({"type": "Anonymous"}) } else { dice.pick(&CALLERS).into() };
    let mut request = json!({
        "principal": principal,
        "action": dice.pick(theme.actions),
        "resource": dice.pick(theme.resources),
        "context": context(dice),
    });
    let about_s3 = theme.actions.iter().any(|action| action.starts_with("s3:"));
    if dice.below(4) < if about_s3 { 3 } else { 1 } {
        request["resourceAccount"] = dice.pick(&["111111111111", "111111111111", "222222222222"]).into();
    }
    request
}

pub(super) fn grants(dice: &mut Dice) -> Value {
    let one = |dice: &mut Dice| {
        let mut grant = json!({
            "GranteePrincipal": dice.pick(&CALLERS),
            "Operations": [dice.pick(&["Decrypt", "Encrypt", "DescribeKey", "RetireGrant"]), "CreateGrant"],
        });
        let mut pairs = Map::new();
        for name in ["a", "B"] {
            if dice.one_in(2) {
                pairs.insert(name.to_owned(), dice.pick(&["1", "2"]).into());
            }
        }
        match dice.below(4) {
            0 => grant["Constraints"] = json!({"EncryptionContextEquals": pairs}),
            1 => grant["Constraints"] = json!({"EncryptionContextSubset": pairs}),
            _ => (),
        }
        if dice.one_in(3) {
            grant["KeyId"] = "arn:aws:kms:eu-west-1:111111111111:key/1".into();
        }
        grant
    };
    (0..1 + dice.below(2)).map(|_| one(dice)).collect()
}

pub(super) fn s3(dice: &mut Dice) -> Value {
    let mut settings = json!({
        "BlockPublicAccess": [
            {"IgnorePublicAcls": dice.one_in(4), "RestrictPublicBuckets": dice.one_in(3)},
            {"IgnorePublicAcls": dice.one_in(4), "RestrictPublicBuckets": dice.one_in(3), "BlockPublicAcls": true},
        ],
    });
    if !dice.one_in(3) {
        let all = ["BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"];
        settings["ObjectOwnership"] = dice.pick(&all).into();
        for list in ["BucketAcl", "ObjectAcl"] {
            let grantee = dice.pick(&[
                "cafe01",
                "cafe02",
                "http://acs.amazonaws.com/groups/global/AllUsers",
                "http://acs.amazonaws.com/groups/global/AuthenticatedUsers",
            ]);
            let permission = dice.pick(&["READ", "WRITE", "READ_ACP", "FULL_CONTROL"]);
            if dice.one_in(2) {
                settings[list] = json!([{"Grantee": grantee, "Permission": permission}]);
            }
        }
    }
    settings
}
