//! What CloudTrail delivered, as it is in its bucket, and the public keys that it signs with.
//!
//! Source: AWS CloudTrail API Reference, "ListPublicKeys".

use crate::client::Client;
use crate::error::{AwsError, Trouble};
use crate::objects::{LIST, bucket_wire, listed, named_bucket};
use crate::operation::{CLOUDTRAIL, NEXT_TOKEN, On, Operation, Permission, Retry, S3};
use crate::pages::Question;
use crate::permissions::{Place, PolicyDocument, condition};
use crate::transport::Answer;
use facts::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const fn on(action: &'static str, on: On) -> Permission {
    Permission { action, on }
}

pub(crate) const GET: Operation = Operation {
    service: &S3,
    name: "GetObject",
    retry: Retry::Safe,
    needs: &[on("s3:GetObject", On::Objects), on("kms:Decrypt", On::BucketKey)],
    pages: None,
};
const LIST_KEYS: Operation = Operation {
    service: &CLOUDTRAIL,
    name: "ListPublicKeys",
    retry: Retry::Safe,
    needs: &[on("cloudtrail:ListPublicKeys", On::Account)],
    pages: Some(NEXT_TOKEN),
};

const METADATA: [&str; 3] = ["signature", "signature-algorithm", "backfill-generation-timestamp"];

/// An object of at most so many bytes; the service is asked for no more.
pub(crate) fn object(client: &Client, (bucket, key): (&str, &str), most: usize) -> Result<Vec<u8>, AwsError> {
    named_bucket(bucket)?;
    let wire = bucket_wire(client, (bucket, None, false), ("GET", key))?;
    let answer = client.call(&GET, &wire.header("range", format!("bytes=0-{most}")))?;
    if answer.body.len() > most {
        let text = format!("the object has more than {most} bytes");
        return Err(AwsError::new(Trouble::Refused, text).of(&GET));
    }
    Ok(answer.body.to_vec())
}

/// The bucket of a trail.
#[derive(Clone)]
pub struct TrailBucket {
    client: Client,
    bucket: String,
    prefix: String,
    owner: Option<String>,
}

/// An object of it.
pub struct Delivered {
    answer: Answer,
}

impl Delivered {
    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.answer.body
    }

    /// What its metadata say of a signature, as `aws s3api head-object` prints them; none if they say nothing.
    pub fn head(&self) -> Option<Value> {
        let named = |name: &&str| {
            let value = self.answer.header(&format!("x-amz-meta-{name}"))?;
            Some(((*name).to_owned(), value.to_owned()))
        };
        let metadata: BTreeMap<String, String> = METADATA.iter().filter_map(named).collect();
        (!metadata.is_empty()).then(|| json!({ "Metadata": metadata }))
    }
}

impl TrailBucket {
    /// What is under `prefix` in a bucket, which `owner` must own if named. Nothing is called yet.
    pub fn new(client: Client, bucket: &str, prefix: &str, owner: Option<&str>) -> Result<Self, AwsError> {
        named_bucket(bucket)?;
        let (bucket, prefix, owner) = (bucket.to_owned(), prefix.to_owned(), owner.map(str::to_owned));
        Ok(Self { client, bucket, prefix, owner })
    }

    /// The keys of all objects.
    pub fn list(&self) -> Result<Vec<String>, AwsError> {
        let bucket = (self.bucket.as_str(), self.owner.as_deref(), false);
        let wire = bucket_wire(&self.client, bucket, ("GET", ""))?;
        let pages: Vec<_> = listed(&self.client, wire, &self.prefix).collect::<Result<_, _>>()?;
        Ok(pages.concat())
    }

    /// One object.
    pub fn get(&self, key: &str) -> Result<Delivered, AwsError> {
        let place = (self.bucket.as_str(), self.owner.as_deref(), false);
        let answer = self.client.call(&GET, &bucket_wire(&self.client, place, ("GET", key))?)?;
        Ok(Delivered { answer })
    }

    /// The public keys that CloudTrail signed with in this time, as `aws cloudtrail list-public-keys` prints them.
    pub fn public_keys(&self, from: Timestamp, to: Timestamp) -> Result<Value, AwsError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Page {
            public_key_list: Vec<Value>,
        }
        let input = json!({ "StartTime": from.unix_ms() / 1000, "EndTime": to.unix_ms() / 1000 });
        let mut keys = Vec::new();
        for page in self.client.pages::<Page>(&LIST_KEYS, Question::Json(input)) {
            keys.extend(page?.public_key_list);
        }
        Ok(json!({ "PublicKeyList": keys }))
    }

    /// The smallest policy with which all of this works.
    pub fn permissions(&self) -> Result<PolicyDocument, AwsError> {
        let (partition, region) = (self.client.partition()?, self.client.region()?);
        let arn = format!("arn:{}:s3:::{}", partition.name, self.bucket);
        Ok(PolicyDocument::of(&[&LIST, &GET, &LIST_KEYS], |on| match on {
            On::Bucket => Place {
                resource: vec![arn.clone()],
                condition: match self.prefix.as_str() {
                    "" => BTreeMap::new(),
                    prefix => condition("StringLike", "s3:prefix", &format!("{prefix}*")),
                },
            },
            On::Objects => {
                Place { resource: vec![format!("{arn}/{}*", self.prefix)], condition: BTreeMap::new() }
            }
            // Which key the trail's files are under is not known here.
            On::BucketKey => Place {
                resource: vec!["*".to_owned()],
                condition: condition(
                    "StringEquals",
                    "kms:ViaService",
                    &format!("s3.{region}.{}", partition.domain),
                ),
            },
            _ => Place { resource: vec!["*".to_owned()], condition: BTreeMap::new() },
        }))
    }
}
