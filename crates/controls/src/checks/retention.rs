//! For how long objects stay: no longer and no shorter than was declared, and records long enough.

use crate::answer::{Answer, Spot, all, below, find};
use crate::node::{Node, Value};
use crate::resource::{Resource, State, cause};
use crate::unit::{Case, Unit, part, unit};

const BUCKET: &str = "AWS::S3::Bucket";
/// What writes records of models into a bucket, and the property that names it.
const WRITERS: [(&str, &str); 3] = [
    ("AWS::SageMaker::EndpointConfig", "DataCaptureConfig.DestinationS3Uri"),
    ("AWS::CloudTrail::Trail", "S3BucketName"),
    ("AWS::Bedrock::ModelInvocationLoggingConfiguration", "LoggingConfig.S3Config.BucketName"),
];

/// What people write into the tag `retention` when there is nothing to declare.
const UNDECLARED: [&str; 4] = ["", "-", "none", "not set"];

pub(crate) const UNITS: &[Unit] = &[
    unit!(
        "S3-15",
        Medium,
        Cross,
        "objects stay as long as was declared, and records of models for six months",
        [BUCKET],
        [],
        |case| all([rule(case)].into_iter().chain(declared(case)).chain(records(case)))
    ),
    part!(
        "S3-15",
        "rule",
        Medium,
        "a bucket has a rule for how long objects stay",
        [BUCKET],
        ["S3.13", "CKV2_AWS_61", "S3_LIFECYCLE_POLICY_CHECK", "s3_bucket_lifecycle_enabled"],
        rule
    ),
];

fn rule(case: &Case<'_>) -> Answer {
    let rules = find(case.resource, "LifecycleConfiguration.Rules");
    if let Some(missing) = rules.missing() {
        return rules.spot.unknown(missing);
    }
    let items = rules.items();
    if items.is_empty() {
        return rules.spot.broken("there is no rule for how long objects stay");
    }
    let answers = items.iter().map(|(spot, item)| below(spot, item, "Status").word(&["Enabled"], None));
    crate::answer::any(answers)
        .unwrap_or_else(|| rules.spot.broken("there is no rule for how long objects stay"))
}

/// After how many days all objects are gone.
enum Stay<'a> {
    Days(u64, Spot<'a>),
    /// A date, or what only some objects have.
    ForEver,
    Unclear(String),
}

/// The first of the enabled rules for the whole bucket that ends.
fn stay(bucket: &Resource) -> Stay<'_> {
    let rules = find(bucket, "LifecycleConfiguration.Rules");
    if let Some(missing) = rules.missing() {
        return Stay::Unclear(missing);
    }
    let mut least: Option<(u64, Spot<'_>)> = None;
    for (spot, item) in rules.items() {
        match item.get("Status").map(Node::text) {
            Some(Some("Enabled")) => {}
            Some(None) => return Stay::Unclear("whether a rule is enabled".to_owned()),
            _ => continue,
        }
        if ["Prefix", "TagFilters", "ObjectSizeGreaterThan", "ObjectSizeLessThan"]
            .iter()
            .any(|part| narrows(item, part))
        {
            continue;
        }
        let days = below(&spot, item, "ExpirationInDays");
        match &days.state {
            State::Absent => {}
            State::Unknown(missing) => return Stay::Unclear(missing.clone()),
            State::Known(node) => match node.text().and_then(|text| text.parse::<u64>().ok()) {
                Some(number) if number > 0 && least.as_ref().is_none_or(|(known, _)| number < *known) => {
                    least = Some((number, days.spot.clone()));
                }
                Some(_) => {}
                None => return Stay::Unclear(cause(node)),
            },
        }
    }
    least.map_or(Stay::ForEver, |(days, spot)| Stay::Days(days, spot))
}

/// Whether a rule is only about some objects.
fn narrows(rule: &Node, part: &str) -> bool {
    rule.get(part).is_some_and(|node| match &node.value {
        Value::Null => false,
        Value::List(items) => !items.is_empty(),
        _ => node.text() != Some(""),
    })
}

/// The tag `retention` says for how long: `90`, `90d`, `6 months`, `7y`.
fn declared(case: &Case<'_>) -> Option<Answer> {
    let text = case.resource.tag("retention").filter(|text| !UNDECLARED.contains(text))?;
    let tags = find(case.resource, "Tags").spot;
    let Some(wanted) = days(text) else {
        return Some(tags.unknown(format!(
            "how many days the tag `retention` with `{text}` means; expected such as `90d`, `6 months` or `7y`"
        )));
    };
    Some(match stay(case.resource) {
        Stay::Unclear(missing) => find(case.resource, "LifecycleConfiguration.Rules").spot.unknown(missing),
        Stay::ForEver => find(case.resource, "LifecycleConfiguration.Rules")
            .spot
            .broken(format!("the tag `retention` says {wanted} days, and no rule for the whole bucket ends")),
        Stay::Days(given, spot) if given == wanted => {
            spot.holds(format!("objects stay for {given} days, as the tag `retention` says"))
        }
        Stay::Days(given, spot) => {
            spot.broken(format!("objects stay for {given} days; the tag `retention` says {wanted}"))
        }
    })
}

/// How many days a text means; months have 30 of them and years 365.
fn days(text: &str) -> Option<u64> {
    let text = text.trim().to_ascii_lowercase();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text.get(..end)?.parse().ok()?;
    let unit = match text.get(end..)?.trim() {
        "" | "d" | "day" | "days" => 1,
        "w" | "week" | "weeks" => 7,
        "m" | "month" | "months" => 30,
        "y" | "year" | "years" => 365,
        _ => return None,
    };
    number.checked_mul(unit)
}

/// Records of what models were asked must not go before six months (Regulation (EU) 2024/1689, articles 19 and 26(6)).
fn records(case: &Case<'_>) -> Option<Answer> {
    let least = (*super::logs::LOG_DAYS)?;
    let (writer, spot) = WRITERS.iter().find_map(|(kind, path)| {
        let mut writers = case.estate.pointing(kind, path, case.resource).into_iter();
        let writer = writers.find(|one| one.unclear.is_none())?.from;
        Some((writer, find(writer, path).spot))
    })?;
    let answer = match stay(case.resource) {
        Stay::Days(given, at) if given < least => at.broken(format!(
            "`{}` keeps records of models here, and objects stay for {given} days; at least {least} are wanted",
            writer.id
        )),
        Stay::Unclear(missing) => find(case.resource, "LifecycleConfiguration.Rules").spot.unknown(missing),
        Stay::Days(_, at) => at.holds(format!("objects stay for at least {least} days")),
        Stay::ForEver => Spot::of(case.resource).holds("no rule for the whole bucket deletes records"),
    };
    Some(answer.by_way_of(spot, "its records are kept in the bucket").if_exists(writer, case.resource))
}

#[cfg(test)]
mod tests {
    #[test]
    fn retention_is_read_as_people_write_it() {
        for (text, days) in [
            ("90", Some(90)),
            ("90d", Some(90)),
            ("6 months", Some(180)),
            ("7y", Some(2_555)),
            ("2W", Some(14)),
            ("long", None),
            ("", None),
            ("99999999999999999999y", None),
        ] {
            assert_eq!(super::days(text), days, "{text}");
        }
    }
}
