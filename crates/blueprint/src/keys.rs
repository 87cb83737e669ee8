//! Keys of KMS: those of the charter as its house finds them, one for each model, and one for records.

use crate::site::{Site, key_id, model_key, signs};
use crate::template::{Area, Resource, arn, policy, sub, to};
use charter::model::{Key, Model};
use facts::RoleId;
use serde_json::{Value, json};

/// What administrators of a key may do with it. Nothing of it opens anything.
pub(crate) const ADMINISTER: [&str; 21] = [
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:DescribeKey",
    "kms:DisableKey",
    "kms:DisableKeyRotation",
    "kms:EnableKey",
    "kms:EnableKeyRotation",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListGrants",
    "kms:ListKeyPolicies",
    "kms:ListKeyRotations",
    "kms:ListResourceTags",
    "kms:PutKeyPolicy",
    "kms:RevokeGrant",
    "kms:RotateKeyOnDemand",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
];
/// What users may do with keys that encrypt, that derive, and that sign.
pub(crate) const ENCRYPT: [&str; 5] =
    ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncrypt*"];
pub(crate) const DERIVE: [&str; 3] = ["kms:DescribeKey", "kms:GenerateMac", "kms:VerifyMac"];
pub(crate) const SIGN: [&str; 4] = ["kms:DescribeKey", "kms:GetPublicKey", "kms:Sign", "kms:Verify"];

/// What a key is for, in KMS's words.
enum Purpose {
    Encrypt,
    Derive,
    Sign,
}

impl Purpose {
    fn actions(&self) -> &'static [&'static str] {
        match self {
            Self::Encrypt => &ENCRYPT,
            Self::Derive => &DERIVE,
            Self::Sign => &SIGN,
        }
    }
}

pub(crate) fn area(site: &Site<'_>) -> Area {
    let mut resources = Vec::new();
    for key in &site.charter.keys {
        of_charter(site, key, &mut resources);
    }
    for model in &site.charter.models {
        resources.push(of_model(site, model));
    }
    resources.push(of_house(site));
    resources.push(of_records(site));
    Area {
        title: "Keys",
        why: "Whoever administers a key cannot use it, and whoever uses it cannot administer it. No key policy leaves \
              use to policies of identities: an administrator of the account opens nothing. Keys outlive the stack, \
              because what they protect does.",
        resources,
    }
}

fn of_charter(site: &Site<'_>, key: &Key, resources: &mut Vec<Resource>) {
    let (id, alias) = (key_id(key), format!("alias/{}/{}", site.org(), key.id));
    let purpose = if signs(key) { Purpose::Sign } else { Purpose::Encrypt };
    let users = site.arns(&key.users);
    let why = format!("{}: {}.", key.id, key.description.trim_end_matches('.'));
    let own = statements(site, &key.administrators, &users, &purpose);
    resources.push(resource(site, &id, (&key.description, &purpose), own).why(why));
    resources.push(alias_of(&id, &alias));
    if signs(key) {
        return;
    }
    let derivation = format!("{id}Derivation");
    let own = statements(site, &key.administrators, &users, &Purpose::Derive);
    let said = format!("derives pseudonyms beside {}", key.id);
    let why =
        "Pseudonyms are derived with a key of their own, which never rotates, so that they stay the same.";
    resources.push(resource(site, &derivation, (&said, &Purpose::Derive), own).why(why));
    resources.push(alias_of(&derivation, &format!("{alias}/derivation")));
}

fn of_model(site: &Site<'_>, model: &Model) -> Resource {
    let administrators: &[RoleId] = site.key_of(model).map_or(&[], |key| key.administrators.as_slice());
    let mut users = site.arns(site.makers(model));
    users.extend(crate::serving::roles(model).map(|id| arn(&id)));
    let mut own = statements(site, administrators, &users, &Purpose::Encrypt);
    own.push(json!({
        "#": "SageMaker opens volumes of its instances by a grant, which it asks for as whoever makes the endpoint or \
              job. Only a service can hold such a grant.",
        "Sid": "SageMakerHoldsVolumes",
        "Effect": "Allow",
        "Principal": {"AWS": sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root")},
        "Action": "kms:CreateGrant",
        "Resource": "*",
        "Condition": {
            "Bool": {"kms:GrantIsForAWSResource": "true"},
            "StringEquals": {"kms:ViaService": sub("sagemaker.${AWS::Region}.${AWS::URLSuffix}")},
        },
    }));
    let said = format!("encrypts artefacts, captured traffic and volumes of {}", model.name);
    resource(site, &model_key(model), (&said, &Purpose::Encrypt), own).why(format!(
        "What is made of {} has a key of its own: serving it takes no right to the key of its training data.",
        model.name
    ))
}

fn of_house(site: &Site<'_>) -> Resource {
    let administrators: Vec<RoleId> = site.administrators().into_iter().cloned().collect();
    let mut own = statements(site, &administrators, &site.arns(site.members()), &Purpose::Encrypt);
    own.push(by_services("ServicesThatAlert", &["cloudwatch.amazonaws.com", "events.amazonaws.com"]));
    let said = "encrypts once more what the house has encrypted";
    resource(site, "HouseKey", (said, &Purpose::Encrypt), own).why(
        "S3's own encryption of what the house keeps; what is inside opens only with a key of the charter.",
    )
}

fn of_records(site: &Site<'_>) -> Resource {
    let administrators: Vec<RoleId> = site.administrators().into_iter().cloned().collect();
    let auditors = site.arns(site.auditors());
    let mut own = statements(site, &administrators, &auditors, &Purpose::Encrypt);
    own.push(json!({
        "Sid": "LogGroupsOfThisAccount",
        "Effect": "Allow",
        "Principal": {"Service": sub("logs.${AWS::Region}.${AWS::URLSuffix}")},
        "Action": ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
        "Resource": "*",
        "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn":
            sub("arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:*")}},
    }));
    own.push(by_services("CloudTrailOfThisAccount", &["cloudtrail.amazonaws.com"]));
    resource(site, "RecordsKey", ("encrypts trails, logs and images", &Purpose::Encrypt), own)
        .why("Services write records with it, auditors read them; it opens no data.")
}

/// Services that encrypt for this account.
fn by_services(sid: &str, services: &[&str]) -> Value {
    json!({
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"Service": services},
        "Action": ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey*"],
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:SourceAccount": to("AWS::AccountId")}},
    })
}

/// Who may do what with a key of the charter.
fn statements(site: &Site<'_>, administrators: &[RoleId], users: &[Value], purpose: &Purpose) -> Vec<Value> {
    let mut all = vec![json!({
        "#": "The root user alone, by hand, if nobody else is left.",
        "Sid": "RootUserRecovers",
        "Effect": "Allow",
        "Principal": {"AWS": sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root")},
        "Action": ADMINISTER,
        "Resource": "*",
        "Condition": {"ArnEquals": {"aws:PrincipalArn": sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root")}},
    })];
    if !administrators.is_empty() {
        all.push(json!({
            "Sid": "Administration",
            "Effect": "Allow",
            "Principal": {"AWS": site.arns(administrators)},
            "Action": ADMINISTER,
            "Resource": "*",
        }));
        all.push(json!({
            "#": "Whoever deploys this template carries the tag of an administrator too, since keys are made by those.",
            "Sid": "AdministrationByTag",
            "Effect": "Allow",
            "Principal": {"AWS": sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root")},
            "Action": ADMINISTER,
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:PrincipalTag/role": administrators}},
        }));
    }
    if !users.is_empty() {
        all.push(json!({
            "Sid": "Use",
            "Effect": "Allow",
            "Principal": {"AWS": users},
            "Action": purpose.actions(),
            "Resource": "*",
        }));
        all.push(json!({
            "Sid": "UsersNeverAdminister",
            "Effect": "Deny",
            "Principal": {"AWS": users},
            "Action": ADMINISTER.iter().filter(|action| **action != "kms:DescribeKey").collect::<Vec<_>>(),
            "Resource": "*",
        }));
    }
    all
}

fn resource(
    site: &Site<'_>,
    id: &str,
    (description, purpose): (&str, &Purpose),
    statements: Vec<Value>,
) -> Resource {
    let mut properties = json!({"Description": description});
    match purpose {
        Purpose::Encrypt => {
            properties["EnableKeyRotation"] = json!(true);
            properties["RotationPeriodInDays"] = json!(365);
        }
        Purpose::Derive => {
            properties["KeySpec"] = json!("HMAC_256");
            properties["KeyUsage"] = json!("GENERATE_VERIFY_MAC");
        }
        Purpose::Sign => {
            properties["KeySpec"] = json!("ECC_NIST_P256");
            properties["KeyUsage"] = json!("SIGN_VERIFY");
        }
    }
    properties["PendingWindowInDays"] = json!(30);
    properties["BypassPolicyLockoutSafetyCheck"] = json!(true);
    properties["KeyPolicy"] = policy(statements);
    // The house finds its keys by this tag and their aliases.
    properties["Tags"] = site.tags_and("wardmote", &format!("{}/", site.org()));
    Resource::new(id, "AWS::KMS::Key", properties).stays()
}

fn alias_of(key: &str, name: &str) -> Resource {
    let properties = json!({"AliasName": name, "TargetKeyId": to(key)});
    Resource::new(format!("{key}Alias"), "AWS::KMS::Alias", properties).stays()
}
