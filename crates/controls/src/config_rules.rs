//! Rules of AWS Config for our controls, as a CloudFormation template: a small function passes what Config asks on to the queue
//! of a watch, which knows the account, and answers. The same queue is told of calls that change something, by EventBridge.
//!
//! Sources: AWS Config Developer Guide, "Supported Resource Types" and "Custom Lambda Rules"; CloudFormation Template Reference,
//! AWS::Config::*; AWS Systems Manager Automation Runbook Reference.

use crate::selection::Selection;
use crate::unit::Control;
use std::fmt::Write as _;

/// Types of our controls that AWS Config records.
const RECORDED: [&str; 24] = [
    "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::Stage",
    "AWS::ApiGatewayV2::Stage",
    "AWS::CloudTrail::Trail",
    "AWS::CloudWatch::Alarm",
    "AWS::Cognito::UserPool",
    "AWS::Cognito::UserPoolClient",
    "AWS::EC2::FlowLog",
    "AWS::EC2::RouteTable",
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::Subnet",
    "AWS::EC2::VPC",
    "AWS::EC2::VPCEndpoint",
    "AWS::ECR::Repository",
    "AWS::ECS::TaskDefinition",
    "AWS::EKS::Cluster",
    "AWS::IAM::Group",
    "AWS::IAM::Role",
    "AWS::IAM::User",
    "AWS::KMS::Key",
    "AWS::S3::Bucket",
    "AWS::SageMaker::EndpointConfig",
    "AWS::SageMaker::Model",
    "AWS::SageMaker::NotebookInstance",
];

/// A document of AWS that puts a finding right: the control, the type, the document, what it calls the resource, and what else
/// it is given. Documents that need to be told more, such as which key or which bucket, are not here: what only sets a default
/// of AWS would not make the control hold.
struct Document {
    control: &'static str,
    kind: &'static str,
    name: &'static str,
    resource: &'static str,
    more: &'static [(&'static str, &'static str)],
}

const DOCUMENTS: [Document; 6] = [
    Document {
        control: "S3-02",
        kind: "AWS::S3::Bucket",
        name: "AWSConfigRemediation-ConfigureS3BucketPublicAccessBlock",
        resource: "BucketName",
        more: &[],
    },
    Document {
        control: "S3-03",
        kind: "AWS::S3::Bucket",
        name: "AWS-DisableS3BucketPublicReadWrite",
        resource: "S3BucketName",
        more: &[],
    },
    Document {
        control: "S3-04",
        kind: "AWS::S3::Bucket",
        name: "AWS-DisableS3BucketPublicReadWrite",
        resource: "S3BucketName",
        more: &[],
    },
    Document {
        control: "S3-12",
        kind: "AWS::S3::Bucket",
        name: "AWS-ConfigureS3BucketVersioning",
        resource: "BucketName",
        more: &[("VersioningState", "Enabled")],
    },
    Document {
        control: "KMS-01",
        kind: "AWS::KMS::Key",
        name: "AWSConfigRemediation-EnableKeyRotation",
        resource: "KeyId",
        more: &[],
    },
    Document {
        control: "KMS-02",
        kind: "AWS::KMS::Key",
        name: "AWSConfigRemediation-CancelKeyDeletion",
        resource: "KeyId",
        more: &[],
    },
];

/// The part of the template that is the same for all selections.
const HEAD: &str = include_str!("../data/config-rules.yaml");

/// The template with a rule for each selected control that is about something that AWS Config records; parts of a control are
/// rules only if the whole is not. Nothing if there is none.
#[must_use]
pub fn config_rules(selection: &Selection) -> Option<String> {
    let mut chosen: Vec<&Control> =
        crate::checks::controls().filter(|control| selection.has_control(control)).collect();
    let ids: Vec<&str> = chosen.iter().map(|control| control.id).collect();
    chosen.retain(|control| control.part_of.is_none_or(|whole| !ids.contains(&whole)));
    chosen.retain(|control| control.kinds.iter().any(|kind| RECORDED.contains(kind)));
    chosen.sort_by_key(|control| control.id);
    chosen.dedup_by_key(|control| control.id);
    if chosen.is_empty() {
        return None;
    }
    let mut out = HEAD.to_owned();
    for control in chosen {
        rule(control, &mut out);
        for document in DOCUMENTS.iter().filter(|document| document.control == control.id) {
            remediation(control, document, &mut out);
        }
    }
    Some(out)
}

/// The name of a rule: `wardmote-s3-02`.
fn rule_name(control: &Control) -> String {
    format!("wardmote-{}", control.id.to_lowercase().replace('.', "-"))
}

fn logical(control: &Control, what: &str) -> String {
    let letters = control.id.chars().filter(char::is_ascii_alphanumeric);
    format!("{what}{}", letters.collect::<String>())
}

fn rule(control: &Control, out: &mut String) {
    let kinds: Vec<&str> = control.kinds.iter().filter(|kind| RECORDED.contains(kind)).copied().collect();
    // What is quoted is one line of JSON, which is YAML too.
    let text =
        serde_json::to_string(&format!("{} ({})", control.title, control.severity)).unwrap_or_default();
    let _ = write!(
        out,
        "
  {id}:
    Type: AWS::Config::ConfigRule
    DependsOn: ConfigMayAsk
    Properties:
      ConfigRuleName: {name}
      Description: {text}
      InputParameters: {{control: {control}}}
      Scope:
        ComplianceResourceTypes: [{kinds}]
      Source:
        Owner: CUSTOM_LAMBDA
        SourceIdentifier: !GetAtt Forwarder.Arn
        SourceDetails:
          - {{EventSource: aws.config, MessageType: ConfigurationItemChangeNotification}}
          - {{EventSource: aws.config, MessageType: OversizedConfigurationItemChangeNotification}}
          - {{EventSource: aws.config, MessageType: ScheduledNotification, MaximumExecutionFrequency: !Ref Frequency}}
",
        id = logical(control, "Rule"),
        name = rule_name(control),
        control = control.id,
        kinds = kinds.iter().map(|kind| format!("'{kind}'")).collect::<Vec<_>>().join(", "),
    );
}

fn remediation(control: &Control, document: &Document, out: &mut String) {
    let _ = write!(
        out,
        "
  # A person starts it; nothing is put right by itself.
  {id}:
    Type: AWS::Config::RemediationConfiguration
    Condition: Remediates
    Properties:
      ConfigRuleName: !Ref {rule}
      ResourceType: '{kind}'
      TargetType: SSM_DOCUMENT
      TargetId: {name}
      Automatic: false
      Parameters:
        AutomationAssumeRole: {{StaticValue: {{Values: [!Ref RemediationRole]}}}}
        {resource}: {{ResourceValue: {{Value: RESOURCE_ID}}}}
",
        id = logical(control, "Remedy"),
        rule = logical(control, "Rule"),
        kind = document.kind,
        name = document.name,
        resource = document.resource,
    );
    for (name, value) in document.more {
        let _ = writeln!(out, "        {name}: {{StaticValue: {{Values: [{value}]}}}}");
    }
}
