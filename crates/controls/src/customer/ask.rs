//! Rules are asked of resources. A rule that takes too much is stopped, and that is what is said of the resource; one that
//! takes too much again and again is not asked any more, so that a scan ends whatever a rule says.

use super::host::{Handle, Holes, View};
use super::trail::Trail;
use super::{Message, Rule};
use crate::answer::{Answer, Evidence, Spot, not_applicable};
use crate::resource::{Estate, Resource};
use cel::{Budget, Fault, MAX_STEPS, Program, Value};
use facts::Verdict;
use std::collections::HashMap;
use std::sync::Arc;

/// Resources on which a rule may be stopped before it is not asked any more.
const MAX_STOPS: u32 = 3;
/// Steps that a rule may take in one scan: so many, and so many for each resource.
const SCAN_STEPS: u64 = 5_000_000;
const RESOURCE_STEPS: u64 = 2_000;

/// Rules on their way through one estate.
pub(crate) struct Asking<'r, 'a> {
    estate: &'a Estate,
    by_kind: HashMap<&'r str, Vec<usize>>,
    rules: Vec<Asked<'r>>,
    trail: Trail<'a>,
    holes: Holes<'a>,
}

struct Asked<'r> {
    rule: &'r Arc<Rule>,
    stops: u32,
    /// Steps that are left to it in this scan.
    left: u64,
}

impl<'r: 'a, 'a> Asking<'r, 'a> {
    pub(crate) fn new(estate: &'a Estate, rules: impl Iterator<Item = &'r Arc<Rule>>) -> Self {
        let left = SCAN_STEPS + RESOURCE_STEPS * estate.resources().len() as u64;
        let rules: Vec<Asked<'r>> = rules.map(|rule| Asked { rule, stops: 0, left }).collect();
        let mut by_kind: HashMap<&str, Vec<usize>> = HashMap::new();
        for (at, asked) in rules.iter().enumerate() {
            asked.rule.kinds.iter().for_each(|kind| by_kind.entry(kind).or_default().push(at));
        }
        Self { estate, by_kind, rules, trail: Trail::default(), holes: Holes::default() }
    }

    /// How many rules concern a type.
    pub(crate) fn about(&self, kind: &str) -> usize {
        self.by_kind.get(kind).map_or(0, Vec::len)
    }

    /// What the rules that concern a resource say of it.
    pub(crate) fn of(&mut self, resource: &'a Resource, mut give: impl FnMut(&Arc<Rule>, Answer)) {
        let Some(places) = self.by_kind.get(resource.kind.as_str()) else { return };
        self.trail.of(resource);
        for at in places {
            let Some(asked) = self.rules.get_mut(*at) else { continue };
            self.trail.clear();
            let view = View {
                estate: self.estate,
                subject: resource,
                trail: &mut self.trail,
                holes: &self.holes,
                causes: Vec::new(),
            };
            let answer = asked.answer(view);
            let answer = match self.estate.missed(resource) {
                // It stands for all of a type that nobody could list.
                Some(missing) if !matches!(answer.verdict, Verdict::Unknown { .. }) => {
                    Answer { verdict: Verdict::Unknown { missing }, ..answer }
                }
                _ => answer,
            };
            give(asked.rule, answer);
        }
    }

    /// Types that a rule concerns and of which the source is silent, with why; none of those that a resource stands for.
    pub(crate) fn silent(&self) -> Vec<(&'r Arc<Rule>, &'r str, String)> {
        let mut all = Vec::new();
        for asked in &self.rules {
            for kind in &asked.rule.kinds {
                let there = self.estate.of_kind(kind).next().is_some();
                let silence = self.estate.silence();
                if let (Some(cause), false) = (silence, there) {
                    all.push((asked.rule, kind.as_str(), cause));
                }
            }
        }
        all
    }
}

impl<'r> Asked<'r> {
    fn answer<'a>(&mut self, mut view: View<'_, 'a>) -> Answer
    where
        'r: 'a,
    {
        let subject = view.subject;
        if self.stops >= MAX_STOPS || self.left == 0 {
            return Spot::of(subject).unknown(format!(
                "the rule takes too much: it was stopped on {} other resources, and is not asked any more",
                self.stops.max(1)
            ));
        }
        let mut budget = Budget::of(MAX_STEPS.min(self.left));
        let rule: &'r Rule = self.rule;
        let answer = rule.answer(&mut view, &mut budget);
        self.left -= budget.taken().min(self.left);
        answer.unwrap_or_else(|why| {
            self.stops += 1;
            Spot::of(subject).unknown(format!("the rule takes too much: {why}"))
        })
    }
}

impl Rule {
    /// What the rule says of a resource; why it was stopped, if it was.
    fn answer<'a>(&'a self, view: &mut View<'_, 'a>, budget: &mut Budget) -> Result<Answer, String> {
        if let Some(when) = &self.when {
            match truth(when, view, budget) {
                Ok(true) => view.trail.clear(),
                Ok(false) => return Ok(not_applicable("`when` is false of it")),
                Err(fault) => return unknown(when, "when", &fault, view),
            }
        }
        match truth(&self.expression, view, budget) {
            Ok(true) => Ok(Answer { verdict: Verdict::Holds, evidence: evidence(view, "the rule holds") }),
            Ok(false) => {
                let evidence = evidence(view, "the rule is false of it");
                let reason = self.reason(view, budget, &evidence);
                Ok(Answer { verdict: Verdict::Broken { reason }, evidence })
            }
            Err(fault) => unknown(&self.expression, "expression", &fault, view),
        }
    }

    /// What the author wants to be said, else what was read.
    fn reason<'a>(&'a self, view: &mut View<'_, 'a>, budget: &mut Budget, evidence: &[Evidence]) -> String {
        match &self.message {
            Some(Message::Text(text)) => return text.clone(),
            Some(Message::Expression(program)) => {
                if let Ok(Value::Text(text)) = program.evaluate(view, budget) {
                    return text.as_str().chars().take(500).collect();
                }
            }
            None => {}
        }
        match evidence {
            [one] => one.said.clone(),
            all => all.iter().take(3).map(|one| one.said.as_str()).collect::<Vec<_>>().join(", "),
        }
    }
}

fn truth<'a>(program: &'a Program, view: &mut View<'_, 'a>, budget: &mut Budget) -> Result<bool, Fault> {
    let value: Value<'a, Handle<'a>> = program.evaluate(view, budget)?;
    value
        .truth()
        .ok_or_else(|| Fault::failed(format!("it is a `{}`, not a truth value", value.kind().name())))
}

fn unknown<'a>(program: &Program, field: &str, fault: &Fault, view: &View<'_, 'a>) -> Result<Answer, String> {
    let missing = match fault {
        Fault::Stopped(why) => return Err(why.clone()),
        Fault::Unknown(causes) => causes.join("; "),
        Fault::Failed(failed) => {
            let place = match program.place_of(failed) {
                Some((1, column)) => format!(" (`{field}`, column {column})"),
                Some((line, column)) => format!(" (`{field}`, line {line}, column {column})"),
                None => String::new(),
            };
            format!("it cannot be worked out: {}{place}", failed.message)
        }
    };
    let mut told = match fault {
        Fault::Unknown(_) => view.trail.evidence(true),
        _ => Vec::new(),
    };
    if told.is_empty() {
        told = Spot::of(view.subject).unknown(missing.clone()).evidence;
    }
    Ok(Answer { verdict: Verdict::Unknown { missing }, evidence: told })
}

/// What was read; if nothing was, the resource itself.
fn evidence(view: &View<'_, '_>, said: &str) -> Vec<Evidence> {
    let told = view.trail.evidence(false);
    if told.is_empty() { Spot::of(view.subject).holds(said).evidence } else { told }
}
