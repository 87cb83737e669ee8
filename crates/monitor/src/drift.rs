//! Drift: has the population changed since the model was made?
//!
//! A verdict has three parts, because each alone misleads: the difference must be *significant* (all features of a
//! window together, by Benjamini and Hochberg, 1995), *large enough* to matter (PSI above a bound), and there must be
//! *enough* data. PSI alone is meaningless without the number of samples: with 100 rows it exceeds 0.1 by chance in
//! most windows; `psi_noise` is the value that chance alone exceeds in one of a hundred.

use crate::baseline::{self, Values};
use crate::distribution::{Counted, Distribution};
use crate::ks::{self, Method};
use crate::profile::{Feature, Profile, State};
use crate::psi::{Bin, Bins, Range};
use crate::special::chi_square_tail;
use crate::words::Words;
use facts::{ColumnName, Verdict};
use serde::{Deserialize, Serialize};

/// What counts as drift.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DriftSettings {
    /// The PSI from which a difference matters.
    pub psi: f64,
    /// The share of false alarms among alarms that is put up with.
    pub significance: f64,
    /// The fewest values, on each side, from which anything is concluded.
    pub min_samples: usize,
}

/// How one feature compares with the reference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeatureDrift {
    /// The feature.
    pub feature: ColumnName,
    /// `ks` (two-sample Kolmogorov-Smirnov) or `chi2` (two-sample contingency); empty if nothing could be compared.
    pub test: String,
    /// Whether the p-value of `ks` was counted out or is that of large samples; that of `chi2` is always asymptotic.
    #[serde(default)]
    pub method: Method,
    /// The test's statistic.
    pub statistic: f64,
    /// Its p-value.
    pub p_value: f64,
    /// Population stability index.
    pub psi: f64,
    /// The PSI that chance alone exceeds in one of a hundred windows of this size.
    pub psi_noise: f64,
    /// Values in the reference and in the window.
    pub samples: (u64, u64),
    /// Share of missing values in the reference and in the window.
    pub missing: (f64, f64),
    /// Where the window had more different values than are held: what the exact figures lie between. The figures
    /// above are then the smallest distance, the largest p-value and the PSI with new words as one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approximate: Option<Approximate>,
    /// Holds if there is no drift.
    pub verdict: Verdict,
}

impl FeatureDrift {
    /// Whether it has drifted.
    pub fn drifted(&self) -> bool {
        matches!(self.verdict, Verdict::Broken { .. })
    }

    fn is_undecided(&self) -> bool {
        self.approximate.as_ref().is_some_and(|known| known.undecided)
    }
}

/// Bounds of the exact figures, ends included; they are certain, not a matter of confidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Approximate {
    /// Why they are not known.
    pub why: String,
    /// Of the statistic.
    pub statistic: (f64, f64),
    /// Of the p-value.
    pub p_value: (f64, f64),
    /// Of the PSI.
    pub psi: (f64, f64),
    /// Whether they leave open if the feature has drifted.
    pub undecided: bool,
}

/// All features, the most changed first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DriftReport {
    /// The features.
    pub features: Vec<FeatureDrift>,
}

impl DriftReport {
    /// How many have drifted.
    pub fn drifted(&self) -> usize {
        self.features.iter().filter(|feature| feature.drifted()).count()
    }

    /// The largest PSI among the features with enough data.
    pub fn max_psi(&self) -> Option<f64> {
        self.known().map(|feature| feature.psi).max_by(f64::total_cmp)
    }

    /// What the largest PSI lies between, if one of them is approximate.
    pub fn max_psi_bounds(&self) -> Option<(f64, f64)> {
        self.known().find(|feature| feature.approximate.is_some())?;
        let bounds = |feature: &FeatureDrift| {
            feature.approximate.as_ref().map_or((feature.psi, feature.psi), |known| known.psi)
        };
        self.known().map(bounds).reduce(|a, b| (a.0.max(b.0), a.1.max(b.1)))
    }

    /// How many features may have drifted for all that is known, if that is more than have certainly drifted.
    pub fn drifted_bounds(&self) -> Option<(f64, f64)> {
        let (certain, open) = (self.drifted(), self.features.iter().filter(|one| one.is_undecided()).count());
        (open > 0).then_some((certain as f64, (certain + open) as f64))
    }

    fn known(&self) -> impl Iterator<Item = &FeatureDrift> {
        let known = |feature: &&FeatureDrift| !matches!(feature.verdict, Verdict::Unknown { .. });
        self.features.iter().filter(move |feature| known(feature) || feature.is_undecided())
    }
}

/// Compares every feature of a window with its baseline.
pub fn report(profile: &Profile, settings: &DriftSettings) -> DriftReport {
    let mut features: Vec<FeatureDrift> =
        profile.features().map(|(reference, current)| compare(reference, current, settings)).collect();
    // Where figures are approximate: what is certain in the worst case, and what is possible in the best.
    let certain = benjamini_hochberg(&features, settings.significance, |feature| feature.p_value);
    let possible = benjamini_hochberg(&features, settings.significance, least_p_value);
    for feature in features.iter_mut().filter(|feature| feature.verdict == Verdict::Holds) {
        feature.verdict = judge(feature, (certain, possible), settings);
        if let (Verdict::Unknown { .. }, Some(known)) = (&feature.verdict, &mut feature.approximate) {
            known.undecided = true;
        }
    }
    features.sort_by(|a, b| b.psi.total_cmp(&a.psi).then_with(|| a.feature.cmp(&b.feature)));
    DriftReport { features }
}

fn least_p_value(feature: &FeatureDrift) -> f64 {
    feature.approximate.as_ref().map_or(feature.p_value, |known| known.p_value.0)
}

fn judge(feature: &FeatureDrift, (certain, possible): (f64, f64), settings: &DriftSettings) -> Verdict {
    let psi = feature.approximate.as_ref().map_or((feature.psi, feature.psi), |known| known.psi);
    if feature.p_value <= certain && psi.0 > settings.psi {
        let reason = format!("PSI {:.3} is above {}, p = {:.2e}", feature.psi, settings.psi, feature.p_value);
        return Verdict::Broken { reason };
    }
    match &feature.approximate {
        Some(known) if least_p_value(feature) <= possible && psi.1 > settings.psi => {
            Verdict::Unknown { missing: format!("it cannot be told whether it has drifted: {}", known.why) }
        }
        _ => Verdict::Holds,
    }
}

/// The largest p-value that is significant among all.
fn benjamini_hochberg(features: &[FeatureDrift], level: f64, p_value: impl Fn(&FeatureDrift) -> f64) -> f64 {
    let mut p: Vec<f64> =
        features.iter().filter(|feature| feature.verdict == Verdict::Holds).map(p_value).collect();
    p.sort_by(f64::total_cmp);
    let count = p.len() as f64;
    let passes = |(rank, p): &(usize, &f64)| **p <= level * (*rank as f64 + 1.0) / count;
    p.iter().enumerate().filter(passes).map(|(_, p)| *p).next_back().unwrap_or(-1.0)
}

/// Everything but the judgement. The verdict is Holds if there is enough that can be compared.
fn compare(reference: &baseline::Feature, current: &Feature, settings: &DriftSettings) -> FeatureDrift {
    let share = |missing: u64, rows: u64| missing as f64 / rows.max(1) as f64;
    let mut drift = FeatureDrift {
        feature: reference.name.clone(),
        test: String::new(),
        method: Method::Asymptotic,
        statistic: 0.0,
        p_value: 1.0,
        psi: 0.0,
        psi_noise: 0.0,
        samples: (reference.present, current.present),
        missing: (
            share(reference.rows - reference.present, reference.rows),
            share(current.missing, current.missing + current.present),
        ),
        approximate: None,
        verdict: Verdict::Holds,
    };
    let unknown = |missing: String| Verdict::Unknown { missing };
    let bins = match (&reference.values, &current.state) {
        (Values::Numbers(_), State::Numbers { strays: 1.., .. }) => {
            drift.verdict = unknown("numbers on one side, words on the other".to_owned());
            return drift;
        }
        (Values::Numbers(numbers), State::Numbers { values, .. }) => number_test(&mut drift, numbers, values),
        (Values::Words(words), State::Words { known, novel }) => word_test(&mut drift, (words, known), novel),
        _ => {
            let why = "it has more different words in the reference than a category has";
            drift.verdict = unknown(why.to_owned());
            return drift;
        }
    };
    drift.psi = bins.psi().unwrap_or(0.0);
    drift.psi_noise = bins.noise(0.01).unwrap_or(0.0);
    let least = drift.samples.0.min(drift.samples.1);
    if least < settings.min_samples as u64 {
        drift.verdict = unknown(format!("{least} values are too few; {} are needed", settings.min_samples));
    }
    drift
}

fn number_test(drift: &mut FeatureDrift, reference: &baseline::Numbers, current: &Distribution<1>) -> Bins {
    "ks".clone_into(&mut drift.test);
    let set = |drift: &mut FeatureDrift, test: &ks::KolmogorovSmirnov| {
        (drift.statistic, drift.p_value, drift.method) = (test.statistic, test.p_value, test.method);
    };
    match current.counted() {
        Counted::Exact(values) => {
            let values: Vec<(f64, u64)> = values.into_iter().map(|(value, [count])| (value, count)).collect();
            if let Some(test) = ks::two_sample(&reference.counted, &values) {
                set(drift, &test);
            }
            reference.bins(&reference.grid.count(values.iter().map(|(value, count)| (*value, [*count]))))
        }
        Counted::Cells(cells) => {
            let bins = reference.bins(cells);
            if let (Some((least, most)), Some(psi)) = (ks::bounds(&reference.cells, cells), bins.psi()) {
                set(drift, &least);
                drift.approximate = Some(Approximate {
                    why: format!("the window has more than {} different numbers", current.limit()),
                    statistic: (least.statistic, most.statistic),
                    p_value: (most.p_value, least.p_value),
                    psi: (psi, psi),
                    undecided: false,
                });
            }
            bins
        }
    }
}

fn word_test(
    drift: &mut FeatureDrift,
    (reference, known): (&[(String, u64)], &[u64]),
    novel: &Words<1>,
) -> Bins {
    "chi2".clone_into(&mut drift.test);
    let bin = |range, reference, current| Bin { range, reference, current };
    let pairs = reference.iter().zip(known);
    let mut bins: Vec<Bin> =
        pairs.map(|((_, reference), current)| bin(Range::Word, *reference, *current)).collect();
    match novel.counted() {
        Some(words) => bins.extend(words.values().map(|[count]| bin(Range::Word, 0, *count))),
        None => bins.push(bin(Range::Other, 0, novel.total()[0])),
    }
    let bins = Bins(bins);
    let Some((statistic, freedom)) = bins.chi_square() else { return bins };
    (drift.statistic, drift.p_value) = (statistic, chi_square_tail(statistic, freedom));
    if let (None, Some(psi), Some(least)) = (novel.counted(), bins.psi(), bins.least()) {
        // The statistic is linear in what the reference does not have, so pooling leaves it as it is. The degrees of
        // freedom are those of at least one new word, and at most as many as there are values.
        let most = chi_square_tail(statistic, freedom - 1.0 + novel.total()[0] as f64);
        drift.approximate = Some(Approximate {
            why: format!(
                "the window has more than {} different words that the reference has not",
                novel.limit()
            ),
            statistic: (statistic, statistic),
            p_value: (drift.p_value, most),
            psi: (least, psi),
            undecided: false,
        });
        drift.p_value = most;
    }
    bins
}
