//! Which rows train and which validate. Decided by each row's own content without its identifier, so that a row never
//! changes sides, no matter in which order, in which snapshot or under which token it comes, and that two rows that
//! say the same are never on both sides.

use facts::{ColumnName, Digest};
use privacy::pseudonym::Table;

/// Whether a row belongs to validation: its hash, read as a number from 0 to 1, lies below `share`.
fn is_validation(row: &[String], share: f64) -> bool {
    let mut text = Vec::from(b"wardmote split v1\n".as_slice());
    for cell in row {
        text.extend_from_slice(&(cell.len() as u64).to_be_bytes());
        text.extend_from_slice(cell.as_bytes());
    }
    let digest = Digest::of(&text);
    let mut head = [0; 4];
    head.copy_from_slice(&digest.as_bytes()[..4]);
    f64::from(u32::from_be_bytes(head)) < share * f64::from(u32::MAX)
}

/// The rows of one side; `identifiers` do not count.
pub(crate) fn side(table: &Table, identifiers: &[ColumnName], share: f64, validation: bool) -> Table {
    let counts: Vec<bool> = table.columns().iter().map(|column| !identifiers.contains(column)).collect();
    let content = |row: &[String]| -> Vec<String> {
        row.iter().zip(&counts).filter(|(_, counts)| **counts).map(|(cell, _)| cell.clone()).collect()
    };
    let rows = table
        .rows()
        .iter()
        .filter(|row| is_validation(&content(row), share) == validation)
        .cloned()
        .collect();
    table.with_rows(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_on_one_side_and_stays_there() {
        let rows: Vec<Vec<String>> = (0..2000).map(|n| vec![format!("a{n}"), (n % 7).to_string()]).collect();
        let held_back = rows.iter().filter(|row| is_validation(row, 0.3)).count();
        assert!((500..700).contains(&held_back), "{held_back}");
        assert!(rows.iter().all(|row| !is_validation(row, 0.0)));
        // Where a cell ends matters: the same letters cut otherwise are another row.
        let glued = [vec!["ab".to_owned(), "c".to_owned()], vec!["a".to_owned(), "bc".to_owned()]];
        let spread = (0..64)
            .map(|n| f64::from(n) / 64.0)
            .any(|s| is_validation(&glued[0], s) != is_validation(&glued[1], s));
        assert!(spread);
    }
}
