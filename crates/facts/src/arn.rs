//! Amazon Resource Names.

use crate::ParseError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// An Amazon Resource Name: `arn:partition:service:region:account:resource`.
///
/// Source: AWS General Reference, "Amazon Resource Names (ARNs)". The resource part may itself hold colons.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Arn {
    // INVARIANT: `text` has at least five colons and `cuts` are the positions of the first five.
    text: String,
    cuts: [usize; 5],
}

impl Arn {
    fn field(&self, n: usize) -> &str {
        &self.text[self.cuts[n - 1] + 1..self.cuts[n]]
    }

    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub fn partition(&self) -> &str {
        self.field(1)
    }

    /// `s3`, `sagemaker`, `kms` ...
    pub fn service(&self) -> &str {
        self.field(2)
    }

    /// `eu-central-1`; empty for services without regions.
    pub fn region(&self) -> &str {
        self.field(3)
    }

    /// The 12 digits of the account; empty for buckets.
    pub fn account(&self) -> &str {
        self.field(4)
    }

    /// Everything after the fifth colon.
    pub fn resource(&self) -> &str {
        &self.text[self.cuts[4] + 1..]
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for Arn {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let wrong = || ParseError::new("ARN", text, "`arn:partition:service:region:account:resource`");
        let mut cuts = [0; 5];
        let mut colons = text.match_indices(':').map(|(at, _)| at);
        for cut in &mut cuts {
            *cut = colons.next().ok_or_else(wrong)?;
        }
        let arn = Self { text: text.to_owned(), cuts };
        let account = arn.account();
        let account_ok = account.is_empty()
            || account == "aws"
            || account.bytes().all(|b| matches!(b, b'*' | b'?'))
            || (account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()));
        let whole = text.len() <= 2048
            && &text[..cuts[0]] == "arn"
            && !arn.partition().is_empty()
            && !arn.service().is_empty()
            && !arn.resource().is_empty()
            && account_ok;
        if whole { Ok(arn) } else { Err(wrong()) }
    }
}

impl TryFrom<String> for Arn {
    type Error = ParseError;
    fn try_from(text: String) -> Result<Self, ParseError> {
        text.parse()
    }
}

impl From<Arn> for String {
    fn from(arn: Arn) -> String {
        arn.text
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_apart_what_aws_writes() {
        let arn: Arn = "arn:aws:kms:eu-central-1:111122223333:key/1234".parse().unwrap();
        assert_eq!(
            (arn.partition(), arn.service(), arn.region(), arn.account(), arn.resource()),
            ("aws", "kms", "eu-central-1", "111122223333", "key/1234")
        );
        let bucket: Arn = "arn:aws:s3:::ml-training-data/*".parse().unwrap();
        assert_eq!((bucket.region(), bucket.account(), bucket.resource()), ("", "", "ml-training-data/*"));
        let log: Arn = "arn:aws:logs:us-east-1:111122223333:log-group:a:*".parse().unwrap();
        assert_eq!(log.resource(), "log-group:a:*");
    }

    #[test]
    fn refuses_what_is_no_arn() {
        for bad in [
            "",
            "arn",
            "arn:aws:s3::",
            "arn:aws:s3:::",
            "urn:aws:s3:::b",
            "arn::s3:::b",
            "arn:aws:iam::12:role/x",
        ] {
            assert!(bad.parse::<Arn>().is_err(), "{bad}");
        }
    }
}
