//! Buckets: encrypted with keys of their own, versioned, locked, reached over TLS, by named roles, from the network.

use crate::site::{About, SHORT_LOCK_DAYS, Site, artefacts, capture, data_bucket, key_id, model_key};
use crate::template::{Area, Resource, arn, logical, policy, sub, to};
use charter::model::{Dataset, Model};
use facts::{DataClassification, RoleId, Tags};
use serde_json::{Value, json};

/// What S3 keeps an overwritten or expired object for.
const NONCURRENT_DAYS: u32 = 30;
const READ: [&str; 3] = ["s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectAttributes"];
const WRITE: [&str; 8] = [
    "s3:AbortMultipartUpload",
    "s3:BypassGovernanceRetention",
    "s3:DeleteObject",
    "s3:DeleteObjectTagging",
    "s3:DeleteObjectVersion",
    "s3:PutObject",
    "s3:PutObjectRetention",
    "s3:PutObjectTagging",
];
/// The tag of files of a version that nobody may use.
const HELD: &str = "s3:ExistingObjectTag/wardmote:quarantine";

/// A bucket before it is written.
struct Bucket {
    id: String,
    why: String,
    key: String,
    about: About,
    /// Nobody at all can remove what is locked so; else somebody with a right of their own can (for erasure).
    compliance: bool,
    /// ARNs of roles.
    readers: Vec<Value>,
    writers: Vec<Value>,
    /// The values of the tag `role` that readers carry.
    tagged: Vec<RoleId>,
    /// Whether what is tagged as in quarantine is read by nobody.
    held: bool,
    /// Statements for services that write.
    services: Vec<Value>,
}

pub(crate) fn area(site: &Site<'_>) -> Area {
    let mut buckets: Vec<Bucket> = site.charter.datasets.iter().map(|one| of_data(site, one)).collect();
    for model in &site.charter.models {
        buckets.push(of_artefacts(site, model));
        buckets.push(of_capture(site, model));
    }
    buckets.extend([of_house(site), evidence(site), records(site)]);
    Area {
        title: "Buckets",
        why: "Each bucket has one purpose, one key and one time for which things are kept. Its own policy denies what \
              it must not be, so that no policy of an identity, not even an administrator's, gets past it. Buckets and \
              their policies outlive the stack. S3 delivers access logs only into a bucket with keys of S3, which is \
              the log archive of the account.",
        resources: buckets.into_iter().flat_map(|bucket| bucket.resources(site)).collect(),
    }
}

fn of_data(site: &Site<'_>, dataset: &Dataset) -> Bucket {
    Bucket {
        id: data_bucket(dataset),
        why: format!("Snapshots of {}: {}.", dataset.id, dataset.description.trim_end_matches('.')),
        key: site
            .charter
            .keys
            .iter()
            .find(|key| key.id == dataset.key)
            .map_or_else(|| "RecordsKey".to_owned(), key_id),
        about: About {
            tags: dataset.tags.clone(),
            purpose: format!("snapshots of {}", dataset.id),
            retention_days: dataset.retention_days.map(facts::Days::get),
        },
        compliance: false,
        readers: site.arns(&dataset.readers),
        writers: site.arns(&dataset.writers),
        tagged: dataset.readers.clone(),
        held: false,
        services: Vec::new(),
    }
}

fn of_artefacts(site: &Site<'_>, model: &Model) -> Bucket {
    let makers = site.arns(site.makers(model));
    let serving = crate::serving::roles(model).map(|id| arn(&id));
    Bucket {
        id: artefacts(model),
        why: format!(
            "Versions of {}, as long as its documents; nobody can change or remove one, or read one in quarantine.",
            model.name
        ),
        key: model_key(model),
        about: About {
            tags: model.tags.clone(),
            purpose: format!("artefacts of {}", model.name),
            retention_days: Some(model.retention.documents_days.get()),
        },
        compliance: true,
        readers: makers.iter().cloned().chain(serving).collect(),
        writers: makers,
        tagged: Vec::new(),
        held: true,
        services: Vec::new(),
    }
}

fn of_capture(site: &Site<'_>, model: &Model) -> Bucket {
    let serving: Vec<Value> = crate::serving::roles(model).map(|id| arn(&id)).collect();
    let watchers = site.arns(
        site.makers(model)
            .into_iter()
            .filter(|id| site.roles.get(id).is_some_and(|role| role.trains.is_empty())),
    );
    Bucket {
        id: capture(model),
        why: format!(
            "What {} was asked and answered. It is about people, so that a right of its own can erase it.",
            model.name
        ),
        key: model_key(model),
        about: About {
            tags: model.tags.clone(),
            purpose: format!("captured traffic of {}", model.name),
            retention_days: Some(model.retention.capture_days.get()),
        },
        compliance: false,
        readers: serving.iter().cloned().chain(watchers).collect(),
        writers: serving,
        tagged: Vec::new(),
        held: false,
        services: Vec::new(),
    }
}

/// What all share, but not sensitive by itself.
fn internal(site: &Site<'_>) -> Tags {
    Tags { data_classification: DataClassification::Internal, ..site.shared() }
}

fn of_house(site: &Site<'_>) -> Bucket {
    let arns = site.arns(site.members());
    Bucket {
        id: "HouseObjects".to_owned(),
        why: "What the house keeps: objects that it has encrypted itself, under the keys of the charter."
            .to_owned(),
        key: "HouseKey".to_owned(),
        about: About {
            tags: internal(site),
            purpose: "objects of the house".to_owned(),
            retention_days: None,
        },
        compliance: false,
        readers: arns.clone(),
        writers: arns,
        tagged: Vec::new(),
        held: false,
        services: Vec::new(),
    }
}

fn evidence(site: &Site<'_>) -> Bucket {
    let works = |(id, role): (&&'_ RoleId, &crate::site::Role<'_>)| {
        (role.works() && !role.held_by_people && role.trains.is_empty()).then(|| (*id).clone())
    };
    let writers: Vec<RoleId> = site.roles.iter().filter_map(works).collect();
    let readers: Vec<&RoleId> = writers.iter().chain(site.auditors()).collect();
    Bucket {
        id: "Evidence".to_owned(),
        why: "The archive of the ledger: nobody, not the root user either, changes or removes what is in it before \
              its time."
            .to_owned(),
        key: "HouseKey".to_owned(),
        about: About {
            tags: internal(site),
            purpose: "archive of the ledger".to_owned(),
            retention_days: Some(site.evidence_days()),
        },
        compliance: true,
        readers: site.arns(readers),
        writers: site.arns(&writers),
        tagged: Vec::new(),
        held: false,
        services: Vec::new(),
    }
}

fn records(site: &Site<'_>) -> Bucket {
    let trail = sub(format!(
        "arn:${{AWS::Partition}}:cloudtrail:${{AWS::Region}}:${{AWS::AccountId}}:trail/{}",
        site.org()
    ));
    let by_trail = json!({"StringEquals": {"aws:SourceArn": trail}});
    Bucket {
        id: "Records".to_owned(),
        why: "What CloudTrail records, with digests that show what was changed or left out.".to_owned(),
        key: "RecordsKey".to_owned(),
        about: About {
            tags: internal(site),
            purpose: "trails of the account".to_owned(),
            retention_days: Some(site.evidence_days()),
        },
        compliance: true,
        readers: site.arns(site.auditors()),
        writers: Vec::new(),
        tagged: Vec::new(),
        held: false,
        services: vec![
            json!({
                "Sid": "CloudTrailLooks",
                "Effect": "Allow",
                "Principal": {"Service": "cloudtrail.amazonaws.com"},
                "Action": "s3:GetBucketAcl",
                "Resource": arn("Records"),
                "Condition": by_trail,
            }),
            json!({
                "Sid": "CloudTrailWrites",
                "Effect": "Allow",
                "Principal": {"Service": "cloudtrail.amazonaws.com"},
                "Action": "s3:PutObject",
                "Resource": sub("${Records.Arn}/AWSLogs/${AWS::AccountId}/*"),
                "Condition": by_trail,
            }),
        ],
    }
}

impl Bucket {
    fn resources(self, site: &Site<'_>) -> [Resource; 2] {
        let (id, days) = (self.id.clone(), self.about.retention_days);
        let mode = if self.compliance { "COMPLIANCE" } else { "GOVERNANCE" };
        let properties = json!({
            "BucketEncryption": {"ServerSideEncryptionConfiguration": [{
                "BucketKeyEnabled": true,
                "ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": arn(&self.key)},
            }]},
            "LifecycleConfiguration": {"Rules": [lifecycle(days, self.compliance)]},
            "LoggingConfiguration": {
                "DestinationBucketName": to("LogArchive"),
                "LogFilePrefix": sub(format!("access/${{AWS::StackName}}/{id}/")),
            },
            "ObjectLockEnabled": true,
            "ObjectLockConfiguration": {
                "ObjectLockEnabled": "Enabled",
                "Rule": {"DefaultRetention": {"Mode": mode, "Days": days.unwrap_or(SHORT_LOCK_DAYS)}},
            },
            "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
            "PublicAccessBlockConfiguration": {
                "BlockPublicAcls": true,
                "BlockPublicPolicy": true,
                "IgnorePublicAcls": true,
                "RestrictPublicBuckets": true,
            },
            "VersioningConfiguration": {"Status": "Enabled"},
            "Tags": site.bucket_tags(&self.about),
        });
        let bucket = Resource::new(&id, "AWS::S3::Bucket", properties).why(self.why.clone()).stays();
        let properties = json!({"Bucket": to(&id), "PolicyDocument": policy(self.statements())});
        [
            bucket,
            Resource::new(format!("{}Policy", logical(&id)), "AWS::S3::BucketPolicy", properties).stays(),
        ]
    }

    fn statements(&self) -> Vec<Value> {
        let (whole, objects) = (arn(&self.id), sub(format!("${{{}.Arn}}/*", self.id)));
        let both = json!([whole, objects]);
        let mut all = vec![
            deny("NotWithoutTls", &["s3:*"], &both, json!({"Bool": {"aws:SecureTransport": "false"}})),
            deny(
                "NotUnderAnotherKey",
                &["s3:PutObject"],
                &objects,
                json!({
                    "Null": {"s3:x-amz-server-side-encryption-aws-kms-key-id": "false"},
                    "StringNotEquals": {"s3:x-amz-server-side-encryption-aws-kms-key-id": arn(&self.key)},
                }),
            ),
            deny(
                "OnlyFromTheNetwork",
                &[&READ[..], &WRITE[..], &["s3:ListBucket", "s3:ListBucketVersions"]].concat(),
                &both,
                json!({
                    "StringNotEquals": {"aws:SourceVpce": to("S3Endpoint")},
                    "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
                }),
            ),
            deny("OnlyReadersRead", &READ, &objects, but(&self.readers, &self.services)),
            deny("OnlyWritersWrite", &WRITE, &objects, but(&self.writers, &self.services)),
        ];
        if !self.tagged.is_empty() {
            all.push(deny(
                "OnlyTaggedRoles",
                &READ,
                &objects,
                json!({"StringNotEquals": {"aws:PrincipalTag/role": self.tagged}}),
            ));
        }
        if self.held {
            let condition = json!({"StringEquals": {HELD: "true"}});
            all.push(deny(
                "NobodyReadsQuarantine",
                &["s3:GetObject", "s3:GetObjectVersion"],
                &objects,
                condition,
            ));
        }
        all.extend(self.services.iter().cloned());
        all
    }
}

fn deny(sid: &str, actions: &[&str], resources: &Value, condition: Value) -> Value {
    // One action stands by itself.
    let actions = if let [one] = actions { json!(one) } else { json!(actions) };
    let mut statement = json!({
        "Sid": sid,
        "Effect": "Deny",
        "Principal": "*",
        "Action": actions,
        "Resource": resources,
        "Condition": null,
    });
    statement["Condition"] = condition;
    statement
}

/// Everybody but these; services that write here are let past by their own statements.
fn but(roles: &[Value], services: &[Value]) -> Value {
    let mut condition = json!({});
    if !roles.is_empty() {
        condition["ArnNotEquals"] = json!({"aws:PrincipalArn": roles});
    }
    if !services.is_empty() || roles.is_empty() {
        condition["BoolIfExists"] = json!({"aws:PrincipalIsAWSService": "false"});
    }
    condition
}

/// Objects end when the charter says. An older version of evidence is evidence, and stays as long as the newest.
fn lifecycle(days: Option<u32>, evidence: bool) -> Value {
    let older = days.filter(|_| evidence).unwrap_or(NONCURRENT_DAYS);
    let mut rule = json!({
        "Id": "retention",
        "Status": "Enabled",
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
        "NoncurrentVersionExpiration": {"NoncurrentDays": older},
    });
    if let Some(days) = days {
        rule["ExpirationInDays"] = json!(days);
    }
    rule
}
