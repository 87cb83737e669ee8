//! The SageMaker Model Registry as a mirror: a model package group for each model, a package for each version.
//!
//! A package is found again by what its properties say, not by its number: numbers are SageMaker's.
//!
//! Source: Amazon SageMaker API Reference, operations on model packages.

use crate::client::Client;
use crate::error::{AwsError, Trouble};
use crate::operation::{On, Operation, Permission, Retry, SAGEMAKER};
use crate::permissions::{Place, PolicyDocument};
use crate::wire::Wire;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;

const fn operation(name: &'static str, retry: Retry, needs: &'static [Permission]) -> Operation {
    Operation { service: &SAGEMAKER, name, retry, needs }
}

macro_rules! needs {
    ($($action:literal on $on:ident),+) => {
        &[$(Permission { action: $action, on: On::$on }),+]
    };
}

const LIST_GROUPS: Operation =
    operation("ListModelPackageGroups", Retry::Safe, needs!("sagemaker:ListModelPackageGroups" on Account));
const LIST: Operation =
    operation("ListModelPackages", Retry::Safe, needs!("sagemaker:ListModelPackages" on Account));
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

/// A package of a group.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Package {
    /// Its ARN.
    #[serde(rename = "ModelPackageArn")]
    pub arn: String,
    /// Whether it may be deployed.
    #[serde(rename = "ModelApprovalStatus")]
    pub status: ApprovalStatus,
    /// What was written on it.
    #[serde(rename = "CustomerMetadataProperties", default)]
    pub properties: BTreeMap<String, String>,
}

/// What is written on a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Whether it may be deployed.
    pub status: ApprovalStatus,
    /// Why, in a sentence.
    pub why: String,
    /// By which it is found again, and what proves it.
    pub properties: BTreeMap<String, String>,
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
            next_token: Option<String>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Group {
            model_package_group_name: String,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Packages {
            model_package_summary_list: Vec<Summary>,
            next_token: Option<String>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Summary {
            model_package_arn: String,
        }
        let named = |page: &Groups| {
            page.model_package_group_summary_list.iter().any(|one| one.model_package_group_name == group)
        };
        let input = json!({ "NameContains": group });
        if !self.pages(&LIST_GROUPS, input, |page: &Groups| page.next_token.clone())?.iter().any(named) {
            return Ok(None);
        }
        let input = json!({ "ModelPackageGroupName": group, "ModelPackageType": "Versioned" });
        let pages = self.pages(&LIST, input, |page: &Packages| page.next_token.clone())?;
        let summaries = pages.into_iter().flat_map(|page| page.model_package_summary_list);
        let package = |summary: Summary| {
            self.client.json(&DESCRIBE, &json!({ "ModelPackageName": summary.model_package_arn }))
        };
        let mut packages: Vec<Package> = summaries.map(package).collect::<Result<_, _>>()?;
        packages.sort_by(|a, b| a.arn.cmp(&b.arn));
        Ok(Some(packages))
    }

    fn pages<T: serde::de::DeserializeOwned>(
        &self,
        operation: &'static Operation,
        mut input: serde_json::Value,
        next: impl Fn(&T) -> Option<String>,
    ) -> Result<Vec<T>, AwsError> {
        let mut pages = Vec::new();
        loop {
            let page: T = self.client.json(operation, &input)?;
            let token = next(&page).filter(|token| !token.is_empty());
            pages.push(page);
            match token {
                None => return Ok(pages),
                Some(token) => input["NextToken"] = token.into(),
            }
        }
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
    pub fn create(
        &self,
        group: &str,
        description: &str,
        properties: &BTreeMap<String, String>,
    ) -> Result<Package, AwsError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Made {
            model_package_arn: String,
        }
        let status = ApprovalStatus::PendingManualApproval;
        let input = json!({
            "ModelPackageGroupName": group, "ModelPackageDescription": description,
            "ModelApprovalStatus": status, "CustomerMetadataProperties": properties,
        });
        let made: Made = self.client.json(&CREATE, &input)?;
        Ok(Package { arn: made.model_package_arn, status, properties: properties.clone() })
    }

    /// Sets what is written on a package.
    pub fn label(&self, arn: &str, label: &Label) -> Result<(), AwsError> {
        let input = json!({
            "ModelPackageArn": arn, "ModelApprovalStatus": label.status, "ApprovalDescription": label.why,
            "CustomerMetadataProperties": label.properties,
        });
        self.call(&UPDATE, &input)
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
