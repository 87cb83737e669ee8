//! Containers beside SageMaker: task definitions and services of Amazon ECS, clusters of Amazon EKS. Properties: AWS::ECS::*
//! and AWS::EKS::Cluster of the CloudFormation reference; calls: API references of both.
//!
//! Of task definitions those are read that are in use: the newest of each family, and what services run.

use super::items::{Draft, Told, item, learn};
use super::jobs::{Job, Lister};
use super::reader::Reader;
use super::types::{Tags, Type, always, derived, describe, inside, is, pairs, pascal};
use crate::error::{AwsError, Trouble};
use crate::operation::{Call, ECS, EKS, SMALL_TOKEN, call};
use facts::inventory::Item;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

const CLUSTERS: &Call = call!(ECS, "ListClusters", "ecs:ListClusters", SMALL_TOKEN.of("clusterArns"));
const SERVICES: &Call = call!(ECS, "ListServices", "ecs:ListServices", SMALL_TOKEN.of("serviceArns"));
const SERVICE: &Call = call!(ECS, "DescribeServices", "ecs:DescribeServices");
const TASKS: &Call =
    call!(ECS, "ListTaskDefinitions", "ecs:ListTaskDefinitions", SMALL_TOKEN.of("taskDefinitionArns"));
const TASK: &Call = call!(ECS, "DescribeTaskDefinition", "ecs:DescribeTaskDefinition");

const TASK_KIND: &str = "AWS::ECS::TaskDefinition";
const SERVICE_KIND: &str = "AWS::ECS::Service";
/// How many services one call describes.
const AT_MOST: usize = 10;

/// What is kept of a container. The options of its log driver and its labels are somebody's own names.
const CONTAINER: [(&str, &str); 7] = [
    ("name", "Name"),
    ("image", "Image"),
    ("user", "User"),
    ("privileged", "Privileged"),
    ("readonlyRootFilesystem", "ReadonlyRootFilesystem"),
    ("environment", "Environment"),
    ("secrets", "Secrets"),
];

pub(super) static CLUSTER: Type = Type {
    kind: "AWS::EKS::Cluster",
    children: &[],
    list: call!(EKS, "ListClusters", "eks:ListClusters", "GET /clusters", SMALL_TOKEN.of("clusters")),
    with: || json!({}),
    id: "",
    read: call!(EKS, "DescribeCluster", "eks:DescribeCluster", "GET /clusters/{name}"),
    asked: "name",
    inside: "cluster",
    arn: "arn",
    members: &[
        always("name", "Name"),
        always("version", "Version"),
        is("roleArn", "RoleArn"),
        always("resourcesVpcConfig", "ResourcesVpcConfig"),
        is("encryptionConfig", "EncryptionConfig"),
        derived("status", "Status"),
    ],
    tags: Tags::Inside("tags"),
    more: logs,
};

/// Which logs a cluster writes: CloudFormation lists those that are on.
fn logs(_: &Reader<'_>, told: &Value, cluster: &mut Item, _: &mut Draft) {
    if let Some(why) = cluster.provenance.get("Name").filter(|why| !why.status.is_known()).cloned() {
        cluster.provenance.insert("Logging".to_owned(), why);
        return;
    }
    let all = told["logging"]["clusterLogging"].as_array().into_iter().flatten();
    let on = all
        .filter(|one| one["enabled"] == true)
        .flat_map(|one| one["types"].as_array().into_iter().flatten());
    let types: Vec<Value> = on.map(|sort| json!({ "Type": sort })).collect();
    let logging = json!({"ClusterLogging": {"EnabledTypes": types}});
    learn(cluster, "Logging", &CLUSTER.read.operation, Told::Is(logging));
}

pub(super) static TASKS_AND_SERVICES: Lister =
    Lister { kinds: &[TASK_KIND, SERVICE_KIND], calls: &[CLUSTERS, SERVICES, SERVICE, TASKS, TASK], list };

fn list(reader: &Reader<'_>, draft: &mut Draft) -> Vec<Job> {
    let mut used = BTreeSet::new();
    match services(reader) {
        Ok(all) => {
            draft.read(&[SERVICE_KIND]);
            used.extend(all.iter().filter_map(|told| told["taskDefinition"].as_str().map(str::to_owned)));
            draft.items.extend(all.iter().filter_map(service));
        }
        Err((call, error)) => {
            draft.unread(SERVICE_KIND, &call.operation, &error);
            // Which task definitions they run is not known then.
            draft.unread(TASK_KIND, &call.operation, &error);
        }
    }
    match reader.all(TASKS, &json!({"status": "ACTIVE", "sort": "DESC"})) {
        Ok(all) => {
            draft.read(&[TASK_KIND]);
            used.extend(newest(all.iter().filter_map(Value::as_str)));
        }
        Err(error) => draft.unread(TASK_KIND, &TASKS.operation, &error),
    }
    let job = |arn: String| {
        let id = arn.clone();
        Job::new(&[TASK_KIND], &id, move |reader, draft| task(reader, &arn, draft))
    };
    used.into_iter().map(job).collect()
}

/// The newest revision of each family.
fn newest<'a>(arns: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut all = std::collections::BTreeMap::new();
    for arn in arns {
        let Some((family, revision)) = arn.rsplit_once(':') else { continue };
        let revision: u64 = revision.parse().unwrap_or(0);
        let known = all.entry(family).or_insert(revision);
        *known = revision.max(*known);
    }
    all.into_iter().map(|(family, revision)| format!("{family}:{revision}")).collect()
}

/// All services of all clusters, or the call that failed.
fn services(reader: &Reader<'_>) -> Result<Vec<Value>, (&'static Call, AwsError)> {
    let failed = |call: &'static Call| move |error: AwsError| (call, error);
    let mut all = Vec::new();
    let clusters = reader.all(CLUSTERS, &json!({})).map_err(failed(CLUSTERS))?;
    for cluster in clusters {
        let named = reader.all(SERVICES, &json!({ "cluster": cluster }));
        for some in named.map_err(failed(SERVICES))?.chunks(AT_MOST) {
            let input = json!({"cluster": cluster, "services": some, "include": ["TAGS"]});
            let mut told = reader.ask(SERVICE, &input).map_err(failed(SERVICE))?;
            let Value::Array(described) = told["services"].take() else { continue };
            if described.len() < some.len() {
                let error = AwsError::new(Trouble::Unreadable, "not all services were described");
                return Err((SERVICE, error.of(&SERVICE.operation)));
            }
            all.extend(described);
        }
    }
    Ok(all)
}

fn service(told: &Value) -> Option<Item> {
    let tail = |member: &str| told[member].as_str().and_then(|arn| arn.rsplit('/').next());
    let mut one = item(SERVICE_KIND, &format!("{}|{}", tail("clusterArn")?, told["serviceName"].as_str()?));
    one.arn = told["serviceArn"].as_str().map(str::to_owned);
    let members = [
        always("serviceName", "ServiceName"),
        is("clusterArn", "Cluster"),
        is("taskDefinition", "TaskDefinition"),
        is("launchType", "LaunchType"),
        is("networkConfiguration", "NetworkConfiguration"),
        derived("status", "Status"),
    ];
    describe(&mut one, &SERVICE.operation, Ok(told), &members);
    learn(&mut one, "Tags", &SERVICE.operation, Told::Is(pairs(&told["tags"])));
    Some(one)
}

fn task(reader: &Reader<'_>, arn: &str, draft: &mut Draft) {
    let mut one = item(TASK_KIND, arn);
    one.arn = Some(arn.to_owned());
    let told = reader.ask(TASK, &json!({"taskDefinition": arn, "include": ["TAGS"]}));
    let tags = Told::by(told.clone(), &[]).and(|told| Some(pairs(&told["tags"])));
    learn(&mut one, "Tags", &TASK.operation, tags);
    let told = told.map(|told| inside(told, "taskDefinition"));
    let members = [
        always("family", "Family"),
        is("taskRoleArn", "TaskRoleArn"),
        is("executionRoleArn", "ExecutionRoleArn"),
        is("networkMode", "NetworkMode"),
        is("pidMode", "PidMode"),
        is("ipcMode", "IpcMode"),
        derived("status", "Status"),
    ];
    describe(&mut one, &TASK.operation, told.as_ref(), &members);
    let containers = Told::by(told, &[])
        .and(|told| Some(told["containerDefinitions"].as_array()?.iter().map(container).collect()));
    learn(&mut one, "ContainerDefinitions", &TASK.operation, containers);
    draft.items.push(one);
}

fn container(told: &Value) -> Value {
    let member = |(there, here): (&str, &str)| Some((here.to_owned(), pascal(told.get(there)?)));
    let mut out: Map<String, Value> = CONTAINER.into_iter().filter_map(member).collect();
    if let Some(driver) = told["logConfiguration"].get("logDriver") {
        out.insert("LogConfiguration".to_owned(), json!({ "LogDriver": driver }));
    }
    Value::Object(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_of_each_family() {
        let arn = |name: &str| format!("arn:aws:ecs:eu-central-1:123456789012:task-definition/{name}");
        let all = [arn("a:9"), arn("a:10"), arn("b:1")];
        assert_eq!(newest(all.iter().map(String::as_str)), [arn("a:10"), arn("b:1")]);
    }
}
