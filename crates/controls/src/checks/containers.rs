//! Containers beside SageMaker: task definitions and services of ECS, clusters of EKS, repositories of ECR.

use crate::answer::{Answer, Spot, all, below, find, not_applicable};
use crate::node::Node;
use crate::policies::{policy, public};
use crate::resource::{State, cause};
use crate::unit::{Case, Unit, part, unit};
use std::sync::LazyLock;

const TASK: &str = "AWS::ECS::TaskDefinition";
const SERVICE: &str = "AWS::ECS::Service";
const CLUSTER: &str = "AWS::EKS::Cluster";
const REPOSITORY: &str = "AWS::ECR::Repository";
const LOGS: [&str; 5] = ["api", "audit", "authenticator", "controllerManager", "scheduler"];

/// The oldest minor version of Kubernetes that EKS supports without extra charge; with its source in the data file.
static OLDEST: LazyLock<Option<u64>> = LazyLock::new(|| {
    let data: serde_json::Value = serde_json::from_str(include_str!("../../data/thresholds.json")).ok()?;
    data.get("eks_oldest_minor_version")?.get("value")?.as_u64()
});

pub(crate) const UNITS: &[Unit] = &[
    unit!(
        "CTR-01",
        High,
        Single,
        "a task runs as a user of its own, unprivileged, read-only and apart from its host",
        [TASK],
        [],
        |case| all([
            as_user(case),
            unprivileged(case),
            read_only(case),
            own_processes(case),
            own_network(case)
        ])
    ),
    part!(
        "CTR-01",
        "user",
        Medium,
        "a task's containers do not run as root",
        [TASK],
        ["ECS.20", "ECS_TASK_DEFINITION_NONROOT_USER"],
        as_user
    ),
    part!(
        "CTR-01",
        "privileged",
        High,
        "a task's containers are unprivileged",
        [TASK],
        [
            "ECS.4",
            "CKV_AWS_334",
            "ECS_CONTAINERS_NONPRIVILEGED",
            "ecs_task_definitions_no_privileged_containers"
        ],
        unprivileged
    ),
    part!(
        "CTR-01",
        "read-only",
        High,
        "a task's containers cannot write to their own files",
        [TASK],
        [
            "ECS.5",
            "CKV_AWS_336",
            "ECS_CONTAINERS_READONLY_ACCESS",
            "ecs_task_definitions_containers_readonly_access"
        ],
        read_only
    ),
    part!(
        "CTR-01",
        "processes",
        High,
        "a task does not share the processes of its host",
        [TASK],
        [
            "ECS.3",
            "CKV_AWS_335",
            "ECS_TASK_DEFINITION_PID_MODE_CHECK",
            "ecs_task_definitions_host_namespace_not_shared"
        ],
        own_processes
    ),
    part!(
        "CTR-01",
        "network",
        Medium,
        "a task does not share the network of its host",
        [TASK],
        ["ECS.17", "ECS_TASK_DEFINITION_NETWORK_MODE_NOT_HOST"],
        own_network
    ),
    part!(
        "CTR-01",
        "host",
        High,
        "a task in the network of its host has users of its own, or says that it is privileged",
        [TASK],
        ["ECS.1", "ECS_TASK_DEFINITION_USER_FOR_HOST_MODE_CHECK"],
        |case| {
            let apart = own_network(case);
            if apart.is_holds() {
                return not_applicable("the task has a network of its own");
            }
            let as_user = each(case, |spot, container| {
                let declared = below(spot, container, "Privileged").flag(true, false);
                if declared.is_holds() { declared } else { user(spot, container) }
            });
            if apart.is_broken() { as_user } else { all([apart, as_user]) }
        }
    ),
    unit!(
        "CTR-02",
        High,
        Single,
        "a task has no secret in its environment, and its containers write logs",
        [TASK],
        [],
        |case| all([no_secrets(case), logged(case)])
    ),
    part!(
        "CTR-02",
        "secrets",
        High,
        "a task has no secret in its environment",
        [TASK],
        [
            "ECS.8",
            "ECS_NO_ENVIRONMENT_SECRETS",
            "AVD-AWS-0036",
            "ecs_task_definitions_no_environment_secrets"
        ],
        no_secrets
    ),
    part!(
        "CTR-02",
        "logs",
        High,
        "a task's containers write logs",
        [TASK],
        ["ECS.9", "ECS_TASK_DEFINITION_LOG_CONFIGURATION", "ecs_task_definitions_logging_enabled"],
        logged
    ),
    unit!(
        "CTR-03",
        High,
        Single,
        "a service gets no public address",
        [SERVICE],
        ["ECS.2", "CKV_AWS_333", "ecs_service_no_assign_public_ip"],
        |case| {
            find(case.resource, "NetworkConfiguration.AwsvpcConfiguration.AssignPublicIp")
                .word(&["DISABLED"], Some("DISABLED"))
        }
    ),
    unit!(
        "CTR-04",
        High,
        Single,
        "a cluster has a private endpoint, a key for secrets, all logs and a supported version",
        [CLUSTER],
        [],
        |case| all([private_endpoint(case), secrets_key(case), all_logs(case), supported(case)])
    ),
    part!(
        "CTR-04",
        "endpoint",
        High,
        "a cluster's endpoint is private",
        [CLUSTER],
        [
            "EKS.1",
            "CKV_AWS_39",
            "AVD-AWS-0040",
            "EKS_ENDPOINT_NO_PUBLIC_ACCESS",
            "eks_cluster_not_publicly_accessible"
        ],
        private_endpoint
    ),
    part!(
        "CTR-04",
        "everybody",
        High,
        "a cluster's endpoint is not open to every address",
        [CLUSTER],
        ["CKV_AWS_38", "AVD-AWS-0041"],
        not_everybody
    ),
    part!(
        "CTR-04",
        "secrets",
        Medium,
        "a cluster encrypts its secrets with a key of KMS",
        [CLUSTER],
        [
            "EKS.3",
            "CKV_AWS_58",
            "AVD-AWS-0039",
            "EKS_SECRETS_ENCRYPTED",
            "EKS_CLUSTER_SECRETS_ENCRYPTED",
            "eks_cluster_kms_cmk_encryption_in_secrets_enabled"
        ],
        secrets_key
    ),
    part!(
        "CTR-04",
        "logs",
        Medium,
        "a cluster writes all five kinds of logs",
        [CLUSTER],
        ["CKV_AWS_37", "AVD-AWS-0038", "eks_control_plane_logging_all_types_enabled"],
        all_logs
    ),
    part!(
        "CTR-04",
        "audit",
        Medium,
        "a cluster writes its audit log",
        [CLUSTER],
        ["EKS.8", "EKS_CLUSTER_LOGGING_ENABLED"],
        |case| { logs(case, &["audit"]) }
    ),
    part!(
        "CTR-04",
        "version",
        High,
        "a cluster runs a supported version",
        [CLUSTER],
        ["EKS.2", "CKV_AWS_339", "EKS_CLUSTER_SUPPORTED_VERSION", "eks_cluster_uses_a_supported_version"],
        supported
    ),
    unit!(
        "CTR-05",
        Medium,
        Single,
        "a repository of images scans, fixes its tags, and has a customer key",
        [REPOSITORY],
        [],
        |case| {
            all([
                scans(case),
                fixed_tags(case),
                by_kms(case),
                find(case.resource, "EncryptionConfiguration.KmsKey").customer_key(),
            ])
        }
    ),
    part!(
        "CTR-05",
        "scan",
        Medium,
        "a repository scans images",
        [REPOSITORY],
        [
            "ECR.1",
            "CKV_AWS_163",
            "AVD-AWS-0030",
            "ECR_PRIVATE_IMAGE_SCANNING_ENABLED",
            "W79",
            "ecr_repositories_scan_images_on_push_enabled"
        ],
        scans
    ),
    part!(
        "CTR-05",
        "tags",
        Medium,
        "a repository fixes its tags",
        [REPOSITORY],
        [
            "ECR.2",
            "CKV_AWS_51",
            "AVD-AWS-0031",
            "ECR_PRIVATE_TAG_IMMUTABILITY_ENABLED",
            "ecr_repositories_tag_immutability"
        ],
        fixed_tags
    ),
    part!("CTR-05", "kms", Medium, "a repository is encrypted by KMS", [REPOSITORY], ["CKV_AWS_136"], by_kms),
    part!(
        "CTR-05",
        "key",
        Medium,
        "a repository has a customer key",
        [REPOSITORY],
        ["ECR.5", "AVD-AWS-0033", "ECR_REPOSITORY_CMK_ENCRYPTION_ENABLED"],
        |case| { find(case.resource, "EncryptionConfiguration.KmsKey").customer_key() }
    ),
    part!(
        "CTR-05",
        "policy",
        High,
        "nobody outside gets at a repository by its policy",
        [REPOSITORY],
        ["CKV_AWS_32", "AVD-AWS-0032", "ecr_repositories_not_publicly_accessible"],
        |case| {
            let found = find(case.resource, "RepositoryPolicyText");
            match &found.state {
                State::Absent => found.spot.holds("without a policy of its own, only its account has access"),
                State::Unknown(missing) => found.spot.clone().unknown(missing.clone()),
                State::Known(node) => match policy(case, node) {
                    Ok(policy) => public(found.spot, &policy, false),
                    Err(missing) => found.spot.unknown(missing),
                },
            }
        }
    ),
];

/// Asks each container of a task.
fn each(case: &Case<'_>, ask: impl Fn(&Spot<'_>, &Node) -> Answer) -> Answer {
    let containers = find(case.resource, "ContainerDefinitions");
    if let Some(missing) = containers.missing() {
        return containers.spot.unknown(missing);
    }
    let items = containers.items();
    if items.is_empty() {
        return not_applicable("the task has no container");
    }
    all(items.iter().map(|(spot, item)| match item.hole() {
        Some(_) => spot.clone().unknown(cause(item)),
        None => ask(spot, item),
    }))
}

fn as_user(case: &Case<'_>) -> Answer {
    each(case, user)
}

fn user(spot: &Spot<'_>, container: &Node) -> Answer {
    let found = below(spot, container, "User");
    match &found.state {
        State::Absent => found.spot.broken("`User` is absent, which may mean root"),
        State::Unknown(missing) => found.spot.clone().unknown(missing.clone()),
        State::Known(node) => match node.text().map(|text| text.split(':').next().unwrap_or(text)) {
            Some("root" | "0" | "") => found.spot.clone().broken("`User` is root"),
            Some(user) => found.spot.clone().holds(format!("`User` is `{user}`")),
            None => found.spot.clone().unknown(cause(node)),
        },
    }
}

fn unprivileged(case: &Case<'_>) -> Answer {
    each(case, |spot, container| below(spot, container, "Privileged").flag(false, false))
}

fn read_only(case: &Case<'_>) -> Answer {
    each(case, |spot, container| below(spot, container, "ReadonlyRootFilesystem").flag(true, false))
}

fn own_processes(case: &Case<'_>) -> Answer {
    find(case.resource, "PidMode").word(&["task"], Some("task"))
}

fn own_network(case: &Case<'_>) -> Answer {
    find(case.resource, "NetworkMode").word(&["awsvpc", "bridge", "none"], Some("bridge"))
}

fn logged(case: &Case<'_>) -> Answer {
    each(case, |spot, container| below(spot, container, "LogConfiguration.LogDriver").present())
}

fn no_secrets(case: &Case<'_>) -> Answer {
    each(case, |spot, container| {
        let environment = below(spot, container, "Environment");
        if let Some(missing) = environment.missing() {
            return environment.spot.unknown(missing);
        }
        let items = environment.items();
        if items.is_empty() {
            return environment.spot.holds("there is no environment");
        }
        all(items.into_iter().map(|(spot, item)| match (item.get("Name"), item.get("Value")) {
            (Some(name), Some(value)) => super::sagemaker::setting(spot, &name.shown(), value),
            _ => spot.unknown(cause(item)),
        }))
    })
}

fn private_endpoint(case: &Case<'_>) -> Answer {
    find(case.resource, "ResourcesVpcConfig.EndpointPublicAccess").flag(false, true)
}

fn not_everybody(case: &Case<'_>) -> Answer {
    let private = private_endpoint(case);
    if private.is_holds() {
        return private;
    }
    let from = find(case.resource, "ResourcesVpcConfig.PublicAccessCidrs");
    let everybody = |node: &Node| matches!(node.text(), Some("0.0.0.0/0" | "::/0"));
    match &from.state {
        State::Unknown(missing) => from.spot.clone().unknown(missing.clone()),
        State::Absent => from.spot.broken("`PublicAccessCidrs` is absent, which means every address"),
        State::Known(node) if node.items().iter().any(everybody) => {
            from.spot.clone().broken("`PublicAccessCidrs` has every address")
        }
        State::Known(node) => match node.any_hole() {
            Some(hole) => from.spot.clone().unknown(hole.cause.clone()),
            None => from.spot.clone().holds("`PublicAccessCidrs` names who may come"),
        },
    }
}

fn secrets_key(case: &Case<'_>) -> Answer {
    let found = find(case.resource, "EncryptionConfig");
    if let Some(missing) = found.missing() {
        return found.spot.unknown(missing);
    }
    let items = found.items();
    if items.is_empty() {
        return found.spot.broken("`EncryptionConfig` is absent, so secrets have no key of yours");
    }
    all(items.iter().map(|(spot, item)| {
        let resources = below(spot, item, "Resources");
        let named = match &resources.state {
            State::Known(node) if node.items().iter().any(|item| item.text() == Some("secrets")) => {
                resources.spot.clone().holds("`Resources` has `secrets`")
            }
            State::Unknown(missing) => resources.spot.clone().unknown(missing.clone()),
            _ => resources.spot.clone().broken("`Resources` has no `secrets`"),
        };
        all([named, below(spot, item, "Provider.KeyArn").customer_key()])
    }))
}

fn all_logs(case: &Case<'_>) -> Answer {
    logs(case, &LOGS)
}

fn logs(case: &Case<'_>, wanted: &[&str]) -> Answer {
    let found = find(case.resource, "Logging.ClusterLogging.EnabledTypes");
    if let Some(missing) = found.missing() {
        return found.spot.unknown(missing);
    }
    let items = found.items();
    let is_there =
        |kind: &&str| items.iter().any(|(_, item)| item.get("Type").unwrap_or(item).text() == Some(*kind));
    let without: Vec<String> =
        wanted.iter().filter(|kind| !is_there(kind)).map(|kind| format!("`{kind}`")).collect();
    let hole = items.iter().find_map(|(_, item)| item.any_hole());
    match (without.is_empty(), hole) {
        (true, _) => found.spot.holds("all logs that are wanted are written"),
        (false, Some(hole)) => found.spot.unknown(hole.cause.clone()),
        (false, None) => found.spot.broken(format!("the logs {} are not written", without.join(", "))),
    }
}

fn supported(case: &Case<'_>) -> Answer {
    let found = find(case.resource, "Version");
    let Some(oldest) = *OLDEST else { return found.spot.unknown("which versions are supported") };
    match &found.state {
        State::Absent => found.spot.holds("EKS takes its newest version by default"),
        State::Unknown(missing) => found.spot.clone().unknown(missing.clone()),
        State::Known(node) => {
            let text = node.text().unwrap_or_default();
            match text.strip_prefix("1.").and_then(|minor| minor.parse::<u64>().ok()) {
                Some(minor) if minor >= oldest => found.spot.clone().holds(format!("`{text}` is supported")),
                Some(_) => found.spot.clone().broken(format!("`{text}` is older than `1.{oldest}`")),
                None => found.spot.clone().unknown(cause(node)),
            }
        }
    }
}

fn scans(case: &Case<'_>) -> Answer {
    find(case.resource, "ImageScanningConfiguration.ScanOnPush").flag(true, false)
}

fn fixed_tags(case: &Case<'_>) -> Answer {
    find(case.resource, "ImageTagMutability").word(&["IMMUTABLE"], Some("MUTABLE"))
}

fn by_kms(case: &Case<'_>) -> Answer {
    find(case.resource, "EncryptionConfiguration.EncryptionType").word(&["KMS", "KMS_DSSE"], Some("AES256"))
}
