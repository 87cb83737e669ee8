//! Values between nodes: matrices of floats, integers or words, one row a record.

use crate::OnnxError;
use crate::proto::{FLOAT, INT64, STRING, TensorProto};
use std::collections::BTreeMap;

/// A matrix in row order. Vectors are matrices with one column.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor<T> {
    /// Cells, row by row.
    pub data: Vec<T>,
    /// Cells in a row; at least 1.
    pub width: usize,
}

impl<T> Tensor<T> {
    /// A matrix of so many columns. The number of cells must be a multiple of it.
    pub fn new(data: Vec<T>, width: usize) -> Self {
        Self { data, width: width.max(1) }
    }

    /// The rows.
    pub fn rows(&self) -> impl Iterator<Item = &[T]> {
        self.data.chunks(self.width)
    }

    /// How many rows.
    pub fn height(&self) -> usize {
        self.data.len() / self.width
    }
}

/// What flows along an edge of the graph.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// 32-bit floats.
    Floats(Tensor<f32>),
    /// 64-bit integers.
    Ints(Tensor<i64>),
    /// Words.
    Words(Tensor<String>),
    /// ZipMap: for each row, label to number.
    Maps(Vec<BTreeMap<String, f32>>),
}

impl Value {
    /// As floats, integers being converted.
    pub(crate) fn floats(&self) -> Result<Tensor<f32>, String> {
        match self {
            Self::Floats(tensor) => Ok(tensor.clone()),
            Self::Ints(tensor) => {
                Ok(Tensor::new(tensor.data.iter().map(|n| *n as f32).collect(), tensor.width))
            }
            Self::Words(_) => Err("numbers are needed where words come in".to_owned()),
            Self::Maps(_) => Err("numbers are needed where maps come in".to_owned()),
        }
    }
}

/// A constant of the graph.
pub(crate) fn constant(tensor: &TensorProto) -> Result<Value, OnnxError> {
    let wrong = |reason: &str| OnnxError::Node { node: tensor.name.clone(), reason: reason.to_owned() };
    let width = match tensor.dims.as_slice() {
        [] | [_] => 1,
        [_, width] => usize::try_from(*width).map_err(|_| wrong("its shape is impossible"))?,
        _ => return Err(wrong("constants have at most two dimensions")),
    };
    let value = match tensor.data_type {
        FLOAT if tensor.raw_data.is_empty() => Value::Floats(Tensor::new(tensor.float_data.clone(), width)),
        FLOAT => {
            let (chunks, rest) = tensor.raw_data.as_chunks::<4>();
            if !rest.is_empty() {
                return Err(wrong("its raw data is cut off"));
            }
            Value::Floats(Tensor::new(chunks.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect(), width))
        }
        INT64 if tensor.raw_data.is_empty() => Value::Ints(Tensor::new(tensor.int64_data.clone(), width)),
        INT64 => {
            let (chunks, rest) = tensor.raw_data.as_chunks::<8>();
            if !rest.is_empty() {
                return Err(wrong("its raw data is cut off"));
            }
            Value::Ints(Tensor::new(chunks.iter().map(|bytes| i64::from_le_bytes(*bytes)).collect(), width))
        }
        STRING => {
            let words =
                tensor.string_data.iter().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect();
            Value::Words(Tensor::new(words, width))
        }
        other => return Err(wrong(&format!("constants of type {other} are not supported"))),
    };
    Ok(value)
}
