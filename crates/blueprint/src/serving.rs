//! Models that serve: isolated, in the network, captured and watched, updated blue/green with a way back.

use crate::roles::runtime_statements;
use crate::site::{Site, artefacts, capture, model_key, vpc_config};
use crate::template::{Area, Parameter, Resource, arn, get, logical, policy, sub, to};
use crate::trail::log_group;
use charter::model::Model;
use facts::serving::ServeOn;
use serde_json::{Value, json};

/// What an alarm of an endpoint tolerates: answers of the kind 5xx in five minutes.
const ERRORS_MOST: u32 = 5;
const VOLUME_GB: u32 = 20;

/// The logical ids of the roles under which a model serves and is watched.
pub(crate) fn roles(model: &Model) -> impl Iterator<Item = String> + use<> {
    let name = logical(model.name.as_str());
    ["ExecutionRole", "MonitorRole"].into_iter().map(move |role| format!("{name}{role}"))
}

/// Models whose endpoints the stack makes: those of which the charter does not say where they serve. Where it does, they are
/// deployed there, version by version, and a second endpoint of the name could not be made.
pub(crate) fn made_here<'a>(site: &Site<'a>) -> impl Iterator<Item = &'a Model> + use<'a> {
    site.charter.models.iter().filter(|model| model.endpoint.serve_on.is_none())
}

/// Models that answer at an endpoint of SageMaker, made by the stack or past it.
pub(crate) fn on_sagemaker<'a>(site: &Site<'a>) -> impl Iterator<Item = &'a Model> + use<'a> {
    let asked = |on: &Option<ServeOn>| matches!(on, None | Some(ServeOn::Sagemaker(_)));
    site.charter.models.iter().filter(move |model| asked(&model.endpoint.serve_on))
}

/// What the stack leaves to others, in sentences.
pub(crate) fn left_out(site: &Site<'_>) -> Vec<String> {
    let said = |model: &Model| {
        let on = model.endpoint.serve_on.as_ref()?;
        let (name, platform) = (&model.name, on.platform());
        let api = match on {
            ServeOn::Sagemaker(_) => "the API asks it there",
            ServeOn::Directory(_) | ServeOn::Ecs(_) | ServeOn::Eks(_) => "the API has no path to it",
        };
        Some(format!(
            "`{name}` serves on {platform} by `endpoint.serve_on`: `wardmote model deploy` makes what serves, and `wardmote \
             aws alarms --put` its alarms; the stack makes neither, and {api}"
        ))
    };
    site.charter.models.iter().filter_map(said).collect()
}

fn package(model: &Model) -> String {
    format!("{}Package", logical(model.name.as_str()))
}

pub(crate) fn serves(model: &Model) -> String {
    format!("{}Serves", logical(model.name.as_str()))
}

pub(crate) fn parameters(site: &Site<'_>) -> Vec<Parameter> {
    let package = |model: &Model| Parameter {
        name: package(model),
        kind: "String",
        description: format!(
            "ARN of the approved version of {} in the SageMaker Model Registry; its image and model data are served. \
             Empty until there is one.",
            model.name
        ),
        default: Some(String::new()),
        pattern: Some("^$|^arn:aws[a-z-]*:sagemaker:[a-z0-9-]+:[0-9]{12}:model-package/[A-Za-z0-9/-]+$"),
    };
    let text = |name: &str, description: &str, default: &str| Parameter {
        name: name.to_owned(),
        kind: "String",
        description: description.to_owned(),
        default: Some(default.to_owned()),
        pattern: None,
    };
    let mut all: Vec<Parameter> = made_here(site).map(package).collect();
    if !all.is_empty() {
        all.push(text(
            "MonitorImage",
            "Image of SageMaker Model Monitor for this region (sagemaker-model-monitor-analyzer); needed with a version \
             to serve.",
            "",
        ));
        all.push(text(
            "InstanceType",
            "Instances that serve; with volumes that KMS encrypts, so none with local disks.",
            "ml.m5.large",
        ));
    }
    all
}

pub(crate) fn conditions(site: &Site<'_>) -> Vec<(String, Value)> {
    let condition =
        |model: &Model| (serves(model), json!({"Fn::Not": [{"Fn::Equals": [to(&package(model)), ""]}]}));
    made_here(site).map(condition).collect()
}

pub(crate) fn area(site: &Site<'_>) -> Area {
    let mut resources = vec![images(site)];
    for model in &site.charter.models {
        resources.extend(execution(site, model));
        resources.extend(watching_role(site, model));
        let endpoint = format!("/aws/sagemaker/Endpoints/{}", model.endpoint.name);
        resources.push(log_group(site, &format!("{}Logs", logical(model.name.as_str())), &endpoint));
    }
    for model in made_here(site) {
        let condition = serves(model);
        let serving =
            [serving_model(site, model), config(site, model), alarm(site, model), endpoint_of(site, model)];
        resources.extend(serving.into_iter().map(|one| one.when(&condition)));
        resources.extend(watching(site, model).map(|one| one.when(&condition)));
    }
    Area {
        title: "Serving",
        why: "A version is served once it is approved: only a package of the Model Registry can be, no file. Its \
              container has no network, what it is asked and answers is captured, and an update that brings errors is \
              taken back.",
        resources,
    }
}

fn images(site: &Site<'_>) -> Resource {
    let properties = json!({
        "RepositoryName": site.org(),
        "ImageTagMutability": "IMMUTABLE",
        "ImageScanningConfiguration": {"ScanOnPush": true},
        "EncryptionConfiguration": {"EncryptionType": "KMS", "KmsKey": arn("RecordsKey")},
        "Tags": site.shared_tags(),
    });
    Resource::new("Images", "AWS::ECR::Repository", properties)
        .why("Images of training programs and of models; a tag once given stays what it was.")
        .stays()
}

fn role(site: &Site<'_>, model: &Model, id: &str, statements: Vec<Value>) -> [Resource; 2] {
    let trust = json!({
        "Effect": "Allow",
        "Principal": {"Service": "sagemaker.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": to("AWS::AccountId")}},
    });
    let properties = json!({
        "AssumeRolePolicyDocument": policy(vec![trust]),
        "PermissionsBoundary": to("WorkloadBoundary"),
        "Tags": site.tags(&model.tags),
    });
    let own = json!({
        "PolicyName": format!("serve-{}", model.name),
        "Roles": [to(id)],
        "PolicyDocument": policy(statements.into_iter().chain(runtime_statements(site)).collect()),
    });
    [
        Resource::new(id, "AWS::IAM::Role", properties),
        Resource::new(format!("{id}Policy"), "AWS::IAM::Policy", own),
    ]
}

fn use_key(model: &Model) -> Value {
    json!({
        "Sid": "UseTheKeyOfTheModel",
        "Effect": "Allow",
        "Action": ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"],
        "Resource": arn(&model_key(model)),
    })
}

fn objects(sid: &str, actions: &[&str], bucket: &str, prefix: &str) -> Value {
    json!({
        "Sid": sid,
        "Effect": "Allow",
        "Action": actions,
        "Resource": sub(format!("${{{bucket}.Arn}}/{prefix}*")),
    })
}

fn execution(site: &Site<'_>, model: &Model) -> [Resource; 2] {
    let id = roles(model).next().unwrap_or_default();
    let statements = vec![
        objects("LoadTheModel", &["s3:GetObject"], &artefacts(model), ""),
        objects("Capture", &["s3:PutObject"], &capture(model), "capture/"),
        use_key(model),
    ];
    let [role, own] = role(site, model, &id, statements);
    [
        role.why(format!(
            "Under it {} serves, and no other model does. It reads no training data.",
            model.name
        )),
        own,
    ]
}

fn watching_role(site: &Site<'_>, model: &Model) -> [Resource; 2] {
    let id = roles(model).nth(1).unwrap_or_default();
    let statements = vec![
        objects("ReadCapture", &["s3:GetObject"], &capture(model), "capture/"),
        objects("WriteReports", &["s3:PutObject"], &capture(model), "monitor/"),
        json!({"Sid": "ListCapture", "Effect": "Allow", "Action": "s3:ListBucket", "Resource": arn(&capture(model))}),
        use_key(model),
    ];
    role(site, model, &id, statements)
}

fn serving_model(site: &Site<'_>, model: &Model) -> Resource {
    let properties = json!({
        "Containers": [{"ModelPackageName": to(&package(model))}],
        "EnableNetworkIsolation": true,
        "ExecutionRoleArn": arn(&roles(model).next().unwrap_or_default()),
        "VpcConfig": vpc_config(),
        "Tags": site.tags(&model.tags),
    });
    let name = logical(model.name.as_str());
    Resource::new(format!("{name}Model"), "AWS::SageMaker::Model", properties).why(model.purpose.clone())
}

fn config(site: &Site<'_>, model: &Model) -> Resource {
    let name = logical(model.name.as_str());
    // A share of the charter is from 0 to 1.
    let percentage = (model.endpoint.capture_share * 100.0).round() as u8;
    let properties = json!({
        "DataCaptureConfig": {
            "EnableCapture": percentage > 0,
            "InitialSamplingPercentage": percentage,
            "DestinationS3Uri": sub(format!("s3://${{{}}}/capture", capture(model))),
            "KmsKeyId": arn(&model_key(model)),
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            "CaptureContentTypeHeader": {
                "CsvContentTypes": ["text/csv"],
                "JsonContentTypes": ["application/json"],
            },
        },
        "KmsKeyId": arn(&model_key(model)),
        "ProductionVariants": [{
            "#": "Two instances, so that one can fail.",
            "VariantName": "AllTraffic",
            "ModelName": get(&format!("{name}Model"), "ModelName"),
            "InitialInstanceCount": 2,
            "InitialVariantWeight": 1,
            "InstanceType": to("InstanceType"),
        }],
        "Tags": site.tags(&model.tags),
    });
    Resource::new(format!("{name}EndpointConfig"), "AWS::SageMaker::EndpointConfig", properties)
}

fn alarm_name(site: &Site<'_>, model: &Model) -> String {
    format!("{}-{}-errors", site.org(), model.name)
}

fn alarm(site: &Site<'_>, model: &Model) -> Resource {
    let properties = json!({
        "AlarmName": alarm_name(site, model),
        "AlarmDescription": format!("{} answers with errors; an update is taken back", model.endpoint.name),
        "Namespace": "AWS/SageMaker",
        "MetricName": "Invocation5XXErrors",
        "Dimensions": [
            {"Name": "EndpointName", "Value": model.endpoint.name},
            {"Name": "VariantName", "Value": "AllTraffic"},
        ],
        "Statistic": "Sum",
        "Period": 300,
        "EvaluationPeriods": 1,
        "Threshold": ERRORS_MOST,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
        "AlarmActions": [to("Alerts")],
        "Tags": site.tags(&model.tags),
    });
    Resource::new(format!("{}Errors", logical(model.name.as_str())), "AWS::CloudWatch::Alarm", properties)
}

fn endpoint_of(site: &Site<'_>, model: &Model) -> Resource {
    let name = logical(model.name.as_str());
    let properties = json!({
        "EndpointName": model.endpoint.name,
        "EndpointConfigName": get(&format!("{name}EndpointConfig"), "EndpointConfigName"),
        "DeploymentConfig": {
            "#": "One of the two instances first; the alarm takes the update back.",
            "BlueGreenUpdatePolicy": {
                "TrafficRoutingConfiguration": {
                    "Type": "CANARY",
                    "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 50},
                    "WaitIntervalInSeconds": 600,
                },
                "TerminationWaitInSeconds": 600,
                "MaximumExecutionTimeoutInSeconds": 3600,
            },
            "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": alarm_name(site, model)}]},
        },
        "Tags": site.tags(&model.tags),
    });
    Resource::new(format!("{name}Endpoint"), "AWS::SageMaker::Endpoint", properties)
        .after(&format!("{name}Errors"))
}

/// SageMaker's own monitor beside the house's: an hourly look at what was captured.
fn watching(site: &Site<'_>, model: &Model) -> [Resource; 2] {
    let name = logical(model.name.as_str());
    let job = format!("{}-{}", site.org(), model.name);
    let definition = json!({
        "JobDefinitionName": job,
        "DataQualityAppSpecification": {"ImageUri": to("MonitorImage")},
        "DataQualityJobInput": {"EndpointInput": {
            "EndpointName": model.endpoint.name,
            "LocalPath": "/opt/ml/processing/input/endpoint",
        }},
        "DataQualityJobOutputConfig": {
            "KmsKeyId": arn(&model_key(model)),
            "MonitoringOutputs": [{"S3Output": {
                "LocalPath": "/opt/ml/processing/output",
                "S3Uri": sub(format!("s3://${{{}}}/monitor", capture(model))),
            }}],
        },
        "JobResources": {"ClusterConfig": {
            "InstanceCount": 1,
            "InstanceType": "ml.m5.large",
            "VolumeSizeInGB": VOLUME_GB,
            "VolumeKmsKeyId": arn(&model_key(model)),
        }},
        "NetworkConfig": {
            "EnableInterContainerTrafficEncryption": true,
            "EnableNetworkIsolation": true,
            "VpcConfig": vpc_config(),
        },
        "RoleArn": arn(&roles(model).nth(1).unwrap_or_default()),
        "Tags": site.tags(&model.tags),
    });
    let schedule = json!({
        "MonitoringScheduleName": job,
        "EndpointName": model.endpoint.name,
        "MonitoringScheduleConfig": {
            "MonitoringJobDefinitionName": job,
            "MonitoringType": "DataQuality",
            "ScheduleConfig": {"ScheduleExpression": "cron(0 * ? * * *)"},
        },
        "Tags": site.tags(&model.tags),
    });
    let (monitor, plan) = (format!("{name}Monitor"), format!("{name}Schedule"));
    [
        Resource::new(&monitor, "AWS::SageMaker::DataQualityJobDefinition", definition)
            .after(&format!("{name}Endpoint")),
        Resource::new(plan, "AWS::SageMaker::MonitoringSchedule", schedule).after(&monitor),
    ]
}
