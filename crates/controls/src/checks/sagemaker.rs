//! Notebooks, models, jobs, features and domains of SageMaker.

use crate::answer::{Answer, Found, Spot, all, below, find, not_applicable};
use crate::node::Node;
use crate::resource::{State, cause};
use crate::unit::{Case, Unit, part, unit};

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
        [
            "SageMaker.1",
            "CKV_AWS_122",
            "SAGEMAKER_NOTEBOOK_NO_DIRECT_INTERNET_ACCESS",
            "sagemaker_notebook_instance_without_direct_internet_access_configured"
        ],
        |case| { find(case.resource, "DirectInternetAccess").word(&["Disabled"], Some("Enabled")) }
    ),
    unit!(
        "SM-02",
        High,
        Single,
        "a notebook is in a VPC",
        [NOTEBOOK],
        [
            "SageMaker.2",
            "CKV_AWS_306",
            "SAGEMAKER_NOTEBOOK_INSTANCE_INSIDE_VPC",
            "sagemaker_notebook_instance_vpc_settings_configured"
        ],
        |case| find(case.resource, "SubnetId").present()
    ),
    unit!(
        "SM-03",
        High,
        Single,
        "users of a notebook are not root",
        [NOTEBOOK],
        [
            "SageMaker.3",
            "CKV_AWS_307",
            "SAGEMAKER_NOTEBOOK_INSTANCE_ROOT_ACCESS_CHECK",
            "sagemaker_notebook_instance_root_access_disabled"
        ],
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
    part!(
        "SM-04",
        "named",
        Medium,
        "a notebook names a key for its volume",
        [NOTEBOOK],
        [
            "CKV_AWS_22",
            "CKV_AWS_187",
            "SAGEMAKER_NOTEBOOK_INSTANCE_KMS_KEY_CONFIGURED",
            "W1201",
            "sagemaker_notebook_instance_encryption_enabled"
        ],
        |case| find(case.resource, "KmsKeyId").present()
    ),
    unit!(
        "SM-05",
        Medium,
        Single,
        "a notebook runs a supported platform and only version 2 of the metadata service",
        [NOTEBOOK],
        [],
        |case| { all([platform(case), metadata_service(case)]) }
    ),
    part!(
        "SM-05",
        "platform",
        Medium,
        "a notebook runs a supported platform",
        [NOTEBOOK],
        ["SageMaker.8", "SAGEMAKER_NOTEBOOK_INSTANCE_PLATFORM_VERSION"],
        platform
    ),
    part!(
        "SM-05",
        "imds",
        Medium,
        "a notebook has only version 2 of the metadata service",
        [NOTEBOOK],
        ["CKV_AWS_371"],
        metadata_service
    ),
    unit!(
        "SM-06",
        High,
        Single,
        "no secret stands in a model's environment or in a notebook's start script",
        [MODEL, "AWS::SageMaker::NotebookInstanceLifecycleConfig"],
        [],
        no_secrets
    ),
    unit!(
        "SM-07",
        High,
        Single,
        "a model's containers have no network",
        [MODEL],
        [
            "SageMaker.5",
            "CKV_AWS_370",
            "SAGEMAKER_MODEL_ISOLATION_ENABLED",
            "sagemaker_models_network_isolation_enabled"
        ],
        |case| { find(case.resource, "EnableNetworkIsolation").flag(true, false) }
    ),
    unit!(
        "SM-08",
        Medium,
        Single,
        "a model is in a VPC",
        [MODEL],
        ["MODEL_IN_VPC", "SAGEMAKER_MODEL_IN_VPC", "sagemaker_models_vpc_settings_configured"],
        |case| {
            all([
                find(case.resource, "VpcConfig.Subnets").present(),
                find(case.resource, "VpcConfig.SecurityGroupIds").present(),
            ])
        }
    ),
    unit!(
        "SM-09",
        Medium,
        Cross,
        "a model's images are of a private registry that scans them, and pinned by digest",
        [MODEL],
        [],
        |case| all([
            images_by(case, &pinned_image),
            images_by(case, &private_image),
            images_by(case, &|found| scanned_image(case, found)),
        ])
    ),
    part!(
        "SM-09",
        "private",
        Medium,
        "a model's images are of a private registry",
        [MODEL],
        ["SageMaker.16", "SageMaker.19", "SAGEMAKER_MODEL_PRIVATE_REGISTRY"],
        |case| { images_by(case, &private_image) }
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
        "SM-18",
        Medium,
        Single,
        "a domain stays in its VPC, has a customer key, and signs people in by the identity centre",
        ["AWS::SageMaker::Domain"],
        [],
        |case| { all([in_vpc(case), find(case.resource, "KmsKeyId").customer_key(), signed_in(case)]) }
    ),
    part!(
        "SM-18",
        "vpc",
        Medium,
        "a domain stays in its VPC",
        ["AWS::SageMaker::Domain"],
        ["DOMAIN_IN_VPC", "SAGEMAKER_DOMAIN_IN_VPC"],
        in_vpc
    ),
    part!(
        "SM-18",
        "key",
        Medium,
        "a domain has a customer key",
        ["AWS::SageMaker::Domain"],
        ["CKV_AWS_187"],
        |case| { find(case.resource, "KmsKeyId").customer_key() }
    ),
    part!(
        "SM-18",
        "sso",
        Medium,
        "a domain signs people in by the identity centre",
        ["AWS::SageMaker::Domain"],
        ["sagemaker_domain_sso_configured"],
        signed_in
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

fn platform(case: &Case<'_>) -> Answer {
    // A new notebook gets a platform that AWS supports.
    find(case.resource, "PlatformIdentifier").word(&PLATFORMS, Some(PLATFORMS[1]))
}

fn metadata_service(case: &Case<'_>) -> Answer {
    let path = "InstanceMetadataServiceConfiguration.MinimumInstanceMetadataServiceVersion";
    find(case.resource, path).word(&["2"], None)
}

fn in_vpc(case: &Case<'_>) -> Answer {
    find(case.resource, "AppNetworkAccessType").word(&["VpcOnly"], Some("PublicInternetOnly"))
}

fn signed_in(case: &Case<'_>) -> Answer {
    find(case.resource, "AuthMode").word(&["SSO"], None)
}

fn images_by(case: &Case<'_>, ask: &dyn Fn(Found<'_>) -> Answer) -> Answer {
    let containers = match containers(case) {
        Ok(containers) => containers,
        Err(answer) => return answer,
    };
    let images =
        containers.iter().map(|(spot, node)| below(spot, node, "Image")).filter(|found| !found.is_absent());
    let answers: Vec<Answer> = images.map(ask).collect();
    if answers.is_empty() { not_applicable("the model names no image itself") } else { all(answers) }
}

fn private_image(found: Found<'_>) -> Answer {
    image(found, "of a private registry of ECR", |shown, node| {
        shown.contains(".dkr.ecr.")
            || node.edges().iter().any(|edge| edge.attribute.as_deref() == Some("RepositoryUri"))
    })
}

/// Whether the repository scans, if it is in the file; what is elsewhere is not judged.
fn scanned_image(case: &Case<'_>, found: Found<'_>) -> Answer {
    let State::Known(node) = found.state else { return not_applicable("there is no image") };
    let mut repositories = node.edges().into_iter().filter_map(|edge| case.estate.named(&edge.to));
    match repositories.find(|resource| resource.kind == "AWS::ECR::Repository") {
        Some(repository) => find(repository, "ImageScanningConfiguration.ScanOnPush")
            .flag(true, false)
            .by_way_of(found.spot, &format!("the repository is `{}`", repository.id))
            .if_exists(repository, case.resource),
        None => not_applicable("the repository is not among what was read"),
    }
}

fn pinned_image(found: Found<'_>) -> Answer {
    image(found, "pinned by a digest, `@sha256:...`", |shown, _| shown.contains("@sha256:"))
}

fn image(found: Found<'_>, wanted: &str, is: impl Fn(&str, &Node) -> bool) -> Answer {
    let node = match found.state {
        State::Known(node) => node,
        State::Unknown(cause) => return found.spot.unknown(cause),
        State::Absent => return not_applicable("there is no image"),
    };
    let shown = node.shown();
    match (is(&shown, node), node.hole().is_some()) {
        (true, _) => found.spot.holds(format!("`{shown}` is {wanted}")),
        (false, true) => found.spot.unknown(cause(node)),
        (false, false) => found.spot.broken(format!("`{shown}` is not {wanted}")),
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

pub(super) fn setting(spot: Spot<'_>, name: &str, value: &Node) -> Answer {
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
