//! The SageMaker Model Registry as a mirror: a model package group for each model, a package for each version.
//!
//! A package is found again by what its properties say, not by its number: numbers are SageMaker's.
//!
//! Source: Amazon SageMaker API Reference, operations on model packages.

use crate::client::Client;
use crate::error::{AwsError, Trouble};
use crate::operation::{NEXT_TOKEN, On, Operation, Permission, Retry, SAGEMAKER};
use crate::pages::Question;
use crate::permissions::{Place, PolicyDocument};
use crate::wire::Wire;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;

const fn operation(name: &'static str, retry: Retry, needs: &'static [Permission]) -> Operation {
    Operation { service: &SAGEMAKER, name, retry, needs, pages: None }
}

macro_rules! needs {
    ($($action:literal on $on:ident),+) => {
        &[$(Permission { action: $action, on: On::$on }),+]
    };
}

const LIST_GROUPS: Operation =
    operation("ListModelPackageGroups", Retry::Safe, needs!("sagemaker:ListModelPackageGroups" on Account))
        .paged(NEXT_TOKEN);
const LIST: Operation =
    operation("ListModelPackages", Retry::Safe, needs!("sagemaker:ListModelPackages" on Account))
        .paged(NEXT_TOKEN);
const DESCRIBE: Operation =
    operation("DescribeModelPackage", Retry::Safe, needs!("sagemaker:DescribeModelPackage" on Packages));
/// A second one is refused, so what came of it can be seen; the next look finds it.
const CREATE_GROUP: Operation = operation(
    "CreateModelPackageGroup",
    Retry::Unsafe,
    needs!("sagemaker:CreateModelPackageGroup" on PackageGroups, "sagemaker:AddTags" on PackageGroups),
);
const CREATE: Operation = operation(
    "CreateModelPackage",
    Retry::Unsafe,
    needs!("sagemaker:CreateModelPackage" on Packages, "sagemaker:CreateModelPackage" on PackageGroups),
);
const UPDATE: Operation =
    operation("UpdateModelPackage", Retry::Safe, needs!("sagemaker:UpdateModelPackage" on Packages));

/// What reading a package of others takes.
pub(crate) const READING_ELSEWHERE: [&Operation; 2] = [&LIST, &DESCRIBE];
const READING: [&Operation; 3] = [&LIST_GROUPS, &LIST, &DESCRIBE];
const WRITING: [&Operation; 3] = [&CREATE_GROUP, &CREATE, &UPDATE];

/// Whether a package may be deployed, as SageMaker calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ApprovalStatus {
    /// It may.
    Approved,
    /// It may not.
    Rejected,
    /// Nobody has decided.
    PendingManualApproval,
}

/// Where a version is in its life, in words of whoever writes it.
///
/// A stage and its status are letters, digits and hyphens, at most 63.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct LifeCycle {
    /// `Production`.
    pub stage: String,
    /// What it does there.
    pub stage_status: String,
    /// Why, in a sentence of at most 1,024 characters.
    #[serde(default)]
    pub stage_description: String,
}

/// How far a card is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CardStatus {
    /// Being written.
    Draft,
    /// To be read.
    PendingReview,
    /// Good.
    Approved,
    /// For good as it is: SageMaker takes no more changes of the content.
    Archived,
}

/// The card of a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// JSON, in SageMaker's schema of cards of packages; at most 100,000 characters.
    #[serde(rename = "ModelCardContent", default)]
    pub content: String,
    /// How far it is.
    #[serde(rename = "ModelCardStatus")]
    pub status: CardStatus,
}

/// Somebody, as SageMaker knows them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Person {
    user_profile_arn: Option<String>,
    user_profile_name: Option<String>,
    iam_identity: Option<Iam>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Iam {
    arn: Option<String>,
}

impl Person {
    /// Their ARN, or their name.
    pub fn name(&self) -> Option<&str> {
        let identity = self.iam_identity.as_ref().and_then(|identity| identity.arn.as_deref());
        identity.or(self.user_profile_arn.as_deref()).or(self.user_profile_name.as_deref())
    }
}

/// A package of a group.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Package {
    /// Its ARN.
    #[serde(rename = "ModelPackageArn")]
    pub arn: String,
    /// Whether it may be deployed.
    #[serde(rename = "ModelApprovalStatus", default = "undecided")]
    pub status: ApprovalStatus,
    /// Why.
    #[serde(rename = "ApprovalDescription", default)]
    pub why: String,
    /// What was written on it.
    #[serde(rename = "CustomerMetadataProperties", default)]
    pub properties: BTreeMap<String, String>,
    /// Where it is in its life, if that was said.
    #[serde(rename = "ModelLifeCycle")]
    pub life_cycle: Option<LifeCycle>,
    /// Its card, if it has one.
    #[serde(rename = "ModelCard")]
    pub card: Option<Card>,
    /// When it was made, in seconds since 1970.
    pub creation_time: Option<f64>,
    /// By whom.
    pub created_by: Option<Person>,
    /// When it was changed last, in seconds since 1970.
    pub last_modified_time: Option<f64>,
    /// By whom.
    pub last_modified_by: Option<Person>,
}

/// What SageMaker says of a package of which nobody decided.
fn undecided() -> ApprovalStatus {
    ApprovalStatus::PendingManualApproval
}

impl Package {
    /// When, in milliseconds since 1970, and by whom it was changed last, or made if it never was.
    pub fn last_change(&self) -> (Option<i64>, Option<&str>) {
        let (time, by) = match self.last_modified_time {
            Some(time) => (Some(time), &self.last_modified_by),
            None => (self.creation_time, &self.created_by),
        };
        let by = by.as_ref().and_then(Person::name);
        // Times of AWS are far from where a float has holes.
        #[expect(
            clippy::cast_possible_truncation,
            reason = "milliseconds of a date are a small whole number"
        )]
        let ms = |seconds: f64| (seconds * 1000.0).round() as i64;
        (time.filter(|seconds| seconds.is_finite() && seconds.abs() < 1e12).map(ms), by)
    }
}

/// What is written on a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Whether it may be deployed.
    pub status: ApprovalStatus,
    /// Why, in a sentence of at most 1,024 characters.
    pub why: String,
    /// By which it is found again, and what proves it: at most 50, with names of 128 and values of 256 characters.
    pub properties: BTreeMap<String, String>,
    /// Where it is in its life.
    pub life_cycle: LifeCycle,
    /// Its card.
    pub card: Card,
}

/// What is said when a package is made, and never again: SageMaker does not let it be changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Birth {
    /// What it is, in a sentence of at most 1,024 characters.
    pub description: String,
    /// The commit that made it, if that is known.
    pub commit: Option<String>,
    /// The object with its figures (`s3://...`, JSON), if there is one.
    pub statistics: Option<String>,
}

/// A package that somebody else made, with what it is made of.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Foreign {
    /// What it has in common with ours.
    #[serde(flatten)]
    pub package: Package,
    /// Its number in the group.
    #[serde(rename = "ModelPackageVersion")]
    pub version: Option<u32>,
    /// What it is.
    #[serde(rename = "ModelPackageDescription", default)]
    pub description: String,
    inference_specification: Option<Inference>,
    model_metrics: Option<serde_json::Value>,
    metadata_properties: Option<Metadata>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inference {
    #[serde(default)]
    containers: Vec<Container>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Container {
    image: Option<String>,
    model_data_url: Option<String>,
    model_data_source: Option<DataSource>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DataSource {
    s3_data_source: Option<S3Source>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct S3Source {
    s3_uri: String,
    s3_data_type: String,
    compression_type: String,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Metadata {
    commit_id: Option<String>,
    repository: Option<String>,
}

/// Where model data is, and in which form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// A tar archive in gzip.
    Archive(String),
    /// One file.
    File(String),
    /// All objects below.
    Folder(String),
}

impl Foreign {
    /// The model data of its containers, each once.
    pub fn data(&self) -> Vec<Data> {
        let containers = self.inference_specification.iter().flat_map(|of| &of.containers);
        let of = |container: &Container| {
            let source =
                container.model_data_source.as_ref().and_then(|source| source.s3_data_source.as_ref());
            let Some(source) = source else { return container.model_data_url.clone().map(Data::Archive) };
            let place = source.s3_uri.clone();
            Some(match (source.s3_data_type.as_str(), source.compression_type.as_str()) {
                ("S3Prefix", _) => Data::Folder(place),
                (_, "Gzip") => Data::Archive(place),
                _ => Data::File(place),
            })
        };
        let mut all: Vec<Data> = Vec::new();
        for data in containers.filter_map(of) {
            if !all.contains(&data) {
                all.push(data);
            }
        }
        all
    }

    /// The images of its containers.
    pub fn images(&self) -> impl Iterator<Item = &str> {
        let containers = self.inference_specification.iter().flat_map(|of| &of.containers);
        containers.filter_map(|container| container.image.as_deref())
    }

    /// Where its figures are: objects, by what they are about (`ModelQuality.Statistics`).
    pub fn figures(&self) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        let sorts = self.model_metrics.iter().filter_map(serde_json::Value::as_object).flatten();
        for (sort, documents) in sorts {
            for (name, source) in documents.as_object().into_iter().flatten() {
                let place = source["S3Uri"].as_str();
                found.extend(place.map(|place| (format!("{sort}.{name}"), place.to_owned())));
            }
        }
        found
    }

    /// The commit and the repository that it names.
    pub fn code(&self) -> (Option<&str>, Option<&str>) {
        let of = self.metadata_properties.as_ref();
        let commit = of.and_then(|of| of.commit_id.as_deref()).filter(|text| !text.is_empty());
        (commit, of.and_then(|of| of.repository.as_deref()).filter(|text| !text.is_empty()))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Summary {
    model_package_arn: String,
    model_package_version: Option<u32>,
}

/// Model package groups of an account.
#[derive(Clone)]
pub struct ModelPackages {
    client: Client,
}

impl ModelPackages {
    /// Nothing is called yet.
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// The packages of a group; none if there is no such group.
    pub fn list(&self, group: &str) -> Result<Option<Vec<Package>>, AwsError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Groups {
            model_package_group_summary_list: Vec<Group>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Group {
            model_package_group_name: String,
        }
        let named = |page: &Groups| {
            page.model_package_group_summary_list.iter().any(|one| one.model_package_group_name == group)
        };
        let question = Question::Json(json!({ "NameContains": group }));
        let pages: Vec<Groups> = self.client.pages(&LIST_GROUPS, question).collect::<Result<_, _>>()?;
        if !pages.iter().any(named) {
            return Ok(None);
        }
        let package = |summary: Summary| {
            self.client.json(&DESCRIBE, &json!({ "ModelPackageName": summary.model_package_arn }))
        };
        let mut packages: Vec<Package> =
            self.summaries(group)?.into_iter().map(package).collect::<Result<_, _>>()?;
        packages.sort_by(|a, b| a.arn.cmp(&b.arn));
        Ok(Some(packages))
    }

    /// What a group has, in short.
    fn summaries(&self, group: &str) -> Result<Vec<Summary>, AwsError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Packages {
            model_package_summary_list: Vec<Summary>,
        }
        let input = json!({ "ModelPackageGroupName": group, "ModelPackageType": "Versioned" });
        let pages = self.client.pages(&LIST, Question::Json(input));
        let pages: Vec<Packages> = pages.collect::<Result<_, _>>()?;
        Ok(pages.into_iter().flat_map(|page| page.model_package_summary_list).collect())
    }

    /// Makes a group.
    pub fn create_group(
        &self,
        group: &str,
        description: &str,
        tags: &BTreeMap<String, String>,
    ) -> Result<(), AwsError> {
        let tags: Vec<_> = tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
        let input = json!({
            "ModelPackageGroupName": named(group)?, "ModelPackageGroupDescription": description, "Tags": tags,
        });
        self.call(&CREATE_GROUP, &input)
    }

    /// Makes a package. Its status is set by [`ModelPackages::label`] afterwards: with its sentence, which cannot be given
    /// here.
    pub fn create(&self, group: &str, birth: &Birth, label: &Label) -> Result<Package, AwsError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Made {
            model_package_arn: String,
        }
        let mut input = json!({
            "ModelPackageGroupName": group, "ModelPackageDescription": birth.description,
            "ModelApprovalStatus": undecided(), "CustomerMetadataProperties": label.properties,
            "ModelLifeCycle": label.life_cycle, "ModelCard": label.card,
        });
        if let Some(commit) = &birth.commit {
            input["MetadataProperties"] = json!({ "CommitId": commit, "GeneratedBy": "wardmote" });
        }
        if let Some(address) = &birth.statistics {
            let source = json!({ "ContentType": "application/json", "S3Uri": address });
            input["ModelMetrics"] = json!({ "ModelQuality": { "Statistics": source } });
        }
        let made: Made = self.client.json(&CREATE, &input)?;
        Ok(Package {
            arn: made.model_package_arn,
            status: undecided(),
            why: String::new(),
            properties: label.properties.clone(),
            life_cycle: Some(label.life_cycle.clone()),
            card: Some(label.card.clone()),
            creation_time: None,
            created_by: None,
            last_modified_time: None,
            last_modified_by: None,
        })
    }

    /// Sets what is written on a package, and takes from it the properties that are not of the label. The card of a package
    /// that is archived stays, because SageMaker refuses.
    pub fn label(&self, package: &Package, label: &Label) -> Result<(), AwsError> {
        let mut input = json!({
            "ModelPackageArn": package.arn, "ModelApprovalStatus": label.status, "ApprovalDescription": label.why,
            "CustomerMetadataProperties": label.properties, "ModelLifeCycle": label.life_cycle,
        });
        let other: Vec<&String> =
            package.properties.keys().filter(|name| !label.properties.contains_key(*name)).collect();
        if !other.is_empty() {
            input["CustomerMetadataPropertiesToRemove"] = json!(other);
        }
        if package.card.as_ref().is_none_or(|card| card.status != CardStatus::Archived) {
            input["ModelCard"] = json!(label.card);
        }
        self.call(&UPDATE, &input)
    }

    /// A package of a group as others made it: this version, or the newest; none if there is none.
    pub fn made_elsewhere(&self, group: &str, version: Option<u32>) -> Result<Option<Foreign>, AwsError> {
        let wanted = |one: &Summary| version.is_none_or(|number| one.model_package_version == Some(number));
        let newest = self
            .summaries(named(group)?)?
            .into_iter()
            .filter(wanted)
            .max_by_key(|one| one.model_package_version);
        newest
            .map(|one| self.client.json(&DESCRIBE, &json!({ "ModelPackageName": one.model_package_arn })))
            .transpose()
    }

    fn call(&self, operation: &'static Operation, input: &serde_json::Value) -> Result<(), AwsError> {
        self.client.call(operation, &Wire::json(operation, input)?).map(|_| ())
    }

    /// The smallest policy with which these groups can be looked at, and written if `writes`.
    pub fn permissions(&self, groups: &[String], writes: bool) -> Result<PolicyDocument, AwsError> {
        let mut operations = READING.to_vec();
        operations.extend(WRITING.iter().filter(|_| writes));
        let (partition, region) = (self.client.partition()?.name, self.client.region()?);
        let of = |kind: &str, end: &str| Place {
            resource: groups
                .iter()
                .map(|group| format!("arn:{partition}:sagemaker:{region}:*:{kind}/{group}{end}"))
                .collect(),
            condition: BTreeMap::new(),
        };
        Ok(PolicyDocument::of(&operations, |on| match on {
            On::PackageGroups => of("model-package-group", ""),
            On::Packages => of("model-package", "/*"),
            // Lists cannot be narrowed to one group.
            _ => Place { resource: vec!["*".to_owned()], condition: BTreeMap::new() },
        }))
    }
}

/// The rule of SageMaker for names.
fn named(group: &str) -> Result<&str, AwsError> {
    let letters = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    if (1..=63).contains(&group.len())
        && group.bytes().all(letters)
        && !group.starts_with('-')
        && !group.ends_with('-')
    {
        return Ok(group);
    }
    let text = format!("`{}` is not the name of a model package group", group.escape_debug());
    Err(AwsError::new(Trouble::Unconfigured, text).with_help(
        "expected at most 63 letters, digits and hyphens: shorten the id of the organisation or the model",
    ))
}
