//! Buckets: their policies, and what S3 decides beside them.

use super::api::{
    Acl, BUCKET_ACL, BUCKET_POLICY, BUCKET_TAGS, Bucket, BucketList, BucketTags, LIST_BUCKETS, OWNERSHIP,
    Ownership, PUBLIC_ACCESS, PublicAccess,
};
use super::bounds::Sort;
use super::{Draft, document, gap};
use crate::client::Client;
use crate::error::{AwsError, Trouble};
use crate::operation::Operation;
use crate::pages::Question;
use crate::transport::Answer;
use crate::wire::{Wire, from_xml};
use serde_json::{Value, json};

/// The buckets of the account; only the one with this name, if there is one.
pub(crate) fn list(client: &Client, only: Option<&str>) -> Result<Vec<Bucket>, AwsError> {
    let mut wire = Wire::new("GET", "/").parameter("max-buckets", "10000");
    if let Some(name) = only {
        wire = wire.parameter("prefix", name);
    }
    let mut all = Vec::new();
    for page in client.pages::<BucketList>(&LIST_BUCKETS, Question::Url(wire)) {
        all.extend(page?.buckets.member);
    }
    all.retain(|bucket| only.is_none_or(|name| bucket.name == name));
    Ok(all)
}

/// Reads a bucket. `client` calls the region that was set, which need not be the bucket's.
pub(super) fn read(
    client: &Client,
    account: &str,
    bucket: &Bucket,
    draft: &mut Draft,
) -> Result<(), AwsError> {
    let elsewhere = match bucket.bucket_region.as_deref() {
        Some(region) if region != client.region()? => Some(client.in_region(region)?),
        _ => None,
    };
    let call = Call { client: elsewhere.as_ref().unwrap_or(client), account, bucket: &bucket.name };
    let arn = format!("arn:{}:s3:::{}", client.partition()?.name, bucket.name);
    let mut resource = json!({"arn": arn, "account": account, "s3": {}});
    match call.get((&BUCKET_POLICY, "policy"), "NoSuchBucketPolicy")? {
        Found::Is(answer) => {
            resource["policy"] = document(&String::from_utf8_lossy(&answer.body), &arn)?;
        }
        Found::Absent => {}
        Found::Denied => {
            draft.gaps.push(gap(&BUCKET_POLICY, &arn, "what its policy allows and forbids", Sort::Policy));
        }
    }
    match call.get((&PUBLIC_ACCESS, "publicAccessBlock"), "NoSuchPublicAccessBlockConfiguration")? {
        Found::Is(answer) => {
            let block: PublicAccess = from_xml(&PUBLIC_ACCESS, &answer)?;
            resource["s3"]["BlockPublicAccess"] = json!([block]);
        }
        Found::Absent => {}
        Found::Denied => {
            let what = "whether Block Public Access keeps outsiders out";
            draft.gaps.push(gap(&PUBLIC_ACCESS, &arn, what, Sort::Forbidding));
        }
    }
    lists(&call, &arn, &mut resource, draft)?;
    if let Found::Is(answer) = call.get((&BUCKET_TAGS, "tagging"), "NoSuchTagSet")? {
        let tags: BucketTags = from_xml(&BUCKET_TAGS, &answer)?;
        resource["tags"] = super::principals::tags(&tags.tag_set);
    }
    draft.resources.push(resource);
    Ok(())
}

/// Access control lists count unless they are switched off.
fn lists(call: &Call<'_>, arn: &str, resource: &mut Value, draft: &mut Draft) -> Result<(), AwsError> {
    let ownership = match call.get((&OWNERSHIP, "ownershipControls"), "OwnershipControlsNotFoundError")? {
        Found::Is(answer) => {
            let read: Ownership = from_xml(&OWNERSHIP, &answer)?;
            read.rule.object_ownership
        }
        // A bucket from before there was this setting.
        Found::Absent => "ObjectWriter".to_owned(),
        Found::Denied => {
            let what = "whether access control lists let somebody in";
            draft.gaps.push(gap(&OWNERSHIP, arn, what, Sort::Allowing));
            return Ok(());
        }
    };
    resource["s3"]["ObjectOwnership"] = ownership.clone().into();
    if ownership == "BucketOwnerEnforced" {
        return Ok(());
    }
    draft.notes.push(format!(
        "access control lists count in `{arn}`; those of its objects are not read, and what they allow is not considered"
    ));
    match call.get((&BUCKET_ACL, "acl"), "-")? {
        Found::Is(answer) => {
            let acl: Acl = from_xml(&BUCKET_ACL, &answer)?;
            let grants = acl.access_control_list.member.into_iter().filter_map(|grant| {
                let grantee = grant.grantee.uri.or(grant.grantee.id)?;
                Some(json!({"Grantee": grantee, "Permission": grant.permission}))
            });
            resource["s3"]["BucketAcl"] = Value::Array(grants.collect());
        }
        Found::Absent | Found::Denied => {
            let what = "whom its access control list lets in";
            draft.gaps.push(gap(&BUCKET_ACL, arn, what, Sort::Allowing));
        }
    }
    Ok(())
}

enum Found {
    Is(Answer),
    Absent,
    Denied,
}

struct Call<'a> {
    client: &'a Client,
    account: &'a str,
    bucket: &'a str,
}

impl Call<'_> {
    /// A part of a bucket; `absent` is the code for "there is none", which is not that there is no bucket.
    fn get(&self, (operation, part): (&'static Operation, &str), absent: &str) -> Result<Found, AwsError> {
        let wire = if self.client.in_path(operation, self.bucket)? {
            Wire::new("GET", format!("/{}", self.bucket))
        } else {
            Wire { label: Some(self.bucket.to_owned()), ..Wire::new("GET", "/") }
        };
        let wire = wire.parameter(part, "").header("x-amz-expected-bucket-owner", self.account);
        match self.client.call(operation, &wire) {
            Ok(answer) => Ok(Found::Is(answer)),
            Err(error) if error.code() == absent => Ok(Found::Absent),
            Err(error) if error.trouble() == Trouble::Denied => Ok(Found::Denied),
            Err(error) => Err(error),
        }
    }
}
