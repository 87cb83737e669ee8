//! Versions of models in the SageMaker Model Registry, and what can be known of them beyond their own answer: whether their
//! artefacts are still those that were registered, and from what they came. Properties: AWS::SageMaker::ModelPackage of the
//! CloudFormation reference; calls: API references of Amazon SageMaker AI and Amazon S3.

use super::collector::{self, Kind};
use super::items::{Draft, Told, derive};
use super::jobs::{Job, Lister};
use super::reader::Reader;
use super::s3::address;
use super::side_by_side;
use super::xml::{items, tree};
use crate::error::AwsError;
use crate::operation::{Call, NEXT_TOKEN, Operation, S3, SAGEMAKER, call};
use facts::inventory::Item;
use serde_json::{Value, json};

const GROUPS: &Call = call!(
    SAGEMAKER,
    "ListModelPackageGroups",
    "sagemaker:ListModelPackageGroups",
    NEXT_TOKEN.of("ModelPackageGroupSummaryList")
);
const LIST: &Call = call!(
    SAGEMAKER,
    "ListModelPackages",
    "sagemaker:ListModelPackages",
    NEXT_TOKEN.of("ModelPackageSummaryList")
);
const READ: &Call = call!(SAGEMAKER, "DescribeModelPackage", "sagemaker:DescribeModelPackage");
const ARTIFACTS: &Call =
    call!(SAGEMAKER, "ListArtifacts", "sagemaker:ListArtifacts", NEXT_TOKEN.of("ArtifactSummaries"));
const LINEAGE: &Call = call!(SAGEMAKER, "QueryLineage", "sagemaker:QueryLineage", NEXT_TOKEN.of("Vertices"));
/// Tells an object's tag to whoever may list a bucket, without a right to read what is in it.
const OBJECTS: &Call = call!(S3, "ListObjectsV2", "s3:ListBucket");

pub(super) const KIND: &str = "AWS::SageMaker::ModelPackage";

/// How far back lineage is followed: data, processing, training, model, version, with room.
const STEPS: u32 = 10;

pub(super) static PACKAGES: Lister =
    Lister { kinds: &[KIND], calls: &[GROUPS, LIST, READ, ARTIFACTS, LINEAGE, OBJECTS], list };

/// A version is asked for by its ARN, which is its identifier. The name that it tells is that of its group.
static PACKAGE: Kind = Kind {
    kind: KIND,
    list: &LIST.operation,
    id: "ModelPackageName",
    arn: "ModelPackageArn",
    read: &READ.operation,
    properties: &[
        "ModelPackageGroupName",
        "ModelPackageVersion",
        "ModelPackageDescription",
        "ModelApprovalStatus",
        "ApprovalDescription",
        "InferenceSpecification",
        "SourceAlgorithmSpecification",
        "SourceUri",
        "MetadataProperties",
        "ModelMetrics",
        "DriftCheckBaselines",
        "CustomerMetadataProperties",
        "ModelCard",
        "SecurityConfig",
    ],
    renamed: &[],
    always: &[],
    derived: &["ModelPackageStatus", "CreationTime", "LastModifiedTime", "CreatedBy", "LastModifiedBy"],
    tags: Some(super::sagemaker::TAGS),
    more: facts_of,
};

/// All versions of all groups, and packages of no group.
fn list(reader: &Reader<'_>, draft: &mut Draft) -> Vec<Job> {
    match all(reader) {
        Ok(arns) => {
            draft.read(&[KIND]);
            let job = |arn: String| {
                let id = arn.clone();
                Job::new(&[KIND], &id, move |reader, draft| collector::read(reader, &PACKAGE, &arn, draft))
            };
            arns.into_iter().map(job).collect()
        }
        Err((operation, error)) => {
            draft.unread(KIND, operation, &error);
            Vec::new()
        }
    }
}

fn all(reader: &Reader<'_>) -> Result<Vec<String>, (&'static Operation, AwsError)> {
    let groups = reader.all(GROUPS, &json!({})).map_err(|error| (&GROUPS.operation, error))?;
    let mut questions = vec![json!({"ModelPackageType": "Unversioned"})];
    let name = |group: &Value| group["ModelPackageGroupName"].as_str().map(str::to_owned);
    questions.extend(
        groups
            .iter()
            .filter_map(name)
            .map(|group| json!({"ModelPackageGroupName": group, "ModelPackageType": "Versioned"})),
    );
    let lists = side_by_side(&questions, |question| reader.all(LIST, question));
    let mut arns = Vec::new();
    for list in lists {
        let list = list.map_err(|error| (&LIST.operation, error))?;
        arns.extend(list.iter().filter_map(|one| one["ModelPackageArn"].as_str().map(str::to_owned)));
    }
    // The emulator tells those of groups in both lists.
    arns.sort();
    arns.dedup();
    Ok(arns)
}

fn facts_of(reader: &Reader<'_>, package: &mut Item) {
    if package.arn.is_none() {
        // It was not answered, so nothing more is known to ask for.
        let why = package.provenance.get("InferenceSpecification").cloned();
        for name in ["Artefacts", "Lineage"] {
            package.derived.insert(name.to_owned(), Value::Null);
            package.provenance.extend(why.clone().map(|why| (name.to_owned(), why)));
        }
        return;
    }
    let artefacts = artefacts(reader, package);
    derive(package, "Artefacts", &OBJECTS.operation, artefacts);
    let named = |(name, _): (&String, &Value)| name.to_lowercase().contains("dataset");
    let properties = package.properties.get("CustomerMetadataProperties").and_then(Value::as_object);
    // Who says it himself need not be asked for it.
    if properties.is_none_or(|own| !own.iter().any(named)) {
        let lineage = Told::by(lineage(reader, &package.id), &[]);
        let lineage = lineage.and(|told| (!told.is_null()).then_some(told));
        derive(package, "Lineage", &LINEAGE.operation, lineage);
    }
}

/// The tag that each artefact has now, beside that which it had when the version was registered.
fn artefacts(reader: &Reader<'_>, package: &Item) -> Told {
    let containers = package.properties.get("InferenceSpecification").map(|all| &all["Containers"]);
    let mut found = Vec::new();
    for container in containers.and_then(Value::as_array).into_iter().flatten() {
        let Some(url) = container["ModelDataUrl"].as_str() else { continue };
        let Some((bucket, key)) = url.strip_prefix("s3://").and_then(|rest| rest.split_once('/')) else {
            continue;
        };
        match tag(reader, bucket, key) {
            Ok(tag) => {
                found.push(json!({"Url": url, "ETag": tag, "Registered": bare(&container["ModelDataETag"])}));
            }
            Err(error) => return Told::Not(error),
        }
    }
    if found.is_empty() { Told::Absent } else { Told::Is(found.into()) }
}

fn tag(reader: &Reader<'_>, bucket: &str, key: &str) -> Result<Value, AwsError> {
    let operation = &OBJECTS.operation;
    let wire = address(reader.client, operation, "GET", bucket)?;
    let wire = wire.parameter("list-type", "2").parameter("prefix", key).parameter("max-keys", "1");
    let answer = reader.client.call(operation, &wire)?;
    let objects = items(&tree(operation, &answer)?["Contents"]);
    // Names are listed in order, so the object itself comes before longer ones.
    Ok(objects.iter().find(|object| object["Key"] == key).map_or(Value::Null, |object| bare(&object["ETag"])))
}

/// A tag without the quotes in which HTTP has it.
fn bare(tag: &Value) -> Value {
    tag.as_str().map_or(Value::Null, |tag| tag.trim_matches('"').into())
}

/// What SageMaker itself recorded of where a version came from; nothing if it recorded nothing.
fn lineage(reader: &Reader<'_>, arn: &str) -> Result<Value, AwsError> {
    let artifacts = reader.all(ARTIFACTS, &json!({ "SourceUri": arn }))?;
    let starts: Vec<&Value> = artifacts.iter().map(|one| &one["ArtifactArn"]).collect();
    if starts.is_empty() {
        return Ok(Value::Null);
    }
    let question =
        json!({"StartArns": starts, "Direction": "Ascendants", "IncludeEdges": false, "MaxDepth": STEPS});
    let found = reader.all(LINEAGE, &question)?;
    let of = |wanted: fn(&Value) -> bool| -> Value {
        found.iter().filter(|one| wanted(one)).map(|one| one["Arn"].clone()).collect()
    };
    Ok(json!({
        "DataSets": of(|one| one["Type"] == "DataSet"),
        "Jobs": of(|one| one["LineageType"] == "TrialComponent"),
    }))
}
