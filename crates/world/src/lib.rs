//! Ports: what the engine needs from outside, and one contract suite per port that every adapter passes.
//!
//! Invariants: no vendor's type appears here; every call is synchronous and may be retried; an error says whether
//! the thing is absent, denied, busy or broken, because the engine answers each differently.

pub mod contract;

mod account;
mod error;
mod fleet;
mod grants;
mod host;
mod keys;
mod ledger;
mod objects;
mod posture;
mod program;
mod runtime;
mod tracking;

pub use account::Account;
pub use error::{Kind, PortError};
pub use fleet::{CaptureFile, Condition, Files, Fleet, Observed, Pace, Release, Share, Site};
pub use grants::{Grant, GrantConstraint, GrantOperation, NewGrant};
pub use host::{Clock, Entropy};
pub use keys::{DataKey, EncryptionContext, KeyService, KeyState, PublicKey, WrappedKey};
pub use ledger::{LedgerStore, Receipt};
pub use objects::{Content, ObjectStore, next_part, wrong_length};
pub use posture::{Evaluation, FindingsHub, Letter, Queue, RuleAnswers};
pub use program::{Finished, Program, ProgramRunner};
pub use runtime::{LoadedModel, Runtime, Score};
pub use tracking::{Change, Document, TrackingStore};
