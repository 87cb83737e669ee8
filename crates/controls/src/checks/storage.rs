//! What a bucket keeps and how: encryption, versions, locks, logs, lifetimes, tags.

use crate::answer::{Answer, Spot, all, below, find, not_applicable};
use crate::resource::{Resource, State, cause};
use crate::unit::{Case, Unit, part, unit};
use facts::Verdict;

const BUCKET: &str = "AWS::S3::Bucket";
const DEFAULT_ENCRYPTION: &str = "BucketEncryption.ServerSideEncryptionConfiguration";
/// Where a bucket writes its server access logs.
const LOGS_INTO: &str = "LoggingConfiguration.DestinationBucketName";
const TAGS: [&str; 4] = ["owner", "data-class", "purpose", "retention"];
/// Classes of data of which anybody may have a copy.
const OPEN_CLASSES: [&str; 1] = ["public"];

pub(crate) const UNITS: &[Unit] = &[
    unit!(
        "S3-05",
        High,
        Single,
        "a bucket encrypts with KMS by default, with a customer key if its data is classed internal or above",
        [BUCKET],
        [
            "S3EncryptionEnabled",
            "S3_DEFAULT_ENCRYPTION_KMS",
            "S3.17",
            "CKV_AWS_145",
            "s3_bucket_kms_encryption"
        ],
        encrypted
    ),
    part!(
        "S3-05",
        "set",
        Medium,
        "a bucket says how it encrypts",
        [BUCKET],
        [
            "S3.4",
            "S3_BUCKET_SERVER_SIDE_ENCRYPTION_ENABLED",
            "AVD-AWS-0088",
            "W41",
            "s3_bucket_default_encryption"
        ],
        |case| { by_algorithm(case, true) }
    ),
    part!(
        "S3-05",
        "any",
        Medium,
        "a bucket encrypts; S3 does so by itself since 2023",
        [BUCKET],
        ["CKV_AWS_19"],
        |case| { by_algorithm(case, false) }
    ),
    part!(
        "S3-05",
        "key",
        High,
        "a bucket encrypts with a customer key",
        [BUCKET],
        ["AVD-AWS-0132"],
        |case| {
            let rules = find(case.resource, DEFAULT_ENCRYPTION);
            match (rules.missing(), rules.items()) {
                (Some(missing), _) => rules.spot.unknown(missing),
                (None, items) if items.is_empty() => {
                    rules.spot.broken("no key is set; S3 uses keys of its own")
                }
                (None, items) => all(items.iter().map(|(spot, item)| {
                    below(spot, item, "ServerSideEncryptionByDefault.KMSMasterKeyID").customer_key()
                })),
            }
        }
    ),
    unit!(
        "S3-06",
        High,
        Cross,
        "the key of a bucket is a customer key that rotates",
        [BUCKET],
        [],
        key_is_sound
    ),
    unit!(
        "S3-11",
        Medium,
        Single,
        "a bucket has access control lists switched off",
        [BUCKET],
        ["S3.12", "CKV2_AWS_65", "S3_BUCKET_ACL_PROHIBITED"],
        lists_off
    ),
    unit!(
        "S3-12",
        Medium,
        Single,
        "a bucket keeps versions",
        [BUCKET],
        [
            "CKV_AWS_21",
            "S3.14",
            "S3_BUCKET_VERSIONING_ENABLED",
            "AVD-AWS-0090",
            "s3_bucket_object_versioning"
        ],
        |case| { find(case.resource, "VersioningConfiguration.Status").word(&["Enabled"], None) }
    ),
    unit!(
        "S3-13",
        Medium,
        Single,
        "a bucket of evidence or artefacts locks its objects by default",
        [BUCKET],
        [],
        |case| match takes_access_logs(case) {
            // S3 delivers no access logs into a bucket with a default lock.
            Some(Answer { verdict: Verdict::Holds, .. }) => not_applicable(
                "it takes server access logs, which S3 does not deliver where objects are locked by default"
            ),
            Some(unclear) if !lock_by_default(case).is_holds() => unclear,
            _ => all([lock_is_on(case), lock_by_default(case)]),
        }
    ),
    part!(
        "S3-13",
        "on",
        Medium,
        "a bucket can lock its objects",
        [BUCKET],
        ["S3.15", "S3_BUCKET_DEFAULT_LOCK_ENABLED", "CKV_AWS_143", "s3_bucket_object_lock"],
        lock_is_on
    ),
    unit!("S3-14", Medium, Cross, "reads and writes of a bucket are logged", [BUCKET], [], logged),
    part!(
        "S3-14",
        "server",
        Medium,
        "a bucket has server access logs",
        [BUCKET],
        [
            "S3.9",
            "S3_BUCKET_LOGGING_ENABLED",
            "CKV_AWS_18",
            "AVD-AWS-0089",
            "W35",
            "s3_bucket_server_access_logging_enabled"
        ],
        |case| find(case.resource, "LoggingConfiguration").present()
    ),
    unit!(
        "S3-16",
        Low,
        Single,
        "a bucket says its owner, data class, purpose and retention in tags",
        [BUCKET],
        [],
        tagged
    ),
];

fn lock_by_default(case: &Case<'_>) -> Answer {
    find(case.resource, "ObjectLockConfiguration.Rule.DefaultRetention").present()
}

/// Whether another bucket writes its server access logs here: holds if so, unknown if one may; nothing if none does.
fn takes_access_logs(case: &Case<'_>) -> Option<Answer> {
    let mut perhaps = None;
    for pointing in case.estate.pointing(BUCKET, LOGS_INTO, case.resource) {
        let spot = find(pointing.from, LOGS_INTO).spot;
        match pointing.unclear {
            None => return Some(spot.holds("it writes its access logs here")),
            Some(missing) => {
                perhaps = Some(spot.unknown(format!("whether it writes its access logs here: {missing}")));
            }
        }
    }
    perhaps
}

fn lock_is_on(case: &Case<'_>) -> Answer {
    find(case.resource, "ObjectLockEnabled").flag(true, false)
}

/// Whether an algorithm is set that is one; S3 takes its own if none is.
fn by_algorithm(case: &Case<'_>, must_be_set: bool) -> Answer {
    let rules = find(case.resource, DEFAULT_ENCRYPTION);
    if let Some(missing) = rules.missing() {
        return rules.spot.unknown(missing);
    }
    let default = (!must_be_set).then_some("AES256");
    let items = rules.items();
    if items.is_empty() && must_be_set {
        return rules.spot.broken("no encryption is set; S3 uses keys of its own");
    }
    if items.is_empty() {
        return rules.spot.holds("S3 encrypts with keys of its own by default");
    }
    all(items.iter().map(|(spot, item)| {
        below(spot, item, "ServerSideEncryptionByDefault.SSEAlgorithm")
            .word(&["AES256", "aws:kms", "aws:kms:dsse"], default)
    }))
}

fn encrypted(case: &Case<'_>) -> Answer {
    let rules = find(case.resource, DEFAULT_ENCRYPTION);
    if let Some(missing) = rules.missing() {
        return rules.spot.unknown(missing);
    }
    let items = rules.items();
    if items.is_empty() {
        return rules.spot.broken("no encryption with KMS is set; S3 uses keys of its own");
    }
    let tags = case.resource.properties.get("Tags");
    let unclear = tags.and_then(crate::node::Node::any_hole);
    let classed = case.resource.tag("data-class").is_some_and(|class| !OPEN_CLASSES.contains(&class));
    all(items.iter().map(|(spot, item)| {
        let by_default = |name: &str| below(spot, item, &format!("ServerSideEncryptionByDefault.{name}"));
        let algorithm = by_default("SSEAlgorithm").word(&["aws:kms", "aws:kms:dsse"], None);
        if !algorithm.is_holds() || !(classed || unclear.is_some()) {
            return algorithm;
        }
        let key = by_default("KMSMasterKeyID").customer_key();
        match unclear {
            Some(hole) if !classed && key.is_broken() => spot
                .clone()
                .unknown(format!("whether the data needs a customer key, by its tag: {}", hole.cause)),
            _ => key,
        }
    }))
}

fn key_is_sound(case: &Case<'_>) -> Answer {
    let rules = find(case.resource, DEFAULT_ENCRYPTION);
    if let Some(missing) = rules.missing() {
        return rules.spot.unknown(missing);
    }
    let items = rules.items();
    if items.is_empty() {
        return not_applicable("the bucket has no key; S3-05 says so");
    }
    all(items.iter().map(|(spot, item)| {
        let found = below(spot, item, "ServerSideEncryptionByDefault.KMSMasterKeyID");
        let State::Known(node) = found.state else { return found.customer_key() };
        let spot = found.spot.clone();
        let given = found.customer_key();
        if !given.is_holds() {
            return given;
        }
        match key_behind(case, node) {
            Some(key) => find(key, "EnableKeyRotation")
                .flag(true, false)
                .by_way_of(spot, &format!("the key is `{}`", key.id))
                .if_exists(key, case.resource),
            None => spot.unknown(format!(
                "the key `{}` is not among what was read; whether it is enabled and rotates is not known",
                node.shown()
            )),
        }
    }))
}

/// The key that a value refers to, also by an alias of the file.
pub(super) fn key_behind<'a>(case: &Case<'a>, node: &crate::node::Node) -> Option<&'a Resource> {
    if let Some(key) = case.estate.target(node, "AWS::KMS::Key") {
        return Some(key);
    }
    let alias = match node.edges().first() {
        Some(edge) => case.estate.named(&edge.to).filter(|resource| resource.kind == "AWS::KMS::Alias"),
        None => {
            let mut aliases = case.estate.of_kind("AWS::KMS::Alias");
            aliases
                .find(|alias| alias.properties.get("AliasName").and_then(|name| name.text()) == node.text())
        }
    }?;
    case.estate.target(alias.properties.get("TargetKeyId")?, "AWS::KMS::Key")
}

fn lists_off(case: &Case<'_>) -> Answer {
    let rules = find(case.resource, "OwnershipControls.Rules");
    if rules.is_absent() {
        let list = find(case.resource, "AccessControl");
        return match &list.state {
            State::Absent => rules.spot.holds("lists are off by default since April 2023"),
            State::Known(node) => {
                list.spot.clone().broken(format!("an access control list, `{}`, is in use", node.shown()))
            }
            State::Unknown(cause) => list.spot.clone().unknown(cause.clone()),
        };
    }
    if let Some(missing) = rules.missing() {
        return rules.spot.unknown(missing);
    }
    all(rules
        .items()
        .iter()
        .map(|(spot, item)| below(spot, item, "ObjectOwnership").word(&["BucketOwnerEnforced"], None)))
}

fn logged(case: &Case<'_>) -> Answer {
    let found = find(case.resource, "LoggingConfiguration.DestinationBucketName");
    let State::Known(node) = found.state else {
        if found.is_absent() && find(case.resource, "LoggingConfiguration").missing().is_none() {
            return by_trail(case)
                .unwrap_or_else(|| found.spot.broken("neither access logs nor a trail cover the bucket"));
        }
        return found.present();
    };
    if case.estate.is(node, case.resource) {
        return found.spot.broken("the bucket logs into itself, so that every log makes another");
    }
    found.present()
}

/// Whether a trail of the file records data events of the bucket.
fn by_trail(case: &Case<'_>) -> Option<Answer> {
    let trail = case.estate.referring(case.resource, "AWS::CloudTrail::Trail").find(|trail| {
        trail.properties.get("EventSelectors").is_some_and(|selectors| {
            let edges = selectors.edges().iter().any(|edge| edge.to == case.resource.id);
            edges || selectors.shown().contains("AWS::S3::Object")
        })
    })?;
    let logging = find(trail, "IsLogging").flag(true, false);
    Some(
        logging
            .by_way_of(Spot::of(trail), "the trail records events of its objects")
            .if_exists(trail, case.resource),
    )
}

fn tagged(case: &Case<'_>) -> Answer {
    let found = find(case.resource, "Tags");
    if let Some(missing) = found.missing() {
        return found.spot.unknown(missing);
    }
    let unknown = found.items().iter().find_map(|(_, tag)| {
        let key = tag.get("Key").unwrap_or(tag);
        key.hole().map(|_| cause(key))
    });
    let without: Vec<&str> = TAGS.into_iter().filter(|name| !has_tag(case.resource, name)).collect();
    match (without.is_empty(), unknown) {
        (true, _) => found.spot.holds("all four tags are there"),
        (false, Some(missing)) => found.spot.unknown(missing),
        (false, None) => {
            let list = without.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            found.spot.broken(format!("the tags {list} are missing"))
        }
    }
}

fn has_tag(resource: &Resource, name: &str) -> bool {
    let Some(tags) = resource.properties.get("Tags") else { return false };
    tags.get(name).is_some()
        || tags.items().iter().any(|tag| tag.get("Key").and_then(|key| key.text()) == Some(name))
}
