//! The data plane: SageMaker's inference contract over HTTP. `POST /endpoints/{name}/invocations` scores,
//! `GET /ping` says whether all is loaded, `GET /metrics` counts.
//!
//! The hot path reads a [`Bundle`]: routes, keys and quotas, compiled from charter and registry by whoever starts the
//! gateway, and exchanged as a whole when something is deployed. The gateway decides nothing else and knows nothing of
//! the engine.

mod answer;
mod bundle;
mod capture;
mod metrics;
mod refused;
mod serve;
mod tls;

pub use bundle::{Bundle, BundleSlot, Principal, Route};
pub use capture::{Capture, CaptureSettings, CaptureSink, Segment};
pub use refused::RefusedCalls;
pub use serve::{Beside, Doors, Gateway, Reply};
pub use tls::Tls;
