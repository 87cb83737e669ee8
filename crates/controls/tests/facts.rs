//! Controls that need facts of a live account: by inventories, with each fact good, bad, not there and not known.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use controls::{Selection, live, scan};
use facts::inventory::Inventory;
use serde_json::{Value, json};

const NOW: &str = "2026-11-21T10:00:00.000Z";

/// The word and the reason of a control about a resource, or about the first.
fn verdict(control: &str, resources: &[Value]) -> (String, String) {
    let kinds: Vec<&str> = resources.iter().filter_map(|one| one["type"].as_str()).collect();
    let all = [
        "AWS::IAM::Role",
        "AWS::IAM::User",
        "AWS::IAM::Group",
        "AWS::IAM::Policy",
        "AWS::IAM::ManagedPolicy",
        "AWS::Macie::Bucket",
        "AWS::SageMaker::ModelPackage",
        "AWS::SageMaker::MonitoringSchedule",
        "AWS::KMS::Alias",
        "AWS::S3::Bucket",
        "AWS::SageMaker::Endpoint",
        "AWS::SageMaker::DataQualityJobDefinition",
        "AWS::SageMaker::ModelQualityJobDefinition",
        "AWS::SageMaker::ModelBiasJobDefinition",
        "AWS::SageMaker::ModelExplainabilityJobDefinition",
        "AWS::ApiGateway::RestApi",
        "AWS::ApiGateway::UsagePlan",
    ];
    let read: Vec<&str> = all.into_iter().chain(kinds).collect();
    let text = json!({"form": "wardmote-inventory/1", "account": "123456789012", "region": "eu-central-1",
        "read_at": NOW, "resources": resources, "read": read});
    let inventory = Inventory::from_json(&text.to_string()).unwrap();
    let report = scan(&live(&inventory), &Selection::default().control(control).unwrap());
    let first = resources[0]["id"].as_str().unwrap();
    let finding =
        report.findings().iter().find(|finding| finding.control() == control && finding.subject.id == first);
    let finding = finding.unwrap_or_else(|| panic!("{control} says nothing of {first}"));
    (finding.word().to_owned(), finding.reason().to_owned())
}

fn word(control: &str, resources: &[Value]) -> String {
    verdict(control, resources).0
}

/// A resource; a fact that is null is not known, because its call was denied.
fn item(kind: &str, id: &str, properties: &Value, derived: &Value) -> Value {
    let mut provenance = serde_json::Map::new();
    let known = |status: &str| json!({"call": "x:Ask", "at": NOW, "status": status});
    for (name, _) in properties.as_object().unwrap() {
        provenance.insert(name.clone(), known("ok"));
    }
    for (name, fact) in derived.as_object().unwrap() {
        provenance.insert(name.clone(), known(if fact.is_null() { "denied" } else { "ok" }));
    }
    json!({"type": kind, "id": id, "properties": properties, "derived": derived, "provenance": provenance})
}

fn package(id: u32, status: &str, more: &Value, derived: &Value) -> Value {
    let mut properties = json!({"ModelPackageGroupName": "credit", "ModelApprovalStatus": status});
    properties.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let mut facts = json!({"ModelPackageStatus": "Completed"});
    facts.as_object_mut().unwrap().extend(derived.as_object().unwrap().clone());
    let arn = format!("arn:aws:sagemaker:eu-central-1:123456789012:model-package/credit/{id}");
    item("AWS::SageMaker::ModelPackage", &arn, &properties, &facts)
}

#[test]
fn an_approval_is_of_a_second_person() {
    let of = |registration: Value, approval: Value| {
        let facts = json!({"Registration": registration, "Approval": approval});
        word("REG-08", &[package(1, "Approved", &json!({"ApprovalDescription": "it is good"}), &facts)])
    };
    let user = |name: &str| json!({"By": format!("arn:aws:iam::123456789012:user/{name}"), "At": NOW});
    let session =
        |name: &str| json!({"By": format!("arn:aws:sts::123456789012:assumed-role/ml/{name}"), "At": NOW});
    let person = |session: &str, name: &str| json!({"By": format!("arn:aws:sts::1:assumed-role/ml/{session}"), "Person": name});
    assert_eq!(of(user("anna"), user("carla")), "holds");
    assert_eq!(of(user("anna"), user("anna")), "broken");
    assert_eq!(of(session("a"), session("b")), "unknown", "sessions are called as their taker likes");
    assert_eq!(of(person("a", "anna"), person("b", "anna")), "broken");
    assert_eq!(of(person("a", "anna"), person("a", "carla")), "holds");
    assert_eq!(of(Value::Null, user("carla")), "unknown");
    assert_eq!(
        word("REG-08", &[package(1, "Approved", &json!({"ApprovalDescription": "good"}), &json!({}))]),
        "unknown"
    );
    assert_eq!(
        word(
            "REG-08",
            &[package(
                1,
                "Approved",
                &json!({}),
                &json!({"Registration": user("anna"), "Approval": user("carla")})
            )]
        ),
        "broken"
    );
}

#[test]
fn an_artefact_is_what_was_registered() {
    let bucket = item(
        "AWS::S3::Bucket",
        "models",
        &json!({"BucketName": "models", "ObjectLockEnabled": true,
        "VersioningConfiguration": {"Status": "Enabled"},
        "BucketEncryption": {"ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]}}),
        &json!({}),
    );
    let specification =
        json!({"InferenceSpecification": {"Containers": [{"ModelDataUrl": "s3://models/m.tar.gz"}]}});
    let of = |artefacts: Value| {
        word(
            "REG-02",
            &[package(1, "Approved", &specification, &json!({"Artefacts": artefacts})), bucket.clone()],
        )
    };
    let told =
        |now: Value, then: Value| json!([{"Url": "s3://models/m.tar.gz", "ETag": now, "Registered": then}]);
    assert_eq!(of(told("a".into(), "a".into())), "holds");
    assert_eq!(of(told("b".into(), "a".into())), "broken");
    assert_eq!(of(told(Value::Null, "a".into())), "broken");
    assert_eq!(of(told("a".into(), Value::Null)), "unknown");
    assert_eq!(of(Value::Null), "unknown");
    let other = json!({"InferenceSpecification": {"Containers": [{"ModelDataUrl": "s3://others/m.tar.gz"}]}});
    let told = json!({"Artefacts": told("a".into(), "a".into())});
    assert_eq!(word("REG-02", &[package(1, "Approved", &other, &told), bucket.clone()]), "unknown");
}

#[test]
fn a_version_says_from_what_it_came() {
    let made = json!({"MetadataProperties": {"CommitId": "c0ffee", "GeneratedBy": "pipeline"}});
    let of = |lineage: Value| word("REG-03", &[package(1, "Approved", &made, &json!({"Lineage": lineage}))]);
    assert_eq!(of(json!({"DataSets": ["arn:data"], "Jobs": []})), "holds");
    assert_eq!(of(json!({"DataSets": [], "Jobs": ["arn:job"]})), "broken");
    assert_eq!(of(Value::Null), "unknown");
    assert_eq!(
        word("REG-03", &[package(1, "Approved", &made, &json!({}))]),
        "broken",
        "nothing was recorded"
    );
}

#[test]
fn there_is_a_version_to_go_back_to() {
    let own = package(3, "Approved", &json!({}), &json!({}));
    let of = |other: Value| word("REG-07", &[own.clone(), other]);
    let artefact = |tag: Value| json!({"Artefacts": [{"Url": "s3://m/a", "ETag": tag}]});
    assert_eq!(of(package(2, "Approved", &json!({}), &artefact("a".into()))), "holds");
    assert_eq!(of(package(2, "Approved", &json!({}), &artefact(Value::Null))), "broken");
    assert_eq!(of(package(2, "Rejected", &json!({}), &json!({}))), "broken");
    assert_eq!(of(package(2, "Approved", &json!({}), &json!({"Artefacts": null}))), "unknown");
    assert_eq!(word("REG-07", &[own]), "broken");
}

#[test]
fn the_number_of_a_version_is_not_its_name() {
    let model = |name: &str| {
        item(
            "AWS::SageMaker::Model",
            "m",
            &json!({"ModelName": "m", "PrimaryContainer": {"ModelPackageName": name}}),
            &json!({}),
        )
    };
    let config = item(
        "AWS::SageMaker::EndpointConfig",
        "c",
        &json!({"EndpointConfigName": "c", "ProductionVariants": [{"ModelName": "m"}]}),
        &json!({}),
    );
    let endpoint = item(
        "AWS::SageMaker::Endpoint",
        "e",
        &json!({"EndpointName": "e", "EndpointConfigName": "c"}),
        &json!({}),
    );
    let of = |name: &str| {
        let all = [
            endpoint.clone(),
            config.clone(),
            model(name),
            package(1, "Approved", &json!({}), &json!({})),
            package(2, "Rejected", &json!({}), &json!({})),
        ];
        word("REG-01", &all)
    };
    let arn = |tail: &str| format!("arn:aws:sagemaker:eu-central-1:123456789012:model-package/{tail}");
    assert_eq!(of(&arn("credit/1")), "holds");
    assert_eq!(of(&arn("credit/2")), "broken");
    assert_eq!(of(&arn("other/1")), "unknown", "version 1 of another group");
}

#[test]
fn a_monitor_ran_lately_and_well() {
    let endpoint = item("AWS::SageMaker::Endpoint", "e-1", &json!({"EndpointName": "e-1"}), &json!({}));
    let of = |last: Value| {
        let config = json!({"MonitoringScheduleName": "s", "MonitoringScheduleConfig": {"MonitoringJobDefinition": {"MonitoringInputs": [{"EndpointInput": {"EndpointName": "e-1"}}]}}});
        let facts = if last == "never" { json!({}) } else { json!({"LastMonitoringExecutionSummary": last}) };
        word("SM-16", &[endpoint.clone(), item("AWS::SageMaker::MonitoringSchedule", "s", &config, &facts)])
    };
    let at = |status: &str, time: Value| json!({"MonitoringExecutionStatus": status, "ScheduledTime": time});
    // 2026-11-21T04:00:00Z and a week before.
    assert_eq!(of(at("Completed", json!(1_795_233_600.5))), "holds");
    assert_eq!(of(at("Completed", json!(1_794_628_800))), "broken");
    assert_eq!(of(at("Failed", json!(1_795_233_600))), "broken");
    assert_eq!(of(at("Completed", Value::Null)), "unknown");
    assert_eq!(of(Value::Null), "unknown");
    assert_eq!(of("never".into()), "broken");
}

#[test]
fn a_bucket_for_training_was_searched_lately() {
    let bucket = item(
        "AWS::S3::Bucket",
        "data",
        &json!({"BucketName": "data", "Tags": [{"Key": "data-class", "Value": "personal"}]}),
        &json!({}),
    );
    let of = |known: Option<Value>| {
        let known =
            known.map(|facts| item("AWS::Macie::Bucket", "data", &json!({"BucketName": "data"}), &facts));
        word("S3-17", &[bucket.clone()].into_iter().chain(known).collect::<Vec<_>>())
    };
    assert_eq!(of(Some(json!({"JobDetails": {"LastJobRunTime": "2026-11-01T00:00:00Z"}}))), "holds");
    assert_eq!(of(Some(json!({"LastAutomatedDiscoveryTime": "2026-11-01T00:00:00Z"}))), "holds");
    assert_eq!(of(Some(json!({"JobDetails": {"LastJobRunTime": "2025-11-01T00:00:00Z"}}))), "broken");
    assert_eq!(of(Some(json!({"JobDetails": {"IsDefinedInJob": "FALSE"}}))), "broken");
    assert_eq!(of(Some(json!({"JobDetails": null}))), "unknown");
    assert_eq!(of(None), "broken");
}

#[test]
fn rights_over_models_are_used() {
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
    let of = |services: Value, made: &str| {
        let facts = json!({"ServicesLastAccessed": services, "CreateDate": made});
        word(
            "IAM-05",
            &[item(
                "AWS::IAM::Role",
                "trainer",
                &json!({"RoleName": "trainer", "AssumeRolePolicyDocument": trust}),
                &facts,
            )],
        )
    };
    let used = |at: Value| json!([{"ServiceNamespace": "sagemaker", "LastAuthenticated": at}]);
    let old = "2024-01-01T00:00:00Z";
    assert_eq!(of(used("2026-11-01T00:00:00Z".into()), old), "holds");
    assert_eq!(of(used("2026-01-01T00:00:00Z".into()), old), "broken");
    assert_eq!(of(used(Value::Null), old), "broken");
    assert_eq!(of(used(Value::Null), "2026-11-20T00:00:00Z"), "holds", "the role is new");
    assert_eq!(of(json!([]), old), "not_applicable");
    assert_eq!(of(Value::Null, old), "unknown");
}

#[test]
fn who_decrypts_is_named_by_the_key() {
    let root = json!({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "kms:*", "Resource": "*"});
    let user = json!({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:role/trainer"}, "Action": "kms:Decrypt", "Resource": "*"});
    let key = |statements: &[&Value], grants: Value| {
        item(
            "AWS::KMS::Key",
            "k-1",
            &json!({"KeyPolicy": {"Version": "2012-10-17", "Statement": statements}}),
            &json!({"Grants": grants}),
        )
    };
    let bucket = item(
        "AWS::S3::Bucket",
        "data",
        &json!({"BucketName": "data", "BucketEncryption": {"ServerSideEncryptionConfiguration": [
        {"ServerSideEncryptionByDefault": {"KMSMasterKeyID": "arn:aws:kms:eu-central-1:123456789012:key/k-1"}}]}}),
        &json!({}),
    );
    let role = |name: &str, statement: Value, more: Value| {
        let mut properties = json!({"RoleName": name, "Path": "/", "ManagedPolicyArns": [], "Policies": [
            {"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}}]});
        properties.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        item("AWS::IAM::Role", name, &properties, &json!({}))
    };
    let decrypt = |resource: &str| json!({"Effect": "Allow", "Action": "kms:Decrypt", "Resource": resource});
    let own = "arn:aws:kms:eu-central-1:123456789012:key/k-1";
    let none = json!({});
    let of = |key: Value, more: &[Value]| word("KMS-05", &[&[key, bucket.clone()], more].concat());
    let both = [&root, &user];
    assert_eq!(of(key(&both, json!([])), &[role("trainer", decrypt(own), none.clone())]), "holds");
    assert_eq!(of(key(&both, json!([])), &[role("other", decrypt(own), none.clone())]), "broken");
    assert_eq!(
        of(key(&both, json!([])), &[role("other", decrypt("arn:aws:kms:*:*:key/other"), none.clone())]),
        "holds"
    );
    assert_eq!(
        of(key(&[&user], json!([])), &[role("other", decrypt(own), none.clone())]),
        "holds",
        "the policy leaves nothing to identities"
    );
    let bounded = json!({"PermissionsBoundary": "arn:aws:iam::123456789012:policy/b"});
    assert_eq!(of(key(&both, json!([])), &[role("other", decrypt(own), bounded)]), "unknown");
    let conditional = json!({"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Condition": {"StringEquals": {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}}});
    assert_eq!(of(key(&both, json!([])), &[role("other", conditional, none.clone())]), "unknown");
    let admin = json!({"ManagedPolicyArns": ["arn:aws:iam::aws:policy/AdministratorAccess"]});
    assert_eq!(of(key(&both, json!([])), &[role("other", decrypt("arn:x"), admin)]), "broken");
    let unread = json!({"ManagedPolicyArns": ["arn:aws:iam::aws:policy/Some"]});
    assert_eq!(of(key(&both, json!([])), &[role("other", decrypt("arn:x"), unread)]), "unknown");
    let grant = |who: &str, what: &str| json!([{"GranteePrincipal": who, "Operations": [what]}]);
    let trainer = "arn:aws:iam::123456789012:role/trainer";
    assert_eq!(of(key(&both, grant(trainer, "Decrypt")), &[]), "holds");
    assert_eq!(of(key(&both, grant("arn:aws:iam::999999999999:role/x", "Decrypt")), &[]), "broken");
    assert_eq!(of(key(&both, grant("arn:aws:iam::999999999999:role/x", "Encrypt")), &[]), "holds");
    assert_eq!(of(key(&both, Value::Null), &[]), "unknown");
}

#[test]
fn a_recorder_records() {
    let of = |recording: Value| {
        let group = json!({"RecordingGroup": {"AllSupported": true, "IncludeGlobalResourceTypes": true}});
        word(
            "LOG-06",
            &[item("AWS::Config::ConfigurationRecorder", "r", &group, &json!({"Recording": recording}))],
        )
    };
    assert_eq!(
        (of(true.into()), of(false.into()), of(Value::Null)),
        ("holds".into(), "broken".into(), "unknown".into())
    );
}

#[test]
fn a_firewall_and_a_plan_are_of_the_stage_itself() {
    let api = item("AWS::ApiGateway::RestApi", "a1", &json!({"Name": "api"}), &json!({}));
    let stage = |facts: Value| {
        item("AWS::ApiGateway::Stage", "a1|prod", &json!({"RestApiId": "a1", "StageName": "prod"}), &facts)
    };
    assert_eq!(word("API-04", &[stage(json!({"WebAclArn": "arn:aws:wafv2:x"})), api.clone()]), "holds");
    assert_eq!(word("API-04", &[stage(json!({})), api.clone()]), "broken");
    assert_eq!(word("API-04", &[stage(json!({"WebAclArn": null})), api.clone()]), "unknown");
    let plan = |name: &str| {
        item(
            "AWS::ApiGateway::UsagePlan",
            "p",
            &json!({"ApiStages": [{"ApiId": "a1", "Stage": name}],
        "Quota": {"Limit": 10}, "Throttle": {"RateLimit": 1.5}}),
            &json!({}),
        )
    };
    assert_eq!(word("API-02", &[stage(json!({})), api.clone(), plan("prod")]), "holds");
    assert_eq!(word("API-02", &[stage(json!({})), api.clone(), plan("test")]), "broken");
}

#[test]
fn a_long_address_is_read_to_its_end() {
    let name = "a-rather-long-name-of-an-endpoint-that-serves-credit-scores-0123";
    let uri = format!("arn:aws:apigateway:eu-central-1:runtime.sagemaker:path/endpoints/{name}/invocations");
    let method =
        item("AWS::ApiGateway::Method", "a|r|POST", &json!({"Integration": {"Uri": uri}}), &json!({}));
    let served = json!({"EndpointName": name, "EndpointConfigName": "c"});
    let arn = "arn:aws:sagemaker:eu-central-1:123456789012:model-package/credit/1";
    let model = json!({"ModelName": "m", "PrimaryContainer": {"ModelPackageName": arn}});
    let config = json!({"EndpointConfigName": "c", "ProductionVariants": [{"ModelName": "m"}]});
    let all = [
        method,
        item("AWS::SageMaker::Endpoint", name, &served, &json!({})),
        item("AWS::SageMaker::EndpointConfig", "c", &config, &json!({})),
        item("AWS::SageMaker::Model", "m", &model, &json!({})),
        package(1, "Approved", &json!({}), &json!({})),
    ];
    assert_eq!(verdict("API-07", &all).0, "holds");
}

#[test]
fn a_bucket_that_takes_access_logs_is_not_locked_by_default() {
    let logs = |lock: bool| {
        item("AWS::S3::Bucket", "logs", &json!({"BucketName": "logs", "ObjectLockEnabled": lock}), &json!({}))
    };
    let data = item(
        "AWS::S3::Bucket",
        "data",
        &json!({"BucketName": "data", "LoggingConfiguration": {"DestinationBucketName": "logs"}}),
        &json!({}),
    );
    assert_eq!(word("S3-13", &[logs(false), data]), "not_applicable");
    let unread = json!({"type": "AWS::S3::Bucket", "id": "data", "properties": {"BucketName": "data"},
        "provenance": {"LoggingConfiguration": {"call": "s3:GetBucketLogging", "at": NOW, "status": "denied"}}});
    assert_eq!(word("S3-13", &[logs(false), unread]), "unknown");
    assert_eq!(word("S3-13", &[logs(false)]), "broken");
}
