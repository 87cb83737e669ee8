//! Cases in the JSON of batch lines, compiled once to be decided often.

use iam::{
    Context, Grant, Layers, OrganizationLevel, Policy, PolicyKind, Principal, Program, Request, S3Settings,
    Values,
};
use serde_json::{Value, json};

fn list(value: &Value) -> &[Value] {
    match value {
        Value::Array(items) => items,
        Value::Null => &[],
        one => std::slice::from_ref(one),
    }
}

fn text(value: &Value) -> Box<str> {
    value.as_str().map_or_else(|| value.to_string().into(), Box::from)
}

/// The request of a case.
pub(crate) fn read_request(request: &Value) -> Option<Request> {
    let principal = request["principal"].as_str().map_or(Principal::Anonymous, Principal::parse);
    let mut keys = Context::default();
    for (key, value) in request["context"].as_object().into_iter().flatten() {
        let values = match value {
            Value::Array(items) => Values::Many(items.iter().map(text).collect()),
            one => Values::One(text(one)),
        };
        keys.set(key, values);
    }
    let (action, resource) = (request["action"].as_str()?, request["resource"].as_str()?);
    Request::new(principal, action, resource, request["resourceAccount"].as_str(), keys).ok()
}

fn programs(policies: &Value, kind: PolicyKind) -> Option<Vec<Program>> {
    let program = |policy: &Value| Some(Program::new(Policy::parse("p", &policy.to_string()).ok()?, kind));
    list(policies).iter().map(program).collect()
}

fn levels(levels: &Value, kind: PolicyKind) -> Option<Vec<OrganizationLevel>> {
    let level = |level: &Value| {
        Some(OrganizationLevel { id: "o".into(), policies: programs(&level["policies"], kind)? })
    };
    list(levels).iter().map(level).collect()
}

/// The policies of a case, compiled; the service of the action tells what the resource policy is.
pub(crate) fn read_layers(policies: &Value, action: &str) -> Option<Layers> {
    let kind = match action.split_once(':').map(|(service, _)| service) {
        Some("kms") => PolicyKind::KmsKey,
        Some("sts") => PolicyKind::Trust,
        _ => PolicyKind::Resource,
    };
    let grants: Option<Vec<Grant>> =
        list(&policies["grants"]).iter().map(|grant| serde_json::from_value(grant.clone()).ok()).collect();
    let s3 = policies.get("s3").cloned().unwrap_or_else(|| json!({}));
    Some(Layers {
        identity: programs(&policies["identity"], PolicyKind::Identity)?,
        resource: programs(&policies["resource"], kind)?.pop(),
        boundaries: programs(&policies["boundaries"], PolicyKind::Boundary)?,
        session: programs(&policies["session"], PolicyKind::Session)?,
        endpoint: programs(&policies["endpoint"], PolicyKind::Endpoint)?,
        scp: levels(&policies["scp"], PolicyKind::Scp)?,
        rcp: levels(&policies["rcp"], PolicyKind::Rcp)?,
        grants: grants?,
        s3: serde_json::from_value::<S3Settings>(s3).ok()?,
    })
}
