//! What there is in Amazon SageMaker AI. Properties: AWS::SageMaker::* of the CloudFormation reference; calls: its API
//! reference. Training jobs have no type in CloudFormation; theirs is named in the same way.

use super::collector::{Kind, no_more};
use super::items::{Told, derive, learn};
use super::reader::Reader;
use crate::operation::{NEXT_TOKEN, On, Operation, Permission, Retry, SAGEMAKER};
use base64::Engine;
use facts::inventory::Item;
use serde_json::{Value, json};

macro_rules! operation {
    ($name:literal $(, $items:literal)?) => {
        &Operation {
            service: &SAGEMAKER,
            name: $name,
            retry: Retry::Safe,
            needs: &[Permission { action: concat!("sagemaker:", $name), on: On::Account }],
            pages: None,
        }$(.paged(NEXT_TOKEN.of($items)))?
    };
}

pub(super) const TAGS: &Operation = operation!("ListTags", "Tags");
const GROUP_POLICY: &Operation = operation!("GetModelPackageGroupPolicy");
const EXECUTIONS: &Operation = operation!("ListMonitoringExecutions");

/// What is called beside [`KINDS`].
pub(super) const OPERATIONS: [&Operation; 2] = [GROUP_POLICY, EXECUTIONS];

/// The types, with how they are read.
pub(super) static KINDS: &[Kind] = &[
    Kind {
        kind: "AWS::SageMaker::NotebookInstance",
        list: operation!("ListNotebookInstances", "NotebookInstances"),
        id: "NotebookInstanceName",
        arn: "NotebookInstanceArn",
        read: operation!("DescribeNotebookInstance"),
        properties: &[
            "NotebookInstanceName",
            "InstanceType",
            "RoleArn",
            "KmsKeyId",
            "SubnetId",
            "DirectInternetAccess",
            "RootAccess",
            "PlatformIdentifier",
            "InstanceMetadataServiceConfiguration",
            "VolumeSizeInGB",
        ],
        renamed: &[
            ("SecurityGroups", "SecurityGroupIds"),
            ("NotebookInstanceLifecycleConfigName", "LifecycleConfigName"),
        ],
        always: &[
            "NotebookInstanceName",
            "RoleArn",
            "DirectInternetAccess",
            "RootAccess",
            "PlatformIdentifier",
        ],
        derived: &["NotebookInstanceStatus"],
        tags: Some(TAGS),
        more: no_more,
    },
    Kind {
        kind: "AWS::SageMaker::Model",
        list: operation!("ListModels", "Models"),
        id: "ModelName",
        arn: "ModelArn",
        read: operation!("DescribeModel"),
        properties: &[
            "ModelName",
            "PrimaryContainer",
            "Containers",
            "ExecutionRoleArn",
            "VpcConfig",
            "EnableNetworkIsolation",
            "InferenceExecutionConfig",
        ],
        renamed: &[],
        always: &["ModelName", "EnableNetworkIsolation"],
        derived: &["CreationTime"],
        tags: Some(TAGS),
        more: no_more,
    },
    Kind {
        kind: "AWS::SageMaker::EndpointConfig",
        list: operation!("ListEndpointConfigs", "EndpointConfigs"),
        id: "EndpointConfigName",
        arn: "EndpointConfigArn",
        read: operation!("DescribeEndpointConfig"),
        properties: &[
            "EndpointConfigName",
            "ProductionVariants",
            "ShadowProductionVariants",
            "DataCaptureConfig",
            "KmsKeyId",
            "AsyncInferenceConfig",
            "ExecutionRoleArn",
            "VpcConfig",
            "EnableNetworkIsolation",
        ],
        renamed: &[],
        always: &["EndpointConfigName", "ProductionVariants"],
        derived: &[],
        tags: Some(TAGS),
        more: no_more,
    },
    Kind {
        kind: "AWS::SageMaker::Endpoint",
        list: operation!("ListEndpoints", "Endpoints"),
        id: "EndpointName",
        arn: "EndpointArn",
        read: operation!("DescribeEndpoint"),
        properties: &["EndpointName", "EndpointConfigName"],
        renamed: &[],
        always: &["EndpointName", "EndpointConfigName"],
        derived: &["EndpointStatus", "LastModifiedTime"],
        tags: Some(TAGS),
        more: no_more,
    },
    Kind {
        kind: "AWS::SageMaker::Domain",
        list: operation!("ListDomains", "Domains"),
        id: "DomainId",
        arn: "DomainArn",
        read: operation!("DescribeDomain"),
        properties: &[
            "DomainName",
            "AuthMode",
            "AppNetworkAccessType",
            "VpcId",
            "SubnetIds",
            "KmsKeyId",
            "DefaultUserSettings",
            "DomainSettings",
        ],
        renamed: &[],
        always: &["DomainName", "AuthMode"],
        derived: &["Status"],
        tags: Some(TAGS),
        more: no_more,
    },
    Kind {
        kind: "AWS::SageMaker::FeatureGroup",
        list: operation!("ListFeatureGroups", "FeatureGroupSummaries"),
        id: "FeatureGroupName",
        arn: "FeatureGroupArn",
        read: operation!("DescribeFeatureGroup"),
        properties: &[
            "FeatureGroupName",
            "OnlineStoreConfig",
            "OfflineStoreConfig",
            "RoleArn",
            "RecordIdentifierFeatureName",
            "EventTimeFeatureName",
        ],
        renamed: &[],
        always: &["FeatureGroupName"],
        derived: &["FeatureGroupStatus"],
        tags: Some(TAGS),
        more: no_more,
    },
    Kind {
        kind: "AWS::SageMaker::ModelPackageGroup",
        list: operation!("ListModelPackageGroups", "ModelPackageGroupSummaryList"),
        id: "ModelPackageGroupName",
        arn: "ModelPackageGroupArn",
        read: operation!("DescribeModelPackageGroup"),
        properties: &["ModelPackageGroupName", "ModelPackageGroupDescription"],
        renamed: &[],
        always: &["ModelPackageGroupName"],
        derived: &["ModelPackageGroupStatus"],
        tags: Some(TAGS),
        more: group_policy,
    },
    Kind {
        kind: "AWS::SageMaker::MonitoringSchedule",
        list: operation!("ListMonitoringSchedules", "MonitoringScheduleSummaries"),
        id: "MonitoringScheduleName",
        arn: "MonitoringScheduleArn",
        read: operation!("DescribeMonitoringSchedule"),
        properties: &[
            "MonitoringScheduleName",
            "MonitoringScheduleConfig",
            "EndpointName",
            "MonitoringScheduleStatus",
        ],
        renamed: &[],
        always: &["MonitoringScheduleName", "MonitoringScheduleConfig"],
        derived: &["LastMonitoringExecutionSummary", "FailureReason"],
        tags: Some(TAGS),
        more: last_run,
    },
    Kind {
        kind: "AWS::SageMaker::DataQualityJobDefinition",
        list: operation!("ListDataQualityJobDefinitions", "JobDefinitionSummaries"),
        id: "JobDefinitionName",
        arn: "JobDefinitionArn",
        read: operation!("DescribeDataQualityJobDefinition"),
        properties: &[
            "JobDefinitionName",
            "JobResources",
            "NetworkConfig",
            "RoleArn",
            "StoppingCondition",
            "DataQualityAppSpecification",
            "DataQualityJobInput",
            "DataQualityJobOutputConfig",
            "DataQualityBaselineConfig",
        ],
        renamed: &[],
        always: &["JobDefinitionName", "JobResources", "RoleArn"],
        derived: &[],
        tags: Some(TAGS),
        more: no_more,
    },
    Kind {
        kind: "AWS::SageMaker::ModelQualityJobDefinition",
        list: operation!("ListModelQualityJobDefinitions", "JobDefinitionSummaries"),
        id: "JobDefinitionName",
        arn: "JobDefinitionArn",
        read: operation!("DescribeModelQualityJobDefinition"),
        properties: &[
            "JobDefinitionName",
            "JobResources",
            "NetworkConfig",
            "RoleArn",
            "StoppingCondition",
            "ModelQualityAppSpecification",
            "ModelQualityJobInput",
            "ModelQualityJobOutputConfig",
            "ModelQualityBaselineConfig",
        ],
        renamed: &[],
        always: &["JobDefinitionName", "JobResources", "RoleArn"],
        derived: &[],
        tags: Some(TAGS),
        more: no_more,
    },
    Kind {
        kind: "AWS::SageMaker::ModelBiasJobDefinition",
        list: operation!("ListModelBiasJobDefinitions", "JobDefinitionSummaries"),
        id: "JobDefinitionName",
        arn: "JobDefinitionArn",
        read: operation!("DescribeModelBiasJobDefinition"),
        properties: &[
            "JobDefinitionName",
            "JobResources",
            "NetworkConfig",
            "RoleArn",
            "StoppingCondition",
            "ModelBiasAppSpecification",
            "ModelBiasJobInput",
            "ModelBiasJobOutputConfig",
            "ModelBiasBaselineConfig",
        ],
        renamed: &[],
        always: &["JobDefinitionName", "JobResources", "RoleArn"],
        derived: &[],
        tags: Some(TAGS),
        more: no_more,
    },
    Kind {
        kind: "AWS::SageMaker::ModelExplainabilityJobDefinition",
        list: operation!("ListModelExplainabilityJobDefinitions", "JobDefinitionSummaries"),
        id: "JobDefinitionName",
        arn: "JobDefinitionArn",
        read: operation!("DescribeModelExplainabilityJobDefinition"),
        properties: &[
            "JobDefinitionName",
            "JobResources",
            "NetworkConfig",
            "RoleArn",
            "StoppingCondition",
            "ModelExplainabilityAppSpecification",
            "ModelExplainabilityJobInput",
            "ModelExplainabilityJobOutputConfig",
            "ModelExplainabilityBaselineConfig",
        ],
        renamed: &[],
        always: &["JobDefinitionName", "JobResources", "RoleArn"],
        derived: &[],
        tags: Some(TAGS),
        more: no_more,
    },
    Kind {
        kind: "AWS::SageMaker::ProcessingJob",
        list: operation!("ListProcessingJobs", "ProcessingJobSummaries"),
        id: "ProcessingJobName",
        arn: "ProcessingJobArn",
        read: operation!("DescribeProcessingJob"),
        properties: &[
            "ProcessingJobName",
            "ProcessingResources",
            "NetworkConfig",
            "ProcessingOutputConfig",
            "RoleArn",
            "AppSpecification",
            "Environment",
        ],
        renamed: &[],
        always: &["ProcessingJobName", "ProcessingResources"],
        derived: &["ProcessingJobStatus"],
        tags: Some(TAGS),
        more: no_more,
    },
    Kind {
        kind: "AWS::SageMaker::TrainingJob",
        list: operation!("ListTrainingJobs", "TrainingJobSummaries"),
        id: "TrainingJobName",
        arn: "TrainingJobArn",
        read: operation!("DescribeTrainingJob"),
        properties: &[
            "TrainingJobName",
            "AlgorithmSpecification",
            "RoleArn",
            "InputDataConfig",
            "OutputDataConfig",
            "ResourceConfig",
            "VpcConfig",
            "EnableNetworkIsolation",
            "EnableInterContainerTrafficEncryption",
        ],
        renamed: &[],
        always: &[
            "TrainingJobName",
            "OutputDataConfig",
            "ResourceConfig",
            "EnableNetworkIsolation",
            "EnableInterContainerTrafficEncryption",
        ],
        derived: &["TrainingJobStatus"],
        tags: Some(TAGS),
        more: no_more,
    },
    Kind {
        kind: "AWS::SageMaker::ModelCard",
        list: operation!("ListModelCards", "ModelCardSummaries"),
        id: "ModelCardName",
        arn: "ModelCardArn",
        read: operation!("DescribeModelCard"),
        properties: &["ModelCardName", "Content", "ModelCardStatus", "SecurityConfig"],
        renamed: &[],
        always: &["ModelCardName", "ModelCardStatus"],
        derived: &[],
        tags: Some(TAGS),
        more: no_more,
    },
    Kind {
        kind: "AWS::SageMaker::NotebookInstanceLifecycleConfig",
        list: operation!("ListNotebookInstanceLifecycleConfigs", "NotebookInstanceLifecycleConfigs"),
        id: "NotebookInstanceLifecycleConfigName",
        arn: "NotebookInstanceLifecycleConfigArn",
        read: operation!("DescribeNotebookInstanceLifecycleConfig"),
        properties: &["NotebookInstanceLifecycleConfigName", "OnCreate", "OnStart"],
        renamed: &[],
        always: &["NotebookInstanceLifecycleConfigName"],
        derived: &[],
        tags: Some(TAGS),
        more: decoded,
    },
    Kind {
        kind: "AWS::SageMaker::Pipeline",
        list: operation!("ListPipelines", "PipelineSummaries"),
        id: "PipelineName",
        arn: "PipelineArn",
        read: operation!("DescribePipeline"),
        properties: &["PipelineName", "RoleArn"],
        renamed: &[],
        always: &["PipelineName", "RoleArn"],
        derived: &["PipelineStatus"],
        tags: Some(TAGS),
        more: no_more,
    },
    Kind {
        kind: "AWS::SageMaker::InferenceExperiment",
        list: operation!("ListInferenceExperiments", "InferenceExperiments"),
        id: "Name",
        arn: "Arn",
        read: operation!("DescribeInferenceExperiment"),
        properties: &["Name", "RoleArn", "KmsKey", "DataStorageConfig"],
        renamed: &[],
        always: &["Name"],
        derived: &["Status"],
        tags: Some(TAGS),
        more: no_more,
    },
];

/// The policy of a group, by which other accounts get at its versions.
fn group_policy(reader: &Reader<'_>, group: &mut Item) {
    let told = match reader.json(GROUP_POLICY, &json!({"ModelPackageGroupName": group.id})) {
        Ok(told) => match told["ResourcePolicy"].as_str().and_then(|text| serde_json::from_str(text).ok()) {
            Some(policy) => Told::Is(policy),
            None => Told::Not(super::items::unreadable(GROUP_POLICY)),
        },
        // There is no code of its own for this.
        Err(error) if error.to_string().contains("Cannot find resource policy") => Told::Absent,
        Err(error) => Told::Not(error),
    };
    learn(group, "ModelPackageGroupPolicy", GROUP_POLICY, told);
}

/// How the last run of a schedule ended, and when it was: the schedule's own answer has it late.
fn last_run(reader: &Reader<'_>, schedule: &mut Item) {
    let input = json!({"MonitoringScheduleName": schedule.id, "SortBy": "ScheduledTime",
        "SortOrder": "Descending", "MaxResults": 1});
    let told = Told::by(reader.json(EXECUTIONS, &input), &[]);
    let first = |told: Value| told["MonitoringExecutionSummaries"].get(0).cloned();
    derive(schedule, "LastMonitoringExecutionSummary", EXECUTIONS, told.and(first));
}

/// The scripts of a configuration, as they are run. A script that is no text stays as it is told.
fn decoded(_: &Reader<'_>, configuration: &mut Item) {
    for name in ["OnCreate", "OnStart"] {
        let scripts = configuration.properties.get_mut(name).and_then(Value::as_array_mut);
        for content in scripts.into_iter().flatten().filter_map(|script| script.get_mut("Content")) {
            let bytes = content.as_str().map(|text| base64::engine::general_purpose::STANDARD.decode(text));
            if let Some(text) = bytes.and_then(Result::ok).and_then(|bytes| String::from_utf8(bytes).ok()) {
                *content = text.into();
            }
        }
    }
}
