//! Fixes of endpoints of SageMaker. A configuration never changes, so a new one is made beside it and every endpoint that
//! has the old one is moved to it; the old one stays, so that they can be moved back.

use super::subject::{Subject, with};
use super::{Fix, Looks};
use facts::Digest;
use facts::remediation::{Change, Class, Target};
use serde_json::{Value, json};

const CONFIG: &str = "AWS::SageMaker::EndpointConfig";
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
    let call = |operation: &str, parameters: Value| subject.call("sagemaker", operation, parameters);
    let named = |name: &str| json!({"EndpointConfigName": name});
    let look = |name: &str| subject.look(call("DescribeEndpointConfig", named(name)), "", &MEMBERS);
    let endpoints = endpoints(subject)?;
    let config = change(&looks(&look(subject.id()))?)?;
    let name = new_name(subject.id(), &config);
    if !looks(&look(&name))?.is_null() {
        return Err(format!("the configuration `{name}` is there already: delete it if no endpoint has it"));
    }
    let mut parameters = named(&name).as_object().cloned().unwrap_or_default();
    parameters.extend(config.as_object().cloned().unwrap_or_default());
    if let Some(tags) =
        subject.property("/Tags")?.filter(|tags| tags.as_array().is_some_and(|tags| !tags.is_empty()))
    {
        parameters.insert("Tags".to_owned(), tags.clone());
    }
    let mut changes = vec![Change {
        look: look(&name),
        before: Value::Null,
        after: config,
        calls: vec![call("CreateEndpointConfig", parameters.into())],
        inverse: vec![call("DeleteEndpointConfig", named(&name))],
        undone: None,
    }];
    for endpoint in endpoints {
        let own = json!({"EndpointName": endpoint});
        let state = subject.look(
            call("DescribeEndpoint", own.clone()),
            "",
            &["EndpointConfigName", "EndpointStatus"],
        );
        let before = looks(&state)?;
        let serving = |config: &str| json!({"EndpointConfigName": config, "EndpointStatus": "InService"});
        if before != serving(subject.id()) {
            return Err(format!(
                "the endpoint `{endpoint}` is not in service with it now: plan again when it is"
            ));
        }
        let update =
            |config: &str| vec![call("UpdateEndpoint", with(&own, "EndpointConfigName", config.into()))];
        changes.push(Change {
            look: state,
            before,
            after: serving(&name),
            calls: update(&name),
            inverse: update(subject.id()),
            undone: None,
        });
    }
    Ok(changes)
}

/// The endpoints that have the configuration.
fn endpoints(subject: &Subject<'_>) -> Result<Vec<String>, String> {
    if !subject.inventory.read.contains(ENDPOINT) {
        return Err("which endpoints have it is not known".to_owned());
    }
    let mut all = Vec::new();
    for item in subject.inventory.resources.iter().filter(|item| item.kind == ENDPOINT) {
        match item.properties.get("EndpointConfigName").and_then(Value::as_str) {
            Some(config) if config == subject.id() => all.push(item.id.clone()),
            Some(_) => {}
            None => return Err(format!("whether the endpoint `{}` has it is not known", item.id)),
        }
    }
    if all.is_empty() {
        return Err("no endpoint has it: delete it if it is of no use".to_owned());
    }
    Ok(all)
}

/// A name that says of what it comes and what is in it.
fn new_name(old: &str, config: &Value) -> String {
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
