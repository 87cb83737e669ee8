//! The condition operators: their names, and what is known of each. IAM User Guide, "IAM JSON policy elements:
//! Condition operators".

/// What is compared, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `StringEquals`: the same text, letter by letter; `*` is a star.
    StringEquals,
    /// `StringEqualsIgnoreCase`.
    StringEqualsIgnoreCase,
    /// `StringLike`: `*` and `?` are wildcards.
    StringLike,
    /// `ArnEquals` and `ArnLike`, which are the same: the six fields one by one, with wildcards.
    ArnLike,
    /// `NumericEquals`.
    NumericEquals,
    /// `NumericLessThan`.
    NumericLessThan,
    /// `NumericLessThanEquals`.
    NumericLessThanEquals,
    /// `NumericGreaterThan`.
    NumericGreaterThan,
    /// `NumericGreaterThanEquals`.
    NumericGreaterThanEquals,
    /// `DateEquals`.
    DateEquals,
    /// `DateLessThan`.
    DateLessThan,
    /// `DateLessThanEquals`.
    DateLessThanEquals,
    /// `DateGreaterThan`.
    DateGreaterThan,
    /// `DateGreaterThanEquals`.
    DateGreaterThanEquals,
    /// `Bool`.
    Bool,
    /// `BinaryEquals`.
    BinaryEquals,
    /// `IpAddress`.
    IpAddress,
    /// `Null`: `true` if the key is absent.
    Null,
}

/// How a condition treats a key of several values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quantifier {
    /// `ForAnyValue:`: some value of the request.
    ForAnyValue,
    /// `ForAllValues:`: every value of the request, and then also none at all.
    ForAllValues,
}

/// An operator with what can be put around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Test {
    /// The comparison.
    pub operator: Operator,
    /// `StringNotEquals` and its kind: true if no listed value fits.
    pub inverted: bool,
    /// `...IfExists`: true if the key is absent.
    pub if_exists: bool,
    /// `ForAnyValue:` or `ForAllValues:`.
    pub quantifier: Option<Quantifier>,
}

/// Every base operator with its meaning; the names are compared without regard to case.
pub(crate) const NAMES: [(&str, Operator, bool); 27] = [
    ("StringEquals", Operator::StringEquals, false),
    ("StringNotEquals", Operator::StringEquals, true),
    ("StringEqualsIgnoreCase", Operator::StringEqualsIgnoreCase, false),
    ("StringNotEqualsIgnoreCase", Operator::StringEqualsIgnoreCase, true),
    ("StringLike", Operator::StringLike, false),
    ("StringNotLike", Operator::StringLike, true),
    ("ArnEquals", Operator::ArnLike, false),
    ("ArnNotEquals", Operator::ArnLike, true),
    ("ArnLike", Operator::ArnLike, false),
    ("ArnNotLike", Operator::ArnLike, true),
    ("NumericEquals", Operator::NumericEquals, false),
    ("NumericNotEquals", Operator::NumericEquals, true),
    ("NumericLessThan", Operator::NumericLessThan, false),
    ("NumericLessThanEquals", Operator::NumericLessThanEquals, false),
    ("NumericGreaterThan", Operator::NumericGreaterThan, false),
    ("NumericGreaterThanEquals", Operator::NumericGreaterThanEquals, false),
    ("DateEquals", Operator::DateEquals, false),
    ("DateNotEquals", Operator::DateEquals, true),
    ("DateLessThan", Operator::DateLessThan, false),
    ("DateLessThanEquals", Operator::DateLessThanEquals, false),
    ("DateGreaterThan", Operator::DateGreaterThan, false),
    ("DateGreaterThanEquals", Operator::DateGreaterThanEquals, false),
    ("Bool", Operator::Bool, false),
    ("BinaryEquals", Operator::BinaryEquals, false),
    ("IpAddress", Operator::IpAddress, false),
    ("NotIpAddress", Operator::IpAddress, true),
    ("Null", Operator::Null, false),
];

impl Test {
    /// What an operator means as written, for instance `ForAnyValue:StringLikeIfExists`; `None` if there is none such.
    #[must_use]
    pub fn named(written: &str) -> Option<Self> {
        let (quantifier, rest) = match written.split_once(':') {
            None => (None, written),
            Some((set, rest)) if set.eq_ignore_ascii_case("ForAnyValue") => {
                (Some(Quantifier::ForAnyValue), rest)
            }
            Some((set, rest)) if set.eq_ignore_ascii_case("ForAllValues") => {
                (Some(Quantifier::ForAllValues), rest)
            }
            Some(_) => return None,
        };
        let suffix = rest.len().checked_sub("IfExists".len()).filter(|at| rest.is_char_boundary(*at));
        let (base, if_exists) = match suffix.map(|at| rest.split_at(at)) {
            Some((base, end)) if end.eq_ignore_ascii_case("IfExists") => (base, true),
            _ => (rest, false),
        };
        let (_, operator, inverted) = *NAMES.iter().find(|(name, ..)| name.eq_ignore_ascii_case(base))?;
        if operator == Operator::Null && if_exists {
            return None;
        }
        Some(Self { operator, inverted, if_exists, quantifier })
    }
}

impl Operator {
    /// Whether its values may hold policy variables: String*, Arn*, and Bool.
    #[must_use]
    pub fn takes_variables(self) -> bool {
        matches!(
            self,
            Self::StringEquals | Self::StringEqualsIgnoreCase | Self::StringLike | Self::ArnLike | Self::Bool
        )
    }

    /// Whether `*` and `?` in its values are wildcards.
    #[must_use]
    pub fn takes_wildcards(self) -> bool {
        matches!(self, Self::StringLike | Self::ArnLike)
    }
}
