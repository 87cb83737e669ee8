//! The interpreter against ONNX Runtime, on models that scikit-learn made; and that no bytes make it panic.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on fails, and its reference is on disk"
)]

use onnx::{Model, Tensor, Value};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("reference")
}

fn input(given: &serde_json::Value) -> Value {
    let rows = given["data"].as_array().unwrap();
    let width = rows[0].as_array().unwrap().len();
    let cells = rows.iter().flat_map(|row| row.as_array().unwrap());
    if given["kind"] == "words" {
        Value::Words(Tensor::new(cells.map(|cell| cell.as_str().unwrap().to_owned()).collect(), width))
    } else {
        Value::Floats(Tensor::new(cells.map(|cell| cell.as_f64().unwrap() as f32).collect(), width))
    }
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-5 * b.abs().max(1.0)
}

fn same(actual: &Value, expected: &serde_json::Value) -> Result<(), String> {
    let rows = expected.as_array().unwrap();
    let flat: Vec<&serde_json::Value> = rows
        .iter()
        .flat_map(|row| row.as_array().map_or_else(|| vec![row], |row| row.iter().collect()))
        .collect();
    let fits = match actual {
        Value::Floats(tensor) => {
            tensor.data.len() == flat.len()
                && tensor.data.iter().zip(&flat).all(|(a, b)| close(f64::from(*a), b.as_f64().unwrap()))
        }
        Value::Ints(tensor) => tensor.data.iter().zip(&flat).all(|(a, b)| Some(*a) == b.as_i64()),
        Value::Words(tensor) => tensor.data.iter().zip(&flat).all(|(a, b)| Some(a.as_str()) == b.as_str()),
        Value::Maps(maps) => maps.iter().zip(rows).all(|(map, row)| {
            map.iter().all(|(label, x)| close(f64::from(*x), row[label].as_f64().unwrap()))
        }),
    };
    if fits { Ok(()) } else { Err(format!("{actual:?} is not {expected}")) }
}

#[test]
fn answers_as_onnx_runtime_does() {
    let reference: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder().join("reference.json")).unwrap()).unwrap();
    let cases = reference["cases"].as_object().unwrap();
    assert!(cases.len() >= 6);
    for (name, case) in cases {
        let model = Model::parse(&std::fs::read(folder().join(format!("{name}.onnx"))).unwrap())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let inputs =
            case["inputs"].as_object().unwrap().iter().map(|(name, given)| (name.clone(), input(given)));
        let outputs = model.run(&inputs.collect()).unwrap_or_else(|error| panic!("{name}: {error}"));
        for (output, expected) in case["outputs"].as_object().unwrap() {
            same(&outputs[output], expected).unwrap_or_else(|why| panic!("{name}, {output}: {why}"));
        }
    }
}

#[test]
fn what_is_wrong_is_named() {
    insta::assert_snapshot!(Model::parse(b"no model").unwrap_err().to_string().split(':').next().unwrap(), @"the bytes are not an ONNX model");
    insta::assert_snapshot!(Model::parse(b"").unwrap_err(), @"the bytes are not an ONNX model: there is no graph in it");
    let bytes = std::fs::read(folder().join("forest.onnx")).unwrap();
    let at = bytes.windows(6).rposition(|window| window == b"ZipMap").unwrap();
    let mut other = bytes.clone();
    other[at..at + 6].copy_from_slice(b"LipMap");
    insta::assert_snapshot!(Model::parse(&other).unwrap_err().to_string().split(';').next().unwrap(), @"the operator `LipMap` (node `ZipMap`) is not supported");
    let model = Model::parse(&bytes).unwrap();
    insta::assert_snapshot!(model.run(&BTreeMap::new()).unwrap_err(), @"the input `x` is missing");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn no_bytes_make_it_panic(at in 0usize..4000, byte in any::<u8>(), cut in 0usize..4000) {
        for name in ["logistic_pipeline", "boosting"] {
            let mut bytes = std::fs::read(folder().join(format!("{name}.onnx"))).unwrap();
            let length = bytes.len();
            bytes[at % length] = byte;
            bytes.truncate(if cut % 3 == 0 { cut % length } else { length });
            let Ok(model) = Model::parse(&bytes) else { continue };
            let inputs = model.inputs().iter().map(|input| {
                let floats = Value::Floats(Tensor::new(vec![0.5; input.width.min(10_000)], input.width.min(10_000)));
                let words = Value::Words(Tensor::new(vec!["a".to_owned(); input.width.min(10_000)], input.width.min(10_000)));
                (input.name.clone(), if input.kind == onnx::InputKind::Words { words } else { floats })
            });
            drop(model.run(&inputs.collect()));
        }
    }
}
