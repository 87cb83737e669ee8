//! LinearClassifier and LinearRegressor, and what is done to scores after them.

use crate::attributes::{Attributes, Labels};
use crate::tensor::{Tensor, Value};

/// What is done to the scores of one row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum PostTransform {
    None,
    Logistic,
    Softmax,
    SoftmaxZero,
    Probit,
}

impl PostTransform {
    pub(crate) fn of(attributes: &Attributes<'_>) -> Result<Self, String> {
        match attributes.word("post_transform", "NONE").as_str() {
            "NONE" => Ok(Self::None),
            "LOGISTIC" => Ok(Self::Logistic),
            "SOFTMAX" => Ok(Self::Softmax),
            "SOFTMAX_ZERO" => Ok(Self::SoftmaxZero),
            "PROBIT" => Ok(Self::Probit),
            other => Err(format!("the post transform `{other}` is not known")),
        }
    }

    pub(crate) fn apply(self, row: &mut [f32]) {
        match self {
            Self::None => {}
            Self::Logistic => row.iter_mut().for_each(|score| *score = logistic(*score)),
            Self::Softmax => softmax(row, |_| true),
            // Scores of exactly zero stay zero.
            Self::SoftmaxZero => softmax(row, |score| score.abs() > 1e-7),
            Self::Probit => row.iter_mut().for_each(|score| *score = probit(*score)),
        }
    }
}

/// The logistic function, in the form that does not overflow.
pub(crate) fn logistic(x: f32) -> f32 {
    let v = 1.0 / (1.0 + (-x.abs()).exp());
    if x < 0.0 { 1.0 - v } else { v }
}

pub(crate) fn softmax(row: &mut [f32], counts: impl Fn(f32) -> bool) {
    let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for score in row.iter_mut() {
        *score = if counts(*score) { (*score - most).exp() } else { 0.0 };
        sum += *score;
    }
    if sum > 0.0 {
        row.iter_mut().for_each(|score| *score /= sum);
    }
}

/// The inverse of the normal distribution, by Winitzki's approximation, as ONNX Runtime has it.
fn probit(p: f32) -> f32 {
    let x = 2.0 * p - 1.0;
    let sign = if x < 0.0 { -1.0 } else { 1.0 };
    let log = ((1.0 - x) * (1.0 + x)).ln();
    let v = 2.0 / (std::f32::consts::PI * 0.147) + 0.5 * log;
    let v2 = log / 0.147;
    std::f32::consts::SQRT_2 * sign * ((v * v - v2).sqrt() - v).sqrt()
}

/// Scores of every class for every row: `x * w + b`.
fn scores(
    input: &Tensor<f32>,
    coefficients: &[f32],
    intercepts: &[f32],
    classes: usize,
) -> Result<Vec<Vec<f32>>, String> {
    if coefficients.len() != classes * input.width {
        return Err(format!(
            "{} coefficients do not fit {classes} classes of {} features",
            coefficients.len(),
            input.width
        ));
    }
    let score = |row: &[f32], class: usize| {
        let weights = &coefficients[class * input.width..(class + 1) * input.width];
        row.iter().zip(weights).map(|(x, w)| x * w).sum::<f32>()
            + intercepts.get(class).copied().unwrap_or(0.0)
    };
    Ok(input.rows().map(|row| (0..classes).map(|class| score(row, class)).collect()).collect())
}

/// `ai.onnx.ml.LinearClassifier`: labels and scores.
pub(crate) fn classify(attributes: &Attributes<'_>, input: &Value) -> Result<Vec<Value>, String> {
    let labels = Labels::of(attributes, "classlabels_strings", "classlabels_ints")?;
    let post = PostTransform::of(attributes)?;
    let input = input.floats()?;
    let coefficients = attributes.floats("coefficients");
    let binary = labels.len() == 2 && coefficients.len() == input.width;
    let classes = if binary { 1 } else { labels.len() };
    let mut places = Vec::new();
    let mut flat = Vec::new();
    for mut row in scores(&input, &coefficients, &attributes.floats("intercepts"), classes)? {
        if binary {
            // One score speaks for the second class, and its opposite for the first.
            places.push(usize::from(row[0] > if post == PostTransform::Logistic { 0.0 } else { 0.5 }));
            post.apply(&mut row);
            flat.extend([1.0 - row[0], row[0]]);
        } else {
            places.push(largest(&row));
            post.apply(&mut row);
            flat.extend(row);
        }
    }
    Ok(vec![labels.pick(&places), Value::Floats(Tensor::new(flat, labels.len()))])
}

/// `ai.onnx.ml.LinearRegressor`.
pub(crate) fn regress(attributes: &Attributes<'_>, input: &Value) -> Result<Vec<Value>, String> {
    let targets = usize::try_from(attributes.int("targets", 1))
        .map_err(|_| "its number of targets is impossible")?
        .max(1);
    let post = PostTransform::of(attributes)?;
    let rows = scores(
        &input.floats()?,
        &attributes.floats("coefficients"),
        &attributes.floats("intercepts"),
        targets,
    )?;
    let mut flat = Vec::new();
    for mut row in rows {
        post.apply(&mut row);
        flat.extend(row);
    }
    Ok(vec![Value::Floats(Tensor::new(flat, targets))])
}

/// The place of the largest, the first among equals.
pub(crate) fn largest(row: &[f32]) -> usize {
    let mut best = 0;
    for (at, score) in row.iter().enumerate() {
        if *score > row[best] {
            best = at;
        }
    }
    best
}
