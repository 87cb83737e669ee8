//! Credentials that the place gives where the program runs: an ECS or EKS container, or an EC2 machine (IMDSv2 only).

use super::{Credentials, Given};
use crate::client::Line;
use crate::endpoint::Endpoint;
use crate::error::{AwsError, Trouble};
use crate::settings::region as checked_region;
use crate::transport::Answer;
use std::time::Duration;
use ureq::http::Request;
use zeroize::Zeroizing;

/// These addresses answer at once or not at all.
const TIME: Duration = Duration::from_secs(2);
const LIMIT: usize = 1 << 20;
const ATTEMPTS: u32 = 3;
/// Where ECS (the first) and EKS Pod Identity answer.
const CONTAINER_HOSTS: [&str; 3] = ["169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"];
const IMDS: &str = "http://169.254.169.254";

/// Those of the container, if this is one that has them.
pub(super) fn container(line: &Line) -> Result<Option<Credentials>, AwsError> {
    let variable = |name| line.settings.sources.variable(name);
    let url = match (
        variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
        variable("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
    ) {
        (Some(path), _) => format!("http://{}{path}", CONTAINER_HOSTS[0]),
        (None, Some(url)) => url.to_owned(),
        (None, None) => return Ok(None),
    };
    let endpoint = Endpoint::parse(url.split('?').next().unwrap_or(&url))?;
    let host = endpoint.host();
    let here = CONTAINER_HOSTS.contains(&host)
        || host == "localhost"
        || host
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback());
    if endpoint.scheme != "https" && !here {
        return Err(AwsError::new(
            Trouble::Unconfigured,
            format!("credentials are not fetched from `{host}` without TLS"),
        )
        .with_help(
            "AWS_CONTAINER_CREDENTIALS_FULL_URI must be HTTPS, or an address of the container's own host",
        ));
    }
    let token = match variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
        Some(file) => Some(Zeroizing::new(std::fs::read_to_string(file).map_err(|error| {
            AwsError::new(Trouble::Unconfigured, format!("cannot read the token `{file}`: {}", error.kind()))
                .with_help("look at AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
        })?)),
        None => variable("AWS_CONTAINER_AUTHORIZATION_TOKEN").map(|token| Zeroizing::new(token.to_owned())),
    };
    let headers: Vec<(&str, &str)> = token.iter().map(|token| ("authorization", token.trim())).collect();
    let answer = ask(line, ("GET", &url), &headers).ok_or_else(|| {
        AwsError::new(Trouble::Unreached, format!("the container's `{host}` gives no credentials"))
    })?;
    given(&answer, "the container")?.into_credentials("the container").map(Some)
}

/// Those of the machine, if it is one of EC2 with a role.
pub(super) fn instance(line: &Line) -> Result<Option<Credentials>, AwsError> {
    const PATH: &str = "latest/meta-data/iam/security-credentials/";
    let Some(token) = session(line) else { return Ok(None) };
    let Some(roles) = metadata(line, &token, PATH) else { return Ok(None) };
    let role = roles.lines().next().unwrap_or_default().trim();
    if role.is_empty() {
        return Ok(None);
    }
    let url = format!("{}/{PATH}{role}", imds(line));
    match ask(line, ("GET", &url), &[("x-aws-ec2-metadata-token", &token)]) {
        Some(answer) => given(&answer, "the machine")?.into_credentials("the machine").map(Some),
        None => Ok(None),
    }
}

/// The region of the machine.
pub(crate) fn region(line: &Line) -> Result<String, AwsError> {
    let found = session(line).and_then(|token| metadata(line, &token, "latest/meta-data/placement/region"));
    match found {
        Some(name) => checked_region(name.trim()).map(str::to_owned),
        None => Err(AwsError::new(Trouble::Unconfigured, "no AWS region is set")
            .with_help("set AWS_REGION, or `region` in the profile")),
    }
}

/// The token without which IMDSv2 says nothing; none where there is no such machine.
fn session(line: &Line) -> Option<Zeroizing<String>> {
    let disabled = line.settings.sources.variable("AWS_EC2_METADATA_DISABLED");
    if disabled.is_some_and(|text| text.eq_ignore_ascii_case("true")) {
        return None;
    }
    let url = format!("{}/latest/api/token", imds(line));
    let answer = ask(line, ("PUT", &url), &[("x-aws-ec2-metadata-token-ttl-seconds", "21600")])?;
    String::from_utf8(answer.body.to_vec()).ok().map(Zeroizing::new)
}

fn metadata(line: &Line, token: &str, path: &str) -> Option<String> {
    let url = format!("{}/{path}", imds(line));
    let answer = ask(line, ("GET", &url), &[("x-aws-ec2-metadata-token", token)])?;
    String::from_utf8(answer.body.to_vec()).ok()
}

fn imds(line: &Line) -> &str {
    line.settings.sources.variable("AWS_EC2_METADATA_SERVICE_ENDPOINT").unwrap_or(IMDS).trim_end_matches('/')
}

fn given(answer: &Answer, from: &str) -> Result<Given, AwsError> {
    serde_json::from_slice(&answer.body)
        .map_err(|_| AwsError::new(Trouble::Unreadable, format!("{from} did not give credentials")))
}

/// A successful answer; none if nobody is there or it says no.
fn ask(line: &Line, (method, url): (&str, &str), headers: &[(&str, &str)]) -> Option<Answer> {
    for _ in 0..ATTEMPTS {
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(&[][..]).ok()?;
        match line.exchange().send(request, LIMIT, TIME) {
            Ok(answer) if answer.status == 200 => return Some(answer),
            Ok(answer) if answer.status >= 500 || answer.status == 429 => {}
            Err(crate::transport::Fault::Broken) => {}
            _ => return None,
        }
    }
    None
}
