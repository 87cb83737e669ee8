//! Endpoints of Amazon SageMaker: a release is a model and an endpoint configuration of one name; traffic goes over by a
//! blue/green update, which alarms take back.
//!
//! Source: Amazon SageMaker API Reference; Developer Guide, "Deployment guardrails" and "Deploy uncompressed models".

use super::operations::{
    CREATE_CONFIG, CREATE_ENDPOINT, CREATE_MODEL, DELETE_CONFIG, DELETE_ENDPOINT, DELETE_MODEL,
    DESCRIBE_CONFIG, DESCRIBE_ENDPOINT, DESCRIBE_MODEL, LIST_CONFIGS, LIST_MODELS, LIST_TAGS, OF_SAGEMAKER,
    UPDATE_ENDPOINT,
};
use super::{
    OF_ENDPOINT, Platform, artefact_uri, at, compare, environment, is_release_of, or_absent, passed, tags,
};
use crate::client::Client;
use crate::error::AwsError;
use crate::operation::{On, Operation};
use crate::pages::Question;
use crate::permissions::Place;
use crate::wire::Wire;
use facts::serving::{SageMaker, Step, Traffic};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use world::{Condition, Kind, Observed, Pace, PortError, Release, Share, Site};

/// How SageMaker says that there is no such thing.
const NO_ENDPOINT: [(&str, &str); 1] = [("ValidationException", "Could not find endpoint")];
const NO_CONFIG: [(&str, &str); 1] = [("ValidationException", "Could not find endpoint configuration")];
const NO_MODEL: [(&str, &str); 1] = [("ValidationException", "Could not find model")];
/// Looks at a deletion before another endpoint of the name can be made.
const LOOKS_AT_DELETION: u32 = 30;

/// One endpoint.
pub(super) struct SageMakerEndpoint<'a> {
    pub(super) client: Client,
    pub(super) site: &'a Site,
    pub(super) on: &'a SageMaker,
}

/// What the service says of an endpoint; `DescribeEndpoint`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Described {
    pub(super) endpoint_config_name: Option<String>,
    endpoint_status: String,
    failure_reason: Option<String>,
    #[serde(default)]
    production_variants: Vec<Variant>,
    pending_deployment_summary: Option<Pending>,
    data_capture_config: Option<Capture>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Variant {
    variant_name: String,
    #[serde(default)]
    current_weight: f64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Pending {
    endpoint_config_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Capture {
    #[serde(default)]
    enable_capture: bool,
}

impl SageMakerEndpoint<'_> {
    pub(super) fn name(&self) -> &str {
        self.site.endpoint.as_str()
    }

    pub(super) fn call(&self, operation: &'static Operation, input: &Value) -> Result<(), AwsError> {
        self.client.call(operation, &Wire::json(operation, input)?).map(|_| ())
    }

    pub(super) fn raw(&self) -> Result<Option<Described>, PortError> {
        let input = json!({ "EndpointName": self.name() });
        Ok(or_absent(self.client.json(&DESCRIBE_ENDPOINT, &input), &NO_ENDPOINT)?)
    }

    pub(super) fn config(&self, name: &str) -> Result<Option<Value>, PortError> {
        let input = json!({ "EndpointConfigName": name });
        Ok(or_absent(self.client.json(&DESCRIBE_CONFIG, &input), &NO_CONFIG)?)
    }

    fn model(&self, name: &str) -> Result<Option<Value>, PortError> {
        let input = json!({ "ModelName": name });
        Ok(or_absent(self.client.json(&DESCRIBE_MODEL, &input), &NO_MODEL)?)
    }

    /// Which releases have the traffic. One variant has it all; of several, each is a model with a weight.
    fn shares(&self, config: &str, variants: &[Variant]) -> Result<Vec<Share>, PortError> {
        if variants.len() <= 1 {
            return Ok(vec![Share { release: config.to_owned(), percent: 100.0 }]);
        }
        let known = self.config(config)?.unwrap_or_default();
        let listed = known["ProductionVariants"].as_array().cloned().unwrap_or_default();
        let model = |name: &str| {
            let one = listed.iter().find(|one| one["VariantName"] == name);
            one.and_then(|one| one["ModelName"].as_str()).unwrap_or(name).to_owned()
        };
        let whole: f64 = variants.iter().map(|variant| variant.current_weight).sum();
        let share = |variant: &Variant| Share {
            release: model(&variant.variant_name),
            percent: if whole > 0.0 { variant.current_weight / whole * 100.0 } else { 0.0 },
        };
        let mut shares: Vec<Share> = variants.iter().map(share).collect();
        shares.sort_by(|a, b| b.percent.total_cmp(&a.percent).then_with(|| a.release.cmp(&b.release)));
        Ok(shares)
    }

    pub(super) fn observed(&self, seen: Described) -> Result<Observed, PortError> {
        let config = seen.endpoint_config_name.unwrap_or_default();
        let pending = seen.pending_deployment_summary.map(|pending| pending.endpoint_config_name);
        let condition = match seen.endpoint_status.as_str() {
            "InService" => Condition::Steady,
            "Creating" | "Updating" | "SystemUpdating" | "RollingBack" | "Deleting" => Condition::Changing,
            "Failed" | "OutOfService" | "UpdateRollbackFailed" => Condition::Failed,
            other => {
                let text = format!(
                    "`{}` has the status `{}`, which is not known",
                    self.name(),
                    other.escape_debug()
                );
                return Err(PortError::new(Kind::Failed, text));
            }
        };
        // What is being made, or was never made, serves nothing.
        let none = matches!(seen.endpoint_status.as_str(), "Creating" | "Failed");
        let towards = match seen.endpoint_status.as_str() {
            "Creating" => Some(config.clone()),
            "Updating" => pending.filter(|pending| *pending != config),
            _ => None,
        };
        let serving = if none { Vec::new() } else { self.shares(&config, &seen.production_variants)? };
        Ok(Observed {
            condition,
            serving,
            towards,
            said: seen.failure_reason.filter(|said| !said.is_empty()),
        })
    }

    fn wanted_model(&self, release: &Release) -> Value {
        json!({
            "ExecutionRoleArn": self.on.role,
            "EnableNetworkIsolation": true,
            "PrimaryContainer": {
                "Image": self.on.image,
                "ModelDataSource": { "S3DataSource": {
                    "S3Uri": artefact_uri(&self.on.artefacts, release),
                    "S3DataType": "S3Prefix",
                    "CompressionType": "None",
                } },
                "Environment": environment(release),
            },
            "VpcConfig": { "Subnets": self.on.subnets, "SecurityGroupIds": self.on.security_groups },
        })
    }

    fn wanted_config(&self, release: &Release, name: &str) -> Value {
        let mut config = json!({
            "KmsKeyId": self.on.key,
            "ProductionVariants": [{
                "VariantName": format!("v{}", release.version),
                "ModelName": name,
                "InstanceType": self.on.instance_type,
                "InitialInstanceCount": self.on.instances,
                "InitialVariantWeight": 1.0,
            }],
        });
        if let Some(percent) = self.captured() {
            config["DataCaptureConfig"] = json!({
                "EnableCapture": true,
                "InitialSamplingPercentage": percent,
                "DestinationS3Uri": self.on.capture.as_str().trim_end_matches('/'),
                "KmsKeyId": self.on.key,
                "CaptureOptions": [{ "CaptureMode": "Input" }, { "CaptureMode": "Output" }],
                "CaptureContentTypeHeader": {
                    "CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"],
                },
            });
        }
        config
    }

    /// The share of requests that is captured, in whole per cent and never less than the charter says.
    fn captured(&self) -> Option<u32> {
        let percent = (self.site.capture_share.clamp(0.0, 1.0) * 100.0).ceil();
        // From 0 to 100, and whole.
        (percent >= 1.0).then_some(percent as u32)
    }

    /// What can be said of a release that was made under another charter: its artefact, and that it is isolated.
    fn wanted_of_older(&self, release: &Release, name: &str) -> (Value, Value) {
        let model = json!({
            "EnableNetworkIsolation": true,
            "PrimaryContainer": { "Environment": environment(release) },
        });
        (model, json!({ "ProductionVariants": [{ "ModelName": name }] }))
    }

    fn deployment(&self, pace: Pace) -> Value {
        let (kind, step) = match (pace, self.on.traffic) {
            (Pace::AtOnce, _) | (_, Traffic::AllAtOnce | Traffic::Weights(_)) => {
                ("ALL_AT_ONCE", Step { percent: 100, minutes: 0 })
            }
            (_, Traffic::Canary(step)) => ("CANARY", step),
            (_, Traffic::Linear(step)) => ("LINEAR", step),
        };
        let mut routing = json!({ "Type": kind, "WaitIntervalInSeconds": step.minutes * 60 });
        let size = json!({ "Type": "CAPACITY_PERCENT", "Value": step.percent });
        match kind {
            "CANARY" => routing["CanarySize"] = size,
            "LINEAR" => routing["LinearStepSize"] = size,
            _ => {}
        }
        let wait = if pace == Pace::AtOnce { 0 } else { self.on.termination_wait_minutes * 60 };
        let mut deployment = json!({ "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": routing,
            "TerminationWaitInSeconds": wait,
            "MaximumExecutionTimeoutInSeconds": self.on.time_limit_minutes * 60,
        } });
        // On the way back the alarms may be on: they are why.
        if pace == Pace::Staged && !self.on.alarms.is_empty() {
            let alarms: Vec<_> = self.on.alarms.iter().map(|alarm| json!({ "AlarmName": alarm })).collect();
            deployment["AutoRollbackConfiguration"] = json!({ "Alarms": alarms });
        }
        deployment
    }

    fn create(&self, config: &str) -> Result<(), AwsError> {
        let input = json!({
            "EndpointName": self.name(), "EndpointConfigName": config,
            "Tags": tags(self.site, None, ("Key", "Value")),
        });
        self.call(&CREATE_ENDPOINT, &input)
    }

    pub(super) fn update(&self, config: &str, pace: Pace) -> Result<(), AwsError> {
        let input = json!({
            "EndpointName": self.name(), "EndpointConfigName": config,
            "RetainAllVariantProperties": false, "DeploymentConfig": self.deployment(pace),
        });
        self.call(&UPDATE_ENDPOINT, &input)
    }

    /// An endpoint that could not be made is in the way of another one, and serves nothing.
    fn remove_failed(&self) -> Result<(), PortError> {
        self.stop()?;
        for looks in 0..LOOKS_AT_DELETION {
            if self.raw()?.is_none() {
                return Ok(());
            }
            std::thread::sleep(self.client.pause_between(looks));
        }
        let text = format!("the endpoint `{}`, which had failed, is still being removed", self.name());
        Err(PortError::new(Kind::Busy, text).with_help("run the command again later"))
    }

    /// The names and ARNs of what has the names of releases of this endpoint.
    fn listed(
        &self,
        operation: &'static Operation,
        (name, arn): (&str, &str),
    ) -> Result<Vec<(String, String)>, PortError> {
        let prefix: String = self.name().chars().take(36).collect();
        let input = json!({ "NameContains": prefix.trim_end_matches('-'), "MaxResults": 100 });
        let all = self.client.all(operation, Question::Json(input))?;
        let of = |one: &Value| Some((one[name].as_str()?.to_owned(), one[arn].as_str()?.to_owned()));
        Ok(all.iter().filter_map(of).filter(|(name, _)| is_release_of(self.site, name)).collect())
    }

    /// Whether it was made for this endpoint; long names of two endpoints may begin alike.
    fn is_ours(&self, arn: &str) -> Result<bool, PortError> {
        let page: Value = self.client.json(&LIST_TAGS, &json!({ "ResourceArn": arn, "MaxResults": 50 }))?;
        let ours = |tag: &Value| tag["Key"] == OF_ENDPOINT && tag["Value"] == self.name();
        Ok(page["Tags"].as_array().is_some_and(|tags| tags.iter().any(ours)))
    }
}

/// A name that is taken now, and was not a moment ago, is from an attempt of ours whose answer was lost, or from somebody
/// else: what is there is compared afterwards.
pub(super) fn unless_taken(made: Result<(), AwsError>) -> Result<(), AwsError> {
    or_absent(made, &[("ValidationException", "already existing")]).map(|_| ())
}

impl Platform for SageMakerEndpoint<'_> {
    fn describe(&self) -> Result<Observed, PortError> {
        self.raw()?.map_or_else(|| Ok(Observed::absent()), |seen| self.observed(seen))
    }

    fn differences(&self, release: &Release, name: &str) -> Result<Option<Vec<String>>, PortError> {
        let (Some(model), Some(config)) = (self.model(name)?, self.config(name)?) else { return Ok(None) };
        let current = release.name(self.site) == name;
        let (wanted_model, wanted_config) = match current {
            true => (self.wanted_model(release), self.wanted_config(release, name)),
            false => self.wanted_of_older(release, name),
        };
        let mut found = Vec::new();
        compare(&wanted_model, &model, "", &mut found);
        compare(&wanted_config, &config, "", &mut found);
        let seen = self.raw()?;
        let captures =
            seen.filter(|seen| seen.endpoint_config_name.as_deref() == Some(name)).and_then(|seen| {
                let done = !matches!(seen.endpoint_status.as_str(), "Creating" | "Failed");
                done.then(|| seen.data_capture_config.is_some_and(|capture| capture.enable_capture))
            });
        if current && self.captured().is_some() && captures == Some(false) {
            found.push("the endpoint captures nothing, and the charter says that it should".to_owned());
        }
        Ok(Some(found))
    }

    fn make(&self, release: &Release, name: &str) -> Result<(), PortError> {
        let tags = tags(self.site, Some(release), ("Key", "Value"));
        if self.model(name)?.is_none() {
            let mut input = self.wanted_model(release);
            (input["ModelName"], input["Tags"]) = (name.into(), tags.clone().into());
            unless_taken(self.call(&CREATE_MODEL, &input))?;
        }
        if self.config(name)?.is_none() {
            let mut input = self.wanted_config(release, name);
            (input["EndpointConfigName"], input["Tags"]) = (name.into(), tags.into());
            unless_taken(self.call(&CREATE_CONFIG, &input))?;
        }
        Ok(())
    }

    fn shift(&self, name: &str, pace: Pace) -> Result<(), PortError> {
        if self.config(name)?.is_none() {
            let text = format!("there is no endpoint configuration `{name}`");
            return Err(PortError::new(Kind::Absent, text));
        }
        let seen = self.describe()?;
        let changed = match seen.condition {
            _ if seen.goes_to(name) => return Ok(()),
            Condition::Changing => {
                let text = format!("the endpoint `{}` is being changed", self.name());
                return Err(
                    PortError::new(Kind::Busy, text).with_help("run the command again when it has settled")
                );
            }
            Condition::Absent => self.create(name),
            Condition::Failed if seen.serving.is_empty() => {
                self.remove_failed()?;
                self.create(name)
            }
            Condition::Failed | Condition::Steady => self.update(name, pace),
        };
        let Err(error) = changed else { return Ok(()) };
        // It may have been carried out all the same, or an earlier attempt was.
        if self.goes_to(name) { Ok(()) } else { Err(error.into()) }
    }

    fn weigh(&self, name: &str, percent: u32) -> Result<(), PortError> {
        self.share(name, percent)
    }

    fn stop(&self) -> Result<(), PortError> {
        let input = json!({ "EndpointName": self.name() });
        or_absent(self.call(&DELETE_ENDPOINT, &input), &NO_ENDPOINT)?;
        Ok(())
    }

    fn prune(&self, keep: &BTreeSet<String>) -> Result<Vec<String>, PortError> {
        let configs = self.listed(&LIST_CONFIGS, ("EndpointConfigName", "EndpointConfigArn"))?;
        let models = self.listed(&LIST_MODELS, ("ModelName", "ModelArn"))?;
        // Two that share the traffic do so by a configuration of its own.
        let mut keep = keep.clone();
        keep.extend(self.raw()?.into_iter().flat_map(|seen| {
            [seen.endpoint_config_name, seen.pending_deployment_summary.map(|one| one.endpoint_config_name)]
                .into_iter()
                .flatten()
        }));
        let mut gone = BTreeSet::new();
        // Configurations first: a model without one serves nothing.
        for (name, arn) in configs.iter().filter(|(name, _)| !keep.contains(name)) {
            if self.is_ours(arn)? {
                let input = json!({ "EndpointConfigName": name });
                or_absent(self.call(&DELETE_CONFIG, &input), &NO_CONFIG)?;
                gone.insert(name.clone());
            }
        }
        for (name, arn) in models.iter().filter(|(name, _)| !keep.contains(name)) {
            if self.is_ours(arn)? {
                or_absent(self.call(&DELETE_MODEL, &json!({ "ModelName": name })), &NO_MODEL)?;
                gone.insert(name.clone());
            }
        }
        Ok(gone.into_iter().collect())
    }

    fn operations(&self) -> &'static [&'static Operation] {
        &OF_SAGEMAKER
    }

    fn place(&self, on: On) -> Place {
        let key = &self.on.key;
        let of = |kind: &str, name: &str| {
            format!("arn:{}:sagemaker:{}:{}:{kind}/{name}", key.partition(), key.region(), key.account())
        };
        let prefix: String = self.name().chars().take(36).collect();
        let releases = format!("{}-v*", prefix.trim_end_matches('-'));
        match on {
            On::Endpoint => at(vec![of("endpoint", self.name())]),
            On::Releases => at(vec![of("endpoint-config", &releases), of("model", &releases)]),
            On::ServingRole => passed(&[&self.on.role], "sagemaker.amazonaws.com"),
            On::ServingKey => at(vec![key.to_string()]),
            _ => at(vec!["*".to_owned()]),
        }
    }
}
