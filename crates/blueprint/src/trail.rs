//! Records: the trail of the account, with what is done to objects and what endpoints are asked, and log groups.

use crate::site::Site;
use crate::template::{Area, Resource, arn, policy, sub, to};
use charter::model::Charter;
use serde_json::{Value, json};

/// The times for which CloudWatch Logs keeps entries, in days.
const TIMES: [u32; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];
/// Logs are kept for a year at least.
const LEAST_LOG_DAYS: u32 = 365;

/// For how many days logs are kept, by a charter: as long as captured traffic, at least a year, and a time that CloudWatch Logs knows.
#[must_use]
pub fn log_days(charter: &Charter) -> u32 {
    let asked = charter.models.iter().map(|model| model.retention.capture_days.get()).max();
    let asked = asked.unwrap_or_default().max(LEAST_LOG_DAYS);
    TIMES.into_iter().find(|days| *days >= asked).unwrap_or(TIMES[21])
}

/// A log group with the key of records, kept as long as the captured traffic that it speaks of, and at least a year.
pub(crate) fn log_group(site: &Site<'_>, id: &str, name: &str) -> Resource {
    let days = log_days(site.charter);
    let properties = json!({
        "LogGroupName": name,
        "KmsKeyId": arn("RecordsKey"),
        "RetentionInDays": days,
        "Tags": site.shared_tags(),
    });
    Resource::new(id, "AWS::Logs::LogGroup", properties).stays()
}

pub(crate) fn area(site: &Site<'_>) -> Area {
    let group = format!("/{}/trail", site.org());
    let role = json!({
        "AssumeRolePolicyDocument": policy(vec![json!({
            "Effect": "Allow",
            "Principal": {"Service": "cloudtrail.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"aws:SourceAccount": to("AWS::AccountId")}},
        })]),
        "Policies": [{"PolicyName": "write-trail", "PolicyDocument": policy(vec![json!({
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": arn("TrailLogs"),
        })])}],
        "Tags": site.shared_tags(),
    });
    Area {
        title: "Records",
        why: "Everything that is done in the account, to objects in its buckets and with its endpoints, is recorded, \
              and the record shows what was taken out of it (`wardmote aws trail verify`).",
        resources: vec![
            log_group(site, "TrailLogs", &group),
            Resource::new("TrailRole", "AWS::IAM::Role", role),
            trail(site),
        ],
    }
}

fn trail(site: &Site<'_>) -> Resource {
    let selector = |name: &str, fields: Vec<Value>| json!({"Name": name, "FieldSelectors": fields});
    let field = |name: &str, is: &str| json!({"Field": name, "Equals": [is]});
    let data = |kind: &str| vec![field("eventCategory", "Data"), field("resources.type", kind)];
    let mut objects = data("AWS::S3::Object");
    // The deliveries of the trail itself would make records of records.
    objects.push(json!({"Field": "resources.ARN", "NotStartsWith": [sub("${Records.Arn}/")]}));
    let properties = json!({
        "TrailName": site.org(),
        "S3BucketName": to("Records"),
        "KMSKeyId": arn("RecordsKey"),
        "IsLogging": true,
        "IsMultiRegionTrail": true,
        "IncludeGlobalServiceEvents": true,
        "EnableLogFileValidation": true,
        "CloudWatchLogsLogGroupArn": arn("TrailLogs"),
        "CloudWatchLogsRoleArn": arn("TrailRole"),
        "AdvancedEventSelectors": [
            selector("what is done in the account", vec![field("eventCategory", "Management")]),
            selector("what is done to objects", objects),
            selector("what endpoints are asked", data("AWS::SageMaker::Endpoint")),
        ],
        "Tags": site.shared_tags(),
    });
    Resource::new("Trail", "AWS::CloudTrail::Trail", properties).after("RecordsPolicy")
}
