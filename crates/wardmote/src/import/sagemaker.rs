//! A package of a SageMaker model registry: its model data out of S3, unpacked, its figures, commit and properties. That it was
//! approved there is a claim.

use super::Source;
use super::tar::{Archive, Piece};
use crate::aws::failure;
use crate::failure::{Exit, Failure};
use aws::model_data::{ModelData, S3Place};
use aws::packages::{Data, Foreign as Package, ModelPackages};
use aws::{AwsError, Client};
use engine::{Engine, Foreign, Import, Incoming};
use facts::{ModelVersionDocument, Timestamp};
use mlflow::entity::{Metric, Pair};
use serde_json::Value;
use trail::gzip::Expander;

/// The most bytes of model data, packed or not.
const MOST_BYTES: u64 = 1 << 37;
/// The largest document with figures, and how many figures are taken in.
const DOCUMENT: u64 = 4 << 20;
const MOST_FIGURES: usize = 200;
/// The longest value that is taken in as a claim.
const CLAIM: usize = 500;

/// A package that is named.
pub(super) struct Registry {
    client: Client,
    group: String,
    version: Option<u32>,
}

/// A package that was found.
pub(super) struct Found {
    data: ModelData,
    package: Package,
    figures: Vec<Metric>,
    /// Documents with figures that could not be read, and why.
    unread: Vec<(String, String)>,
}

impl Registry {
    /// What `sagemaker:GROUP` or the ARN of a package names, and perhaps a version.
    pub(super) fn named(client: Client, from: &str, version: Option<u32>) -> Result<Self, Failure> {
        let wrong = |what: &str| {
            let shown: String = from.chars().take(300).collect();
            Failure::new(Exit::Input, format!("`{}` {what}", shown.escape_debug()))
                .with_help("expected `sagemaker:GROUP`, or `arn:aws:sagemaker:REGION:ACCOUNT:model-package/GROUP/VERSION`")
        };
        if let Some(group) = from.strip_prefix("sagemaker:") {
            return Ok(Self { client, group: group.to_owned(), version });
        }
        let parts: Vec<&str> = from.splitn(6, ':').collect();
        let &["arn", _, "sagemaker", region, _, resource] = parts.as_slice() else {
            return Err(wrong("is not the ARN of a package"));
        };
        if region != client.region().map_err(failure)? {
            return Err(wrong("is in another region: set AWS_REGION"));
        }
        let named = resource.strip_prefix("model-package/").and_then(|rest| rest.split_once('/'));
        let number = named.and_then(|(_, number)| number.parse().ok());
        let (Some((group, _)), Some(number)) = (named, number) else {
            return Err(wrong("is not the ARN of a package with a version"));
        };
        if version.is_some_and(|version| version != number) {
            return Err(wrong("is another version than `--version`"));
        }
        Ok(Self { client, group: group.to_owned(), version: Some(number) })
    }

    /// Reads what SageMaker says of it, and its figures.
    pub(super) fn find(self) -> Result<Found, Failure> {
        let service = ModelPackages::new(self.client.clone());
        let found = service.made_elsewhere(&self.group, self.version).map_err(failure)?;
        let which = self.version.map_or_else(|| "version".to_owned(), |number| format!("version {number}"));
        let package = found.ok_or_else(|| {
            Failure::new(Exit::NotFound, format!("the group `{}` has no {which}", self.group.escape_debug()))
                .with_help("`aws sagemaker list-model-packages --model-package-group-name GROUP` shows them")
        })?;
        let data = ModelData::new(self.client);
        let (mut figures, mut unread) = (Vec::new(), Vec::new());
        for (about, address) in package.figures() {
            match document(&data, &address) {
                Ok(value) => collect(&value, &about, &mut figures),
                Err(failed) => unread.push((about, failed.to_text().replace('\n', " "))),
            }
        }
        figures.truncate(MOST_FIGURES);
        Ok(Found { data, package, figures, unread })
    }
}

/// A document with figures.
fn document(data: &ModelData, address: &str) -> Result<Value, Failure> {
    let mut bytes = Vec::new();
    let place = S3Place::parse(address).map_err(failure)?;
    data.read(&place, DOCUMENT, &mut |part| {
        bytes.extend_from_slice(part);
        Ok::<(), Trouble>(())
    })?;
    serde_json::from_slice(&bytes)
        .map_err(|error| Failure::new(Exit::Input, format!("`{address}` is not JSON: {error}")))
}

/// All figures of a document, named by where they stand; `value` at the end of a name says nothing.
fn collect(value: &Value, at: &str, found: &mut Vec<Metric>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let below = if name == "value" { at.to_owned() } else { format!("{at}.{name}") };
                collect(member, &below, found);
            }
        }
        Value::Number(number) => {
            let proper = |c: char| c.is_alphanumeric() || " _-./:".contains(c);
            let value = number.as_f64().filter(|value| value.is_finite());
            if let (Some(value), true) = (value, at.len() <= 250 && at.chars().all(proper)) {
                let metric = Metric {
                    key: at.to_owned(),
                    value,
                    timestamp: 0,
                    step: 0,
                    model_id: None,
                    dataset_name: None,
                    dataset_digest: None,
                    run_id: None,
                };
                found.push(metric);
            }
        }
        _ => {}
    }
}

/// What was claimed of a package; a long text is shortened and says so.
fn claim(key: impl Into<String>, value: &str, arn: &str) -> Pair {
    let value = dossier::model_card::fitted(value, CLAIM, arn);
    Pair { key: key.into(), value }
}

/// One trouble for all that can go wrong while data is read.
struct Trouble(Failure);

impl From<AwsError> for Trouble {
    fn from(error: AwsError) -> Self {
        Self(failure(error))
    }
}

impl From<String> for Trouble {
    fn from(wrong: String) -> Self {
        Self(Failure::new(Exit::Input, format!("the model data is not taken in: {wrong}")))
    }
}

impl From<engine::Error> for Trouble {
    fn from(error: engine::Error) -> Self {
        Self(error.into())
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        trouble.0
    }
}

impl Found {
    fn file(
        &self,
        engine: &mut Engine,
        import: &mut Import,
        (place, name): (&S3Place, &str),
    ) -> Result<(), Trouble> {
        let mut incoming = engine.begin_import_file(import, name)?;
        self.data.read(place, MOST_BYTES, &mut |part| Ok::<(), Trouble>(incoming.write(part)?))?;
        Ok(engine.end_import_file(import, incoming)?)
    }

    fn archive(
        &self,
        engine: &mut Engine,
        import: &mut Import,
        (place, prefix): (&S3Place, &str),
    ) -> Result<(), Trouble> {
        let (mut expander, mut archive) = (Expander::new(MOST_BYTES), Archive::new());
        let mut open: Option<Incoming> = None;
        let mut give = |piece: Piece<'_>| -> Result<(), Trouble> {
            match (piece, open.take()) {
                (Piece::Begin(path), _) => {
                    open = Some(engine.begin_import_file(import, &format!("{prefix}{path}"))?);
                }
                (Piece::Part(bytes), Some(mut incoming)) => {
                    incoming.write(bytes)?;
                    open = Some(incoming);
                }
                (Piece::End, Some(incoming)) => engine.end_import_file(import, incoming)?,
                (Piece::Part(_) | Piece::End, None) => {}
            }
            Ok(())
        };
        self.data.read(place, MOST_BYTES, &mut |part| {
            expander.push(part, &mut |plain| archive.push(plain, &mut give))
        })?;
        expander.finish()?;
        Ok(archive.finish()?)
    }

    fn folder(
        &self,
        engine: &mut Engine,
        import: &mut Import,
        (below, prefix): (&S3Place, &str),
    ) -> Result<(), Trouble> {
        for key in self.data.list(below)? {
            let name = key.strip_prefix(&below.key).unwrap_or(&key).trim_start_matches('/').to_owned();
            // What a console makes in the place of a folder.
            if key.ends_with('/') {
                continue;
            }
            let place = S3Place { bucket: below.bucket.clone(), key };
            let name = if name.is_empty() { last(&place.key) } else { name };
            self.file(engine, import, (&place, &format!("{prefix}{name}")))?;
        }
        Ok(())
    }
}

/// The last part of a key.
fn last(key: &str) -> String {
    key.rsplit('/').next().unwrap_or(key).to_owned()
}

impl Source for Found {
    fn foreign(&self) -> Foreign {
        let package = &self.package.package;
        let arn = package.arn.as_str();
        let (ms, by) = package.last_change();
        let at = ms.and_then(|ms| Timestamp::from_unix_ms(ms).ok());
        let when = at.map_or_else(|| "at an unknown time".to_owned(), |at| format!("at {at}"));
        let status = format!("{:?}", package.status);
        let by = by.unwrap_or("somebody that SageMaker does not name");
        let said = format!("{status} in SageMaker; last changed by {by} {when}; {}", package.why);
        let mut tags = vec![claim("sagemaker.claim.approval", &said, arn)];
        let (commit, repository) = self.package.code();
        tags.extend(commit.map(|commit| claim("mlflow.source.git.commit", commit, arn)));
        tags.extend(repository.map(|repository| claim("mlflow.source.name", repository, arn)));
        let images = self.package.images().enumerate();
        tags.extend(images.map(|(at, image)| claim(format!("sagemaker.inference.image.{at}"), image, arn)));
        if !self.package.description.is_empty() {
            tags.push(claim("sagemaker.description", &self.package.description, arn));
        }
        for (name, value) in &package.properties {
            let proper = |c: char| c.is_alphanumeric() || " _-./:".contains(c);
            let name: String = name.chars().map(|c| if proper(c) { c } else { '_' }).collect();
            tags.push(claim(format!("sagemaker.property.{name}"), value, arn));
        }
        for (about, why) in &self.unread {
            tags.push(claim(format!("sagemaker.unread.{about}"), why, arn));
        }
        let document = ModelVersionDocument {
            model_id: arn.to_owned(),
            data_snapshot: "unknown".to_owned(),
            metrics: std::collections::BTreeMap::new(),
            approved_by: (status == "Approved").then(|| by.to_owned()),
            registry_status: Some(status),
        };
        Foreign {
            origin: arn.to_owned(),
            metrics: self.figures.clone(),
            tags,
            document: Some(document),
            ..Foreign::default()
        }
    }

    fn files(&self, engine: &mut Engine, import: &mut Import) -> Result<(), Failure> {
        let all = self.package.data();
        if all.is_empty() {
            let text =
                format!("`{}` names no model data, so there is nothing to import", self.package.package.arn);
            return Err(Failure::new(Exit::Input, text));
        }
        let several = all.len() > 1;
        for (at, data) in all.iter().enumerate() {
            // Each container has files of its own.
            let prefix = if several { format!("container-{at}/") } else { String::new() };
            let (Data::Archive(address) | Data::File(address) | Data::Folder(address)) = data;
            let place = S3Place::parse(address).map_err(failure)?;
            match data {
                Data::Archive(_) => self.archive(engine, import, (&place, &prefix))?,
                Data::File(_) => {
                    self.file(engine, import, (&place, &format!("{prefix}{}", last(&place.key))))?;
                }
                Data::Folder(_) => self.folder(engine, import, (&place, &prefix))?,
            }
        }
        Ok(())
    }
}
