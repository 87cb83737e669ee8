//! When a call is made again: how often, after which pause, and until which budget is used up.
//!
//! Source: AWS SDKs and Tools Reference Guide, "Retry behavior", standard mode.

use crate::error::Trouble;
use crate::operation::Retry;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

const CAPACITY: u32 = 500;
const COST: u32 = 5;
const TIMEOUT_COST: u32 = 10;
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// What failed, as far as trying again goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It was surely not carried out: no connection, or the service had no room.
    NotDone,
    /// It may have been carried out.
    Unclear,
    /// The same, after waiting for long.
    UnclearAfterTimeout,
    /// The answer would be the same again.
    Final,
}

impl Failure {
    /// Of an answer that says so.
    pub(crate) fn of(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Throttled => Self::NotDone,
            Trouble::Unavailable | Trouble::Unreached => Self::Unclear,
            _ => Self::Final,
        }
    }

    /// Whether it may be tried again at all.
    pub(crate) fn may_retry(self, retry: Retry) -> bool {
        match self {
            Self::NotDone => true,
            Self::Unclear | Self::UnclearAfterTimeout => retry == Retry::Safe,
            Self::Final => false,
        }
    }

    fn cost(self) -> u32 {
        if self == Self::UnclearAfterTimeout { TIMEOUT_COST } else { COST }
    }
}

/// Tokens that all calls of a client share, so that a service in trouble is not called ever more often.
pub(crate) struct Budget {
    tokens: Mutex<u32>,
}

impl Budget {
    pub(crate) fn new() -> Self {
        Self { tokens: Mutex::new(CAPACITY) }
    }

    /// Pays for one more attempt; false if there is not enough.
    pub(crate) fn pay(&self, failure: Failure) -> bool {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        match tokens.checked_sub(failure.cost()) {
            Some(left) => {
                *tokens = left;
                true
            }
            None => false,
        }
    }

    /// A call succeeded after `last`, or at once.
    pub(crate) fn earn(&self, last: Option<Failure>) {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        *tokens = (*tokens + last.map_or(1, Failure::cost)).min(CAPACITY);
    }
}

/// The pause before attempt `next` (the second is 1): a random part of `first` doubled each time, but never less than
/// what the service asked for.
pub(crate) fn pause(first: Duration, next: u32, chance: u32, asked: Option<Duration>) -> Duration {
    let longest = first.saturating_mul(1 << next.saturating_sub(1).min(16)).min(LONGEST_PAUSE);
    let part = longest.mul_f64(f64::from(chance) / f64::from(u32::MAX));
    part.max(asked.unwrap_or_default().min(LONGEST_PAUSE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_surely_did_not_happen_is_done_again_when_that_matters() {
        for (trouble, safe, unsafe_) in [
            (Trouble::Throttled, true, true),
            (Trouble::Unavailable, true, false),
            (Trouble::Denied, false, false),
            (Trouble::Refused, false, false),
        ] {
            let failure = Failure::of(trouble);
            assert_eq!((failure.may_retry(Retry::Safe), failure.may_retry(Retry::Unsafe)), (safe, unsafe_));
        }
    }

    #[test]
    fn a_service_in_trouble_uses_up_the_budget() {
        let budget = Budget::new();
        assert!((0..100).all(|_| budget.pay(Failure::NotDone)));
        assert!(!budget.pay(Failure::NotDone), "500 tokens are gone");
        (0..5).for_each(|_| budget.earn(None));
        assert!(budget.pay(Failure::NotDone) && !budget.pay(Failure::NotDone));
        budget.earn(Some(Failure::UnclearAfterTimeout));
        assert!(budget.pay(Failure::UnclearAfterTimeout));
    }

    #[test]
    fn pauses_grow_have_chance_in_them_and_an_end() {
        let first = Duration::from_millis(200);
        assert_eq!(pause(first, 1, u32::MAX, None), first);
        assert_eq!(pause(first, 3, u32::MAX, None), first * 4);
        assert_eq!(pause(first, 3, 0, None), Duration::ZERO);
        assert_eq!(pause(first, 40, u32::MAX, None), LONGEST_PAUSE);
        assert_eq!(pause(first, 1, 0, Some(Duration::from_secs(3))), Duration::from_secs(3));
        assert_eq!(pause(first, 1, 0, Some(Duration::from_secs(3000))), LONGEST_PAUSE);
    }
}
