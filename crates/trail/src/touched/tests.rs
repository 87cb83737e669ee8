//! What messages say, one of each form; and that nothing makes the reader stop.

use super::*;
use proptest::prelude::*;
use serde_json::json;

fn call(source: &str, name: &str, parameters: &Value) -> Value {
    json!({"eventVersion": "1.11", "eventSource": format!("{source}.amazonaws.com"), "eventName": name, "eventID": "e-1",
        "eventTime": "2026-11-21T10:00:00Z", "awsRegion": "eu-central-1", "recipientAccountId": "123456789012", "readOnly": false,
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::123456789012:user/mallory"}, "requestParameters": parameters})
}

fn says(value: &Value) -> Vec<String> {
    let message = read_message(&value.to_string()).unwrap();
    let mut all: Vec<String> = Vec::new();
    for event in &message.events {
        for Touched { kind, id } in &event.touched {
            all.push(format!("{kind} {}", id.as_deref().unwrap_or("(all)")));
        }
    }
    all.extend(message.files.iter().map(|file| format!("{} in {}", file.key, file.bucket)));
    if message.everything {
        all.push("everything".to_owned());
    }
    all
}

#[test]
fn calls_touch_what_they_change() {
    for (source, name, parameters, touched) in [
        ("s3", "PutBucketVersioning", json!({"bucketName": "data"}), "AWS::S3::Bucket data"),
        ("s3", "DeleteBucketEncryption", json!({"bucketName": "data"}), "AWS::S3::Bucket data"),
        ("s3", "PutAccountPublicAccessBlock", json!({}), "AWS::S3::AccountPublicAccessBlock (all)"),
        ("s3", "PutSomethingNew", json!({"bucketName": "data"}), "AWS::S3::* (all)"),
        (
            "kms",
            "DisableKeyRotation",
            json!({"keyId": "arn:aws:kms:eu-central-1:123456789012:key/k-1"}),
            "AWS::KMS::Key k-1",
        ),
        ("kms", "EnableKey", json!({"keyId": "k-1"}), "AWS::KMS::Key k-1"),
        ("kms", "PutKeyPolicy", json!({"keyId": "alias/data"}), "AWS::KMS::Key (all)"),
        (
            "kms",
            "UpdateAlias",
            json!({"aliasName": "alias/data", "targetKeyId": "k-2"}),
            "AWS::KMS::Key (all)",
        ),
        (
            "sagemaker",
            "UpdateNotebookInstance",
            json!({"notebookInstanceName": "n"}),
            "AWS::SageMaker::NotebookInstance n",
        ),
        (
            "sagemaker",
            "CreateEndpointConfig",
            json!({"endpointConfigName": "c"}),
            "AWS::SageMaker::EndpointConfig c",
        ),
        (
            "sagemaker",
            "AddTags",
            json!({"resourceArn": "arn:aws:sagemaker:eu-central-1:123456789012:endpoint-config/c"}),
            "AWS::SageMaker::EndpointConfig c",
        ),
        ("sagemaker", "CreateHub", json!({"hubName": "h"}), "AWS::SageMaker::* (all)"),
        (
            "ec2",
            "AuthorizeSecurityGroupIngress",
            json!({"groupId": "sg-1"}),
            "AWS::EC2::SecurityGroup* (all)",
        ),
        ("iam", "AttachRolePolicy", json!({"roleName": "r"}), "AWS::IAM::* (all)"),
        ("bedrock", "DeleteGuardrail", json!({}), "AWS::Bedrock::* (all)"),
        ("logs", "DeleteRetentionPolicy", json!({"logGroupName": "g"}), "AWS::Logs::LogGroup (all)"),
    ] {
        assert_eq!(says(&call(source, name, &parameters)), [touched], "{source}:{name}");
    }
}

#[test]
fn what_changes_nothing_touches_nothing() {
    for (source, name) in [
        ("s3", "GetBucketPolicy"),
        ("s3", "PutObject"),
        ("kms", "GenerateDataKey"),
        ("sagemaker", "InvokeEndpoint"),
        ("logs", "PutLogEvents"),
        ("config", "PutEvaluations"),
        ("ec2", "RunInstances"),
        ("rds", "DeleteDBInstance"),
    ] {
        let mut event = call(source, name, &json!({"bucketName": "data"}));
        if name.starts_with("Get") {
            event.as_object_mut().unwrap().remove("readOnly");
        }
        assert_eq!(says(&event), [] as [&str; 0], "{source}:{name}");
    }
    let mut refused = call("s3", "PutBucketPolicy", &json!({"bucketName": "data"}));
    refused["errorCode"] = "AccessDenied".into();
    assert_eq!(says(&refused), [] as [&str; 0]);
}

#[test]
fn one_event_in_every_envelope() {
    let event = call("s3", "PutBucketVersioning", &json!({"bucketName": "data"}));
    let bridge = json!({"version": "0", "id": "b-1", "detail-type": "AWS API Call via CloudTrail", "source": "aws.s3",
        "account": "123456789012", "time": "2026-11-21T10:00:01Z", "region": "eu-central-1", "resources": [], "detail": event});
    let sns =
        json!({"Type": "Notification", "MessageId": "m", "TopicArn": "arn", "Message": bridge.to_string()});
    for envelope in [
        &event,
        &bridge,
        &sns,
        &json!({"Records": [event]}),
        &json!({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": event.to_string()}}]}),
    ] {
        assert_eq!(says(envelope), ["AWS::S3::Bucket data"], "{envelope}");
    }
    let message = read_message(&sns.to_string()).unwrap();
    let told = &message.events[0];
    assert_eq!(told.call, "s3:PutBucketVersioning");
    assert_eq!(told.by.as_deref(), Some("arn:aws:iam::123456789012:user/mallory"));
    assert_eq!((told.id.as_deref(), told.account.as_deref()), (Some("e-1"), Some("123456789012")));
}

#[test]
fn other_forms() {
    let log = json!({"s3Bucket": "logs", "s3ObjectKey": ["AWSLogs/1/CloudTrail/x.json.gz"]});
    assert_eq!(says(&log), ["AWSLogs/1/CloudTrail/x.json.gz in logs"]);
    let s3 = |key: &str| json!({"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "b"}, "object": {"key": key}}}]});
    assert_eq!(says(&s3("AWSLogs/1/CloudTrail/eu/x.json.gz")), ["AWSLogs/1/CloudTrail/eu/x.json.gz in b"]);
    assert_eq!(says(&s3("data/train.csv")), [] as [&str; 0]);
    assert_eq!(
        says(&json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"})),
        [] as [&str; 0]
    );
    assert_eq!(
        says(&json!({"Type": "SubscriptionConfirmation", "Message": "You have chosen"})),
        [] as [&str; 0]
    );
    let item = json!({"resourceType": "AWS::KMS::Key", "resourceId": "k-1", "ARN": "arn:aws:kms:eu-central-1:123456789012:key/k-1", "awsAccountId": "123456789012"});
    let config = json!({"messageType": "ConfigurationItemChangeNotification", "configurationItem": item});
    assert_eq!(says(&config), ["AWS::KMS::Key k-1"]);
    let bridge =
        json!({"detail-type": "Config Configuration Item Change", "source": "aws.config", "detail": config});
    assert_eq!(says(&bridge), ["AWS::KMS::Key k-1"]);
    let state = json!({"detail-type": "SageMaker Endpoint State Change", "source": "aws.sagemaker", "account": "123456789012",
        "resources": ["arn:aws:sagemaker:eu-central-1:123456789012:endpoint/e"], "detail": {}});
    assert_eq!(says(&state), ["AWS::SageMaker::Endpoint e"]);
    let object = json!({"detail-type": "Object Created", "source": "aws.s3", "resources": ["arn:aws:s3:::b"], "detail": {}});
    assert_eq!(says(&object), [] as [&str; 0]);
}

#[test]
fn what_config_asks() {
    let inner = json!({"messageType": "ConfigurationItemChangeNotification", "configurationItem": {"resourceType": "AWS::IAM::Role",
        "resourceId": "AROAEXAMPLE", "resourceName": "trainer", "ARN": "arn:aws:iam::123456789012:role/trainer", "configurationItemStatus": "OK",
        "configurationItemCaptureTime": "2026-11-21T10:00:00.000Z"}});
    let value = json!({"version": "1.0", "invokingEvent": inner.to_string(), "ruleParameters": "{\"control\":\"IAM-01\"}", "resultToken": "t",
        "eventLeftScope": false, "configRuleName": "wardmote-iam-01", "accountId": "123456789012"});
    let asked = read_message(&value.to_string()).unwrap().asked.unwrap();
    let of = asked.resource.clone().unwrap();
    assert_eq!((asked.control.as_str(), of.id.as_str(), of.gone), ("IAM-01", "AROAEXAMPLE", false));
    assert!(of.names.contains(&"trainer".to_owned()));
    let mut left = value.clone();
    left["eventLeftScope"] = true.into();
    assert!(read_message(&left.to_string()).unwrap().asked.unwrap().resource.unwrap().gone);
    let mut scheduled = value.clone();
    scheduled["invokingEvent"] = json!({"messageType": "ScheduledNotification", "notificationCreationTime": "2026-11-21T10:00:00.000Z"}).to_string().into();
    assert_eq!(read_message(&scheduled.to_string()).unwrap().asked.unwrap().resource, None);
    let mut nothing = value;
    nothing["ruleParameters"] = "{}".into();
    insta::assert_snapshot!(read_message(&nothing.to_string()).unwrap_err(), @"the rule has no parameter `control`, so it is not known what it asks for");
}

#[test]
fn what_is_none_of_them_is_refused() {
    let deep = (0..8)
        .fold("{}".to_owned(), |inner, _| json!({"Type": "Notification", "Message": inner}).to_string());
    for (text, why) in [
        ("", "it is no JSON: EOF while parsing a value at line 1 column 0"),
        ("[]", "it is no event of CloudTrail, EventBridge, S3, SNS or AWS Config"),
        ("{\"Records\": [{\"a\": 1}]}", "one of its records is no event of CloudTrail, S3 or SNS"),
        (deep.as_str(), "it is a message within too many others"),
    ] {
        assert_eq!(read_message(text).unwrap_err(), why);
    }
}

#[test]
fn patterns_match() {
    for (pattern, name, yes) in [
        ("Put*", "PutIt", true),
        ("*Block", "PutBlock", true),
        ("*A*B", "xAyBzB", true),
        ("Put", "PutIt", false),
        ("*x*", "aé", false),
    ] {
        assert_eq!(matches(pattern, name), yes, "{pattern} {name}");
    }
}

proptest! {
    #[test]
    fn any_text_is_answered(text in "\\PC{0,200}") {
        let _ = read_message(&text);
    }

    #[test]
    fn any_call_of_a_known_service_that_writes_is_answered(at in 0..SOURCES.len(), name in "(Create|Put|Update|Delete)[A-Z][a-z]{2,8}") {
        let source = &SOURCES[at];
        let value = call(source.name, &name, &json!({}));
        let message = read_message(&value.to_string()).unwrap();
        let idle = source.idle.iter().any(|idle| matches(idle, &name));
        prop_assert_eq!(message.events.is_empty(), idle);
        prop_assert!(message.events.iter().all(|event| !event.touched.is_empty()));
    }
}
