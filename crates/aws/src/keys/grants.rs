//! Grants in KMS: given by whoever administers a key, to a principal that its policy does not name, for an encryption context.
//!
//! Source: AWS KMS API Reference, `CreateGrant`, `ListGrants`, `RevokeGrant`, `RetireGrant`; Developer Guide, "Grants in AWS KMS". KMS is
//! eventually consistent: what is given or taken back takes effect within minutes.

use super::api::{
    CREATE_GRANT, CreateGrant, GrantCreated, Granted, Grants, LIST_GRANTS, OneGrant, Purpose, RETIRE_GRANT,
    REVOKE_GRANT,
};
use super::{KmsKeys, explain};
use crate::client::Client;
use crate::error::AwsError;
use crate::pages::Question;
use facts::{Arn, KeyId};
use serde_json::json;
use std::collections::BTreeSet;
use world::{
    EncryptionContext, Grant, GrantConstraint, GrantOperation, KeyService, Kind, NewGrant, PortError,
};

impl KmsKeys {
    pub(super) fn give(&self, key: &KeyId, terms: &NewGrant) -> Result<Grant, PortError> {
        terms.check()?;
        let grantee = principal(&terms.grantee)?;
        if self.settings.administrators.contains(&grantee) {
            let text = format!("`{grantee}` administers key `{key}`, and would use it");
            return Err(
                PortError::new(Kind::Invalid, text).with_help("grant it to a role that does not administer")
            );
        }
        let metadata = self.describe(&self.alias(key)).map_err(|error| explain(key, &error))?;
        if metadata.key_usage != Purpose::Encrypt.words().0 {
            let text = format!("key `{key}` signs, and what it signs has no encryption context");
            return Err(PortError::new(Kind::Invalid, text).with_help("grants are for keys that encrypt"));
        }
        let input = CreateGrant {
            key_id: &metadata.arn,
            grantee_principal: grantee.as_str(),
            retiring_principal: grantee.as_str(),
            operations: &terms.operations,
            constraints: &terms.constraint,
            name: &terms.name,
        };
        let created: GrantCreated =
            self.administrator.json(&CREATE_GRANT, &input).map_err(|error| explain(key, &error))?;
        Ok(Grant { id: created.grant_id, terms: terms.clone() })
    }

    pub(super) fn given(&self, key: &KeyId) -> Result<Vec<Grant>, PortError> {
        let metadata = self.describe(&self.alias(key)).map_err(|error| explain(key, &error))?;
        let question = Question::Json(json!({ "KeyId": metadata.arn }));
        let mut all = Vec::new();
        for page in self.administrator.pages::<Grants>(&LIST_GRANTS, question) {
            all.extend(page.map_err(|error| explain(key, &error))?.grants.into_iter().map(told));
        }
        all.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(all)
    }

    pub(super) fn take_back(&self, key: &KeyId, id: &str) -> Result<(), PortError> {
        let metadata = self.describe(&self.alias(key)).map_err(|error| explain(key, &error))?;
        let input = OneGrant { key_id: &metadata.arn, grant_id: id };
        self.administrator
            .call_without_answer(&REVOKE_GRANT, &input)
            .map_err(|error| not_there(key, id, &error))
    }

    /// The key is found by who may look at it, since a grantee may not, and the grant is given back as the grantee.
    pub(super) fn give_back(&self, key: &KeyId, id: &str, grantee: &str) -> Result<(), PortError> {
        let role = principal(grantee)?;
        let metadata = self.describe(&self.alias(key)).map_err(|error| explain(key, &error))?;
        let input = OneGrant { key_id: &metadata.arn, grant_id: id };
        let client = self.user.assuming(&role).map_err(PortError::from)?;
        client.call_without_answer(&RETIRE_GRANT, &input).map_err(|error| not_there(key, id, &error))
    }

    /// The keys as a role calls them that the caller may assume. It is the same caller for all.
    pub(super) fn called_by(&self, grantee: &str) -> Result<Box<dyn KeyService>, PortError> {
        let role = principal(grantee)?;
        let client: Result<Client, AwsError> = self.user.assuming(&role);
        let client = client.map_err(PortError::from)?;
        Ok(Box::new(Self { user: client.clone(), administrator: client, settings: self.settings.clone() }))
    }
}

fn not_there(key: &KeyId, id: &str, error: &AwsError) -> PortError {
    match error.code() {
        "NotFoundException" | "InvalidGrantIdException" | "ValidationException" => {
            PortError::new(Kind::Absent, format!("key `{key}` has no grant `{}`", id.escape_debug()))
        }
        _ => explain(key, error),
    }
}

fn principal(grantee: &str) -> Result<Arn, PortError> {
    grantee.parse().map_err(|_| {
        let text = format!("`{}` is nobody to whom KMS grants a use of a key", grantee.escape_debug());
        PortError::new(Kind::Invalid, text)
            .with_help("expected the ARN of a role; `wardmote key grant --principal ARN` names it")
    })
}

/// What KMS tells of a grant. Operations that we do not give are left out: the id and the name say that it is another's.
fn told(grant: Granted) -> Grant {
    let operation = |name: &String| match name.as_str() {
        "Decrypt" => Some(GrantOperation::Decrypt),
        "GenerateDataKey" => Some(GrantOperation::GenerateDataKey),
        _ => None,
    };
    let operations: BTreeSet<GrantOperation> = grant.operations.iter().filter_map(operation).collect();
    let unbound = || GrantConstraint::EncryptionContextSubset(EncryptionContext::new());
    let terms = NewGrant {
        name: grant.name.unwrap_or_default(),
        grantee: grant.grantee_principal.unwrap_or_default(),
        operations,
        constraint: grant.constraints.unwrap_or_else(unbound),
    };
    Grant { id: grant.grant_id, terms }
}
