//! Fitting: standardised and one-hot encoded features, logistic regression with an L2 penalty.

use crate::table::{Feature, Kind, Table};
use smartcore::linalg::basic::arrays::Array;
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::linear::logistic_regression::{LogisticRegression, LogisticRegressionParameters};
use std::collections::BTreeMap;

/// A fitted model: one weight for every encoded column.
pub(crate) struct Model {
    pub(crate) features: Vec<Feature>,
    pub(crate) weights: Vec<f32>,
    pub(crate) intercept: f32,
    /// The other label, and the positive one.
    pub(crate) labels: [String; 2],
}

pub(crate) fn fit(
    table: &Table,
    features: &[Feature],
    (label, positive): (&str, &str),
    l2: f64,
) -> Result<Model, String> {
    let column = table.column(label)?;
    let mut others: Vec<&String> =
        table.rows.iter().map(|row| &row[column]).filter(|cell| *cell != positive).collect();
    others.sort();
    others.dedup();
    let [other] = others.as_slice() else {
        return Err(format!(
            "the column `{label}` must hold `{positive}` and one other label; it holds {} others",
            others.len()
        ));
    };
    let truth: Vec<i32> = table.rows.iter().map(|row| i32::from(row[column] == positive)).collect();
    if truth.iter().sum::<i32>() == 0 {
        return Err(format!("no row has the label `{positive}`"));
    }
    let rows: Vec<Vec<f64>> = table.rows.iter().map(|row| encode(features, row)).collect();
    let matrix = DenseMatrix::from_2d_vec(&rows).map_err(|error| error.to_string())?;
    let parameters = LogisticRegressionParameters::default().with_alpha(l2);
    let fitted = LogisticRegression::fit(&matrix, &truth, parameters).map_err(|error| error.to_string())?;
    let coefficients = fitted.coefficients();
    let weights = (0..rows[0].len()).map(|at| *coefficients.get((0, at)) as f32).collect();
    let features = features.iter().map(Feature::again).collect();
    let intercept = *fitted.intercept().get((0, 0)) as f32;
    Ok(Model { features, weights, intercept, labels: [(*other).clone(), positive.to_owned()] })
}

fn encode(features: &[Feature], row: &[String]) -> Vec<f64> {
    let mut encoded = Vec::new();
    for feature in features {
        let cell = &row[feature.column];
        match &feature.kind {
            Kind::Number { mean, deviation } => {
                encoded.push((cell.parse::<f64>().unwrap_or(*mean) - mean) / deviation);
            }
            Kind::Category(words) => {
                encoded.extend(words.iter().map(|word| f64::from(u8::from(word == cell))));
            }
        }
    }
    encoded
}

impl Feature {
    fn again(&self) -> Self {
        let kind = match &self.kind {
            Kind::Number { mean, deviation } => Kind::Number { mean: *mean, deviation: *deviation },
            Kind::Category(words) => Kind::Category(words.clone()),
        };
        Self { name: self.name.clone(), column: self.column, kind }
    }
}

impl Model {
    /// The probability of the positive label.
    fn probability(&self, row: &[String]) -> f64 {
        let score = encode(&self.features, row)
            .iter()
            .zip(&self.weights)
            .map(|(x, w)| x * f64::from(*w))
            .sum::<f64>();
        1.0 / (1.0 + (-(score + f64::from(self.intercept))).exp())
    }

    /// What the program can say about itself: how well it fits what it was shown.
    pub(crate) fn training_metrics(&self, table: &Table, label: &str) -> BTreeMap<&'static str, f64> {
        let Ok(column) = table.column(label) else { return BTreeMap::new() };
        let right = |row: &&Vec<String>| (self.probability(row) > 0.5) == (row[column] == self.labels[1]);
        let right = table.rows.iter().filter(right).count() as f64;
        let rows = table.rows.len() as f64;
        BTreeMap::from([
            ("train_accuracy", right / rows),
            ("train_rows", rows),
            ("encoded_features", self.weights.len() as f64),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn learns_what_is_there_to_learn() {
        let rows = (0..200).map(|n| {
            let word = if n % 3 == 0 { "a" } else { "b" };
            let label = if n % 3 == 0 || n > 150 { "good" } else { "bad" };
            vec![n.to_string(), word.to_owned(), label.to_owned()]
        });
        let table = Table { names: vec!["n".into(), "word".into(), "label".into()], rows: rows.collect() };
        let features = table.features("label", "all").unwrap();
        let model = fit(&table, &features, ("label", "good"), 0.1).unwrap();
        assert!(model.training_metrics(&table, "label")["train_accuracy"] > 0.9);
        assert_eq!(model.labels, ["bad", "good"]);
        assert!(fit(&table, &features, ("word", "x"), 0.1).is_err());
        assert!(table.features("label", "nothing").is_err());
    }
}
