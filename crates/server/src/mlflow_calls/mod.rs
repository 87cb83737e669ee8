//! What each call takes and gives, and what it does.

pub(crate) mod experiments;
pub(crate) mod logged_models;
pub(crate) mod models;
pub(crate) mod runs;
pub(crate) mod versions;
