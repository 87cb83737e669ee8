//! The calls of platforms, declared once, with the permissions that each needs.

use crate::operation::{
    CLOUDWATCH, Call, ECS, EKS, NEXT_TOKEN, On, Operation, Permission, Retry, SAGEMAKER, SMALL_TOKEN,
};

/// A call, and its needs. Names follow from what is in them, so that a second creation is refused by the service and found
/// out by a look: it can be tried again.
macro_rules! operation {
    ($service:path, $name:literal, $($action:literal on $on:ident),+) => {
        Operation {
            service: &$service,
            name: $name,
            retry: Retry::Safe,
            needs: &[$(Permission { action: $action, on: On::$on }),+],
            pages: None,
        }
    };
}

pub(super) const DESCRIBE_MODEL: Operation =
    operation!(SAGEMAKER, "DescribeModel", "sagemaker:DescribeModel" on Releases);
pub(super) const DESCRIBE_CONFIG: Operation =
    operation!(SAGEMAKER, "DescribeEndpointConfig", "sagemaker:DescribeEndpointConfig" on Releases);
pub(super) const DESCRIBE_ENDPOINT: Operation =
    operation!(SAGEMAKER, "DescribeEndpoint", "sagemaker:DescribeEndpoint" on Endpoint);
pub(super) const CREATE_MODEL: Operation = operation!(
    SAGEMAKER,
    "CreateModel",
    "sagemaker:CreateModel" on Releases,
    "sagemaker:AddTags" on Releases,
    "iam:PassRole" on ServingRole
);
pub(super) const CREATE_CONFIG: Operation = operation!(
    SAGEMAKER,
    "CreateEndpointConfig",
    "sagemaker:CreateEndpointConfig" on Releases,
    "sagemaker:AddTags" on Releases,
    "kms:DescribeKey" on ServingKey,
    "kms:CreateGrant" on ServingKey
);
pub(super) const CREATE_ENDPOINT: Operation = operation!(
    SAGEMAKER,
    "CreateEndpoint",
    "sagemaker:CreateEndpoint" on Endpoint,
    "sagemaker:CreateEndpoint" on Releases,
    "sagemaker:AddTags" on Endpoint
);
/// Whoever names alarms must be allowed to look at them.
pub(super) const UPDATE_ENDPOINT: Operation = operation!(
    SAGEMAKER,
    "UpdateEndpoint",
    "sagemaker:UpdateEndpoint" on Endpoint,
    "sagemaker:UpdateEndpoint" on Releases,
    "cloudwatch:DescribeAlarms" on Account
);
pub(super) const UPDATE_WEIGHTS: Operation = operation!(
    SAGEMAKER,
    "UpdateEndpointWeightsAndCapacities",
    "sagemaker:UpdateEndpointWeightsAndCapacities" on Endpoint
);
pub(super) const DESCRIBE_ALARMS: Operation =
    operation!(CLOUDWATCH, "DescribeAlarms", "cloudwatch:DescribeAlarms" on Account);
pub(super) const DELETE_ENDPOINT: Operation =
    operation!(SAGEMAKER, "DeleteEndpoint", "sagemaker:DeleteEndpoint" on Endpoint);
pub(super) const DELETE_CONFIG: Operation =
    operation!(SAGEMAKER, "DeleteEndpointConfig", "sagemaker:DeleteEndpointConfig" on Releases);
pub(super) const DELETE_MODEL: Operation =
    operation!(SAGEMAKER, "DeleteModel", "sagemaker:DeleteModel" on Releases);
pub(super) const LIST_CONFIGS: Operation =
    operation!(SAGEMAKER, "ListEndpointConfigs", "sagemaker:ListEndpointConfigs" on Account)
        .paged(NEXT_TOKEN.of("EndpointConfigs"));
pub(super) const LIST_MODELS: Operation =
    operation!(SAGEMAKER, "ListModels", "sagemaker:ListModels" on Account).paged(NEXT_TOKEN.of("Models"));
pub(super) const LIST_TAGS: Operation = operation!(SAGEMAKER, "ListTags", "sagemaker:ListTags" on Releases);

/// All of an endpoint of SageMaker.
pub(super) const OF_SAGEMAKER: [&Operation; 15] = [
    &DESCRIBE_MODEL,
    &DESCRIBE_CONFIG,
    &DESCRIBE_ENDPOINT,
    &CREATE_MODEL,
    &CREATE_CONFIG,
    &CREATE_ENDPOINT,
    &UPDATE_ENDPOINT,
    &UPDATE_WEIGHTS,
    &DESCRIBE_ALARMS,
    &DELETE_ENDPOINT,
    &DELETE_CONFIG,
    &DELETE_MODEL,
    &LIST_CONFIGS,
    &LIST_MODELS,
    &LIST_TAGS,
];

pub(super) const DESCRIBE_SERVICES: Operation =
    operation!(ECS, "DescribeServices", "ecs:DescribeServices" on Endpoint);
pub(super) const UPDATE_SERVICE: Operation = operation!(
    ECS,
    "UpdateService",
    "ecs:UpdateService" on Endpoint,
    "cloudwatch:DescribeAlarms" on Account
);
/// Task definitions cannot be narrowed to some of them.
pub(super) const DESCRIBE_TASKS: Operation =
    operation!(ECS, "DescribeTaskDefinition", "ecs:DescribeTaskDefinition" on Account);
/// A second one would be a second revision: a look says whether the first was made.
pub(super) const REGISTER_TASKS: Operation = Operation {
    retry: Retry::Unsafe,
    ..operation!(
        ECS,
        "RegisterTaskDefinition",
        "ecs:RegisterTaskDefinition" on Releases,
        "ecs:TagResource" on Releases,
        "iam:PassRole" on ServingRole
    )
};
pub(super) const DEREGISTER_TASKS: Operation =
    operation!(ECS, "DeregisterTaskDefinition", "ecs:DeregisterTaskDefinition" on Account);
pub(super) const LIST_FAMILIES: Operation =
    operation!(ECS, "ListTaskDefinitionFamilies", "ecs:ListTaskDefinitionFamilies" on Account)
        .paged(SMALL_TOKEN.of("families"));
pub(super) const LIST_TASKS: Operation =
    operation!(ECS, "ListTaskDefinitions", "ecs:ListTaskDefinitions" on Account)
        .paged(SMALL_TOKEN.of("taskDefinitionArns"));

/// All of a service of ECS.
pub(super) const OF_ECS: [&Operation; 7] = [
    &DESCRIBE_SERVICES,
    &UPDATE_SERVICE,
    &DESCRIBE_TASKS,
    &REGISTER_TASKS,
    &DEREGISTER_TASKS,
    &LIST_FAMILIES,
    &LIST_TASKS,
];

/// Where a cluster is. What may be done in it, the cluster itself says.
pub(super) const DESCRIBE_CLUSTER: &Call = &Call {
    operation: operation!(EKS, "DescribeCluster", "eks:DescribeCluster" on Cluster),
    at: "GET /clusters/{name}",
};

/// All of a Deployment in a cluster of EKS.
pub(super) const OF_EKS: [&Operation; 1] = [&DESCRIBE_CLUSTER.operation];
