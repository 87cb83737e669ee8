//! Calls that were refused, counted until they are handed over to be recorded. Counted, not listed: whoever sends a
//! million wrong calls must not be able to write a million entries.

use facts::{EndpointName, PersonId};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// Refused calls of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedCalls {
    /// The endpoint that was called; none if there is no such name.
    pub endpoint: Option<EndpointName>,
    /// Who called; none without a valid key.
    pub principal: Option<PersonId>,
    /// The HTTP status of the answer.
    pub status: u16,
    /// How many.
    pub count: u64,
    /// What the last of them was told.
    pub message: String,
}

/// Different kinds that are kept apart at once; further ones are counted together.
const MAX_KINDS: usize = 200;

type Kind = (Option<EndpointName>, Option<PersonId>, u16);

/// The counts so far.
#[derive(Default)]
pub(crate) struct Refusals(Mutex<BTreeMap<Kind, (u64, String)>>);

impl Refusals {
    pub(crate) fn add(
        &self,
        endpoint: Option<EndpointName>,
        principal: Option<PersonId>,
        status: u16,
        message: &str,
    ) {
        let Ok(mut kinds) = self.0.lock() else { return };
        let kind = (endpoint, principal, status);
        let kind =
            if kinds.len() < MAX_KINDS || kinds.contains_key(&kind) { kind } else { (None, None, status) };
        let counted = kinds.entry(kind).or_default();
        counted.0 += 1;
        counted.1 = message.to_owned();
    }

    /// Takes all counts away.
    pub(crate) fn take(&self) -> Vec<RefusedCalls> {
        let Ok(mut kinds) = self.0.lock() else { return Vec::new() };
        let list = std::mem::take(&mut *kinds).into_iter();
        list.map(|((endpoint, principal, status), (count, message))| RefusedCalls {
            endpoint,
            principal,
            status,
            count,
            message,
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_kinds_take_little_room_and_lose_no_count() {
        let refusals = Refusals::default();
        for n in 0..10_000 {
            refusals.add(format!("e{}", n % 5_000).parse().ok(), None, 404, "there is no such endpoint");
        }
        let taken = refusals.take();
        assert!(taken.len() <= MAX_KINDS + 1);
        assert_eq!(taken.iter().map(|calls| calls.count).sum::<u64>(), 10_000);
        assert!(refusals.take().is_empty());
    }
}
