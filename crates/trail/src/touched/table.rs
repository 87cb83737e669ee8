//! Which calls change which resources, service by service. Sources: the API reference of each service for its calls and
//! parameters, the CloudTrail User Guide for how they are written in events, and the CloudFormation reference for types.

/// A service, as events name it.
pub(super) struct Source {
    /// `eventSource` without `.amazonaws.com`.
    pub(super) name: &'static str,
    /// What all of its types begin with; a call that is not in the table may have changed any of them.
    pub(super) kinds: &'static str,
    /// Calls that are known, by name; `*` stands for any letters.
    pub(super) calls: &'static [Call],
    /// Calls that change nothing that controls look at, though they write.
    pub(super) idle: &'static [&'static str],
}

/// Calls that change one sort of resource.
pub(super) struct Call {
    pub(super) names: &'static [&'static str],
    pub(super) kinds: &'static [&'static str],
    /// Where the identifier stands in the event (RFC 6901); the first that is there counts. Empty: all of the types.
    pub(super) at: &'static [&'static str],
}

const fn call(
    names: &'static [&'static str],
    kinds: &'static [&'static str],
    at: &'static [&'static str],
) -> Call {
    Call { names, kinds, at }
}

const BUCKET: [&str; 1] = ["/requestParameters/bucketName"];
const KEY: [&str; 3] =
    ["/requestParameters/keyId", "/requestParameters/targetKeyId", "/responseElements/keyMetadata/keyId"];

const S3: Source = Source {
    name: "s3",
    kinds: "AWS::S3::*",
    calls: &[
        call(&["*AccountPublicAccessBlock"], &["AWS::S3::AccountPublicAccessBlock"], &[]),
        call(
            &[
                "CreateBucket",
                "DeleteBucket*",
                "PutBucket*",
                "PutPublicAccessBlock",
                "DeletePublicAccessBlock",
                "PutObjectLockConfiguration",
                "PutEncryptionConfiguration",
                "DeleteEncryptionConfiguration",
                "PutLifecycleConfiguration",
                "PutReplicationConfiguration",
                "PutAccelerateConfiguration",
            ],
            &["AWS::S3::Bucket"],
            &BUCKET,
        ),
    ],
    idle: &[
        "PutObject*",
        "DeleteObject*",
        "CopyObject",
        "CreateMultipartUpload",
        "UploadPart*",
        "RestoreObject",
        "CompleteMultipartUpload",
        "AbortMultipartUpload",
        "CreateSession",
        "SelectObjectContent",
        "Object *",
    ],
};

const KMS: Source = Source {
    name: "kms",
    kinds: "AWS::KMS::*",
    calls: &[
        call(&["CreateAlias"], &["AWS::KMS::Key"], &KEY),
        // Only the name of the alias is told, or the key that it leads to from now on.
        call(&["UpdateAlias", "DeleteAlias"], &["AWS::KMS::Key"], &[]),
        call(
            &[
                "CreateKey",
                "PutKeyPolicy",
                "EnableKey",
                "DisableKey",
                "EnableKeyRotation",
                "DisableKeyRotation",
                "RotateKey*",
                "ScheduleKeyDeletion",
                "CancelKeyDeletion",
                "DeleteKey",
                "TagResource",
                "UntagResource",
                "CreateGrant",
                "RetireGrant",
                "RevokeGrant",
                "UpdateKeyDescription",
                "UpdatePrimaryRegion",
                "ImportKeyMaterial",
                "DeleteImportedKeyMaterial",
                "ReplicateKey",
                "SynchronizeMultiRegionKey",
            ],
            &["AWS::KMS::Key"],
            &KEY,
        ),
    ],
    idle: &["Encrypt", "Decrypt", "ReEncrypt*", "Generate*", "Sign", "Verify*", "DeriveSharedSecret"],
};

macro_rules! sagemaker {
    ($last:literal, $noun:literal, $id:literal) => {
        call(
            &[
                concat!("Create", $noun),
                concat!("Update", $noun),
                concat!("Delete", $noun),
                concat!("Start", $noun),
                concat!("Stop", $noun),
            ],
            &[concat!("AWS::SageMaker::", $last)],
            &[concat!("/requestParameters/", $id)],
        )
    };
    ($noun:literal, $id:literal) => {
        sagemaker!($noun, $noun, $id)
    };
}

const SAGEMAKER: Source = Source {
    name: "sagemaker",
    kinds: "AWS::SageMaker::*",
    calls: &[
        sagemaker!("NotebookInstance", "notebookInstanceName"),
        sagemaker!("Model", "modelName"),
        sagemaker!("EndpointConfig", "endpointConfigName"),
        sagemaker!("Endpoint", "endpointName"),
        call(
            &["UpdateEndpointWeightsAndCapacities"],
            &["AWS::SageMaker::Endpoint"],
            &["/requestParameters/endpointName"],
        ),
        call(
            &["UpdateDomain", "DeleteDomain"],
            &["AWS::SageMaker::Domain"],
            &["/requestParameters/domainId"],
        ),
        call(&["CreateDomain"], &["AWS::SageMaker::Domain"], &["/responseElements/domainArn"]),
        sagemaker!("FeatureGroup", "featureGroupName"),
        sagemaker!("ModelPackageGroup", "modelPackageGroupName"),
        call(
            &["PutModelPackageGroupPolicy", "DeleteModelPackageGroupPolicy"],
            &["AWS::SageMaker::ModelPackageGroup"],
            &["/requestParameters/modelPackageGroupName"],
        ),
        call(&["*ModelPackage"], &["AWS::SageMaker::ModelPackage"], &[]),
        sagemaker!("ModelCard", "modelCardName"),
        sagemaker!("MonitoringSchedule", "monitoringScheduleName"),
        sagemaker!("DataQualityJobDefinition", "jobDefinitionName"),
        sagemaker!("ModelQualityJobDefinition", "jobDefinitionName"),
        sagemaker!("ModelBiasJobDefinition", "jobDefinitionName"),
        sagemaker!("ModelExplainabilityJobDefinition", "jobDefinitionName"),
        sagemaker!("ProcessingJob", "processingJobName"),
        sagemaker!("TrainingJob", "trainingJobName"),
    ],
    idle: &[
        "InvokeEndpoint*",
        "BatchPutMetrics",
        "PutRecord",
        "DeleteRecord",
        "CreatePresigned*",
        "StartSession",
        "*Experiment",
        "*Trial",
        "*TrialComponent",
        "*Artifact",
        "*Context",
        "*Action",
        "AddAssociation",
        "DeleteAssociation",
        "RenderUiTemplate",
    ],
};

const EC2: Source = Source {
    name: "ec2",
    kinds: "AWS::EC2::*",
    calls: &[
        call(&["*SecurityGroup*"], &["AWS::EC2::SecurityGroup*"], &[]),
        call(&["*FlowLogs"], &["AWS::EC2::FlowLog", "AWS::EC2::VPC"], &[]),
        call(&["*VpcEndpoint*"], &["AWS::EC2::VPCEndpoint"], &[]),
        call(&["*Subnet*"], &["AWS::EC2::Subnet*"], &[]),
        call(
            &["*Route", "*RouteTable*"],
            &["AWS::EC2::Route*", "AWS::EC2::SubnetRouteTableAssociation"],
            &[],
        ),
        call(&["*InternetGateway"], &["AWS::EC2::InternetGateway", "AWS::EC2::VPCGatewayAttachment"], &[]),
        call(&["*Vpc", "*VpcAttribute", "*VpcCidrBlock"], &["AWS::EC2::VPC*"], &[]),
    ],
    idle: &[
        "*Instance*",
        "*Volume*",
        "*Snapshot*",
        "*Image*",
        "*Address*",
        "*KeyPair*",
        "*Fleet*",
        "*LaunchTemplate*",
        "*NetworkInterface*",
        "*Spot*",
        "*PlacementGroup*",
        "*Reserved*",
        "*Host*",
        "*NatGateway*",
    ],
};

const LOGS: Source = Source {
    name: "logs",
    kinds: "AWS::Logs::*",
    calls: &[call(
        &[
            "CreateLogGroup",
            "DeleteLogGroup",
            "*RetentionPolicy",
            "*KmsKey",
            "Tag*",
            "Untag*",
            "*DataProtectionPolicy",
        ],
        &["AWS::Logs::LogGroup"],
        &[],
    )],
    idle: &["PutLogEvents", "*LogStream", "StartQuery", "StopQuery", "*ExportTask", "StartLiveTail"],
};

const ECR: Source = Source {
    name: "ecr",
    kinds: "AWS::ECR::*",
    calls: &[call(
        &[
            "CreateRepository",
            "DeleteRepository",
            "*RepositoryPolicy",
            "*LifecyclePolicy*",
            "PutImageTagMutability",
            "PutImageScanningConfiguration",
            "TagResource",
            "UntagResource",
        ],
        &["AWS::ECR::Repository"],
        &[],
    )],
    idle: &[
        "PutImage",
        "*LayerUpload",
        "UploadLayerPart",
        "BatchDeleteImage",
        "StartImageScan",
        "ReplicateImage",
    ],
};

const IAM: Source = Source {
    name: "iam",
    kinds: "AWS::IAM::*",
    calls: &[],
    idle: &[
        "GenerateServiceLastAccessedDetails",
        "GenerateCredentialReport",
        "GenerateOrganizationsAccessReport",
        "SimulatePrincipalPolicy",
    ],
};

/// A service of which every call that writes may change any of its types.
const fn whole(name: &'static str, kinds: &'static str, idle: &'static [&'static str]) -> Source {
    Source { name, kinds, calls: &[], idle }
}

pub(super) const SOURCES: [Source; 23] = [
    S3,
    KMS,
    SAGEMAKER,
    EC2,
    LOGS,
    ECR,
    IAM,
    whole("cloudtrail", "AWS::CloudTrail::*", &["PutAuditEvents", "StartQuery", "CancelQuery"]),
    whole(
        "bedrock",
        "AWS::Bedrock::*",
        &["Invoke*", "Converse*", "Retrieve*", "ApplyGuardrail", "Rerank", "CountTokens"],
    ),
    whole(
        "bedrock-agentcore",
        "AWS::BedrockAgentCore::*",
        &["Invoke*", "*Event", "*MemoryRecord*", "*Session"],
    ),
    whole("apigateway", "AWS::ApiGateway*", &["TestInvoke*"]),
    whole("wafv2", "AWS::WAFv2::*", &[]),
    whole(
        "cognito-idp",
        "AWS::Cognito::*",
        &[
            "Admin*",
            "InitiateAuth",
            "RespondToAuthChallenge",
            "SignUp",
            "ConfirmSignUp",
            "GlobalSignOut",
            "RevokeToken",
            "ForgotPassword",
            "ConfirmForgotPassword",
            "ChangePassword",
        ],
    ),
    whole("cognito-identity", "AWS::Cognito::*", &["GetId", "GetCredentialsForIdentity", "GetOpenIdToken*"]),
    whole(
        "ecs",
        "AWS::ECS::*",
        &["RunTask", "StartTask", "StopTask", "Submit*", "*ContainerInstance*", "ExecuteCommand"],
    ),
    whole("eks", "AWS::EKS::*", &[]),
    whole(
        "config",
        "AWS::Config::*",
        &[
            "PutEvaluations",
            "PutExternalEvaluation",
            "StartConfigRulesEvaluation",
            "StartRemediationExecution",
            "StartResourceEvaluation",
            "DeliverConfigSnapshot",
        ],
    ),
    whole("monitoring", "AWS::CloudWatch::*", &["PutMetricData", "SetAlarmState"]),
    whole("macie2", "AWS::Macie::*", &[]),
    whole(
        "guardduty",
        "AWS::GuardDuty::*",
        &["ArchiveFindings", "UnarchiveFindings", "UpdateFindingsFeedback"],
    ),
    whole("lambda", "AWS::Lambda::*", &["Invoke*"]),
    whole("events", "AWS::Events::*", &["PutEvents", "TestEventPattern"]),
    whole("sns", "AWS::SNS::*", &["Publish*"]),
];

/// The beginnings of calls that only read, where an event does not say it.
pub(super) const READS: [&str; 12] = [
    "Get", "List", "Describe", "Head", "Lookup", "Search", "BatchGet", "Select", "Query", "Scan", "Check",
    "Preview",
];

/// Where an ARN stands that names what was changed, such as the tags of anything.
pub(super) const ARNS: [&str; 3] =
    ["/requestParameters/resourceArn", "/requestParameters/resourceARN", "/requestParameters/ResourceArn"];

/// Types by the part of their ARN after the account: of which service, and what stands before the identifier.
pub(super) const BY_ARN: [(&str, &str, &str); 22] = [
    ("s3", "", "AWS::S3::Bucket"),
    ("kms", "key/", "AWS::KMS::Key"),
    ("sagemaker", "notebook-instance/", "AWS::SageMaker::NotebookInstance"),
    ("sagemaker", "model/", "AWS::SageMaker::Model"),
    ("sagemaker", "endpoint-config/", "AWS::SageMaker::EndpointConfig"),
    ("sagemaker", "endpoint/", "AWS::SageMaker::Endpoint"),
    ("sagemaker", "domain/", "AWS::SageMaker::Domain"),
    ("sagemaker", "feature-group/", "AWS::SageMaker::FeatureGroup"),
    ("sagemaker", "model-package-group/", "AWS::SageMaker::ModelPackageGroup"),
    ("sagemaker", "model-card/", "AWS::SageMaker::ModelCard"),
    ("sagemaker", "monitoring-schedule/", "AWS::SageMaker::MonitoringSchedule"),
    ("sagemaker", "data-quality-job-definition/", "AWS::SageMaker::DataQualityJobDefinition"),
    ("sagemaker", "model-quality-job-definition/", "AWS::SageMaker::ModelQualityJobDefinition"),
    ("sagemaker", "model-bias-job-definition/", "AWS::SageMaker::ModelBiasJobDefinition"),
    ("sagemaker", "model-explainability-job-definition/", "AWS::SageMaker::ModelExplainabilityJobDefinition"),
    ("sagemaker", "processing-job/", "AWS::SageMaker::ProcessingJob"),
    ("sagemaker", "training-job/", "AWS::SageMaker::TrainingJob"),
    ("logs", "log-group:", "AWS::Logs::LogGroup"),
    ("cloudtrail", "trail/", "AWS::CloudTrail::Trail"),
    ("ecr", "repository/", "AWS::ECR::Repository"),
    ("iam", "role/", "AWS::IAM::Role"),
    ("iam", "user/", "AWS::IAM::User"),
];
