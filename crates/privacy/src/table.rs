//! Tables of text: CSV with a header, bounded, with complaints that name line and column.

use facts::ColumnName;

/// Rows of cells under named columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    // INVARIANT: every row has as many cells as there are columns; names are distinct.
    columns: Vec<ColumnName>,
    rows: Vec<Vec<String>>,
}

/// A file that is not a proper table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// No header.
    #[error("the file is empty: expected a header line and rows")]
    Empty,
    /// A name in the header.
    #[error("column {number} of the header: {reason}")]
    Header {
        /// From 1.
        number: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// A row with too few or too many cells, bad quotes, bad text.
    #[error("line {line}: {reason}")]
    Row {
        /// From 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// A name that is not in the header.
    #[error("there is no column `{column}`; the columns are {known}")]
    NoColumn {
        /// Asked for.
        column: ColumnName,
        /// What there is.
        known: String,
    },
    /// A cell that does not fit.
    #[error("line {line}, column `{column}`: `{cell}` is not a number")]
    NotANumber {
        /// From 1, the header being line 1.
        line: usize,
        /// The column.
        column: ColumnName,
        /// The cell.
        cell: String,
    },
    /// More than is taken.
    #[error("the file has more than {limit} {what}")]
    TooMuch {
        /// The limit.
        limit: usize,
        /// Of what.
        what: &'static str,
    },
}

const MAX_COLUMNS: usize = 2_000;
const MAX_ROWS: usize = 20_000_000;

impl Table {
    /// Reads CSV (RFC 4180) with a header.
    pub fn parse(bytes: &[u8]) -> Result<Self, TableError> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
        let mut records = reader.records();
        let header = records
            .next()
            .ok_or(TableError::Empty)?
            .map_err(|error| TableError::Row { line: 1, reason: reason(&error) })?;
        let columns = columns(&header)?;
        let mut rows = Vec::new();
        for record in records {
            let record = record.map_err(|error| TableError::Row {
                line: error.position().map_or(0, csv::Position::line),
                reason: reason(&error),
            })?;
            let line = record.position().map_or(0, csv::Position::line);
            if record.len() != columns.len() {
                let reason = format!("{} cells where the header has {} columns", record.len(), columns.len());
                return Err(TableError::Row { line, reason });
            }
            if rows.len() == MAX_ROWS {
                return Err(TableError::TooMuch { limit: MAX_ROWS, what: "rows" });
            }
            rows.push(record.iter().map(str::to_owned).collect());
        }
        Ok(Self { columns, rows })
    }

    /// A table made elsewhere; rows of another length than the header are an error.
    pub fn new(columns: Vec<ColumnName>, rows: Vec<Vec<String>>) -> Result<Self, TableError> {
        match rows.iter().position(|row| row.len() != columns.len()) {
            None => Ok(Self { columns, rows }),
            Some(at) => {
                let reason =
                    format!("{} cells where the header has {} columns", rows[at].len(), columns.len());
                Err(TableError::Row { line: at as u64 + 2, reason })
            }
        }
    }

    /// The columns, in order.
    pub fn columns(&self) -> &[ColumnName] {
        &self.columns
    }

    /// The rows, in order.
    pub fn rows(&self) -> &[Vec<String>] {
        &self.rows
    }

    /// Where a column is.
    pub fn position(&self, column: &ColumnName) -> Result<usize, TableError> {
        self.columns.iter().position(|name| name == column).ok_or_else(|| TableError::NoColumn {
            column: column.clone(),
            known: self.columns.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
        })
    }

    /// The same columns with other rows, which must be as long.
    #[must_use]
    pub fn with_rows(&self, rows: Vec<Vec<String>>) -> Self {
        let rows = rows.into_iter().filter(|row| row.len() == self.columns.len()).collect();
        Self { columns: self.columns.clone(), rows }
    }

    /// Some columns, in the order given.
    pub fn select(&self, columns: &[ColumnName]) -> Result<Self, TableError> {
        let places = columns.iter().map(|column| self.position(column)).collect::<Result<Vec<_>, _>>()?;
        let rows =
            self.rows.iter().map(|row| places.iter().map(|place| row[*place].clone()).collect()).collect();
        Ok(Self { columns: columns.to_vec(), rows })
    }

    /// One column as numbers; empty cells are none.
    pub fn numbers(&self, column: &ColumnName) -> Result<Vec<Option<f64>>, TableError> {
        let place = self.position(column)?;
        self.rows
            .iter()
            .enumerate()
            .map(|(at, row)| {
                let cell = row[place].trim();
                if cell.is_empty() {
                    return Ok(None);
                }
                let wrong =
                    || TableError::NotANumber { line: at + 2, column: column.clone(), cell: cell.to_owned() };
                cell.parse().ok().filter(|value: &f64| value.is_finite()).map(Some).ok_or_else(wrong)
            })
            .collect()
    }

    /// One column as words; empty cells are none.
    pub fn words(&self, column: &ColumnName) -> Result<Vec<Option<String>>, TableError> {
        let place = self.position(column)?;
        Ok(self.rows.iter().map(|row| Some(row[place].clone()).filter(|cell| !cell.is_empty())).collect())
    }

    /// CSV with a header. Reads back as the same table.
    pub fn to_csv(&self) -> Result<Vec<u8>, TableError> {
        let failed = |error: csv::Error| TableError::Row { line: 0, reason: reason(&error) };
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(self.columns.iter().map(ColumnName::as_str)).map_err(failed)?;
        for row in &self.rows {
            writer.write_record(row).map_err(failed)?;
        }
        writer.into_inner().map_err(|error| TableError::Row { line: 0, reason: error.to_string() })
    }
}

fn columns(header: &csv::StringRecord) -> Result<Vec<ColumnName>, TableError> {
    if header.len() > MAX_COLUMNS {
        return Err(TableError::TooMuch { limit: MAX_COLUMNS, what: "columns" });
    }
    let mut columns: Vec<ColumnName> = Vec::with_capacity(header.len());
    for (at, name) in header.iter().enumerate() {
        let wrong = |reason: String| TableError::Header { number: at + 1, reason };
        let name: ColumnName =
            name.trim().parse().map_err(|error: facts::ParseError| wrong(error.to_string()))?;
        if columns.contains(&name) {
            return Err(wrong(format!("`{name}` stands there twice")));
        }
        columns.push(name);
    }
    Ok(columns)
}

fn reason(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::Utf8 { .. } => "the text is not UTF-8".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn complaints_name_the_place() {
        let complain = |text: &str| Table::parse(text.as_bytes()).unwrap_err().to_string();
        insta::assert_snapshot!(complain(""), @"the file is empty: expected a header line and rows");
        insta::assert_snapshot!(complain("a,b\n1,2\n3\n"), @"line 3: 1 cells where the header has 2 columns");
        insta::assert_snapshot!(complain("a,a\n"), @"column 2 of the header: `a` stands there twice");
        insta::assert_snapshot!(complain("a,b;c\n"), @"column 2 of the header: `b;c` is not a valid column name: expected 1 to 250 letters, digits, spaces and any of `_-./`");
        let table = Table::parse(b"age,name\n3,x\nthirty,y\n").unwrap();
        insta::assert_snapshot!(table.numbers(&"age".parse().unwrap()).unwrap_err(), @"line 3, column `age`: `thirty` is not a number");
        insta::assert_snapshot!(table.position(&"sex".parse().unwrap()).unwrap_err(), @"there is no column `sex`; the columns are `age`, `name`");
    }

    proptest! {
        #[test]
        fn reads_back_what_it_writes(cells in proptest::collection::vec(("[a-z,\"\n ]{0,6}", "[0-9.]{1,4}"), 0..30)) {
            let columns: Vec<ColumnName> = vec!["a".parse().unwrap(), "b".parse().unwrap()];
            let rows = cells.into_iter().map(|(a, b)| vec![a, b]).collect();
            let table = Table::new(columns, rows).unwrap();
            prop_assert_eq!(Table::parse(&table.to_csv().unwrap()).unwrap(), table);
        }
    }
}
