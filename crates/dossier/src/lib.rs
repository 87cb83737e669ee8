//! Documents: data in, bytes out. Nothing is invented: every fact carries the ledger entry that it comes from, and
//! what has no evidence says so.

pub mod lineage;
pub mod model_card;
