//! A small interpreter for ONNX models of the classical kind (`ai.onnx.ml`): encoders, scalers, linear models, trees.
//! Computes in 32-bit floats, in the order of the operator's definition, so that its answers are those of ONNX Runtime.
//!
//! Source: the ONNX operator schemas of the domains `ai.onnx.ml` (versions 1 to 4) and `ai.onnx`. Pure and bounded:
//! whatever bytes come in, the answer is a model or an error.

mod attributes;
mod linear;
mod model;
mod ops;
mod proto;
mod tensor;
mod tree;

pub use model::{InputKind, Model, ModelInput};
pub use tensor::{Tensor, Value};

/// A model that cannot be loaded or run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OnnxError {
    /// The bytes are no ONNX model.
    #[error("the bytes are not an ONNX model: {0}")]
    NotAModel(String),
    /// An operator that is not there.
    #[error("the operator `{operator}` (node `{node}`) is not supported; supported are {supported}")]
    Unsupported {
        /// The operator.
        operator: String,
        /// The node.
        node: String,
        /// Those that are.
        supported: String,
    },
    /// The graph does not fit together.
    #[error("node `{node}`: {reason}")]
    Node {
        /// The node.
        node: String,
        /// What is wrong.
        reason: String,
    },
    /// The input does not fit the model.
    #[error("{0}")]
    Input(String),
}
