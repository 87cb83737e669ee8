//! AWS IAM policies: read them with their positions, decide requests exactly, explain the decision, and say who can do
//! what. Pure: bytes in, answers out.

pub mod catalog;
