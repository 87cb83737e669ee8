//! A window of traffic, taken in one record at a time, in bounded memory, and mergeable: the profile of two parts
//! merged is equal to that of the whole, in any order.
//!
//! At most are held: per number feature 16,384 different numbers (655 KB), beyond that 2,003 cells (16 KB); per word
//! feature a count for each of at most 10,000 words of the reference, and 4,096 others (1 MiB); 16,384 probabilities
//! (790 KB), beyond that 8,195 cells (131 KB); 1,000 groups per sensitive column. Under these limits every figure is
//! exact; beyond one, what it touches says so, with bounds.

use crate::baseline::{self, Baseline, Values};
use crate::distribution::Distribution;
use crate::fairness::{Fairness, Groups};
use crate::quality::{BinaryQuality, Outcome, Scores};
use crate::words::Words;
use facts::{ColumnName, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a window has shown so far.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    baseline: Arc<Baseline>,
    features: Vec<Feature>,
    requests: u64,
    positives: u64,
    times: Option<(Timestamp, Timestamp)>,
    scores: Scores,
    groups: BTreeMap<ColumnName, Groups>,
}

/// One feature of a window.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Feature {
    pub(crate) missing: u64,
    pub(crate) present: u64,
    pub(crate) state: State,
}

/// The values of a feature; of which kind, the baseline says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum State {
    Numbers {
        values: Distribution<1>,
        /// Cells that are not numbers.
        strays: u64,
    },
    Words {
        /// In the order of the baseline's words.
        known: Vec<u64>,
        novel: Words<1>,
    },
    Text,
}

/// An answered request of one record.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Its cells, in the order of the baseline's features; empty ones are missing values.
    pub cells: &'a [String],
    /// When.
    pub time: Timestamp,
    /// Whether the model said positive.
    pub positive: bool,
}

/// What cannot be taken in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// A record of another shape.
    #[error("a record has {cells} cells where the reference has {features} features")]
    Shape {
        /// In the record.
        cells: usize,
        /// In the baseline.
        features: usize,
    },
    /// Two profiles over different baselines, or by different groups.
    #[error("the two profiles are not over the same reference and by the same groups")]
    Mismatch,
}

impl Profile {
    /// Nothing yet, to be compared with `baseline` and by the sensitive columns `groups`.
    pub fn new(baseline: Arc<Baseline>, groups: &[ColumnName]) -> Self {
        let limits = baseline.limits;
        let group = |name: &ColumnName| (name.clone(), Groups::new(limits.groups));
        Self {
            features: baseline.features.iter().map(|feature| Feature::new(feature, &limits)).collect(),
            requests: 0,
            positives: 0,
            times: None,
            scores: Scores::new(limits.numbers),
            groups: groups.iter().map(group).collect(),
            baseline,
        }
    }

    /// Takes in an answered request.
    pub fn push(&mut self, request: &Request<'_>) -> Result<(), ProfileError> {
        let (cells, features) = (request.cells.len(), self.features.len());
        if cells != features {
            return Err(ProfileError::Shape { cells, features });
        }
        for ((feature, reference), cell) in
            self.features.iter_mut().zip(&self.baseline.features).zip(request.cells)
        {
            feature.push(reference, cell);
        }
        self.requests += 1;
        self.positives += u64::from(request.positive);
        self.spread(request.time, request.time);
        Ok(())
    }

    /// Takes in a prediction whose label has come, with the sensitive columns that came with it.
    pub fn push_outcome(&mut self, outcome: &Outcome, truth: &BTreeMap<String, String>) {
        self.scores.push(outcome);
        for (column, groups) in &mut self.groups {
            if let Some(group) = truth.get(column.as_str()) {
                groups.push(group, outcome);
            }
        }
    }

    /// Adds another part of the window.
    pub fn merge(&mut self, other: &Self) -> Result<(), ProfileError> {
        let same = Arc::ptr_eq(&self.baseline, &other.baseline) || self.baseline == other.baseline;
        if !same || !self.groups.keys().eq(other.groups.keys()) {
            return Err(ProfileError::Mismatch);
        }
        self.features.iter_mut().zip(&other.features).for_each(|(ours, theirs)| ours.merge(theirs));
        self.requests += other.requests;
        self.positives += other.positives;
        if let Some((first, last)) = other.times {
            self.spread(first, last);
        }
        self.scores.merge(&other.scores);
        self.groups.values_mut().zip(other.groups.values()).for_each(|(ours, theirs)| ours.merge(theirs));
        Ok(())
    }

    /// Requests so far.
    pub fn requests(&self) -> u64 {
        self.requests
    }

    /// Of which were predicted positive.
    pub fn positives(&self) -> u64 {
        self.positives
    }

    /// The first and the last request.
    pub fn times(&self) -> Option<(Timestamp, Timestamp)> {
        self.times
    }

    /// The quality of the labelled part.
    pub fn quality(&self) -> BinaryQuality {
        self.scores.quality()
    }

    /// The labelled part by each sensitive column, groups of at least `min_group`.
    pub fn fairness(&self, min_group: u64) -> BTreeMap<ColumnName, Fairness> {
        self.groups.iter().map(|(column, groups)| (column.clone(), groups.compare(min_group))).collect()
    }

    pub(crate) fn features(&self) -> impl Iterator<Item = (&baseline::Feature, &Feature)> {
        self.baseline.features.iter().zip(&self.features)
    }

    fn spread(&mut self, first: Timestamp, last: Timestamp) {
        let (from, to) = self.times.unwrap_or((first, last));
        self.times = Some((from.min(first), to.max(last)));
    }
}

impl Feature {
    fn new(reference: &baseline::Feature, limits: &baseline::Limits) -> Self {
        let state = match &reference.values {
            Values::Numbers(numbers) => State::Numbers {
                values: Distribution::new(Arc::clone(&numbers.grid), limits.numbers),
                strays: 0,
            },
            Values::Words(words) => {
                State::Words { known: vec![0; words.len()], novel: Words::new(limits.words) }
            }
            Values::Text => State::Text,
        };
        Self { missing: 0, present: 0, state }
    }

    fn push(&mut self, reference: &baseline::Feature, cell: &str) {
        let is_number = matches!(self.state, State::Numbers { .. });
        let cell = if is_number { cell.trim() } else { cell };
        if cell.is_empty() {
            self.missing += 1;
            return;
        }
        self.present += 1;
        match (&mut self.state, &reference.values) {
            (State::Numbers { values, strays }, _) => match cell.parse::<f64>() {
                Ok(number) if number.is_finite() => values.add(number, [1]),
                _ => *strays += 1,
            },
            (State::Words { known, novel }, Values::Words(words)) => {
                match words.binary_search_by(|(word, _)| word.as_str().cmp(cell)) {
                    Ok(at) => known[at] += 1,
                    Err(_) => novel.add(cell, [1]),
                }
            }
            _ => {}
        }
    }

    fn merge(&mut self, other: &Self) {
        self.missing += other.missing;
        self.present += other.present;
        match (&mut self.state, &other.state) {
            (State::Numbers { values, strays }, State::Numbers { values: more, strays: others }) => {
                values.merge(more);
                *strays += others;
            }
            (State::Words { known, novel }, State::Words { known: more, novel: others }) => {
                known.iter_mut().zip(more).for_each(|(ours, theirs)| *ours += theirs);
                novel.merge(others);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    //! Goal: any order and any split give the same profile, and bounds hold what they bound. Method: limits so small
    //! that chance crosses each of them.
    use super::*;
    use crate::baseline::{Column, Limits};
    use crate::drift::{self, DriftReport, DriftSettings};
    use proptest::prelude::*;

    const SETTINGS: DriftSettings = DriftSettings { psi: 0.2, significance: 0.01, min_samples: 5 };
    const SMALL: Limits = Limits { numbers: 6, words: 2, known_words: 100, groups: 2 };

    type Row = (i8, u8, bool, u8);

    fn baseline(limits: Limits) -> Arc<Baseline> {
        let numbers = (0..60).map(|n| Some(f64::from(n % 23) / 4.0)).collect();
        let words = (0..60).map(|n| Some(format!("w{}", n % 3))).collect();
        let columns = [("n", Column::Numeric(numbers)), ("w", Column::Category(words))];
        Arc::new(Baseline::new(columns.map(|(name, column)| (name.parse().unwrap(), column)), limits))
    }

    fn profile(rows: &[Row], baseline: &Arc<Baseline>) -> Profile {
        let mut profile = Profile::new(Arc::clone(baseline), &["g".parse().unwrap()]);
        for (number, word, positive, group) in rows {
            let cell = if *number == 9 { String::new() } else { (f64::from(*number) / 8.0).to_string() };
            let cells = [cell, format!("w{word}")];
            let time = Timestamp::from_unix_ms(i64::from(*number)).unwrap();
            profile.push(&Request { cells: &cells, time, positive: *positive }).unwrap();
            let probability = f64::from(*word) / 10.0;
            let outcome = Outcome { actual: number % 2 == 0, predicted: *positive, probability };
            let truth = BTreeMap::from([("g".to_owned(), group.to_string())]);
            profile.push_outcome(&outcome, &truth);
        }
        profile
    }

    fn rows() -> impl Strategy<Value = Vec<Row>> {
        proptest::collection::vec((0i8..40, 0u8..8, any::<bool>(), 0u8..4), 0..40)
    }

    fn report(profile: &Profile) -> DriftReport {
        drift::report(profile, &SETTINGS)
    }

    proptest! {
        #[test]
        fn any_order_and_any_split_give_the_same_profile(rows in rows(), split in 0usize..40, small in any::<bool>()) {
            let baseline = baseline(if small { SMALL } else { Limits::default() });
            let (left, right) = rows.split_at(split.min(rows.len()));
            let whole = profile(&rows, &baseline);
            for (first, second) in [(left, right), (right, left)] {
                let mut merged = profile(first, &baseline);
                merged.merge(&profile(second, &baseline)).unwrap();
                prop_assert_eq!(&merged, &whole);
            }
            let backwards: Vec<Row> = rows.iter().rev().copied().collect();
            prop_assert_eq!(report(&profile(&backwards, &baseline)), report(&whole));
        }

        #[test]
        fn bounds_hold_the_exact_figures(rows in rows()) {
            let exact = report(&profile(&rows, &baseline(Limits::default())));
            let held = report(&profile(&rows, &baseline(SMALL)));
            for exact in &exact.features {
                prop_assert!(exact.approximate.is_none());
                let held = held.features.iter().find(|feature| feature.feature == exact.feature).unwrap();
                let within = |value: f64, (low, high): (f64, f64)| low - 1e-9 <= value && value <= high + 1e-9;
                match &held.approximate {
                    None => prop_assert_eq!((held.statistic, held.p_value, held.psi), (exact.statistic, exact.p_value, exact.psi)),
                    Some(bounds) => {
                        prop_assert!(within(exact.statistic, bounds.statistic), "{held:?} {exact:?}");
                        prop_assert!(within(exact.p_value, bounds.p_value), "{held:?} {exact:?}");
                        prop_assert!(within(exact.psi, bounds.psi), "{held:?} {exact:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_report_of_a_hundred_features_fits_into_the_ledger() {
        let column = |n: u32| {
            (
                format!("feature_{n}").parse().unwrap(),
                Column::Numeric((0..100).map(|v| Some(f64::from(v) / 3.0)).collect()),
            )
        };
        let baseline = Arc::new(Baseline::new((0..100).map(column), SMALL));
        let mut profile = Profile::new(baseline, &[]);
        for row in 0..60 {
            let cells = vec![format!("{}", 20.0 + f64::from(row) / 7.0); 100];
            profile.push(&Request { cells: &cells, time: Timestamp::EPOCH, positive: true }).unwrap();
        }
        let report = report(&profile);
        assert_eq!(
            (report.drifted(), report.features.iter().filter(|one| one.approximate.is_some()).count()),
            (100, 100)
        );
        let bytes = serde_json::to_vec(&report).unwrap().len();
        assert!(
            bytes < 60_000,
            "{bytes} bytes do not fit into an entry of the ledger with the rest of a report"
        );
        assert_eq!(
            serde_json::from_slice::<DriftReport>(&serde_json::to_vec(&report).unwrap()).unwrap(),
            report
        );
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let mut one = profile(&[], &baseline(SMALL));
        let wrong = one.push(&Request { cells: &[], time: Timestamp::EPOCH, positive: true }).unwrap_err();
        insta::assert_snapshot!(wrong, @"a record has 0 cells where the reference has 2 features");
        assert_eq!(one.merge(&profile(&[], &baseline(Limits::default()))), Err(ProfileError::Mismatch));
    }

    #[test]
    fn cells_that_are_no_numbers_make_the_feature_unknown() {
        let mut one = profile(&[(1, 1, true, 0); 30], &baseline(SMALL));
        let cells = ["many".to_owned(), "w1".to_owned()];
        one.push(&Request { cells: &cells, time: Timestamp::EPOCH, positive: true }).unwrap();
        let report = report(&one);
        let numbers = report.features.iter().find(|feature| feature.feature.as_str() == "n").unwrap();
        insta::assert_snapshot!(numbers.verdict, @"unknown: numbers on one side, words on the other");
    }
}
