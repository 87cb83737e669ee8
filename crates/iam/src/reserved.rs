//! What AWS decides by itself, whatever the policies say, and to whom organisation policies do not apply.

use crate::request::{AwsSort, Principal, Request, Special};

/// Calls that need no permission: anybody who is somebody may ask who he is. STS API Reference, `GetCallerIdentity`.
#[inline]
pub(crate) fn always_allowed(request: &Request) -> bool {
    request.special() == Special::Sts
        && request.action_name() == "getcalleridentity"
        && !matches!(request.principal(), Principal::Anonymous)
}

/// Service control policies bind the principals of member accounts, but no service-linked role.
#[inline]
pub(crate) fn scp_applies(caller: &Principal) -> bool {
    match caller {
        Principal::Aws(aws) => !matches!(aws.sort, AwsSort::Role { service_linked: true, .. }),
        _ => false,
    }
}

/// Resource control policies bind everybody but service-linked roles, on the services that support them.
pub(crate) fn rcp_applies(request: &Request) -> bool {
    let linked = match request.principal() {
        Principal::Aws(aws) => matches!(aws.sort, AwsSort::Role { service_linked: true, .. }),
        _ => false,
    };
    !linked
        && request.action() != "kms:retiregrant"
        && crate::catalog::catalog().supports_rcp(request.service())
}

/// Resources whose own policy must delegate to the account before identity policies count: KMS keys and roles.
#[inline]
pub(crate) fn needs_delegation(request: &Request) -> bool {
    let special = request.special();
    if !matches!(special, Special::Kms | Special::Sts) {
        return false;
    }
    let Some([_, _, service, _, _, rest]) = request.arn() else { return false };
    match (special, &**service) {
        (Special::Kms, "kms") => rest.starts_with("key/"),
        (Special::Sts, "iam") => rest.starts_with("role/") && TRUST_ACTIONS.contains(&request.action_name()),
        _ => false,
    }
}

/// The actions that a trust policy is about.
const TRUST_ACTIONS: [&str; 6] = [
    "assumerole",
    "assumerolewithsaml",
    "assumerolewithwebidentity",
    "tagsession",
    "setsourceidentity",
    "setcontext",
];

/// What nobody may do to what AWS itself manages.
#[inline]
pub(crate) fn refused(request: &Request) -> bool {
    let special = request.special();
    if !matches!(special, Special::Kms | Special::Iam) {
        return false;
    }
    let Some([_, _, service, _, account, rest]) = request.arn() else { return false };
    let name = request.action_name();
    match (special, &**service) {
        (Special::Iam, "iam") if **account == *"aws" => {
            rest.starts_with("policy/") && POLICY_ACTIONS.contains(&name)
        }
        (Special::Iam, "iam") => rest.starts_with("role/aws-reserved/") && ROLE_ACTIONS.contains(&name),
        (Special::Kms, "kms") => {
            let aws = rest.get(..10).is_some_and(|start| start.eq_ignore_ascii_case("alias/aws/"));
            aws && matches!(name, "createalias" | "deletealias" | "updatealias")
        }
        _ => false,
    }
}

/// Policies of AWS cannot be changed by customers. IAM User Guide, "AWS managed policies".
const POLICY_ACTIONS: [&str; 7] = [
    "createpolicy",
    "createpolicyversion",
    "deletepolicy",
    "deletepolicyversion",
    "setdefaultpolicyversion",
    "tagpolicy",
    "untagpolicy",
];

/// Roles under the path `/aws-reserved/` belong to AWS. IAM Identity Center User Guide, "Referencing permission sets".
const ROLE_ACTIONS: [&str; 16] = [
    "attachrolepolicy",
    "createrole",
    "createservicelinkedrole",
    "deleterole",
    "deleterolepermissionsboundary",
    "deleterolepolicy",
    "deleteservicelinkedrole",
    "detachrolepolicy",
    "passrole",
    "putrolepermissionsboundary",
    "putrolepolicy",
    "tagrole",
    "untagrole",
    "updateassumerolepolicy",
    "updaterole",
    "updateroledescription",
];
