//! Fixes of models of SageMaker. A model never changes either: a new one is made, every configuration with the old one is
//! made anew with it, and the endpoints are moved. What was there stays, so that they can be moved back.

use super::serving::{CONFIG, configuration, endpoints, moved, new_name, tags};
use super::subject::{Subject, with};
use super::{Fix, Looks};
use facts::inventory::Item;
use facts::remediation::{Change, Class, Target};
use serde_json::{Value, json};

const MODEL: &str = "AWS::SageMaker::Model";
/// What a model is made of, by the API reference of CreateModel.
const MEMBERS: [&str; 6] = [
    "PrimaryContainer",
    "Containers",
    "InferenceExecutionConfig",
    "ExecutionRoleArn",
    "VpcConfig",
    "EnableNetworkIsolation",
];
/// Lists of a configuration that name models.
const VARIANTS: [&str; 2] = ["ProductionVariants", "ShadowProductionVariants"];

pub(super) const FIXES: &[Fix] = &[Fix {
    name: "isolate_model",
    control: "SM-07",
    kind: MODEL,
    class: Class::Replace,
    does: "its endpoints get a new configuration with a new model like it that has no network",
    touches: "a container that calls out, to a feature store or for its licence, does not work any more; the endpoint then stays \
              on the old one",
    changes: isolated,
    proof: Some(made),
}];

/// The model that was made.
fn made(changes: &[Change]) -> Option<Target> {
    let id = changes.first()?.calls.first()?.parameters.get("ModelName")?.as_str()?;
    Some(Target { kind: MODEL.to_owned(), id: id.to_owned() })
}

fn isolated(subject: &Subject<'_>, looks: Looks<'_>) -> Result<Vec<Change>, String> {
    let call = |operation: &str, parameters: Value| subject.call("sagemaker", operation, parameters);
    let named = |name: &str| json!({"ModelName": name});
    let look = |name: &str| subject.look(call("DescribeModel", named(name)), "", &MEMBERS);
    let users = configurations(subject)?;
    let model = with(&looks(&look(subject.id()))?, "EnableNetworkIsolation", true.into());
    let name = new_name(subject.id(), &model);
    if !looks(&look(&name))?.is_null() {
        return Err(format!("the model `{name}` is there already: delete it if no configuration has it"));
    }
    let mut parameters = named(&name).as_object().cloned().unwrap_or_default();
    parameters.extend(model.as_object().cloned().unwrap_or_default());
    parameters.extend(tags(subject.item)?);
    let mut changes = vec![Change {
        look: look(&name),
        before: Value::Null,
        after: model,
        calls: vec![call("CreateModel", parameters.into())],
        inverse: vec![call("DeleteModel", named(&name))],
        undone: None,
    }];
    for (config, endpoints) in users {
        let (new, change) =
            configuration(subject, looks, config, |old| Ok(renamed(old, subject.id(), &name)))?;
        changes.push(change);
        for endpoint in endpoints {
            changes.push(moved(subject, looks, &endpoint, (&config.id, &new))?);
        }
    }
    Ok(changes)
}

/// A configuration with another model in the place of one.
fn renamed(config: &Value, old: &str, new: &str) -> Value {
    let mut config = config.clone();
    for list in VARIANTS {
        for variant in config.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            if variant["ModelName"] == old {
                variant["ModelName"] = new.into();
            }
        }
    }
    config
}

/// The configurations with the model that serve, with their endpoints.
fn configurations<'a>(subject: &Subject<'a>) -> Result<Vec<(&'a Item, Vec<String>)>, String> {
    if !subject.inventory.read.contains(CONFIG) {
        return Err("which configurations have it is not known".to_owned());
    }
    let mut all = Vec::new();
    for item in subject.inventory.resources.iter().filter(|item| item.kind == CONFIG) {
        if !item.properties.contains_key(VARIANTS[0]) {
            return Err(format!("whether the configuration `{}` has it is not known", item.id));
        }
        let variants = VARIANTS.iter().filter_map(|list| item.properties.get(*list)?.as_array()).flatten();
        if !variants.into_iter().any(|variant| variant["ModelName"] == subject.id()) {
            continue;
        }
        let serving = endpoints(subject, &item.id)?;
        if !serving.is_empty() {
            all.push((item, serving));
        }
    }
    if all.is_empty() {
        return Err("no endpoint serves it: delete it if it is of no use".to_owned());
    }
    Ok(all)
}
