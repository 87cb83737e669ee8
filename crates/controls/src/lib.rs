//! Controls: what every AI resource must be like. Resources come from templates and plans in one shape, each value with
//! its place and with what is not known of it; every control answers holds, broken, unknown or not applicable, and
//! says by what. Pure: text in, findings out.
//!
//! ```
//! let text = "Resources:\n  Data:\n    Type: AWS::S3::Bucket\n";
//! let estate = controls::template("stack.yaml", text).unwrap();
//! let report = controls::scan(&estate, &controls::Selection::default());
//! assert!(report.findings().iter().any(|finding| finding.control() == "S3-02" && finding.subject.at.line == 2));
//! ```

mod about;
mod answer;
mod checks;
mod config_rules;
mod customer;
mod framework;
mod intrinsic;
mod live;
mod node;
mod output;
mod plan;
mod policies;
mod read;
mod remedy;
mod report;
mod rescan;
mod resource;
mod selection;
mod snapshot;
mod template;
mod unit;
mod waiver;

pub use about::About;
pub use answer::Evidence;
pub use checks::{control_named, controls, controls_named};
pub use config_rules::config_rules;
pub use customer::{
    Exported, GuardFor, Outcome, Rule, Rules, export_guard, rules, run_examples, simple_expression,
};
pub use framework::{Framework, Requirement, framework_named, frameworks};
pub use live::live;
pub use node::{Edge, Hole, Member, Node, Piece, Place, Value};
pub use output::{Origin, asff, asff_findings, html, json, junit, ocsf, sarif, table};
pub use plan::plan;
pub use read::{MAX_BYTES, Unreadable};
pub use remedy::{Fix, Looks, Options, fixes, plan_fixes, verdict_on};
pub use report::{Finding, Report, Subject, Summary, scan};
pub use rescan::{Moved, Posture};
pub use resource::{Estate, Resource, Source, State, look};
pub use selection::{BadSelection, Selection};
pub use snapshot::{is_snapshot, snapshot};
pub use template::template;
pub use unit::{Control, Reach, Severity};
pub use waiver::{Waiver, waivers};
