//! Amazon API Gateway: HTTP and WebSocket APIs with their routes, integrations and stages, and their domain names.
//! Properties: AWS::ApiGatewayV2::* of the CloudFormation reference; calls: API reference of API Gateway version 2.

use super::items::{Draft, Told, item, learn};
use super::reader::Reader;
use super::types::{Member, Tags, Type, always, describe, is, no_more, pairs};
use crate::operation::{Call, Protocol, SMALL_TOKEN, Service, call};
use facts::inventory::Item;
use serde_json::{Value, json};

/// Amazon API Gateway, HTTP and WebSocket APIs.
const GATEWAY: Service = Service { id: "APIGATEWAYV2", name: "apigateway", protocol: Protocol::RestJson };

const ROUTES: &Call =
    call!(GATEWAY, "GetRoutes", "apigateway:GET", "GET /v2/apis/{apiId}/routes", SMALL_TOKEN.of("items"));
const STAGES: &Call =
    call!(GATEWAY, "GetStages", "apigateway:GET", "GET /v2/apis/{apiId}/stages", SMALL_TOKEN.of("items"));
const INTEGRATIONS: &Call = call!(
    GATEWAY,
    "GetIntegrations",
    "apigateway:GET",
    "GET /v2/apis/{apiId}/integrations",
    SMALL_TOKEN.of("items")
);
const AUTHORIZERS: &Call = call!(
    GATEWAY,
    "GetAuthorizers",
    "apigateway:GET",
    "GET /v2/apis/{apiId}/authorizers",
    SMALL_TOKEN.of("items")
);

pub(super) const CALLS: [&Call; 4] = [ROUTES, STAGES, INTEGRATIONS, AUTHORIZERS];

const AUTHORIZER_KIND: &str = "AWS::ApiGatewayV2::Authorizer";

/// What comes with an API: the type, how it is listed, and which member names one.
struct Part {
    kind: &'static str,
    list: &'static Call,
    id: &'static str,
    members: &'static [Member],
}

static PARTS: [Part; 4] = [
    Part {
        kind: AUTHORIZER_KIND,
        list: AUTHORIZERS,
        id: "authorizerId",
        members: &[
            always("name", "Name"),
            always("authorizerType", "AuthorizerType"),
            is("authorizerUri", "AuthorizerUri"),
            is("jwtConfiguration", "JwtConfiguration"),
        ],
    },
    Part {
        kind: "AWS::ApiGatewayV2::Route",
        list: ROUTES,
        id: "routeId",
        members: &[
            always("routeKey", "RouteKey"),
            // Routes of HTTP APIs have it always, others only if it is set.
            is("authorizationType", "AuthorizationType"),
            is("authorizerId", "AuthorizerId"),
            is("apiKeyRequired", "ApiKeyRequired"),
            is("target", "Target"),
        ],
    },
    Part {
        kind: "AWS::ApiGatewayV2::Stage",
        list: STAGES,
        id: "stageName",
        members: &[
            always("stageName", "StageName"),
            is("accessLogSettings", "AccessLogSettings"),
            is("defaultRouteSettings", "DefaultRouteSettings"),
            is("autoDeploy", "AutoDeploy"),
        ],
    },
    Part {
        kind: "AWS::ApiGatewayV2::Integration",
        list: INTEGRATIONS,
        id: "integrationId",
        members: &[
            is("integrationType", "IntegrationType"),
            is("integrationUri", "IntegrationUri"),
            is("integrationMethod", "IntegrationMethod"),
            is("connectionType", "ConnectionType"),
            is("credentialsArn", "CredentialsArn"),
        ],
    },
];

pub(super) static TYPES: [Type; 2] = [
    Type {
        kind: "AWS::ApiGatewayV2::Api",
        children: &[
            "AWS::ApiGatewayV2::Route",
            "AWS::ApiGatewayV2::Stage",
            "AWS::ApiGatewayV2::Integration",
            AUTHORIZER_KIND,
        ],
        list: call!(GATEWAY, "GetApis", "apigateway:GET", "GET /v2/apis", SMALL_TOKEN.of("items")),
        with: || json!({}),
        id: "apiId",
        read: call!(GATEWAY, "GetApi", "apigateway:GET", "GET /v2/apis/{apiId}"),
        asked: "apiId",
        inside: "",
        arn: "",
        members: &[
            always("name", "Name"),
            always("protocolType", "ProtocolType"),
            is("disableExecuteApiEndpoint", "DisableExecuteApiEndpoint"),
        ],
        tags: Tags::Inside("tags"),
        more: parts,
    },
    Type {
        kind: "AWS::ApiGatewayV2::DomainName",
        children: &[],
        list: call!(
            GATEWAY,
            "GetDomainNames",
            "apigateway:GET",
            "GET /v2/domainnames",
            SMALL_TOKEN.of("items")
        ),
        with: || json!({}),
        id: "domainName",
        read: call!(GATEWAY, "GetDomainName", "apigateway:GET", "GET /v2/domainnames/{domainName}"),
        asked: "domainName",
        inside: "",
        arn: "domainNameArn",
        members: &[
            always("domainName", "DomainName"),
            always("domainNameConfigurations", "DomainNameConfigurations"),
        ],
        tags: Tags::Inside("tags"),
        more: no_more,
    },
];

fn parts(reader: &Reader<'_>, _: &Value, api: &mut Item, draft: &mut Draft) {
    for part in &PARTS {
        let operation = &part.list.operation;
        let all = match reader.all(part.list, &json!({"apiId": api.id})) {
            Ok(all) => all,
            Err(error) => {
                draft.unread(part.kind, operation, &error);
                continue;
            }
        };
        for told in all {
            let Some(id) = told[part.id].as_str() else { continue };
            let mut one = item(part.kind, &format!("{}|{id}", api.id));
            learn(&mut one, "ApiId", operation, Told::Is(api.id.clone().into()));
            describe(&mut one, operation, Ok(&told), part.members);
            if part.kind == AUTHORIZER_KIND {
                // Routes name it by its id.
                one.names.insert(id.to_owned());
            }
            if part.id == "stageName" {
                learn(&mut one, "Tags", operation, Told::Is(pairs(&told["tags"])));
            }
            draft.items.push(one);
        }
    }
}
