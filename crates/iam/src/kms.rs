//! Grants on KMS keys: they only allow, to one grantee, certain operations, under constraints on the encryption context.
//! KMS Developer Guide, "Grants in AWS KMS" and "Using grant constraints".

use crate::request::{AwsPrincipal, AwsSort, Principal, Request, Special, Values};
use crate::value::split_arn;
use serde::Deserialize;
use std::collections::BTreeMap;

/// A grant, in the shape of the KMS API.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Grant {
    /// The principal that gets the permissions: an ARN, or a service.
    pub grantee_principal: String,
    /// The operations, for instance `Decrypt`.
    pub operations: Vec<String>,
    /// What the encryption context must be.
    #[serde(default)]
    pub constraints: Constraints,
    /// The ARN of the key; if it is not given, the key of the request is meant.
    #[serde(default)]
    pub key_id: Option<String>,
    /// Its id, for explanations.
    #[serde(default)]
    pub grant_id: Option<String>,
}

/// Constraints on the encryption context; keys and values are compared letter by letter.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Constraints {
    /// The whole encryption context is this.
    pub encryption_context_equals: Option<BTreeMap<String, String>>,
    /// The encryption context holds at least this.
    pub encryption_context_subset: Option<BTreeMap<String, String>>,
}

const CONTEXT: &str = "kms:encryptioncontext:";

/// Operations without an encryption context; a constrained grant allows these too.
const WITHOUT_CONTEXT: [&str; 2] = ["describekey", "retiregrant"];

/// Whether one of the grants allows the request.
#[inline]
pub(crate) fn granted(grants: &[Grant], request: &Request) -> bool {
    request.special() == Special::Kms && grants.iter().any(|grant| grant.allows(request))
}

impl Grant {
    pub(crate) fn allows(&self, request: &Request) -> bool {
        let name = request.action_name();
        let operation = self.operations.iter().any(|operation| allows_operation(operation, name));
        let key = self.key_id.as_deref().is_none_or(|key| key == request.resource());
        operation && key && self.is_for(request.principal()) && self.constraints.hold(request)
    }

    fn is_for(&self, caller: &Principal) -> bool {
        let text = self.grantee_principal.as_str();
        match caller {
            Principal::Aws(aws) if *aws.arn == *text => true,
            Principal::Aws(aws) => matches!(&aws.sort, AwsSort::Session { role } if is_role(text, aws, role)),
            Principal::Service(name) => **name == *text,
            Principal::Anonymous | Principal::Other(_) => false,
        }
    }
}

/// Whether an ARN is that of this role in the account of its session.
fn is_role(arn: &str, session: &AwsPrincipal, role: &str) -> bool {
    let Some([_, partition, "iam", _, account, rest]) = split_arn(arn) else { return false };
    let name = rest.strip_prefix("role/").and_then(|path| path.rsplit('/').next());
    *partition == *session.partition
        && *account == *session.account
        && name.is_some_and(|name| name.eq_ignore_ascii_case(role))
}

/// `ReEncryptFrom` and the like are the names of both the operation and the action.
fn allows_operation(operation: &str, action: &str) -> bool {
    operation.eq_ignore_ascii_case(action)
}

impl Constraints {
    fn hold(&self, request: &Request) -> bool {
        if WITHOUT_CONTEXT.contains(&request.action_name()) {
            return true;
        }
        let equals = self.encryption_context_equals.as_ref().is_none_or(|pairs| {
            let held = request.context().iter().filter(|(key, _)| key.starts_with(CONTEXT)).count();
            held == pairs.len() && pairs.iter().all(|(key, value)| holds(request, key, value))
        });
        let subset = self.encryption_context_subset.as_ref();
        equals && subset.is_none_or(|pairs| pairs.iter().all(|(key, value)| holds(request, key, value)))
    }
}

/// Whether the encryption context of the request has this pair. Condition keys come without regard to case.
fn holds(request: &Request, key: &str, value: &str) -> bool {
    request.context().iter().any(|(name, held)| {
        let pair = name.strip_prefix(CONTEXT).is_some_and(|name| folded(name).eq(folded(key)));
        pair && matches!(held, Values::One(held) if **held == *value)
    })
}

/// A text in lower case, whichever of its two small sigmas a word ends with.
fn folded(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(char::to_lowercase).map(|c| if c == 'ς' { 'σ' } else { c })
}
