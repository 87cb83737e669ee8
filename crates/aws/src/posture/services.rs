//! Logs, trails and image repositories: services of which a few types are read.

use super::collector::{Kind, named, put};
use super::items::{Draft, Told, answered, derive, item, learn};
use super::reader::Reader;
use crate::operation::{CLOUDTRAIL, On, Operation, Permission, Protocol, Retry, SMALL_TOKEN, Service};
use facts::inventory::Status;
use serde_json::{Value, json};

/// Amazon CloudWatch Logs.
pub(crate) const LOGS: Service = Service {
    id: "CLOUDWATCH_LOGS",
    name: "logs",
    protocol: Protocol::Json { version: "1.1", target: "Logs_20140328" },
};

/// Amazon Elastic Container Registry.
pub(crate) const ECR: Service = Service {
    id: "ECR",
    name: "ecr",
    protocol: Protocol::Json { version: "1.1", target: "AmazonEC2ContainerRegistry_V20150921" },
};

macro_rules! operation {
    ($constant:ident, $service:ident, $name:literal, $action:literal $(, $items:literal)?) => {
        const $constant: Operation = Operation {
            service: &$service,
            name: $name,
            retry: Retry::Safe,
            needs: &[Permission { action: $action, on: On::Account }],
            pages: None,
        }$(.paged(SMALL_TOKEN.of($items)))?;
    };
}

operation!(GROUPS, LOGS, "DescribeLogGroups", "logs:DescribeLogGroups", "logGroups");
operation!(TRAILS, CLOUDTRAIL, "DescribeTrails", "cloudtrail:DescribeTrails");
operation!(TRAIL_STATUS, CLOUDTRAIL, "GetTrailStatus", "cloudtrail:GetTrailStatus");
operation!(SELECTORS, CLOUDTRAIL, "GetEventSelectors", "cloudtrail:GetEventSelectors");
operation!(REPOSITORIES, ECR, "DescribeRepositories", "ecr:DescribeRepositories", "repositories");
operation!(REPOSITORY_POLICY, ECR, "GetRepositoryPolicy", "ecr:GetRepositoryPolicy");
operation!(REPOSITORY_TAGS, ECR, "ListTagsForResource", "ecr:ListTagsForResource");

pub(super) const OPERATIONS: [&Operation; 7] =
    [&GROUPS, &TRAILS, &TRAIL_STATUS, &SELECTORS, &REPOSITORIES, &REPOSITORY_POLICY, &REPOSITORY_TAGS];

/// Types of other services that are listed by one call and read by another.
pub(super) static KINDS: &[Kind] = &[];

/// Groups of logs.
pub(super) fn log_groups(reader: &Reader<'_>, draft: &mut Draft) {
    let kind = "AWS::Logs::LogGroup";
    let groups = match reader.pages(&GROUPS, &json!({})) {
        Ok(groups) => groups,
        Err(error) => return draft.unread(kind, &GROUPS, &error),
    };
    let names = [
        ("logGroupName", "LogGroupName"),
        ("kmsKeyId", "KmsKeyId"),
        ("retentionInDays", "RetentionInDays"),
        ("logGroupClass", "LogGroupClass"),
    ];
    draft.read(&[kind]);
    for told in groups {
        let Some(name) = told["logGroupName"].as_str() else { continue };
        let mut group = item(kind, name);
        group.arn = told["arn"].as_str().map(str::to_owned);
        put(&mut group, &GROUPS, named(&told, &names));
        draft.items.push(group);
    }
}

/// Trails of this region, and those of others that reach it.
pub(super) fn trails(reader: &Reader<'_>, draft: &mut Draft) {
    let kind = "AWS::CloudTrail::Trail";
    let trails = match reader.json(&TRAILS, &json!({})) {
        Ok(mut told) => told["trailList"].take(),
        Err(error) => return draft.unread(kind, &TRAILS, &error),
    };
    draft.read(&[kind]);
    let names = [
        ("Name", "TrailName"),
        ("S3BucketName", "S3BucketName"),
        ("S3KeyPrefix", "S3KeyPrefix"),
        ("SnsTopicName", "SnsTopicName"),
        ("IncludeGlobalServiceEvents", "IncludeGlobalServiceEvents"),
        ("IsMultiRegionTrail", "IsMultiRegionTrail"),
        ("LogFileValidationEnabled", "EnableLogFileValidation"),
        ("CloudWatchLogsLogGroupArn", "CloudWatchLogsLogGroupArn"),
        ("CloudWatchLogsRoleArn", "CloudWatchLogsRoleArn"),
        ("KmsKeyId", "KMSKeyId"),
        ("IsOrganizationTrail", "IsOrganizationTrail"),
    ];
    for told in trails.as_array().into_iter().flatten() {
        let (Some(name), Some(arn)) = (told["Name"].as_str(), told["TrailARN"].as_str()) else { continue };
        let mut trail = item(kind, name);
        trail.arn = Some(arn.to_owned());
        trail.region = told["HomeRegion"].as_str().map(str::to_owned);
        put(&mut trail, &TRAILS, named(told, &names));
        let status = Told::by(reader.json(&TRAIL_STATUS, &json!({ "Name": arn })), &[]);
        learn(&mut trail, "IsLogging", &TRAIL_STATUS, status.and(|told| told.get("IsLogging").cloned()));
        let selectors = reader.json(&SELECTORS, &json!({ "TrailName": arn }));
        let part = |name: &str| {
            let list = |told: Value| told.get(name).filter(|list| !list.is_null()).cloned();
            Told::by(selectors.clone(), &[]).and(list)
        };
        learn(&mut trail, "EventSelectors", &SELECTORS, part("EventSelectors"));
        learn(&mut trail, "AdvancedEventSelectors", &SELECTORS, part("AdvancedEventSelectors"));
        draft.items.push(trail);
    }
}

/// Repositories of images.
pub(super) fn repositories(reader: &Reader<'_>, draft: &mut Draft) {
    let kind = "AWS::ECR::Repository";
    let repositories = match reader.pages(&REPOSITORIES, &json!({})) {
        Ok(repositories) => repositories,
        Err(error) => return draft.unread(kind, &REPOSITORIES, &error),
    };
    draft.read(&[kind]);
    for told in repositories {
        let Some(name) = told["repositoryName"].as_str() else { continue };
        let mut repository = item(kind, name);
        repository.arn = told["repositoryArn"].as_str().map(str::to_owned);
        let names = [("repositoryName", "RepositoryName"), ("imageTagMutability", "ImageTagMutability")];
        put(&mut repository, &REPOSITORIES, named(&told, &names));
        let scan = json!({"ScanOnPush": told["imageScanningConfiguration"]["scanOnPush"]});
        let encryption = named(
            &told["encryptionConfiguration"],
            &[("encryptionType", "EncryptionType"), ("kmsKey", "KmsKey")],
        );
        for (property, value) in
            [("ImageScanningConfiguration", scan), ("EncryptionConfiguration", Value::Object(encryption))]
        {
            repository.provenance.insert(property.to_owned(), answered(&REPOSITORIES, Status::Ok));
            repository.properties.insert(property.to_owned(), value);
        }
        let policy = reader.json(&REPOSITORY_POLICY, &json!({ "repositoryName": name }));
        let document = |told: Value| serde_json::from_str::<Value>(told["policyText"].as_str()?).ok();
        let policy = Told::by(policy, &["RepositoryPolicyNotFoundException"]).and(document);
        learn(&mut repository, "RepositoryPolicyText", &REPOSITORY_POLICY, policy);
        let tags =
            Told::by(reader.json(&REPOSITORY_TAGS, &json!({ "resourceArn": told["repositoryArn"] })), &[]);
        learn(&mut repository, "Tags", &REPOSITORY_TAGS, tags.and(|told| told.get("tags").cloned()));
        derive(&mut repository, "CreatedAt", &REPOSITORIES, Told::Is(told["createdAt"].clone()));
        draft.items.push(repository);
    }
}
