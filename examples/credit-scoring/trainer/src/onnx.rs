//! The model as ONNX: one input a column, one-hot encoders and scalers, a linear classifier. The same bytes for the
//! same model, always. Field numbers are those of `onnx.proto3`.

use crate::fit::Model;
use crate::table::Kind;
use prost::Message;

#[derive(Clone, PartialEq, Message)]
struct ModelProto {
    #[prost(int64, tag = "1")]
    ir_version: i64,
    #[prost(string, tag = "2")]
    producer_name: String,
    #[prost(message, optional, tag = "7")]
    graph: Option<Graph>,
    #[prost(message, repeated, tag = "8")]
    opset_import: Vec<Opset>,
}

#[derive(Clone, PartialEq, Message)]
struct Opset {
    #[prost(string, tag = "1")]
    domain: String,
    #[prost(int64, tag = "2")]
    version: i64,
}

#[derive(Clone, PartialEq, Message)]
struct Graph {
    #[prost(message, repeated, tag = "1")]
    node: Vec<Node>,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(message, repeated, tag = "11")]
    input: Vec<ValueInfo>,
    #[prost(message, repeated, tag = "12")]
    output: Vec<ValueInfo>,
}

#[derive(Clone, PartialEq, Message)]
struct Node {
    #[prost(string, repeated, tag = "1")]
    input: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    output: Vec<String>,
    #[prost(string, tag = "3")]
    name: String,
    #[prost(string, tag = "4")]
    op_type: String,
    #[prost(message, repeated, tag = "5")]
    attribute: Vec<Attribute>,
    #[prost(string, tag = "7")]
    domain: String,
}

#[derive(Clone, PartialEq, Message)]
struct Attribute {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(int64, tag = "3")]
    i: i64,
    #[prost(bytes = "vec", tag = "4")]
    s: Vec<u8>,
    #[prost(float, repeated, tag = "7")]
    floats: Vec<f32>,
    #[prost(int64, repeated, tag = "8")]
    ints: Vec<i64>,
    #[prost(bytes = "vec", repeated, tag = "9")]
    strings: Vec<Vec<u8>>,
    #[prost(int32, tag = "20")]
    r#type: i32,
}

#[derive(Clone, PartialEq, Message)]
struct ValueInfo {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, optional, tag = "2")]
    r#type: Option<Type>,
}

#[derive(Clone, PartialEq, Message)]
struct Type {
    #[prost(message, optional, tag = "1")]
    tensor_type: Option<TensorType>,
}

#[derive(Clone, PartialEq, Message)]
struct TensorType {
    #[prost(int32, tag = "1")]
    elem_type: i32,
    #[prost(message, optional, tag = "2")]
    shape: Option<Shape>,
}

#[derive(Clone, PartialEq, Message)]
struct Shape {
    #[prost(message, repeated, tag = "1")]
    dim: Vec<Dimension>,
}

#[derive(Clone, PartialEq, Message)]
struct Dimension {
    #[prost(int64, optional, tag = "1")]
    dim_value: Option<i64>,
    #[prost(string, optional, tag = "2")]
    dim_param: Option<String>,
}

const FLOAT: i32 = 1;
const STRING: i32 = 8;

/// The bytes of the model.
pub(crate) fn encode(model: &Model) -> Vec<u8> {
    let mut nodes = Vec::new();
    let mut inputs = Vec::new();
    let mut encoded = Vec::new();
    let mut widths = Vec::new();
    for (at, feature) in model.features.iter().enumerate() {
        let output = format!("encoded_{at}");
        let (kind, operator, attributes, width) = match &feature.kind {
            Kind::Number { mean, deviation } => {
                let scale = vec![
                    floats("offset", vec![*mean as f32]),
                    floats("scale", vec![(1.0 / deviation) as f32]),
                ];
                (FLOAT, "Scaler", scale, 1)
            }
            Kind::Category(words) => {
                (STRING, "OneHotEncoder", vec![strings("cats_strings", words), int("zeros", 1)], words.len())
            }
        };
        inputs.push(value(&feature.name, kind, 1));
        nodes.push(node(&format!("encode_{at}"), operator, &[&feature.name], &[&output], attributes));
        encoded.push(output);
        widths.push(width as i64);
    }
    let parts: Vec<&str> = encoded.iter().map(String::as_str).collect();
    nodes.push(node(
        "features",
        "FeatureVectorizer",
        &parts,
        &["features"],
        vec![ints("inputdimensions", widths)],
    ));
    let negative: Vec<f32> = model.weights.iter().map(|weight| -weight).collect();
    let classifier = vec![
        strings("classlabels_strings", &model.labels),
        floats("coefficients", [negative, model.weights.clone()].concat()),
        floats("intercepts", vec![-model.intercept, model.intercept]),
        int("multi_class", 0),
        word("post_transform", "LOGISTIC"),
    ];
    nodes.push(node("classify", "LinearClassifier", &["features"], &["label", "probabilities"], classifier));
    let outputs = vec![value_vector("label", STRING), value("probabilities", FLOAT, 2)];
    let graph = Graph { node: nodes, name: "logistic-regression".into(), input: inputs, output: outputs };
    let opset_import =
        vec![Opset { domain: "ai.onnx.ml".into(), version: 1 }, Opset { domain: String::new(), version: 9 }];
    ModelProto {
        ir_version: 4,
        producer_name: "credit-scoring-trainer".into(),
        graph: Some(graph),
        opset_import,
    }
    .encode_to_vec()
}

fn node(name: &str, operator: &str, inputs: &[&str], outputs: &[&str], attribute: Vec<Attribute>) -> Node {
    let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Node {
        input: own(inputs),
        output: own(outputs),
        name: name.to_owned(),
        op_type: operator.to_owned(),
        attribute,
        domain: "ai.onnx.ml".to_owned(),
    }
}

/// Any number of rows, so many columns.
fn value(name: &str, elem_type: i32, width: i64) -> ValueInfo {
    let rows = Dimension { dim_value: None, dim_param: Some("N".to_owned()) };
    let columns = Dimension { dim_value: Some(width), dim_param: None };
    typed(name, elem_type, vec![rows, columns])
}

fn value_vector(name: &str, elem_type: i32) -> ValueInfo {
    typed(name, elem_type, vec![Dimension { dim_value: None, dim_param: Some("N".to_owned()) }])
}

fn typed(name: &str, elem_type: i32, dim: Vec<Dimension>) -> ValueInfo {
    let tensor_type = Some(TensorType { elem_type, shape: Some(Shape { dim }) });
    ValueInfo { name: name.to_owned(), r#type: Some(Type { tensor_type }) }
}

// `AttributeProto.AttributeType`: INT 2, STRING 3, FLOATS 6, INTS 7, STRINGS 8.

fn int(name: &str, i: i64) -> Attribute {
    Attribute { name: name.to_owned(), i, r#type: 2, ..Attribute::default() }
}

fn word(name: &str, text: &str) -> Attribute {
    Attribute { name: name.to_owned(), s: text.as_bytes().to_vec(), r#type: 3, ..Attribute::default() }
}

fn floats(name: &str, floats: Vec<f32>) -> Attribute {
    Attribute { name: name.to_owned(), floats, r#type: 6, ..Attribute::default() }
}

fn ints(name: &str, ints: Vec<i64>) -> Attribute {
    Attribute { name: name.to_owned(), ints, r#type: 7, ..Attribute::default() }
}

fn strings(name: &str, words: &[String]) -> Attribute {
    let strings = words.iter().map(|word| word.as_bytes().to_vec()).collect();
    Attribute { name: name.to_owned(), strings, r#type: 8, ..Attribute::default() }
}
