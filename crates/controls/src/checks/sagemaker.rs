//! Notebooks, models, jobs, features and domains of SageMaker.

use crate::answer::{Answer, Found, Spot, all, below, find, not_applicable};
use crate::node::Node;
use crate::resource::{State, cause};
use crate::unit::{Case, Unit, unit};

const NOTEBOOK: &str = "AWS::SageMaker::NotebookInstance";
const MODEL: &str = "AWS::SageMaker::Model";
pub(super) const JOBS: [&str; 4] = [
    "AWS::SageMaker::DataQualityJobDefinition",
    "AWS::SageMaker::ModelQualityJobDefinition",
    "AWS::SageMaker::ModelBiasJobDefinition",
    "AWS::SageMaker::ModelExplainabilityJobDefinition",
];
const PLATFORMS: [&str; 3] = ["notebook-al2-v2", "notebook-al2-v3", "notebook-al2023-v1"];

pub(crate) const UNITS: &[Unit] = &[
    unit!(
        "SM-01",
        High,
        Single,
        "a notebook has no direct way to the internet",
        [NOTEBOOK],
        ["SageMaker.1"],
        |case| { find(case.resource, "DirectInternetAccess").word(&["Disabled"], Some("Enabled")) }
    ),
    unit!("SM-02", High, Single, "a notebook is in a VPC", [NOTEBOOK], ["SageMaker.2"], |case| find(
        case.resource,
        "SubnetId"
    )
    .present()),
    unit!(
        "SM-03",
        High,
        Single,
        "users of a notebook are not root",
        [NOTEBOOK],
        ["SageMaker.3", "sagemaker_notebook_instance_root_access_disabled"],
        |case| { find(case.resource, "RootAccess").word(&["Disabled"], Some("Enabled")) }
    ),
    unit!(
        "SM-04",
        Medium,
        Single,
        "a notebook's volume is encrypted with a customer key",
        [NOTEBOOK],
        ["SageMaker.21"],
        |case| find(case.resource, "KmsKeyId").customer_key()
    ),
    unit!(
        "SM-05",
        Medium,
        Single,
        "a notebook runs a supported platform and only version 2 of the metadata service",
        [NOTEBOOK],
        ["SageMaker.8", "CKV_AWS_371"],
        |case| {
            all([
                // A new notebook gets a platform that AWS supports.
                find(case.resource, "PlatformIdentifier").word(&PLATFORMS, Some(PLATFORMS[1])),
                find(
                    case.resource,
                    "InstanceMetadataServiceConfiguration.MinimumInstanceMetadataServiceVersion",
                )
                .word(&["2"], None),
            ])
        }
    ),
    unit!(
        "SM-06",
        High,
        Single,
        "no secret stands in a model's environment or in a notebook's start script",
        [MODEL, "AWS::SageMaker::NotebookInstanceLifecycleConfig"],
        ["no_secrets"],
        no_secrets
    ),
    unit!("SM-07", High, Single, "a model's containers have no network", [MODEL], ["SageMaker.5"], |case| {
        find(case.resource, "EnableNetworkIsolation").flag(true, false)
    }),
    unit!("SM-08", Medium, Single, "a model is in a VPC", [MODEL], ["MODEL_IN_VPC"], |case| {
        all([
            find(case.resource, "VpcConfig.Subnets").present(),
            find(case.resource, "VpcConfig.SecurityGroupIds").present(),
        ])
    }),
    unit!(
        "SM-09",
        Medium,
        Single,
        "a model's images are of a private registry and pinned by digest",
        [MODEL],
        ["SageMaker.16", "SageMaker.19"],
        pinned_images
    ),
    unit!(
        "SM-14",
        High,
        Single,
        "a processing job has no network, encrypts its traffic, and its volume with a customer key",
        ["AWS::SageMaker::ProcessingJob"],
        [],
        |case| {
            all([
                find(case.resource, "NetworkConfig.EnableNetworkIsolation").flag(true, false),
                find(case.resource, "NetworkConfig.EnableInterContainerTrafficEncryption").flag(true, false),
                find(case.resource, "ProcessingResources.ClusterConfig.VolumeKmsKeyId").customer_key(),
            ])
        }
    ),
    unit!(
        "SM-15",
        Medium,
        Single,
        "a feature group's stores are encrypted with a customer key",
        ["AWS::SageMaker::FeatureGroup"],
        ["SageMaker.17", "SageMaker.18"],
        feature_stores
    ),
    unit!(
        "SM-17",
        High,
        Single,
        "a monitoring job has no network and encrypts its traffic and its volume",
        JOBS,
        [
            "SageMaker.9",
            "SageMaker.10",
            "SageMaker.11",
            "SageMaker.12",
            "SageMaker.13",
            "SageMaker.15",
            "SageMaker.20",
            "SageMaker.25"
        ],
        |case| {
            all([
                find(case.resource, "NetworkConfig.EnableNetworkIsolation").flag(true, false),
                find(case.resource, "NetworkConfig.EnableInterContainerTrafficEncryption").flag(true, false),
                find(case.resource, "JobResources.ClusterConfig.VolumeKmsKeyId").customer_key(),
            ])
        }
    ),
    unit!(
        "SM-18",
        Medium,
        Single,
        "a domain stays in its VPC, has a customer key, and signs people in by the identity centre",
        ["AWS::SageMaker::Domain"],
        ["DOMAIN_IN_VPC"],
        |case| {
            all([
                find(case.resource, "AppNetworkAccessType").word(&["VpcOnly"], Some("PublicInternetOnly")),
                find(case.resource, "KmsKeyId").customer_key(),
                find(case.resource, "AuthMode").word(&["SSO"], None),
            ])
        }
    ),
];

/// The containers of a model, whichever way they are written.
pub(super) fn containers<'a>(case: &Case<'a>) -> Result<Vec<(Spot<'a>, &'a Node)>, Answer> {
    model_containers(case.resource)
}

/// The containers of a model, or why they are not known.
pub(super) fn model_containers(model: &crate::resource::Resource) -> Result<Vec<(Spot<'_>, &Node)>, Answer> {
    let mut all = Vec::new();
    for path in ["PrimaryContainer", "Containers"] {
        let found = find(model, path);
        match &found.state {
            State::Known(node) if path == "PrimaryContainer" => all.push((found.spot, *node)),
            State::Known(_) => all.extend(found.items()),
            State::Unknown(cause) => return Err(found.spot.clone().unknown(cause.clone())),
            State::Absent => {}
        }
    }
    Ok(all)
}

fn pinned_images(case: &Case<'_>) -> Answer {
    let containers = match containers(case) {
        Ok(containers) => containers,
        Err(answer) => return answer,
    };
    let images =
        containers.iter().map(|(spot, node)| below(spot, node, "Image")).filter(|found| !found.is_absent());
    let answers: Vec<Answer> = images.map(image).collect();
    if answers.is_empty() { not_applicable("the model names no image itself") } else { all(answers) }
}

fn image(found: Found<'_>) -> Answer {
    let node = match found.state {
        State::Known(node) => node,
        State::Unknown(cause) => return found.spot.unknown(cause),
        State::Absent => return not_applicable("there is no image"),
    };
    let shown = node.shown();
    let hole = node.hole().is_some();
    let private = shown.contains(".dkr.ecr.")
        || node.edges().iter().any(|edge| edge.attribute.as_deref() == Some("RepositoryUri"));
    let pinned = shown.contains("@sha256:");
    match (private, pinned) {
        (true, true) => found.spot.holds(format!("`{shown}` is pinned in a private registry")),
        _ if hole => found.spot.unknown(cause(node)),
        (false, _) => found.spot.broken(format!("`{shown}` is not of a private registry of ECR")),
        (true, false) => found.spot.broken(format!("`{shown}` is not pinned by a digest, `@sha256:...`")),
    }
}

fn feature_stores(case: &Case<'_>) -> Answer {
    let stores = [
        ("OnlineStoreConfig", "SecurityConfig.KmsKeyId"),
        ("OfflineStoreConfig", "S3StorageConfig.KmsKeyId"),
    ];
    let mut answers = Vec::new();
    for (store, key) in stores {
        let found = find(case.resource, store);
        match &found.state {
            State::Absent => {}
            State::Unknown(cause) => answers.push(found.spot.clone().unknown(cause.clone())),
            State::Known(_) => answers.push(find(case.resource, &format!("{store}.{key}")).customer_key()),
        }
    }
    if answers.is_empty() { not_applicable("the group has no store") } else { all(answers) }
}

/// Words in the name of a setting whose value is a secret.
const SECRET_NAMES: [&str; 8] =
    ["PASSWORD", "PASSWD", "SECRET", "TOKEN", "API_KEY", "APIKEY", "ACCESS_KEY", "PRIVATE_KEY"];

fn no_secrets(case: &Case<'_>) -> Answer {
    if case.resource.kind != MODEL {
        return all(["OnCreate", "OnStart"].map(|path| scripts(&find(case.resource, path))));
    }
    let containers = match containers(case) {
        Ok(containers) => containers,
        Err(answer) => return answer,
    };
    let environments = containers.iter().map(|(spot, node)| {
        let found = below(spot, node, "Environment");
        match found.state {
            State::Absent => found.spot.holds("there is no environment"),
            State::Unknown(cause) => found.spot.unknown(cause),
            State::Known(map) => all(map.members().iter().map(|member| {
                let spot = Spot {
                    path: format!("{}.{}", found.spot.path, member.key),
                    at: member.at,
                    ..found.spot.clone()
                };
                setting(spot, &member.key, &member.node)
            })),
        }
    });
    all(environments)
}

fn setting(spot: Spot<'_>, name: &str, value: &Node) -> Answer {
    let named = SECRET_NAMES.iter().any(|word| name.to_uppercase().contains(word));
    match value.text() {
        Some(text) if text.starts_with("{{resolve:") || text.starts_with("arn:") => {
            spot.holds("it is a reference to where the secret is kept")
        }
        Some(text) if holds_secret(text) => spot.broken("the value is a key of an account or a private key"),
        Some(text) if named && !text.is_empty() => spot.broken(format!("`{name}` stands here in the clear")),
        Some(_) => spot.holds("it looks like no secret"),
        None if !named && value.hole().is_none() => spot.holds("it looks like no secret"),
        None if value.hole().is_none() => spot.holds("it is a reference to another resource"),
        None => spot.unknown(cause(value)),
    }
}

fn scripts(found: &Found<'_>) -> Answer {
    let answers: Vec<Answer> = match &found.state {
        State::Absent => return not_applicable("there is no script"),
        State::Unknown(cause) => return found.spot.clone().unknown(cause.clone()),
        State::Known(_) => found.items().into_iter().map(|(spot, item)| {
            let script = below(&spot, item, "Content");
            match script.state {
                State::Known(node) => match node.text() {
                    Some(text) if holds_secret(text) => {
                        script.spot.broken("the script holds a key of an account or a private key")
                    }
                    Some(text) if is_encoded(text) => script
                        .spot
                        .unknown("the script is encoded; write it with `Fn::Base64`, so that it can be read"),
                    Some(_) => script.spot.holds("the script looks free of secrets"),
                    None => script.spot.unknown(cause(node)),
                },
                State::Unknown(cause) => script.spot.unknown(cause),
                State::Absent => script.spot.holds("the script is empty"),
            }
        }),
    }
    .collect();
    all(answers)
}

fn is_encoded(text: &str) -> bool {
    let text = text.trim();
    text.len() > 16
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=' | b'\n'))
}

/// An access key id of AWS, or a private key in PEM.
fn holds_secret(text: &str) -> bool {
    let key_id = |at: usize| {
        let rest = text.get(at + 4..at + 20).unwrap_or_default();
        rest.len() == 16 && rest.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    };
    text.match_indices("AKIA").chain(text.match_indices("ASIA")).any(|(at, _)| key_id(at))
        || (text.contains("-----BEGIN ") && text.contains("PRIVATE KEY-----"))
}
