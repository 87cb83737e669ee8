//! Which buckets Amazon Macie searched for personal data, and when. CloudFormation has no type for that; theirs is named in the
//! same way. Calls: API reference of Amazon Macie.

use super::items::{Draft, item};
use super::jobs::{Job, Lister};
use super::reader::Reader;
use super::types::{always, derived, describe};
use crate::operation::{Call, Protocol, SMALL_TOKEN, Service, call};
use serde_json::json;

/// Amazon Macie.
const MACIE: Service = Service { id: "MACIE2", name: "macie2", protocol: Protocol::RestJson };

const BUCKETS: &Call = call!(
    MACIE,
    "DescribeBuckets",
    "macie2:DescribeBuckets",
    "POST /datasources/s3",
    SMALL_TOKEN.of("buckets")
);

const KIND: &str = "AWS::Macie::Bucket";

pub(super) static SEARCHES: Lister =
    Lister { kinds: &[KIND], calls: &[BUCKETS], list: |_, _| vec![Job::new(&[KIND], "", read)] };

fn read(reader: &Reader<'_>, draft: &mut Draft) {
    let all = match reader.all(BUCKETS, &json!({})) {
        Ok(all) => all,
        // An account without Macie is told so with a denial; who may not ask is told something else.
        Err(error) if error.to_string().contains("Macie is not enabled") => Vec::new(),
        Err(error) => return draft.unread(KIND, &BUCKETS.operation, &error),
    };
    draft.read(&[KIND]);
    for told in all {
        let Some(name) = told["bucketName"].as_str() else { continue };
        // The bucket itself has its name as identifier.
        let mut one = item(KIND, &format!("{}|{name}", reader.account));
        one.arn = told["bucketArn"].as_str().map(str::to_owned);
        let members = [
            always("bucketName", "BucketName"),
            derived("jobDetails", "JobDetails"),
            derived("lastAutomatedDiscoveryTime", "LastAutomatedDiscoveryTime"),
            derived("errorCode", "ErrorCode"),
        ];
        describe(&mut one, &BUCKETS.operation, Ok(&told), &members);
        draft.items.push(one);
    }
}
