//! Any bytes as a policy, for libFuzzer and for the stable driver in `tests/fuzz.rs`.

use iam::{Context, Layers, Policy, PolicyKind, Principal, Program, Request};

const KINDS: [PolicyKind; 9] = [
    PolicyKind::Identity,
    PolicyKind::Resource,
    PolicyKind::Trust,
    PolicyKind::KmsKey,
    PolicyKind::Boundary,
    PolicyKind::Session,
    PolicyKind::Scp,
    PolicyKind::Rcp,
    PolicyKind::Endpoint,
];

/// Reads a policy and uses it in every place; a text that is none has mistakes with places inside of it.
pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let policy = match Policy::parse("policy.json", text) {
        Ok(policy) => policy,
        Err(malformed) => {
            assert!(!malformed.0.is_empty() && !malformed.to_string().is_empty());
            return;
        }
    };
    assert!(policy.span.end <= text.len());
    let _ = iam::is_public_by_s3(&policy);
    let caller = Principal::parse("arn:aws:sts::111111111111:assumed-role/App/s1");
    let Ok(request) = Request::new(caller, "s3:GetObject", "arn:aws:s3:::b/k", None, Context::default())
    else {
        return;
    };
    for kind in KINDS {
        let program = Program::new(policy.clone(), kind);
        let mut layers = Layers::default();
        match kind {
            PolicyKind::Identity => layers.identity.push(program),
            PolicyKind::Boundary => layers.boundaries.push(program),
            PolicyKind::Session => layers.session.push(program),
            PolicyKind::Endpoint => layers.endpoint.push(program),
            _ => layers.resource = Some(program),
        }
        assert_eq!(iam::decide(&layers, &request), iam::decide(&layers, &request));
    }
}
