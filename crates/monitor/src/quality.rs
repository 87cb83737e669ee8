//! Quality of a binary classifier, from pairs of prediction and truth.

use serde::{Deserialize, Serialize};

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
    /// Mean negative log-likelihood, probabilities held off 0 and 1 by 2^-52, as scikit-learn does.
    pub log_loss: Option<f64>,
    /// Mean squared error of the probability.
    pub brier: Option<f64>,
}

/// Computes the figures.
pub fn binary(outcomes: &[Outcome]) -> BinaryQuality {
    let tally = |actual, predicted| {
        outcomes.iter().filter(|o| o.actual == actual && o.predicted == predicted).count() as u64
    };
    let confusion @ [tp, fp, tn, fn_] =
        [tally(true, true), tally(false, true), tally(false, false), tally(true, false)];
    let samples = outcomes.len() as u64;
    let mean = |f: &dyn Fn(&Outcome) -> f64| {
        (samples > 0).then(|| outcomes.iter().map(f).sum::<f64>() / samples as f64)
    };
    let squared = |o: &Outcome| (o.probability - f64::from(u8::from(o.actual))).powi(2);
    let surprise = |o: &Outcome| {
        let p = o.probability.clamp(f64::EPSILON, 1.0 - f64::EPSILON);
        -(if o.actual { p } else { 1.0 - p }).ln()
    };
    BinaryQuality {
        samples,
        confusion,
        accuracy: ratio(tp + tn, samples),
        accuracy_interval: wilson(tp + tn, samples),
        precision: ratio(tp, tp + fp),
        recall: ratio(tp, tp + fn_),
        f1: ratio(2 * tp, 2 * tp + fp + fn_),
        auc: auc(outcomes),
        log_loss: mean(&surprise),
        brier: mean(&squared),
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

/// By ranks (Mann and Whitney), ties sharing their mean rank.
fn auc(outcomes: &[Outcome]) -> Option<f64> {
    let positives = outcomes.iter().filter(|o| o.actual).count() as f64;
    let negatives = outcomes.len() as f64 - positives;
    if positives == 0.0 || negatives == 0.0 || outcomes.iter().any(|o| o.probability.is_nan()) {
        return None;
    }
    let mut sorted: Vec<&Outcome> = outcomes.iter().collect();
    sorted.sort_by(|a, b| a.probability.total_cmp(&b.probability));
    let (mut at, mut rank_sum) = (0, 0.0);
    while at < sorted.len() {
        let mut end = at;
        while end < sorted.len() && sorted[end].probability <= sorted[at].probability {
            end += 1;
        }
        let mean_rank = (at + end + 1) as f64 / 2.0;
        rank_sum += mean_rank * sorted[at..end].iter().filter(|o| o.actual).count() as f64;
        at = end;
    }
    Some((rank_sum - positives * (positives + 1.0) / 2.0) / (positives * negatives))
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
        fn order_does_not_matter(mut outcomes in outcomes()) {
            let before = binary(&outcomes);
            outcomes.reverse();
            let after = binary(&outcomes);
            prop_assert_eq!((before.confusion, before.accuracy, before.auc), (after.confusion, after.accuracy, after.auc));
        }
    }

    #[test]
    fn nothing_is_known_about_nothing() {
        let none = binary(&[]);
        assert_eq!((none.accuracy, none.precision, none.auc, none.brier), (None, None, None, None));
    }
}
