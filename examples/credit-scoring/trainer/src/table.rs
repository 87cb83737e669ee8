//! The training table.

use std::path::Path;

/// Columns of text under names.
pub(crate) struct Table {
    pub(crate) names: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

/// A feature: where it is, and its numbers or its categories.
pub(crate) struct Feature {
    pub(crate) name: String,
    pub(crate) column: usize,
    pub(crate) kind: Kind,
}

/// How a feature enters the model.
pub(crate) enum Kind {
    /// Standardised: mean and standard deviation.
    Number { mean: f64, deviation: f64 },
    /// One-hot encoded.
    Category(Vec<String>),
}

/// Reads the one CSV file of a folder.
pub(crate) fn read(folder: &Path) -> Result<Table, String> {
    let list =
        std::fs::read_dir(folder).map_err(|error| format!("cannot read `{}`: {error}", folder.display()))?;
    let mut files: Vec<_> = list.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "csv"));
    let [file] = files.as_slice() else {
        return Err(format!("expected one CSV file in `{}`, found {}", folder.display(), files.len()));
    };
    let failed = |error: csv::Error| format!("`{}`: {error}", file.display());
    let mut reader = csv::Reader::from_path(file).map_err(failed)?;
    let names = reader.headers().map_err(failed)?.iter().map(str::to_owned).collect();
    let rows: Result<Vec<Vec<String>>, _> = reader
        .records()
        .map(|record| record.map(|record| record.iter().map(str::to_owned).collect()))
        .collect();
    Ok(Table { names, rows: rows.map_err(failed)? })
}

impl Table {
    pub(crate) fn column(&self, name: &str) -> Result<usize, String> {
        self.names
            .iter()
            .position(|other| other == name)
            .ok_or_else(|| format!("there is no column `{name}`; the columns are {}", self.names.join(", ")))
    }

    /// The features that are asked for, each examined: all numbers, or a category.
    pub(crate) fn features(&self, label: &str, wanted: &str) -> Result<Vec<Feature>, String> {
        self.column(label)?;
        let names: Vec<&str> = match wanted {
            "all" => self.names.iter().map(String::as_str).filter(|name| *name != label).collect(),
            list => list.split(',').map(str::trim).collect(),
        };
        names.into_iter().map(|name| self.feature(name)).collect()
    }

    fn feature(&self, name: &str) -> Result<Feature, String> {
        let column = self.column(name)?;
        let numbers: Option<Vec<f64>> = self.rows.iter().map(|row| row[column].parse().ok()).collect();
        let kind = match numbers {
            Some(numbers) if !numbers.is_empty() => {
                let count = numbers.len() as f64;
                let mean = numbers.iter().sum::<f64>() / count;
                let variance = numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
                Kind::Number { mean, deviation: variance.sqrt().max(1e-9) }
            }
            _ => {
                let mut words: Vec<String> = self.rows.iter().map(|row| row[column].clone()).collect();
                words.sort();
                words.dedup();
                Kind::Category(words)
            }
        };
        Ok(Feature { name: name.to_owned(), column, kind })
    }
}
