//! Grants: a principal that is not in a key's policy gets data keys, or has them unwrapped, for one encryption context,
//! until the grant is taken back. Modelled on AWS KMS (API Reference, `CreateGrant` and `GrantConstraints`).

use crate::{EncryptionContext, Kind, PortError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A constraint has at most so many pairs.
const MOST_PAIRS: usize = 8;
/// A value in it has at most so many letters.
const LONGEST_VALUE: usize = 384;
const LONGEST_NAME: usize = 256;

/// What a grant lets its grantee do; as KMS names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum GrantOperation {
    /// Unwrap data keys.
    Decrypt,
    /// Make data keys.
    GenerateDataKey,
}

/// For which encryption contexts a grant is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum GrantConstraint {
    /// For this one alone.
    EncryptionContextEquals(EncryptionContext),
    /// For all that have these pairs.
    EncryptionContextSubset(EncryptionContext),
}

/// A grant as it is asked for. Asked for again, it is the same grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewGrant {
    /// Its name: letters, digits and any of `:/_-`, at most 256.
    pub name: String,
    /// Who gets it: an ARN in KMS, a name embedded.
    pub grantee: String,
    /// What for; at least one.
    pub operations: BTreeSet<GrantOperation>,
    /// For which contexts.
    pub constraint: GrantConstraint,
}

/// A grant that is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// What it is taken back by.
    pub id: String,
    /// What it says.
    #[serde(flatten)]
    pub terms: NewGrant,
}

impl GrantConstraint {
    /// The pairs that it is about.
    #[must_use]
    pub fn context(&self) -> &EncryptionContext {
        match self {
            Self::EncryptionContextEquals(context) | Self::EncryptionContextSubset(context) => context,
        }
    }

    fn allows(&self, given: &EncryptionContext) -> bool {
        match self {
            Self::EncryptionContextEquals(context) => given == context,
            Self::EncryptionContextSubset(context) => {
                context.iter().all(|(key, value)| given.get(key) == Some(value))
            }
        }
    }
}

impl NewGrant {
    /// Whether it lets its grantee do this for a context.
    #[must_use]
    pub fn permits(&self, operation: GrantOperation, context: &EncryptionContext) -> bool {
        self.operations.contains(&operation) && self.constraint.allows(context)
    }

    /// What every service refuses.
    ///
    /// # Errors
    /// Of kind Invalid, if the name, the operations or the constraint are none that KMS takes.
    pub fn check(&self) -> Result<(), PortError> {
        let letters = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b':' | b'/' | b'_' | b'-');
        let invalid = |text: String, help: &str| Err(PortError::new(Kind::Invalid, text).with_help(help));
        if self.name.is_empty() || self.name.len() > LONGEST_NAME || !self.name.bytes().all(letters) {
            let text = format!("`{}` is not the name of a grant", self.name.escape_debug());
            return invalid(text, "expected at most 256 letters, digits and any of `:/_-`");
        }
        if self.operations.is_empty() {
            return invalid(
                format!("the grant `{}` lets nobody do anything", self.name),
                "name an operation: `Decrypt` or `GenerateDataKey`",
            );
        }
        let context = self.constraint.context();
        let fits = |text: &str| !text.is_empty() && text.chars().count() <= LONGEST_VALUE;
        if context.is_empty()
            || context.len() > MOST_PAIRS
            || !context.iter().all(|(key, value)| fits(key) && fits(value))
        {
            return invalid(
                format!("the grant `{}` does not say for which encryption context it is", self.name),
                "expected 1 to 8 pairs of at most 384 letters, such as `kind=snapshots`",
            );
        }
        Ok(())
    }
}
