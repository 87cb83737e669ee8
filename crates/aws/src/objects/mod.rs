//! Objects in S3: under one bucket and prefix, encrypted with a KMS key, checked by SHA-256, never overwritten.
//!
//! Source: Amazon S3 API Reference; User Guide, "Preventing object overwrites with conditional writes" and "Checking
//! object integrity".

mod borrowed;
pub mod lifecycle;
mod parts;
mod put;
mod requests;
mod rules;
mod tags;

use crate::client::Client;
use crate::error::{AwsError, Trouble};
use crate::operation::{OBJECTS, On, Operation, Permission, Retry, S3};
use crate::pages::Question;
use crate::permissions::{Place, PolicyDocument, condition};
use crate::sign::encode_path;
use crate::wire::Wire;
use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use borrowed::{Got, How};
use parts::Parting;
pub use rules::{Lifecycle, OwnRule};
use serde::Deserialize;
use std::collections::BTreeMap;
use world::{Content, Kind, ObjectStore, PortError};

const fn on(action: &'static str, on: On) -> Permission {
    Permission { action, on }
}

/// Without `s3:ListBucket`, an absent object is answered with "access denied".
const GET: Operation = Operation {
    service: &S3,
    name: "GetObject",
    retry: Retry::Safe,
    needs: &[
        on("s3:GetObject", On::Objects),
        on("s3:ListBucket", On::Bucket),
        on("kms:Decrypt", On::BucketKey),
    ],
    pages: None,
};
pub(crate) const LIST: Operation = Operation {
    service: &S3,
    name: "ListObjectsV2",
    retry: Retry::Safe,
    needs: &[on("s3:ListBucket", On::Bucket)],
    pages: Some(OBJECTS),
};
const DELETE: Operation = Operation {
    service: &S3,
    name: "DeleteObject",
    retry: Retry::Safe,
    needs: &[on("s3:DeleteObject", On::Objects)],
    pages: None,
};

/// What is done with objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectUse {
    /// [`ObjectStore::put`], which looks at what has the name already.
    Put,
    /// [`ObjectStore::get`].
    Get,
    /// [`ObjectStore::list`].
    List,
    /// [`ObjectStore::delete`].
    Delete,
    /// [`S3Objects::replace`].
    Replace,
    /// [`S3Objects::lifecycle`] and [`S3Objects::locked_days`].
    Lifecycle,
    /// [`S3Objects::put_lifecycle`].
    PutLifecycle,
    /// Setting a tag and taking it away.
    Tag,
}

impl ObjectUse {
    /// What a port does.
    pub const ALL: [Self; 4] = [Self::Put, Self::Get, Self::List, Self::Delete];

    fn calls(self, locked: bool) -> Vec<&'static Operation> {
        match self {
            Self::Put => [put::calls(locked), &[&GET]].concat(),
            Self::Replace => put::calls(locked).to_vec(),
            Self::Get => vec![&GET],
            Self::List => vec![&LIST],
            Self::Delete => vec![&DELETE],
            Self::Lifecycle => vec![&lifecycle::GET_LIFECYCLE, &rules::GET_LOCK],
            Self::PutLifecycle => vec![&rules::PUT_LIFECYCLE],
            Self::Tag => vec![&tags::GET_TAGS, &tags::PUT_TAGS, &tags::DELETE_TAGS],
        }
    }
}

/// The largest object of S3: 5 TiB.
const LARGEST: usize = 5 << 40;
const CHECKSUM: &str = "x-amz-checksum-sha256";

/// Where objects are, and how they are protected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectSettings {
    /// The bucket.
    pub bucket: String,
    /// What all names begin with: empty, or ending in a slash.
    pub prefix: String,
    /// The ARN of the KMS key; without one, the key `aws/s3` of the account.
    pub kms_key: Option<String>,
    /// The account that must own the bucket, so that a bucket of the same name elsewhere gets nothing.
    pub owner: Option<String>,
    /// Whether the bucket is in the path, not in the host; needed where endpoints have no names for buckets.
    pub path_style: bool,
}

/// A part of a bucket. Its names are those of the port, under the prefix.
#[derive(Clone)]
pub struct S3Objects {
    client: Client,
    settings: ObjectSettings,
    /// For how many days what is put can be neither changed nor deleted by anybody.
    locked_days: Option<u32>,
    /// Whether objects are files for others, whose names are theirs.
    for_others: bool,
    parting: Parting,
}

impl S3Objects {
    /// A store in a bucket that exists. Nothing is called yet.
    pub fn new(client: Client, settings: ObjectSettings) -> Result<Self, PortError> {
        let (bucket, prefix) = (&settings.bucket, &settings.prefix);
        named_bucket(bucket)?;
        if !prefix.is_empty() && !prefix.strip_suffix('/').is_some_and(is_name) {
            let text = format!("`{}` is not a prefix of objects", prefix.escape_debug());
            return Err(PortError::new(Kind::Invalid, text)
                .with_help("expected nothing, or names of `[a-z0-9._-]` with a slash after each"));
        }
        Ok(Self { client, settings, locked_days: None, for_others: false, parting: Parting::default() })
    }

    /// The same; nobody, not even the account's root user, can delete or change for so many days what it puts (Object
    /// Lock in compliance mode, which the bucket must have).
    #[must_use]
    pub fn locked_for(mut self, days: u32) -> Self {
        self.locked_days = Some(days);
        self
    }

    /// Where an object is, as others name it: `s3://BUCKET/PREFIX/NAME`.
    pub fn address(&self, name: &str) -> String {
        format!("s3://{}/{}{name}", self.settings.bucket, self.settings.prefix)
    }

    /// The bucket, and what all names in it begin with.
    pub fn place(&self) -> (&str, &str) {
        (&self.settings.bucket, &self.settings.prefix)
    }

    /// The same for files of which others choose the names: upper case and a few more letters are allowed in them.
    #[must_use]
    pub fn for_others(mut self) -> Self {
        self.for_others = true;
        self
    }

    fn named(&self, name: &str) -> Result<(), PortError> {
        let more =
            |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'+' | b'=' | b' ' | b'/');
        let proper = |part: &str| !part.is_empty() && part != "." && part != "..";
        if self.for_others && name.len() <= 900 && name.bytes().all(more) && name.split('/').all(proper) {
            return Ok(());
        }
        named(name)
    }

    /// The bytes of an object that somebody else put; of more than `most` none.
    pub(crate) fn get_at_most(&self, name: &str, most: usize) -> Result<Vec<u8>, PortError> {
        self.named(name)?;
        self.read(name, most)
    }

    /// The smallest policy with which these uses of the store work.
    pub fn permissions(&self, uses: &[ObjectUse]) -> Result<PolicyDocument, PortError> {
        let (partition, region) = (self.client.partition()?, self.client.region()?);
        let ObjectSettings { bucket, prefix, kms_key, .. } = &self.settings;
        let arn = format!("arn:{}:s3:::{bucket}", partition.name);
        let place = |on| match on {
            On::Bucket if prefix.is_empty() => {
                Place { resource: vec![arn.clone()], condition: BTreeMap::new() }
            }
            On::Bucket => Place {
                resource: vec![arn.clone()],
                // Also asked when an object is not found, and then there is no prefix.
                condition: condition("StringLikeIfExists", "s3:prefix", &format!("{prefix}*")),
            },
            On::BucketKey => Place {
                resource: vec![kms_key.clone().unwrap_or_else(|| "*".to_owned())],
                condition: condition(
                    "StringEquals",
                    "kms:ViaService",
                    &format!("s3.{region}.{}", partition.domain),
                ),
            },
            _ => Place { resource: vec![format!("{arn}/{prefix}*")], condition: BTreeMap::new() },
        };
        // The default key of the account is open to all its users of S3; nobody can be given it.
        let calls: Vec<&Operation> =
            uses.iter().flat_map(|one| one.calls(self.locked_days.is_some())).collect();
        let mut document = PolicyDocument::of(&calls, place);
        if kms_key.is_none() {
            document = document.without("kms:");
        }
        Ok(document)
    }

    fn wire(&self, method: &'static str, name: &str) -> Result<Wire, AwsError> {
        let ObjectSettings { bucket, prefix, owner, path_style, .. } = &self.settings;
        let key = if name.is_empty() { String::new() } else { format!("{prefix}{name}") };
        bucket_wire(&self.client, (bucket, owner.as_deref(), *path_style), (method, &key))
    }

    /// Whether S3 keeps another checksum. Of an object that somebody else put in parts, it says nothing about the whole.
    fn damaged(&self, got: &Got) -> bool {
        let Some(kept) = &got.kept else { return false };
        match kept.contains('-') {
            false => *kept != checksum(&got.bytes),
            true => !self.for_others && self.parting.is_other(kept, &got.bytes),
        }
    }

    /// The bytes, checked against the checksum that S3 keeps with them.
    fn read(&self, name: &str, most: usize) -> Result<Vec<u8>, PortError> {
        let object = self.object(name, How { most: Some(most), ..How::default() })?;
        match object.get(None) {
            Ok(got) if self.damaged(&got) => {
                let text = format!("the object `{name}` does not have the checksum that S3 keeps with it");
                Err(PortError::new(Kind::Damaged, text))
            }
            Ok(got) => Ok(got.bytes),
            Err(error) if error.code() == "NoSuchKey" => {
                Err(PortError::new(Kind::Absent, format!("there is no object `{name}`")))
            }
            Err(error) => Err(self.explain(&error)),
        }
    }

    /// A missing bucket is a mistake in the settings, not an absent object.
    fn explain(&self, error: &AwsError) -> PortError {
        match (error.code(), error.trouble()) {
            ("KMS.DisabledException" | "KMS.KMSInvalidStateException", _) => {
                error.port(Kind::Disabled).with_help("an administrator of the bucket's key can enable it")
            }
            ("InvalidRequest", _) if error.to_string().contains("Lock") => error
                .port(Kind::Invalid)
                .with_help("make the bucket with Object Lock, or leave `--retain-days` out"),
            ("NoSuchBucket", _) => {
                let help = format!("make the bucket `{}`, or name another", self.settings.bucket);
                error.port(Kind::Invalid).with_help(help)
            }
            // Damage on the way is noticed by S3 before it stores anything.
            ("BadDigest" | "XAmzContentSHA256Mismatch" | "InvalidDigest", _) => error.port(Kind::Failed),
            (_, Trouble::Absent) => error.port(Kind::Invalid),
            _ => error.clone().into(),
        }
    }
}

/// The rule of S3 for names of buckets: they go into hosts.
pub(crate) fn named_bucket(bucket: &str) -> Result<(), AwsError> {
    let letters = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.');
    let ends = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_alphanumeric());
    let proper = (3..=63).contains(&bucket.len())
        && bucket.bytes().all(letters)
        && ends(bucket.bytes().next())
        && ends(bucket.bytes().last())
        && !bucket.contains("..");
    if proper {
        return Ok(());
    }
    let text = format!("`{}` is not the name of a bucket", bucket.escape_debug());
    Err(AwsError::new(Trouble::Unconfigured, text)
        .with_help("expected 3 to 63 lower-case letters, digits, dots and hyphens"))
}

/// A request for a key in a bucket, or for the bucket; `owner` must own it, and it is in the path if it must be.
pub(crate) fn bucket_wire(
    client: &Client,
    (bucket, owner, path_style): (&str, Option<&str>, bool),
    (method, key): (&'static str, &str),
) -> Result<Wire, AwsError> {
    let mut wire = if path_style || client.in_path(&GET, bucket)? {
        Wire::new(method, format!("/{bucket}/{}", encode_path(key)))
    } else {
        Wire { label: Some(bucket.to_owned()), ..Wire::new(method, format!("/{}", encode_path(key))) }
    };
    if let Some(owner) = owner {
        wire = wire.header("x-amz-expected-bucket-owner", owner);
    }
    Ok(wire)
}

impl ObjectStore for S3Objects {
    fn put_from(&self, name: &str, content: &dyn Content) -> Result<(), PortError> {
        self.put_new(name, content)
    }

    fn get(&self, name: &str) -> Result<Vec<u8>, PortError> {
        self.get_at_most(name, LARGEST)
    }

    fn list(&self, prefix: &str) -> Result<Vec<String>, PortError> {
        let own = &self.settings.prefix;
        let mut names = Vec::new();
        for keys in listed(&self.client, self.wire("GET", "")?, &format!("{own}{prefix}")) {
            let keys = keys.map_err(|error| self.explain(&error))?;
            names.extend(keys.iter().filter_map(|key| key.strip_prefix(own)).map(str::to_owned));
        }
        names.sort();
        Ok(names)
    }

    fn delete(&self, name: &str) -> Result<(), PortError> {
        self.named(name)?;
        match self.object(name, How::default())?.delete() {
            Err(error) if error.code() != "NoSuchKey" => Err(self.explain(&error)),
            _ => Ok(()),
        }
    }
}

/// The keys of a bucket that begin so, page by page.
pub(crate) fn listed<'c>(
    client: &'c Client,
    bucket: Wire,
    prefix: &str,
) -> impl Iterator<Item = Result<Vec<String>, AwsError>> + use<'c> {
    let wire = bucket.parameter("list-type", "2").parameter("prefix", prefix);
    let keys = |page: Page| page.contents.into_iter().map(|one| one.key).collect();
    client.pages(&LIST, Question::Url(wire)).map(move |page| page.map(keys))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    #[serde(default)]
    contents: Vec<Listed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    key: String,
}

fn checksum(bytes: &[u8]) -> String {
    STANDARD.encode(digest::digest(&digest::SHA256, bytes))
}

/// The port's rule for names.
fn is_name(name: &str) -> bool {
    let letters = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-');
    let proper = |part: &str| !part.is_empty() && part != "." && part != ".." && part.bytes().all(letters);
    name.len() <= 200 && name.split('/').all(proper)
}

fn named(name: &str) -> Result<(), PortError> {
    if is_name(name) {
        Ok(())
    } else {
        Err(PortError::new(Kind::Invalid, format!("`{}` is not the name of an object", name.escape_debug())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Settings, Sources};

    fn place(endpoint: &str, bucket: &str, path_style: bool) -> String {
        let variables = [("AWS_REGION", "eu-central-1"), ("AWS_ENDPOINT_URL_S3", endpoint)];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let client = Client::new(Settings::load(Sources::only(variables, None), None).unwrap()).unwrap();
        let authority = client.endpoint(&GET).unwrap().authority;
        let (bucket, prefix) = (bucket.to_owned(), "house/".to_owned());
        let settings = ObjectSettings { bucket, prefix, kms_key: None, owner: None, path_style };
        let wire = S3Objects::new(client, settings).unwrap().wire("GET", "a/b").unwrap();
        let label = wire.label.map(|label| format!("{label}.")).unwrap_or_default();
        format!("{label}{authority}{}", wire.path)
    }

    #[test]
    fn the_bucket_is_in_the_host_where_it_can_be() {
        insta::assert_snapshot!(place("", "bank", false), @"bank.s3.eu-central-1.amazonaws.com/house/a/b");
        insta::assert_snapshot!(place("", "bank.example", false), @"s3.eu-central-1.amazonaws.com/bank.example/house/a/b");
        insta::assert_snapshot!(place("", "bank", true), @"s3.eu-central-1.amazonaws.com/bank/house/a/b");
        insta::assert_snapshot!(place("http://10.0.0.7:9000", "bank", false), @"10.0.0.7:9000/bank/house/a/b");
        insta::assert_snapshot!(place("http://minio:9000", "bank", false), @"minio:9000/bank/house/a/b");
        insta::assert_snapshot!(place("http://localhost:5000", "bank", false), @"localhost:5000/bank/house/a/b");
        insta::assert_snapshot!(place("https://bucket.vpce-1-x.s3.eu-central-1.vpce.amazonaws.com", "bank", false), @"bank.bucket.vpce-1-x.s3.eu-central-1.vpce.amazonaws.com/house/a/b");
    }
}
