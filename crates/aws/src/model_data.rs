//! Objects of others in S3, where model packages have their model data and figures: read in parts, so that memory does not
//! grow with them, and as one state of the object, however long that takes.
//!
//! Source: Amazon S3 API Reference, `GetObject` (ranges, `If-Match`) and `ListObjectsV2`.

use crate::client::Client;
use crate::error::{AwsError, Trouble};
use crate::objects::{LIST, bucket_wire, listed, named_bucket};
use crate::operation::{On, Operation, Permission, Retry, S3};
use crate::packages::READING_ELSEWHERE as READING;
use crate::permissions::{Place, PolicyDocument};
use std::collections::BTreeMap;

const fn on(action: &'static str, on: On) -> Permission {
    Permission { action, on }
}

const GET: Operation = Operation {
    service: &S3,
    name: "GetObject",
    retry: Retry::Safe,
    needs: &[on("s3:GetObject", On::Objects), on("kms:Decrypt", On::BucketKey)],
    pages: None,
};

/// So much is asked for at once.
const PART: u64 = 8 << 20;
/// So many objects are listed at most.
const MOST_OBJECTS: usize = 10_000;

/// An object, or what is below a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Place {
    /// The bucket.
    pub bucket: String,
    /// The key, or what keys begin with.
    pub key: String,
}

impl S3Place {
    /// Reads `s3://BUCKET/KEY`.
    ///
    /// # Errors
    /// If it is no such address.
    pub fn parse(address: &str) -> Result<Self, AwsError> {
        let parts = address.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
        let Some((bucket, key)) = parts else {
            let shown: String = address.chars().take(200).collect();
            let text = format!("`{}` is not the address of an object", shown.escape_debug());
            return Err(AwsError::new(Trouble::Unconfigured, text).with_help("expected `s3://BUCKET/KEY`"));
        };
        named_bucket(bucket)?;
        Ok(Self { bucket: bucket.to_owned(), key: key.to_owned() })
    }
}

/// Reads objects of others.
#[derive(Clone)]
pub struct ModelData {
    client: Client,
}

impl ModelData {
    /// Nothing is called yet.
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// The keys of all objects below a prefix.
    ///
    /// # Errors
    /// If they cannot be listed, or are more than 10,000.
    pub fn list(&self, below: &S3Place) -> Result<Vec<String>, AwsError> {
        let wire = bucket_wire(&self.client, (&below.bucket, None, false), ("GET", ""))?;
        let mut keys = Vec::new();
        for page in listed(&self.client, wire, &below.key) {
            keys.extend(page?);
            if keys.len() > MOST_OBJECTS {
                let text = format!("there are more than {MOST_OBJECTS} objects below `{}`", below.key);
                return Err(AwsError::new(Trouble::Unreadable, text).of(&LIST));
            }
        }
        Ok(keys)
    }

    /// Gives out an object part by part, all of one state of it. At most `most` bytes.
    ///
    /// # Errors
    /// If it cannot be read, is larger, or is replaced while it is read; or what `take` says.
    pub fn read<E: From<AwsError>>(
        &self,
        place: &S3Place,
        most: u64,
        take: &mut dyn FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let wrong = |what: &str| {
            let text = format!("`s3://{}/{}` {what}", place.bucket, place.key);
            E::from(AwsError::new(Trouble::Unreadable, text).of(&GET))
        };
        let (mut at, mut whole, mut state) = (0, u64::MAX, None::<String>);
        while at < whole {
            let to = whole.min(at + PART) - 1;
            let mut wire = bucket_wire(&self.client, (&place.bucket, None, false), ("GET", &place.key))?
                .header("range", format!("bytes={at}-{to}"));
            if let Some(state) = &state {
                wire = wire.header("if-match", state.clone());
            }
            let answer = match self.client.call(&GET, &wire) {
                Ok(answer) => answer,
                // An empty object has no first byte.
                Err(error) if error.code() == "InvalidRange" && at == 0 => return Ok(()),
                Err(error) if error.code() == "PreconditionFailed" => {
                    return Err(wrong("was replaced while it was read"));
                }
                Err(error) => {
                    let place = format!("the object is `s3://{}/{}`", place.bucket, place.key);
                    return Err(error.with_help(place).into());
                }
            };
            let total = answer.header("content-range").and_then(|range| range.rsplit('/').next());
            let total: Option<u64> = total.and_then(|total| total.parse().ok());
            let bytes = &answer.body;
            whole = total.unwrap_or(bytes.len() as u64);
            if whole > most {
                return Err(wrong(&format!("has {whole} bytes: expected at most {most}")));
            }
            let due = (to + 1).min(whole) - at;
            if bytes.len() as u64 != due && total.is_some() || bytes.is_empty() && whole > 0 {
                return Err(wrong("did not come whole"));
            }
            state = state.or_else(|| answer.header("etag").map(str::to_owned));
            at += bytes.len() as u64;
            take(bytes)?;
        }
        Ok(())
    }
}

/// The policy with which packages of any group and the objects that they name can be read. Which buckets those are in stands in
/// the packages: whoever knows puts them in the place of `*`.
pub fn permissions() -> PolicyDocument {
    let operations: Vec<&Operation> = READING.iter().copied().chain([&GET, &LIST]).collect();
    PolicyDocument::of(&operations, |_| Place { resource: vec!["*".to_owned()], condition: BTreeMap::new() })
}
