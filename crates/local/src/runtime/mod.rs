//! Models in this process: ONNX by our own interpreter.

use facts::ColumnName;
use onnx::{InputKind, Model, ModelInput, OnnxError, Tensor, Value};
use std::collections::BTreeMap;
use world::{Kind, LoadedModel, PortError, Runtime, Score};

/// Runs ONNX models in process.
#[derive(Debug, Clone, Copy, Default)]
pub struct OnnxRuntime;

impl Runtime for OnnxRuntime {
    fn load(&self, artefact: &[u8]) -> Result<Box<dyn LoadedModel>, PortError> {
        let model = Model::parse(artefact).map_err(|error| invalid(&error))?;
        let column = |input: &ModelInput| {
            let name: ColumnName = input
                .name
                .parse()
                .map_err(|error: facts::ParseError| PortError::new(Kind::Invalid, error.to_string()))?;
            if input.width == 1 {
                Ok(name)
            } else {
                let text = format!(
                    "the model's input `{name}` has {} columns; one input a column is needed",
                    input.width
                );
                Err(PortError::new(Kind::Invalid, text))
            }
        };
        let columns = model.inputs().iter().map(column).collect::<Result<_, _>>()?;
        Ok(Box::new(Loaded { labels: model.labels(), model, columns }))
    }
}

struct Loaded {
    model: Model,
    columns: Vec<ColumnName>,
    labels: Vec<String>,
}

impl LoadedModel for Loaded {
    fn inputs(&self) -> &[ColumnName] {
        &self.columns
    }

    fn score(&self, rows: &[Vec<String>]) -> Result<Vec<Score>, PortError> {
        for (at, row) in rows.iter().enumerate() {
            if row.len() != self.columns.len() {
                let text = format!(
                    "row {}: {} cells where the model has {} inputs",
                    at + 1,
                    row.len(),
                    self.columns.len()
                );
                return Err(PortError::new(Kind::Invalid, text));
            }
        }
        let mut inputs = BTreeMap::new();
        for (at, input) in self.model.inputs().iter().enumerate() {
            inputs.insert(input.name.clone(), column(input, rows, at)?);
        }
        let outputs = self.model.run(&inputs).map_err(|error| invalid(&error))?;
        self.scores(&outputs, rows.len())
    }
}

impl Loaded {
    fn scores(&self, outputs: &BTreeMap<String, Value>, count: usize) -> Result<Vec<Score>, PortError> {
        let wrong = || {
            PortError::new(Kind::Invalid, "the model does not give a label and probabilities for every row")
        };
        let (mut labels, mut probabilities) = (None, None);
        for name in self.model.outputs() {
            match outputs.get(name) {
                Some(Value::Words(words)) => labels = Some(words.data.clone()),
                Some(Value::Ints(ints)) => labels = Some(ints.data.iter().map(i64::to_string).collect()),
                Some(Value::Floats(floats)) if floats.width == self.labels.len() => {
                    let zip = |row: &[f32]| {
                        self.labels.iter().cloned().zip(row.iter().map(|x| f64::from(*x))).collect()
                    };
                    probabilities = Some(floats.rows().map(zip).collect::<Vec<BTreeMap<_, _>>>());
                }
                Some(Value::Maps(maps)) => {
                    let wide = |map: &BTreeMap<String, f32>| {
                        map.iter().map(|(label, x)| (label.clone(), f64::from(*x))).collect()
                    };
                    probabilities = Some(maps.iter().map(wide).collect());
                }
                _ => {}
            }
        }
        let (labels, probabilities) = labels.zip(probabilities).ok_or_else(wrong)?;
        if labels.len() != count || probabilities.len() != count {
            return Err(wrong());
        }
        Ok(labels
            .into_iter()
            .zip(probabilities)
            .map(|(label, probabilities)| Score { label, probabilities })
            .collect())
    }
}

fn column(input: &ModelInput, rows: &[Vec<String>], at: usize) -> Result<Value, PortError> {
    let number = |(row, cells): (usize, &Vec<String>)| {
        let cell = cells[at].trim();
        let text = || format!("row {}, column `{}`: `{cell}` is not a number", row + 1, input.name);
        match cell.parse::<f64>() {
            // An empty cell is a missing value; what the model makes of it is the model's.
            _ if cell.is_empty() => Ok(f32::NAN),
            Ok(value) if value.is_finite() => Ok(value as f32),
            _ => Err(PortError::new(Kind::Invalid, text())),
        }
    };
    Ok(match input.kind {
        InputKind::Words => {
            Value::Words(Tensor::new(rows.iter().map(|cells| cells[at].clone()).collect(), 1))
        }
        InputKind::Floats => {
            Value::Floats(Tensor::new(rows.iter().enumerate().map(number).collect::<Result<_, _>>()?, 1))
        }
        InputKind::Ints => {
            let numbers = rows.iter().enumerate().map(number).collect::<Result<Vec<f32>, _>>()?;
            Value::Ints(Tensor::new(numbers.into_iter().map(|x| x as i64).collect(), 1))
        }
    })
}

fn invalid(error: &OnnxError) -> PortError {
    PortError::new(Kind::Invalid, error.to_string())
}
