//! Re-identification risk: how many records look alike by what others may know about a person.
//!
//! Definitions: k-anonymity (Sweeney 2002); prosecutor risk = 1 / class size; marketer risk = classes / records
//! (El Emam, "Guide to the De-Identification of Personal Health Information", 2013). Measures, not proofs.

use crate::table::{Table, TableError};
use facts::ColumnName;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The risk that remains in one table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Risk {
    /// The columns that an attacker is assumed to know.
    pub quasi_identifiers: Vec<ColumnName>,
    /// Records.
    pub records: u64,
    /// Groups of records that look alike.
    pub classes: u64,
    /// Size of the smallest group; 0 in an empty table.
    pub k: u64,
    /// Share of the records that are alone in their group.
    pub unique_share: f64,
    /// Share of the records in groups of fewer than 5.
    pub below_five_share: f64,
    /// The highest chance of naming a given person: 1 / k.
    pub prosecutor_max: f64,
    /// The expected share of records that can be named.
    pub marketer_average: f64,
    /// The fewest different values of the sensitive column in a group, if one was given.
    pub l: Option<u64>,
}

/// The risk before and after a transformation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// In the source.
    pub before: Risk,
    /// In what was made of it.
    pub after: Risk,
}

/// Measures a table. Columns of `quasi_identifiers` that the table lacks are an error.
pub fn measure(
    table: &Table,
    quasi_identifiers: &[ColumnName],
    sensitive: Option<&ColumnName>,
) -> Result<Risk, TableError> {
    let places =
        quasi_identifiers.iter().map(|column| table.position(column)).collect::<Result<Vec<_>, _>>()?;
    let sensitive = sensitive.map(|column| table.position(column)).transpose()?;
    let mut classes: BTreeMap<Vec<&str>, (u64, BTreeSet<&str>)> = BTreeMap::new();
    for row in table.rows() {
        let key = places.iter().map(|place| row[*place].as_str()).collect();
        let class = classes.entry(key).or_default();
        class.0 += 1;
        if let Some(place) = sensitive {
            class.1.insert(&row[place]);
        }
    }
    let records = table.rows().len() as u64;
    let share = |count: u64| if records == 0 { 0.0 } else { count as f64 / records as f64 };
    let k = classes.values().map(|class| class.0).min().unwrap_or(0);
    Ok(Risk {
        quasi_identifiers: quasi_identifiers.to_vec(),
        records,
        classes: classes.len() as u64,
        k,
        unique_share: share(classes.values().filter(|class| class.0 == 1).count() as u64),
        below_five_share: share(classes.values().filter(|class| class.0 < 5).map(|class| class.0).sum()),
        prosecutor_max: if k == 0 { 0.0 } else { 1.0 / k as f64 },
        marketer_average: share(classes.len() as u64),
        l: sensitive.and_then(|_| classes.values().map(|class| class.1.len() as u64).min()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Slow and obvious: for every record, count the records that look the same.
    fn naive(table: &Table) -> (u64, f64, f64) {
        let alike =
            |row: &Vec<String>| table.rows().iter().filter(|other| other[..2] == row[..2]).count() as u64;
        let sizes: Vec<u64> = table.rows().iter().map(alike).collect();
        let n = sizes.len() as f64;
        let classes: f64 = sizes.iter().map(|size| 1.0 / *size as f64).sum();
        let unique = sizes.iter().filter(|size| **size == 1).count() as f64;
        (sizes.iter().copied().min().unwrap_or(0), unique / n, classes / n)
    }

    proptest! {
        #[test]
        fn agrees_with_counting_one_by_one(cells in proptest::collection::vec((0u8..4, 0u8..4, 0u8..3), 1..80)) {
            let columns: Vec<ColumnName> = ["a", "b", "s"].iter().map(|name| name.parse().unwrap()).collect();
            let rows = cells.iter().map(|(a, b, s)| vec![a.to_string(), b.to_string(), s.to_string()]).collect();
            let table = Table::new(columns.clone(), rows).unwrap();
            let risk = measure(&table, &columns[..2], Some(&columns[2])).unwrap();
            let (k, unique, marketer) = naive(&table);
            prop_assert_eq!(risk.k, k);
            prop_assert!((risk.unique_share - unique).abs() < 1e-12);
            prop_assert!((risk.marketer_average - marketer).abs() < 1e-12);
            prop_assert!(risk.l.unwrap() >= 1 && risk.l.unwrap() <= 3);
        }
    }
}
