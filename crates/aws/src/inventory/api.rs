//! The operations by which an account is read, as data, and what comes out.
//!
//! Source: API references of IAM, STS, S3, KMS and AWS Organizations.

use crate::operation::{
    BUCKETS, IAM, KMS, MARKER, NEXT_MARKER, NEXT_TOKEN, ORGANIZATIONS, On, Operation, Permission, Retry, S3,
    Service,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const fn read(service: &'static Service, name: &'static str, needs: &'static [Permission]) -> Operation {
    Operation { service, name, retry: Retry::Safe, needs, pages: None }
}

macro_rules! needs {
    ($action:literal) => {
        &[Permission { action: $action, on: On::Account }]
    };
}

pub(crate) const DETAILS: Operation =
    read(&IAM, "GetAccountAuthorizationDetails", needs!("iam:GetAccountAuthorizationDetails")).paged(MARKER);
pub(crate) const LIST_BUCKETS: Operation =
    read(&S3, "ListBuckets", needs!("s3:ListAllMyBuckets")).paged(BUCKETS);
pub(super) const BUCKET_POLICY: Operation = read(&S3, "GetBucketPolicy", needs!("s3:GetBucketPolicy"));
pub(super) const PUBLIC_ACCESS: Operation =
    read(&S3, "GetPublicAccessBlock", needs!("s3:GetBucketPublicAccessBlock"));
pub(super) const OWNERSHIP: Operation =
    read(&S3, "GetBucketOwnershipControls", needs!("s3:GetBucketOwnershipControls"));
pub(super) const BUCKET_ACL: Operation = read(&S3, "GetBucketAcl", needs!("s3:GetBucketAcl"));
pub(super) const BUCKET_TAGS: Operation = read(&S3, "GetBucketTagging", needs!("s3:GetBucketTagging"));
pub(super) const LIST_KEYS: Operation = read(&KMS, "ListKeys", needs!("kms:ListKeys")).paged(NEXT_MARKER);
pub(super) const KEY_POLICY: Operation = read(&KMS, "GetKeyPolicy", needs!("kms:GetKeyPolicy"));
pub(super) const GRANTS: Operation = read(&KMS, "ListGrants", needs!("kms:ListGrants")).paged(NEXT_MARKER);
pub(super) const KEY_TAGS: Operation =
    read(&KMS, "ListResourceTags", needs!("kms:ListResourceTags")).paged(NEXT_MARKER);
pub(crate) const ORGANIZATION: Operation =
    read(&ORGANIZATIONS, "DescribeOrganization", needs!("organizations:DescribeOrganization"));
pub(crate) const PARENTS: Operation =
    read(&ORGANIZATIONS, "ListParents", needs!("organizations:ListParents")).paged(NEXT_TOKEN);
pub(crate) const POLICIES: Operation =
    read(&ORGANIZATIONS, "ListPoliciesForTarget", needs!("organizations:ListPoliciesForTarget"))
        .paged(NEXT_TOKEN);
pub(crate) const POLICY: Operation =
    read(&ORGANIZATIONS, "DescribePolicy", needs!("organizations:DescribePolicy"));

/// All that is called.
pub(super) const OPERATIONS: [&Operation; 16] = [
    &crate::identity::WHO_AM_I,
    &DETAILS,
    &LIST_BUCKETS,
    &BUCKET_POLICY,
    &PUBLIC_ACCESS,
    &OWNERSHIP,
    &BUCKET_ACL,
    &BUCKET_TAGS,
    &LIST_KEYS,
    &KEY_POLICY,
    &GRANTS,
    &KEY_TAGS,
    &ORGANIZATION,
    &PARENTS,
    &POLICIES,
    &POLICY,
];

/// A list in XML whose items have one name.
#[derive(Deserialize)]
pub(super) struct Items<T> {
    #[serde(alias = "Tag", alias = "Bucket", alias = "Grant", default = "Vec::new")]
    pub(super) member: Vec<T>,
}

impl<T> Default for Items<T> {
    fn default() -> Self {
        Self { member: Vec::new() }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DetailsAnswer {
    pub(super) get_account_authorization_details_result: Details,
}

/// A page of everything that IAM holds.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Details {
    #[serde(default)]
    pub(super) user_detail_list: Items<Holder>,
    #[serde(default)]
    pub(super) group_detail_list: Items<Holder>,
    #[serde(default)]
    pub(super) role_detail_list: Items<Holder>,
    #[serde(default)]
    pub(super) policies: Items<Managed>,
}

/// A user, group or role.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Holder {
    pub(super) arn: String,
    pub(super) user_id: Option<String>,
    pub(super) group_name: Option<String>,
    pub(super) assume_role_policy_document: Option<String>,
    #[serde(default, alias = "UserPolicyList", alias = "GroupPolicyList")]
    pub(super) role_policy_list: Items<Inline>,
    #[serde(default)]
    pub(super) attached_managed_policies: Items<Attached>,
    #[serde(default)]
    pub(super) group_list: Items<String>,
    pub(super) permissions_boundary: Option<Boundary>,
    #[serde(default)]
    pub(super) tags: Items<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Inline {
    pub(super) policy_document: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Attached {
    pub(super) policy_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Boundary {
    pub(super) permissions_boundary_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    pub(super) key: String,
    #[serde(default)]
    pub(super) value: String,
}

/// A managed policy.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Managed {
    pub(super) arn: String,
    #[serde(default)]
    pub(super) policy_version_list: Items<Version>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Version {
    pub(super) document: String,
    pub(super) is_default_version: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct BucketList {
    #[serde(default)]
    pub(super) buckets: Items<Bucket>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Bucket {
    pub(crate) name: String,
    pub(crate) bucket_region: Option<String>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename(deserialize = "PublicAccessBlockConfiguration"))]
pub(super) struct PublicAccess {
    #[serde(rename = "BlockPublicAcls", default)]
    block_public_acls: bool,
    #[serde(rename = "IgnorePublicAcls", default)]
    ignore_public_acls: bool,
    #[serde(rename = "BlockPublicPolicy", default)]
    block_public_policy: bool,
    #[serde(rename = "RestrictPublicBuckets", default)]
    restrict_public_buckets: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Ownership {
    pub(super) rule: OwnershipRule,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OwnershipRule {
    pub(super) object_ownership: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Acl {
    #[serde(default)]
    pub(super) access_control_list: Items<AclGrant>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AclGrant {
    pub(super) grantee: Grantee,
    pub(super) permission: String,
}

#[derive(Deserialize)]
pub(super) struct Grantee {
    #[serde(rename = "ID")]
    pub(super) id: Option<String>,
    #[serde(rename = "URI")]
    pub(super) uri: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct BucketTags {
    #[serde(default)]
    pub(super) tag_set: Items<Tag>,
}

/// A page of a list of KMS.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct KeyPage {
    #[serde(default)]
    pub(super) keys: Vec<Key>,
    #[serde(default)]
    pub(super) grants: Vec<Grant>,
    #[serde(default)]
    pub(super) tags: Vec<KeyTag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Key {
    pub(super) key_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct KeyTag {
    pub(super) tag_key: String,
    pub(super) tag_value: String,
}

/// A grant, as far as it decides.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Grant {
    grantee_principal: String,
    operations: Vec<String>,
    #[serde(default)]
    constraints: Constraints,
    grant_id: String,
}

#[derive(Deserialize, Serialize, Default)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Constraints {
    #[serde(skip_serializing_if = "Option::is_none")]
    encryption_context_equals: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encryption_context_subset: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct KeyPolicy {
    pub(super) policy: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OrganizationAnswer {
    pub(super) organization: Organization,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Organization {
    pub(super) id: String,
    pub(super) master_account_id: String,
}

/// A page of a list of AWS Organizations.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OrganizationPage {
    #[serde(default)]
    pub(super) parents: Vec<Named>,
    #[serde(default)]
    pub(super) policies: Vec<Named>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Named {
    pub(super) id: String,
    pub(super) name: Option<String>,
    pub(super) arn: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PolicyAnswer {
    pub(super) policy: PolicyContent,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PolicyContent {
    pub(super) content: String,
}
