//! What is noticed: the charter's own rules on what the house measures, and changes of keys, doors and records.

use crate::roles::namespace;
use crate::site::Site;
use crate::template::{Area, Parameter, Resource, arn, logical, policy, to};
use charter::model::Model;
use facts::{AlertRule, Direction};
use serde_json::{Value, json};

/// The house looks at its models at least once a day.
const PERIOD_SECONDS: u32 = 86_400;
/// The condition that somebody is to be told by mail.
const TOLD: &str = "SomebodyIsTold";

/// Calls that somebody should know of: the name of the rule, the service, the calls, and why.
const CALLS: [(&str, &str, &[&str], &str); 3] = [
    (
        "KeyInDanger",
        "kms",
        &["DisableKey", "DisableKeyRotation", "PutKeyPolicy", "ScheduleKeyDeletion"],
        "A key is disabled, given to others or to be deleted.",
    ),
    (
        "DoorMoved",
        "s3",
        &[
            "DeleteBucketEncryption",
            "DeleteBucketPolicy",
            "PutBucketPolicy",
            "PutBucketPublicAccessBlock",
            "PutObjectLockConfiguration",
        ],
        "What protects a bucket is changed.",
    ),
    (
        "RecordsInDanger",
        "cloudtrail",
        &["DeleteTrail", "PutEventSelectors", "StopLogging", "UpdateTrail"],
        "The record of the account is stopped or narrowed.",
    ),
];

pub(crate) fn parameters() -> Parameter {
    Parameter {
        name: "AlertMail".to_owned(),
        kind: "String",
        description: "Address to which alerts are mailed; empty for nobody.".to_owned(),
        default: Some(String::new()),
        pattern: Some("^$|^[^@ ]+@[^@ ]+$"),
    }
}

pub(crate) fn condition() -> (String, Value) {
    (TOLD.to_owned(), json!({"Fn::Not": [{"Fn::Equals": [to("AlertMail"), ""]}]}))
}

pub(crate) fn area(site: &Site<'_>) -> Area {
    let mut resources = topic(site);
    for model in crate::serving::made_here(site) {
        resources.extend(model.alerts.iter().enumerate().map(|(at, rule)| alarm(site, model, at, rule)));
    }
    for (id, service, calls, why) in CALLS {
        let pattern = json!({
            "source": [format!("aws.{service}")],
            "detail-type": ["AWS API Call via CloudTrail"],
            "detail": {"eventSource": [format!("{service}.amazonaws.com")], "eventName": calls},
        });
        resources.push(event(site, id, pattern, why));
    }
    let approved = json!({
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Model Package State Change"],
    });
    let why = "Somebody approves or refuses a version in SageMaker, which decides nothing in the house: \
               `wardmote aws registry` compares.";
    resources.push(event(site, "VersionDecided", approved, why));
    let own = json!({"source": ["wardmote"], "detail-type": ["Wardmote Alert"]});
    resources.push(event(site, "HouseAlerts", own, "A rule of the charter fired."));
    Area {
        title: "Alarms",
        why: "What is not known is not well: an alarm on a figure that does not come any more is an alarm too.",
        resources,
    }
}

fn topic(site: &Site<'_>) -> Vec<Resource> {
    let statement = json!({
        "Sid": "ServicesOfThisAccount",
        "Effect": "Allow",
        "Principal": {"Service": ["cloudwatch.amazonaws.com", "events.amazonaws.com"]},
        "Action": "sns:Publish",
        "Resource": to("Alerts"),
        "Condition": {"StringEquals": {"aws:SourceAccount": to("AWS::AccountId")}},
    });
    let subscription = json!({"TopicArn": to("Alerts"), "Protocol": "email", "Endpoint": to("AlertMail")});
    vec![
        Resource::new(
            "Alerts",
            "AWS::SNS::Topic",
            json!({
                "TopicName": format!("{}-alerts", site.org()),
                "KmsMasterKeyId": arn("HouseKey"),
                "Tags": site.shared_tags(),
            }),
        ),
        Resource::new(
            "AlertsPolicy",
            "AWS::SNS::TopicPolicy",
            json!({"Topics": [to("Alerts")], "PolicyDocument": policy(vec![statement])}),
        ),
        Resource::new("AlertsByMail", "AWS::SNS::Subscription", subscription).when(TOLD),
    ]
}

/// A rule of the charter as an alarm. The worst figure of a day counts.
fn alarm(site: &Site<'_>, model: &Model, at: usize, rule: &AlertRule) -> Resource {
    let (statistic, comparison) = match rule.direction() {
        Direction::Above => ("Maximum", "GreaterThanThreshold"),
        Direction::Below => ("Minimum", "LessThanThreshold"),
    };
    let properties = json!({
        "AlarmDescription": format!("{}: {} beyond {} ({})", model.name, rule.metric, rule.threshold, rule.action),
        "Namespace": namespace(site),
        "MetricName": rule.metric,
        "Dimensions": [{"Name": "Model", "Value": model.name}],
        "Statistic": statistic,
        "Period": PERIOD_SECONDS,
        "EvaluationPeriods": 1,
        "Threshold": rule.threshold,
        "ComparisonOperator": comparison,
        "TreatMissingData": "breaching",
        "AlarmActions": [to("Alerts")],
        "Tags": site.tags(&model.tags),
    });
    let id = format!("{}Alarm{}", logical(model.name.as_str()), at + 1);
    Resource::new(id, "AWS::CloudWatch::Alarm", properties).when(&crate::serving::serves(model))
}

fn event(site: &Site<'_>, id: &str, pattern: Value, why: &str) -> Resource {
    let mut properties = json!({
        "Description": why,
        "EventPattern": null,
        "State": "ENABLED",
        "Targets": [{"Arn": to("Alerts"), "Id": "alerts"}],
        "Tags": site.shared_tags(),
    });
    properties["EventPattern"] = pattern;
    Resource::new(id, "AWS::Events::Rule", properties)
}
