//! The comparison of a version with what serves, beside a second, slow one that knows whole numbers only: no rounding, no
//! words, one criterion after the other.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use facts::{AgainstIncumbent, Bound, Criterion, Verdict};
use proptest::prelude::*;
use registry::{VersionNumber, beside};
use std::collections::BTreeMap;

/// Figures are whole numbers of ten-thousandths.
const UNIT: f64 = 10_000.0;
const METRICS: [&str; 3] = ["auc", "brier", "f1"];

/// A criterion as the slow decision sees it.
#[derive(Debug, Clone)]
struct Asked {
    metric: usize,
    more_is_better: bool,
    /// Whether it may be worse by so much, or must be better by so much; nothing if it is not compared.
    by: Option<(bool, i64)>,
}

fn asked() -> impl Strategy<Value = Asked> {
    let by = proptest::option::weighted(0.8, (any::<bool>(), 0i64..400));
    (0..METRICS.len(), any::<bool>(), by).prop_map(|(metric, more_is_better, by)| Asked {
        metric,
        more_is_better,
        by,
    })
}

/// Figures of a version; some were not measured.
fn figures() -> impl Strategy<Value = Vec<Option<i64>>> {
    let near = (0i64..600).prop_map(|above| 7_000 + above);
    proptest::collection::vec(proptest::option::weighted(0.9, near), METRICS.len())
}

fn criterion(asked: &Asked) -> Criterion {
    let by = |units: i64| units as f64 / UNIT;
    Criterion {
        metric: METRICS[asked.metric].parse().unwrap(),
        group: None,
        bound: if asked.more_is_better { Bound::AtLeast(0.0) } else { Bound::AtMost(1.0) },
        against_incumbent: asked.by.map(|(worse, units)| match worse {
            true => AgainstIncumbent::WorseByAtMost(by(units)),
            false => AgainstIncumbent::BetterByAtLeast(by(units)),
        }),
    }
}

fn named(figures: &[Option<i64>]) -> BTreeMap<String, f64> {
    let pairs = METRICS.iter().zip(figures);
    pairs.filter_map(|(name, figure)| Some(((*name).to_owned(), (*figure)? as f64 / UNIT))).collect()
}

/// `broken`, `unknown` or `holds`, worked out slowly.
fn slowly(all: &[Asked], mine: &[Option<i64>], theirs: &[Option<i64>]) -> &'static str {
    let mut unknown = false;
    for asked in all {
        let Some((worse, units)) = asked.by else { continue };
        let (Some(mine), Some(theirs)) = (mine[asked.metric], theirs[asked.metric]) else {
            unknown = true;
            continue;
        };
        let lead = if asked.more_is_better { mine - theirs } else { theirs - mine };
        let least = if worse { -units } else { units };
        if lead < least {
            return "broken";
        }
    }
    if unknown { "unknown" } else { "holds" }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]
    #[test]
    fn both_decide_the_same(all in proptest::collection::vec(asked(), 0..5), mine in figures(), theirs in figures()) {
        let criteria: Vec<Criterion> = all.iter().map(criterion).collect();
        let (mine_named, theirs_named) = (named(&mine), named(&theirs));
        let verdict = beside(&criteria, &mine_named, Some((VersionNumber(1), Ok(&theirs_named))));
        let word = match &verdict {
            Verdict::Holds => "holds",
            Verdict::Broken { .. } => "broken",
            Verdict::Unknown { .. } => "unknown",
            Verdict::NotApplicable { .. } => "not applicable",
        };
        prop_assert_eq!(word, slowly(&all, &mine, &theirs), "{:?} {}", all, verdict);
        // Without an incumbent nothing is asked; with one that cannot be measured nothing passes.
        let alone = matches!(beside(&criteria, &mine_named, None), Verdict::NotApplicable { .. });
        prop_assert!(alone);
        let lost = beside(&criteria, &mine_named, Some((VersionNumber(1), Err("its key is disabled"))));
        let unknown = matches!(lost, Verdict::Unknown { .. });
        prop_assert!(unknown);
    }
}
