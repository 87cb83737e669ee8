//! AWS IAM policies: read them with their positions, decide requests exactly, explain the decision, and say who can do
//! what. Pure: bytes in, answers out.

mod batch;
pub mod catalog;
mod eval;
mod kms;
pub mod lint;
mod policy;
pub mod quirks;
mod request;
mod reserved;
mod s3;
mod text;
mod value;

pub use batch::answer_line;
pub use eval::{Decision, Layer, Layers, OrganizationLevel, Outcome, Program, ProgramStatement, decide};
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
