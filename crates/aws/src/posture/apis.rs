//! Amazon API Gateway: REST APIs with their stages and methods, usage plans, domain names, and the firewalls before them.
//! Properties: AWS::ApiGateway::* of the CloudFormation reference; calls: API references of Amazon API Gateway and AWS WAF.

use super::items::{Draft, Told, derive, item, learn};
use super::reader::Reader;
use super::types::{Tags, Type, always, derived, describe, is, no_more, pairs, pascal};
use crate::error::{AwsError, Trouble};
use crate::operation::{Call, POSITION, Protocol, Service, call};
use facts::inventory::Item;
use serde_json::{Map, Value, json};

/// Amazon API Gateway, REST APIs.
const GATEWAY: Service = Service { id: "API_GATEWAY", name: "apigateway", protocol: Protocol::RestJson };
/// AWS WAF.
const WAF: Service = Service {
    id: "WAFV2",
    name: "wafv2",
    protocol: Protocol::Json { version: "1.1", target: "AWSWAF_20190729" },
};

const STAGES: &Call = call!(GATEWAY, "GetStages", "apigateway:GET", "GET /restapis/{restapi_id}/stages");
const RESOURCES: &Call = call!(
    GATEWAY,
    "GetResources",
    "apigateway:GET",
    "GET /restapis/{restapi_id}/resources?embed=methods&limit=500",
    POSITION.of("item")
);
const AUTHORIZERS: &Call =
    call!(GATEWAY, "GetAuthorizers", "apigateway:GET", "GET /restapis/{restapi_id}/authorizers?limit=500");
const FIREWALL: &Call = call!(WAF, "GetWebACLForResource", "wafv2:GetWebACLForResource");

pub(super) const CALLS: [&Call; 4] = [STAGES, RESOURCES, AUTHORIZERS, FIREWALL];

const STAGE_KIND: &str = "AWS::ApiGateway::Stage";
const METHOD_KIND: &str = "AWS::ApiGateway::Method";
const AUTHORIZER_KIND: &str = "AWS::ApiGateway::Authorizer";

pub(super) static TYPES: [Type; 3] = [
    Type {
        kind: "AWS::ApiGateway::RestApi",
        children: &[STAGE_KIND, METHOD_KIND, AUTHORIZER_KIND],
        list: call!(GATEWAY, "GetRestApis", "apigateway:GET", "GET /restapis?limit=500", POSITION.of("item")),
        with: || json!({}),
        id: "id",
        read: call!(GATEWAY, "GetRestApi", "apigateway:GET", "GET /restapis/{restapi_id}"),
        asked: "restapi_id",
        inside: "",
        arn: "",
        members: &[
            always("name", "Name"),
            always("endpointConfiguration", "EndpointConfiguration"),
            is("disableExecuteApiEndpoint", "DisableExecuteApiEndpoint"),
            is("apiKeySource", "ApiKeySourceType"),
        ],
        tags: Tags::Inside("tags"),
        more: parts,
    },
    Type {
        kind: "AWS::ApiGateway::UsagePlan",
        children: &[],
        list: call!(
            GATEWAY,
            "GetUsagePlans",
            "apigateway:GET",
            "GET /usageplans?limit=500",
            POSITION.of("item")
        ),
        with: || json!({}),
        id: "id",
        read: call!(GATEWAY, "GetUsagePlan", "apigateway:GET", "GET /usageplans/{usageplanId}"),
        asked: "usageplanId",
        inside: "",
        arn: "",
        members: &[
            always("name", "UsagePlanName"),
            is("apiStages", "ApiStages"),
            is("throttle", "Throttle"),
            is("quota", "Quota"),
        ],
        tags: Tags::Inside("tags"),
        more: no_more,
    },
    Type {
        kind: "AWS::ApiGateway::DomainName",
        children: &[],
        list: call!(
            GATEWAY,
            "GetDomainNames",
            "apigateway:GET",
            "GET /domainnames?limit=500",
            POSITION.of("item")
        ),
        with: || json!({}),
        id: "domainName",
        read: call!(GATEWAY, "GetDomainName", "apigateway:GET", "GET /domainnames/{domain_name}"),
        asked: "domain_name",
        inside: "",
        arn: "domainNameArn",
        members: &[
            always("domainName", "DomainName"),
            always("securityPolicy", "SecurityPolicy"),
            is("endpointConfiguration", "EndpointConfiguration"),
            is("mutualTlsAuthentication", "MutualTlsAuthentication"),
        ],
        tags: Tags::Inside("tags"),
        more: no_more,
    },
];

/// The policy of an API, its stages and its methods.
fn parts(reader: &Reader<'_>, told: &Value, api: &mut Item, draft: &mut Draft) {
    let read = &TYPES[0].read.operation;
    match api.provenance.get("Name").filter(|why| !why.status.is_known()).cloned() {
        Some(why) => {
            api.provenance.insert("Policy".to_owned(), why);
        }
        None => learn(api, "Policy", read, policy(told)),
    }
    stages(reader, api, draft);
    methods(reader, api, draft);
    authorizers(reader, api, draft);
}

/// Who decides for methods that ask somebody; methods name them by their id.
fn authorizers(reader: &Reader<'_>, api: &Item, draft: &mut Draft) {
    let told = match reader.ask(AUTHORIZERS, &json!({"restapi_id": api.id})) {
        Ok(told) => told,
        Err(error) => return draft.unread(AUTHORIZER_KIND, &AUTHORIZERS.operation, &error),
    };
    for told in told["item"].as_array().into_iter().flatten() {
        let Some(id) = told["id"].as_str() else { continue };
        let mut authorizer = item(AUTHORIZER_KIND, &format!("{}|{id}", api.id));
        authorizer.names.insert(id.to_owned());
        learn(&mut authorizer, "RestApiId", &AUTHORIZERS.operation, Told::Is(api.id.clone().into()));
        let members = [
            always("name", "Name"),
            always("type", "Type"),
            is("authorizerUri", "AuthorizerUri"),
            is("providerARNs", "ProviderARNs"),
        ];
        describe(&mut authorizer, &AUTHORIZERS.operation, Ok(told), &members);
        draft.items.push(authorizer);
    }
}

/// The policy, which the service escapes once more than JSON does.
fn policy(told: &Value) -> Told {
    let Some(text) = told["policy"].as_str().filter(|text| !text.is_empty()) else { return Told::Absent };
    let read = |text: &str| serde_json::from_str::<Value>(text).ok().filter(Value::is_object);
    let escaped = || read(&serde_json::from_str::<String>(&format!("\"{text}\"")).ok()?);
    match read(text).or_else(escaped) {
        Some(policy) => Told::Is(policy),
        None => Told::Not(
            AwsError::new(Trouble::Unreadable, "the policy is no JSON").of(&TYPES[0].read.operation),
        ),
    }
}

fn stages(reader: &Reader<'_>, api: &Item, draft: &mut Draft) {
    let told = match reader.ask(STAGES, &json!({"restapi_id": api.id})) {
        Ok(told) => told,
        Err(error) => return draft.unread(STAGE_KIND, &STAGES.operation, &error),
    };
    for told in told["item"].as_array().into_iter().flatten() {
        let Some(name) = told["stageName"].as_str() else { continue };
        let mut stage = item(STAGE_KIND, &format!("{}|{name}", api.id));
        learn(&mut stage, "RestApiId", &STAGES.operation, Told::Is(api.id.clone().into()));
        let members = [
            always("stageName", "StageName"),
            is("accessLogSettings", "AccessLogSetting"),
            is("clientCertificateId", "ClientCertificateId"),
            is("tracingEnabled", "TracingEnabled"),
            is("cacheClusterEnabled", "CacheClusterEnabled"),
        ];
        describe(&mut stage, &STAGES.operation, Ok(told), &members);
        learn(&mut stage, "MethodSettings", &STAGES.operation, Told::Is(settings(&told["methodSettings"])));
        learn(&mut stage, "Tags", &STAGES.operation, Told::Is(pairs(&told["tags"])));
        firewall(reader, told, (&api.id, name), &mut stage);
        draft.items.push(stage);
    }
}

/// The settings of methods: a map by `resource/METHOD` there, a list here. `*/*` is all of them.
fn settings(told: &Value) -> Value {
    let one = |(path, told): (&String, &Value)| {
        let (resource, method) = path.rsplit_once('/').unwrap_or(("*", path));
        // A resource is written with `~1` for its slashes.
        let resource = match resource {
            "*" => "/*".to_owned(),
            other => format!("/{}", other.replace("~1", "/").trim_start_matches('/')),
        };
        let mut setting = pascal(told).as_object().cloned().unwrap_or_default();
        setting.insert("ResourcePath".to_owned(), resource.into());
        setting.insert("HttpMethod".to_owned(), method.into());
        Value::Object(setting)
    };
    told.as_object().map(|all| all.iter().map(one).collect()).unwrap_or_else(|| json!([]))
}

/// The firewall of a stage: the answer names it; if it does not, WAF is asked.
fn firewall(reader: &Reader<'_>, told: &Value, (api, name): (&str, &str), stage: &mut Item) {
    if let Some(arn) = told["webAclArn"].as_str() {
        return derive(stage, "WebAclArn", &STAGES.operation, Told::Is(arn.into()));
    }
    let place = reader.client.partition().and_then(|partition| Ok((partition.name, reader.client.region()?)));
    let asked = place.and_then(|(partition, region)| {
        let arn = format!("arn:{partition}:apigateway:{region}::/restapis/{api}/stages/{name}");
        reader.ask(FIREWALL, &json!({ "ResourceArn": arn }))
    });
    let told = Told::by(asked, &["WAFNonexistentItemException"]);
    derive(stage, "WebAclArn", &FIREWALL.operation, told.and(|told| told["WebACL"].get("ARN").cloned()));
}

fn methods(reader: &Reader<'_>, api: &Item, draft: &mut Draft) {
    let all = match reader.all(RESOURCES, &json!({"restapi_id": api.id})) {
        Ok(all) => all,
        Err(error) => return draft.unread(METHOD_KIND, &RESOURCES.operation, &error),
    };
    for resource in all {
        let Some(id) = resource["id"].as_str() else { continue };
        for (verb, told) in resource["resourceMethods"].as_object().into_iter().flatten() {
            let mut method = item(METHOD_KIND, &format!("{}|{id}|{verb}", api.id));
            let own = [("RestApiId", api.id.as_str()), ("ResourceId", id), ("HttpMethod", verb)];
            for (property, value) in own {
                learn(&mut method, property, &RESOURCES.operation, Told::Is(value.into()));
            }
            let members = [
                always("authorizationType", "AuthorizationType"),
                is("authorizerId", "AuthorizerId"),
                always("apiKeyRequired", "ApiKeyRequired"),
                derived("operationName", "OperationName"),
            ];
            describe(&mut method, &RESOURCES.operation, Ok(told), &members);
            let integration = integration(&told["methodIntegration"]);
            learn(&mut method, "Integration", &RESOURCES.operation, integration);
            if let Some(path) = resource["path"].as_str() {
                derive(&mut method, "Path", &RESOURCES.operation, Told::Is(path.into()));
            }
            draft.items.push(method);
        }
    }
}

/// What a method leads to. Its templates are not read.
fn integration(told: &Value) -> Told {
    let names = [
        ("type", "Type"),
        ("uri", "Uri"),
        ("httpMethod", "IntegrationHttpMethod"),
        ("connectionType", "ConnectionType"),
        ("connectionId", "ConnectionId"),
        ("credentials", "Credentials"),
    ];
    if !told.is_object() {
        return Told::Absent;
    }
    let member = |(there, here): (&str, &str)| Some((here.to_owned(), told.get(there)?.clone()));
    Told::Is(Value::Object(names.into_iter().filter_map(member).collect::<Map<_, _>>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_methods_are_a_list() {
        let told = json!({"*/*": {"loggingLevel": "INFO"}, "~1score~1x/POST": {"dataTraceEnabled": true}});
        let ours = json!([{"LoggingLevel": "INFO", "ResourcePath": "/*", "HttpMethod": "*"},
            {"DataTraceEnabled": true, "ResourcePath": "/score/x", "HttpMethod": "POST"}]);
        assert_eq!(settings(&told), ours);
        assert_eq!(settings(&Value::Null), json!([]));
    }

    #[test]
    fn a_policy_is_read_as_it_is_told_or_unknown() {
        let known = |text: &str| match policy(&json!({ "policy": text })) {
            Told::Is(policy) => policy.to_string(),
            Told::Absent => "absent".to_owned(),
            Told::Not(error) => error.to_string(),
        };
        assert_eq!(known(r#"{\"Version\":\"2012-10-17\"}"#), r#"{"Version":"2012-10-17"}"#);
        assert_eq!(known(r#"{"Version":"2012-10-17"}"#), r#"{"Version":"2012-10-17"}"#);
        assert_eq!(known(""), "absent");
        assert_eq!(known("{"), "`apigateway:GetRestApi` failed: the policy is no JSON");
    }
}
