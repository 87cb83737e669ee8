//! Fixes of keys of KMS, of access keys, and of whom roles trust.

use super::subject::{Subject, listed, with};
use super::{Fix, Looks};
use crate::checks::MODEL_SERVICES;
use facts::remediation::{Call, Change, Class};
use serde_json::{Value, json};

const KEY: &str = "AWS::KMS::Key";
/// The longest time that KMS waits before it deletes a key.
const WAIT_DAYS: u32 = 30;

pub(super) const FIXES: &[Fix] = &[
    Fix {
        name: "enable_key_rotation",
        control: "KMS-01",
        kind: KEY,
        class: Class::Patch,
        does: "the key gets new material every year",
        touches: "nobody: what is encrypted stays readable",
        changes: rotate,
        proof: None,
    },
    Fix {
        name: "keep_key",
        control: "KMS-02",
        kind: KEY,
        class: Class::Human,
        does: "the key is not deleted, and is enabled",
        touches: "whoever may use the key can use it again; somebody took it out of use on purpose",
        changes: keep,
        proof: None,
    },
    Fix {
        name: "deactivate_access_key",
        control: "IAM-09",
        kind: "AWS::IAM::AccessKey",
        class: Class::Quarantine,
        does: "the access key stops working",
        touches: "programs that sign with the key are denied",
        changes: deactivate,
        proof: None,
    },
    Fix {
        name: "pin_trust_to_account",
        control: "IAM-03",
        kind: "AWS::IAM::Role",
        class: Class::Human,
        does: "AI services take the role only for this account",
        touches: "AI services that take the role for another account, or without saying for which, cannot any more",
        changes: pin,
        proof: None,
    },
];

fn rotate(subject: &Subject<'_>, looks: Looks<'_>) -> Result<Vec<Change>, String> {
    let key = json!({"KeyId": subject.id()});
    let look =
        subject.look(subject.call("kms", "GetKeyRotationStatus", key.clone()), "", &["KeyRotationEnabled"]);
    let write = |_: &Value, to: &Value| -> Vec<Call> {
        let on = to["KeyRotationEnabled"] == json!(true);
        let operation = if on { "EnableKeyRotation" } else { "DisableKeyRotation" };
        vec![subject.call("kms", operation, key.clone())]
    };
    subject.change(look, looks, |_| Ok(json!({"KeyRotationEnabled": true})), write)
}

fn keep(subject: &Subject<'_>, looks: Looks<'_>) -> Result<Vec<Change>, String> {
    let key = json!({"KeyId": subject.id()});
    let call = |operation: &str| subject.call("kms", operation, key.clone());
    let look = subject.look(call("DescribeKey"), "/KeyMetadata", &["KeyState"]);
    let state = |name: &str| json!({"KeyState": name});
    let before = looks(&look)?;
    let enable = Change {
        look: look.clone(),
        before: state("Disabled"),
        after: state("Enabled"),
        calls: vec![call("EnableKey")],
        inverse: vec![call("DisableKey")],
        undone: None,
    };
    match before["KeyState"].as_str() {
        Some("Enabled") => Ok(Vec::new()),
        Some("Disabled") => Ok(vec![enable]),
        Some("PendingDeletion") => {
            let wait = with(&key, "PendingWindowInDays", WAIT_DAYS.into());
            let cancel = Change {
                look,
                before,
                after: state("Disabled"),
                calls: vec![call("CancelKeyDeletion")],
                inverse: vec![subject.call("kms", "ScheduleKeyDeletion", wait)],
                undone: None,
            };
            Ok(vec![cancel, enable])
        }
        other => Err(format!(
            "the key is `{}`, which nothing here can change",
            other.unwrap_or("in no known state")
        )),
    }
}

fn deactivate(subject: &Subject<'_>, looks: Looks<'_>) -> Result<Vec<Change>, String> {
    let user = subject.property("/UserName")?.cloned().ok_or("it is not known whose key it is")?;
    let call = |operation: &str, parameters: Value| {
        subject.call("iam", operation, with(&parameters, "UserName", user.clone()))
    };
    let mut look = subject.look(
        call("ListAccessKeys", json!({})),
        "/ListAccessKeysResult/AccessKeyMetadata/member",
        &["Status"],
    );
    look.whose = Some(("AccessKeyId".to_owned(), subject.id().to_owned()));
    let write = |_: &Value, to: &Value| {
        vec![call("UpdateAccessKey", json!({"AccessKeyId": subject.id(), "Status": to["Status"]}))]
    };
    subject.change(look, looks, |_| Ok(json!({"Status": "Inactive"})), write)
}

fn pin(subject: &Subject<'_>, looks: Looks<'_>) -> Result<Vec<Change>, String> {
    let role = json!({"RoleName": subject.id()});
    let path = "/GetRoleResult/Role/AssumeRolePolicyDocument";
    let mut look = subject.look(subject.call("iam", "GetRole", role.clone()), path, &[]);
    look.document = true;
    let account = &subject.inventory.account;
    let write = |_: &Value, to: &Value| {
        vec![subject.call("iam", "UpdateAssumeRolePolicy", with(&role, "PolicyDocument", to.clone()))]
    };
    let after = |before: &Value| {
        let statements = listed(&before["Statement"]).into_iter().map(|one| pinned(one, account));
        Ok(with(before, "Statement", statements.collect::<Result<Vec<_>, String>>()?.into()))
    };
    subject.change(look, looks, after, write)
}

/// A statement that lets AI services in, for one account only. Others stay as they are.
fn pinned(statement: Value, account: &str) -> Result<Value, String> {
    let services = listed(&statement["Principal"]["Service"]);
    let of_models = |service: &Value| service.as_str().is_some_and(|name| MODEL_SERVICES.contains(&name));
    if statement["Effect"] != "Allow" || !services.iter().any(of_models) {
        return Ok(statement);
    }
    let keys = ["aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths"];
    let conditions = statement["Condition"].as_object().cloned().unwrap_or_default();
    let tests = conditions.values().filter_map(Value::as_object).flat_map(serde_json::Map::keys);
    if tests.into_iter().any(|key| keys.contains(&key.to_lowercase().as_str())) {
        return Ok(statement);
    }
    if !services.iter().all(of_models) || statement["Principal"].as_object().is_some_and(|who| who.len() > 1)
    {
        return Err("a statement lets others in too, who would be shut out; split it first".to_owned());
    }
    let equals = with(&statement["Condition"]["StringEquals"], "aws:SourceAccount", account.into());
    let condition = with(&statement["Condition"], "StringEquals", equals);
    Ok(with(&statement, "Condition", condition))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_statements_for_ai_services_are_pinned() {
        let service = json!({"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"});
        let done = pinned(service.clone(), "123456789012").unwrap();
        assert_eq!(done["Condition"], json!({"StringEquals": {"aws:SourceAccount": "123456789012"}}));
        assert_eq!(pinned(done.clone(), "123456789012").unwrap(), done);
        let other = json!({"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"});
        assert_eq!(pinned(other.clone(), "123456789012").unwrap(), other);
        let both =
            with(&service, "Principal", json!({"Service": ["sagemaker.amazonaws.com", "ec2.amazonaws.com"]}));
        insta::assert_snapshot!(pinned(both, "1").unwrap_err(), @"a statement lets others in too, who would be shut out; split it first");
    }
}
