//! The posture of accounts: what is known of it, incidents when it gets worse, and waivers for what may stay as it is.
//!
//! What is known is kept twice in one way: a table as an object of the house, whose digest is on the ledger, and the changes
//! since, which are on the ledger themselves. Which incidents are open follows from that alone, so that whoever starts again
//! after a crash opens what was missed and nothing twice.

mod incidents;
mod known;
mod record;
mod reports;
mod waivers;
mod watch;

pub use incidents::IncidentNews;
pub(crate) use incidents::{short, stream};
pub use known::{Known, Verdicts};
pub use record::{
    Cause, Closing, Counts, GrantedWaiver, Incident, IncidentEvent, Opening as IncidentOpening, PostureEvent,
    Postures, VerdictChange, WaiverEvent, Waivers,
};
pub use reports::{Evaluated, Pushed};
pub use waivers::WaiverRequest;
pub use watch::{Round, Watch, WatchSettings, receive};
