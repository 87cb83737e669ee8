//! Deployments in clusters of Amazon EKS: a release is an immutable ConfigMap of its name that holds the template of the
//! pods; traffic goes over by a rolling update to that template. Beside the Deployment are a Service and a NetworkPolicy.
//!
//! Source: Kubernetes API reference (apps/v1, core/v1, networking.k8s.io/v1) and "Pod Security Standards" (restricted).

use super::kubernetes::Cluster;
use super::operations::OF_EKS;
use super::{Platform, artefact_uri, at, compare, environment, is_release_of};
use crate::operation::{On, Operation};
use crate::permissions::Place;
use facts::serving::Eks;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use world::{Condition, Kind, Observed, Pace, PortError, Release, Share, Site};

const BY: &str = "app.kubernetes.io/managed-by";
const OF_ENDPOINT: &str = "wardmote/endpoint";
const OF_RELEASE: &str = "wardmote/release";
/// The release before, of which pods may still be there.
const BEFORE: &str = "wardmote/before";
const TEMPLATE: &str = "template.json";

/// One Deployment.
pub(super) struct EksDeployment<'a> {
    pub(super) client: crate::client::Client,
    pub(super) site: &'a Site,
    pub(super) on: &'a Eks,
}

impl EksDeployment<'_> {
    fn name(&self) -> &str {
        self.site.endpoint.as_str()
    }

    fn cluster(&self) -> Result<Cluster, PortError> {
        Cluster::open(&self.client, self.on.cluster.as_str())
    }

    fn path(&self, api: &str, kind: &str, name: &str) -> String {
        format!("/{api}/namespaces/{}/{kind}/{name}", self.on.namespace)
    }

    fn deployment_path(&self) -> String {
        self.path("apis/apps/v1", "deployments", self.name())
    }

    fn release_path(&self, name: &str) -> String {
        self.path("api/v1", "configmaps", name)
    }

    fn labels(&self) -> BTreeMap<&str, &str> {
        BTreeMap::from([(BY, "wardmote"), (OF_ENDPOINT, self.name())])
    }

    /// The template of a release's pods: no privilege, no writable root, known by its digest, well when `/ping` says so.
    fn template(&self, release: &Release, name: &str) -> Value {
        let port = self.on.port;
        let mut told = environment(release);
        told.insert("WARDMOTE_ARTEFACT_URI", artefact_uri(&self.on.artefacts, release));
        let told: Vec<Value> =
            told.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
        let probe = |period: u32| {
            json!({
                "httpGet": { "path": "/ping", "port": port }, "periodSeconds": period, "timeoutSeconds": 2, "failureThreshold": 3,
            })
        };
        let (cpu, memory) = (format!("{}m", self.on.cpu_millis), format!("{}Mi", self.on.memory));
        let mut labels = self.labels();
        labels.insert(OF_RELEASE, name);
        json!({
            "metadata": { "labels": labels },
            "spec": {
                "serviceAccountName": self.on.service_account,
                "automountServiceAccountToken": false,
                "securityContext": { "runAsNonRoot": true, "seccompProfile": { "type": "RuntimeDefault" } },
                "containers": [{
                    "name": "model",
                    "image": self.on.image,
                    "env": told,
                    "ports": [{ "containerPort": port, "protocol": "TCP" }],
                    "readinessProbe": probe(5),
                    "livenessProbe": probe(15),
                    "resources": { "requests": { "cpu": cpu, "memory": memory }, "limits": { "memory": memory } },
                    "securityContext": {
                        "allowPrivilegeEscalation": false, "privileged": false, "readOnlyRootFilesystem": true,
                        "capabilities": { "drop": ["ALL"] },
                    },
                    "volumeMounts": [{ "name": "scratch", "mountPath": "/tmp" }],
                }],
                "volumes": [{ "name": "scratch", "emptyDir": {} }],
            },
        })
    }

    fn release(&self, release: &Release, name: &str) -> Value {
        let mut tags = self.site.tags.clone();
        tags.extend(environment(release).into_iter().map(|(name, value)| (name.to_owned(), value)));
        // Names of tags may have letters that names of annotations may not.
        let letter = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        let proper = |name: &str| {
            name.len() <= 63
                && name.bytes().all(letter)
                && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        };
        let annotations: BTreeMap<String, String> = tags
            .into_iter()
            .filter(|(name, _)| proper(name))
            .map(|(name, value)| (format!("wardmote/{name}"), value))
            .collect();
        json!({
            "apiVersion": "v1", "kind": "ConfigMap", "immutable": true,
            "metadata": {
                "name": name, "namespace": self.on.namespace, "labels": self.labels(), "annotations": annotations,
            },
            "data": { TEMPLATE: self.template(release, name).to_string() },
        })
    }

    fn deployment(&self, template: &Value, before: Option<&str>) -> Value {
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {
                "name": self.name(), "namespace": self.on.namespace, "labels": self.labels(),
                "annotations": { BEFORE: before.unwrap_or_default() },
            },
            "spec": {
                "replicas": self.on.replicas,
                "revisionHistoryLimit": 3,
                "progressDeadlineSeconds": self.site.on.time_limit_seconds(),
                "selector": { "matchLabels": { OF_ENDPOINT: self.name() } },
                "strategy": { "type": "RollingUpdate", "rollingUpdate": { "maxUnavailable": 0, "maxSurge": 1 } },
                "template": template,
            },
        })
    }

    fn service(&self) -> Value {
        json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": { "name": self.name(), "namespace": self.on.namespace, "labels": self.labels() },
            "spec": {
                "type": "ClusterIP",
                "selector": { OF_ENDPOINT: self.name() },
                "ports": [{ "port": self.on.port, "targetPort": self.on.port, "protocol": "TCP" }],
            },
        })
    }

    /// In come the namespaces that the charter names; out go names and HTTPS, by which the artefact is fetched.
    fn network(&self) -> Value {
        let from: Vec<Value> = self
            .on
            .clients
            .iter()
            .map(|client| json!({ "namespaceSelector": { "matchLabels": { "kubernetes.io/metadata.name": client } } }))
            .collect();
        json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
            "metadata": { "name": self.name(), "namespace": self.on.namespace, "labels": self.labels() },
            "spec": {
                "podSelector": { "matchLabels": { OF_ENDPOINT: self.name() } },
                "policyTypes": ["Ingress", "Egress"],
                "ingress": [{ "from": from, "ports": [{ "port": self.on.port, "protocol": "TCP" }] }],
                "egress": [{ "ports": [
                    { "port": 53, "protocol": "UDP" }, { "port": 53, "protocol": "TCP" }, { "port": 443, "protocol": "TCP" },
                ] }],
            },
        })
    }

    /// What is beside the Deployment: the path, and what should be there.
    fn beside(&self) -> [(String, Value); 2] {
        [
            (self.path("api/v1", "services", self.name()), self.service()),
            (self.path("apis/networking.k8s.io/v1", "networkpolicies", self.name()), self.network()),
        ]
    }
}

fn count(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}

fn observed(deployment: &Value) -> Observed {
    let (meta, spec, status) = (&deployment["metadata"], &deployment["spec"], &deployment["status"]);
    let release = spec["template"]["metadata"]["labels"][OF_RELEASE].as_str().unwrap_or("unknown").to_owned();
    let before = meta["annotations"][BEFORE].as_str().filter(|name| !name.is_empty()).unwrap_or("unknown");
    let wanted = spec["replicas"].as_u64().unwrap_or(1);
    let (updated, all, well) =
        (count(&status["updatedReplicas"]), count(&status["replicas"]), count(&status["availableReplicas"]));
    let conditions = status["conditions"].as_array().cloned().unwrap_or_default();
    let stuck = conditions.iter().find(|one| one["reason"] == "ProgressDeadlineExceeded");
    let seen = count(&status["observedGeneration"]) >= count(&meta["generation"]);
    let said = stuck.and_then(|one| one["message"].as_str()).map(str::to_owned);
    let done = seen && updated == wanted && all == wanted && well == wanted && wanted > 0;
    let condition = match (meta["deletionTimestamp"].is_null(), done, seen && stuck.is_some()) {
        (false, ..) => Condition::Changing,
        (_, true, _) => Condition::Steady,
        (_, _, true) => Condition::Failed,
        _ => Condition::Changing,
    };
    let serving = if condition == Condition::Steady {
        vec![Share { release: release.clone(), percent: 100.0 }]
    } else {
        // Pods that are not well get no traffic; of the new ones it is not said how many are.
        let old = all.saturating_sub(updated).min(well);
        let new = well - old;
        let share = |name: &str, pods: u64| Share {
            release: name.to_owned(),
            percent: pods as f64 / well.max(1) as f64 * 100.0,
        };
        let both = [share(before, old), share(&release, new)];
        both.into_iter().filter(|share| share.percent > 0.0).collect()
    };
    let towards =
        (condition == Condition::Changing && meta["deletionTimestamp"].is_null()).then_some(release);
    Observed { condition, serving, towards, said }
}

impl Platform for EksDeployment<'_> {
    fn describe(&self) -> Result<Observed, PortError> {
        let there = self.cluster()?.get(&self.deployment_path())?;
        Ok(there.as_ref().map_or_else(Observed::absent, observed))
    }

    fn differences(&self, release: &Release, name: &str) -> Result<Option<Vec<String>>, PortError> {
        let cluster = self.cluster()?;
        let Some(kept) = cluster.get(&self.release_path(name))? else { return Ok(None) };
        let mut found = Vec::new();
        let current = release.name(self.site) == name;
        let text = kept["data"][TEMPLATE].as_str().unwrap_or_default();
        let template: Value = serde_json::from_str(text).unwrap_or_default();
        // Made under another charter, it must at least be of the same artefact; tags may be other than they were.
        let told: BTreeMap<String, String> = environment(release)
            .into_iter()
            .map(|(name, value)| (format!("wardmote/{name}"), value))
            .collect();
        let wanted = json!({ "immutable": true, "metadata": { "annotations": told } });
        compare(&wanted, &kept, "", &mut found);
        let should = self.template(release, name);
        if current && should != template {
            compare(&should, &template, TEMPLATE, &mut found);
            found.push(format!("`{TEMPLATE}` is not what was written"));
        }
        let live = cluster.get(&self.deployment_path())?;
        let live = live.filter(|live| live["spec"]["template"]["metadata"]["labels"][OF_RELEASE] == name);
        if let Some(live) = live {
            compare(&template, &live["spec"]["template"], "template", &mut found);
            for (path, wanted) in self.beside() {
                let there = cluster.get(&path)?.unwrap_or_default();
                compare(
                    &wanted["spec"],
                    &there["spec"],
                    &format!("{}.spec", wanted["kind"].as_str().unwrap_or_default()),
                    &mut found,
                );
            }
        }
        Ok(Some(found))
    }

    fn make(&self, release: &Release, name: &str) -> Result<(), PortError> {
        let cluster = self.cluster()?;
        if cluster.get(&self.release_path(name))?.is_none() {
            cluster.apply(&self.release_path(name), &self.release(release, name))?;
        }
        Ok(())
    }

    fn shift(&self, name: &str, _pace: Pace) -> Result<(), PortError> {
        let cluster = self.cluster()?;
        let kept = cluster.get(&self.release_path(name))?;
        let kept =
            kept.ok_or_else(|| PortError::new(Kind::Absent, format!("there is no ConfigMap `{name}`")))?;
        let text = kept["data"][TEMPLATE].as_str().unwrap_or_default();
        let template: Value = serde_json::from_str(text).map_err(|_| {
            PortError::new(Kind::Damaged, format!("the ConfigMap `{name}` holds no template of pods"))
        })?;
        let live = cluster.get(&self.deployment_path())?;
        let seen = live.as_ref().map_or_else(Observed::absent, observed);
        let removed = live.as_ref().is_some_and(|live| !live["metadata"]["deletionTimestamp"].is_null());
        if seen.goes_to(name) {
            return Ok(());
        }
        if removed || seen.towards.is_some() {
            let text = format!("the Deployment `{}` is being changed", self.name());
            return Err(
                PortError::new(Kind::Busy, text).with_help("run the command again when it has settled")
            );
        }
        for (path, object) in self.beside() {
            cluster.apply(&path, &object)?;
        }
        let before = seen.serving.first().map(|share| share.release.as_str());
        let applied = cluster.apply(&self.deployment_path(), &self.deployment(&template, before));
        applied.or_else(|error| if self.goes_to(name) { Ok(()) } else { Err(error) })
    }

    fn weigh(&self, _name: &str, _percent: u32) -> Result<(), PortError> {
        Err(super::shares_nothing(self.site))
    }

    fn stop(&self) -> Result<(), PortError> {
        self.cluster()?.delete(&format!("{}?propagationPolicy=Foreground", self.deployment_path()))
    }

    fn prune(&self, keep: &BTreeSet<String>) -> Result<Vec<String>, PortError> {
        let cluster = self.cluster()?;
        let selector = format!("?labelSelector=wardmote%2Fendpoint%3D{}", self.name());
        let path = self.release_path("").trim_end_matches('/').to_owned();
        let list = cluster.get(&format!("{path}{selector}"))?.unwrap_or_default();
        let names = list["items"].as_array().into_iter().flatten();
        let names = names.filter_map(|item| item["metadata"]["name"].as_str().map(str::to_owned));
        let mut gone: Vec<String> =
            names.filter(|name| is_release_of(self.site, name) && !keep.contains(name)).collect();
        gone.sort();
        gone.iter().try_for_each(|name| cluster.delete(&self.release_path(name)))?;
        Ok(gone)
    }

    fn operations(&self) -> &'static [&'static Operation] {
        &OF_EKS
    }

    fn place(&self, on: On) -> Place {
        let key = &self.on.key;
        match on {
            On::Cluster => at(vec![format!(
                "arn:{}:eks:{}:{}:cluster/{}",
                key.partition(),
                key.region(),
                key.account(),
                self.on.cluster
            )]),
            _ => at(vec!["*".to_owned()]),
        }
    }
}
