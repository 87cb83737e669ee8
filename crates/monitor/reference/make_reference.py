"""Makes reference.json: inputs and the numbers that SciPy, scikit-learn and Fairlearn give for them.

pip install scipy scikit-learn fairlearn; python3 make_reference.py
"""
import json
import pathlib

import fairlearn
import numpy as np
import scipy
import sklearn
from fairlearn.metrics import demographic_parity_difference, demographic_parity_ratio, equalized_odds_difference, true_positive_rate, MetricFrame
from scipy import stats
from sklearn import metrics

rng = np.random.default_rng(11)
numeric, category, quality = [], [], []
for n, m, shift in [(300, 200, 0.0), (300, 200, 0.4), (1000, 1000, 1.5), (50, 60, 0.1)]:
    a = np.round(rng.normal(size=n), 2)
    b = np.round(rng.normal(loc=shift, size=m), 2)
    d = stats.ks_2samp(a, b, method="auto")
    numeric.append({"a": a.tolist(), "b": b.tolist(), "statistic": d.statistic, "p": float(d.pvalue)})
# Samples that are told by four numbers each, so that large ones need no room here: (i * step) % modulus + shift.
made = lambda n, step, modulus, shift: [(i * step) % modulus + shift for i in range(n)]
ks = []
for a, b in [
    ((1, 1, 1, 0), (1, 1, 1, 0)), ((1, 1, 1, 0), (1, 1, 1, 1)), ((1, 1, 1, 3), (7, 1, 7, 0)), ((2, 1, 2, 0), (3, 1, 3, 0)),
    ((50, 7, 50, 0), (50, 7, 50, 0)), ((50, 7, 5, 0), (40, 3, 5, 0)), ((50, 7, 5, 0), (40, 3, 5, 2)), ((8, 1, 8, 0), (8, 1, 8, 8)),
    ((7, 2, 14, 0), (7, 2, 14, 1)), ((6, 2, 12, 0), (6, 2, 12, 1)),  # of the first SciPy's counting makes more than 1, and gives it up
    ((1000, 7, 1009, 0), (999, 11, 1009, 30)), ((1000, 7, 1009, 0), (50, 11, 1009, 200)), ((600, 7, 6, 0), (600, 7, 6, 1)), ((2, 1, 2, 0), (10000, 7, 97, -40)),
    ((10000, 7919, 10007, 0), (10000, 7907, 10009, 150)), ((10000, 7919, 10007, 0), (9999, 7907, 10009, 150)), ((10000, 7919, 10007, 0), (9999, 7907, 10009, 900)),
    ((10000, 7919, 10007, 0), (9999, 7907, 10009, 4000)), ((10000, 7919, 10007, 0), (10000, 7919, 10007, 0)), ((10000, 7919, 101, 0), (300, 7907, 101, 4)),
    ((10001, 7919, 10007, 0), (10000, 7907, 10009, 150)), ((10001, 7919, 10007, 0), (10001, 7907, 10009, 60)), ((10001, 7919, 10007, 0), (10001, 7907, 10009, 12)),
    ((10001, 7919, 10007, 0), (9000, 7907, 10009, 400)), ((10001, 7919, 10007, 0), (9000, 7907, 10009, 3000)), ((10001, 7919, 10007, 0), (1, 1, 1, 4000)),
    ((10001, 7919, 10007, 0), (1, 1, 1, 20000)), ((20000, 7919, 20011, 0), (12, 1709, 20011, 0)), ((20000, 7919, 20011, 0), (60, 3307, 20011, 1500)),
    ((20000, 7919, 20011, 0), (100, 3307, 20011, 900)), ((20000, 7919, 20011, 0), (130, 3307, 20011, 7000)), ((20000, 7919, 20011, 0), (130, 3307, 20011, 12000)),
    ((20000, 7919, 20011, 0), (200, 3307, 20011, 500)), ((20000, 7919, 20011, 0), (400, 3307, 20011, 100)), ((100000, 7919, 100003, 0), (100000, 7907, 100019, 800)),
    ((100000, 7919, 100003, 0), (100000, 7907, 100019, 400)), ((300000, 7919, 300007, 0), (250000, 7907, 300023, 1800)), ((300000, 7919, 7, 0), (250000, 7907, 7, 0)),
    ((400000, 7919, 400009, 0), (350000, 7907, 400031, 700)),
]:
    d = stats.ks_2samp(made(*a), made(*b), method="auto")
    ks.append({"a": a, "b": b, "statistic": d.statistic, "p": float(d.pvalue)})
kstwo = [{"n": n, "x": x, "p": float(stats.kstwo.sf(x, n))} for n in (1, 2, 5, 20, 100, 140, 141, 1000, 5000, 50000, 100001)
         for z in (0.3, 0.5, 0.8, 1.2, 1.45, 1.9, 2.5, 5, 12) for x in [z / n**0.5] if x < 1]
for n, m, weights in [(300, 200, [5, 3, 2]), (500, 500, [2, 3, 5]), (40, 50, [1, 1, 8])]:
    a = rng.choice(["x", "y", "z"], size=n, p=np.array([5, 3, 2]) / 10)
    b = rng.choice(["x", "y", "z"], size=m, p=np.array(weights) / 10)
    table = np.array([[np.sum(side == w) for w in "xyz"] for side in (a, b)])
    r = stats.chi2_contingency(table, correction=False)
    p, q = table[0] / n, table[1] / m
    category.append({"a": a.tolist(), "b": b.tolist(), "statistic": r.statistic, "p": r.pvalue, "psi": float(np.sum((q - p) * np.log(q / p)))})
for n in (60, 400):
    prob = np.round(rng.uniform(size=n), 2)
    actual = (rng.uniform(size=n) < prob * 0.6 + 0.2).astype(int)
    predicted = (prob > 0.5).astype(int)
    group = rng.choice(["f", "m", "d"], size=n, p=[0.45, 0.45, 0.1])
    tpr = MetricFrame(metrics=true_positive_rate, y_true=actual, y_pred=predicted, sensitive_features=group)
    quality.append({
        "actual": actual.tolist(), "predicted": predicted.tolist(), "probability": prob.tolist(), "group": group.tolist(),
        "accuracy": metrics.accuracy_score(actual, predicted), "auc": metrics.roc_auc_score(actual, prob),
        "precision": metrics.precision_score(actual, predicted), "recall": metrics.recall_score(actual, predicted),
        "f1": metrics.f1_score(actual, predicted), "log_loss": metrics.log_loss(actual, prob), "brier": metrics.brier_score_loss(actual, prob),
        "demographic_parity_difference": demographic_parity_difference(actual, predicted, sensitive_features=group),
        "demographic_parity_ratio": demographic_parity_ratio(actual, predicted, sensitive_features=group),
        "equalized_odds_difference": equalized_odds_difference(actual, predicted, sensitive_features=group),
        "equal_opportunity_difference": tpr.difference(),
    })
tails = [{"x": x, "k": k, "p": float(stats.chi2.sf(x, k))} for x, k in [(0.5, 1), (3.84, 1), (10, 2), (30, 9), (200, 9), (1300, 3), (5, 199), (260, 199)]]
wilson = [{"part": k, "whole": n, "low": r.low, "high": r.high} for k, n in [(0, 10), (7, 10), (250, 400), (400, 400)]
          for r in [stats.binomtest(k, n).proportion_ci(0.95, method="wilson")]]
versions = {"scipy": scipy.__version__, "sklearn": sklearn.__version__, "fairlearn": fairlearn.__version__}
out = {"versions": versions, "numeric": numeric, "ks": ks, "kstwo": kstwo, "category": category, "quality": quality, "chi2": tails, "wilson": wilson}
(pathlib.Path(__file__).parent / "reference.json").write_text(json.dumps(out) + "\n")
