//! Which type of Terraform's AWS provider is which type of CloudFormation, and which attribute which property.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, LazyLock};

/// What a resource of Terraform is.
#[derive(Clone, Copy)]
pub(super) enum Role {
    /// A resource of CloudFormation too.
    Whole,
    /// A property of another, which an attribute names.
    Part {
        /// The type of the other.
        of: &'static str,
        /// The attribute.
        by: &'static str,
    },
}

/// How a value changes its form.
#[derive(Clone, Copy)]
pub(super) enum Form {
    /// Not at all.
    Same,
    /// One value becomes a list of it.
    List,
    /// A text of JSON becomes what it says.
    Json,
    /// A truth value becomes `Enabled` or `Suspended`.
    Status,
    /// `public-read` becomes `PublicRead`.
    Acl,
    /// A text becomes a list of one script.
    Script,
    /// A truth value becomes `ENABLED` or `DISABLED`.
    Switch,
    /// `Enabled` becomes a truth value.
    Enabled,
    /// A text of JSON becomes containers of ECS.
    Containers,
}

/// What a type of Terraform is.
pub(super) fn named(terraform: &str) -> Option<&'static Type> {
    let mut all = TYPES.iter().chain(super::table_services::TYPES).chain(super::table_around::TYPES);
    all.find(|entry| entry.terraform == terraform)
}

/// Paths of properties that are carried over, by type of CloudFormation; whatever else a plan says is not known here.
static ASKED: LazyLock<HashMap<&'static str, Arc<BTreeSet<String>>>> = LazyLock::new(|| {
    let mut all: HashMap<&str, BTreeSet<String>> = HashMap::new();
    for entry in TYPES.iter().chain(super::table_services::TYPES) {
        let kind = match entry.role {
            Role::Whole => entry.kind,
            Role::Part { of, .. } => of,
        };
        for kind in [kind, entry.kind] {
            let paths = entry.fields.iter().map(|(_, to, _)| to.replace("[]", ""));
            all.entry(kind).or_default().extend(paths);
        }
    }
    all.into_iter().map(|(kind, paths)| (kind, Arc::new(paths))).collect()
});

/// The paths that are carried over for a type.
pub(super) fn asked(kind: &str) -> Option<Arc<BTreeSet<String>>> {
    ASKED.get(kind).cloned()
}

/// One type.
pub(super) struct Type {
    pub(super) terraform: &'static str,
    pub(super) kind: &'static str,
    pub(super) role: Role,
    pub(super) fields: &'static [(&'static str, &'static str, Form)],
}

const BUCKET: Role = Role::Part { of: "AWS::S3::Bucket", by: "bucket" };

const TYPES: &[Type] = &[
    Type {
        terraform: "aws_s3_bucket",
        kind: "AWS::S3::Bucket",
        role: Role::Whole,
        fields: &[
            ("bucket", "BucketName", Form::Same),
            ("acl", "AccessControl", Form::Acl),
            ("tags", "Tags", Form::Same),
            ("tags_all", "Tags", Form::Same),
            ("object_lock_enabled", "ObjectLockEnabled", Form::Same),
            ("object_lock_configuration.object_lock_enabled", "ObjectLockEnabled", Form::Enabled),
            ("grant[].uri", "Grants[].Uri", Form::Same),
            ("grant[].permissions", "Grants[].Permission", Form::Same),
            ("lifecycle_rule[].enabled", "LifecycleConfiguration.Rules[].Status", Form::Status),
            ("lifecycle_rule[].prefix", "LifecycleConfiguration.Rules[].Prefix", Form::Same),
            (
                "lifecycle_rule[].expiration.days",
                "LifecycleConfiguration.Rules[].ExpirationInDays",
                Form::Same,
            ),
            ("versioning.enabled", "VersioningConfiguration.Status", Form::Status),
            ("logging.target_bucket", "LoggingConfiguration.DestinationBucketName", Form::Same),
            (
                "server_side_encryption_configuration.rule[].apply_server_side_encryption_by_default.sse_algorithm",
                "BucketEncryption.ServerSideEncryptionConfiguration[].ServerSideEncryptionByDefault.SSEAlgorithm",
                Form::Same,
            ),
            (
                "server_side_encryption_configuration.rule[].apply_server_side_encryption_by_default.kms_master_key_id",
                "BucketEncryption.ServerSideEncryptionConfiguration[].ServerSideEncryptionByDefault.KMSMasterKeyID",
                Form::Same,
            ),
        ],
    },
    Type {
        terraform: "aws_s3_bucket_server_side_encryption_configuration",
        kind: "AWS::S3::Bucket",
        role: BUCKET,
        fields: &[
            (
                "rule[].apply_server_side_encryption_by_default.sse_algorithm",
                "BucketEncryption.ServerSideEncryptionConfiguration[].ServerSideEncryptionByDefault.SSEAlgorithm",
                Form::Same,
            ),
            (
                "rule[].apply_server_side_encryption_by_default.kms_master_key_id",
                "BucketEncryption.ServerSideEncryptionConfiguration[].ServerSideEncryptionByDefault.KMSMasterKeyID",
                Form::Same,
            ),
        ],
    },
    Type {
        terraform: "aws_s3_bucket_public_access_block",
        kind: "AWS::S3::Bucket",
        role: BUCKET,
        fields: &[
            ("block_public_acls", "PublicAccessBlockConfiguration.BlockPublicAcls", Form::Same),
            ("block_public_policy", "PublicAccessBlockConfiguration.BlockPublicPolicy", Form::Same),
            ("ignore_public_acls", "PublicAccessBlockConfiguration.IgnorePublicAcls", Form::Same),
            ("restrict_public_buckets", "PublicAccessBlockConfiguration.RestrictPublicBuckets", Form::Same),
        ],
    },
    Type {
        terraform: "aws_s3_bucket_versioning",
        kind: "AWS::S3::Bucket",
        role: BUCKET,
        fields: &[("versioning_configuration.status", "VersioningConfiguration.Status", Form::Same)],
    },
    Type {
        terraform: "aws_s3_bucket_logging",
        kind: "AWS::S3::Bucket",
        role: BUCKET,
        fields: &[("target_bucket", "LoggingConfiguration.DestinationBucketName", Form::Same)],
    },
    Type {
        terraform: "aws_s3_bucket_acl",
        kind: "AWS::S3::Bucket",
        role: BUCKET,
        fields: &[
            ("acl", "AccessControl", Form::Acl),
            ("access_control_policy.grant[].grantee.uri", "Grants[].Uri", Form::Same),
            ("access_control_policy.grant[].permission", "Grants[].Permission", Form::Same),
        ],
    },
    Type {
        terraform: "aws_s3_bucket_ownership_controls",
        kind: "AWS::S3::Bucket",
        role: BUCKET,
        fields: &[("rule[].object_ownership", "OwnershipControls.Rules[].ObjectOwnership", Form::Same)],
    },
    Type {
        terraform: "aws_s3_bucket_lifecycle_configuration",
        kind: "AWS::S3::Bucket",
        role: BUCKET,
        fields: &[
            ("rule[].status", "LifecycleConfiguration.Rules[].Status", Form::Same),
            ("rule[].expiration.days", "LifecycleConfiguration.Rules[].ExpirationInDays", Form::Same),
            ("rule[].prefix", "LifecycleConfiguration.Rules[].Prefix", Form::Same),
            ("rule[].filter.prefix", "LifecycleConfiguration.Rules[].Prefix", Form::Same),
            ("rule[].filter.and", "LifecycleConfiguration.Rules[].TagFilters", Form::Same),
            ("rule[].filter.tag", "LifecycleConfiguration.Rules[].TagFilters", Form::Same),
        ],
    },
    Type {
        terraform: "aws_s3_bucket_object_lock_configuration",
        kind: "AWS::S3::Bucket",
        role: BUCKET,
        fields: &[
            ("rule.default_retention.mode", "ObjectLockConfiguration.Rule.DefaultRetention.Mode", Form::Same),
            ("object_lock_enabled", "ObjectLockEnabled", Form::Enabled),
        ],
    },
    Type {
        terraform: "aws_s3_bucket_policy",
        kind: "AWS::S3::BucketPolicy",
        role: Role::Whole,
        fields: &[("bucket", "Bucket", Form::Same), ("policy", "PolicyDocument", Form::Json)],
    },
    Type {
        terraform: "aws_kms_key",
        kind: "AWS::KMS::Key",
        role: Role::Whole,
        fields: &[
            ("enable_key_rotation", "EnableKeyRotation", Form::Same),
            ("is_enabled", "Enabled", Form::Same),
            ("policy", "KeyPolicy", Form::Json),
            ("customer_master_key_spec", "KeySpec", Form::Same),
        ],
    },
    Type {
        terraform: "aws_kms_alias",
        kind: "AWS::KMS::Alias",
        role: Role::Whole,
        fields: &[("name", "AliasName", Form::Same), ("target_key_id", "TargetKeyId", Form::Same)],
    },
    Type {
        terraform: "aws_iam_role",
        kind: "AWS::IAM::Role",
        role: Role::Whole,
        fields: &[
            ("name", "RoleName", Form::Same),
            ("assume_role_policy", "AssumeRolePolicyDocument", Form::Json),
            ("managed_policy_arns", "ManagedPolicyArns", Form::Same),
            ("inline_policy[].policy", "Policies[].PolicyDocument", Form::Json),
        ],
    },
    Type {
        terraform: "aws_iam_policy",
        kind: "AWS::IAM::ManagedPolicy",
        role: Role::Whole,
        fields: &[("name", "ManagedPolicyName", Form::Same), ("policy", "PolicyDocument", Form::Json)],
    },
    Type {
        terraform: "aws_iam_role_policy",
        kind: "AWS::IAM::Policy",
        role: Role::Whole,
        fields: &[("role", "Roles", Form::List), ("policy", "PolicyDocument", Form::Json)],
    },
    Type {
        terraform: "aws_iam_user_policy",
        kind: "AWS::IAM::Policy",
        role: Role::Whole,
        fields: &[("user", "Users", Form::List), ("policy", "PolicyDocument", Form::Json)],
    },
    Type {
        terraform: "aws_iam_group_policy",
        kind: "AWS::IAM::Policy",
        role: Role::Whole,
        fields: &[("group", "Groups", Form::List), ("policy", "PolicyDocument", Form::Json)],
    },
    Type {
        terraform: "aws_iam_role_policy_attachment",
        kind: "AWS::IAM::Role",
        role: Role::Part { of: "AWS::IAM::Role", by: "role" },
        fields: &[("policy_arn", "ManagedPolicyArns", Form::List)],
    },
    Type {
        terraform: "aws_iam_access_key",
        kind: "AWS::IAM::AccessKey",
        role: Role::Whole,
        fields: &[("user", "UserName", Form::Same), ("status", "Status", Form::Same)],
    },
    Type {
        terraform: "aws_sagemaker_notebook_instance",
        kind: "AWS::SageMaker::NotebookInstance",
        role: Role::Whole,
        fields: &[
            ("name", "NotebookInstanceName", Form::Same),
            ("role_arn", "RoleArn", Form::Same),
            ("direct_internet_access", "DirectInternetAccess", Form::Same),
            ("subnet_id", "SubnetId", Form::Same),
            ("root_access", "RootAccess", Form::Same),
            ("kms_key_id", "KmsKeyId", Form::Same),
            ("platform_identifier", "PlatformIdentifier", Form::Same),
            (
                "instance_metadata_service_configuration.minimum_instance_metadata_service_version",
                "InstanceMetadataServiceConfiguration.MinimumInstanceMetadataServiceVersion",
                Form::Same,
            ),
            ("tags", "Tags", Form::Same),
        ],
    },
    Type {
        terraform: "aws_sagemaker_notebook_instance_lifecycle_configuration",
        kind: "AWS::SageMaker::NotebookInstanceLifecycleConfig",
        role: Role::Whole,
        fields: &[("on_create", "OnCreate", Form::Script), ("on_start", "OnStart", Form::Script)],
    },
    Type {
        terraform: "aws_sagemaker_model",
        kind: "AWS::SageMaker::Model",
        role: Role::Whole,
        fields: &[
            ("name", "ModelName", Form::Same),
            ("execution_role_arn", "ExecutionRoleArn", Form::Same),
            ("enable_network_isolation", "EnableNetworkIsolation", Form::Same),
            ("vpc_config.subnets", "VpcConfig.Subnets", Form::Same),
            ("vpc_config.security_group_ids", "VpcConfig.SecurityGroupIds", Form::Same),
            ("primary_container.image", "PrimaryContainer.Image", Form::Same),
            ("primary_container.environment", "PrimaryContainer.Environment", Form::Same),
            ("primary_container.model_package_name", "PrimaryContainer.ModelPackageName", Form::Same),
            ("primary_container.model_data_url", "PrimaryContainer.ModelDataUrl", Form::Same),
            ("container[].image", "Containers[].Image", Form::Same),
            ("container[].environment", "Containers[].Environment", Form::Same),
            ("container[].model_package_name", "Containers[].ModelPackageName", Form::Same),
            ("tags", "Tags", Form::Same),
        ],
    },
    Type {
        terraform: "aws_sagemaker_endpoint_configuration",
        kind: "AWS::SageMaker::EndpointConfig",
        role: Role::Whole,
        fields: &[
            ("name", "EndpointConfigName", Form::Same),
            ("kms_key_arn", "KmsKeyId", Form::Same),
            ("data_capture_config.enable_capture", "DataCaptureConfig.EnableCapture", Form::Same),
            ("data_capture_config.destination_s3_uri", "DataCaptureConfig.DestinationS3Uri", Form::Same),
            ("data_capture_config.kms_key_id", "DataCaptureConfig.KmsKeyId", Form::Same),
            ("production_variants[].model_name", "ProductionVariants[].ModelName", Form::Same),
            (
                "production_variants[].initial_instance_count",
                "ProductionVariants[].InitialInstanceCount",
                Form::Same,
            ),
            (
                "production_variants[].serverless_config.max_concurrency",
                "ProductionVariants[].ServerlessConfig.MaxConcurrency",
                Form::Same,
            ),
            ("tags", "Tags", Form::Same),
        ],
    },
    Type {
        terraform: "aws_sagemaker_endpoint",
        kind: "AWS::SageMaker::Endpoint",
        role: Role::Whole,
        fields: &[
            ("name", "EndpointName", Form::Same),
            ("endpoint_config_name", "EndpointConfigName", Form::Same),
            ("tags", "Tags", Form::Same),
        ],
    },
    Type {
        terraform: "aws_sagemaker_domain",
        kind: "AWS::SageMaker::Domain",
        role: Role::Whole,
        fields: &[
            ("domain_name", "DomainName", Form::Same),
            ("app_network_access_type", "AppNetworkAccessType", Form::Same),
            ("kms_key_id", "KmsKeyId", Form::Same),
            ("auth_mode", "AuthMode", Form::Same),
            ("tags", "Tags", Form::Same),
        ],
    },
    Type {
        terraform: "aws_sagemaker_feature_group",
        kind: "AWS::SageMaker::FeatureGroup",
        role: Role::Whole,
        fields: &[
            ("feature_group_name", "FeatureGroupName", Form::Same),
            ("online_store_config.enable_online_store", "OnlineStoreConfig.EnableOnlineStore", Form::Same),
            (
                "online_store_config.security_config.kms_key_id",
                "OnlineStoreConfig.SecurityConfig.KmsKeyId",
                Form::Same,
            ),
            (
                "offline_store_config.s3_storage_config.s3_uri",
                "OfflineStoreConfig.S3StorageConfig.S3Uri",
                Form::Same,
            ),
            (
                "offline_store_config.s3_storage_config.kms_key_id",
                "OfflineStoreConfig.S3StorageConfig.KmsKeyId",
                Form::Same,
            ),
            ("tags", "Tags", Form::Same),
        ],
    },
    Type {
        terraform: "aws_sagemaker_data_quality_job_definition",
        kind: "AWS::SageMaker::DataQualityJobDefinition",
        role: Role::Whole,
        fields: &[
            ("name", "JobDefinitionName", Form::Same),
            ("network_config.enable_network_isolation", "NetworkConfig.EnableNetworkIsolation", Form::Same),
            (
                "network_config.enable_inter_container_traffic_encryption",
                "NetworkConfig.EnableInterContainerTrafficEncryption",
                Form::Same,
            ),
            (
                "job_resources.cluster_config.volume_kms_key_id",
                "JobResources.ClusterConfig.VolumeKmsKeyId",
                Form::Same,
            ),
            ("data_quality_job_output_config.kms_key_id", "DataQualityJobOutputConfig.KmsKeyId", Form::Same),
            (
                "data_quality_job_input.endpoint_input.endpoint_name",
                "DataQualityJobInput.EndpointInput.EndpointName",
                Form::Same,
            ),
        ],
    },
    Type {
        terraform: "aws_sagemaker_monitoring_schedule",
        kind: "AWS::SageMaker::MonitoringSchedule",
        role: Role::Whole,
        fields: &[
            ("name", "MonitoringScheduleName", Form::Same),
            (
                "monitoring_schedule_config.monitoring_job_definition_name",
                "MonitoringScheduleConfig.MonitoringJobDefinitionName",
                Form::Same,
            ),
        ],
    },
    Type {
        terraform: "aws_sagemaker_model_package_group",
        kind: "AWS::SageMaker::ModelPackageGroup",
        role: Role::Whole,
        fields: &[
            ("model_package_group_name", "ModelPackageGroupName", Form::Same),
            ("tags", "Tags", Form::Same),
        ],
    },
    Type {
        terraform: "aws_sagemaker_model_package_group_policy",
        kind: "AWS::SageMaker::ModelPackageGroup",
        role: Role::Part { of: "AWS::SageMaker::ModelPackageGroup", by: "model_package_group_name" },
        fields: &[("resource_policy", "ModelPackageGroupPolicy", Form::Json)],
    },
];
