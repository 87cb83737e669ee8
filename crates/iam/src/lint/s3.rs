//! Buckets, and conditions that filter less than they seem to.

use super::conditions::tests;
use super::subject::{Out, Subject};
use super::unit::{Unit, unit};
use crate::policy::{Operator, PolicyKind};
use crate::s3::is_public_statement;

pub(super) const UNITS: &[Unit] = &[
    unit!("s3-public", SecurityWarning, "S3 calls this bucket policy public", public),
    unit!("s3-prefix-negative", SecurityWarning, "s3:prefix cannot keep anybody out", prefix),
    unit!("s3-without-secure-transport", Suggestion, "A bucket policy that does not demand TLS", insecure),
    unit!("dynamodb-attributes", SecurityWarning, "dynamodb:Attributes without dynamodb:Select", attributes),
];

/// Whether a policy of a resource is one of a bucket: every action is of S3, or every ARN; `*` may be either.
fn is_bucket_policy(subject: &Subject<'_>) -> bool {
    let resources = || subject.cases.iter().flat_map(super::subject::Case::listed_resources);
    let statements = || subject.cases.iter().map(|case| case.statement);
    let actions =
        || statements().flat_map(|statement| &statement.action.items).filter(|item| item.text != "*");
    let of_s3 = |arn: &str| arn.split(':').nth(2) == Some("s3");
    let by_arn = resources().any(|item| of_s3(&item.text))
        && resources().all(|item| item.text == "*" || of_s3(&item.text));
    let by_action =
        actions().next().is_some() && actions().all(|item| item.text.to_ascii_lowercase().starts_with("s3:"));
    subject.kind == PolicyKind::Resource && (by_arn || by_action)
}

fn public(subject: &Subject<'_>, out: &mut Out) {
    if !is_bucket_policy(subject) {
        return;
    }
    for case in subject.allows().filter(|case| is_public_statement(case.statement)) {
        let span = case.statement.principal.as_ref().map_or(case.head(), |element| element.span);
        let message = "by the rules of S3 the statement makes the bucket public".to_owned();
        let help = "name principals, or fix `aws:PrincipalOrgID`, `aws:SourceVpce` or `aws:SourceArn` to values without wildcards";
        out.say(case, span, message, help);
    }
}

fn prefix(subject: &Subject<'_>, out: &mut Out) {
    for (case, condition, test) in
        tests(subject).filter(|(_, c, _)| c.key.text.eq_ignore_ascii_case("s3:prefix"))
    {
        let text = matches!(
            test.operator,
            Operator::StringEquals | Operator::StringEqualsIgnoreCase | Operator::StringLike
        );
        if text && case.allows() == test.inverted {
            let message = "a shorter prefix does not fit, and still lists the objects".to_owned();
            out.say(
                case,
                condition.key.span,
                message,
                "allow with `StringLike`, or deny with `StringNotLike`",
            );
        }
    }
}

fn insecure(subject: &Subject<'_>, out: &mut Out) {
    if is_bucket_policy(subject)
        && !subject.cases.iter().any(|case| case.has_key(&["aws:securetransport", "s3:tlsversion"]))
    {
        let message = "requests without TLS are not denied".to_owned();
        let help = "add a Deny of `s3:*` with `\"Bool\": {\"aws:SecureTransport\": \"false\"}`";
        out.say_whole(subject.head(), message, help);
    }
}

fn attributes(subject: &Subject<'_>, out: &mut Out) {
    for (case, condition, _) in tests(subject).filter(|(case, _, _)| case.allows()) {
        let reads = ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:BatchGetItem"];
        let wanted = condition.key.text.eq_ignore_ascii_case("dynamodb:Attributes")
            && reads.iter().any(|read| case.covers(read));
        if wanted && !case.has_key(&["dynamodb:select"]) {
            let message = "a request that names no attributes gets all of them".to_owned();
            let help = "add `\"StringEqualsIfExists\": {\"dynamodb:Select\": \"SPECIFIC_ATTRIBUTES\"}`";
            out.say(case, condition.key.span, message, help);
        }
    }
}
