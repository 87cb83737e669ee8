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
    /// 95 % interval of the precision, given how many were predicted positive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision_interval: Option<(f64, f64)>,
    /// 95 % interval of the recall, given how many are positive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recall_interval: Option<(f64, f64)>,
    /// 95 % interval of F1, through that of `tp / (tp + fp + fn)`, of which F1 is a rising function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub f1_interval: Option<(f64, f64)>,
    /// 95 % interval of the AUC, on the safe side: its variance is at most `auc (1 - auc)` over the smaller of the
    /// numbers of positives and negatives (Birnbaum and Klose 1957), so Wilson's interval of that size is wide enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auc_interval: Option<(f64, f64)>,
    /// Mean negative log-likelihood, probabilities held off 0 and 1 by 2^-52, as scikit-learn does.
    pub log_loss: Option<f64>,
    /// Mean squared error of the probability.
    pub brier: Option<f64>,
}

/// Computes the figures. The order of the outcomes does not matter, not even to the last digit. Where a probability is
/// none (NaN, or outside 0 to 1), the figures that rest on probabilities are absent.
pub fn binary(outcomes: &[Outcome]) -> BinaryQuality {
    let mut outcomes = outcomes.to_vec();
    outcomes.sort_by(|a, b| a.probability.total_cmp(&b.probability).then(a.actual.cmp(&b.actual)));
    let outcomes = outcomes.as_slice();
    let tally = |actual, predicted| {
        outcomes.iter().filter(|o| o.actual == actual && o.predicted == predicted).count() as u64
    };
    let confusion @ [tp, fp, tn, fn_] =
        [tally(true, true), tally(false, true), tally(false, false), tally(true, false)];
    let samples = outcomes.len() as u64;
    let are_probabilities = outcomes.iter().all(|o| (0.0..=1.0).contains(&o.probability));
    let mean = |f: &dyn Fn(&Outcome) -> f64| {
        (samples > 0 && are_probabilities).then(|| outcomes.iter().map(f).sum::<f64>() / samples as f64)
    };
    let squared = |o: &Outcome| (o.probability - f64::from(u8::from(o.actual))).powi(2);
    let surprise = |o: &Outcome| {
        let p = o.probability.clamp(f64::EPSILON, 1.0 - f64::EPSILON);
        -(if o.actual { p } else { 1.0 - p }).ln()
    };
    let auc = auc(outcomes).filter(|_| are_probabilities);
    let f1_of = |jaccard: f64| 2.0 * jaccard / (1.0 + jaccard);
    BinaryQuality {
        samples,
        confusion,
        accuracy: ratio(tp + tn, samples),
        accuracy_interval: wilson(tp + tn, samples),
        precision: ratio(tp, tp + fp),
        precision_interval: wilson(tp, tp + fp),
        recall: ratio(tp, tp + fn_),
        recall_interval: wilson(tp, tp + fn_),
        f1: ratio(2 * tp, 2 * tp + fp + fn_),
        f1_interval: wilson(tp, tp + fp + fn_).map(|(low, high)| (f1_of(low), f1_of(high))),
        auc,
        auc_interval: auc.map(|auc| score_interval(auc, (tp + fn_).min(fp + tn) as f64, Z_95)),
        log_loss: mean(&surprise),
        brier: mean(&squared),
    }
}

pub(crate) fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// The 97.5 % point of the normal distribution.
const Z_95: f64 = 1.959_963_984_540_054;

/// The 95 % interval of a share (Wilson 1927).
pub fn wilson(part: u64, whole: u64) -> Option<(f64, f64)> {
    Some(score_interval(ratio(part, whole)?, whole as f64, Z_95))
}

/// Wilson's interval of a share of `n`, `z` standard errors to each side.
pub(crate) fn score_interval(share: f64, n: f64, z: f64) -> (f64, f64) {
    let middle = (share + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    // At 0 and 1 the interval ends there exactly; rounding must not move it.
    let low = if share <= 0.0 { 0.0 } else { (middle - half).max(0.0) };
    let high = if share >= 1.0 { 1.0 } else { (middle + half).min(1.0) };
    (low, high)
}

/// By ranks (Mann and Whitney), ties sharing their mean rank; of outcomes in the order of their probabilities.
fn auc(sorted: &[Outcome]) -> Option<f64> {
    let positives = sorted.iter().filter(|o| o.actual).count() as f64;
    let negatives = sorted.len() as f64 - positives;
    if positives == 0.0 || negatives == 0.0 || sorted.iter().any(|o| o.probability.is_nan()) {
        return None;
    }
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
        fn order_does_not_matter_to_the_last_digit(mut outcomes in outcomes(), turn in 0usize..60) {
            let before = binary(&outcomes);
            outcomes.reverse();
            let turn = turn.min(outcomes.len());
            outcomes.rotate_left(turn);
            prop_assert_eq!(before, binary(&outcomes));
        }

        #[test]
        fn a_figure_lies_in_its_interval(outcomes in outcomes()) {
            let q = binary(&outcomes);
            for (figure, interval) in [
                (q.accuracy, q.accuracy_interval), (q.precision, q.precision_interval),
                (q.recall, q.recall_interval), (q.f1, q.f1_interval), (q.auc, q.auc_interval),
            ] {
                prop_assert_eq!(figure.is_some(), interval.is_some());
                if let (Some(figure), Some((low, high))) = (figure, interval) {
                    prop_assert!(0.0 <= low && low <= figure + 1e-15 && figure <= high + 1e-15 && high <= 1.0);
                }
            }
        }
    }

    #[test]
    fn nothing_is_known_about_nothing() {
        let none = binary(&[]);
        assert_eq!((none.accuracy, none.precision, none.auc, none.brier), (None, None, None, None));
    }

    #[test]
    fn what_is_undefined_is_absent_and_not_zero() {
        let one = |actual, predicted, probability| Outcome { actual, predicted, probability };
        let only_negatives = binary(&[one(false, false, 0.1), one(false, true, 0.9)]);
        assert_eq!((only_negatives.recall, only_negatives.auc), (None, None));
        assert_eq!((only_negatives.precision, only_negatives.f1), (Some(0.0), Some(0.0)));
        let none_predicted = binary(&[one(true, false, 0.4), one(false, false, 0.1)]);
        assert_eq!((none_predicted.precision, none_predicted.recall), (None, Some(0.0)));
        assert_eq!(binary(&[one(false, false, 0.1)]).f1, None);
        for odd in [f64::NAN, -0.1, 1.5, f64::INFINITY] {
            let q = binary(&[one(true, true, odd), one(false, false, 0.2)]);
            assert_eq!((q.accuracy, q.auc, q.log_loss, q.brier), (Some(1.0), None, None, None));
        }
        let sure_and_wrong = binary(&[one(true, false, 0.0), one(false, true, 1.0)]);
        assert!(sure_and_wrong.log_loss.is_some_and(|loss| (loss - 36.043_653_389_117_15).abs() < 1e-9));
    }

    #[test]
    fn the_interval_of_a_perfect_separation_is_not_a_point() {
        let outcomes: Vec<Outcome> = (0..20)
            .map(|n| Outcome { actual: n >= 10, predicted: n >= 10, probability: f64::from(n) / 20.0 })
            .collect();
        let q = binary(&outcomes);
        assert_eq!(q.auc, Some(1.0));
        assert!(q.auc_interval.is_some_and(|(low, high)| low < 0.75 && high >= 1.0));
    }
}
