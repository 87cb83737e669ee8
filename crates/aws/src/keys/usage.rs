//! What is done with keys, and the operations of KMS that each use takes, by who makes the call.

use super::api::{
    CREATE_ALIAS, CREATE_GRANT, CREATE_KEY, DECRYPT, DESCRIBE_KEY, DISABLE_KEY, ENABLE_KEY,
    GENERATE_DATA_KEY, GENERATE_MAC, GET_PUBLIC_KEY, LIST_GRANTS, LIST_ROTATIONS, REVOKE_GRANT, ROTATE_KEY,
    SCHEDULE_DELETION, SIGN,
};
use crate::operation::Operation;

/// A method of [`world::KeyService`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyUse {
    /// A key that encrypts is made.
    Create,
    /// A key that signs is made.
    CreateSigning,
    /// Whether a key is enabled.
    State,
    /// A key is disabled or enabled.
    SetState,
    /// A key gets new material.
    Rotate,
    /// A data key is made.
    GenerateDataKey,
    /// A data key is unwrapped.
    UnwrapDataKey,
    /// Something is signed.
    Sign,
    /// The public half of a signing key is read.
    PublicKey,
    /// A secret is derived.
    DeriveSecret,
    /// A grant is given.
    CreateGrant,
    /// Grants are listed.
    ListGrants,
    /// A grant is taken back.
    RevokeGrant,
    /// A grant is given back by its grantee.
    RetireGrant,
}

impl KeyUse {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Create,
        Self::CreateSigning,
        Self::State,
        Self::SetState,
        Self::Rotate,
        Self::GenerateDataKey,
        Self::UnwrapDataKey,
        Self::Sign,
        Self::PublicKey,
        Self::DeriveSecret,
        Self::CreateGrant,
        Self::ListGrants,
        Self::RevokeGrant,
        Self::RetireGrant,
    ];

    /// What is called by who uses keys, and what by who administers them.
    pub(super) fn calls(self) -> (&'static [&'static Operation], &'static [&'static Operation]) {
        match self {
            Self::Create => (&[], &[&DESCRIBE_KEY, &CREATE_KEY, &CREATE_ALIAS, &SCHEDULE_DELETION]),
            Self::CreateSigning => {
                (&[], &[&DESCRIBE_KEY, &CREATE_KEY, &CREATE_ALIAS, &SCHEDULE_DELETION, &GET_PUBLIC_KEY])
            }
            Self::State => (&[], &[&DESCRIBE_KEY]),
            Self::SetState => (&[], &[&DESCRIBE_KEY, &ENABLE_KEY, &DISABLE_KEY]),
            Self::Rotate => (&[], &[&DESCRIBE_KEY, &LIST_ROTATIONS, &ROTATE_KEY]),
            Self::GenerateDataKey => (&[&GENERATE_DATA_KEY], &[]),
            Self::UnwrapDataKey => (&[&DECRYPT], &[]),
            Self::Sign => (&[&SIGN], &[]),
            Self::PublicKey => (&[&GET_PUBLIC_KEY], &[]),
            Self::DeriveSecret => (&[&GENERATE_MAC], &[]),
            Self::CreateGrant => (&[], &[&DESCRIBE_KEY, &CREATE_GRANT]),
            Self::ListGrants => (&[], &[&DESCRIBE_KEY, &LIST_GRANTS]),
            Self::RevokeGrant => (&[], &[&DESCRIBE_KEY, &REVOKE_GRANT]),
            // What the grantee calls is allowed by the grant.
            Self::RetireGrant => (&[], &[&DESCRIBE_KEY]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::api::{ADMINISTRATION, USAGE};
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_key_policy_allows_exactly_what_uses_call() {
        let names = |operations: &[&'static Operation]| {
            operations.iter().map(|operation| operation.name).collect::<BTreeSet<_>>()
        };
        let called = |side: fn(KeyUse) -> &'static [&'static Operation]| {
            KeyUse::ALL.into_iter().flat_map(|one| names(side(one))).collect::<BTreeSet<_>>()
        };
        assert_eq!(called(|one| one.calls().0), names(&USAGE));
        assert_eq!(called(|one| one.calls().1), names(&ADMINISTRATION));
    }
}
