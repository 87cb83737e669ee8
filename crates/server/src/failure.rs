//! Errors on the wire.

use axum::body::Body;
use axum::http::{HeaderValue, Request, Response, StatusCode, header};
use mlflow::{Code, Error};
use world::Kind;

/// What the engine says, in MLflow's words. Clients repeat 5xx for minutes, so a decision is none of these.
pub(crate) fn wire(error: engine::Error) -> Error {
    let help = error.help().map(str::to_owned);
    let message = match &help {
        Some(help) => format!("{error}. {help}"),
        None => error.to_string(),
    };
    let code = match error {
        engine::Error::Call(error) => return error,
        engine::Error::Refused { .. } => Code::PermissionDenied,
        engine::Error::Input { .. } | engine::Error::Charter(_) => Code::InvalidParameterValue,
        engine::Error::NotFound { .. } => Code::ResourceDoesNotExist,
        engine::Error::Conflict { .. } => Code::ResourceConflict,
        engine::Error::Port(port) => match port.kind() {
            // What is not what was kept is not handed out: that is a refusal, and asking again does not help.
            Kind::Damaged | Kind::Disabled | Kind::Denied => Code::PermissionDenied,
            Kind::Absent => Code::ResourceDoesNotExist,
            Kind::Conflict => Code::ResourceConflict,
            Kind::Invalid => Code::InvalidParameterValue,
            Kind::Full | Kind::Busy | Kind::Failed => Code::InternalError,
        },
    };
    Error::new(code, message)
}

/// An error as an answer.
pub(crate) fn answer(error: &Error) -> Response<Body> {
    let body = serde_json::json!({ "error_code": error.code.as_str(), "message": error.message });
    let mut response = json(body.to_string());
    *response.status_mut() =
        StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if error.code == Code::Unauthenticated {
        let asks = HeaderValue::from_static("Bearer, Basic realm=\"wardmote\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, asks);
    }
    response
}

/// A JSON answer.
pub(crate) fn json(body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The answer where nothing is.
pub(crate) async fn nothing_here(request: Request<Body>) -> Response<Body> {
    let path: String = request.uri().path().chars().take(200).collect();
    answer(&Error::new(
        Code::EndpointNotFound,
        format!("there is nothing at `{} {path}`; `/openapi.json` lists all calls", request.method()),
    ))
}
