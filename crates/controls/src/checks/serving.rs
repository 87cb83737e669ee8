//! What serves: endpoint configurations and endpoints, with their capture and their monitors.

use super::derived::{Unit as Period, fact, recent};
use super::keys::one_of;
use crate::answer::{Answer, Spot, all, below, find, not_applicable};
use crate::resource::{Resource, State, cause};
use crate::unit::{Case, Unit, unit};

const CONFIG: &str = "AWS::SageMaker::EndpointConfig";
const BUCKET_FLAGS: [&str; 2] = ["BlockPublicPolicy", "RestrictPublicBuckets"];

pub(crate) const UNITS: &[Unit] = &[
    unit!(
        "SM-10",
        Medium,
        Single,
        "an endpoint's volumes are encrypted with a customer key",
        [CONFIG],
        ["CKV_AWS_98", "SAGEMAKER_ENDPOINT_CONFIGURATION_KMS_KEY_CONFIGURED", "W1200"],
        |case| { find(case.resource, "KmsKeyId").customer_key() }
    ),
    unit!(
        "SM-11",
        High,
        Cross,
        "an endpoint captures what it is asked and answers, encrypted, into a private bucket",
        [CONFIG],
        [],
        captures
    ),
    unit!(
        "SM-12",
        Medium,
        Single,
        "an endpoint has two instances or none of its own",
        [CONFIG],
        ["SageMaker.4", "SAGEMAKER_ENDPOINT_CONFIG_PROD_INSTANCE_COUNT"],
        instances
    ),
    unit!(
        "SM-16",
        High,
        Cross,
        "an endpoint has a monitor whose last run is fresh and in order",
        ["AWS::SageMaker::Endpoint"],
        [],
        monitored
    ),
];

fn captures(case: &Case<'_>) -> Answer {
    let capture = |path: &str| find(case.resource, &format!("DataCaptureConfig.{path}"));
    let on = capture("EnableCapture").flag(true, false);
    if on.is_broken() {
        return on;
    }
    let to = capture("DestinationS3Uri");
    let target = match &to.state {
        State::Absent => to.spot.clone().broken("`DataCaptureConfig.DestinationS3Uri` is absent"),
        State::Unknown(cause) => to.spot.clone().unknown(cause.clone()),
        State::Known(node) => match case.estate.target(node, "AWS::S3::Bucket") {
            Some(bucket) => {
                let spot = to.spot.clone();
                let encrypted = find(bucket, "BucketEncryption.ServerSideEncryptionConfiguration").present();
                let closed = BUCKET_FLAGS.map(|flag| {
                    find(bucket, &format!("PublicAccessBlockConfiguration.{flag}")).flag(true, false)
                });
                let sound = all(closed.into_iter().chain([encrypted]));
                sound
                    .by_way_of(spot, &format!("the bucket is `{}`", bucket.id))
                    .if_exists(bucket, case.resource)
            }
            None => to
                .spot
                .clone()
                .unknown(format!("the bucket of `{}` is not among what was read", node.shown())),
        },
    };
    all([on, capture("KmsKeyId").customer_key(), target])
}

fn instances(case: &Case<'_>) -> Answer {
    let variants = find(case.resource, "ProductionVariants");
    if let Some(missing) = variants.missing() {
        return variants.spot.unknown(missing);
    }
    let items = variants.items();
    if items.is_empty() {
        return variants.spot.broken("`ProductionVariants` is absent");
    }
    all(items.iter().map(|(spot, item)| {
        let serverless = below(spot, item, "ServerlessConfig");
        if matches!(serverless.state, State::Known(_)) {
            return serverless.spot.holds("it is serverless");
        }
        let count = below(spot, item, "InitialInstanceCount");
        match &count.state {
            State::Known(node) => match node.text().and_then(|text| text.parse::<u32>().ok()) {
                Some(number) if number >= 2 => count.spot.clone().holds(format!("it has {number} instances")),
                Some(number) => {
                    count.spot.clone().broken(format!("it has {number} instance; at least 2 are wanted"))
                }
                None => count.spot.clone().unknown(cause(node)),
            },
            State::Unknown(cause) => count.spot.clone().unknown(cause.clone()),
            State::Absent => match serverless.missing() {
                Some(missing) => serverless.spot.unknown(missing),
                None => count.spot.broken("it has 1 instance; at least 2 are wanted"),
            },
        }
    }))
}

fn monitored(case: &Case<'_>) -> Answer {
    let mut schedules: Vec<&Resource> = Vec::new();
    let mut perhaps = None;
    for schedule in case.estate.of_kind("AWS::SageMaker::MonitoringSchedule") {
        match watches(case, schedule) {
            Ok(true) => schedules.push(schedule),
            Ok(false) => {}
            Err(missing) => perhaps = Some((schedule, missing)),
        }
    }
    let run = |schedule: &Resource| last_run(case, schedule).if_exists(schedule, case.resource);
    one_of(schedules.into_iter().map(run), || match perhaps {
        Some((schedule, missing)) => {
            Spot::of(schedule).unknown(format!("whether `{}` watches this endpoint: {missing}", schedule.id))
        }
        None => Spot::of(case.resource).broken("no monitoring schedule watches the endpoint"),
    })
}

/// Whether the last run of a schedule is fresh, and ended as it should.
fn last_run(case: &Case<'_>, schedule: &Resource) -> Answer {
    let what = "when the monitor last ran and how it ended";
    let asked = ("sagemaker:ListMonitoringExecutions", what);
    match fact(case, schedule, "LastMonitoringExecutionSummary", asked) {
        Err(answer) => answer,
        Ok((spot, None)) => spot.broken("the monitor never ran"),
        Ok((spot, Some(last))) => {
            let ended = below(&spot, last, "MonitoringExecutionStatus").word(&["Completed"], None);
            if !case.estate.is_live() {
                return ended;
            }
            let when = below(&spot, last, "ScheduledTime");
            let fresh = match &when.state {
                State::Known(node) => {
                    recent(case, when.spot.clone(), node, "it ran", ("monitor_run_hours", Period::Hours))
                }
                State::Unknown(missing) => when.spot.clone().unknown(missing.clone()),
                State::Absent => when.spot.unknown("when it ran"),
            };
            all([ended, fresh])
        }
    }
}

/// Whether a schedule watches the endpoint, itself or by its job definition.
fn watches(case: &Case<'_>, schedule: &Resource) -> Result<bool, String> {
    let config = find(schedule, "MonitoringScheduleConfig");
    if let Some(missing) = config.missing() {
        return Err(missing);
    }
    if case
        .estate
        .referring(case.resource, "AWS::SageMaker::MonitoringSchedule")
        .any(|other| other.id == schedule.id)
    {
        return Ok(true);
    }
    let job = find(schedule, "MonitoringScheduleConfig.MonitoringJobDefinitionName");
    match &job.state {
        State::Known(node) => Ok(super::sagemaker::JOBS.iter().any(|kind| {
            let definition = case.estate.target(node, kind);
            definition
                .is_some_and(|job| case.estate.referring(case.resource, kind).any(|other| other.id == job.id))
        })),
        State::Unknown(cause) => Err(cause.clone()),
        State::Absent => match schedule.properties.any_hole() {
            Some(hole) => Err(hole.cause.clone()),
            None => Ok(false),
        },
    }
}

/// The configuration of an endpoint and its variants' models, or why they are not known.
pub(super) fn served<'a>(case: &Case<'a>) -> Result<Vec<(Spot<'a>, &'a Resource)>, Answer> {
    let name = find(case.resource, "EndpointConfigName");
    let config = match &name.state {
        State::Known(node) => case.estate.target(node, CONFIG),
        State::Unknown(cause) => return Err(name.spot.clone().unknown(cause.clone())),
        State::Absent => None,
    };
    let Some(config) = config else {
        return Err(name.spot.unknown("the configuration of the endpoint is not among what was read"));
    };
    let variants = find(config, "ProductionVariants");
    if let Some(missing) = variants.missing() {
        return Err(variants.spot.unknown(missing));
    }
    let mut models = Vec::new();
    for (spot, item) in variants.items() {
        let name = below(&spot, item, "ModelName");
        let model = match &name.state {
            State::Known(node) => case.estate.target(node, "AWS::SageMaker::Model"),
            _ => None,
        };
        match model {
            Some(model) => models.push((name.spot, model)),
            None => {
                return Err(name.spot.clone().unknown("the model of a variant is not among what was read"));
            }
        }
    }
    if models.is_empty() { Err(not_applicable("the configuration has no variant")) } else { Ok(models) }
}
