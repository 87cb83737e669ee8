//! AWS IAM policies: read them with their positions, decide requests exactly, explain the decision, and say who can do
//! what. Pure: bytes in, answers out.

mod batch;
pub mod catalog;
mod eval;
pub mod explain;
pub mod inventory;
mod kms;
pub mod lint;
pub mod operations;
mod policy;
pub mod prove;
pub mod quirks;
mod request;
mod reserved;
mod s3;
mod text;
mod value;

pub use batch::{answer_line, read_request, request_json};
pub use eval::{Decision, Layer, Layers, OrganizationLevel, Outcome, Program, ProgramStatement, decide};
pub use explain::{Explanation, explain};
pub use inventory::Inventory;
pub use kms::{Constraints, Grant};
pub use policy::{
    Condition, Effect, Element, Malformed, Operator, Policy, PolicyKind, Quantifier, Statement, Test,
    Version, Who, WhoSort,
};
pub use request::{AwsPrincipal, BadRequest, Context, Principal, Request, Values};
pub use s3::{
    AclGrant, BlockPublicAccess, ObjectOwnership, Settings as S3Settings, is_public as is_public_by_s3,
};
pub use text::{Span, Spanned};
