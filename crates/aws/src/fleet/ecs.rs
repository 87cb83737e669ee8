//! Services of Amazon ECS on Fargate: a release is a family of task definitions of its name. The service exists; what it
//! runs is changed by a rolling deployment, which the circuit breaker and alarms take back.
//!
//! Source: Amazon ECS API Reference and Developer Guide ("Deployment circuit breaker", "Deployment failure detection with
//! alarms").

use super::operations::{
    DEREGISTER_TASKS, DESCRIBE_SERVICES, DESCRIBE_TASKS, LIST_FAMILIES, LIST_TASKS, OF_ECS, REGISTER_TASKS,
    UPDATE_SERVICE,
};
use super::{
    OF_ENDPOINT, Platform, artefact_uri, at, compare, environment, is_release_of, or_absent, passed, tags,
};
use crate::client::Client;
use crate::error::AwsError;
use crate::operation::{On, Operation};
use crate::pages::Question;
use crate::permissions::Place;
use crate::wire::Wire;
use facts::serving::Ecs;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use world::{Condition, Kind, Observed, Pace, PortError, Release, Share, Site};

/// How ECS says that there is no such thing.
const NO_TASKS: [(&str, &str); 1] = [("ClientException", "Unable to describe task definition")];
/// How many events tell of the last deployment.
const LATEST_EVENTS: usize = 10;

/// One service.
pub(super) struct EcsService<'a> {
    pub(super) client: Client,
    pub(super) site: &'a Site,
    pub(super) on: &'a Ecs,
}

#[derive(Deserialize)]
struct Described {
    #[serde(default)]
    services: Vec<Service>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Service {
    status: String,
    desired_count: u32,
    running_count: u32,
    #[serde(default)]
    deployments: Vec<Deployment>,
    #[serde(default)]
    events: Vec<Event>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Deployment {
    status: String,
    task_definition: String,
    running_count: u32,
    desired_count: u32,
    rollout_state: Option<String>,
    rollout_state_reason: Option<String>,
}

#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    message: String,
}

/// The family in the ARN of a task definition: `arn:...:task-definition/FAMILY:REVISION`.
fn family(arn: &str) -> &str {
    let last = arn.rsplit('/').next().unwrap_or(arn);
    last.split(':').next().unwrap_or(last)
}

impl EcsService<'_> {
    fn name(&self) -> &str {
        self.site.endpoint.as_str()
    }

    fn call(&self, operation: &'static Operation, input: &Value) -> Result<(), AwsError> {
        self.client.call(operation, &Wire::json(operation, input)?).map(|_| ())
    }

    fn service(&self) -> Result<Service, PortError> {
        let input = json!({ "cluster": self.on.cluster, "services": [self.name()] });
        let described: Described = self.client.json(&DESCRIBE_SERVICES, &input)?;
        described.services.into_iter().find(|service| service.status == "ACTIVE").ok_or_else(|| {
            let text = format!("there is no service `{}` in the cluster `{}`", self.name(), self.on.cluster);
            PortError::new(Kind::Absent, text)
                .with_help("make it with its network and load balancer, and with no task; only what it runs is changed here")
        })
    }

    /// A task definition, by its ARN or as the newest of its family; nothing if it is not in use any more.
    fn tasks(&self, name: &str) -> Result<Option<Value>, PortError> {
        let input = json!({ "taskDefinition": name, "include": ["TAGS"] });
        let found: Option<Value> = or_absent(self.client.json(&DESCRIBE_TASKS, &input), &NO_TASKS)?;
        let found = found.map(|mut found| found["taskDefinition"].take());
        Ok(found.filter(|tasks| tasks["status"] != "INACTIVE"))
    }

    fn wanted(&self, release: &Release) -> Value {
        let port = self.on.port;
        let mut told = environment(release);
        told.insert("WARDMOTE_ARTEFACT_URI", artefact_uri(&self.on.artefacts, release));
        let told: Vec<Value> =
            told.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
        let ping = format!(
            "curl -fsS http://localhost:{port}/ping || wget -q -O - http://localhost:{port}/ping || exit 1"
        );
        let mut container = json!({
            "name": "model",
            "image": self.on.image,
            "essential": true,
            "privileged": false,
            "readonlyRootFilesystem": true,
            "linuxParameters": { "capabilities": { "drop": ["ALL"] }, "initProcessEnabled": true },
            "portMappings": [{ "containerPort": port, "protocol": "tcp" }],
            "mountPoints": [{ "sourceVolume": "scratch", "containerPath": "/tmp", "readOnly": false }],
            "environment": told,
            "healthCheck": {
                "command": ["CMD-SHELL", ping], "interval": 15, "timeout": 5, "retries": 3, "startPeriod": 60,
            },
        });
        if let Some(group) = &self.on.log_group {
            container["logConfiguration"] = json!({ "logDriver": "awslogs", "options": {
                "awslogs-group": group, "awslogs-region": self.on.key.region(), "awslogs-stream-prefix": self.name(),
            } });
        }
        json!({
            "networkMode": "awsvpc",
            "requiresCompatibilities": ["FARGATE"],
            "cpu": self.on.cpu.to_string(),
            "memory": self.on.memory.to_string(),
            "executionRoleArn": self.on.execution_role,
            "taskRoleArn": self.on.task_role,
            "volumes": [{ "name": "scratch" }],
            "containerDefinitions": [container],
        })
    }

    /// What can be said of a release that was made under another charter.
    fn wanted_of_older(release: &Release) -> Vec<(&'static str, String)> {
        environment(release).into_iter().collect()
    }

    fn compared(&self, release: &Release, name: &str, there: &Value) -> Vec<String> {
        let mut found = Vec::new();
        if release.name(self.site) == name {
            compare(&self.wanted(release), there, "", &mut found);
            return found;
        }
        let told = there["containerDefinitions"][0]["environment"].as_array().cloned().unwrap_or_default();
        for (name, value) in Self::wanted_of_older(release) {
            if !told.iter().any(|one| one["name"] == name && one["value"] == value.as_str()) {
                found.push(format!("the container is not told that `{name}` is `{value}`"));
            }
        }
        found
    }

    fn deployment(&self, pace: Pace) -> Value {
        // On the way back the alarms may be on: they are why.
        let watched = pace == Pace::Staged && !self.on.alarms.is_empty();
        let alarms: &[_] = if watched { &self.on.alarms } else { &[] };
        json!({
            "deploymentCircuitBreaker": { "enable": true, "rollback": true },
            "alarms": { "alarmNames": alarms, "enable": watched, "rollback": watched },
            "minimumHealthyPercent": 100,
            "maximumPercent": 200,
        })
    }

    fn names(&self, operation: &'static Operation, input: Value) -> Result<Vec<String>, AwsError> {
        let all = self.client.all(operation, Question::Json(input))?;
        Ok(all.iter().filter_map(Value::as_str).map(str::to_owned).collect())
    }

    /// Whether it was made for this endpoint; long names of two endpoints may begin alike.
    fn is_ours(&self, arn: &str) -> Result<bool, PortError> {
        let input = json!({ "taskDefinition": arn, "include": ["TAGS"] });
        let found: Value = self.client.json(&DESCRIBE_TASKS, &input)?;
        let ours = |tag: &Value| tag["key"] == OF_ENDPOINT && tag["value"] == self.name();
        Ok(found["tags"].as_array().is_some_and(|tags| tags.iter().any(ours)))
    }
}

fn observed(service: &Service) -> Observed {
    let primary = service.deployments.iter().find(|one| one.status == "PRIMARY");
    let said = service
        .deployments
        .iter()
        .filter(|one| one.rollout_state.as_deref() == Some("FAILED"))
        .find_map(|one| one.rollout_state_reason.clone());
    let told = || {
        let latest = service.events.iter().take(LATEST_EVENTS).map(|event| &event.message);
        latest.into_iter().find(|text| text.contains("failed") || text.contains("rolling back")).cloned()
    };
    let said = said.or_else(told);
    let whole: u32 = service.deployments.iter().map(|one| one.running_count).sum();
    if service.desired_count == 0 {
        let condition =
            if service.running_count + whole == 0 { Condition::Absent } else { Condition::Changing };
        return Observed { condition, serving: Vec::new(), towards: None, said };
    }
    let settled = |one: &Deployment| match one.rollout_state.as_deref() {
        Some(state) => state == "COMPLETED" && one.running_count >= one.desired_count,
        None => one.running_count == one.desired_count,
    };
    let condition = match primary {
        Some(one) if one.rollout_state.as_deref() == Some("FAILED") => Condition::Failed,
        Some(one) if service.deployments.len() == 1 && settled(one) => Condition::Steady,
        _ => Condition::Changing,
    };
    let share = |one: &Deployment| Share {
        release: family(&one.task_definition).to_owned(),
        percent: f64::from(one.running_count) / f64::from(whole.max(1)) * 100.0,
    };
    let running = service.deployments.iter().filter(|one| one.running_count > 0);
    let mut serving: Vec<Share> = running.map(share).collect();
    serving.sort_by(|a, b| b.percent.total_cmp(&a.percent).then_with(|| a.release.cmp(&b.release)));
    let changing = condition == Condition::Changing;
    let towards = primary.filter(|_| changing).map(|one| family(&one.task_definition).to_owned());
    Observed { condition, serving, towards, said }
}

impl Platform for EcsService<'_> {
    fn describe(&self) -> Result<Observed, PortError> {
        Ok(observed(&self.service()?))
    }

    fn differences(&self, release: &Release, name: &str) -> Result<Option<Vec<String>>, PortError> {
        // What the service runs under the name, or else the newest: another revision is another content.
        let running = self.service()?.deployments.into_iter().map(|one| one.task_definition);
        let mut names: Vec<String> = running.filter(|arn| family(arn) == name).collect();
        names.push(name.to_owned());
        let mut found: Option<Vec<String>> = None;
        for name_or_arn in names {
            if let Some(there) = self.tasks(&name_or_arn)? {
                found.get_or_insert_default().extend(self.compared(release, name, &there));
            }
        }
        Ok(found.map(|mut found| {
            found.dedup();
            found
        }))
    }

    fn make(&self, release: &Release, name: &str) -> Result<(), PortError> {
        if self.tasks(name)?.is_none() {
            let mut input = self.wanted(release);
            input["family"] = name.into();
            input["tags"] = tags(self.site, Some(release), ("key", "value")).into();
            self.call(&REGISTER_TASKS, &input)?;
        }
        Ok(())
    }

    fn shift(&self, name: &str, pace: Pace) -> Result<(), PortError> {
        let tasks = self.tasks(name)?;
        let arn = tasks
            .as_ref()
            .and_then(|tasks| tasks["taskDefinitionArn"].as_str())
            .ok_or_else(|| PortError::new(Kind::Absent, format!("there is no task definition `{name}`")))?;
        let service = self.service()?;
        let stopped = service.desired_count == 0;
        let seen = observed(&service);
        if seen.goes_to(name) {
            return Ok(());
        }
        if seen.condition == Condition::Changing {
            let text = format!("the service `{}` is being changed", self.name());
            return Err(
                PortError::new(Kind::Busy, text).with_help("run the command again when it has settled")
            );
        }
        let mut input = json!({
            "cluster": self.on.cluster, "service": self.name(), "taskDefinition": arn,
            "deploymentConfiguration": self.deployment(pace),
        });
        // How many run is scaled by others, unless none does.
        if stopped {
            input["desiredCount"] = self.on.tasks.into();
        }
        let Err(error) = self.call(&UPDATE_SERVICE, &input) else { return Ok(()) };
        if self.goes_to(name) { Ok(()) } else { Err(error.into()) }
    }

    fn weigh(&self, _name: &str, _percent: u32) -> Result<(), PortError> {
        Err(super::shares_nothing(self.site))
    }

    fn stop(&self) -> Result<(), PortError> {
        if self.service()?.desired_count > 0 {
            let input = json!({ "cluster": self.on.cluster, "service": self.name(), "desiredCount": 0 });
            self.call(&UPDATE_SERVICE, &input)?;
        }
        Ok(())
    }

    fn prune(&self, keep: &BTreeSet<String>) -> Result<Vec<String>, PortError> {
        let prefix: String = self.name().chars().take(36).collect();
        let input = json!({ "familyPrefix": prefix.trim_end_matches('-'), "status": "ACTIVE" });
        let families = self.names(&LIST_FAMILIES, input)?;
        let mut gone = Vec::new();
        for name in families.iter().filter(|name| is_release_of(self.site, name) && !keep.contains(*name)) {
            let input = json!({ "familyPrefix": name, "status": "ACTIVE" });
            let mut removed = false;
            for arn in self.names(&LIST_TASKS, input)? {
                if family(&arn) == name && self.is_ours(&arn)? {
                    self.call(&DEREGISTER_TASKS, &json!({ "taskDefinition": arn }))?;
                    removed = true;
                }
            }
            gone.extend(removed.then(|| name.clone()));
        }
        gone.sort();
        Ok(gone)
    }

    fn operations(&self) -> &'static [&'static Operation] {
        &OF_ECS
    }

    fn place(&self, on: On) -> Place {
        let key = &self.on.key;
        let of =
            |rest: &str| format!("arn:{}:ecs:{}:{}:{rest}", key.partition(), key.region(), key.account());
        let prefix: String = self.name().chars().take(36).collect();
        match on {
            On::Endpoint => at(vec![of(&format!("service/{}/{}", self.on.cluster, self.name()))]),
            On::Releases => at(vec![of(&format!("task-definition/{}-v*", prefix.trim_end_matches('-')))]),
            On::ServingRole => {
                passed(&[&self.on.execution_role, &self.on.task_role], "ecs-tasks.amazonaws.com")
            }
            _ => at(vec!["*".to_owned()]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_in_the_arn() {
        assert_eq!(
            family("arn:aws:ecs:eu-central-1:123456789012:task-definition/credit-v1-0123456789ab:3"),
            "credit-v1-0123456789ab"
        );
        assert_eq!(family("credit:2"), "credit");
    }
}
