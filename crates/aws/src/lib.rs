//! Adapters of the ports of [`world`] for Amazon Web Services, over one thin client.
//!
//! Each operation is declared once, as data ([`Operation`]): from that come calls, retries, pages of lists, typed errors
//! and the list of permissions that an adapter needs. Endpoints, regions and credentials follow the AWS SDKs and Tools
//! Reference Guide; nothing here knows whether AWS, a private endpoint or something else answers.

pub mod calls;
mod client;
mod credentials;
mod endpoint;
mod error;
pub mod fleet;
mod identity;
pub mod inventory;
mod keys;
pub mod model_data;
mod objects;
mod operation;
pub mod packages;
mod pages;
mod permissions;
pub mod posture;
mod profile;
pub mod remedy;
mod retry;
mod settings;
mod sign;
pub mod signals;
pub mod stacks;
pub mod trails;
mod transport;
pub mod watch;
mod web;
mod wire;

pub use client::Client;
pub use credentials::Credentials;
pub use error::{AwsError, Trouble};
pub use identity::{Identity, caller_in, identity, signed_identity, sts};
pub use keys::{KeySettings, KeyUse, KmsKeys};
pub use objects::{Lifecycle, ObjectSettings, ObjectUse, OwnRule, S3Objects, lifecycle};
pub use operation::{On, Operation, Paginator, Permission, Protocol, Retry, Service};
pub use permissions::{PolicyDocument, Statement};
pub use settings::{Settings, Sources};
pub use web::{Web, basic};
