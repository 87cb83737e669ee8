//! A model: its inputs, its nodes in order, and running it.

use crate::OnnxError;
use crate::attributes::{Attributes, Labels};
use crate::ops::{OPERATORS, Operator};
use crate::proto::{FLOAT, GraphProto, INT64, ModelProto, NodeProto, STRING};
use crate::tensor::{Value, constant};
use prost::Message;
use std::collections::{BTreeMap, HashMap, HashSet};

const MAX_MODEL_BYTES: usize = 512 << 20;
const MAX_NODES: usize = 100_000;

/// What an input holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputKind {
    /// 32-bit floats.
    Floats,
    /// 64-bit integers.
    Ints,
    /// Words.
    Words,
}

/// An input of a model: a matrix of so many columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelInput {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: InputKind,
    /// Its columns.
    pub width: usize,
}

/// A model, checked and ready to run.
#[derive(Debug, Clone)]
pub struct Model {
    inputs: Vec<ModelInput>,
    outputs: Vec<String>,
    constants: HashMap<String, Value>,
    nodes: Vec<(NodeProto, Operator)>,
}

impl Model {
    /// Reads a model; every operator in it must be one that is supported.
    pub fn parse(bytes: &[u8]) -> Result<Self, OnnxError> {
        let not = |reason: &str| OnnxError::NotAModel(reason.to_owned());
        if bytes.len() > MAX_MODEL_BYTES {
            return Err(not("it is larger than 512 MiB"));
        }
        let proto = ModelProto::decode(bytes).map_err(|error| OnnxError::NotAModel(error.to_string()))?;
        let graph = proto.graph.ok_or_else(|| not("there is no graph in it"))?;
        if graph.node.len() > MAX_NODES {
            return Err(not("it has more than 100,000 nodes"));
        }
        let mut constants = HashMap::new();
        for tensor in &graph.initializer {
            constants.insert(tensor.name.clone(), constant(tensor)?);
        }
        let inputs = inputs(&graph, &constants)?;
        let outputs: Vec<String> = graph.output.iter().map(|output| output.name.clone()).collect();
        let nodes = order(graph.node, &inputs, &constants)?;
        let made: HashSet<&String> = nodes.iter().flat_map(|(node, _)| &node.output).collect();
        if outputs.is_empty() || outputs.iter().any(|output| !made.contains(output)) {
            return Err(not("an output is made by no node"));
        }
        Ok(Self { inputs, outputs, constants, nodes })
    }

    /// The inputs, in order.
    pub fn inputs(&self) -> &[ModelInput] {
        &self.inputs
    }

    /// The names of the outputs, in order.
    pub fn outputs(&self) -> &[String] {
        &self.outputs
    }

    /// The labels of the classifier that makes the outputs, if there is one.
    pub fn labels(&self) -> Vec<String> {
        let classifier = self.nodes.iter().rev().find(|(node, _)| node.op_type.ends_with("Classifier"));
        let labels = classifier.and_then(|(node, _)| {
            let attributes = Attributes::of(node);
            Labels::of(&attributes, "classlabels_strings", "classlabels_ints")
                .or_else(|_| Labels::of(&attributes, "classlabels_strings", "classlabels_int64s"))
                .ok()
        });
        labels.map_or_else(Vec::new, |labels| (0..labels.len()).map(|at| labels.text(at)).collect())
    }

    /// Runs the model. Inputs by name; outputs by name.
    pub fn run(&self, inputs: &BTreeMap<String, Value>) -> Result<BTreeMap<String, Value>, OnnxError> {
        let mut values: HashMap<&str, Value> = HashMap::new();
        for input in &self.inputs {
            let value = inputs
                .get(&input.name)
                .ok_or_else(|| OnnxError::Input(format!("the input `{}` is missing", input.name)))?;
            check(input, value)?;
            values.insert(&input.name, value.clone());
        }
        for (node, operator) in &self.nodes {
            let of_node = |reason: String| OnnxError::Node { node: name(node), reason };
            let arguments: Vec<&Value> = node
                .input
                .iter()
                .filter(|input| !input.is_empty())
                .map(|input| values.get(input.as_str()).or_else(|| self.constants.get(input)))
                .collect::<Option<_>>()
                .ok_or_else(|| of_node("an input is not there".to_owned()))?;
            let results = operator(&Attributes::of(node), &arguments).map_err(of_node)?;
            for (output, value) in node.output.iter().zip(results) {
                values.insert(output, value);
            }
        }
        let output = |name: &String| values.remove(name.as_str()).map(|value| (name.clone(), value));
        let found: Option<BTreeMap<String, Value>> = self.outputs.iter().map(output).collect();
        found.ok_or_else(|| OnnxError::Input("an output was not made".to_owned()))
    }
}

fn check(input: &ModelInput, value: &Value) -> Result<(), OnnxError> {
    let (fits, cells, width) = match value {
        Value::Floats(tensor) => (input.kind == InputKind::Floats, tensor.data.len(), tensor.width),
        Value::Ints(tensor) => (input.kind == InputKind::Ints, tensor.data.len(), tensor.width),
        Value::Words(tensor) => (input.kind == InputKind::Words, tensor.data.len(), tensor.width),
        Value::Maps(_) => (false, 0, 1),
    };
    if fits && width == input.width && cells % width == 0 {
        Ok(())
    } else {
        Err(OnnxError::Input(format!(
            "the input `{}` does not have the type and width that the model asks for",
            input.name
        )))
    }
}

fn inputs(graph: &GraphProto, constants: &HashMap<String, Value>) -> Result<Vec<ModelInput>, OnnxError> {
    let fed = graph.input.iter().filter(|input| !constants.contains_key(&input.name));
    fed.map(|input| {
        let wrong = |reason: &str| OnnxError::NotAModel(format!("the input `{}` {reason}", input.name));
        let tensor = input
            .r#type
            .as_ref()
            .and_then(|kind| kind.tensor_type.as_ref())
            .ok_or_else(|| wrong("is not a tensor"))?;
        let kind = match tensor.elem_type {
            FLOAT => InputKind::Floats,
            INT64 => InputKind::Ints,
            STRING => InputKind::Words,
            _ => return Err(wrong("has a type that is not supported (float, int64 and string are)")),
        };
        let width = tensor.shape.as_ref().and_then(|shape| shape.dim.get(1)).map_or(1, |dim| dim.dim_value);
        let width = usize::try_from(width).ok().filter(|width| (1..=1_000_000).contains(width));
        Ok(ModelInput {
            name: input.name.clone(),
            kind,
            width: width.ok_or_else(|| wrong("has an impossible width"))?,
        })
    })
    .collect()
}

/// The nodes so that each comes after those that make its inputs.
fn order(
    nodes: Vec<NodeProto>,
    inputs: &[ModelInput],
    constants: &HashMap<String, Value>,
) -> Result<Vec<(NodeProto, Operator)>, OnnxError> {
    let mut known: HashSet<String> =
        inputs.iter().map(|input| input.name.clone()).chain(constants.keys().cloned()).collect();
    known.insert(String::new());
    let mut ordered = Vec::with_capacity(nodes.len());
    let mut waiting = nodes;
    while !waiting.is_empty() {
        let (ready, rest): (Vec<_>, Vec<_>) =
            waiting.into_iter().partition(|node| node.input.iter().all(|input| known.contains(input)));
        let Some(stuck) = ready.is_empty().then(|| rest.first()) else {
            for node in ready {
                known.extend(node.output.iter().cloned());
                let operator = operator(&node)?;
                ordered.push((node, operator));
            }
            waiting = rest;
            continue;
        };
        let node = stuck.map_or_else(String::new, name);
        return Err(OnnxError::Node { node, reason: "its inputs are made by no node before it".to_owned() });
    }
    Ok(ordered)
}

fn operator(node: &NodeProto) -> Result<Operator, OnnxError> {
    let found = OPERATORS.iter().find(|(name, _)| *name == node.op_type).map(|(_, operator)| *operator);
    found.ok_or_else(|| OnnxError::Unsupported {
        operator: node.op_type.clone(),
        node: name(node),
        supported: OPERATORS.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", "),
    })
}

fn name(node: &NodeProto) -> String {
    if node.name.is_empty() { node.op_type.clone() } else { node.name.clone() }
}
