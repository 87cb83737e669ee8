//! Quality of a binary classifier, from pairs of prediction and truth.

use crate::distribution::{Counted, Distribution, Grid};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A prediction whose truth is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// Whether it was positive.
    pub actual: bool,
    /// Whether the model said positive.
    pub predicted: bool,
    /// The probability of positive that the model gave.
    pub probability: f64,
}

/// The figures. What is undefined (no positives, no negatives, nothing predicted positive) is absent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BinaryQuality {
    /// Pairs.
    pub samples: u64,
    /// True positives, false positives, true negatives, false negatives.
    pub confusion: [u64; 4],
    /// Share of right predictions.
    pub accuracy: Option<f64>,
    /// 95 % interval of the accuracy (Wilson 1927).
    pub accuracy_interval: Option<(f64, f64)>,
    /// Right among predicted positive.
    pub precision: Option<f64>,
    /// Found among actual positive.
    pub recall: Option<f64>,
    /// Harmonic mean of both.
    pub f1: Option<f64>,
    /// Area under the ROC curve, ties counted half.
    pub auc: Option<f64>,
    /// What the AUC certainly lies between, where there were more different probabilities than are held: `auc` is then
    /// the middle, and log loss and Brier score are absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auc_bounds: Option<(f64, f64)>,
    /// Mean negative log-likelihood, probabilities held off 0 and 1 by 2^-52, as scikit-learn does.
    pub log_loss: Option<f64>,
    /// Mean squared error of the probability.
    pub brier: Option<f64>,
}

/// Computes the figures exactly, however many different probabilities there are.
pub fn binary(outcomes: &[Outcome]) -> BinaryQuality {
    let mut scores = Scores::new(usize::MAX);
    outcomes.iter().for_each(|outcome| scores.push(outcome));
    scores.quality()
}

/// Outcomes, counted one at a time. What is kept depends only on which outcomes came, not on their order.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    confusion: [u64; 4],
    /// Positive and negative ones by probability.
    probabilities: Distribution<2>,
    /// Probabilities that are not finite numbers.
    strays: u64,
}

/// Cells between 0 and 1.
const CELLS: u32 = 4_096;

impl Scores {
    /// Nothing yet. Beyond `limit` different probabilities, 4,096 equal steps from 0 to 1 are counted.
    pub fn new(limit: usize) -> Self {
        let grid = Grid::new((0..=CELLS).map(|step| f64::from(step) / f64::from(CELLS)));
        Self { confusion: [0; 4], probabilities: Distribution::new(Arc::new(grid), limit), strays: 0 }
    }

    /// Counts one.
    pub fn push(&mut self, outcome: &Outcome) {
        self.confusion[outcome.cell()] += 1;
        if outcome.probability.is_finite() {
            let side = if outcome.actual { [1, 0] } else { [0, 1] };
            self.probabilities.add(outcome.probability, side);
        } else {
            self.strays += 1;
        }
    }

    /// Adds what another with the same limit has counted.
    pub fn merge(&mut self, other: &Self) {
        self.confusion.iter_mut().zip(other.confusion).for_each(|(ours, theirs)| *ours += theirs);
        self.probabilities.merge(&other.probabilities);
        self.strays += other.strays;
    }

    /// The figures.
    pub fn quality(&self) -> BinaryQuality {
        let confusion @ [tp, fp, tn, fn_] = self.confusion;
        let samples = tp + fp + tn + fn_;
        let mut quality = BinaryQuality {
            samples,
            confusion,
            accuracy: ratio(tp + tn, samples),
            accuracy_interval: wilson(tp + tn, samples),
            precision: ratio(tp, tp + fp),
            recall: ratio(tp, tp + fn_),
            f1: ratio(2 * tp, 2 * tp + fp + fn_),
            ..BinaryQuality::default()
        };
        if self.strays > 0 {
            return quality;
        }
        match self.probabilities.counted() {
            Counted::Exact(values) => {
                quality.auc = auc(values.iter().map(|(_, sides)| (*sides, false))).map(|(auc, _)| auc);
                let mean = |loss: &dyn Fn(f64) -> f64| {
                    let sum: f64 = values
                        .iter()
                        .map(|(p, [positive, negative])| {
                            *positive as f64 * loss(*p) + *negative as f64 * loss(1.0 - p)
                        })
                        .sum();
                    (samples > 0).then(|| sum / samples as f64)
                };
                // The loss by the probability given to what came true.
                quality.log_loss = mean(&|p| -p.clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln());
                quality.brier = mean(&|p| (1.0 - p) * (1.0 - p));
            }
            Counted::Cells(cells) => {
                let known = auc(cells.iter().enumerate().map(|(at, sides)| (*sides, at % 2 == 0)));
                quality.auc = known.map(|(auc, _)| auc);
                quality.auc_bounds = known.map(|(auc, error)| (auc - error, auc + error));
            }
        }
        quality
    }
}

impl Outcome {
    /// Its place among true positive, false positive, true negative, false negative.
    pub(crate) fn cell(&self) -> usize {
        match (self.predicted, self.actual) {
            (true, true) => 0,
            (true, false) => 1,
            (false, false) => 2,
            (false, true) => 3,
        }
    }
}

pub(crate) fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// The 95 % interval of a share.
pub fn wilson(part: u64, whole: u64) -> Option<(f64, f64)> {
    const Z: f64 = 1.959_963_984_540_054;
    let share = ratio(part, whole)?;
    let n = whole as f64;
    let middle = (share + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
    let half = Z / (1.0 + Z * Z / n) * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    Some(((middle - half).max(0.0), (middle + half).min(1.0)))
}

/// The share of pairs of a positive and a negative in which the positive has the larger probability, ties counted half
/// (Mann and Whitney), and how far off it may be: by half of the pairs that share a cell within which the order is open.
fn auc(ascending: impl Iterator<Item = ([u64; 2], bool)>) -> Option<(f64, f64)> {
    let (mut twice_won, mut open, mut positives, mut negatives) = (0u128, 0u128, 0u128, 0u128);
    for ([positive, negative], is_open) in ascending {
        let (positive, negative) = (u128::from(positive), u128::from(negative));
        twice_won += positive * (2 * negatives + negative);
        open += if is_open { positive * negative } else { 0 };
        positives += positive;
        negatives += negative;
    }
    let twice_pairs = 2.0 * positives as f64 * negatives as f64;
    (positives > 0 && negatives > 0).then(|| (twice_won as f64 / twice_pairs, open as f64 / twice_pairs))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn outcomes() -> impl Strategy<Value = Vec<Outcome>> {
        let one = (any::<bool>(), 0u8..20).prop_map(|(actual, p)| {
            let probability = f64::from(p) / 19.0;
            Outcome { actual, predicted: probability > 0.5, probability }
        });
        proptest::collection::vec(one, 0..60)
    }

    proptest! {
        #[test]
        fn auc_is_the_chance_that_a_positive_outranks_a_negative(outcomes in outcomes()) {
            let (mut wins, mut pairs) = (0.0, 0.0);
            for a in outcomes.iter().filter(|o| o.actual) {
                for b in outcomes.iter().filter(|o| !o.actual) {
                    pairs += 1.0;
                    wins += if a.probability > b.probability { 1.0 } else if a.probability < b.probability { 0.0 } else { 0.5 };
                }
            }
            let expected = (pairs > 0.0).then(|| wins / pairs);
            prop_assert_eq!(binary(&outcomes).auc.is_some(), expected.is_some());
            if let (Some(a), Some(b)) = (binary(&outcomes).auc, expected) {
                prop_assert!((a - b).abs() < 1e-12);
            }
        }

        #[test]
        fn any_order_and_any_split_give_the_same_to_the_last_digit(
            outcomes in outcomes(), split in 0usize..60, limit in 0usize..20,
        ) {
            let counted = |part: &[Outcome]| {
                let mut scores = Scores::new(limit);
                part.iter().for_each(|outcome| scores.push(outcome));
                scores
            };
            let (left, right) = outcomes.split_at(split.min(outcomes.len()));
            let (mut both, whole) = (counted(right), counted(&outcomes));
            both.merge(&counted(left));
            prop_assert_eq!(&both, &whole);
            prop_assert_eq!(both.quality(), whole.quality());
        }

        #[test]
        fn what_is_approximate_says_how_far_it_is_off(outcomes in outcomes(), limit in 0usize..20) {
            let mut scores = Scores::new(limit);
            // So close together that they share a cell of the grid.
            let near = |o: &Outcome| Outcome { probability: 0.2 + o.probability * 1e-5, ..*o };
            let outcomes: Vec<Outcome> = outcomes.iter().map(near).collect();
            outcomes.iter().for_each(|outcome| scores.push(outcome));
            let (exact, held) = (binary(&outcomes), scores.quality());
            prop_assert_eq!(exact.confusion, held.confusion);
            match (exact.auc, held.auc_bounds) {
                (Some(auc), Some((low, high))) => prop_assert!(low - 1e-12 <= auc && auc <= high + 1e-12),
                _ => prop_assert_eq!(exact.auc, held.auc),
            }
        }
    }

    #[test]
    fn nothing_is_known_about_nothing() {
        let none = binary(&[]);
        assert_eq!((none.accuracy, none.precision, none.auc, none.brier), (None, None, None, None));
    }
}
