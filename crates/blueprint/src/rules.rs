//! AWS Config: what there is, how it was, and rules that look again whenever it changes.

use crate::site::Site;
use crate::template::{Area, Parameter, Resource, arn, policy, sub, to};
use serde_json::{Value, json};

/// The condition that this stack makes the recorder.
const RECORDS: &str = "MakesTheRecorder";

/// Managed rules: the logical id and what AWS calls the rule.
const RULES: [(&str, &str); 14] = [
    ("RuleAdministration", "IAM_POLICY_NO_STATEMENTS_WITH_ADMIN_ACCESS"),
    ("RuleApiFirewall", "API_GW_ASSOCIATED_WITH_WAF"),
    ("RuleBucketEncryption", "S3_DEFAULT_ENCRYPTION_KMS"),
    ("RuleBucketLock", "S3_BUCKET_DEFAULT_LOCK_ENABLED"),
    ("RuleBucketPublic", "S3_BUCKET_LEVEL_PUBLIC_ACCESS_PROHIBITED"),
    ("RuleBucketTls", "S3_BUCKET_SSL_REQUESTS_ONLY"),
    ("RuleBucketVersions", "S3_BUCKET_VERSIONING_ENABLED"),
    ("RuleEndpointKey", "SAGEMAKER_ENDPOINT_CONFIGURATION_KMS_KEY_CONFIGURED"),
    ("RuleFlowLogs", "VPC_FLOW_LOGS_ENABLED"),
    ("RuleKeyDeletion", "KMS_CMK_NOT_SCHEDULED_FOR_DELETION"),
    ("RuleKeyRotation", "CMK_BACKING_KEY_ROTATION_ENABLED"),
    ("RuleTrailDigests", "CLOUD_TRAIL_LOG_FILE_VALIDATION_ENABLED"),
    ("RuleTrailKey", "CLOUD_TRAIL_ENCRYPTION_ENABLED"),
    ("RuleTrailOn", "CLOUD_TRAIL_ENABLED"),
];

/// What puts right what a rule finds, once a person asks for it: the rule, the document of Systems Manager, the name of
/// its parameter for the resource, and what else it is given.
const REMEDIES: [(&str, &str, Given); 2] = [
    ("RuleBucketPublic", "AWSConfigRemediation-ConfigureS3BucketPublicAccessBlock", &[]),
    ("RuleBucketVersions", "AWS-ConfigureS3BucketVersioning", &[("VersioningState", "Enabled")]),
];

/// Parameters of a document, by name.
type Given = &'static [(&'static str, &'static str)];

pub(crate) fn parameter() -> Parameter {
    Parameter {
        name: "MakeRecorder".to_owned(),
        kind: "String",
        description:
            "Whether this stack makes the recorder of AWS Config, of which a region of an account has one: \
                      yes or no."
                .to_owned(),
        default: Some("yes".to_owned()),
        pattern: Some("^(yes|no)$"),
    }
}

pub(crate) fn condition() -> (String, Value) {
    (RECORDS.to_owned(), json!({"Fn::Equals": [to("MakeRecorder"), "yes"]}))
}

pub(crate) fn area(site: &Site<'_>) -> Area {
    let mut resources = recorder(site);
    resources.extend(RULES.map(|(id, identifier)| rule(id, identifier, Value::Null)));
    let tags = ["owner", "dataClassification", "modelStage", "complianceScope"];
    let keys = tags.iter().enumerate().map(|(at, tag)| (format!("tag{}Key", at + 1), json!(tag)));
    let mut standard = rule("RuleTags", "REQUIRED_TAGS", Value::Object(keys.collect()));
    standard.properties["Scope"] = json!({"ComplianceResourceTypes": ["AWS::S3::Bucket", "AWS::EC2::VPC"]});
    resources.push(standard.why("The tag standard of the charter."));
    resources.push(remedy_role(site));
    resources.extend(REMEDIES.map(|(rule, document, more)| remedy(rule, document, more)));
    Area {
        title: "Rules",
        why: "Config looks again at whatever changes. Nothing is put right by itself: a person starts a remedy, and \
              the record shows who. Remedies of keys are left to their administrators.",
        resources,
    }
}

fn recorder(site: &Site<'_>) -> Vec<Resource> {
    let statements = vec![
        json!({
            "Effect": "Allow",
            "Action": "s3:PutObject",
            "Resource": sub("arn:${AWS::Partition}:s3:::${LogArchive}/config/AWSLogs/${AWS::AccountId}/*"),
        }),
        json!({
            "Effect": "Allow",
            "Action": ["s3:GetBucketAcl", "s3:ListBucket"],
            "Resource": sub("arn:${AWS::Partition}:s3:::${LogArchive}"),
        }),
    ];
    let role = json!({
        "AssumeRolePolicyDocument": policy(vec![json!({
            "Effect": "Allow",
            "Principal": {"Service": "config.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"aws:SourceAccount": to("AWS::AccountId")}},
        })]),
        "ManagedPolicyArns": [sub("arn:${AWS::Partition}:iam::aws:policy/service-role/AWS_ConfigRole")],
        "Policies": [{"PolicyName": "deliver", "PolicyDocument": policy(statements)}],
        "Tags": site.shared_tags(),
    });
    vec![
        Resource::new("RecorderRole", "AWS::IAM::Role", role).when(RECORDS),
        Resource::new(
            "Recorder",
            "AWS::Config::ConfigurationRecorder",
            json!({
                "RoleARN": arn("RecorderRole"),
                "RecordingGroup": {"AllSupported": true, "IncludeGlobalResourceTypes": true},
            }),
        )
        .when(RECORDS),
        Resource::new(
            "RecorderDelivery",
            "AWS::Config::DeliveryChannel",
            json!({
                "S3BucketName": to("LogArchive"),
                "S3KeyPrefix": "config",
                "ConfigSnapshotDeliveryProperties": {"DeliveryFrequency": "TwentyFour_Hours"},
            }),
        )
        .why("Config delivers into no bucket that locks by default, so not into `Records`.")
        .when(RECORDS),
    ]
}

fn rule(id: &str, identifier: &str, input: Value) -> Resource {
    // Where this stack makes the recorder, rules are made after it: they refer to it.
    let description =
        json!({"Fn::If": [RECORDS, sub("looked at through ${Recorder}"), "looked at through the recorder"]});
    let mut properties =
        json!({"Description": description, "Source": {"Owner": "AWS", "SourceIdentifier": identifier}});
    if !input.is_null() {
        properties["InputParameters"] = input;
    }
    Resource::new(id, "AWS::Config::ConfigRule", properties)
}

fn remedy_role(site: &Site<'_>) -> Resource {
    let role = json!({
        "AssumeRolePolicyDocument": policy(vec![json!({
            "Effect": "Allow",
            "Principal": {"Service": "ssm.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"aws:SourceAccount": to("AWS::AccountId")}},
        })]),
        "Policies": [{"PolicyName": "put-right", "PolicyDocument": policy(vec![json!({
            "Effect": "Allow",
            "Action": [
                "s3:GetBucketPublicAccessBlock",
                "s3:GetBucketVersioning",
                "s3:PutBucketPublicAccessBlock",
                "s3:PutBucketVersioning",
            ],
            "Resource": sub("arn:${AWS::Partition}:s3:::${AWS::StackName}-*"),
        })])}],
        "Tags": site.shared_tags(),
    });
    Resource::new("RemedyRole", "AWS::IAM::Role", role)
}

fn remedy(rule: &str, document: &str, more: Given) -> Resource {
    let mut given = json!({
        "AutomationAssumeRole": {"StaticValue": {"Values": [arn("RemedyRole")]}},
        "BucketName": {"ResourceValue": {"Value": "RESOURCE_ID"}},
    });
    for (name, value) in more {
        given[*name] = json!({"StaticValue": {"Values": [value]}});
    }
    let properties = json!({
        "ConfigRuleName": to(rule),
        "TargetType": "SSM_DOCUMENT",
        "TargetId": document,
        "Automatic": false,
        "Parameters": given,
    });
    Resource::new(rule.replace("Rule", "Remedy"), "AWS::Config::RemediationConfiguration", properties)
}
