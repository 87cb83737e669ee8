//! Jobs of SageMaker: training, processing, monitoring, experiments.

use super::sagemaker::JOBS;
use crate::answer::{Answer, Found, all, find, not_applicable};
use crate::resource::State;
use crate::unit::{Case, Unit, part, unit};

/// The job definitions, and schedules, which may hold a definition themselves.
const MONITORS: [&str; 5] = [JOBS[0], JOBS[1], JOBS[2], JOBS[3], SCHEDULE];
const SCHEDULE: &str = "AWS::SageMaker::MonitoringSchedule";
pub(crate) const UNITS: &[Unit] = &[
    unit!(
        "SM-13",
        High,
        Single,
        "a training job has no network, is in a VPC, and encrypts its traffic, volume and output",
        ["AWS::SageMaker::TrainingJob"],
        [],
        |case| {
            all([
                find(case.resource, "EnableNetworkIsolation").flag(true, false),
                find(case.resource, "VpcConfig.Subnets").present(),
                find(case.resource, "EnableInterContainerTrafficEncryption").flag(true, false),
                find(case.resource, "ResourceConfig.VolumeKmsKeyId").customer_key(),
                find(case.resource, "OutputDataConfig.KmsKeyId").customer_key(),
            ])
        }
    ),
    part!(
        "SM-13",
        "isolation",
        High,
        "a training job has no network",
        ["AWS::SageMaker::TrainingJob"],
        ["sagemaker_training_jobs_network_isolation_enabled"],
        |case| { find(case.resource, "EnableNetworkIsolation").flag(true, false) }
    ),
    part!(
        "SM-13",
        "vpc",
        High,
        "a training job is in a VPC",
        ["AWS::SageMaker::TrainingJob"],
        ["sagemaker_training_jobs_vpc_settings_configured"],
        |case| { find(case.resource, "VpcConfig.Subnets").present() }
    ),
    part!(
        "SM-13",
        "traffic",
        Medium,
        "a training job encrypts the traffic between its containers",
        ["AWS::SageMaker::TrainingJob"],
        ["sagemaker_training_jobs_intercontainer_encryption_enabled"],
        |case| { find(case.resource, "EnableInterContainerTrafficEncryption").flag(true, false) }
    ),
    part!(
        "SM-13",
        "volume",
        Medium,
        "a training job encrypts its volume with a customer key",
        ["AWS::SageMaker::TrainingJob"],
        ["sagemaker_training_jobs_volume_and_output_encryption_enabled"],
        |case| {
            all([
                find(case.resource, "ResourceConfig.VolumeKmsKeyId").customer_key(),
                find(case.resource, "OutputDataConfig.KmsKeyId").customer_key(),
            ])
        }
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
        "SM-17",
        High,
        Single,
        "a monitoring job has no network and encrypts its traffic and its volume",
        MONITORS,
        [],
        |case| { all([isolated(case), traffic(case), volume(case)]) }
    ),
    part!(
        "SM-17",
        "isolation",
        High,
        "a monitoring job has no network",
        MONITORS,
        ["SageMaker.11", "SageMaker.12", "SageMaker.14", "SageMaker.20", "SageMaker.25"],
        isolated
    ),
    part!(
        "SM-17",
        "traffic",
        Medium,
        "a monitoring job encrypts the traffic between its containers",
        MONITORS,
        ["SageMaker.9", "SageMaker.10", "SageMaker.13", "SageMaker.15", "SageMaker.22", "CKV_AWS_369"],
        traffic
    ),
    part!(
        "SM-17",
        "volume",
        Medium,
        "a monitoring job encrypts its volume with a customer key",
        MONITORS,
        ["CKV_AWS_368"],
        volume
    ),
    part!(
        "SM-17",
        "output",
        Medium,
        "a monitoring job encrypts what it writes with a customer key",
        JOBS,
        ["CKV_AWS_367"],
        |case| {
            let kind = case.resource.kind.rsplit("::").next().unwrap_or_default();
            let path = kind.replace("JobDefinition", "JobOutputConfig");
            find(case.resource, &format!("{path}.KmsKeyId")).customer_key()
        }
    ),
    unit!(
        "SM-19",
        Medium,
        Single,
        "an inference experiment is encrypted with customer keys",
        ["AWS::SageMaker::InferenceExperiment"],
        [],
        |case| { all([experiment_volume(case), experiment_data(case)]) }
    ),
    part!(
        "SM-19",
        "volume",
        Medium,
        "an inference experiment encrypts its volumes with a customer key",
        ["AWS::SageMaker::InferenceExperiment"],
        ["SageMaker.23"],
        experiment_volume
    ),
    part!(
        "SM-19",
        "data",
        Medium,
        "an inference experiment encrypts what it captures with a customer key",
        ["AWS::SageMaker::InferenceExperiment"],
        ["SageMaker.24"],
        experiment_data
    ),
];

fn experiment_volume(case: &Case<'_>) -> Answer {
    find(case.resource, "KmsKey").customer_key()
}

fn experiment_data(case: &Case<'_>) -> Answer {
    find(case.resource, "DataStorageConfig.KmsKey").customer_key()
}

/// A setting of a monitoring job; a schedule that names its definition leaves it to that.
fn of_job(case: &Case<'_>, path: &str, ask: fn(Found<'_>) -> Answer) -> Answer {
    if case.resource.kind != SCHEDULE {
        return ask(find(case.resource, path));
    }
    let inner = find(case.resource, "MonitoringScheduleConfig.MonitoringJobDefinition");
    match &inner.state {
        State::Unknown(cause) => inner.spot.clone().unknown(cause.clone()),
        State::Absent => not_applicable("the schedule holds no job definition itself"),
        State::Known(_) => {
            let path = path.replace("JobResources", "MonitoringResources");
            ask(find(case.resource, &format!("MonitoringScheduleConfig.MonitoringJobDefinition.{path}")))
        }
    }
}

fn isolated(case: &Case<'_>) -> Answer {
    of_job(case, "NetworkConfig.EnableNetworkIsolation", |found| found.flag(true, false))
}

fn traffic(case: &Case<'_>) -> Answer {
    of_job(case, "NetworkConfig.EnableInterContainerTrafficEncryption", |found| found.flag(true, false))
}

fn volume(case: &Case<'_>) -> Answer {
    of_job(case, "JobResources.ClusterConfig.VolumeKmsKeyId", by_customer_key)
}

fn by_customer_key(found: Found<'_>) -> Answer {
    found.customer_key()
}
