//! Pseudonymisation (GDPR Art. 4(5)): every column of the source is named, and what becomes of it is one of a few
//! transformations. Plain hashes are not on offer: anybody can guess a telephone number and hash it.

pub use crate::table::{Table, TableError};

use aws_lc_rs::hmac;
use facts::ColumnName;
use std::collections::BTreeMap;
use std::fmt;

/// The secret of one pseudonymisation domain. Never shown.
#[derive(Clone)]
pub struct TokenSecret(Box<hmac::Key>);

impl TokenSecret {
    /// A secret from 32 bytes.
    pub fn new(mut bytes: [u8; 32]) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &bytes);
        zeroize::Zeroize::zeroize(&mut bytes);
        Self(Box::new(key))
    }
}

impl fmt::Debug for TokenSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenSecret(...)")
    }
}

/// What becomes of a column.
#[derive(Debug, Clone)]
pub enum Transformation {
    /// Left out.
    Drop,
    /// Kept as it is.
    Keep,
    /// HMAC-SHA-256 under the secret, over domain and value, cut to 128 bits: `t_` and 32 hexadecimal digits.
    Token {
        /// The secret of the domain.
        secret: TokenSecret,
        /// The domain.
        domain: String,
    },
    /// The band a number falls in: `30-39`, `<20`, `>=70`.
    Band {
        /// Width.
        width: f64,
        /// Everything below falls in one band.
        from: Option<f64>,
        /// Everything from here on falls in one band.
        to: Option<f64>,
    },
    /// The nearest multiple.
    Round {
        /// Of this.
        to: f64,
    },
    /// Coarser words; those not named become `other`.
    Map {
        /// Word, and the coarser word.
        words: BTreeMap<String, String>,
    },
}

/// Why a table cannot be pseudonymised so.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PseudonymError {
    /// A column of the source without a rule: silence is not consent.
    #[error("nothing is said about the column `{0}`: name a transformation for it, `drop` if nothing else")]
    Unnamed(ColumnName),
    /// The source is not as it should be.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A width or a multiple that is not above zero.
    #[error("column `{0}`: the width must be a number above 0")]
    Width(ColumnName),
}

/// Makes the pseudonymised table. Columns keep their order; empty cells stay empty.
pub fn apply(source: &Table, rules: &BTreeMap<ColumnName, Transformation>) -> Result<Table, PseudonymError> {
    for column in rules.keys() {
        source.position(column)?;
    }
    let mut kept = Vec::new();
    let mut cells: Vec<Vec<String>> = Vec::new();
    for column in source.columns() {
        let rule = rules.get(column).ok_or_else(|| PseudonymError::Unnamed(column.clone()))?;
        if let Some(values) = transform(source, column, rule)? {
            kept.push(column.clone());
            cells.push(values);
        }
    }
    let rows = (0..source.rows().len())
        .map(|row| cells.iter().map(|column| column[row].clone()).collect())
        .collect();
    Ok(Table::new(kept, rows)?)
}

fn transform(
    source: &Table,
    column: &ColumnName,
    rule: &Transformation,
) -> Result<Option<Vec<String>>, PseudonymError> {
    let text = |value: Option<f64>, show: &dyn Fn(f64) -> String| value.map_or_else(String::new, show);
    let words = || source.words(column).map(|cells| cells.into_iter().map(Option::unwrap_or_default));
    Ok(Some(match rule {
        Transformation::Drop => return Ok(None),
        Transformation::Keep => words()?.collect(),
        Transformation::Token { secret, domain } => {
            words()?.map(|cell| token(secret, domain, &cell)).collect()
        }
        Transformation::Map { words: coarser } => {
            let coarse = |cell: String| match coarser.get(&cell) {
                _ if cell.is_empty() => cell,
                Some(word) => word.clone(),
                None => "other".to_owned(),
            };
            words()?.map(coarse).collect()
        }
        Transformation::Round { to } if *to > 0.0 => {
            let round = |value: f64| number((value / to).round() * to);
            source.numbers(column)?.into_iter().map(|value| text(value, &round)).collect()
        }
        Transformation::Band { width, from, to } if *width > 0.0 => {
            let show = |value: f64| band(value, *width, (*from, *to));
            source.numbers(column)?.into_iter().map(|value| text(value, &show)).collect()
        }
        Transformation::Round { .. } | Transformation::Band { .. } => {
            return Err(PseudonymError::Width(column.clone()));
        }
    }))
}

/// The token of a value: unlinkable to the value, and to its tokens in other domains, without the secret.
pub fn token(secret: &TokenSecret, domain: &str, value: &str) -> String {
    if value.is_empty() {
        return String::new();
    }
    let mut message = (domain.len() as u64).to_be_bytes().to_vec();
    message.extend_from_slice(domain.as_bytes());
    message.extend_from_slice(value.as_bytes());
    let tag = hmac::sign(&secret.0, &message);
    format!("t_{}", hex::encode(&tag.as_ref()[..16]))
}

fn band(value: f64, width: f64, (from, to): (Option<f64>, Option<f64>)) -> String {
    let origin = from.unwrap_or(0.0);
    if from.is_some_and(|from| value < from) {
        return format!("<{}", number(origin));
    }
    if let Some(to) = to.filter(|to| value >= *to) {
        return format!(">={}", number(to));
    }
    let low = origin + ((value - origin) / width).floor() * width;
    let high = to.map_or(low + width, |to| (low + width).min(to));
    // Whole numbers read as people write them: 30-39, not 30-40.
    let shown = if low.fract() == 0.0 && high.fract() == 0.0 { high - 1.0 } else { high };
    format!("{}-{}", number(low), number(shown))
}

/// Without an exponent, and without `.0`.
fn number(value: f64) -> String {
    let rounded = (value * 1e9).round() / 1e9;
    format!("{}", if rounded == 0.0 { 0.0 } else { rounded })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        Table::parse(text.as_bytes()).unwrap()
    }

    fn rules(list: &[(&str, Transformation)]) -> BTreeMap<ColumnName, Transformation> {
        list.iter().map(|(name, rule)| (name.parse().unwrap(), rule.clone())).collect()
    }

    #[test]
    fn does_what_the_policy_says_and_nothing_else() {
        let secret = TokenSecret::new([1; 32]);
        let age = Transformation::Band { width: 10.0, from: Some(20.0), to: Some(65.0) };
        let rules = rules(&[
            ("id", Transformation::Token { secret: secret.clone(), domain: "credit".into() }),
            ("name", Transformation::Drop),
            ("age", age),
            ("amount", Transformation::Round { to: 50.0 }),
            ("job", Transformation::Map { words: BTreeMap::from([("nurse".into(), "health".into())]) }),
            ("sex", Transformation::Keep),
        ]);
        let made = apply(&table("id,name,age,amount,job,sex\nA1,Ann,34,1024,nurse,f\nA2,Bob,67,26,smith,m\nA3,Cy,,,,\nA4,D,61,1,x,m\n"), &rules).unwrap();
        let text = String::from_utf8(made.to_csv().unwrap())
            .unwrap()
            .replace(&token(&secret, "credit", "A1"), "TOKEN1");
        let lines: Vec<String> =
            text.lines().map(|line| line.split_once(',').unwrap().1.to_owned()).collect();
        assert_eq!(
            lines,
            ["age,amount,job,sex", "30-39,1000,health,f", ">=65,50,other,m", ",,,", "60-64,0,other,m"]
        );
        assert!(text.contains("TOKEN1") && !text.contains("A1") && !text.contains("Ann"));
    }

    #[test]
    fn tokens_are_stable_within_a_domain_and_unrelated_across() {
        let (a, b) = (TokenSecret::new([1; 32]), TokenSecret::new([2; 32]));
        assert_eq!(token(&a, "x", "v"), token(&a, "x", "v"));
        assert_ne!(token(&a, "x", "v"), token(&a, "y", "v"));
        assert_ne!(token(&a, "x", "v"), token(&b, "x", "v"));
        // Where the domain ends matters.
        assert_ne!(token(&a, "x", "yv"), token(&a, "xy", "v"));
    }

    #[test]
    fn an_unnamed_column_is_refused() {
        let error = apply(&table("a,b\n1,2\n"), &rules(&[("a", Transformation::Keep)])).unwrap_err();
        insta::assert_snapshot!(error, @"nothing is said about the column `b`: name a transformation for it, `drop` if nothing else");
        let error =
            apply(&table("a\n1\n"), &rules(&[("a", Transformation::Keep), ("c", Transformation::Drop)]))
                .unwrap_err();
        insta::assert_snapshot!(error, @"there is no column `c`; the columns are `a`");
    }
}
