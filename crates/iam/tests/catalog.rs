//! The embedded catalogue against its own description, against single facts of AWS, and against damage.

use iam::catalog::{
    AccessLevel, ActionId, Availability, Catalog, KeyType, Presence, availability, catalog, global_key,
};
use proptest::prelude::*;
use std::sync::LazyLock;

static BYTES: &[u8] = include_bytes!("../data/actions.bin");
const README: &str = include_str!("../data/README.md");

/// A number of the table in the description, which is written from the package.
fn said(what: &str) -> &'static str {
    let line = README.lines().find_map(|line| line.strip_prefix(&format!("| {what} | ")));
    line.and_then(|rest| rest.strip_suffix(" |")).unwrap_or_default()
}

#[test]
fn nothing_of_the_package_is_lost() {
    let data = catalog();
    assert_eq!(data.source_version(), said("version"));
    assert_eq!(data.as_of(), said("date"));
    assert_eq!(data.services().len().to_string(), said("services"));
    assert_eq!(data.all_actions().len().to_string(), said("actions"));
    let types: usize = data.services().map(|service| service.resource_types().len()).sum();
    assert_eq!(types.to_string(), said("resource types"));
    let keys: usize = data.services().map(|service| service.condition_keys().count()).sum();
    assert_eq!(keys.to_string(), said("condition keys"));
    let rcp = data.services().filter(iam::catalog::Service::supports_rcp).count();
    assert_eq!(rcp.to_string(), said("services with resource control policies"));
    let dependents: usize = data.all_actions().map(|action| action.dependent_actions().count()).sum();
    assert_eq!(dependents.to_string(), said("dependent actions"));
}

#[test]
fn small_enough() {
    assert!(BYTES.len() <= 1 << 20, "{} bytes", BYTES.len());
}

#[test]
fn every_action_is_found_again() {
    let data = catalog();
    for (number, action) in data.all_actions().enumerate() {
        let full = action.to_string();
        for spelled in [full.clone(), full.to_ascii_uppercase(), full.to_ascii_lowercase()] {
            assert_eq!(data.action(&spelled).map(|found| found.id()), Some(action.id()), "{spelled}");
        }
        assert_eq!(action.id().index(), number);
        assert_eq!(data.action_by_id(action.id()).map(|found| found.name()), Some(action.name()));
        assert_eq!(data.actions_matching(&full).map(|found| found.id()).collect::<Vec<_>>(), [action.id()]);
        for used in action.resource_types() {
            let kind = used.resource_type();
            assert_eq!(kind.service(), action.service().prefix());
            let found = data.resource_type(kind.service(), &kind.name().to_uppercase());
            assert_eq!(found.map(|found| found.arn()), Some(kind.arn()), "{full}");
            assert!(used.condition_keys().all(|key| action.lists_key(key.name())), "{full}");
        }
        assert!(action.condition_keys().all(|key| action.lists_key(key.name())), "{full}");
    }
    assert!(data.action_by_id(ActionId::new(u16::MAX)).is_none());
}

#[test]
fn every_service_type_and_key_is_found_again() {
    let data = catalog();
    for service in data.services() {
        assert_eq!(data.service(&service.prefix().to_uppercase()).map(|s| s.name()), Some(service.name()));
        assert!(!service.category().1.is_empty() && !service.name().is_empty());
        assert_eq!(service.actions().len(), data.actions(service.prefix()).count());
        for kind in service.resource_types() {
            let found = service.resource_type(kind.name()).map(|found| (found.name(), found.arn()));
            assert_eq!(found, Some((kind.name(), kind.arn())));
            assert!(kind.arn().starts_with("arn:${Partition}:"), "{kind:?}");
        }
        for key in service.condition_keys() {
            assert_eq!(
                service.condition_key(&key.name().to_uppercase()).map(|found| found.kind()),
                Some(key.kind())
            );
        }
    }
    for key in data.condition_keys() {
        assert_eq!(
            data.condition_key(&key.name().to_uppercase()).map(|found| found.name()),
            Some(key.name())
        );
        assert!(key.services().next().is_some(), "{key:?}");
        let filled = key.name().replace('<', "${").replace('>', "}");
        if let Some((before, rest)) = filled.split_once("${") {
            let after = rest.split_once('}').expect("a closing brace").1;
            assert!(key.is_template());
            assert_eq!(
                data.condition_key(&format!("{before}X.y/Z{after}")).map(|found| found.name()),
                Some(key.name())
            );
            assert!(!key.is(&format!("{before}{after}")));
        }
    }
}

#[test]
fn sorted_and_unique() {
    let data = catalog();
    let lower = |text: &str| text.to_ascii_lowercase();
    let actions = data.all_actions().map(|action| (lower(action.service().prefix()), lower(action.name())));
    assert!(actions.is_sorted_by(|a, b| a < b));
    assert!(data.services().is_sorted_by(|a, b| lower(a.prefix()) < lower(b.prefix())));
    let keys = data.condition_keys().map(|key| (lower(key.name()), key.kind() as u8));
    assert!(keys.is_sorted_by(|a, b| a < b));
    for service in data.services() {
        assert!(service.resource_types().is_sorted_by(|a, b| lower(a.name()) < lower(b.name())));
    }
}

#[test]
fn single_facts() {
    use AccessLevel::{List, PermissionsManagement, Read, Tagging, Write};
    // Name, level, resource types with `!` if required, one of its condition keys.
    let facts = [
        ("s3:GetObject", Read, "accesspointobject object", "s3:ExistingObjectTag/<key>"),
        ("s3:PutObject", Write, "accesspointobject object", "s3:x-amz-server-side-encryption"),
        ("s3:ListBucket", List, "accesspoint bucket", "s3:prefix"),
        ("s3:ListAllMyBuckets", List, "", "s3:TlsVersion"),
        ("s3:PutBucketPolicy", PermissionsManagement, "bucket!", "s3:authType"),
        ("kms:Decrypt", Write, "key!", "kms:EncryptionContext:${EncryptionContextKey}"),
        ("kms:GenerateDataKey", Write, "key!", "kms:ViaService"),
        ("kms:CreateGrant", PermissionsManagement, "key!", "kms:GrantIsForAWSResource"),
        (
            "sagemaker:CreateTrainingJob",
            Write,
            "reserved-capacity training-job! training-plan",
            "sagemaker:VpcSubnets",
        ),
        ("sagemaker:InvokeEndpoint", Read, "endpoint! inference-component", "sagemaker:TargetModel"),
        ("kms:TagResource", Tagging, "key!", "aws:TagKeys"),
        ("iam:PassRole", Write, "role!", "iam:PassedToService"),
        ("iam:CreateRole", Write, "role!", "iam:PermissionsBoundary"),
        ("iam:AttachRolePolicy", PermissionsManagement, "role!", "iam:PolicyARN"),
        ("sts:AssumeRole", Write, "role!", "sts:ExternalId"),
        ("sts:GetCallerIdentity", Read, "", ""),
        ("ec2:DescribeInstances", List, "", "ec2:Region"),
        ("lambda:InvokeFunction", Write, "function!", "lambda:EventSourceToken"),
        ("dynamodb:GetItem", Read, "table!", "dynamodb:LeadingKeys"),
        ("secretsmanager:GetSecretValue", Read, "Secret!", "secretsmanager:VersionStage"),
    ];
    for (name, level, types, key) in facts {
        let action = catalog().action(name).unwrap_or_else(|| panic!("{name}"));
        assert_eq!(action.to_string(), name);
        assert_eq!(action.access_level(), level, "{name}");
        let found: Vec<String> = action
            .resource_types()
            .map(|used| format!("{}{}", used.resource_type().name(), if used.required() { "!" } else { "" }))
            .collect();
        assert_eq!(found.join(" "), types, "{name}");
        assert_eq!(action.is_wildcard_only(), types.is_empty(), "{name}");
        assert!(key.is_empty() || action.condition_keys().any(|found| found.name() == key), "{name}: {key}");
    }
}

#[test]
fn names_that_do_not_exist() {
    let data = catalog();
    for name in
        ["", ":", "s3", "s3:", "s3:GetObject ", "s3:Get*", "nope:GetObject", "zzz:Z", "s3:GetObject:x", "ß:ß"]
    {
        assert!(data.action(name).is_none(), "{name}");
    }
    assert!(data.condition_key("aws:RequestTag/").is_none());
    assert!(data.condition_key("s3:ExistingObjectTag").is_none());
    assert!(data.resource_type("s3", "key").is_none());
    assert_eq!(data.actions("nope").count(), 0);
}

#[test]
fn patterns_find_what_a_scan_finds() {
    let data = catalog();
    for pattern in [
        "s3:*",
        "S3:get*",
        "s3*:Get?bject",
        "*:*Policy",
        "*",
        "sagemaker:Create*Job",
        "s3:",
        "s3-o*",
        "nope:*",
    ] {
        let expected = regex_free_count(pattern);
        assert_eq!(data.actions_matching(pattern).count(), expected, "{pattern}");
    }
    assert_eq!(data.actions_matching("*").count(), data.all_actions().len());
    assert!(data.actions_matching("s3:GetObject?*").all(|action| action.name().starts_with("GetObject")));
}

/// Counts the fitting actions without the ranges that the catalogue uses.
fn regex_free_count(pattern: &str) -> usize {
    fn fits(pattern: &str, text: &str) -> bool {
        match pattern.split_once('*') {
            None => {
                pattern.len() == text.len()
                    && pattern.bytes().zip(text.bytes()).all(|(a, b)| a == b'?' || a == b)
            }
            Some((head, tail)) => {
                text.len() >= head.len()
                    && fits(head, &text[..head.len()])
                    && (head.len()..=text.len()).any(|at| fits(tail, &text[at..]))
            }
        }
    }
    let pattern = pattern.to_ascii_lowercase();
    catalog().all_actions().filter(|action| fits(&pattern, &action.to_string().to_ascii_lowercase())).count()
}

#[test]
fn types_of_keys_and_services() {
    let data = catalog();
    let kind = |name: &str| data.condition_key(name).map(|key| key.kind());
    assert_eq!(kind("aws:TagKeys"), Some(KeyType::ArrayOfString));
    assert_eq!(kind("kms:EncryptionContext:project"), Some(KeyType::String));
    assert_eq!(kind("identitystore:UserId"), Some(KeyType::String));
    let of_q = data.service("qbusiness").and_then(|service| service.condition_key("IdentityStore:userid"));
    assert_eq!(of_q.map(|key| key.kind()), Some(KeyType::ArrayOfString));
    assert!(data.supports_rcp("s3") && data.supports_rcp("KMS") && !data.supports_rcp("sagemaker"));
    assert_eq!(data.service("s3").map(|service| service.category()), Some(("storage", "Storage")));
    let saml = data.foreign_prefixes().find(|(prefix, _)| *prefix == "saml");
    assert_eq!(saml.and_then(|(_, service)| service).map(|service| service.prefix()), Some("sts"));
}

#[test]
fn keys_that_requests_carry() {
    use Availability::{Always, Never, Sometimes, Unknown};
    let facts = [
        ("s3:GetObject", "aws:SecureTransport", Always),
        ("s3:GetObject", "AWS:currenttime", Always),
        ("s3:GetObject", "aws:PrincipalArn", Sometimes),
        ("s3:GetObject", "aws:PrincipalTag/team", Sometimes),
        ("s3:GetObject", "aws:SourceVpce", Sometimes),
        ("s3:GetObject", "ec2:SourceInstanceArn", Sometimes),
        ("s3:GetObject", "saml:sub", Sometimes),
        ("s3:GetObject", "s3:ExistingObjectTag/project", Sometimes),
        ("s3:GetObject", "aws:ResourceTag/project", Sometimes),
        ("s3:GetObject", "kms:ViaService", Never),
        ("s3:GetObject", "ec2:InstanceType", Never),
        // Of the service itself, though not listed.
        ("s3:GetObject", "s3:prefix", Unknown),
        ("s3:GetObject", "s3:InventedKey", Unknown),
        ("s3:GetObject", "aws:RequestTag/project", Unknown),
        ("s3:GetObject", "aws:InventedKey", Unknown),
        ("s3:GetObject", "invented:Key", Unknown),
        ("s3:GetObject", "token.actions.githubusercontent.com:sub", Unknown),
        ("s3:GetObject", "", Unknown),
        ("kms:Decrypt", "kms:EncryptionContext:project", Sometimes),
        ("kms:Decrypt", "kms:ViaService", Sometimes),
        ("sagemaker:CreateTrainingJob", "aws:RequestTag/project", Sometimes),
        ("sts:AssumeRole", "sts:ExternalId", Sometimes),
        ("s3:GetObject", "sts:ExternalId", Never),
        ("s3:Get*", "aws:SecureTransport", Unknown),
        ("invented:Action", "aws:SecureTransport", Unknown),
    ];
    for (action, key, expected) in facts {
        assert_eq!(availability(action, key), expected, "{action} {key}");
    }
    let presence = |key| global_key(key).map(iam::catalog::GlobalKey::presence);
    assert_eq!(presence("aws:PrincipalArn"), Some(Presence::Signed));
    assert_eq!(presence("aws:TagKeys"), Some(Presence::Listed));
    assert!(global_key("aws:PrincipalOrgPaths").is_some_and(|key| key.kind().is_multivalued()));
}

#[test]
fn bytes_that_are_no_catalogue() {
    let error = |bytes: &[u8]| Catalog::read(bytes).map(|_| ()).unwrap_err().to_string();
    insta::assert_snapshot!(error(b"PK"), @"these bytes are not a catalogue of actions");
    let mut other = BYTES.to_vec();
    other[8] = 7;
    insta::assert_snapshot!(error(&other), @"the catalogue of actions has format `7`; expected `1`");
    insta::assert_snapshot!(
        error(&BYTES[..BYTES.len() - 1]),
        @"the catalogue of actions is cut off or has bytes after its end"
    );
    let help = Catalog::read(b"").unwrap_err().help();
    insta::assert_snapshot!(help, @"write it anew with `cargo xtask iam-data PACKAGE_DIR`");
}

/// Asks everything there is to ask, on a sample, since damaged lists can be long. What comes out does not matter; that it comes out does.
fn ask(data: &Catalog<'_>, at: u16) -> usize {
    let mut seen = data.as_of().len() + data.source_version().len();
    let names = ["s3:GetObject", "kms:Decrypt", "sagemaker:CreateTrainingJob", "zzz:Z", "aws:TagKeys"];
    for name in names {
        seen += data.action(name).map_or(0, |action| action.name().len());
        seen += data.condition_key(name).map_or(0, |key| key.services().take(2).count());
    }
    seen += data.condition_key("kms:EncryptionContext:a").map_or(0, |key| key.name().len());
    seen += data.actions_matching("s3:Get*").count() + data.actions_matching("*:Create*").count();
    seen += data.foreign_prefixes().filter(|(_, service)| service.is_some()).count();
    let service = data.services().nth(usize::from(at) % data.services().len().max(1));
    for service in service.into_iter().chain(data.service("ec2")) {
        seen += service.name().len() + service.category().0.len() + usize::from(service.supports_rcp());
        seen += service
            .resource_types()
            .take(40)
            .map(|kind| kind.arn().len() + kind.condition_keys().take(40).count())
            .sum::<usize>();
        seen += service.condition_key("ec2:ResourceTag/a").map_or(0, |key| key.kind() as usize);
        seen += service.resource_type("instance").map_or(0, |kind| kind.name().len());
    }
    let some = data.action_by_id(ActionId::new(at)).into_iter().chain(data.actions("ec2").take(3));
    for action in some {
        seen += action.to_string().len() + action.access_level().name().len();
        seen += action.dependent_actions().count();
        seen += action
            .resource_types()
            .take(40)
            .map(|used| used.condition_keys().take(40).count())
            .sum::<usize>();
        seen += action.condition_keys().map(|key| key.name().len()).sum::<usize>();
        seen += usize::from(action.id().get() % 16 == 0 && action.lists_key("aws:ResourceTag/a"));
    }
    seen
}

static HEADER: LazyLock<usize> = LazyLock::new(|| 20 + 14 * 4);

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn damage_never_panics(
        spots in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..400),
        start in any::<prop::sample::Index>(),
        run in prop::collection::vec(any::<u8>(), 0..4000),
        at in any::<u16>(),
    ) {
        let mut bytes = BYTES.to_vec();
        let header = *HEADER;
        for (place, value) in spots {
            let place = header + place.index(bytes.len() - header);
            bytes[place] = value;
        }
        let start = header + start.index(bytes.len() - header - run.len());
        bytes[start..start + run.len()].copy_from_slice(&run);
        let data = Catalog::read(&bytes).expect("the header is whole");
        ask(&data, at);
    }

    #[test]
    fn a_damaged_header_is_refused_or_harmless(place in 0_usize..76, value in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let mut bytes = BYTES.to_vec();
        bytes[place] = value;
        if let Ok(data) = Catalog::read(&bytes) {
            ask(&data, 1);
        }
        prop_assert!(Catalog::read(&BYTES[..cut.index(BYTES.len())]).is_err());
    }
}

proptest! {
    // Few, because random lists are long.
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    #[test]
    fn damaged_records_never_panic(seed in any::<u64>(), at in any::<u16>()) {
        // Every byte before the strings is chance, so that every index leads astray.
        let mut bytes = BYTES.to_vec();
        let tables = 300_000.min(bytes.len());
        let mut state = seed | 1;
        for byte in &mut bytes[*HEADER..tables] {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = (state >> 56) as u8;
        }
        ask(&Catalog::read(&bytes).expect("the header is whole"), at);
    }
}
