//! A scan of an inventory that is kept: after a change only those controls are asked again whose answer could differ, and
//! what comes out is what a scan from scratch would find.
//!
//! With every answer is kept what was looked up for it. When the inventory changes, all lookups are made once more, each only
//! once however many answers rest on it; an answer whose resource is the same, and whose lookups find the same resources
//! unchanged, stays.

use crate::live::{live, live_again};
use crate::policies::Policies;
use crate::report::{Finding, Report, Ruled, Subject, ask, units_by_kind};
use crate::resource::{Estate, Lookup, News, Resource};
use crate::selection::Selection;
use crate::unit::{Case, Unit};
use facts::inventory::{Inventory, Item, Provenance};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// What a change brought about one control on one resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Moved {
    /// What was found before; nothing if the resource is new.
    pub before: Option<Finding>,
    /// What is found now; nothing if the resource is gone.
    pub after: Option<Finding>,
}

/// An inventory with everything that is found about it.
pub struct Posture {
    inventory: Inventory,
    selection: Selection,
    units: HashMap<&'static str, Vec<&'static Unit>>,
    /// The ids of all that are asked.
    controls: BTreeSet<&'static str>,
    estate: Estate,
    /// Of each resource; nothing if it is not in scope.
    answers: Vec<Option<Vec<Answered>>>,
    questions: Questions,
    /// What rules of customers say: all are asked each time, because they are few and bounded.
    ruled: Ruled,
    asked: usize,
}

/// A finding, and the questions that it rests on.
#[derive(Debug)]
struct Answered {
    finding: Finding,
    rests_on: Vec<u32>,
}

impl Posture {
    /// Scans an inventory.
    #[must_use]
    pub fn new(inventory: Inventory, selection: Selection) -> Self {
        let units = units_by_kind(&selection);
        let controls = units.values().flatten().map(|unit| unit.control.id).collect();
        let (estate, questions) = (live(&inventory), Questions::default());
        let (answers, ruled) = (Vec::new(), Ruled::default());
        let mut posture =
            Self { inventory, selection, units, controls, estate, answers, questions, ruled, asked: 0 };
        posture.answer(&[]);
        posture
    }

    /// Takes a later reading of the same account, and asks again what could be different. Tells what is.
    pub fn update(&mut self, inventory: Inventory) -> Vec<Moved> {
        let same_place =
            (&inventory.account, &inventory.region) == (&self.inventory.account, &self.inventory.region);
        let kept = if same_place { same_items(&self.inventory, &inventory) } else { Vec::new() };
        let before = std::mem::take(&mut self.estate);
        let news_of = before.gaps().clone();
        let listed = self.inventory.resources.len();
        let mut old: Vec<Option<Resource>> = before.into_resources().into_iter().map(Some).collect();
        // Where each resource was before, if it is the same.
        let mut came_from: Vec<Option<usize>> = vec![None; inventory.resources.len()];
        let estate = live_again(&inventory, &mut |at, id| {
            let from = kept.get(at).copied().flatten()?;
            let resource = old[from].take_if(|resource| resource.id == id)?;
            came_from[at] = Some(from);
            Some(resource)
        });
        came_from.resize(estate.resources().len(), None);
        find_equal(&estate, &old, (&kept, listed), &mut came_from);
        let later = inventory.read_at != self.inventory.read_at;
        let news = News::between(&news_of, estate.gaps(), later);
        let told_otherwise = |id: &str| news_of.unlisted(id) != estate.gaps().unlisted(id);
        for (at, from) in came_from.iter_mut().enumerate() {
            from.take_if(|_| told_otherwise(&estate.resources()[at].id));
        }
        self.questions.repeat(&estate, &came_from, &news, old.len());
        (self.inventory, self.estate) = (inventory, estate);
        self.answer(&came_from)
    }

    /// What was read.
    #[must_use]
    pub fn inventory(&self) -> &Inventory {
        &self.inventory
    }

    /// All findings, in the order of a scan.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        let of = |at: usize| self.ruled.of.get(at).into_iter().flatten();
        let all = self.answers.iter().enumerate();
        let own = all.flat_map(move |(at, answers)| {
            answers.iter().flatten().map(|answered| &answered.finding).chain(of(at))
        });
        own.chain(&self.ruled.silent)
    }

    /// The resources by type and id, each with its item of the inventory; what stands for all of a type that could not be
    /// listed has none.
    pub fn resources(&self) -> impl Iterator<Item = (&str, &str, Option<&Item>)> {
        let all = self.estate.resources().iter().enumerate();
        let own = all.map(|(at, one)| (one.kind.as_str(), one.known_as(), self.inventory.resources.get(at)));
        own.chain(
            self.ruled.silent.iter().map(|one| (one.subject.kind.as_str(), one.subject.id.as_str(), None)),
        )
    }

    /// Whether a finding is of a whole control, or of a part whose whole is not asked.
    #[must_use]
    pub fn is_whole(&self, finding: &Finding) -> bool {
        finding.about.part_of().is_none_or(|whole| !self.controls.contains(whole))
    }

    /// What is asked of what: each control in scope with each of its types that was read, or that somebody tried to read.
    pub fn questions(&self) -> impl Iterator<Item = (&str, &str)> {
        let (read, unread) = (&self.inventory.read, &self.inventory.unread);
        let tried =
            self.units.iter().filter(|(kind, _)| read.contains(**kind) || unread.contains_key(**kind));
        let own = tried.flat_map(|(kind, units)| units.iter().map(|unit| (unit.control.id, *kind)));
        let rules = self
            .selection
            .rules()
            .flat_map(|rule| rule.kinds.iter().map(move |kind| (rule.id.as_str(), kind.as_str())));
        own.chain(rules.filter(|(_, kind)| read.contains(*kind) || unread.contains_key(*kind)))
    }

    /// The report of a scan from scratch.
    #[must_use]
    pub fn report(&self) -> Report {
        let mut report = Report::empty(&self.estate);
        for (at, answers) in self.answers.iter().enumerate() {
            if let Some(answers) = answers {
                let own = answers.iter().map(|answered| &answered.finding);
                report.put(own.chain(self.ruled.of.get(at).into_iter().flatten()).cloned());
            }
        }
        report.put_silent(self.ruled.silent.iter().cloned());
        report
    }

    /// How many controls were asked of how many resources the last time, all in all.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.asked
    }

    /// Asks what is not known yet, or not any more. `came_from` says where each resource was before, if it is the same.
    fn answer(&mut self, came_from: &[Option<usize>]) -> Vec<Moved> {
        let mut old: Vec<Option<Vec<Answered>>> = std::mem::take(&mut self.answers);
        let mut moved = Vec::new();
        let read = Policies::default();
        self.asked = 0;
        self.estate.note_lookups();
        let mut answers = Vec::with_capacity(self.estate.resources().len());
        let mut fresh = Vec::new();
        for (at, resource) in self.estate.resources().iter().enumerate() {
            if !self.selection.has_resource(resource) {
                answers.push(None);
                continue;
            }
            let case = Case { estate: &self.estate, resource, read: &read };
            let known = came_from.get(at).copied().flatten().and_then(|from| old[from].take());
            let is_open = |one: &Answered| self.questions.are_open(&one.rests_on);
            let mut all = Vec::new();
            match known {
                Some(known) if !known.iter().any(is_open) => all = known,
                Some(known) => {
                    let subject = Subject::of(resource);
                    for answered in known {
                        if self.questions.are_open(&answered.rests_on) {
                            let unit = self.units[resource.kind.as_str()][all.len()];
                            let again = Self::ask(&mut self.questions, &case, (&subject, unit));
                            self.asked += 1;
                            self.questions.forget(&answered.rests_on);
                            if again.finding != answered.finding {
                                let after = Some(again.finding.clone());
                                moved.push(Moved { before: Some(answered.finding), after });
                            }
                            all.push(again);
                        } else {
                            all.push(answered);
                        }
                    }
                }
                None => {
                    let subject = Subject::of(resource);
                    for unit in self.units.get(resource.kind.as_str()).into_iter().flatten() {
                        all.push(Self::ask(&mut self.questions, &case, (&subject, unit)));
                        self.asked += 1;
                    }
                    fresh.push(at);
                }
            }
            answers.push(Some(all));
        }
        self.answers = answers;
        self.questions.settle();
        self.pair(old, &fresh, &mut moved);
        self.ask_rules(&mut moved);
        moved
    }

    fn ask_rules(&mut self, moved: &mut Vec<Moved>) {
        let ruled = Ruled::ask(&self.estate, &self.selection);
        // What rules looked up is asked again in any case.
        self.estate.noted();
        let old = std::mem::replace(&mut self.ruled, ruled);
        let mut before: BTreeMap<Key, Vec<Finding>> = BTreeMap::new();
        for finding in old.of.into_iter().flatten().chain(old.silent) {
            before.entry(key(&finding)).or_default().push(finding);
        }
        for finding in self.ruled.findings() {
            let earlier = before.get_mut(&key(finding)).and_then(Vec::pop);
            if earlier.as_ref() != Some(finding) {
                moved.push(Moved { before: earlier, after: Some(finding.clone()) });
            }
        }
        moved.extend(before.into_values().flatten().map(|gone| Moved { before: Some(gone), after: None }));
    }

    fn ask(
        questions: &mut Questions,
        case: &Case<'_>,
        (subject, unit): (&Arc<Subject>, &'static Unit),
    ) -> Answered {
        let finding = ask(case, subject, unit);
        let rests_on = questions.note(case.estate.noted(), case.estate);
        Answered { finding, rests_on }
    }

    /// What was found before about resources that are gone or not the same, beside what is found now.
    fn pair(&mut self, old: Vec<Option<Vec<Answered>>>, fresh: &[usize], moved: &mut Vec<Moved>) {
        let mut before: BTreeMap<Key, Vec<Finding>> = BTreeMap::new();
        for answered in old.into_iter().flatten().flatten() {
            self.questions.forget(&answered.rests_on);
            before.entry(key(&answered.finding)).or_default().push(answered.finding);
        }
        for at in fresh {
            for answered in self.answers[*at].iter().flatten() {
                let earlier = before.get_mut(&key(&answered.finding)).and_then(Vec::pop);
                if earlier.as_ref() != Some(&answered.finding) {
                    moved.push(Moved { before: earlier, after: Some(answered.finding.clone()) });
                }
            }
        }
        moved.extend(before.into_values().flatten().map(|gone| Moved { before: Some(gone), after: None }));
    }
}

/// A resource's type, its id, and the control.
type Key = (String, String, String);

fn key(finding: &Finding) -> Key {
    (finding.subject.kind.clone(), finding.subject.id.clone(), finding.control().to_owned())
}

/// Of each item of the later inventory, where the earlier one has the same.
fn same_items(earlier: &Inventory, later: &Inventory) -> Vec<Option<usize>> {
    let mut known: HashMap<(&str, &str), usize> = HashMap::with_capacity(earlier.resources.len());
    for (at, item) in earlier.resources.iter().enumerate() {
        known.entry((&item.kind, &item.id)).or_insert(at);
    }
    let same = |item: &Item| {
        let at = known.get(&(item.kind.as_str(), item.id.as_str()))?;
        is_same(&earlier.resources[*at], item).then_some(*at)
    };
    later.resources.iter().map(same).collect()
}

/// Whether two readings know the same of a resource, whenever they were made.
fn is_same(one: &Item, other: &Item) -> bool {
    fn missing(item: &Item) -> Vec<(&String, String)> {
        let all = item.provenance.iter();
        all.filter_map(|(name, provenance)| Provenance::missing(provenance).map(|why| (name, why))).collect()
    }
    one.properties == other.properties
        && one.derived == other.derived
        && one.names == other.names
        && one.region == other.region
        && missing(one) == missing(other)
}

/// Resources that were made anew and came out the same, such as those that stand for a type that cannot be listed.
fn find_equal(
    estate: &Estate,
    old: &[Option<Resource>],
    (kept, listed): (&[Option<usize>], usize),
    came_from: &mut [Option<usize>],
) {
    let mut by_id: HashMap<(&str, &str), usize> = HashMap::new();
    for (at, resource) in old.iter().enumerate().filter_map(|(at, old)| Some((at, old.as_ref()?))) {
        by_id.entry((&resource.kind, &resource.id)).or_insert(at);
    }
    for (at, resource) in estate.resources().iter().enumerate() {
        if came_from[at].is_some() || kept.is_empty() {
            continue;
        }
        let same = by_id.remove(&(resource.kind.as_str(), resource.id.as_str()));
        // An item and a type that cannot be listed are two things, whatever they are called.
        let sort = |from: &usize| (*from < listed) == (at < kept.len());
        came_from[at] = same.filter(sort).filter(|from| old[*from].as_ref() == Some(resource));
    }
}

/// Lookups that answers rest on, each once.
#[derive(Debug, Default)]
struct Questions {
    all: Vec<Question>,
    by_lookup: HashMap<Lookup, u32>,
    /// Places in the list that nothing rests on.
    free: Vec<u32>,
}

#[derive(Debug)]
struct Question {
    lookup: Lookup,
    /// What it found, by its place among the resources.
    found: Vec<usize>,
    /// How many answers rest on it.
    answers: u32,
    /// Whether it found something else the last time.
    is_open: bool,
}

impl Questions {
    /// Keeps lookups for an answer.
    fn note(&mut self, lookups: Vec<Lookup>, estate: &Estate) -> Vec<u32> {
        let mut rests_on: Vec<u32> = Vec::with_capacity(lookups.len());
        for lookup in lookups {
            let at = match self.by_lookup.get(&lookup) {
                Some(at) => *at,
                None => self.add(lookup, estate),
            };
            rests_on.push(at);
        }
        rests_on.sort_unstable();
        rests_on.dedup();
        rests_on.shrink_to_fit();
        rests_on.iter().for_each(|at| self.all[*at as usize].answers += 1);
        rests_on
    }

    fn add(&mut self, lookup: Lookup, estate: &Estate) -> u32 {
        let found = estate.found(&lookup);
        let question = Question { lookup: lookup.clone(), found, answers: 0, is_open: false };
        let at = match self.free.pop() {
            Some(at) => {
                self.all[at as usize] = question;
                at
            }
            None => {
                self.all.push(question);
                u32::try_from(self.all.len() - 1).unwrap_or(u32::MAX)
            }
        };
        self.by_lookup.insert(lookup, at);
        at
    }

    /// An answer does not rest on these any more.
    fn forget(&mut self, rests_on: &[u32]) {
        for at in rests_on {
            let question = &mut self.all[*at as usize];
            question.answers -= 1;
            if question.answers == 0 {
                self.by_lookup.remove(&question.lookup);
                self.free.push(*at);
            }
        }
    }

    fn are_open(&self, rests_on: &[u32]) -> bool {
        rests_on.iter().any(|at| self.all[*at as usize].is_open)
    }

    /// Looks everything up again; what finds something else is open. `came_from` says where each resource was before.
    fn repeat(&mut self, estate: &Estate, came_from: &[Option<usize>], news: &News, before: usize) {
        let mut now_at: Vec<Option<usize>> = vec![None; before];
        for (at, from) in came_from.iter().enumerate() {
            if let Some(from) = from {
                now_at[*from] = Some(at);
            }
        }
        for question in self.all.iter_mut().filter(|question| question.answers > 0) {
            let found = estate.found(&question.lookup);
            let same = question.found.len() == found.len()
                && question.found.iter().zip(&found).all(|(from, at)| now_at[*from] == Some(*at));
            question.is_open = !same || news.concern(&question.lookup);
            question.found = found;
        }
    }

    fn settle(&mut self) {
        self.all.iter_mut().for_each(|question| question.is_open = false);
    }
}
