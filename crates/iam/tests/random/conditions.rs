//! Random conditions: every operator, on keys that requests have.

use super::Dice;
use serde_json::{Map, Value};

/// A sort of values: keys that hold them, what policies list, what requests hold, and the operators.
pub(crate) struct Sort {
    pub(crate) keys: &'static [&'static str],
    pub(crate) listed: &'static [&'static str],
    pub(crate) held: &'static [&'static str],
    pub(crate) operators: &'static [&'static str],
}

pub(crate) const SORTS: [Sort; 8] = [
    Sort {
        keys: &["aws:username", "aws:PrincipalTag/t", "aws:SourceVpce", "aws:SourceAccount"],
        listed: &[
            "bob",
            "k",
            "a",
            "A",
            "*",
            "a*",
            "?",
            "${aws:username}",
            "${aws:PrincipalTag/t}",
            "${aws:none, 'a'}",
            "${aws:none}",
            "${*}",
            "${?}",
            "x${$}",
            "b${aws:username}*",
            "",
            "App",
            "Straße",
            "é",
            "*b*",
            "${aws:TagKeys}",
            "${aws:TagKeys, 'k'}",
        ],
        held: &[
            "bob", "k", "a", "A", "*", "a*", "?", "", "App", "a:b", "STRASSE", "É", "bbob*", "1", "x$",
            "App/s1",
        ],
        operators: &[
            "StringEquals",
            "StringNotEquals",
            "StringEqualsIgnoreCase",
            "StringNotEqualsIgnoreCase",
            "StringLike",
            "StringNotLike",
            "stringequals",
        ],
    },
    Sort {
        keys: &["aws:TagKeys", "aws:CalledVia"],
        listed: &["a", "b", "A", "a*", "*", "${aws:username}", "${aws:none}"],
        held: &["a", "b", "A", "ab", "c", "bob"],
        operators: &[
            "StringEquals",
            "StringNotEquals",
            "StringEqualsIgnoreCase",
            "StringLike",
            "StringNotLike",
        ],
    },
    Sort {
        keys: &["aws:SourceArn", "aws:PrincipalArn"],
        listed: &[
            "arn:aws:iam::111111111111:user/bob",
            "arn:aws:iam::*:user/*",
            "arn:aws:iam::111111111111:*",
            "arn:*:iam::*:role/App",
            "arn:aws:sns:eu-west-1:111111111111:t*",
            "arn:aws:*:*:111111111111:*",
            "arn:aws:iam::111111111111:user/${aws:username}",
            "arn:aws:s3:::*",
            "${aws:PrincipalArn}",
            "arn:aws:sns:${aws:none}:111111111111:t",
            "arn:aws:iam::${aws:PrincipalTag/t, '111111111111'}:user/?ob",
        ],
        held: &[
            "arn:aws:iam::111111111111:user/bob",
            "arn:aws:iam::111111111111:role/App",
            "arn:aws:s3:::b",
            "arn:aws:sns:eu-west-1:111111111111:t",
            "arn:aws:sns:eu-west-1:111111111111:t:x",
            "no-arn",
            "arn:aws:x",
        ],
        operators: &["ArnEquals", "ArnNotEquals", "ArnLike", "ArnNotLike", "StringLike", "StringNotLike"],
    },
    Sort {
        keys: &["s3:max-keys", "aws:MultiFactorAuthAge"],
        listed: &[
            "10",
            "10.0",
            "9.99",
            "-1",
            "010",
            "abc",
            "10abc",
            "0",
            "-0",
            "100000000000000000",
            "",
            "1.5",
        ],
        held: &["10", "10.00", "9.99", "-1", "10abc", "0", "100000000000000001", "", "x", "1.50", "+10"],
        operators: &[
            "NumericEquals",
            "NumericNotEquals",
            "NumericLessThan",
            "NumericLessThanEquals",
            "NumericGreaterThan",
            "NumericGreaterThanEquals",
        ],
    },
    Sort {
        keys: &["aws:CurrentTime", "aws:TokenIssueTime"],
        listed: &[
            "2024-02-29",
            "2024-02-29T00:00:00Z",
            "2024-02-29T01:00:00+01:00",
            "1709164800",
            "2024-02-28T23:59:59Z",
            "2024-03",
            "2023-02-29",
            "never",
            "2024-02-29T12:30Z",
            "2024-02-29T00:00:00.5Z",
            "0",
            "2024-13-01",
            "",
        ],
        held: &[
            "2024-02-29",
            "2024-02-29T00:00:00Z",
            "2024-02-28T16:00:00-08:00",
            "1709164800",
            "1709164801",
            "2024-02-29T12:30:00Z",
            "soon",
            "2024-03-01T00:00:00.000Z",
            "1969-12-31T23:59:59Z",
            "",
        ],
        operators: &[
            "DateEquals",
            "DateNotEquals",
            "DateLessThan",
            "DateLessThanEquals",
            "DateGreaterThan",
            "DateGreaterThanEquals",
        ],
    },
    Sort {
        keys: &["aws:SecureTransport", "aws:MultiFactorAuthPresent", "aws:ViaAWSService"],
        listed: &["true", "false", "True", "yes", "${aws:none}", "${aws:none, 'true'}", ""],
        held: &["true", "false", "TRUE", "1", ""],
        operators: &["Bool", "Null", "StringEquals"],
    },
    Sort {
        keys: &["x:blob"],
        listed: &["QUJD", "qujd", "QQ==", "QQ", ""],
        held: &["QUJD", "QQ==", "QQ", "x"],
        operators: &["BinaryEquals"],
    },
    Sort {
        keys: &["aws:SourceIp", "aws:VpcSourceIp"],
        listed: &[
            "10.0.0.0/8",
            "10.1.2.3",
            "10.1.2.3/32",
            "10.9.9.9/8",
            "0.0.0.0/0",
            "::/0",
            "2001:db8::/32",
            "2001:db8:0::1",
            "10.0.0.0/33",
            "10.0.0",
            "any",
            "2001:DB8::/33",
            "11.0.0.0/7",
        ],
        held: &[
            "10.1.2.3",
            "11.1.2.3",
            "2001:db8::1",
            "2001:0db8:0:0:0:0:0:1",
            "2001:db8:8000::1",
            "256.1.1.1",
            "here",
            "::1",
        ],
        operators: &["IpAddress", "NotIpAddress"],
    },
];

/// An operator as it may be written around a base.
pub(crate) fn written(dice: &mut Dice, base: &str) -> String {
    if base == "Null" {
        return base.to_owned();
    }
    let set = match dice.below(8) {
        0 => "ForAllValues:",
        1 => "ForAnyValue:",
        _ => "",
    };
    let end = if dice.one_in(5) { "IfExists" } else { "" };
    format!("{set}{base}{end}")
}

pub(crate) fn sort(dice: &mut Dice) -> &'static Sort {
    let at = dice.below(SORTS.len() + 3).saturating_sub(3);
    SORTS.get(at).unwrap_or(&SORTS[0])
}

/// The value of `Condition`.
pub(super) fn condition(dice: &mut Dice) -> Value {
    let many = if dice.one_in(4) { 2 } else { 1 };
    let mut all = Map::new();
    for _ in 0..many {
        let sort = sort(dice);
        let (operator, values) = match dice.below(40) {
            0 => ("StringMatches".to_owned(), dice.some(sort.listed)),
            1 | 2 => ("Null".to_owned(), dice.some(&["true", "false"])),
            _ => {
                let base = dice.pick(sort.operators);
                (written(dice, base), dice.some(sort.listed))
            }
        };
        let mut key = dice.pick(sort.keys).to_owned();
        if dice.one_in(6) {
            key = key.to_uppercase();
        }
        let mut keys = Map::new();
        keys.insert(key, values);
        all.insert(operator, Value::Object(keys));
    }
    Value::Object(all)
}
