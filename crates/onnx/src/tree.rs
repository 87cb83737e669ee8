//! TreeEnsembleClassifier and TreeEnsembleRegressor.

use crate::attributes::{Attributes, Labels};
use crate::linear::{PostTransform, largest};
use crate::tensor::{Tensor, Value};
use std::collections::HashMap;

/// A node of a tree. Children are places in the same list.
struct Node {
    mode: Mode,
    feature: usize,
    value: f32,
    yes: usize,
    no: usize,
    missing_is_yes: bool,
    /// At leaves: class or target, and weight.
    weights: Vec<(usize, f32)>,
}

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Leq,
    Lt,
    Gte,
    Gt,
    Eq,
    Neq,
    Leaf,
}

struct Ensemble {
    nodes: Vec<Node>,
    roots: Vec<usize>,
    base: Vec<f32>,
    outputs: usize,
}

impl Ensemble {
    /// `role` is `class` or `target`: the prefix of the attributes that hold the leaves' weights.
    fn of(attributes: &Attributes<'_>, role: &str, outputs: usize) -> Result<Self, String> {
        let ints = |name: &str| attributes.ints(name);
        let (trees, ids) = (ints("nodes_treeids"), ints("nodes_nodeids"));
        let (features, values) = (ints("nodes_featureids"), attributes.floats("nodes_values"));
        let (yes, no) = (ints("nodes_truenodeids"), ints("nodes_falsenodeids"));
        let (modes, missing) = (attributes.words("nodes_modes"), ints("nodes_missing_value_tracks_true"));
        let count = ids.len();
        if [trees.len(), features.len(), values.len(), yes.len(), no.len(), modes.len()] != [count; 6] {
            return Err("the lists that describe its nodes are not equally long".to_owned());
        }
        let places: HashMap<(i64, i64), usize> = (0..count).map(|at| ((trees[at], ids[at]), at)).collect();
        let mut nodes = Vec::with_capacity(count);
        for at in 0..count {
            let mode = mode(&modes[at])?;
            let child = |id: i64| match mode {
                Mode::Leaf => Ok(at),
                // Children come after their parents, so that no walk can go in circles.
                _ => places
                    .get(&(trees[at], id))
                    .copied()
                    .filter(|child| *child > at)
                    .ok_or("a node has no proper child"),
            };
            let feature =
                usize::try_from(features[at]).map_err(|_| "a node asks for an impossible feature")?;
            let missing_is_yes = missing.get(at).is_some_and(|flag| *flag != 0);
            nodes.push(Node {
                mode,
                feature,
                value: values[at],
                yes: child(yes[at])?,
                no: child(no[at])?,
                missing_is_yes,
                weights: Vec::new(),
            });
        }
        let (leaf_trees, leaf_nodes) = (ints(&format!("{role}_treeids")), ints(&format!("{role}_nodeids")));
        let (leaf_ids, weights) =
            (ints(&format!("{role}_ids")), attributes.floats(&format!("{role}_weights")));
        if [leaf_trees.len(), leaf_nodes.len(), leaf_ids.len()] != [weights.len(); 3] {
            return Err("the lists that describe its leaves are not equally long".to_owned());
        }
        for at in 0..weights.len() {
            let place = places.get(&(leaf_trees[at], leaf_nodes[at])).ok_or("a weight belongs to no node")?;
            let output = usize::try_from(leaf_ids[at])
                .ok()
                .filter(|output| *output < outputs)
                .ok_or("a weight belongs to no output")?;
            nodes[*place].weights.push((output, weights[at]));
        }
        let mut seen = std::collections::HashSet::new();
        let roots = (0..count).filter(|at| seen.insert(trees[*at])).collect();
        Ok(Self { nodes, roots, base: attributes.floats("base_values"), outputs })
    }

    /// The leaf that a row falls in.
    fn leaf(&self, root: usize, row: &[f32]) -> Result<&Node, String> {
        let mut node = &self.nodes[root];
        while node.mode != Mode::Leaf {
            let x = *row.get(node.feature).ok_or("a node asks for a feature that is not there")?;
            let yes = (x.is_nan() && node.missing_is_yes)
                || match node.mode {
                    Mode::Leq => x <= node.value,
                    Mode::Lt => x < node.value,
                    Mode::Gte => x >= node.value,
                    Mode::Gt => x > node.value,
                    Mode::Eq => x.total_cmp(&node.value).is_eq(),
                    Mode::Neq => x.total_cmp(&node.value).is_ne(),
                    Mode::Leaf => false,
                };
            node = &self.nodes[if yes { node.yes } else { node.no }];
        }
        Ok(node)
    }

    /// Per output, the combined weights of all trees and whether any tree spoke; without the base values.
    fn sum(&self, row: &[f32], aggregate: Aggregate) -> Result<Vec<f32>, String> {
        let mut totals: Vec<Option<f32>> = vec![None; self.outputs];
        for root in &self.roots {
            for (output, weight) in &self.leaf(*root, row)?.weights {
                let total = &mut totals[*output];
                *total = Some(match (*total, aggregate) {
                    (None, _) => *weight,
                    (Some(total), Aggregate::Sum | Aggregate::Average) => total + weight,
                    (Some(total), Aggregate::Min) => total.min(*weight),
                    (Some(total), Aggregate::Max) => total.max(*weight),
                });
            }
        }
        let trees = self.roots.len().max(1) as f32;
        let scale = |total: f32| if aggregate == Aggregate::Average { total / trees } else { total };
        let base = |output: usize| self.base.get(output).copied().unwrap_or(0.0);
        Ok(totals
            .iter()
            .enumerate()
            .map(|(output, total)| scale(total.unwrap_or(0.0)) + base(output))
            .collect())
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Aggregate {
    Sum,
    Average,
    Min,
    Max,
}

fn mode(word: &str) -> Result<Mode, String> {
    Ok(match word {
        "BRANCH_LEQ" => Mode::Leq,
        "BRANCH_LT" => Mode::Lt,
        "BRANCH_GTE" => Mode::Gte,
        "BRANCH_GT" => Mode::Gt,
        "BRANCH_EQ" => Mode::Eq,
        "BRANCH_NEQ" => Mode::Neq,
        "LEAF" => Mode::Leaf,
        other => return Err(format!("the node mode `{other}` is not known")),
    })
}

/// `ai.onnx.ml.TreeEnsembleClassifier`: labels and scores.
pub(crate) fn classify(attributes: &Attributes<'_>, input: &Value) -> Result<Vec<Value>, String> {
    let labels = Labels::of(attributes, "classlabels_strings", "classlabels_int64s")?;
    let post = PostTransform::of(attributes)?;
    let ensemble = Ensemble::of(attributes, "class", labels.len())?;
    // With two labels and weights for one class only, that class's score speaks for the second label.
    let ids = attributes.ints("class_ids");
    let one_sided = labels.len() == 2 && ids.windows(2).all(|pair| pair[0] == pair[1]);
    let all_positive = attributes.floats("class_weights").iter().all(|weight| *weight >= 0.0);
    let mut places = Vec::new();
    let mut flat = Vec::new();
    for row in input.floats()?.rows() {
        let mut scores = ensemble.sum(row, Aggregate::Sum)?;
        if one_sided {
            let at = ids.first().copied().unwrap_or(0).unsigned_abs() as usize;
            let base = ensemble.base.first().copied().unwrap_or(0.0);
            let raw = scores[at.min(1)] - ensemble.base.get(at).copied().unwrap_or(0.0) + base;
            let margin = if all_positive && post == PostTransform::None { 0.5 } else { 0.0 };
            places.push(usize::from(raw > margin));
            scores = match post {
                PostTransform::None if all_positive => vec![1.0 - raw, raw],
                PostTransform::None
                | PostTransform::Probit
                | PostTransform::Softmax
                | PostTransform::SoftmaxZero => vec![-raw, raw],
                PostTransform::Logistic => vec![-raw, raw],
            };
        } else {
            places.push(largest(&scores));
        }
        post.apply(&mut scores);
        flat.extend(scores);
    }
    Ok(vec![labels.pick(&places), Value::Floats(Tensor::new(flat, labels.len()))])
}

/// `ai.onnx.ml.TreeEnsembleRegressor`.
pub(crate) fn regress(attributes: &Attributes<'_>, input: &Value) -> Result<Vec<Value>, String> {
    let targets = usize::try_from(attributes.int("n_targets", 1))
        .map_err(|_| "its number of targets is impossible")?
        .clamp(1, 10_000);
    let aggregate = match attributes.word("aggregate_function", "SUM").as_str() {
        "SUM" => Aggregate::Sum,
        "AVERAGE" => Aggregate::Average,
        "MIN" => Aggregate::Min,
        "MAX" => Aggregate::Max,
        other => return Err(format!("the aggregate function `{other}` is not known")),
    };
    let post = PostTransform::of(attributes)?;
    let ensemble = Ensemble::of(attributes, "target", targets)?;
    let mut flat = Vec::new();
    for row in input.floats()?.rows() {
        let mut scores = ensemble.sum(row, aggregate)?;
        post.apply(&mut scores);
        flat.extend(scores);
    }
    Ok(vec![Value::Floats(Tensor::new(flat, targets))])
}
