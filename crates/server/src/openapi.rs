//! The OpenAPI 3.1 document, made of the same table as the router.

use crate::call::Call;
use crate::failure::json;
use crate::routes;
use axum::Router;
use axum::routing::get;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

/// `/openapi.json`, `/health`, and what newer clients ask first.
pub(crate) fn routes() -> Router {
    let text = document().to_string();
    let info =
        json!({ "store_type": "Wardmote", "workspaces_enabled": false, "trace_archival_enabled": false })
            .to_string();
    Router::new()
        .route("/openapi.json", get(move || async move { json(text) }))
        .route("/health", get(|| async { "OK" }))
        .route("/version", get(|| async { env!("CARGO_PKG_VERSION") }))
        .route("/api/3.0/mlflow/server-info", get(move || async move { json(info) }))
}

/// All calls, with what they take and give.
pub fn document() -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/components/schemas".into();
    let mut generator = settings.into_generator();
    let mut paths: Map<String, Value> = Map::new();
    for call in routes::all() {
        let (input, output) = ((call.input)(&mut generator), (call.output)(&mut generator));
        let operation = operation(&call, &input.to_value(), &output.to_value());
        let entry = paths.entry(call.full_path()).or_insert_with(|| json!({}));
        entry[call.method.as_str().to_ascii_lowercase()] = operation;
    }
    let schemas = generator.take_definitions(true);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Wardmote registry",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "MLflow's REST API 2.0, with every call authorised and what matters on record.",
        },
        "security": [{ "bearer": [] }, { "basic": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "an access key: wmk_...; where the house opens these doors, a token of an identity provider (JSON Web Token, RS256 or ES256), or a signed call of sts:GetCallerIdentity: wardmote-aws-v1....",
                },
                "basic": { "type": "http", "scheme": "basic", "description": "the same as password" },
            },
        },
    })
}

fn operation(call: &Call, input: &Value, output: &Value) -> Value {
    let content = |schema: &Value| json!({ "application/json": { "schema": schema } });
    let error = json!({ "description": "`{\"error_code\", \"message\"}`" });
    let id =
        format!("{}{}", call.method.as_str().to_ascii_lowercase(), call.path.replace(['/', '{', '}'], "_"));
    let mut operation = json!({
        "operationId": id,
        "summary": call.summary,
        "x-cedar-action": call.action.as_str(),
        "responses": {
            "200": { "description": "done", "content": content(output) },
            "400": error, "401": error, "403": error, "404": error, "409": error,
        },
    });
    if call.method == axum::http::Method::GET {
        operation["parameters"] =
            json!([{ "name": "query", "in": "query", "style": "form", "explode": true, "schema": input }]);
    } else {
        operation["requestBody"] = json!({ "required": true, "content": content(input) });
    }
    let named: Vec<Value> = call
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    if !named.is_empty() {
        let parameters = operation["parameters"].take();
        let mut all = parameters.as_array().cloned().unwrap_or_default();
        all.extend(named);
        operation["parameters"] = Value::Array(all);
    }
    operation
}
