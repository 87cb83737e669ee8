//! The contract of the account port: looks see what writes did, what is not known is no answer, and only known calls are
//! made.

use crate::{Account, Kind};
use facts::remediation::{Call, Change};

/// Checks an account with one change that can be made there and undone.
///
/// # Panics
/// When the account does not keep the contract.
pub fn check(account: &dyn Account, change: &Change) {
    let look = || account.look(&change.look).ok();
    assert_eq!(look().as_ref(), Some(&change.before), "a look sees what is there");
    for _ in 0..2 {
        assert!(change.calls.iter().all(|call| account.write(call).is_ok()), "writing twice is as once");
        let there = look().unwrap_or_default();
        assert!(facts::remediation::covers(&there, &change.after), "a look sees what was written: {there}");
    }
    let after = look().unwrap_or_default();
    for call in &change.inverse {
        let written = call.filled(&after).map(|call| account.write(&call).is_ok());
        assert_eq!(written, Some(true), "what was written can be undone");
    }
    let undone = change.undone.as_ref().unwrap_or(&change.before);
    assert_eq!(look().as_ref(), Some(undone), "undone is as before");
    assert!(
        account.needs(&change.calls[0]).is_ok_and(|needs| !needs.is_empty()),
        "every call needs something"
    );
    let other = Call { operation: "LeaveOrganization".to_owned(), ..change.calls[0].clone() };
    let kind = |result: Result<(), crate::PortError>| result.err().map(|error| error.kind());
    assert_eq!(kind(account.write(&other)), Some(Kind::Invalid), "unknown calls are not made");
    assert_eq!(
        kind(account.write(&change.look.call)),
        Some(Kind::Invalid),
        "a call that reads does not write"
    );
    let mut look = change.look.clone();
    look.call = change.calls[0].clone();
    assert_eq!(
        account.look(&look).err().map(|error| error.kind()),
        Some(Kind::Invalid),
        "a look writes nothing"
    );
}
