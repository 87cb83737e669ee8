//! `--since`: what is different from an inventory that was kept, in resources and in what controls say of them.

use super::args::AuditArgs;
use super::live;
use crate::answer::Answers;
use crate::failure::{Exit, Failure};
use crate::house::House;
use ::controls::{Finding, Moved, Posture, Selection, Severity};
use facts::Verdict;
use facts::inventory::{Difference, Inventory};
use serde::{Serialize, Serializer};
use serde_json::json;
use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

/// A verdict that is another one now.
struct Change {
    before: Option<Finding>,
    after: Option<Finding>,
}

impl Change {
    /// Nothing if only the words of it changed.
    fn of(moved: Moved) -> Option<Self> {
        let word = |finding: &Option<Finding>| finding.as_ref().map(Finding::word);
        (word(&moved.before) != word(&moved.after))
            .then_some(Self { before: moved.before, after: moved.after })
    }

    fn finding(&self) -> Option<&Finding> {
        self.after.as_ref().or(self.before.as_ref())
    }

    fn words(&self) -> (&'static str, &'static str) {
        (self.before.as_ref().map_or("new", Finding::word), self.after.as_ref().map_or("gone", Finding::word))
    }

    /// Whether it does not pass now, and did before or was not there.
    fn is_worse(&self) -> bool {
        let passes = |finding: &Finding| finding.verdict.passes();
        self.after.as_ref().is_some_and(|after| !passes(after))
            && (self.before.as_ref().is_none_or(passes) || self.words() == ("unknown", "broken"))
    }

    fn is_better(&self) -> bool {
        let fails = |finding: &Finding| !finding.verdict.passes();
        self.before.as_ref().is_some_and(fails)
            && self.after.as_ref().is_none_or(|after| after.verdict.passes())
    }

    fn sort(&self) -> &'static str {
        match () {
            () if self.is_worse() => "worse",
            () if self.is_better() => "better",
            () => "other",
        }
    }

    fn bites(&self, least: Severity, allow_unknown: bool) -> bool {
        let Some(after) = &self.after else { return false };
        let counts = !(allow_unknown && matches!(after.verdict, Verdict::Unknown { .. }));
        self.is_worse() && counts && after.about.severity() >= least
    }
}

impl Serialize for Change {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (before, after) = self.words();
        let value =
            json!({"change": self.sort(), "before": before, "after": after, "finding": self.finding()});
        value.serialize(serializer)
    }
}

/// Everything that is different.
#[derive(Serialize)]
struct Since {
    difference: Difference,
    changes: Vec<Change>,
}

pub(super) fn run(
    (house, args, answers): (&House, &AuditArgs, &Answers),
    since: &Path,
    selection: Selection,
) -> Result<ExitCode, Failure> {
    let before = live::inventory_of(since)?;
    let after = now(house, args, answers)?;
    if (&before.account, &before.region) != (&after.account, &after.region) {
        let message = format!(
            "`{}` is of account {} in {}, and this is account {} in {}",
            since.display(),
            before.account,
            before.region,
            after.account,
            after.region
        );
        return Err(
            Failure::new(Exit::Input, message).with_help("compare an account with itself at another time")
        );
    }
    let difference = before.difference(&after);
    let mut posture = Posture::new(before, selection);
    let moved = posture.update(after);
    let mut changes: Vec<Change> = moved.into_iter().filter_map(Change::of).collect();
    changes.retain(|change| change.finding().is_some_and(|finding| posture.is_whole(finding)));
    let rank = |change: &Change| {
        let finding = change.finding();
        let severity = finding.map(|finding| std::cmp::Reverse(finding.about.severity()));
        let sort = ["worse", "better", "other"].iter().position(|sort| *sort == change.sort());
        (sort, severity, finding.map(|finding| (finding.control().to_owned(), finding.subject.id.clone())))
    };
    changes.sort_by_cached_key(rank);
    let since = Since { difference, changes };
    answers.give(&since, table)?;
    let bites = |least: Severity| since.changes.iter().any(|change| change.bites(least, args.allow_unknown));
    let refused = args.fail_on.is_some_and(|least| bites(least.into()));
    Ok(if refused { ExitCode::from(Exit::Refused as u8) } else { ExitCode::SUCCESS })
}

/// What is there now: the account, the house, or a later inventory.
fn now(house: &House, args: &AuditArgs, answers: &Answers) -> Result<Inventory, Failure> {
    match args.paths.as_slice() {
        _ if args.live => live::account(args, answers),
        _ if args.house => live::house(house, args, answers),
        [path] => live::inventory_of(path),
        _ => Err(Failure::new(Exit::Usage, "two inventories are compared, and more than one was named")
            .with_help("name one file, or `--live`, or `--house`")),
    }
}

fn table(since: &Since) -> String {
    let mut out = String::new();
    let Difference { added, removed, changed } = &since.difference;
    for name in added {
        let _ = writeln!(out, "+ {name}");
    }
    for name in removed {
        let _ = writeln!(out, "- {name}");
    }
    for (name, properties) in changed {
        let _ = writeln!(out, "~ {name}: {}", properties.join(", "));
    }
    let width = since.changes.iter().filter_map(|change| change.finding()).map(|f| f.control().len()).max();
    for change in &since.changes {
        let Some(finding) = change.finding() else { continue };
        let (before, after) = change.words();
        let reason = change.after.as_ref().map(Finding::reason).filter(|reason| !reason.is_empty());
        let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
        let _ = writeln!(
            out,
            "{:<6}  {:<8}  {:<width$}  {}  {before} -> {after}{reason}",
            change.sort(),
            finding.about.severity().name(),
            finding.control(),
            finding.subject.id,
            width = width.unwrap_or_default()
        );
    }
    let count = |sort: &str| since.changes.iter().filter(|change| change.sort() == sort).count();
    let _ = write!(
        out,
        "resources: {} added, {} removed, {} changed; controls: {} worse, {} better, {} other",
        added.len(),
        removed.len(),
        changed.len(),
        count("worse"),
        count("better"),
        count("other")
    );
    out
}
