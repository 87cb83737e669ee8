//! What each call takes and gives, and what it does.
#![expect(
    clippy::needless_pass_by_value,
    reason = "a call owns what it was given; the table has one type for all"
)]

pub(crate) mod experiments;
pub(crate) mod logged_models;
pub(crate) mod models;
pub(crate) mod runs;
pub(crate) mod versions;
