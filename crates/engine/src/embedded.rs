//! The house itself as an inventory, so that the controls ask of it what they ask of an account: keys, versions of models,
//! what serves, what watches it. Each resource has the shape that it has on AWS, and each property says by what part of the
//! house it is known. A house has nothing else: silence about other types means that there is none.

mod data;

use crate::state::State;
use crate::{Engine, Error};
use charter::model::{Charter, Key, Model};
use facts::inventory::{ALL, EMBEDDED, Inventory, Item, Provenance, Status as Known};
use facts::{AlertRule, RoleId, Timestamp};
use registry::Version;
use serde_json::{Value, json};
use world::KeyState;

/// What stands where an account's number would.
pub(crate) const ACCOUNT: &str = "000000000000";
/// The material of a key that is younger is as good as one that AWS rotates every year.
const ROTATION_DAYS: i64 = 365;
const DAY_SECONDS: i64 = 86_400;

impl Engine {
    /// What there is in the house, as resources. Nothing is recorded and nothing decrypted.
    pub fn inventory(&self) -> Result<Inventory, Error> {
        let now = self.now();
        let mut inventory = Inventory::new(ACCOUNT, EMBEDDED, now);
        inventory.read.insert(ALL.to_owned());
        let charter = self.charter()?.charter();
        let view = View { charter, state: self.state(), now };
        for key in &charter.keys {
            let state = self.ports.keys.state(&key.id);
            inventory.resources.push(view.key(key, state));
        }
        view.data(&mut inventory);
        for model in &charter.models {
            view.model(model, &mut inventory.resources);
        }
        inventory.sort();
        Ok(inventory)
    }
}

struct View<'a> {
    charter: &'a Charter,
    state: &'a State,
    now: Timestamp,
}

impl View<'_> {
    fn item(&self, kind: &str, id: &str) -> Draft {
        Draft { item: Item::new(kind, id), at: self.now }
    }

    /// Principals of people and services with one of the roles.
    fn holders(&self, roles: &[RoleId]) -> Vec<String> {
        let has = |own: &[RoleId]| own.iter().any(|role| roles.contains(role));
        let people = self.charter.people.iter().filter(|person| has(&person.roles)).map(|person| &person.id);
        let services = self.charter.services.iter().filter(|service| has(&service.roles)).map(|s| &s.id);
        people.chain(services).map(|id| format!("arn:aws:iam::{ACCOUNT}:user/{id}")).collect()
    }

    fn key(&self, key: &Key, state: Result<KeyState, world::PortError>) -> Item {
        let mut draft = self.item("AWS::KMS::Key", key.id.as_str());
        draft.put("Description", "charter", json!(key.description));
        draft.put("KeySpec", "charter", json!("SYMMETRIC_DEFAULT"));
        draft.put("Origin", "charter", json!("AWS_KMS"));
        match state {
            Ok(state) => {
                draft.put("Enabled", "keys", json!(state == KeyState::Enabled));
                draft.derive(
                    "KeyState",
                    "keys",
                    json!(if state == KeyState::Enabled { "Enabled" } else { "Disabled" }),
                );
            }
            Err(error) => draft.unknown("Enabled", "keys", Known::Error, &error.to_string()),
        }
        match self.state.key_material_since(&key.id) {
            Some(since) => {
                let young = self.now.seconds_since(since) < ROTATION_DAYS * DAY_SECONDS;
                draft.put("EnableKeyRotation", "ledger", json!(young));
            }
            None => draft.unknown("EnableKeyRotation", "ledger", Known::Absent, ""),
        }
        draft.put("KeyPolicy", "charter", self.key_policy(key));
        draft.put("Tags", "charter", json!([]));
        draft.item
    }

    /// What the charter and the policies of the house let people do with a key, as a key's policy says it.
    fn key_policy(&self, key: &Key) -> Value {
        let statement = |sid: &str, roles: &[RoleId], actions: &[&str]| {
            let who = self.holders(roles);
            (!who.is_empty()).then(|| {
                json!({"Sid": sid, "Effect": "Allow", "Principal": {"AWS": who}, "Action": actions, "Resource": "*"})
            })
        };
        let administer = ["kms:EnableKey", "kms:DisableKey", "kms:RotateKeyOnDemand", "kms:PutKeyPolicy"];
        let both = [
            statement("Administer", &key.administrators, &administer),
            statement("Use", &key.users, &["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"]),
        ];
        json!({"Version": "2012-10-17", "Statement": both.into_iter().flatten().collect::<Vec<_>>()})
    }

    fn model(&self, model: &Model, all: &mut Vec<Item>) {
        let name = model.name.as_str();
        let tags = tags(model);
        let mut group = self.item("AWS::SageMaker::ModelPackageGroup", name);
        group.put("ModelPackageGroupName", "charter", json!(name));
        group.put("Tags", "charter", tags.clone());
        all.push(group.item);
        let Some(known) = self.state.registry().model(&model.name) else { return };
        all.extend(known.versions.iter().map(|version| self.package(model, version)));
        let Some(serving) = known.serving() else { return };
        let package = format!("{name}/{}", serving.version);
        let served = format!("{name}-v{}", serving.version);
        let mut runtime = self.item("AWS::SageMaker::Model", &served);
        runtime.put("ModelName", "ledger", json!(served));
        runtime.put("EnableNetworkIsolation", "runtime", json!(true));
        runtime.put("PrimaryContainer", "ledger", json!({"ModelPackageName": package}));
        let inside = "a model of the house is computed by the program that serves it, without a container or a network of its own";
        runtime.unknown("VpcConfig", "runtime", Known::NotRecorded, inside);
        runtime.put("Tags", "charter", tags.clone());
        all.push(runtime.item);
        all.push(self.configuration(model, &served, &tags));
        let mut endpoint = self.item("AWS::SageMaker::Endpoint", model.endpoint.name.as_str());
        endpoint.put("EndpointName", "charter", json!(model.endpoint.name));
        endpoint.put("EndpointConfigName", "ledger", json!(configuration_name(model)));
        endpoint.put("Tags", "charter", tags.clone());
        all.push(endpoint.item);
        all.push(self.schedule(model, &tags));
        all.extend(model.alerts.iter().map(|rule| self.alarm(model, rule)));
    }

    /// A rule of the charter that does something when a figure crosses a threshold.
    fn alarm(&self, model: &Model, rule: &AlertRule) -> Item {
        let name = format!("{}-{}", model.endpoint.name, rule.metric);
        let mut draft = self.item("AWS::CloudWatch::Alarm", &name);
        draft.put("AlarmName", "charter", json!(name));
        draft.put("MetricName", "charter", json!(rule.metric));
        draft.put("ActionsEnabled", "charter", json!(true));
        draft.put("AlarmActions", "charter", json!([rule.action]));
        draft.put("Dimensions", "charter", json!([{"Name": "EndpointName", "Value": model.endpoint.name}]));
        draft.item
    }

    fn package(&self, model: &Model, version: &Version) -> Item {
        let (name, registration) = (model.name.as_str(), &version.registration);
        let mut draft = self.item("AWS::SageMaker::ModelPackage", &format!("{name}/{}", version.version));
        draft.put("ModelPackageGroupName", "ledger", json!(name));
        draft.put("ModelPackageVersion", "ledger", json!(version.version));
        draft.put("ModelPackageStatus", "ledger", json!("Completed"));
        draft.put("ModelApprovalStatus", "ledger", json!(approval(version)));
        let approvals = version.approvals.iter().filter(|given| given.revoked.is_none());
        let last = approvals.max_by_key(|given| given.time);
        let said = last.map(|given| {
            let own = given.own_work.as_ref().map_or_else(String::new, |own| format!("; {own}"));
            json!(format!("{} as {}, entry {}{own}", given.approver.id, given.role, given.evidence))
        });
        draft.perhaps("ApprovalDescription", "ledger", said);
        let made = registration
            .run
            .as_ref()
            .map_or_else(|| version.registered_by.to_string(), |run| run.run_id.clone());
        let metadata = json!({"CommitId": registration.code.git_commit, "GeneratedBy": made});
        draft.put("MetadataProperties", "ledger", metadata);
        let data = registration
            .data
            .as_ref()
            .map(|data| json!({"dataset": data.snapshot, "dataset-digest": data.snapshot_digest}));
        draft.perhaps("CustomerMetadataProperties", "ledger", data);
        let metrics = version.validation.as_ref().map(|(report, evidence)| {
            let at = |what: &str| json!({"S3Uri": format!("ledger://{evidence}#{what}")});
            let mut metrics = json!({"ModelQuality": {"Statistics": at("metrics")}});
            if report.criteria.iter().any(|result| result.criterion.group.is_some()) {
                metrics["Bias"] = json!({"Report": at("fairness")});
            }
            metrics
        });
        draft.perhaps("ModelMetrics", "ledger", metrics);
        let card = self.state.card(&model.name, version.version);
        draft.perhaps(
            "ModelCard",
            "ledger",
            card.map(|evidence| json!({"ModelCardContent": format!("ledger://{evidence}")})),
        );
        draft.put(
            "InferenceSpecification",
            "ledger",
            json!({"Containers": [{"ModelDataUrl": registration.object}]}),
        );
        let checked = "the artefact's digest is compared whenever it is deployed or loaded, not by looking at the record";
        draft.unknown("Artefacts", "objects", Known::NotRecorded, checked);
        let trainers = registration.involved.first().map(|one| json!({"By": one.person}));
        draft.perhaps_derived("Registration", "ledger", trainers);
        let approved = last.map(|given| json!({"By": given.approver.id, "At": given.time.to_string()}));
        draft.perhaps_derived("Approval", "ledger", approved);
        draft.put("Tags", "charter", json!([]));
        draft.item
    }

    fn configuration(&self, model: &Model, served: &str, tags: &Value) -> Item {
        let mut draft = self.item("AWS::SageMaker::EndpointConfig", &configuration_name(model));
        draft.put("EndpointConfigName", "charter", json!(configuration_name(model)));
        let variant = json!({"VariantName": served, "ModelName": served, "InitialInstanceCount": 1});
        draft.put("ProductionVariants", "ledger", json!([variant]));
        let share = model.endpoint.capture_share;
        let key = self.state.segments(&model.endpoint.name).last().map(|segment| segment.what.key.clone());
        let capture = json!({"EnableCapture": share > 0.0, "InitialSamplingPercentage": share * 100.0,
            "DestinationS3Uri": "ledger", "KmsKeyId": key});
        draft.put("DataCaptureConfig", "charter", capture);
        draft.perhaps("KmsKeyId", "ledger", key.map(|key| json!(key)));
        draft.put("Tags", "charter", tags.clone());
        draft.item
    }

    fn schedule(&self, model: &Model, tags: &Value) -> Item {
        let name = format!("{}-monitor", model.endpoint.name);
        let mut draft = self.item("AWS::SageMaker::MonitoringSchedule", &name);
        draft.put("MonitoringScheduleName", "charter", json!(name));
        draft.put("EndpointName", "charter", json!(model.endpoint.name));
        // It is computed in the program, which sends nothing anywhere.
        let inside = json!({"EnableNetworkIsolation": true, "EnableInterContainerTrafficEncryption": true});
        let inputs = json!([{"EndpointInput": {"EndpointName": model.endpoint.name}}]);
        let inputs =
            json!({"MonitoringJobDefinition": {"MonitoringInputs": inputs, "NetworkConfig": inside}});
        draft.put("MonitoringScheduleConfig", "charter", inputs);
        let last = self.state.reports(&model.name).last().map(|report| {
            json!({"MonitoringExecutionStatus": "Completed", "CreationTime": report.time.to_string(),
                "ScheduledTime": report.time.to_string()})
        });
        draft.perhaps("LastMonitoringExecutionSummary", "ledger", last);
        draft.put("Tags", "charter", tags.clone());
        draft.item
    }
}

/// The tags of a model as AWS lists them.
fn tags(model: &Model) -> Value {
    let all = serde_json::to_value(&model.tags).unwrap_or_default();
    let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let pair = |(key, value): (&String, &Value)| json!({"Key": key.replace('_', "-"), "Value": word(value)});
    all.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()).map(pair).collect()
}

fn configuration_name(model: &Model) -> String {
    format!("{}-config", model.endpoint.name)
}

/// The approval status that SageMaker would show.
fn approval(version: &Version) -> &'static str {
    match (version.is_approved(), version.status.is_refused() || version.quarantined().is_some()) {
        (true, _) => "Approved",
        (_, true) => "Rejected",
        _ => "PendingManualApproval",
    }
}

/// A resource that is being described.
struct Draft {
    item: Item,
    at: Timestamp,
}

impl Draft {
    fn told(&mut self, name: &str, by: &str, status: Known, said: Option<String>) {
        let call = format!("house:{by}");
        self.item.provenance.insert(name.to_owned(), Provenance { call, at: self.at, status, said });
    }

    fn put(&mut self, name: &str, by: &str, value: Value) {
        self.item.properties.insert(name.to_owned(), value);
        self.told(name, by, Known::Ok, None);
    }

    fn perhaps(&mut self, name: &str, by: &str, value: Option<Value>) {
        match value {
            Some(value) => self.put(name, by, value),
            None => self.told(name, by, Known::Absent, None),
        }
    }

    fn derive(&mut self, name: &str, by: &str, value: Value) {
        self.item.derived.insert(name.to_owned(), value);
        self.told(name, by, Known::Ok, None);
    }

    fn perhaps_derived(&mut self, name: &str, by: &str, value: Option<Value>) {
        match value {
            Some(value) => self.derive(name, by, value),
            None => self.told(name, by, Known::Absent, None),
        }
    }

    fn unknown(&mut self, name: &str, by: &str, status: Known, said: &str) {
        self.told(name, by, status, Some(said.to_owned()).filter(|said| !said.is_empty()));
    }
}
