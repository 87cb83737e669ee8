//! Every call with which resources are looked at and put right, and how each is written. Sources: the API reference of each
//! service, and the Service Authorization Reference for what it needs.

use crate::error::AwsError;
use crate::operation::{CLOUDTRAIL, IAM, KMS, On, Operation, Permission, Retry, S3, SAGEMAKER};
use crate::posture::{EC2, ECR, LOGS, S3_CONTROL};

/// A call that may be made.
pub(super) struct Known {
    pub(super) operation: Operation,
    /// Whether it changes something.
    pub(super) writes: bool,
    pub(super) form: Form,
    /// What means that there is none: a code, and words of the message.
    absent: &'static [(&'static str, &'static str)],
}

/// How a call is written.
#[derive(Clone, Copy)]
pub(super) enum Form {
    /// Parameters are the body, in the protocol of the service.
    Body,
    /// A part of a bucket (its name in the query), with this member as the body.
    Bucket { method: &'static str, part: &'static str, root: &'static str },
    /// The switches of an account.
    Account { method: &'static str },
}

impl Known {
    /// Whether an error says that there is none.
    pub(super) fn is_absence(&self, error: &AwsError) -> bool {
        let said = error.to_string();
        self.absent.iter().any(|(code, words)| error.code() == *code && said.contains(words))
    }
}

macro_rules! known {
    ($writes:literal, $retry:ident, $service:ident, $name:literal, [$($action:literal),*], $form:expr, $absent:expr) => {
        Known {
            operation: Operation {
                service: &$service,
                name: $name,
                retry: Retry::$retry,
                needs: &[$(Permission { action: $action, on: On::Account }),*],
                pages: None,
            },
            writes: $writes,
            form: $form,
            absent: &$absent,
        }
    };
}

/// A look at a part of a bucket.
macro_rules! get {
    ($name:literal, $action:literal, $part:literal, $absent:literal) => {
        known!(
            false,
            Safe,
            S3,
            $name,
            [$action],
            Form::Bucket { method: "GET", part: $part, root: "" },
            [($absent, "")]
        )
    };
}

/// A document of a bucket that is put whole.
macro_rules! put {
    ($name:literal, $action:literal, $part:literal, $root:literal) => {
        known!(true, Safe, S3, $name, [$action], Form::Bucket { method: "PUT", part: $part, root: $root }, [])
    };
}

/// A document of a bucket that is deleted.
macro_rules! delete {
    ($name:literal, $action:literal, $part:literal) => {
        known!(true, Safe, S3, $name, [$action], Form::Bucket { method: "DELETE", part: $part, root: "" }, [])
    };
}

/// A call of a service whose parameters are the body.
macro_rules! tell {
    ($service:ident, $name:literal, $($action:literal),+) => {
        known!(false, Safe, $service, $name, [$($action),+], Form::Body, [])
    };
}

/// The same, if it changes something; twice is as once.
macro_rules! set {
    ($service:ident, $name:literal, $($action:literal),+) => {
        known!(true, Safe, $service, $name, [$($action),+], Form::Body, [])
    };
}

/// The same, if twice is not as once, or is refused.
macro_rules! make {
    ($service:ident, $name:literal, $($action:literal),+) => {
        known!(true, Unsafe, $service, $name, [$($action),+], Form::Body, [])
    };
}

pub(super) static KNOWN: [Known; 65] = [
    get!(
        "GetBucketEncryption",
        "s3:GetEncryptionConfiguration",
        "encryption",
        "ServerSideEncryptionConfigurationNotFoundError"
    ),
    get!(
        "GetPublicAccessBlock",
        "s3:GetBucketPublicAccessBlock",
        "publicAccessBlock",
        "NoSuchPublicAccessBlockConfiguration"
    ),
    get!("GetBucketVersioning", "s3:GetBucketVersioning", "versioning", "-"),
    get!("GetBucketLogging", "s3:GetBucketLogging", "logging", "-"),
    get!(
        "GetBucketLifecycleConfiguration",
        "s3:GetLifecycleConfiguration",
        "lifecycle",
        "NoSuchLifecycleConfiguration"
    ),
    get!(
        "GetBucketOwnershipControls",
        "s3:GetBucketOwnershipControls",
        "ownershipControls",
        "OwnershipControlsNotFoundError"
    ),
    get!("GetBucketPolicy", "s3:GetBucketPolicy", "policy", "NoSuchBucketPolicy"),
    put!(
        "PutBucketEncryption",
        "s3:PutEncryptionConfiguration",
        "encryption",
        "ServerSideEncryptionConfiguration"
    ),
    put!(
        "PutPublicAccessBlock",
        "s3:PutBucketPublicAccessBlock",
        "publicAccessBlock",
        "PublicAccessBlockConfiguration"
    ),
    put!("PutBucketVersioning", "s3:PutBucketVersioning", "versioning", "VersioningConfiguration"),
    put!("PutBucketLogging", "s3:PutBucketLogging", "logging", "BucketLoggingStatus"),
    put!(
        "PutBucketLifecycleConfiguration",
        "s3:PutLifecycleConfiguration",
        "lifecycle",
        "LifecycleConfiguration"
    ),
    put!(
        "PutBucketOwnershipControls",
        "s3:PutBucketOwnershipControls",
        "ownershipControls",
        "OwnershipControls"
    ),
    put!("PutBucketPolicy", "s3:PutBucketPolicy", "policy", "Policy"),
    delete!("DeleteBucketEncryption", "s3:PutEncryptionConfiguration", "encryption"),
    delete!("DeletePublicAccessBlock", "s3:PutBucketPublicAccessBlock", "publicAccessBlock"),
    delete!("DeleteBucketLifecycle", "s3:PutLifecycleConfiguration", "lifecycle"),
    delete!("DeleteBucketOwnershipControls", "s3:PutBucketOwnershipControls", "ownershipControls"),
    delete!("DeleteBucketPolicy", "s3:DeleteBucketPolicy", "policy"),
    known!(
        false,
        Safe,
        S3_CONTROL,
        "GetPublicAccessBlock",
        ["s3:GetAccountPublicAccessBlock"],
        Form::Account { method: "GET" },
        [("NoSuchPublicAccessBlockConfiguration", "")]
    ),
    known!(
        true,
        Safe,
        S3_CONTROL,
        "PutPublicAccessBlock",
        ["s3:PutAccountPublicAccessBlock"],
        Form::Account { method: "PUT" },
        []
    ),
    known!(
        true,
        Safe,
        S3_CONTROL,
        "DeletePublicAccessBlock",
        ["s3:PutAccountPublicAccessBlock"],
        Form::Account { method: "DELETE" },
        []
    ),
    tell!(KMS, "GetKeyRotationStatus", "kms:GetKeyRotationStatus"),
    tell!(KMS, "DescribeKey", "kms:DescribeKey"),
    set!(KMS, "EnableKeyRotation", "kms:EnableKeyRotation"),
    set!(KMS, "DisableKeyRotation", "kms:DisableKeyRotation"),
    set!(KMS, "EnableKey", "kms:EnableKey"),
    set!(KMS, "DisableKey", "kms:DisableKey"),
    make!(KMS, "CancelKeyDeletion", "kms:CancelKeyDeletion"),
    make!(KMS, "ScheduleKeyDeletion", "kms:ScheduleKeyDeletion"),
    tell!(IAM, "ListAccessKeys", "iam:ListAccessKeys"),
    tell!(IAM, "GetRole", "iam:GetRole"),
    set!(IAM, "UpdateAccessKey", "iam:UpdateAccessKey"),
    set!(IAM, "UpdateAssumeRolePolicy", "iam:UpdateAssumeRolePolicy"),
    tell!(CLOUDTRAIL, "DescribeTrails", "cloudtrail:DescribeTrails"),
    tell!(CLOUDTRAIL, "GetTrailStatus", "cloudtrail:GetTrailStatus"),
    tell!(CLOUDTRAIL, "GetEventSelectors", "cloudtrail:GetEventSelectors"),
    set!(CLOUDTRAIL, "UpdateTrail", "cloudtrail:UpdateTrail"),
    set!(CLOUDTRAIL, "StartLogging", "cloudtrail:StartLogging"),
    set!(CLOUDTRAIL, "StopLogging", "cloudtrail:StopLogging"),
    set!(CLOUDTRAIL, "PutEventSelectors", "cloudtrail:PutEventSelectors"),
    tell!(LOGS, "DescribeLogGroups", "logs:DescribeLogGroups"),
    set!(LOGS, "PutRetentionPolicy", "logs:PutRetentionPolicy"),
    set!(LOGS, "DeleteRetentionPolicy", "logs:DeleteRetentionPolicy"),
    set!(LOGS, "AssociateKmsKey", "logs:AssociateKmsKey"),
    set!(LOGS, "DisassociateKmsKey", "logs:DisassociateKmsKey"),
    tell!(ECR, "DescribeRepositories", "ecr:DescribeRepositories"),
    set!(ECR, "PutImageScanningConfiguration", "ecr:PutImageScanningConfiguration"),
    set!(ECR, "PutImageTagMutability", "ecr:PutImageTagMutability"),
    tell!(EC2, "DescribeFlowLogs", "ec2:DescribeFlowLogs"),
    tell!(EC2, "DescribeSecurityGroups", "ec2:DescribeSecurityGroups"),
    tell!(EC2, "DescribeVpcEndpoints", "ec2:DescribeVpcEndpoints"),
    make!(EC2, "CreateFlowLogs", "ec2:CreateFlowLogs", "logs:CreateLogDelivery"),
    make!(EC2, "DeleteFlowLogs", "ec2:DeleteFlowLogs", "logs:DeleteLogDelivery"),
    make!(EC2, "RevokeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress"),
    make!(EC2, "AuthorizeSecurityGroupIngress", "ec2:AuthorizeSecurityGroupIngress"),
    set!(EC2, "ModifyVpcEndpoint", "ec2:ModifyVpcEndpoint"),
    known!(
        false,
        Safe,
        SAGEMAKER,
        "DescribeEndpointConfig",
        ["sagemaker:DescribeEndpointConfig"],
        Form::Body,
        [("ValidationException", "Could not find endpoint configuration")]
    ),
    tell!(SAGEMAKER, "DescribeEndpoint", "sagemaker:DescribeEndpoint"),
    make!(
        SAGEMAKER,
        "CreateEndpointConfig",
        "sagemaker:CreateEndpointConfig",
        "sagemaker:AddTags",
        "iam:PassRole",
        "kms:DescribeKey",
        "kms:CreateGrant"
    ),
    known!(
        false,
        Safe,
        SAGEMAKER,
        "DescribeModel",
        ["sagemaker:DescribeModel"],
        Form::Body,
        [("ValidationException", "Could not find model")]
    ),
    make!(SAGEMAKER, "CreateModel", "sagemaker:CreateModel", "sagemaker:AddTags", "iam:PassRole"),
    make!(SAGEMAKER, "DeleteModel", "sagemaker:DeleteModel"),
    make!(SAGEMAKER, "DeleteEndpointConfig", "sagemaker:DeleteEndpointConfig"),
    make!(SAGEMAKER, "UpdateEndpoint", "sagemaker:UpdateEndpoint"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_call_is_named_once_and_needs_something() {
        let names: BTreeSet<String> = KNOWN
            .iter()
            .map(|known| format!("{}:{}", known.operation.service.name, known.operation.name))
            .collect();
        assert_eq!(names.len(), KNOWN.len());
        assert!(KNOWN.iter().all(|known| !known.operation.needs.is_empty()));
    }
}
