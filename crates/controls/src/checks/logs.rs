//! What is recorded: trails, log groups, alarms, and the recorder of configurations.

use crate::answer::{Answer, Spot, all, any, find};
use crate::resource::{State, cause};
use crate::unit::{Case, Unit, part, unit};
use std::sync::LazyLock;

const TRAIL: &str = "AWS::CloudTrail::Trail";
const GROUP: &str = "AWS::Logs::LogGroup";
const ALARM: &str = "AWS::CloudWatch::Alarm";
const ENDPOINT: &str = "AWS::SageMaker::Endpoint";
const YEAR_DAYS: u64 = 365;

/// For how many days logs are kept at least; with its source in the data file.
pub(super) static LOG_DAYS: LazyLock<Option<u64>> = LazyLock::new(|| {
    let data: serde_json::Value = serde_json::from_str(include_str!("../../data/thresholds.json")).ok()?;
    data.get("log_retention_days")?.get("value")?.as_u64()
});

pub(crate) const UNITS: &[Unit] = &[
    unit!(
        "LOG-01",
        High,
        Cross,
        "a trail records all regions, is on, encrypted with a key that works, tamper-evident and watched",
        [TRAIL],
        [],
        |case| {
            let own = [is_on(case), all_regions(case), key(case), validated(case), watched(case)];
            all(own.into_iter().chain(key_works(case)))
        }
    ),
    part!("LOG-01", "on", High, "a trail is on", [TRAIL], ["CKV_AWS_251", "CLOUD_TRAIL_ENABLED"], is_on),
    part!(
        "LOG-01",
        "regions",
        High,
        "a trail records all regions",
        [TRAIL],
        [
            "CloudTrail.1",
            "CKV_AWS_67",
            "MULTI_REGION_CLOUD_TRAIL_ENABLED",
            "MULTI_REGION_CLOUDTRAIL_ENABLED",
            "AVD-AWS-0014",
            "cloudtrail_multi_region_enabled"
        ],
        all_regions
    ),
    part!(
        "LOG-01",
        "key",
        Medium,
        "a trail is encrypted with a customer key",
        [TRAIL],
        [
            "CloudTrail.2",
            "CKV_AWS_35",
            "CLOUD_TRAIL_ENCRYPTION_ENABLED",
            "CLOUDTRAIL_ENCRYPTION_IS_ENABLED",
            "AVD-AWS-0015",
            "cloudtrail_kms_encryption_enabled"
        ],
        key
    ),
    part!(
        "LOG-01",
        "validation",
        Medium,
        "a trail's files are tamper-evident",
        [TRAIL],
        [
            "CloudTrail.4",
            "CKV_AWS_36",
            "CLOUD_TRAIL_LOG_FILE_VALIDATION_ENABLED",
            "AVD-AWS-0016",
            "cloudtrail_log_file_validation_enabled"
        ],
        validated
    ),
    part!(
        "LOG-01",
        "watched",
        Medium,
        "a trail goes to CloudWatch too",
        [TRAIL],
        [
            "CloudTrail.5",
            "CKV2_AWS_10",
            "CLOUD_TRAIL_CLOUD_WATCH_LOGS_ENABLED",
            "AVD-AWS-0162",
            "cloudtrail_cloudwatch_logging_enabled"
        ],
        watched
    ),
    unit!(
        "LOG-03",
        Critical,
        Cross,
        "the bucket of a trail is private, locked and logged",
        [TRAIL],
        ["CloudTrail.6", "CloudTrail.7", "cloudtrail_logs_s3_bucket_is_not_publicly_accessible"],
        trail_bucket
    ),
    unit!(
        "LOG-04",
        Medium,
        Single,
        "a log group has a customer key and keeps its entries for six months",
        [GROUP],
        [],
        |case| all([group_key(case), kept_for(case, *LOG_DAYS)])
    ),
    part!(
        "LOG-04",
        "key",
        Medium,
        "a log group has a customer key",
        [GROUP],
        [
            "CKV_AWS_158",
            "CLOUDWATCH_LOG_GROUP_ENCRYPTED",
            "AVD-AWS-0017",
            "W84",
            "cloudwatch_log_group_kms_encryption_enabled"
        ],
        group_key
    ),
    part!(
        "LOG-04",
        "limit",
        Low,
        "a log group says for how long it keeps entries",
        [GROUP],
        ["CKV_AWS_66", "W86", "CW_LOGGROUP_RETENTION_PERIOD_CHECK"],
        |case| {
            let found = find(case.resource, "RetentionInDays");
            match &found.state {
                State::Known(node) if node.text() == Some("0") => {
                    found.spot.clone().broken("0 means for ever")
                }
                _ => found.present(),
            }
        }
    ),
    part!(
        "LOG-04",
        "year",
        Medium,
        "a log group keeps its entries for a year",
        [GROUP],
        ["CloudWatch.16", "CKV_AWS_338", "cloudwatch_log_group_retention_policy_specific_days_enabled"],
        |case| kept_for(case, Some(YEAR_DAYS))
    ),
    unit!(
        "LOG-05",
        Medium,
        Cross,
        "an alarm tells somebody, and an endpoint has one",
        [ALARM, ENDPOINT],
        [],
        alarmed
    ),
    part!(
        "LOG-05",
        "actions",
        Medium,
        "an alarm does something",
        [ALARM],
        ["CloudWatch.15", "cloudwatch_alarm_actions_alarm_state_configured"],
        |case| find(case.resource, "AlarmActions").present()
    ),
    part!(
        "LOG-05",
        "told",
        Medium,
        "an alarm does something in one of its states",
        [ALARM],
        ["CLOUDWATCH_ALARM_ACTION_CHECK"],
        |case| {
            let states = ["AlarmActions", "OKActions", "InsufficientDataActions"];
            any(states.map(|path| find(case.resource, path).present()))
                .unwrap_or_else(|| Spot::of(case.resource).broken("it does nothing in any state"))
        }
    ),
    part!(
        "LOG-05",
        "enabled",
        Medium,
        "an alarm's actions are on",
        [ALARM],
        [
            "CloudWatch.17",
            "CKV_AWS_319",
            "CLOUDWATCH_ALARM_ACTION_ENABLED_CHECK",
            "cloudwatch_alarm_actions_enabled"
        ],
        |case| find(case.resource, "ActionsEnabled").flag(true, true)
    ),
];

fn is_on(case: &Case<'_>) -> Answer {
    find(case.resource, "IsLogging").flag(true, true)
}

fn all_regions(case: &Case<'_>) -> Answer {
    find(case.resource, "IsMultiRegionTrail").flag(true, false)
}

fn key(case: &Case<'_>) -> Answer {
    find(case.resource, "KMSKeyId").customer_key()
}

/// A trail whose key is disabled delivers nothing.
fn key_works(case: &Case<'_>) -> Option<Answer> {
    let found = find(case.resource, "KMSKeyId");
    let State::Known(node) = found.state else { return None };
    let key = super::storage::key_behind(case, node)?;
    let enabled = find(key, "Enabled").flag(true, true);
    Some(enabled.by_way_of(found.spot, &format!("the key is `{}`", key.id)).if_exists(key, case.resource))
}

fn validated(case: &Case<'_>) -> Answer {
    find(case.resource, "EnableLogFileValidation").flag(true, false)
}

fn watched(case: &Case<'_>) -> Answer {
    find(case.resource, "CloudWatchLogsLogGroupArn").present()
}

fn group_key(case: &Case<'_>) -> Answer {
    find(case.resource, "KmsKeyId").customer_key()
}

fn trail_bucket(case: &Case<'_>) -> Answer {
    let name = find(case.resource, "S3BucketName");
    let node = match &name.state {
        State::Known(node) => *node,
        State::Unknown(missing) => return name.spot.clone().unknown(missing.clone()),
        State::Absent => return name.spot.broken("`S3BucketName` is absent"),
    };
    let Some(bucket) = case.estate.target(node, "AWS::S3::Bucket") else {
        return name
            .spot
            .clone()
            .unknown(format!("the bucket `{}` is not among what was read", node.shown()));
    };
    let closed =
        |flag: &str| find(bucket, &format!("PublicAccessBlockConfiguration.{flag}")).flag(true, false);
    let flags =
        ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"].map(closed);
    let locked = find(bucket, "ObjectLockEnabled").flag(true, false);
    let logged = find(bucket, "LoggingConfiguration").present();
    all(flags.into_iter().chain([locked, logged]))
        .by_way_of(name.spot, &format!("the bucket is `{}`", bucket.id))
        .if_exists(bucket, case.resource)
}

fn kept_for(case: &Case<'_>, least: Option<u64>) -> Answer {
    let found = find(case.resource, "RetentionInDays");
    let Some(least) = least else { return found.spot.unknown("for how long logs are to be kept") };
    match &found.state {
        State::Absent => found.spot.holds("entries are kept for ever by default"),
        State::Unknown(missing) => found.spot.clone().unknown(missing.clone()),
        State::Known(node) => match node.text().and_then(|text| text.parse::<u64>().ok()) {
            Some(0) => found.spot.clone().holds("entries are kept for ever"),
            Some(days) if days >= least => {
                found.spot.clone().holds(format!("entries are kept for {days} days"))
            }
            Some(days) => found
                .spot
                .clone()
                .broken(format!("entries are kept for {days} days; at least {least} are wanted")),
            None => found.spot.clone().unknown(cause(node)),
        },
    }
}

fn alarmed(case: &Case<'_>) -> Answer {
    if case.resource.kind == ALARM {
        return all([
            find(case.resource, "ActionsEnabled").flag(true, true),
            find(case.resource, "AlarmActions").present(),
        ]);
    }
    let alarms = case.estate.referring(case.resource, ALARM).map(|alarm| {
        let actions = find(alarm, "AlarmActions").present();
        actions.by_way_of(Spot::of(alarm), "the alarm watches the endpoint").if_exists(alarm, case.resource)
    });
    let perhaps = case.estate.of_kind(ALARM).find_map(|alarm| {
        let dimensions = find(alarm, "Dimensions");
        dimensions.missing().map(|missing| dimensions.spot.unknown(missing))
    });
    any(alarms).or(perhaps).unwrap_or_else(|| Spot::of(case.resource).broken("no alarm watches the endpoint"))
}

/// Whether a log group is encrypted with a customer key and kept long enough, for those that write into it.
pub(super) fn sound_group(case: &Case<'_>, group: &crate::resource::Resource) -> Answer {
    let inner = Case { resource: group, ..*case };
    all([group_key(&inner), kept_for(&inner, *LOG_DAYS)]).if_exists(group, case.resource)
}
