//! Where a model serves, as a charter says it: on the house's own gateway if nothing is said, else in a folder that a
//! server of one's own reads, on an endpoint of Amazon SageMaker, in a service of Amazon ECS, or in a cluster of Amazon EKS.
//!
//! Source of limits: Amazon SageMaker API Reference (CreateEndpointConfig, UpdateEndpoint, BlueGreenUpdatePolicy), Amazon
//! ECS API Reference (RegisterTaskDefinition), Kubernetes API conventions.

use crate::Arn;
use crate::name::{SLUG, is_slug, name};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where an endpoint serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ServeOn {
    /// In a folder, for a model server of one's own that reads `current/`.
    Directory(Directory),
    /// On an endpoint of Amazon SageMaker, of the endpoint's name.
    Sagemaker(Box<SageMaker>),
    /// In a service of Amazon ECS on Fargate, of the endpoint's name.
    Ecs(Box<Ecs>),
    /// In a Deployment of a cluster of Amazon EKS, of the endpoint's name.
    Eks(Box<Eks>),
}

/// A folder that a model server reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Directory {
    /// The folder, from that of the charter if it is relative. `current` in it leads to the files of the version that serves.
    pub path: String,
    /// How traffic goes over to a new version: all at once, or by weights, which are in `weights.json` beside `current`.
    #[serde(default, skip_serializing_if = "is_at_once")]
    pub traffic: Traffic,
}

/// An endpoint of Amazon SageMaker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SageMaker {
    /// The image of the container, by its digest.
    pub image: ContainerImage,
    /// The instances: `ml.m5.large`.
    pub instance_type: InstanceType,
    /// How many.
    #[serde(default = "one")]
    pub instances: u32,
    /// The role that SageMaker takes to read the artefact and to write captured traffic.
    pub role: Arn,
    /// The subnets of the endpoint.
    pub subnets: Vec<SubnetId>,
    /// The security groups of the endpoint.
    pub security_groups: Vec<SecurityGroupId>,
    /// Where artefacts are put for it: `s3://BUCKET/PREFIX/`.
    pub artefacts: S3Place,
    /// Where it writes captured traffic: `s3://BUCKET/PREFIX/`.
    pub capture: S3Place,
    /// The key of KMS that encrypts artefacts, volumes and captured traffic.
    pub key: Arn,
    /// CloudWatch alarms that take an update back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alarms: Vec<AlarmName>,
    /// How traffic goes over to a new version.
    #[serde(default)]
    pub traffic: Traffic,
    /// How long the instances of the former version are kept after all traffic has gone over, in minutes.
    #[serde(default = "ten")]
    pub termination_wait_minutes: u32,
    /// How long an update may take, in minutes.
    #[serde(default = "sixty")]
    pub time_limit_minutes: u32,
}

/// A service of Amazon ECS on Fargate. It exists: its network, its load balancer and its scaling are not changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ecs {
    /// The cluster, by its name.
    pub cluster: ClusterName,
    /// The image of the container, by its digest.
    pub image: ContainerImage,
    /// The role that ECS takes to start the task.
    pub execution_role: Arn,
    /// The role that the container takes: it reads the artefact.
    pub task_role: Arn,
    /// CPU units of a task: 1024 are one processor.
    pub cpu: u32,
    /// Memory of a task, in MiB.
    pub memory: u32,
    /// How many tasks.
    #[serde(default = "one")]
    pub tasks: u32,
    /// The port of `/ping` and `/invocations`.
    #[serde(default = "http")]
    pub port: u16,
    /// Where artefacts are put for it: `s3://BUCKET/PREFIX/`.
    pub artefacts: S3Place,
    /// The key of KMS that encrypts artefacts.
    pub key: Arn,
    /// The group of CloudWatch Logs for what the container prints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_group: Option<LogGroup>,
    /// CloudWatch alarms that take an update back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alarms: Vec<AlarmName>,
    /// How long an update may take, in minutes.
    #[serde(default = "sixty")]
    pub time_limit_minutes: u32,
}

/// A Deployment in a cluster of Amazon EKS, with a Service and a NetworkPolicy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Eks {
    /// The cluster, by its name.
    pub cluster: ClusterName,
    /// The namespace, which exists.
    pub namespace: DnsLabel,
    /// The image of the container, by its digest.
    pub image: ContainerImage,
    /// The service account of the pods, which may read the artefact (EKS Pod Identity or a role of the account).
    pub service_account: DnsLabel,
    /// How many pods.
    #[serde(default = "one")]
    pub replicas: u32,
    /// Processors of a pod, in thousandths.
    pub cpu_millis: u32,
    /// Memory of a pod, in MiB.
    pub memory: u32,
    /// The port of `/ping` and `/invocations`.
    #[serde(default = "http")]
    pub port: u16,
    /// Where artefacts are put for it: `s3://BUCKET/PREFIX/`.
    pub artefacts: S3Place,
    /// The key of KMS that encrypts artefacts.
    pub key: Arn,
    /// The namespaces from which it may be called; nobody else reaches the pods.
    pub clients: Vec<DnsLabel>,
    /// How long an update may take, in minutes.
    #[serde(default = "sixty")]
    pub time_limit_minutes: u32,
}

/// How traffic goes over to a new version.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Traffic {
    /// All of it, once the new instances are well.
    #[default]
    AllAtOnce,
    /// A part first, the rest after a while.
    Canary(Step),
    /// In equal parts, with a while between them.
    Linear(Step),
    /// In equal parts by weights of two versions that serve beside each other; a part follows once the house has looked at the
    /// alarms for a while.
    Weights(Step),
}

fn is_at_once(traffic: &Traffic) -> bool {
    *traffic == Traffic::AllAtOnce
}

/// A part of the traffic, and a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// How much, in per cent of the capacity.
    pub percent: u32,
    /// How long it is watched before more follows, in minutes.
    pub minutes: u32,
}

fn one() -> u32 {
    1
}

fn ten() -> u32 {
    10
}

fn sixty() -> u32 {
    60
}

fn http() -> u16 {
    8080
}

impl ServeOn {
    /// What people call it.
    pub fn platform(&self) -> &'static str {
        match self {
            Self::Directory(_) => "a directory",
            Self::Sagemaker(_) => "SageMaker",
            Self::Ecs(_) => "ECS",
            Self::Eks(_) => "EKS",
        }
    }

    /// The parts in which traffic goes over by weights, if it does.
    pub fn weights(&self) -> Option<Step> {
        let traffic = match self {
            Self::Directory(on) => on.traffic,
            Self::Sagemaker(on) => on.traffic,
            Self::Ecs(_) | Self::Eks(_) => Traffic::AllAtOnce,
        };
        if let Traffic::Weights(step) = traffic { Some(step) } else { None }
    }

    /// How long an update may take, in seconds.
    pub fn time_limit_seconds(&self) -> u64 {
        let minutes = match self {
            Self::Directory(_) => 1,
            Self::Sagemaker(on) => on.time_limit_minutes,
            Self::Ecs(on) => on.time_limit_minutes,
            Self::Eks(on) => on.time_limit_minutes,
        };
        u64::from(minutes) * 60
    }

    /// The same without what says how it is updated: what is left makes a release what it is.
    #[must_use]
    pub fn settled(&self) -> Self {
        let mut on = self.clone();
        match &mut on {
            Self::Directory(on) => on.traffic = Traffic::AllAtOnce,
            Self::Sagemaker(on) => {
                on.alarms.clear();
                on.traffic = Traffic::AllAtOnce;
                (on.termination_wait_minutes, on.time_limit_minutes) = (0, 0);
            }
            Self::Ecs(on) => {
                on.alarms.clear();
                (on.tasks, on.time_limit_minutes) = (0, 0);
            }
            Self::Eks(on) => on.time_limit_minutes = 0,
        }
        on
    }
}

impl S3Place {
    /// The bucket.
    pub fn bucket(&self) -> &str {
        self.parts().0
    }

    /// What all names begin with: empty, or ending in a slash.
    pub fn prefix(&self) -> &str {
        self.parts().1
    }

    fn parts(&self) -> (&str, &str) {
        self.as_str().trim_start_matches("s3://").split_once('/').unwrap_or_default()
    }
}

impl ContainerImage {
    /// The digest: `sha256:` and 64 hexadecimal digits.
    pub fn digest(&self) -> &str {
        self.as_str().split_once('@').map_or("", |(_, digest)| digest)
    }
}

fn is_lower(text: &str, beside: &[u8]) -> bool {
    text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || beside.contains(&b))
}

fn is_image(text: &str) -> bool {
    let Some((name, digest)) = text.split_once("@sha256:") else { return false };
    let hex = |b: u8| b.is_ascii_digit() || matches!(b, b'a'..=b'f');
    (1..=184).contains(&name.len())
        && is_lower(name, b".:/_-")
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && digest.len() == 64
        && digest.bytes().all(hex)
}

fn is_place(text: &str) -> bool {
    let Some((bucket, prefix)) = text.strip_prefix("s3://").and_then(|rest| rest.split_once('/')) else {
        return false;
    };
    let ends = |text: &str| text.starts_with(alphanumeric) && text.ends_with(alphanumeric);
    let part = |part: &str| !part.is_empty() && part != "." && part != ".." && is_lower(part, b"._-");
    (3..=63).contains(&bucket.len())
        && is_lower(bucket, b"-")
        && ends(bucket)
        && prefix.len() <= 100
        && (prefix.is_empty() || prefix.strip_suffix('/').is_some_and(|inner| inner.split('/').all(part)))
}

fn alphanumeric(c: char) -> bool {
    c.is_ascii_alphanumeric()
}

fn is_instance(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    matches!(parts[..], ["ml", family, size] if
        !family.is_empty() && !size.is_empty() && is_lower(family, b"-") && is_lower(size, b"") && text.len() <= 40)
}

fn is_id(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|id| {
        (8..=17).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'))
    })
}

fn is_subnet(text: &str) -> bool {
    is_id(text, "subnet-")
}

fn is_group(text: &str) -> bool {
    is_id(text, "sg-")
}

fn is_cluster(text: &str) -> bool {
    (1..=100).contains(&text.len())
        && text.starts_with(alphanumeric)
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

fn is_log_group(text: &str) -> bool {
    let letter = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'/' | b'.' | b'#');
    (1..=512).contains(&text.len()) && text.bytes().all(letter)
}

fn is_alarm(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.bytes().all(|b| matches!(b, b' '..=b'~')) && text.trim() == text
}

const IMAGE: &str = "`REGISTRY/NAME@sha256:` and the 64 digits of the image's digest: a tag can be moved";
const PLACE: &str = "`s3://BUCKET/PREFIX/`, in lower case, with a slash at the end";
const INSTANCE: &str = "an instance type of SageMaker, such as `ml.m5.large`";
const SUBNET: &str = "`subnet-` and 8 to 17 hexadecimal digits";
const GROUP: &str = "`sg-` and 8 to 17 hexadecimal digits";
const CLUSTER: &str = "1 to 100 letters, digits, hyphens and underscores";
const LOG_GROUP: &str = "1 to 512 letters, digits and any of `_-/.#`";
const ALARM: &str = "1 to 255 printable letters of ASCII";

name!(/// The image of a container, by its digest.
    ContainerImage, "image by digest", is_image, IMAGE, r"^[a-z0-9][a-z0-9.:/_-]{0,183}@sha256:[0-9a-f]{64}$");
name!(/// A part of a bucket: `s3://BUCKET/PREFIX/`.
    S3Place, "place in S3", is_place, PLACE,
    r"^s3://[a-z0-9][a-z0-9-]{1,61}[a-z0-9]/(([a-z0-9_-][a-z0-9._-]*)/)*$");
name!(/// A type of instances of SageMaker: `ml.m5.large`.
    InstanceType, "instance type", is_instance, INSTANCE, r"^ml\.[a-z0-9-]+\.[a-z0-9]+$");
name!(/// A subnet: `subnet-0a1b2c3d`.
    SubnetId, "subnet id", is_subnet, SUBNET, r"^subnet-[0-9a-f]{8,17}$");
name!(/// A security group: `sg-0a1b2c3d`.
    SecurityGroupId, "security group id", is_group, GROUP, r"^sg-[0-9a-f]{8,17}$");
name!(/// A cluster of ECS or EKS.
    ClusterName, "cluster name", is_cluster, CLUSTER, r"^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$");
name!(/// A group of CloudWatch Logs: `/wardmote/credit-scoring`.
    LogGroup, "log group", is_log_group, LOG_GROUP, r"^[A-Za-z0-9_/.#-]{1,512}$");
name!(/// A CloudWatch alarm, by its name.
    AlarmName, "alarm name", is_alarm, ALARM, r"^[!-~]([ -~]{0,253}[!-~])?$");
name!(/// A label as DNS has it: a namespace or a service account of Kubernetes.
    DnsLabel, "label", is_slug, SLUG, r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$");

/// What is expected of a text of this kind, as its schema describes it.
pub fn expected(what: &str) -> Option<&'static str> {
    let all = [
        ("image by digest", IMAGE),
        ("place in S3", PLACE),
        ("instance type", INSTANCE),
        ("subnet id", SUBNET),
        ("security group id", GROUP),
        ("cluster name", CLUSTER),
        ("log group", LOG_GROUP),
        ("alarm name", ALARM),
    ];
    all.into_iter().find(|(name, _)| *name == what).map(|(_, expected)| expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn an_image_is_named_by_its_digest() {
        let registry = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/scorer";
        let image: ContainerImage = format!("{registry}@{DIGEST}").parse().unwrap();
        assert_eq!(image.digest(), DIGEST);
        for bad in [
            "",
            registry,
            &format!("{registry}:latest"),
            &format!("@{DIGEST}"),
            &format!("{registry}@{}", &DIGEST[..70]),
        ] {
            assert!(bad.parse::<ContainerImage>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_place_is_a_bucket_and_a_prefix() {
        for (text, bucket, prefix) in [
            ("s3://bank/", "bank", ""),
            ("s3://bank/models/", "bank", "models/"),
            ("s3://bank/a/b_c/", "bank", "a/b_c/"),
        ] {
            let place: S3Place = text.parse().unwrap();
            assert_eq!((place.bucket(), place.prefix()), (bucket, prefix));
        }
        for bad in [
            "s3://bank",
            "bank/",
            "s3:///",
            "s3://Bank/",
            "s3://bank/a",
            "s3://bank//",
            "s3://bank/../",
            "s3://-bank/",
        ] {
            assert!(bad.parse::<S3Place>().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_read_is_written_again() {
        let json = serde_json::json!({"directory": {"path": "serving"}});
        let on: ServeOn = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(serde_json::to_value(&on).unwrap(), json);
        assert_eq!(serde_json::to_value(Traffic::AllAtOnce).unwrap(), "all_at_once");
        let step = serde_json::json!({"canary": {"percent": 10, "minutes": 5}});
        assert_eq!(
            serde_json::from_value::<Traffic>(step).unwrap(),
            Traffic::Canary(Step { percent: 10, minutes: 5 })
        );
        let wrong = serde_json::json!({"sagemaker": {"image": "scorer:latest"}});
        let said = serde_json::from_value::<ServeOn>(wrong).unwrap_err().to_string();
        assert!(said.contains("`scorer:latest` is not a valid image by digest"), "{said}");
    }

    #[test]
    fn instances_subnets_and_the_like() {
        assert!(
            "ml.m5.large".parse::<InstanceType>().is_ok()
                && "ml.g4dn.12xlarge".parse::<InstanceType>().is_ok()
        );
        assert!("m5.large".parse::<InstanceType>().is_err() && "ml.m5".parse::<InstanceType>().is_err());
        assert!("subnet-0a1b2c3d".parse::<SubnetId>().is_ok() && "subnet-xyz".parse::<SubnetId>().is_err());
        assert!("a b/c".parse::<AlarmName>().is_ok() && " a".parse::<AlarmName>().is_err());
        for what in ["image by digest", "place in S3", "alarm name"] {
            assert!(expected(what).is_some());
        }
        assert_eq!(expected("name"), None);
    }
}
