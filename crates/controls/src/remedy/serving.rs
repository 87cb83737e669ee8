//! Fixes of endpoints of SageMaker. A configuration never changes, so a new one is made beside it and every endpoint that
//! has the old one is moved to it; the old one stays, so that they can be moved back.

use super::subject::{Subject, with};
use super::{Fix, Looks};
use facts::Digest;
use facts::inventory::{Item, Provenance};
use facts::remediation::{Call, Change, Class, Target};
use serde_json::{Value, json};

pub(super) const CONFIG: &str = "AWS::SageMaker::EndpointConfig";
const ENDPOINT: &str = "AWS::SageMaker::Endpoint";
/// What a configuration is made of, by the API reference of CreateEndpointConfig.
const MEMBERS: [&str; 9] = [
    "ProductionVariants",
    "ShadowProductionVariants",
    "DataCaptureConfig",
    "KmsKeyId",
    "AsyncInferenceConfig",
    "ExplainerConfig",
    "ExecutionRoleArn",
    "VpcConfig",
    "EnableNetworkIsolation",
];
/// The longest name of a configuration.
const NAME: usize = 63;
const MARK: usize = 8;

/// A fix that makes a configuration anew.
const fn replace(control: &'static str, words: [&'static str; 3], changes: super::Changes) -> Fix {
    let [name, does, touches] = words;
    Fix { name, control, kind: CONFIG, class: Class::Replace, does, touches, changes, proof: Some(made) }
}

pub(super) const FIXES: &[Fix] = &[
    replace(
        "SM-10",
        [
            "encrypt_endpoint",
            "its endpoints get a new configuration whose volumes are encrypted with the key that was named",
            "SageMaker moves traffic to new instances when they are in service; the endpoint's role needs the key",
        ],
        |subject, looks| {
            let key = subject.key()?;
            anew(subject, looks, |config| Ok(with(config, "KmsKeyId", key.into())))
        },
    ),
    replace(
        "SM-11",
        [
            "capture_traffic",
            "its endpoints get a new configuration that captures what is asked and answered, encrypted",
            "what callers send is kept in the bucket that was named; the endpoint's role must be able to write there",
        ],
        |subject, looks| {
            let (key, bucket) = (subject.key()?, subject.capture_bucket()?);
            anew(subject, looks, |config| {
                let capture = json!({"EnableCapture": true, "InitialSamplingPercentage": 100, "KmsKeyId": key,
                    "DestinationS3Uri": format!("s3://{bucket}/{}", subject.id()),
                    "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}]});
                Ok(with(config, "DataCaptureConfig", capture))
            })
        },
    ),
    replace(
        "SM-12",
        [
            "serve_from_two_instances",
            "its endpoints get a new configuration with two instances for each variant",
            "SageMaker moves traffic to new instances when they are in service; each costs as much as the one before",
        ],
        |subject, looks| {
            anew(subject, looks, |config| {
                let variants = config["ProductionVariants"].as_array().ok_or("it has no variants")?.iter();
                let doubled = |variant: &Value| match variant["InitialInstanceCount"].as_u64() {
                    Some(count) if count < 2 => with(variant, "InitialInstanceCount", 2.into()),
                    _ => variant.clone(),
                };
                Ok(with(config, "ProductionVariants", variants.map(doubled).collect::<Vec<_>>().into()))
            })
        },
    ),
];

/// The configuration that was made.
fn made(changes: &[Change]) -> Option<Target> {
    let id = changes.first()?.calls.first()?.parameters.get("EndpointConfigName")?.as_str()?;
    Some(Target { kind: CONFIG.to_owned(), id: id.to_owned() })
}

fn anew(
    subject: &Subject<'_>,
    looks: Looks<'_>,
    change: impl FnOnce(&Value) -> Result<Value, String>,
) -> Result<Vec<Change>, String> {
    let endpoints = endpoints(subject, subject.id())?;
    if endpoints.is_empty() {
        return Err("no endpoint has it: delete it if it is of no use".to_owned());
    }
    let (name, made) = configuration(subject, looks, subject.item, change)?;
    let mut changes = vec![made];
    for endpoint in endpoints {
        changes.push(moved(subject, looks, &endpoint, (subject.id(), &name))?);
    }
    Ok(changes)
}

fn call(subject: &Subject<'_>, operation: &str, parameters: Value) -> Call {
    subject.call("sagemaker", operation, parameters)
}

/// A new configuration like one of the inventory but for a change: its name, and how it is made.
pub(super) fn configuration(
    subject: &Subject<'_>,
    looks: Looks<'_>,
    old: &Item,
    change: impl FnOnce(&Value) -> Result<Value, String>,
) -> Result<(String, Change), String> {
    let named = |name: &str| json!({"EndpointConfigName": name});
    let look = |name: &str| subject.look(call(subject, "DescribeEndpointConfig", named(name)), "", &MEMBERS);
    let config = change(&looks(&look(&old.id))?)?;
    let name = new_name(&old.id, &config);
    if !looks(&look(&name))?.is_null() {
        return Err(format!("the configuration `{name}` is there already: delete it if no endpoint has it"));
    }
    let mut parameters = named(&name).as_object().cloned().unwrap_or_default();
    parameters.extend(config.as_object().cloned().unwrap_or_default());
    parameters.extend(tags(old)?);
    let change = Change {
        look: look(&name),
        before: Value::Null,
        after: config,
        calls: vec![call(subject, "CreateEndpointConfig", parameters.into())],
        inverse: vec![call(subject, "DeleteEndpointConfig", named(&name))],
        undone: None,
    };
    Ok((name, change))
}

/// The tags that what is made anew takes over.
pub(super) fn tags(old: &Item) -> Result<Option<(String, Value)>, String> {
    if let Some(missing) = old.provenance.get("Tags").and_then(Provenance::missing) {
        return Err(format!("`Tags` is not known: {missing}"));
    }
    let tags = old.properties.get("Tags").filter(|tags| tags.as_array().is_some_and(|tags| !tags.is_empty()));
    Ok(tags.map(|tags| ("Tags".to_owned(), tags.clone())))
}

/// An endpoint goes from one configuration to another; SageMaker does it blue/green, and keeps the old one if the new one
/// does not come into service.
pub(super) fn moved(
    subject: &Subject<'_>,
    looks: Looks<'_>,
    endpoint: &str,
    (old, new): (&str, &str),
) -> Result<Change, String> {
    let own = json!({"EndpointName": endpoint});
    let only = ["EndpointConfigName", "EndpointStatus"];
    let state = subject.look(call(subject, "DescribeEndpoint", own.clone()), "", &only);
    let before = looks(&state)?;
    let serving = |config: &str| json!({"EndpointConfigName": config, "EndpointStatus": "InService"});
    if before != serving(old) {
        return Err(format!(
            "the endpoint `{endpoint}` is not in service with it now: plan again when it is"
        ));
    }
    let update =
        |config: &str| vec![call(subject, "UpdateEndpoint", with(&own, "EndpointConfigName", config.into()))];
    let (calls, inverse) = (update(new), update(old));
    Ok(Change { look: state, before, after: serving(new), calls, inverse, undone: None })
}

/// The endpoints that have a configuration.
pub(super) fn endpoints(subject: &Subject<'_>, config: &str) -> Result<Vec<String>, String> {
    if !subject.inventory.read.contains(ENDPOINT) {
        return Err("which endpoints have it is not known".to_owned());
    }
    let mut all = Vec::new();
    for item in subject.inventory.resources.iter().filter(|item| item.kind == ENDPOINT) {
        match item.properties.get("EndpointConfigName").and_then(Value::as_str) {
            Some(own) if own == config => all.push(item.id.clone()),
            Some(_) => {}
            None => return Err(format!("whether the endpoint `{}` has it is not known", item.id)),
        }
    }
    Ok(all)
}

/// A name that says of what it comes and what is in it.
pub(super) fn new_name(old: &str, config: &Value) -> String {
    let mut config = config.clone();
    config.sort_all_objects();
    let mark = Digest::of(config.to_string().as_bytes()).to_hex();
    let old: String = old.chars().take(NAME - MARK - 1).collect();
    format!("{}-{}", old.trim_end_matches('-'), mark.get(..MARK).unwrap_or(&mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_follows_from_what_is_in_it_and_fits() {
        let one = new_name("credit", &json!({"a": 1, "b": 2}));
        assert_eq!(one, new_name("credit", &json!({"b": 2, "a": 1})));
        assert_ne!(one, new_name("credit", &json!({"a": 1})));
        assert_eq!(new_name(&"x".repeat(63), &json!({})).len(), NAME);
    }
}
