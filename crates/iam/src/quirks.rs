//! Every point where the documentation is silent, contradicts itself, or is followed against what another reader might
//! expect: what this engine does, why, and the source.

/// One such point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Quirk {
    /// A short name, stable.
    pub id: &'static str,
    /// What this engine does.
    pub rule: &'static str,
    /// Why, and what is doubtful.
    pub reason: &'static str,
    /// Where the rule or the doubt comes from.
    pub source: &'static str,
}

const fn quirk(id: &'static str, rule: &'static str, reason: &'static str, source: &'static str) -> Quirk {
    Quirk { id, rule, reason, source }
}

/// All of them.
pub const QUIRKS: [Quirk; 30] = [
    quirk(
        "bare-statement-version",
        "a single statement without a policy around it is read in the language of 2012-10-17 unless it says otherwise",
        "a fragment has no policy that could say; every policy written today has this version",
        "no AWS source; Wardmote",
    ),
    quirk(
        "unknown-operator",
        "a statement with a condition operator that does not exist matches nothing, a Deny too; the linter calls it an error",
        "AWS refuses to store it, so what it would mean is not defined",
        "IAM User Guide, Condition operators",
    ),
    quirk(
        "unreadable-value",
        "a listed value that its operator cannot read (a word under NumericEquals) fits nothing, and nothing is its opposite",
        "AWS refuses most of them when a policy is stored",
        "IAM User Guide, Condition operators",
    ),
    quirk(
        "unreadable-request-value",
        "a number, date or address of the request that cannot be read satisfies neither the operator nor its inverse; what is no ARN satisfies ArnNotLike",
        "undocumented; values come from AWS and are readable in practice",
        "no AWS source",
    ),
    quirk(
        "multivalued-without-set-operator",
        "a key with a list of values under a plain operator satisfies nothing, not even an inverted operator",
        "documented only as `use ForAllValues or ForAnyValue`",
        "IAM User Guide, Multivalued context keys",
    ),
    quirk(
        "empty-list",
        "a key whose list of values is empty counts as absent",
        "the guide speaks of keys that resolve to a null data set",
        "IAM User Guide, Multivalued context keys",
    ),
    quirk(
        "bool-variables",
        "Bool resolves variables; the linter warns",
        "the operators page allows them, the variables page does not",
        "IAM User Guide, Condition operators; Policy variables",
    ),
    quirk(
        "ignore-case-folding",
        "StringEqualsIgnoreCase compares character by character in lower case (Unicode)",
        "which folding AWS uses is not documented",
        "IAM User Guide, Condition operators",
    ),
    quirk(
        "epoch-or-year",
        "digits alone under a Date operator are seconds since 1970, never a year",
        "the guide allows both writings",
        "IAM User Guide, Date condition operators",
    ),
    quirk(
        "date-without-zone",
        "a time without a zone is UTC",
        "the W3C profile demands a zone",
        "W3C note Date and Time Formats",
    ),
    quirk(
        "binary-compares-text",
        "BinaryEquals compares the base64 text, apart from padding at the end",
        "equal bytes have one canonical base64 text",
        "IAM User Guide, Binary condition operator",
    ),
    quirk(
        "arn-condition-service-wildcard",
        "the service field may be a wildcard in a condition value, not in Resource, where such a pattern matches nothing",
        "IAM refuses to store it: `resource vendor must be fully qualified`",
        "IAM User Guide, Resource",
    ),
    quirk(
        "short-arn",
        "an ARN with fewer than six fields is completed with `*` in identity, session and boundary policies; in others only if it has a wildcard (service control policies: at its end); in resource control policies never",
        "documented for identity policies only",
        "IAM User Guide, Resource (Incomplete ARNs)",
    ),
    quirk(
        "early-variable",
        "a variable before the fifth colon of Resource is literal text and so matches no ARN",
        "variables are documented for the part after the fifth colon",
        "IAM User Guide, Policy variables",
    ),
    quirk(
        "unknown-resource-account",
        "if neither the request nor the ARN says whose a resource is, it is taken to be the caller's",
        "ARNs of S3 name no account; give `resourceAccount` to be exact",
        "Wardmote",
    ),
    quirk(
        "not-principal-allow",
        "Allow with NotPrincipal matches nobody; the prover does not call such a policy proved, S3's own test calls it public",
        "not supported today and refused when stored, but policies from before may grant to everyone",
        "IAM User Guide, NotPrincipal",
    ),
    quirk(
        "not-principal-spares",
        "Deny with NotPrincipal spares a caller only if it, its account and for sessions its role are listed; never one with a permissions boundary",
        "the guide says that AWS `might` check account, role and session one after the other",
        "IAM User Guide, NotPrincipal",
    ),
    quirk(
        "misplaced-principal",
        "Allow with Principal in a policy that may not have one matches nothing, Deny ignores the element",
        "AWS refuses to store it; both readings fail closed",
        "IAM User Guide, Principal",
    ),
    quirk(
        "missing-resource",
        "Allow without Resource matches nothing in policies of identities and organisations; in policies of resources it means the resource itself",
        "trust policies have no Resource",
        "IAM User Guide, Resource",
    ),
    quirk(
        "role-caller",
        "a caller given by the ARN of a role, not of a session, stands for a session of that role",
        "requests are made by sessions only",
        "IAM User Guide, Policy evaluation logic",
    ),
    quirk(
        "service-linked-by-path",
        "a service-linked role is known by the path `aws-service-role/` of its ARN; a session ARN has no path and is bound like any other",
        "fails closed",
        "Organizations User Guide, Service control policies",
    ),
    quirk(
        "endpoint-principal",
        "Principal of an endpoint policy means the caller at any level, its account too; without the element everyone is meant",
        "for gateway endpoints an account means its root user only; use `*` with aws:PrincipalArn",
        "VPC User Guide, Control access to VPC endpoints using endpoint policies",
    ),
    quirk(
        "grant-under-boundary",
        "a KMS grant counts only as far as boundary and session policy allow, and across accounts only with an identity policy",
        "undocumented; fails closed",
        "KMS Developer Guide, Grants",
    ),
    quirk(
        "s3-fixed-values",
        "for S3's test of public policies a value is fixed if it has neither wildcard nor variable, apart from access point names, organisation paths and AROLEID:*",
        "which keys name a principal is given by example only",
        "S3 User Guide, The meaning of `public`",
    ),
    quirk(
        "role-path",
        "a role ARN in a policy is compared exactly with a caller given by a role ARN, its path too; with a session the path is left out",
        "ARNs of sessions have no path",
        "IAM User Guide, Principal",
    ),
    quirk(
        "federated-user-spared",
        "NotPrincipal spares a federated user only if the user of which it is a session is listed too",
        "as for the role of a session; fails closed",
        "IAM User Guide, NotPrincipal",
    ),
    quirk(
        "rcp-without-principal",
        "a Deny of a resource control policy without Principal means everyone",
        "AWS demands `\"Principal\": \"*\"`; fails closed",
        "Organizations User Guide, Resource control policies",
    ),
    quirk(
        "public-access-answer",
        "RestrictPublicBuckets answers with an explicit deny, and only what would be allowed otherwise",
        "the error of S3 does not tell the two apart",
        "S3 User Guide, Blocking public access",
    ),
    quirk(
        "variable-within-arn-field",
        "a variable inside a field of an Arn condition stays in that field, even if its value has colons; one that is the whole value stands for a whole ARN",
        "undocumented",
        "IAM User Guide, Policy variables",
    ),
    quirk(
        "completed-service",
        "an ARN that is completed (`arn:aws:*`) may mean every service, although a written-out service may not be a wildcard",
        "the two rules of the guide contradict each other for short ARNs",
        "IAM User Guide, Resource",
    ),
];
