//! The API of a Kubernetes cluster of Amazon EKS: objects are read, applied (server-side apply, so that applying twice is
//! as once) and deleted. Who calls is proved by a signed `sts:GetCallerIdentity`, which the cluster sends to STS.
//!
//! Source: Kubernetes documentation, "Server-Side Apply" and "API concepts"; Amazon EKS API Reference, "DescribeCluster";
//! the token is as aws-iam-authenticator describes it.

use super::operations::DESCRIBE_CLUSTER;
use crate::client::Client;
use crate::identity::signed_identity;
use crate::transport::{Answer, Fault, Transport};
use crate::wire::{Wire, from_json};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::{Value, json};
use ureq::http::Request;
use world::{Kind, PortError};
use zeroize::Zeroizing;

/// What a token begins with.
const TOKEN: &str = "k8s-aws-v1.";
/// For so many seconds its signature counts.
const TOKEN_SECONDS: u32 = 60;
/// By this header the cluster knows that a token is for it.
const CLUSTER_HEADER: &str = "x-k8s-aws-id";
/// An object has at most 1.5 MiB; a list of releases may have more.
const LARGEST: usize = 16 << 20;
/// Who applies, as the cluster records it for each field.
const MANAGER: &str = "wardmote";

/// A cluster.
pub(super) struct Cluster {
    client: Client,
    transport: Transport,
    name: String,
    address: String,
}

#[derive(Deserialize)]
struct Described {
    cluster: Facts,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Facts {
    endpoint: Option<String>,
    certificate_authority: Option<Authority>,
}

#[derive(Deserialize)]
struct Authority {
    data: String,
}

impl Cluster {
    /// Looks where the API of a cluster is, and whom it is trusted by.
    pub(super) fn open(client: &Client, name: &str) -> Result<Self, PortError> {
        let wire = Wire::rest(DESCRIBE_CLUSTER, &json!({ "name": name }))?;
        let answer = client.call(&DESCRIBE_CLUSTER.operation, &wire)?;
        let Described { cluster } = from_json(&DESCRIBE_CLUSTER.operation, &answer)?;
        let wrong = |why: &str| PortError::new(Kind::Failed, format!("the cluster `{name}` {why}"));
        let address = cluster.endpoint.ok_or_else(|| wrong("has no address yet"))?;
        if !(address.starts_with("https://") || address.starts_with("http://127.0.0.1:")) {
            return Err(wrong("has an address without TLS"));
        }
        let authority =
            cluster.certificate_authority.ok_or_else(|| wrong("has no certificate authority yet"))?;
        let pem = STANDARD
            .decode(authority.data.trim())
            .map_err(|_| wrong("has an authority that is no certificate"))?;
        let transport = Transport::trusting(client.settings(), &pem)?;
        let address = address.trim_end_matches('/').to_owned();
        Ok(Self { client: client.clone(), transport, name: name.to_owned(), address })
    }

    /// The object at a path; nothing if there is none.
    pub(super) fn get(&self, path: &str) -> Result<Option<Value>, PortError> {
        self.read(&self.send("GET", path, None)?)
    }

    /// Makes or changes the object at a path so that it has these fields; those that others set are taken over.
    pub(super) fn apply(&self, path: &str, object: &Value) -> Result<(), PortError> {
        let managed = format!("{path}?fieldManager={MANAGER}&force=true");
        let there = self.read(&self.send("PATCH", &managed, Some(object))?)?;
        there.map(|_| ()).ok_or_else(|| {
            let text = format!("the cluster `{}` knows no place `{path}`", self.name);
            PortError::new(Kind::Absent, text).with_help("look whether the namespace is there")
        })
    }

    /// Removes the object at a path; fine if there is none.
    pub(super) fn delete(&self, path: &str) -> Result<(), PortError> {
        self.read(&self.send("DELETE", path, None)?).map(|_| ())
    }

    /// What the cluster says; nothing if it says itself that there is no such thing. A 404 without its word may be from
    /// anybody between.
    fn read(&self, answer: &Answer) -> Result<Option<Value>, PortError> {
        let said: Option<Value> = serde_json::from_slice(&answer.body).ok();
        let message = said.as_ref().and_then(|said| said["message"].as_str()).unwrap_or_default();
        let message: String = message.chars().filter(|c| !c.is_control()).take(500).collect();
        let error = |kind, what: &str| {
            let text = format!("the cluster `{}` {what} ({}): `{message}`", self.name, answer.status);
            PortError::new(kind, text)
        };
        match (answer.status, said) {
            (200..=299, Some(object)) => Ok(Some(object)),
            (404, Some(said)) if said["reason"] == "NotFound" => Ok(None),
            (401 | 403, _) => Err(error(Kind::Denied, "does not allow it")
                .with_help("give the caller an access entry of the cluster, with a role that may read and apply Deployments, Services, NetworkPolicies and ConfigMaps of the namespace")),
            (404, _) => Err(error(Kind::Failed, "is not who answers")),
            (409, _) => Err(error(Kind::Conflict, "says that somebody else changes it")),
            (429, _) => Err(error(Kind::Busy, "has too much to do")),
            (400..=499, _) => Err(error(Kind::Invalid, "does not take it")),
            _ => Err(error(Kind::Failed, "cannot answer")),
        }
    }

    /// Sends, and again where the answer may be another.
    fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Answer, PortError> {
        let mut attempt = 1;
        loop {
            let sent = self.once(method, path, body)?;
            let again = match &sent {
                Ok(answer) => answer.status == 429 || answer.status >= 500,
                Err(fault) => !matches!(fault, Fault::Untrusted | Fault::TooLarge),
            };
            if !again || attempt >= self.client.settings().attempts {
                return sent.map_err(|fault| self.silence(fault));
            }
            std::thread::sleep(self.client.pause_between(attempt - 1));
            attempt += 1;
        }
    }

    fn once(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Result<Answer, Fault>, PortError> {
        let url = Zeroizing::new(signed_identity(&self.client, (CLUSTER_HEADER, &self.name), TOKEN_SECONDS)?);
        let token = Zeroizing::new(format!("Bearer {TOKEN}{}", URL_SAFE_NO_PAD.encode(url.as_bytes())));
        let bytes = body.map(Value::to_string).unwrap_or_default();
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.address))
            .header("authorization", token.as_str())
            .header("accept", "application/json")
            .header("user-agent", concat!("wardmote/", env!("CARGO_PKG_VERSION")));
        if body.is_some() {
            // JSON is YAML.
            request = request.header("content-type", "application/apply-patch+yaml");
        }
        let request = request.body(bytes.as_bytes()).map_err(|_| {
            PortError::new(Kind::Failed, format!("the address of the cluster `{}` is none", self.name))
        })?;
        Ok(self.transport.send_within(request, LARGEST, self.client.settings().timeout))
    }

    fn silence(&self, fault: Fault) -> PortError {
        let why = match fault {
            Fault::Connect => "cannot be reached",
            Fault::Untrusted => "does not show a certificate of its authority",
            Fault::Timeout => "did not answer in time",
            Fault::Broken | Fault::Unrecorded => "broke the connection",
            Fault::TooLarge => "gave an answer that is too large",
        };
        PortError::new(Kind::Failed, format!("the cluster `{}` {why}", self.name))
            .with_help("look whether this machine reaches the endpoint of the cluster, which may be private")
    }
}
