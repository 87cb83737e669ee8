//! A small HTTP server that stands for the API server of a Kubernetes cluster, because none can run here. It knows objects
//! by their paths, takes server-side apply (a patch of the type `application/apply-patch+yaml` makes the object, or lays
//! its fields over those that are there), and lets Deployments roll out in a few looks. It believes every token that is a
//! signed `GetCallerIdentity` for its cluster.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// How many looks a rollout takes.
const LOOKS: u64 = 2;

/// The server.
pub(crate) struct ApiServer {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    cluster: String,
    objects: BTreeMap<String, Value>,
    never_well: BTreeSet<String>,
    looks: BTreeMap<String, u64>,
    denied: bool,
    fails: bool,
    failed: bool,
}

impl ApiServer {
    pub(crate) fn start(cluster: &str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State { cluster: cluster.to_owned(), ..State::default() }));
        let given = Arc::clone(&state);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let Some(request) = whole(&mut stream) else { continue };
                let (status, body) = given.lock().unwrap().answer(&request);
                let body = body.to_string();
                let head = format!(
                    "HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                    body.len()
                );
                let _ = stream.write_all((head + &body).as_bytes());
            }
        });
        Self { address, state }
    }

    /// Every other request fails.
    pub(crate) fn fail_every_other(&self) {
        self.state.lock().unwrap().fails = true;
    }

    /// Nothing is allowed any more.
    pub(crate) fn deny(&self) {
        self.state.lock().unwrap().denied = true;
    }

    /// The pods of a release are never well.
    pub(crate) fn never_well(&self, release: &str) {
        self.state.lock().unwrap().never_well.insert(release.to_owned());
    }

    /// Somebody changes an object.
    pub(crate) fn change(&self, path: &str, pointer: &str, value: Value) {
        let mut state = self.state.lock().unwrap();
        *state.objects.get_mut(path).unwrap().pointer_mut(pointer).unwrap() = value;
    }

    /// All objects.
    pub(crate) fn objects(&self) -> String {
        let mut objects = self.state.lock().unwrap().objects.clone();
        for object in objects.values_mut() {
            object.as_object_mut().unwrap().remove("status");
        }
        format!("{:#}", json!(objects))
    }
}

impl State {
    fn answer(&mut self, request: &str) -> (u16, Value) {
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        let mut line = head.lines().next().unwrap().split(' ');
        let (method, target) = (line.next().unwrap(), line.next().unwrap());
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        if self.denied || !self.knows(head) {
            return (403, json!({ "message": "no" }));
        }
        if self.fails {
            self.failed = !self.failed;
            if self.failed {
                return (503, json!({ "message": "later" }));
            }
        }
        match method {
            "GET" if query.contains("labelSelector") => {
                let name = query.rsplit("%3D").next().unwrap();
                let of = |object: &&Value| object["metadata"]["labels"]["wardmote/endpoint"] == name;
                let under = self.objects.iter().filter(|(at, _)| at.starts_with(&format!("{path}/")));
                let items: Vec<&Value> = under.map(|(_, object)| object).filter(of).collect();
                (200, json!({ "items": items }))
            }
            "GET" => {
                self.roll(path);
                self.objects.get(path).map_or_else(not_found, |one| (200, one.clone()))
            }
            "PATCH" => {
                assert!(
                    head.to_ascii_lowercase().contains("content-type: application/apply-patch+yaml"),
                    "{head}"
                );
                assert!(query.contains("fieldManager=wardmote"), "{target}");
                self.apply(path, &serde_json::from_str(body).unwrap())
            }
            "DELETE" => self.objects.remove(path).map_or_else(not_found, |object| (200, object)),
            _ => (405, json!({})),
        }
    }

    /// Whether the token is a signed question for this cluster.
    fn knows(&self, head: &str) -> bool {
        let line = head.lines().find_map(|line| line.strip_prefix("authorization: Bearer k8s-aws-v1."));
        let url = line.and_then(|token| URL_SAFE_NO_PAD.decode(token.trim()).ok()).unwrap_or_default();
        let url = String::from_utf8(url).unwrap();
        url.contains("Action=GetCallerIdentity")
            && url.contains("X-Amz-Signature=")
            && url.contains("X-Amz-Expires=60")
            && url.contains("X-Amz-SignedHeaders=host%3Bx-k8s-aws-id")
            && !self.cluster.is_empty()
    }

    fn apply(&mut self, path: &str, object: &Value) -> (u16, Value) {
        let known = self.objects.get(path).cloned();
        let mut merged = known.clone().unwrap_or_else(|| json!({}));
        if merged["immutable"] == true && merged["data"] != object["data"] {
            return (422, json!({ "message": "field is immutable when `immutable` is set" }));
        }
        merge(&mut merged, object);
        let spec_changed = known.as_ref().is_none_or(|known| known["spec"] != merged["spec"]);
        let generation =
            known.as_ref().map_or(0, |known| known["metadata"]["generation"].as_u64().unwrap_or(0));
        merged["metadata"]["generation"] = (generation + u64::from(spec_changed)).into();
        if spec_changed {
            self.looks.insert(path.to_owned(), LOOKS);
        }
        self.objects.insert(path.to_owned(), merged.clone());
        (if known.is_some() { 200 } else { 201 }, merged)
    }

    /// Brings the rollout of a Deployment one look further.
    fn roll(&mut self, path: &str) {
        let Some(object) = self.objects.get_mut(path).filter(|object| object["kind"] == "Deployment") else {
            return;
        };
        let left = self.looks.entry(path.to_owned()).or_default();
        let wanted = object["spec"]["replicas"].as_u64().unwrap();
        let generation = object["metadata"]["generation"].clone();
        let release = object["spec"]["template"]["metadata"]["labels"]["wardmote/release"].as_str().unwrap();
        let old = object["status"]["availableReplicas"].as_u64().unwrap_or(0);
        let status = if *left > 0 {
            *left -= 1;
            json!({ "observedGeneration": generation, "replicas": old + 1, "updatedReplicas": 1, "availableReplicas": old })
        } else if self.never_well.contains(release) {
            json!({
                "observedGeneration": generation, "replicas": old + 1, "updatedReplicas": 1, "availableReplicas": old,
                "conditions": [{
                    "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded",
                    "message": "ReplicaSet has timed out progressing.",
                }],
            })
        } else {
            json!({
                "observedGeneration": generation, "replicas": wanted, "updatedReplicas": wanted, "availableReplicas": wanted,
            })
        };
        object["status"] = status;
    }
}

fn not_found() -> (u16, Value) {
    (
        404,
        json!({ "kind": "Status", "status": "Failure", "reason": "NotFound", "message": "not found", "code": 404 }),
    )
}

fn merge(there: &mut Value, applied: &Value) {
    match (there, applied) {
        (Value::Object(there), Value::Object(applied)) => {
            for (name, value) in applied {
                merge(there.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (there, applied) => *there = applied.clone(),
    }
}

fn whole(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut part = [0; 16 * 1024];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            if body.len() >= length.map_or(0, |length| length.trim().parse().unwrap()) {
                return Some(text);
            }
        }
        match stream.read(&mut part) {
            Ok(n) if n > 0 => bytes.extend_from_slice(&part[..n]),
            _ => return None,
        }
    }
}
