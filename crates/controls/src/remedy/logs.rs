//! Fixes of trails, log groups and repositories of images.

use super::subject::{Subject, listed, with};
use super::{Fix, Looks};
use facts::remediation::{Call, Change, Class};
use serde_json::{Value, json};

const TRAIL: &str = "AWS::CloudTrail::Trail";
const GROUP: &str = "AWS::Logs::LogGroup";
const REPOSITORY: &str = "AWS::ECR::Repository";
const YEAR_DAYS: u32 = 365;

/// A fix of one setting.
const fn patch(
    control: &'static str,
    kind: &'static str,
    words: [&'static str; 3],
    changes: super::Changes,
) -> Fix {
    let [name, does, touches] = words;
    Fix { name, control, kind, class: Class::Patch, does, touches, changes, proof: None }
}

pub(super) const FIXES: &[Fix] = &[
    patch(
        "LOG-01.on",
        TRAIL,
        ["start_trail", "the trail records", "what it records is kept in its bucket, and paid for"],
        |subject, looks| {
            let name = json!({"Name": subject.arn()});
            let look =
                subject.look(subject.call("cloudtrail", "GetTrailStatus", name.clone()), "", &["IsLogging"]);
            let write = |_: &Value, to: &Value| {
                let operation = if to["IsLogging"] == json!(true) { "StartLogging" } else { "StopLogging" };
                vec![subject.call("cloudtrail", operation, name.clone())]
            };
            subject.change(look, looks, |_| Ok(json!({"IsLogging": true})), write)
        },
    ),
    patch(
        "LOG-01.regions",
        TRAIL,
        [
            "record_all_regions",
            "the trail records every region",
            "events of other regions come into its bucket",
        ],
        |subject, looks| trail(subject, looks, ("IsMultiRegionTrail", "IsMultiRegionTrail"), json!(true)),
    ),
    patch(
        "LOG-01.validation",
        TRAIL,
        [
            "enable_log_file_validation",
            "the trail signs digests of its files",
            "digests are written beside its files",
        ],
        |subject, looks| {
            trail(subject, looks, ("LogFileValidationEnabled", "EnableLogFileValidation"), json!(true))
        },
    ),
    patch(
        "LOG-01.key",
        TRAIL,
        [
            "encrypt_trail",
            "the trail encrypts with the key that was named",
            "the key's policy must let `cloudtrail.amazonaws.com` encrypt; whoever reads the trail needs `kms:Decrypt`",
        ],
        |subject, looks| {
            let key = json!(subject.key()?);
            trail(subject, looks, ("KmsKeyId", "KmsKeyId"), key)
        },
    ),
    patch(
        "LOG-02.objects",
        TRAIL,
        [
            "record_objects",
            "the trail records what is done with objects of every bucket",
            "events of data are paid for",
        ],
        record_objects,
    ),
    Fix {
        name: "limit_log_retention",
        class: Class::Human,
        ..patch(
            "LOG-04.limit",
            GROUP,
            [
                "",
                "entries are kept for a year",
                "entries that are older than a year are deleted; undoing does not bring them back",
            ],
            keep_a_year,
        )
    },
    patch(
        "LOG-04.year",
        GROUP,
        [
            "lengthen_log_retention",
            "entries are kept for a year",
            "entries stay for longer, and are paid for",
        ],
        keep_a_year,
    ),
    patch(
        "LOG-04.key",
        GROUP,
        [
            "encrypt_log_group",
            "new entries are encrypted with the key that was named",
            "the key's policy must let `logs.amazonaws.com` use it; whoever reads entries needs `kms:Decrypt`",
        ],
        encrypt_group,
    ),
    patch(
        "CTR-05.scan",
        REPOSITORY,
        ["scan_on_push", "images are scanned when they are pushed", "nobody: pushing does not wait for it"],
        |subject, looks| {
            let write = |to: &Value| {
                (
                    "PutImageScanningConfiguration",
                    json!({"imageScanningConfiguration": to["imageScanningConfiguration"]}),
                )
            };
            repository(subject, looks, &json!({"imageScanningConfiguration": {"scanOnPush": true}}), write)
        },
    ),
    patch(
        "CTR-05.tags",
        REPOSITORY,
        [
            "fix_image_tags",
            "a tag stays on the image that it was given to",
            "whoever pushes under a tag that is there is refused",
        ],
        |subject, looks| {
            let write = |to: &Value| {
                ("PutImageTagMutability", json!({"imageTagMutability": to["imageTagMutability"]}))
            };
            repository(subject, looks, &json!({"imageTagMutability": "IMMUTABLE"}), write)
        },
    ),
];

/// One setting of a trail; it is called otherwise where it is told than where it is set.
fn trail(
    subject: &Subject<'_>,
    looks: Looks<'_>,
    (told, set): (&str, &str),
    to: Value,
) -> Result<Vec<Change>, String> {
    let call = subject.call("cloudtrail", "DescribeTrails", json!({"trailNameList": [subject.arn()]}));
    let mut look = subject.look(call, "/trailList", &[told]);
    look.whose = Some(("TrailARN".to_owned(), subject.arn().to_owned()));
    let write = |_: &Value, to: &Value| -> Vec<Call> {
        // Without a key it is told nothing, and set to an empty one.
        let value = to.get(told).cloned().unwrap_or_else(|| json!(""));
        vec![subject.call("cloudtrail", "UpdateTrail", json!({"Name": subject.arn(), set: value}))]
    };
    subject.change(look, looks, |before| Ok(with(before, told, to)), write)
}

fn record_objects(subject: &Subject<'_>, looks: Looks<'_>) -> Result<Vec<Change>, String> {
    let name = json!({"TrailName": subject.arn()});
    let partition = subject.arn().split(':').nth(1).unwrap_or("aws");
    let every = json!({"Type": "AWS::S3::Object", "Values": [format!("arn:{partition}:s3")]});
    let look = subject.look(
        subject.call("cloudtrail", "GetEventSelectors", name.clone()),
        "",
        &["EventSelectors", "AdvancedEventSelectors"],
    );
    let after = |before: &Value| {
        let advanced = listed(&before["AdvancedEventSelectors"]);
        if !advanced.is_empty() {
            let data = json!({"Name": "Objects", "FieldSelectors": [
                {"Field": "eventCategory", "Equals": ["Data"]},
                {"Field": "resources.type", "Equals": ["AWS::S3::Object"]}]});
            return Ok(with(before, "AdvancedEventSelectors", [advanced, vec![data]].concat().into()));
        }
        let mut selectors = listed(&before["EventSelectors"]);
        if selectors.is_empty() {
            selectors.push(json!({"ReadWriteType": "All", "IncludeManagementEvents": true}));
        }
        let resources = [listed(&selectors[0]["DataResources"]), vec![every]].concat();
        selectors[0] = with(&selectors[0], "DataResources", resources.into());
        Ok(with(before, "EventSelectors", selectors.into()))
    };
    let write = |_: &Value, to: &Value| {
        let set = ["AdvancedEventSelectors", "EventSelectors"].into_iter();
        let set = set
            .map(|set| (set, &to[set]))
            .find(|(_, list)| list.as_array().is_some_and(|list| !list.is_empty()));
        let (set, list) = set.unwrap_or(("EventSelectors", &Value::Null));
        let parameters = with(&name, set, listed(list).into());
        vec![subject.call("cloudtrail", "PutEventSelectors", parameters)]
    };
    subject.change(look, looks, after, write)
}

/// One setting of a log group; `write` gives the call for a value of it or for none.
fn group(
    subject: &Subject<'_>,
    looks: Looks<'_>,
    (setting, to): (&str, Value),
    [put, delete]: [&str; 2],
) -> Result<Vec<Change>, String> {
    let name = json!({"logGroupName": subject.id()});
    let call = subject.call("logs", "DescribeLogGroups", json!({"logGroupNamePrefix": subject.id()}));
    let mut look = subject.look(call, "/logGroups", &[setting]);
    look.whose = Some(("logGroupName".to_owned(), subject.id().to_owned()));
    let write = |_: &Value, to: &Value| {
        vec![match to.get(setting) {
            Some(value) => subject.call("logs", put, with(&name, setting, value.clone())),
            None => subject.call("logs", delete, name.clone()),
        }]
    };
    subject.change(look, looks, |before| Ok(with(before, setting, to)), write)
}

fn keep_a_year(subject: &Subject<'_>, looks: Looks<'_>) -> Result<Vec<Change>, String> {
    group(
        subject,
        looks,
        ("retentionInDays", YEAR_DAYS.into()),
        ["PutRetentionPolicy", "DeleteRetentionPolicy"],
    )
}

fn encrypt_group(subject: &Subject<'_>, looks: Looks<'_>) -> Result<Vec<Change>, String> {
    let key = json!(subject.key()?);
    group(subject, looks, ("kmsKeyId", key), ["AssociateKmsKey", "DisassociateKmsKey"])
}

/// One setting of a repository.
fn repository(
    subject: &Subject<'_>,
    looks: Looks<'_>,
    to: &Value,
    write: impl Fn(&Value) -> (&'static str, Value),
) -> Result<Vec<Change>, String> {
    let names = json!({"repositoryNames": [subject.id()]});
    let settings: Vec<&str> = to.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    let look = subject.look(subject.call("ecr", "DescribeRepositories", names), "/repositories/0", &settings);
    let write = |_: &Value, to: &Value| {
        let (operation, parameters) = write(to);
        vec![subject.call("ecr", operation, with(&parameters, "repositoryName", subject.id().into()))]
    };
    subject.change(look, looks, |_| Ok(to.clone()), write)
}
