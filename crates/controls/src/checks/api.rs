//! API Gateway in front of models: who may call, how often, and what is recorded of it.

use crate::answer::{Answer, Found, Spot, all, any, below, find, not_applicable};
use crate::node::Node;
use crate::policies::{policy, public};
use crate::resource::{State, cause};
use crate::unit::{Case, Unit, part, unit};

const METHOD: &str = "AWS::ApiGateway::Method";
const ROUTE: &str = "AWS::ApiGatewayV2::Route";
const AUTHORIZER: &str = "AWS::ApiGateway::Authorizer";
const AUTHORIZER_2: &str = "AWS::ApiGatewayV2::Authorizer";
const STAGE: &str = "AWS::ApiGateway::Stage";
const STAGE_2: &str = "AWS::ApiGatewayV2::Stage";
/// What the transform for serverless applications makes stages of.
const SERVERLESS: [&str; 2] = ["AWS::Serverless::Api", "AWS::Serverless::HttpApi"];
const API: &str = "AWS::ApiGateway::RestApi";
const PLAN: &str = "AWS::ApiGateway::UsagePlan";
const DOMAIN: &str = "AWS::ApiGateway::DomainName";
const DOMAIN_2: &str = "AWS::ApiGatewayV2::DomainName";
const FIREWALL: [&str; 2] = ["AWS::WAFv2::WebACLAssociation", "AWS::WAFRegional::WebACLAssociation"];

pub(crate) const UNITS: &[Unit] = &[
    unit!(
        "API-01",
        High,
        Cross,
        "every method and route asks who calls, and somebody decides it",
        [METHOD, ROUTE],
        [],
        |case| all([authorised(case)].into_iter().chain(authorizer(case)))
    ),
    part!(
        "API-01",
        "type",
        High,
        "every method and route asks who calls",
        [METHOD, ROUTE],
        [
            "APIGateway.8",
            "CKV_AWS_309",
            "API_GWV2_AUTHORIZATION_TYPE_CONFIGURED",
            "API_GW_METHOD_AUTHORIZATION_TYPE_RULE",
            "W59"
        ],
        authorised
    ),
    part!(
        "API-01",
        "key",
        High,
        "every method asks who calls, or for a key",
        [METHOD],
        ["CKV_AWS_59", "AVD-AWS-0004"],
        |case| {
            let key = find(case.resource, "ApiKeyRequired").flag(true, false);
            any([authorised(case), key]).unwrap_or_else(|| authorised(case))
        }
    ),
    unit!(
        "API-02",
        Medium,
        Cross,
        "a stage has a usage plan with a quota and a throttle",
        [STAGE, PLAN],
        [],
        planned
    ),
    unit!(
        "API-03",
        Medium,
        Single,
        "calls are recorded, and what is in them is not",
        [STAGE, STAGE_2],
        [],
        |case| all([access_log(case), execution_log(case), no_trace(case)])
    ),
    part!(
        "API-03",
        "access",
        Medium,
        "a stage writes access logs",
        [STAGE, STAGE_2, SERVERLESS[0], SERVERLESS[1]],
        [
            "APIGateway.9",
            "CKV_AWS_76",
            "CKV_AWS_95",
            "AVD-AWS-0001",
            "W69",
            "W46",
            "API_GW_STAGE_ACCESS_LOGGING_RULE",
            "API_GWV2_ACCESS_LOGS_ENABLED"
        ],
        access_log
    ),
    part!(
        "API-03",
        "execution",
        Medium,
        "a stage writes execution logs",
        [STAGE],
        [
            "APIGateway.1",
            "API_GW_EXECUTION_LOGGING_ENABLED",
            "CKV2_AWS_4",
            "apigateway_restapi_logging_enabled"
        ],
        execution_log
    ),
    part!("API-03", "trace", Medium, "a stage does not record bodies", [STAGE], ["CKV_AWS_276"], no_trace),
    unit!(
        "API-04",
        Medium,
        Cross,
        "a stage is behind a web application firewall",
        [STAGE],
        ["APIGateway.4", "API_GW_ASSOCIATED_WITH_WAF", "apigateway_restapi_waf_acl_attached"],
        firewall
    ),
    unit!(
        "API-05",
        Medium,
        Single,
        "an API is private, or its policy says who may call",
        [API],
        ["apigateway_restapi_public"],
        private
    ),
    unit!(
        "API-06",
        Medium,
        Single,
        "TLS is at least 1.2, the backend sees a certificate, and caches are encrypted",
        [STAGE, DOMAIN, DOMAIN_2],
        [],
        |case| {
            if case.resource.kind == STAGE { all([certificate(case), cache(case)]) } else { tls(case) }
        }
    ),
    part!(
        "API-06",
        "tls",
        Medium,
        "a domain name of an API takes TLS 1.2 or later",
        [DOMAIN, DOMAIN_2],
        ["CKV_AWS_206", "AVD-AWS-0005", "W62", "API_GW_DOMAIN_DENY_NON_TLS_TRAFFIC"],
        tls
    ),
    part!(
        "API-06",
        "certificate",
        Medium,
        "a stage shows its backend a certificate",
        [STAGE],
        ["APIGateway.2", "API_GW_SSL_ENABLED", "apigateway_restapi_client_certificate_enabled"],
        certificate
    ),
    part!(
        "API-06",
        "cache",
        Medium,
        "a stage's cache is encrypted",
        [STAGE],
        ["APIGateway.5", "CKV_AWS_308", "AVD-AWS-0002", "apigateway_restapi_cache_encrypted"],
        cache
    ),
    unit!(
        "API-07",
        High,
        Cross,
        "a method in front of a model leads to an endpoint that is governed",
        [METHOD],
        [],
        governed
    ),
];

fn is_preflight(case: &Case<'_>) -> bool {
    let method = find(case.resource, "HttpMethod");
    matches!(method.state, State::Known(node) if node.text().is_some_and(|text| text.eq_ignore_ascii_case("OPTIONS")))
}

fn authorised(case: &Case<'_>) -> Answer {
    if is_preflight(case) {
        return find(case.resource, "HttpMethod")
            .spot
            .holds("a preflight request of a browser carries no identity");
    }
    find(case.resource, "AuthorizationType")
        .word(&["AWS_IAM", "CUSTOM", "COGNITO_USER_POOLS", "JWT"], Some("NONE"))
}

/// Which types of authorizer fit a method's or a route's type of authorization, and what such an authorizer must have
/// (API Gateway API Reference, `CreateAuthorizer` of both versions).
const AUTHORIZERS: [(&str, &str, &[&str], &[&str]); 4] = [
    ("CUSTOM", AUTHORIZER, &["TOKEN", "REQUEST"], &["AuthorizerUri"]),
    ("COGNITO_USER_POOLS", AUTHORIZER, &["COGNITO_USER_POOLS"], &["ProviderARNs"]),
    ("CUSTOM", AUTHORIZER_2, &["REQUEST"], &["AuthorizerUri"]),
    // Without an audience, a token that the issuer gave for something else opens this API too.
    ("JWT", AUTHORIZER_2, &["JWT"], &["JwtConfiguration.Issuer", "JwtConfiguration.Audience"]),
];

/// What the authorizer behind a method or a route says; nothing if it needs none.
fn authorizer(case: &Case<'_>) -> Option<Answer> {
    let State::Known(asked) = find(case.resource, "AuthorizationType").state else { return None };
    let (kind, setting) =
        if case.resource.kind == METHOD { (AUTHORIZER, "Type") } else { (AUTHORIZER_2, "AuthorizerType") };
    let row = AUTHORIZERS.iter().find(|row| asked.text() == Some(row.0) && kind == row.1)?;
    let given = find(case.resource, "AuthorizerId");
    let node = match &given.state {
        State::Known(node) => *node,
        State::Unknown(missing) => return Some(given.spot.clone().unknown(missing.clone())),
        State::Absent => {
            return Some(given.spot.broken("`AuthorizerId` is absent, so nobody decides who calls"));
        }
    };
    let Some(authorizer) = case.estate.target(node, kind) else {
        let missing =
            format!("what the authorizer `{}` decides by; it is not among what was read", node.shown());
        return Some(given.spot.clone().unknown(missing));
    };
    let parts = row.3.iter().map(|path| find(authorizer, path).present());
    let sound = all([find(authorizer, setting).word(row.2, None)].into_iter().chain(parts));
    let way = format!("the authorizer is `{}`", authorizer.id);
    Some(sound.by_way_of(given.spot, &way).if_exists(authorizer, case.resource))
}

fn planned(case: &Case<'_>) -> Answer {
    let limited = |plan: &crate::resource::Resource| {
        all([find(plan, "Quota.Limit").present(), find(plan, "Throttle.RateLimit").present()])
    };
    if case.resource.kind == PLAN {
        return all([limited(case.resource), find(case.resource, "ApiStages").present()]);
    }
    let api = find(case.resource, "RestApiId");
    let node = match &api.state {
        State::Known(node) => *node,
        State::Unknown(missing) => return api.spot.clone().unknown(missing.clone()),
        State::Absent => return api.spot.broken("`RestApiId` is absent"),
    };
    let Some(api_of_stage) = case.estate.target(node, API) else {
        return api
            .spot
            .clone()
            .unknown(format!("which plans the API `{}` has; it is not among what was read", node.shown()));
    };
    let plans = case.estate.of_kind(PLAN).filter_map(|plan| {
        let stages = find(plan, "ApiStages");
        if let Some(missing) = stages.missing() {
            return Some(stages.spot.unknown(missing));
        }
        let bound = stages.items().iter().any(|(_, stage)| {
            stage.get("ApiId").is_some_and(|id| case.estate.refers(id, api_of_stage))
                && is_of_stage(case.resource, stage)
        });
        bound.then(|| {
            limited(plan).by_way_of(Spot::of(plan), "the plan is for it").if_exists(plan, case.resource)
        })
    });
    any(plans).unwrap_or_else(|| Spot::of(case.resource).broken("no usage plan is for the stage"))
}

/// Whether a part of a plan is for this stage of its API, or may be.
fn is_of_stage(stage: &crate::resource::Resource, part: &Node) -> bool {
    match (stage.properties.get("StageName").and_then(Node::text), part.get("Stage").and_then(Node::text)) {
        (Some(own), Some(other)) => own == other,
        _ => true,
    }
}

fn access_log(case: &Case<'_>) -> Answer {
    let first = [STAGE, SERVERLESS[0]].contains(&case.resource.kind.as_str());
    let setting = if first { "AccessLogSetting" } else { "AccessLogSettings" };
    find(case.resource, &format!("{setting}.DestinationArn")).present()
}

/// Asks each setting of methods; `none` if there is none.
fn settings(case: &Case<'_>, none: Option<&str>, ask: impl Fn(&Spot<'_>, &Node) -> Answer) -> Answer {
    let found = find(case.resource, "MethodSettings");
    if let Some(missing) = found.missing() {
        return found.spot.unknown(missing);
    }
    let items = found.items();
    match none {
        Some(said) if items.is_empty() => found.spot.broken(said),
        None if items.is_empty() => found.spot.holds("nothing is set for methods, and it is off by default"),
        _ => all(items.iter().map(|(spot, item)| ask(spot, item))),
    }
}

fn execution_log(case: &Case<'_>) -> Answer {
    if case.resource.kind != STAGE {
        return not_applicable("an HTTP API has no execution logs");
    }
    settings(case, Some("no `LoggingLevel` is set, which means none"), |spot, item| {
        below(spot, item, "LoggingLevel").word(&["ERROR", "INFO"], Some("OFF"))
    })
}

fn no_trace(case: &Case<'_>) -> Answer {
    settings(case, None, |spot, item| below(spot, item, "DataTraceEnabled").flag(false, false))
}

fn cache(case: &Case<'_>) -> Answer {
    settings(case, None, |spot, item| {
        let on = below(spot, item, "CachingEnabled").flag(true, false);
        let encrypted = || below(spot, item, "CacheDataEncrypted").flag(true, false);
        if on.is_broken() { spot.clone().holds("there is no cache") } else { all([encrypted()]) }
    })
}

fn certificate(case: &Case<'_>) -> Answer {
    find(case.resource, "ClientCertificateId").present()
}

fn tls(case: &Case<'_>) -> Answer {
    let strong = |found: Found<'_>| match &found.state {
        State::Known(node) if node.text().is_some_and(|text| text.starts_with("SecurityPolicy_TLS13")) => {
            found.spot.clone().holds("it is TLS 1.3")
        }
        _ => found.word(&["TLS_1_2"], Some("TLS_1_0")),
    };
    if case.resource.kind == DOMAIN {
        return strong(find(case.resource, "SecurityPolicy"));
    }
    let configurations = find(case.resource, "DomainNameConfigurations");
    if let Some(missing) = configurations.missing() {
        return configurations.spot.unknown(missing);
    }
    let items = configurations.items();
    if items.is_empty() {
        return configurations.spot.broken("`DomainNameConfigurations` is absent");
    }
    all(items.iter().map(|(spot, item)| strong(below(spot, item, "SecurityPolicy"))))
}

fn firewall(case: &Case<'_>) -> Answer {
    if case.estate.is_live() {
        return find(case.resource, "WebAclArn").present();
    }
    let own = FIREWALL.iter().flat_map(|kind| case.estate.referring(case.resource, kind));
    // An association often names the stage by a text with the API's id in it.
    let by_api = FIREWALL.iter().flat_map(|kind| case.estate.of_kind(kind)).filter(|association| {
        let edges = |resource: &crate::resource::Resource| -> Vec<String> {
            resource.properties.edges().iter().map(|edge| edge.to.clone()).collect()
        };
        let api = case.resource.properties.get("RestApiId").map(Node::edges).unwrap_or_default();
        api.iter().any(|edge| edges(association).contains(&edge.to))
    });
    let found = own.chain(by_api).map(|association| {
        Spot::of(association)
            .holds("it joins the stage with a firewall")
            .if_exists(association, case.resource)
    });
    let perhaps = FIREWALL.iter().flat_map(|kind| case.estate.of_kind(kind)).find_map(|association| {
        let to = find(association, "ResourceArn");
        match &to.state {
            State::Unknown(missing) => Some(to.spot.clone().unknown(missing.clone())),
            _ => None,
        }
    });
    any(found)
        .or(perhaps)
        .unwrap_or_else(|| Spot::of(case.resource).broken("no association is for the stage"))
}

fn private(case: &Case<'_>) -> Answer {
    let types = find(case.resource, "EndpointConfiguration.Types");
    if let Some(missing) = types.missing() {
        return types.spot.unknown(missing);
    }
    if types.items().iter().any(|(_, item)| item.text() == Some("PRIVATE")) {
        return types.spot.holds("the API is private");
    }
    let found = find(case.resource, "Policy");
    match &found.state {
        State::Absent => types.spot.broken("the API is public, and it has no policy"),
        State::Unknown(missing) => found.spot.clone().unknown(missing.clone()),
        State::Known(node) => match policy(case, node) {
            Ok(policy) => public(found.spot, &policy, false),
            Err(missing) => found.spot.unknown(missing),
        },
    }
}

/// What an integration with SageMaker's runtime asks for: `arn:aws:apigateway:REGION:runtime.sagemaker:path/endpoints/NAME/...`.
fn governed(case: &Case<'_>) -> Answer {
    let uri = find(case.resource, "Integration.Uri");
    let node = match &uri.state {
        State::Known(node) => *node,
        State::Unknown(missing) => return uri.spot.clone().unknown(missing.clone()),
        State::Absent => return not_applicable("the method leads nowhere else"),
    };
    let shown = node.written();
    if !shown.contains(":runtime.sagemaker:") {
        return match node.hole() {
            Some(_) => uri.spot.clone().unknown(cause(node)),
            None => not_applicable("the method leads to no model"),
        };
    }
    let name = shown.split("endpoints/").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default();
    let by_name = case.estate.of_kind("AWS::SageMaker::Endpoint").find(|endpoint| {
        endpoint.name() == Some(name) || node.edges().iter().any(|edge| edge.to == endpoint.id)
    });
    match by_name {
        Some(endpoint) => super::registry::serves_approved(&Case { resource: endpoint, ..*case })
            .by_way_of(uri.spot, &format!("it leads to `{}`", endpoint.id))
            .if_exists(endpoint, case.resource),
        None => uri
            .spot
            .clone()
            .unknown(format!("what the endpoint `{name}` serves; it is not among what was read")),
    }
}
