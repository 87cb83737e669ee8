//! Watching a model: captured traffic, drift of its inputs, quality once labels arrive, fairness, alert rules.
//!
//! Invariants: data and time are arguments; undefined numbers are absent, never NaN and never 0; too little data is
//! [`facts::Verdict::Unknown`].

pub mod baseline;
pub mod capture;
pub mod distribution;
pub mod drift;
pub mod fairness;
pub mod join;
pub mod kolmogorov;
pub mod ks;
pub mod measure;
pub mod payload;
pub mod profile;
pub mod psi;
pub mod quality;
pub mod rules;
pub mod special;
pub mod words;
