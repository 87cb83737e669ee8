//! Data sets of the house as buckets with their policies: the shape that the reference architecture gives them on AWS. What
//! only a bucket has, the house cannot show.

use super::{Draft, View};
use charter::model::Dataset;
use facts::TagSet;
use facts::inventory::{Inventory, Item, Status};
use serde_json::{Value, json};

/// Settings that only a bucket has.
const OF_BUCKETS: [&str; 6] = [
    "PublicAccessBlockConfiguration",
    "LoggingConfiguration",
    "OwnershipControls",
    "AccessControl",
    "ObjectLockEnabled",
    "ObjectLockConfiguration",
];
const ELSEWHERE: &str = "snapshots are objects of the house, each encrypted before it is kept; who else reaches the folder, or the bucket, \
that they are in is asked of that: `wardmote audit --live`";
/// What searches buckets for personal data, and what it found.
const SEARCHES: &str = "AWS::Macie::Bucket";

impl View<'_> {
    /// All of them.
    pub(super) fn data(&self, inventory: &mut Inventory) {
        for dataset in &self.charter.datasets {
            inventory.resources.extend([self.bucket(dataset), self.policy(dataset)]);
        }
        let why =
            "the charter says of each column whether it is personal; nothing searches a snapshot for more";
        inventory.unread.insert(SEARCHES.to_owned(), why.to_owned());
    }

    fn bucket(&self, dataset: &Dataset) -> Item {
        let mut draft = self.item("AWS::S3::Bucket", dataset.id.as_str());
        draft.put("BucketName", "charter", json!(dataset.id));
        // Nothing is kept that is not under this key.
        let key = json!({"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": dataset.key});
        let rule = json!({"ServerSideEncryptionByDefault": key});
        draft.put("BucketEncryption", "charter", json!({"ServerSideEncryptionConfiguration": [rule]}));
        // A snapshot is named by its digest, which is on the ledger: another is another object.
        draft.put("VersioningConfiguration", "ledger", json!({"Status": "Enabled"}));
        let rules = dataset.retention_days.map(|days| {
            json!({"Rules": [{"Id": "retention", "Status": "Enabled", "ExpirationInDays": days.get()}]})
        });
        draft.perhaps("LifecycleConfiguration", "charter", rules);
        draft.put("Tags", "charter", tags(dataset));
        of_buckets(&mut draft, &OF_BUCKETS);
        draft.item
    }

    /// What lets people read and write is the charter, which no statement of a bucket's policy says.
    fn policy(&self, dataset: &Dataset) -> Item {
        let mut draft = self.item("AWS::S3::BucketPolicy", dataset.id.as_str());
        draft.put("Bucket", "charter", json!(dataset.id));
        of_buckets(&mut draft, &["PolicyDocument"]);
        draft.item
    }
}

fn of_buckets(draft: &mut Draft, names: &[&str]) {
    for name in names {
        draft.unknown(name, "objects", Status::NotRecorded, ELSEWHERE);
    }
}

/// The tags that the reference architecture gives the bucket of a data set.
fn tags(dataset: &Dataset) -> Value {
    let TagSet(mut all) = TagSet::from(&dataset.tags);
    let retention =
        dataset.retention_days.map_or("not set".to_owned(), |days| format!("{} days", days.get()));
    all.insert("data-class".to_owned(), dataset.tags.data_classification.to_string());
    all.insert("purpose".to_owned(), format!("snapshots of {}", dataset.id));
    all.insert("retention".to_owned(), retention);
    all.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect()
}
