//! Where models run.

use crate::PortError;
use facts::ColumnName;
use std::collections::BTreeMap;

/// What a model says about one record.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// The label it predicts.
    pub label: String,
    /// The probability (or score) of each label.
    pub probabilities: BTreeMap<String, f64>,
}

/// A model in memory, ready to score. Cheap to share between threads.
pub trait LoadedModel: Send + Sync {
    /// The names of its inputs, in the order in which it wants them.
    fn inputs(&self) -> &[ColumnName];
    /// Scores records: each a row of cells, in the order of [`LoadedModel::inputs`], as text (numbers too).
    /// Kind Invalid names the row and the column of a cell that does not fit.
    fn score(&self, rows: &[Vec<String>]) -> Result<Vec<Score>, PortError>;
}

/// Loads models.
pub trait Runtime: Send + Sync {
    /// Loads an artefact; kind Invalid says what in it is not supported.
    fn load(&self, artefact: &[u8]) -> Result<Box<dyn LoadedModel>, PortError>;
}
