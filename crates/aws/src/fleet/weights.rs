//! Endpoints of SageMaker whose traffic two releases share: an endpoint configuration with a production variant of each, made for the
//! two, whose weights are moved. Alarms are looked at in between.
//!
//! Source: Amazon SageMaker API Reference, "CreateEndpointConfig" and "UpdateEndpointWeightsAndCapacities"; Amazon CloudWatch API
//! Reference, "DescribeAlarms".

use super::operations::{CREATE_CONFIG, DESCRIBE_ALARMS, UPDATE_WEIGHTS};
use super::sagemaker::{SageMakerEndpoint, unless_taken};
use super::{Platform, is_release_of, tags};
use crate::client::Client;
use crate::error::AwsError;
use crate::wire::{Wire, from_xml};
use facts::Digest;
use facts::serving::AlarmName;
use serde::Deserialize;
use serde_json::{Value, json};
use world::{Condition, Kind, Observed, Pace, PortError};

/// Digits of the digest at the end of a name.
const HASH: usize = 12;
/// What a variant of a configuration is made of again.
const OF_VARIANT: [&str; 4] = ["VariantName", "ModelName", "InstanceType", "InitialInstanceCount"];
/// What both of two configurations must say alike.
const OF_CONFIG: [&str; 2] = ["KmsKeyId", "DataCaptureConfig"];

impl SageMakerEndpoint<'_> {
    /// Gives a release a share beside the one that has the rest.
    pub(super) fn share(&self, release: &str, percent: u32) -> Result<(), PortError> {
        let own = self.config(release)?.ok_or_else(|| {
            PortError::new(Kind::Absent, format!("there is no endpoint configuration `{release}`"))
        })?;
        let raw = self.raw()?;
        let config = raw.as_ref().and_then(|seen| seen.endpoint_config_name.clone()).unwrap_or_default();
        let seen = raw.map_or_else(|| Ok(Observed::absent()), |raw| self.observed(raw))?;
        if seen.condition == Condition::Changing {
            let text = format!("the endpoint `{}` is being changed", self.name());
            return Err(
                PortError::new(Kind::Busy, text).with_help("run the command again when it has settled")
            );
        }
        let has = |seen: &Observed| (seen.share_of(release) - f64::from(percent)).abs() < 0.01;
        let others: Vec<&str> =
            seen.serving.iter().map(|share| share.release.as_str()).filter(|name| *name != release).collect();
        let done = match (&others[..], seen.serving.len()) {
            ([_], 2) if has(&seen) => return Ok(()),
            ([former], 2) => self.move_weights(&config, [(former, 100 - percent), (release, percent)])?,
            ([former], 1) => {
                let pair = self.pair(former, (release, &own), percent)?;
                self.update(&pair, Pace::Staged)
            }
            _ => {
                let text = format!("`{release}` shares with one other release, and {} serve", others.len());
                return Err(PortError::new(Kind::Conflict, text));
            }
        };
        let Err(error) = done else { return Ok(()) };
        // It may have been carried out all the same.
        match self.describe() {
            Ok(after) if has(&after) || after.condition == Condition::Changing => Ok(()),
            _ => Err(error.into()),
        }
    }

    /// The configuration in which two releases share the traffic, made if it is not there. Its name follows from what is in it.
    fn pair(&self, former: &str, (release, own): (&str, &Value), percent: u32) -> Result<String, PortError> {
        let beside = self.config(former)?.ok_or_else(|| {
            PortError::new(Kind::Absent, format!("there is no endpoint configuration `{former}`"))
        })?;
        let cut = release.len().saturating_sub(HASH);
        let stem = release.get(..cut).filter(|_| is_release_of(self.site, release)).ok_or_else(|| {
            PortError::new(Kind::Invalid, format!("`{release}` is not the name of a release"))
        })?;
        let digest = Digest::of(format!("{former} {release} {percent}").as_bytes()).to_hex();
        let name = format!("{stem}{}", &digest[..HASH]);
        let variant = |config: &Value, weight: u32| {
            let there = &config["ProductionVariants"][0];
            let kept = OF_VARIANT.iter().map(|key| ((*key).to_owned(), there[*key].clone()));
            let mut variant: serde_json::Map<String, Value> = kept.collect();
            variant.insert("InitialVariantWeight".to_owned(), json!(f64::from(weight)));
            Value::Object(variant)
        };
        let variants = json!([variant(&beside, 100 - percent), variant(own, percent)]);
        let mut input = json!({
            "EndpointConfigName": name, "ProductionVariants": variants,
            "Tags": tags(self.site, None, ("Key", "Value")),
        });
        for key in OF_CONFIG.into_iter().filter(|key| !own[*key].is_null()) {
            input[key] = own[key].clone();
        }
        match self.config(&name)? {
            None => unless_taken(self.call(&CREATE_CONFIG, &input))?,
            Some(there) if there["ProductionVariants"][1]["ModelName"] == variants[1]["ModelName"] => {}
            Some(_) => {
                let text = format!("`{name}` is there with other content");
                return Err(PortError::new(Kind::Conflict, text).with_help("see who made it, and remove it"));
            }
        }
        Ok(name)
    }

    /// What could not be asked is the outer error, what failed the inner one.
    fn move_weights(
        &self,
        config: &str,
        shares: [(&str, u32); 2],
    ) -> Result<Result<(), AwsError>, PortError> {
        let known = self.config(config)?.unwrap_or_default();
        let listed = known["ProductionVariants"].as_array().cloned().unwrap_or_default();
        let weights: Vec<Value> = shares
            .iter()
            .filter_map(|(release, percent)| {
                let variant = listed.iter().find(|one| one["ModelName"] == **release)?;
                Some(json!({ "VariantName": variant["VariantName"], "DesiredWeight": f64::from(*percent) }))
            })
            .collect();
        if weights.len() != shares.len() {
            let text = format!("the endpoint configuration `{config}` has no variants of the two releases");
            return Err(PortError::new(Kind::Conflict, text));
        }
        let input = json!({ "EndpointName": self.name(), "DesiredWeightsAndCapacities": weights });
        Ok(self.call(&UPDATE_WEIGHTS, &input))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    describe_alarms_result: Found,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Found {
    #[serde(default)]
    metric_alarms: Members,
    #[serde(default)]
    composite_alarms: Members,
}

#[derive(Default, Deserialize)]
struct Members {
    #[serde(default)]
    member: Vec<Alarm>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Alarm {
    alarm_name: String,
    state_value: String,
}

/// Looks at alarms for so many minutes, at least once; which of them is on, as soon as one is.
pub(super) fn watch(
    client: &Client,
    alarms: &[AlarmName],
    minutes: u32,
) -> Result<Option<String>, PortError> {
    let mut waited = 0;
    for looks in 0.. {
        if let Some(on) = ringing(client, alarms)? {
            return Ok(Some(on));
        }
        if waited >= u64::from(minutes) * 60 {
            break;
        }
        std::thread::sleep(client.pause_between(looks));
        waited += 1 << looks.min(4);
    }
    Ok(None)
}

/// The first alarm that is on. One that is not there could take nothing back, which is an error.
fn ringing(client: &Client, alarms: &[AlarmName]) -> Result<Option<String>, PortError> {
    if alarms.is_empty() {
        return Ok(None);
    }
    let mut form = vec![
        ("AlarmTypes.member.1".to_owned(), "MetricAlarm".to_owned()),
        ("AlarmTypes.member.2".to_owned(), "CompositeAlarm".to_owned()),
    ];
    let names = alarms.iter().enumerate();
    form.extend(names.map(|(at, name)| (format!("AlarmNames.member.{}", at + 1), name.to_string())));
    let pairs: Vec<(&str, &str)> = form.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let answer = client.call(&DESCRIBE_ALARMS, &Wire::form(&DESCRIBE_ALARMS, &pairs))?;
    let found = from_xml::<Answer>(&DESCRIBE_ALARMS, &answer)?.describe_alarms_result;
    let all: Vec<Alarm> =
        found.metric_alarms.member.into_iter().chain(found.composite_alarms.member).collect();
    for name in alarms {
        match all.iter().find(|one| one.alarm_name == name.as_str()) {
            None => {
                let text = format!("there is no alarm `{name}`, so that nothing would take the traffic back");
                return Err(PortError::new(Kind::Absent, text));
            }
            Some(alarm) if alarm.state_value == "ALARM" => {
                return Ok(Some(format!("the alarm `{name}` is on")));
            }
            Some(_) => {}
        }
    }
    Ok(None)
}
