//! Fixes of buckets and of the account's switches for them. Parameters and states are named as in the API reference of
//! Amazon S3, whose documents are read and put in the same form.

use super::subject::{Subject, listed, with};
use super::{Fix, Looks};
use facts::remediation::{Call, Change, Class};
use serde_json::{Map, Value, json};

const BUCKET: &str = "AWS::S3::Bucket";
/// Classes of data of which anybody may have a copy.
const OPEN_CLASSES: [&str; 1] = ["public"];
const ABORT_DAYS: &str = "7";

pub(super) const FIXES: &[Fix] = &[
    Fix {
        name: "enable_kms_encryption",
        control: "S3-05",
        kind: BUCKET,
        class: Class::Patch,
        does: "objects are encrypted with KMS by default, under a bucket key",
        touches: "whoever writes objects needs `kms:GenerateDataKey` on the key, whoever reads new ones `kms:Decrypt`",
        changes: encrypt,
        proof: None,
    },
    Fix {
        name: "block_public_access",
        control: "S3-02",
        kind: BUCKET,
        class: Class::Patch,
        does: "all four switches of Block Public Access are on",
        touches: "what is public by a policy or an access control list is closed, websites too",
        changes: block,
        proof: None,
    },
    Fix {
        name: "close_public_reading",
        control: "S3-03",
        kind: BUCKET,
        class: Class::Quarantine,
        does: "all four switches of Block Public Access are on",
        touches: "the public, which can read it now, cannot any more",
        changes: block,
        proof: None,
    },
    Fix {
        name: "close_public_writing",
        control: "S3-04",
        kind: BUCKET,
        class: Class::Quarantine,
        does: "all four switches of Block Public Access are on",
        touches: "the public, which can write to it now, cannot any more",
        changes: block,
        proof: None,
    },
    Fix {
        name: "block_public_access_of_account",
        control: "S3-01",
        kind: "AWS::S3::AccountPublicAccessBlock",
        class: Class::Quarantine,
        does: "all four switches of Block Public Access are on for every bucket of the account",
        touches: "every bucket of the account that is public is closed, websites too",
        changes: block_account,
        proof: None,
    },
    Fix {
        name: "deny_plain_http",
        control: "S3-07",
        kind: BUCKET,
        class: Class::Patch,
        does: "a statement is added to the bucket's policy that denies every request without TLS",
        touches: "callers without TLS are denied",
        changes: deny_plain,
        proof: None,
    },
    Fix {
        name: "deny_other_keys",
        control: "S3-08",
        kind: BUCKET,
        class: Class::Human,
        does: "a statement is added to the bucket's policy that denies uploads under another key than the bucket's",
        touches: "whoever uploads under another key is denied",
        changes: deny_other_keys,
        proof: None,
    },
    Fix {
        name: "switch_off_access_control_lists",
        control: "S3-11",
        kind: BUCKET,
        class: Class::Patch,
        does: "the owner of the bucket owns every object, and access control lists do nothing",
        touches: "uploads that set an access control list other than `bucket-owner-full-control` fail",
        changes: lists_off,
        proof: None,
    },
    Fix {
        name: "enable_versioning",
        control: "S3-12",
        kind: BUCKET,
        class: Class::Patch,
        does: "the bucket keeps versions",
        touches: "objects that are deleted or replaced stay, and are paid for, until a lifecycle rule ends them",
        changes: versions,
        proof: None,
    },
    Fix {
        name: "enable_access_logging",
        control: "S3-14",
        kind: BUCKET,
        class: Class::Patch,
        does: "requests are logged into the bucket that was named",
        touches: "the bucket for logs must let `logging.s3.amazonaws.com` write",
        changes: log,
        proof: None,
    },
    Fix {
        name: "abort_incomplete_uploads",
        control: "S3-15.rule",
        kind: BUCKET,
        class: Class::Patch,
        does: "a lifecycle rule ends uploads that were not finished within seven days",
        touches: "parts of uploads that were begun more than seven days ago are lost",
        changes: abort_uploads,
        proof: None,
    },
];

/// A document of a bucket, put whole, and deleted if there is to be none.
struct Document {
    get: &'static str,
    put: &'static str,
    root: &'static str,
    delete: Option<&'static str>,
}

const ENCRYPTION: Document = Document {
    get: "GetBucketEncryption",
    put: "PutBucketEncryption",
    root: "ServerSideEncryptionConfiguration",
    delete: Some("DeleteBucketEncryption"),
};
const PUBLIC_ACCESS: Document = Document {
    get: "GetPublicAccessBlock",
    put: "PutPublicAccessBlock",
    root: "PublicAccessBlockConfiguration",
    delete: Some("DeletePublicAccessBlock"),
};
const POLICY: Document = Document {
    get: "GetBucketPolicy",
    put: "PutBucketPolicy",
    root: "Policy",
    delete: Some("DeleteBucketPolicy"),
};
const OWNERSHIP: Document = Document {
    get: "GetBucketOwnershipControls",
    put: "PutBucketOwnershipControls",
    root: "OwnershipControls",
    delete: Some("DeleteBucketOwnershipControls"),
};
const VERSIONING: Document = Document {
    get: "GetBucketVersioning",
    put: "PutBucketVersioning",
    root: "VersioningConfiguration",
    delete: None,
};
const LOGGING: Document =
    Document { get: "GetBucketLogging", put: "PutBucketLogging", root: "BucketLoggingStatus", delete: None };
const LIFECYCLE: Document = Document {
    get: "GetBucketLifecycleConfiguration",
    put: "PutBucketLifecycleConfiguration",
    root: "LifecycleConfiguration",
    delete: Some("DeleteBucketLifecycle"),
};

impl Document {
    fn change(
        &self,
        subject: &Subject<'_>,
        looks: Looks<'_>,
        after: impl FnOnce(&Value) -> Result<Value, String>,
    ) -> Result<Vec<Change>, String> {
        let bucket = json!({"Bucket": subject.id()});
        let look = subject.look(subject.call("s3", self.get, bucket.clone()), "", &[]);
        let write = |_: &Value, to: &Value| -> Vec<Call> {
            vec![match self.delete {
                Some(delete) if to.is_null() => subject.call("s3", delete, bucket.clone()),
                _ => subject.call("s3", self.put, with(&bucket, self.root, to.clone())),
            }]
        };
        subject.change(look, looks, after, write)
    }
}

fn encrypt(subject: &Subject<'_>, looks: Looks<'_>) -> Result<Vec<Change>, String> {
    subject.property("/Tags")?;
    ENCRYPTION.change(subject, looks, |before| {
        let rule = before.pointer("/Rule/0").cloned().unwrap_or(json!({}));
        let own = rule.pointer("/ApplyServerSideEncryptionByDefault/KMSMasterKeyID").and_then(Value::as_str);
        let classed = subject.tag("data-class").is_some_and(|class| !OPEN_CLASSES.contains(&class));
        // Two layers of encryption stay two; they have no bucket key.
        let double =
            rule.pointer("/ApplyServerSideEncryptionByDefault/SSEAlgorithm") == Some(&json!("aws:kms:dsse"));
        let algorithm = if double { "aws:kms:dsse" } else { "aws:kms" };
        let mut default = Map::from_iter([("SSEAlgorithm".to_owned(), json!(algorithm))]);
        let key = match (&subject.options.kms_key, own) {
            (Some(named), _) => Some(named.as_str()),
            (None, own) if !classed => own,
            (None, _) => Some(subject.key()?),
        };
        if let Some(key) = key {
            default.insert("KMSMasterKeyID".to_owned(), key.into());
        }
        let rule = with(&rule, "ApplyServerSideEncryptionByDefault", default.into());
        let rule = if double { rule } else { with(&rule, "BucketKeyEnabled", json!("true")) };
        Ok(with(before, "Rule", json!([rule])))
    })
}

fn closed() -> Value {
    let flags = ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"];
    flags.into_iter().map(|flag| (flag.to_owned(), json!("true"))).collect::<Map<_, _>>().into()
}

fn block(subject: &Subject<'_>, looks: Looks<'_>) -> Result<Vec<Change>, String> {
    PUBLIC_ACCESS.change(subject, looks, |_| Ok(closed()))
}

fn block_account(subject: &Subject<'_>, looks: Looks<'_>) -> Result<Vec<Change>, String> {
    let account = json!({"AccountId": subject.id()});
    let call = |operation: &str, parameters: Value| subject.call("s3-control", operation, parameters);
    let look = subject.look(call("GetPublicAccessBlock", account.clone()), "", &[]);
    let write = |_: &Value, to: &Value| {
        vec![match to {
            Value::Null => call("DeletePublicAccessBlock", account.clone()),
            to => call("PutPublicAccessBlock", with(&account, PUBLIC_ACCESS.root, to.clone())),
        }]
    };
    subject.change(look, looks, |_| Ok(closed()), write)
}

/// A policy with one more statement; those of others stay as they are.
fn with_statement(policy: &Value, statement: Value) -> Result<Value, String> {
    let mut statements = listed(&policy["Statement"]);
    let sid = &statement["Sid"];
    if statements.contains(&statement) {
        return Ok(policy.clone());
    }
    if statements.iter().any(|other| other["Sid"] == *sid) {
        return Err(format!(
            "the policy has another statement with the Sid {sid}; only a person can join them"
        ));
    }
    statements.push(statement);
    let policy = if policy.is_null() { json!({"Version": "2012-10-17"}) } else { policy.clone() };
    Ok(with(&policy, "Statement", statements.into()))
}

fn deny_plain(subject: &Subject<'_>, looks: Looks<'_>) -> Result<Vec<Change>, String> {
    let statement = json!({
        "Sid": "DenyPlainHttp", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
        "Resource": [subject.arn(), format!("{}/*", subject.arn())],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    });
    POLICY.change(subject, looks, |before| with_statement(before, statement))
}

fn deny_other_keys(subject: &Subject<'_>, looks: Looks<'_>) -> Result<Vec<Change>, String> {
    let path =
        "/BucketEncryption/ServerSideEncryptionConfiguration/0/ServerSideEncryptionByDefault/KMSMasterKeyID";
    let key = subject.property(path)?.and_then(Value::as_str).filter(|key| key.contains(":key/"));
    let key = key.ok_or("the bucket's own key is not given by its ARN, so the policy cannot name it")?;
    let statement = json!({
        "Sid": "DenyOtherKeys", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject",
        "Resource": format!("{}/*", subject.arn()),
        "Condition": {"StringNotEqualsIfExists": {"s3:x-amz-server-side-encryption-aws-kms-key-id": key}},
    });
    POLICY.change(subject, looks, |before| with_statement(before, statement))
}

fn lists_off(subject: &Subject<'_>, looks: Looks<'_>) -> Result<Vec<Change>, String> {
    let grants = subject.property("/Acl")?.and_then(Value::as_array).map_or(0, Vec::len);
    if grants > 1 || subject.property("/AccessControl")?.is_some() {
        return Err(
            "its access control list gives others access, who would lose it; put that into a policy first"
                .to_owned(),
        );
    }
    OWNERSHIP.change(subject, looks, |_| Ok(json!({"Rule": [{"ObjectOwnership": "BucketOwnerEnforced"}]})))
}

fn versions(subject: &Subject<'_>, looks: Looks<'_>) -> Result<Vec<Change>, String> {
    let mut changes = VERSIONING.change(subject, looks, |before| {
        if before["MfaDelete"] == "Enabled" {
            return Err("deleting versions needs a second factor, which only the owner has".to_owned());
        }
        Ok(with(before, "Status", json!("Enabled")))
    })?;
    // What had versions once cannot go back to never.
    for change in changes.iter_mut().filter(|change| change.before["Status"].is_null()) {
        let suspended = with(&change.before, "Status", json!("Suspended"));
        let parameters = json!({"Bucket": subject.id(), "VersioningConfiguration": suspended});
        change.inverse = vec![subject.call("s3", VERSIONING.put, parameters)];
        change.undone = Some(suspended);
    }
    Ok(changes)
}

fn log(subject: &Subject<'_>, looks: Looks<'_>) -> Result<Vec<Change>, String> {
    let to = subject.log_bucket()?;
    if to.id == subject.id() {
        return Err(
            "a bucket that logs into itself makes a log of every log: name another with `--log-bucket`"
                .to_owned(),
        );
    }
    if to.region.is_some() && subject.item.region.is_some() && to.region != subject.item.region {
        return Err(format!("logs stay in the region of their bucket, and `{}` is in another", to.id));
    }
    LOGGING.change(subject, looks, |before| {
        if !before["LoggingEnabled"].is_null() {
            return Err(
                "it logs already, into a bucket that somebody chose; only a person can choose another"
                    .to_owned(),
            );
        }
        let target = json!({"TargetBucket": to.id, "TargetPrefix": format!("{}/", subject.id())});
        Ok(with(before, "LoggingEnabled", target))
    })
}

fn abort_uploads(subject: &Subject<'_>, looks: Looks<'_>) -> Result<Vec<Change>, String> {
    LIFECYCLE.change(subject, looks, |before| {
        let mut rules = listed(&before["Rule"]);
        let moves =
            |rule: &Value| !rule["Transition"].is_null() || !rule["NoncurrentVersionTransition"].is_null();
        if rules.iter().any(moves) {
            // What S3 says of them in a header would be lost.
            return Err(
                "it has rules that move objects to other storage; only a person can join them".to_owned()
            );
        }
        rules.push(json!({
            "ID": "abort-incomplete-uploads", "Status": "Enabled", "Filter": {"Prefix": ""},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": ABORT_DAYS},
        }));
        Ok(with(before, "Rule", rules.into()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_of_others_stay_and_one_sid_is_one_statement() {
        let ours = json!({"Sid": "DenyPlainHttp", "Effect": "Deny"});
        let one =
            json!({"Version": "2008-10-17", "Id": "x", "Statement": {"Effect": "Allow", "Action": "s3:*"}});
        let joined = with_statement(&one, ours.clone()).unwrap();
        assert_eq!(
            joined,
            json!({"Version": "2008-10-17", "Id": "x", "Statement": [{"Effect": "Allow", "Action": "s3:*"}, ours]})
        );
        assert_eq!(with_statement(&joined, ours.clone()).unwrap(), joined);
        let taken = json!({"Statement": [{"Sid": "DenyPlainHttp", "Effect": "Allow"}]});
        insta::assert_snapshot!(with_statement(&taken, ours.clone()).unwrap_err(), @r#"the policy has another statement with the Sid "DenyPlainHttp"; only a person can join them"#);
        assert_eq!(
            with_statement(&Value::Null, ours.clone()).unwrap(),
            json!({"Version": "2012-10-17", "Statement": [ours]})
        );
    }
}
