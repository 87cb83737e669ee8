//! What a watch says to people.

use crate::answer;
use engine::{Cause, Closing, Incident, IncidentNews, Pushed, Round};
use std::fmt::Write as _;

pub(super) fn round(round: &Round) -> String {
    if let Some(trouble) = &round.trouble {
        return format!("nothing was learnt: {trouble}; it is tried again");
    }
    let what = if round.swept { "read all".to_owned() } else { format!("{} messages", round.messages) };
    let counts = round.counts;
    let mut out = format!(
        "{what}: resources {}; controls: hold {}, broken {}, unknown {}; asked {}, changed {}\n",
        counts.resources, counts.holds, counts.broken, counts.unknown, round.asked, round.changed
    );
    round.opened.iter().chain(&round.closed).for_each(|one| news(one, &mut out));
    out + &answer::evidence(&round.evidence)
}

fn news(one: &IncidentNews, out: &mut String) {
    let of = &one.opening;
    match &one.closed {
        None => {
            let _ = writeln!(
                out,
                "{} opened: {} {} on {}: {}",
                one.incident, of.severity, of.control, of.resource, of.reason
            );
        }
        Some(because) => {
            let _ = writeln!(
                out,
                "{} closed: {} on {}: {}",
                one.incident,
                of.control,
                of.resource,
                closing(because)
            );
        }
    }
    if one.closed.is_none() {
        details(&of.changed, of.cause.as_ref(), out);
    }
}

fn details(changed: &[String], cause: Option<&Cause>, out: &mut String) {
    if !changed.is_empty() {
        let _ = writeln!(out, "  changed {}", changed.join(", "));
    }
    if let Some(cause) = cause {
        let by = cause.by.as_deref().unwrap_or("somebody");
        let time = cause.time.as_deref().unwrap_or("a time that is not known");
        let _ = writeln!(out, "  by {} of {by} at {time}", cause.call);
    }
}

fn closing(because: &Closing) -> String {
    match because {
        Closing::Holds => "it holds".to_owned(),
        Closing::NotApplicable => "it does not concern the resource any more".to_owned(),
        Closing::Gone => "the resource is gone".to_owned(),
        Closing::Waived { waiver } => format!("the waiver {waiver} lets it stay"),
    }
}

pub(super) fn incidents(all: &[&Incident]) -> String {
    if all.is_empty() {
        return "there are no incidents".to_owned();
    }
    let mut out = String::new();
    for one in all {
        let of = &one.opened.what;
        let _ = writeln!(
            out,
            "{}  {}  {} on {}  since {}",
            one.id, of.severity, of.control, of.resource, one.opened.time
        );
        let _ = writeln!(out, "  {}", of.reason);
        details(&of.changed, of.cause.as_ref(), &mut out);
        if let Some(taken) = &one.acknowledged {
            let note = taken.what.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
            let _ = writeln!(out, "  in the hands of {}{note}", taken.by);
        }
        if let Some(closed) = &one.closed {
            let _ = writeln!(out, "  closed {}: {}", closed.time, closing(&closed.what));
        }
    }
    out
}

pub(super) fn pushed(pushed: &Pushed) -> Vec<String> {
    let mut all = Vec::new();
    if pushed.written > 0 {
        all.push(format!(
            "Security Hub was told {} findings, of which {} are over",
            pushed.written, pushed.resolved
        ));
    }
    all.extend(pushed.refused.iter().map(|(id, why)| format!("Security Hub did not take `{id}`: {why}")));
    all
}
