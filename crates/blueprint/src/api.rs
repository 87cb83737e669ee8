//! The door for callers: an API of API Gateway that asks who calls, counts, limits and records, before each endpoint.

use crate::serving::on_sagemaker;
use crate::site::Site;
use crate::template::{Area, Resource, arn, get, logical, policy, sub, to};
use crate::trail::log_group;
use charter::model::{Model, Quota};
use facts::Digest;
use serde_json::{Value, json};

/// The one stage.
const STAGE: &str = "prod";
/// What a service gets for which the charter names no quota.
const QUOTA: Quota = Quota { requests_per_second: 10.0, burst: 20, requests_per_day: Some(100_000) };
const SECONDS_A_DAY: f64 = 86_400.0;

/// The path of a model's method, as policies name it.
pub(crate) fn path_arn(model: &Model) -> Value {
    sub(format!(
        "arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{Api}}/{}",
        path(model)
    ))
}

fn path(model: &Model) -> String {
    format!("{STAGE}/POST/endpoints/{}/invocations", model.endpoint.name)
}

pub(crate) fn area(site: &Site<'_>) -> Area {
    let mut resources = vec![rest_api(site)];
    resources.extend(crate::sign_in::resources(site));
    resources.extend(invoke_role(site));
    let mut methods = vec![part("Ping", get("Api", "RootResourceId"), "ping"), ping(site)];
    methods.push(part("Endpoints", get("Api", "RootResourceId"), "endpoints"));
    for model in on_sagemaker(site) {
        let name = logical(model.name.as_str());
        methods.push(part(&format!("{name}Path"), to("Endpoints"), model.endpoint.name.as_str()));
        methods.push(part(&format!("{name}Invocations"), to(&format!("{name}Path")), "invocations"));
        methods.push(ask(site, model));
    }
    let deployment = deployment(&methods);
    resources.push(Resource::new(
        "Validator",
        "AWS::ApiGateway::RequestValidator",
        json!({"RestApiId": to("Api"), "ValidateRequestBody": true, "ValidateRequestParameters": true}),
    ));
    let stage = stage(site, &deployment.id);
    resources.extend(methods);
    resources.push(deployment);
    resources.extend(stage);
    resources.extend(plans(site));
    resources.extend(crate::firewall::resources(site));
    Area {
        title: "API",
        why: "The same paths as the gateway of the house. Each caller proves who it is and brings a key, to which its \
              quota of the charter is bound.",
        resources,
    }
}

fn rest_api(site: &Site<'_>) -> Resource {
    let kind = if site.is_private() { "PRIVATE" } else { "REGIONAL" };
    let mut endpoint = json!({"Types": [kind]});
    if site.is_private() {
        endpoint["VpcEndpointIds"] = json!([to("ApiEndpoint")]);
    }
    let properties = json!({
        "Name": format!("{}-models", site.org()),
        "Description": format!("the models of {}", site.charter.organisation.name),
        "ApiKeySourceType": "HEADER",
        "EndpointConfiguration": endpoint,
        "Policy": policy(callers(site)),
        "Tags": site.shared_tags(),
    });
    Resource::new("Api", "AWS::ApiGateway::RestApi", properties)
}

/// Who may call what. With Cognito the policy names the way, and the authoriser asks who it is.
fn callers(site: &Site<'_>) -> Vec<Value> {
    let whole = "execute-api:/*";
    let mut all = Vec::new();
    if site.is_private() {
        all.push(json!({
            "Sid": "OnlyThroughPrivateLink",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "execute-api:Invoke",
            "Resource": whole,
            "Condition": {"StringNotEquals": {"aws:SourceVpce": to("ApiEndpoint")}},
        }));
    }
    if site.by_cognito() {
        all.push(json!({
            "Sid": "SignedInByCognito",
            "Effect": "Allow",
            "Principal": "*",
            "Action": "execute-api:Invoke",
            "Resource": whole,
            "Condition": {"StringEquals": {"aws:SourceVpce": to("ApiEndpoint")}},
        }));
        return all;
    }
    let mut everybody: Vec<_> = Vec::new();
    for model in on_sagemaker(site) {
        let roles = site.arns(&model.endpoint.consumers);
        if roles.is_empty() {
            continue;
        }
        everybody.extend(&model.endpoint.consumers);
        all.push(json!({
            "Sid": format!("Ask{}", logical(model.name.as_str())),
            "Effect": "Allow",
            "Principal": {"AWS": roles},
            "Action": "execute-api:Invoke",
            "Resource": format!("execute-api:/{}", path(model)),
        }));
    }
    let (sid, who) = match everybody.is_empty() {
        true => ("NobodyAsksYet", json!([sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root")])),
        false => ("Ping", json!(site.arns(everybody))),
    };
    all.push(json!({
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"AWS": who},
        "Action": "execute-api:Invoke",
        "Resource": format!("execute-api:/{STAGE}/GET/ping"),
    }));
    all
}

/// The role as which the API asks endpoints.
fn invoke_role(site: &Site<'_>) -> Option<Resource> {
    let endpoint = |model: &Model| {
        let name = &model.endpoint.name;
        sub(format!("arn:${{AWS::Partition}}:sagemaker:${{AWS::Region}}:${{AWS::AccountId}}:endpoint/{name}"))
    };
    let endpoints: Vec<Value> = on_sagemaker(site).map(endpoint).collect();
    let properties = json!({
        "AssumeRolePolicyDocument": policy(vec![json!({
            "Effect": "Allow",
            "Principal": {"Service": "apigateway.amazonaws.com"},
            "Action": "sts:AssumeRole",
        })]),
        "PermissionsBoundary": to("WorkloadBoundary"),
        "Policies": [{"PolicyName": "ask-endpoints", "PolicyDocument": policy(vec![json!({
            "Effect": "Allow",
            "Action": "sagemaker:InvokeEndpoint",
            "Resource": endpoints,
        })])}],
        "Tags": site.shared_tags(),
    });
    (!endpoints.is_empty()).then(|| Resource::new("AskRole", "AWS::IAM::Role", properties))
}

fn part(id: &str, parent: Value, path: &str) -> Resource {
    let mut properties = json!({"RestApiId": to("Api"), "ParentId": null, "PathPart": path});
    properties["ParentId"] = parent;
    Resource::new(id, "AWS::ApiGateway::Resource", properties)
}

/// What all methods have in common.
fn method(
    site: &Site<'_>,
    (id, verb, resource): (String, &str, &str),
    integration: Value,
    responses: Value,
) -> Resource {
    let mut properties = json!({
        "RestApiId": to("Api"),
        "ResourceId": to(resource),
        "HttpMethod": verb,
        "ApiKeyRequired": true,
        "AuthorizationType": if site.by_cognito() { "COGNITO_USER_POOLS" } else { "AWS_IAM" },
        "RequestValidatorId": to("Validator"),
        "Integration": null,
        "MethodResponses": null,
    });
    properties["Integration"] = integration;
    properties["MethodResponses"] = responses;
    if site.by_cognito() {
        properties["AuthorizerId"] = to("Authoriser");
    }
    Resource::new(id, "AWS::ApiGateway::Method", properties)
}

fn ping(site: &Site<'_>) -> Resource {
    let integration = json!({
        "Type": "MOCK",
        "RequestTemplates": {"application/json": "{\"statusCode\": 200}"},
        "IntegrationResponses": [{"StatusCode": "200"}],
    });
    method(site, ("PingMethod".to_owned(), "GET", "Ping"), integration, json!([{"StatusCode": "200"}]))
}

fn ask(site: &Site<'_>, model: &Model) -> Resource {
    let name = logical(model.name.as_str());
    let uri = format!(
        "arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}:runtime.sagemaker:path/endpoints/{}/invocations",
        model.endpoint.name
    );
    let answer = |status: &str, pattern: &str| json!({"StatusCode": status, "SelectionPattern": pattern});
    let integration = json!({
        "Type": "AWS",
        "IntegrationHttpMethod": "POST",
        "Uri": sub(uri),
        "Credentials": arn("AskRole"),
        "PassthroughBehavior": "WHEN_NO_MATCH",
        "TimeoutInMillis": 29000,
        "IntegrationResponses": [{"StatusCode": "200"}, answer("400", "4\\d{2}"), answer("502", "5\\d{2}")],
    });
    let responses = json!([{"StatusCode": "200"}, {"StatusCode": "400"}, {"StatusCode": "502"}]);
    let id = format!("{name}Method");
    method(site, (id, "POST", &format!("{name}Invocations")), integration, responses)
}

/// A deployment is a picture of the methods: when they change it must be another resource, so its name says of what it
/// is.
fn deployment(methods: &[Resource]) -> Resource {
    let all: Vec<Value> = methods.iter().map(Resource::section).collect();
    let digest = Digest::of(json!(all).to_string().as_bytes()).to_string();
    let hex: String = digest.rsplit(':').next().unwrap_or_default().chars().take(8).collect();
    let mut deployment = Resource::new(
        format!("Deployment{hex}"),
        "AWS::ApiGateway::Deployment",
        json!({"RestApiId": to("Api")}),
    );
    let methods = methods.iter().filter(|one| one.kind == "AWS::ApiGateway::Method");
    deployment.after = methods.map(|one| one.id.clone()).collect();
    deployment.why("Its name has the digest of the methods: when they change, there is a new deployment.")
}

fn stage(site: &Site<'_>, deployment: &str) -> Vec<Resource> {
    let name = format!("/{}/api", site.org());
    let format = json!({
        "caller": "$context.identity.caller",
        "error": "$context.error.messageString",
        "ip": "$context.identity.sourceIp",
        "key": "$context.identity.apiKeyId",
        "latency_ms": "$context.responseLatency",
        "path": "$context.resourcePath",
        "request": "$context.requestId",
        "status": "$context.status",
        "time": "$context.requestTimeEpoch",
        "user": "$context.authorizer.claims.sub",
    });
    let (rate, burst) = site.callers().fold((0.0, 0_u32), |(rate, burst), service| {
        let quota = service.quota.unwrap_or(QUOTA);
        (rate + quota.requests_per_second, burst.saturating_add(quota.burst))
    });
    let properties = json!({
        "RestApiId": to("Api"),
        "DeploymentId": to(deployment),
        "StageName": STAGE,
        "AccessLogSetting": {
            "DestinationArn":
                sub(format!("arn:${{AWS::Partition}}:logs:${{AWS::Region}}:${{AWS::AccountId}}:log-group:{name}")),
            "Format": format.to_string(),
        },
        "ClientCertificateId": to("ClientCertificate"),
        "MethodSettings": [{
            "#": "Bodies are captured by the endpoint, encrypted; logs hold none.",
            "ResourcePath": "/*",
            "HttpMethod": "*",
            "CachingEnabled": false,
            "DataTraceEnabled": false,
            "LoggingLevel": "ERROR",
            "MetricsEnabled": true,
            "ThrottlingBurstLimit": burst.max(QUOTA.burst),
            "ThrottlingRateLimit": rate.max(QUOTA.requests_per_second),
        }],
        "TracingEnabled": true,
        "Tags": site.shared_tags(),
    });
    let role = json!({
        "AssumeRolePolicyDocument": policy(vec![json!({
            "Effect": "Allow",
            "Principal": {"Service": "apigateway.amazonaws.com"},
            "Action": "sts:AssumeRole",
        })]),
        "ManagedPolicyArns":
            [sub("arn:${AWS::Partition}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs")],
        "Tags": site.shared_tags(),
    });
    let certificate = json!({"Description": "shown to what the API asks", "Tags": site.shared_tags()});
    vec![
        log_group(site, "ApiLogs", &name),
        Resource::new("ApiLogsRole", "AWS::IAM::Role", role),
        Resource::new(
            "ApiAccount",
            "AWS::ApiGateway::Account",
            json!({"CloudWatchRoleArn": arn("ApiLogsRole")}),
        )
        .why("One for the account and region: the role as which API Gateway writes logs."),
        Resource::new("ClientCertificate", "AWS::ApiGateway::ClientCertificate", certificate),
        Resource::new("Stage", "AWS::ApiGateway::Stage", properties).after("ApiAccount").after("ApiLogs"),
    ]
}

/// A key and a plan for each service that may call, with its quota of the charter.
fn plans(site: &Site<'_>) -> Vec<Resource> {
    let mut callers: Vec<(String, String, Quota)> = site
        .callers()
        .map(|service| (service.id.to_string(), service.description.clone(), service.quota.unwrap_or(QUOTA)))
        .collect();
    if callers.is_empty() {
        callers.push((
            "nobody-yet".to_owned(),
            "no service of the charter may call a model".to_owned(),
            QUOTA,
        ));
    }
    callers.into_iter().flat_map(|(id, said, quota)| plan(site, (&id, &said), quota)).collect()
}

fn plan(site: &Site<'_>, (id, said): (&str, &str), quota: Quota) -> [Resource; 3] {
    let name = logical(id);
    let (plan, key) = (format!("{name}Plan"), format!("{name}ApiKey"));
    // A plan without a limit for the day has the one that its rate comes to.
    let by_rate = (quota.requests_per_second * SECONDS_A_DAY).ceil().max(1.0);
    let day = quota.requests_per_day.map_or(json!(by_rate as u64), |day| json!(day));
    let properties = json!({
        "UsagePlanName": format!("{}-{id}", site.org()),
        "Description": said,
        "ApiStages": [{"ApiId": to("Api"), "Stage": to("Stage")}],
        "Quota": {"Limit": day, "Period": "DAY"},
        "Throttle": {"BurstLimit": quota.burst, "RateLimit": quota.requests_per_second},
        "Tags": site.shared_tags(),
    });
    let of_key = json!({"Name": format!("{}-{id}", site.org()), "Enabled": true, "Tags": site.shared_tags()});
    let bound = json!({"KeyId": to(&key), "KeyType": "API_KEY", "UsagePlanId": to(&plan)});
    [
        Resource::new(&plan, "AWS::ApiGateway::UsagePlan", properties).why(format!("{id}: {said}.")),
        Resource::new(&key, "AWS::ApiGateway::ApiKey", of_key).after("Stage"),
        Resource::new(format!("{name}PlanKey"), "AWS::ApiGateway::UsagePlanKey", bound),
    ]
}
