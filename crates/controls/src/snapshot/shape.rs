//! Which type of AWS Config is which type of CloudFormation, and which part which property.

use super::{Recorded, iam, network, pascal, s3};
use facts::inventory::{Item, Status};
use serde_json::{Value, json};

/// A property, the part that it is (`+` begins one of the supplementary configuration), and what it means that it is not
/// there.
type Field = (&'static str, &'static str, Status);

/// A type in the shape of a describe call.
struct Table {
    kind: &'static str,
    /// The part that is the identifier; the recorded one if empty.
    id: &'static str,
    fields: &'static [Field],
}

const fn perhaps(property: &'static str, part: &'static str) -> Field {
    (property, part, Status::Absent)
}

/// Config never records it.
const fn never(property: &'static str) -> Field {
    (property, "", Status::NotRecorded)
}

/// What is always recorded; if not, nobody knows.
const fn always(property: &'static str, part: &'static str) -> Field {
    (property, part, Status::NotRecorded)
}

const TABLES: &[Table] = &[
    Table {
        kind: "AWS::CloudTrail::Trail",
        id: "name",
        fields: &[
            always("TrailName", "name"),
            always("S3BucketName", "s3BucketName"),
            always("IsMultiRegionTrail", "isMultiRegionTrail"),
            always("EnableLogFileValidation", "logFileValidationEnabled"),
            perhaps("KMSKeyId", "kmsKeyId"),
            perhaps("CloudWatchLogsLogGroupArn", "cloudWatchLogsLogGroupArn"),
            perhaps("CloudWatchLogsRoleArn", "cloudWatchLogsRoleArn"),
            never("IsLogging"),
            never("EventSelectors"),
            never("AdvancedEventSelectors"),
        ],
    },
    Table {
        kind: "AWS::CloudWatch::Alarm",
        id: "alarmName",
        fields: &[
            always("AlarmName", "alarmName"),
            always("ActionsEnabled", "actionsEnabled"),
            perhaps("AlarmActions", "alarmActions"),
            perhaps("OKActions", "okactions"),
            perhaps("InsufficientDataActions", "insufficientDataActions"),
            perhaps("Dimensions", "dimensions"),
            perhaps("MetricName", "metricName"),
            perhaps("Namespace", "namespace"),
        ],
    },
    Table {
        kind: "AWS::ApiGateway::RestApi",
        id: "id",
        fields: &[
            always("Name", "name"),
            always("EndpointConfiguration", "endpointConfiguration"),
            perhaps("Policy", "policy"),
        ],
    },
    Table {
        kind: "AWS::ApiGateway::Stage",
        id: "",
        fields: &[
            always("StageName", "stageName"),
            perhaps("AccessLogSetting", "accessLogSettings"),
            perhaps("ClientCertificateId", "clientCertificateId"),
            perhaps("MethodSettings", "methodSettings"),
            never("RestApiId"),
        ],
    },
    Table {
        kind: "AWS::ApiGatewayV2::Stage",
        id: "",
        fields: &[always("StageName", "stageName"), perhaps("AccessLogSettings", "accessLogSettings")],
    },
];

/// The type of CloudFormation.
pub(super) fn kind(recorded: &str) -> &str {
    match recorded {
        "AWS::IAM::Policy" => "AWS::IAM::ManagedPolicy",
        other => other,
    }
}

/// The types that a snapshot with one of these has wholly.
pub(super) fn comes_with(kind: &str) -> impl Iterator<Item = &str> {
    let parts: &[&str] = match kind {
        "AWS::S3::Bucket" => &["AWS::S3::BucketPolicy"],
        "AWS::EC2::RouteTable" => &["AWS::EC2::Route", "AWS::EC2::SubnetRouteTableAssociation"],
        "AWS::EC2::InternetGateway" => &["AWS::EC2::VPCGatewayAttachment"],
        // Inline policies stand in whoever has them.
        "AWS::IAM::ManagedPolicy" => &["AWS::IAM::Policy"],
        _ => &[],
    };
    parts.iter().copied().chain([kind])
}

/// The resources of an item; nothing if it is in a form that is not known.
pub(super) fn resources(recorded: &Recorded<'_>) -> Option<Vec<Item>> {
    let members = recorded.configuration.as_object().filter(|members| !members.is_empty())?;
    match recorded.kind {
        "AWS::S3::Bucket" => return Some(s3::bucket(recorded)),
        "AWS::S3::AccountPublicAccessBlock" => return Some(vec![s3::account(recorded)]),
        "AWS::KMS::Key" => return Some(key(recorded).into_iter().collect()),
        "AWS::IAM::User" | "AWS::IAM::Group" | "AWS::IAM::Role" => return Some(vec![iam::holder(recorded)]),
        "AWS::IAM::Policy" => return Some(vec![iam::managed(recorded)]),
        kind if kind.starts_with("AWS::EC2::") => return network::resources(recorded),
        _ => {}
    }
    if let Some(table) = TABLES.iter().find(|table| table.kind == recorded.kind) {
        return Some(vec![by_table(recorded, table)]);
    }
    // As in CloudFormation's registry.
    members
        .keys()
        .all(|name| name.starts_with(|c: char| c.is_ascii_uppercase()))
        .then(|| vec![registered(recorded)])
}

fn by_table(recorded: &Recorded<'_>, table: &Table) -> Item {
    let own = recorded.part(table.id).and_then(|id| id.as_str().map(ToOwned::to_owned));
    let mut item = recorded.item(table.kind, own.as_deref().unwrap_or(recorded.id));
    for (property, part, missing) in table.fields {
        let value = recorded.part(part).map(|value| match *property {
            "MethodSettings" => settings(&value),
            "Policy" => value,
            _ => pascal(&value),
        });
        recorded.put(&mut item, property, value, *missing);
    }
    item
}

/// The settings of methods, which the service keeps by path.
fn settings(by_path: &Value) -> Value {
    let setting = |(path, told): (&String, &Value)| {
        let mut out = pascal(told);
        let (resource, method) = path.rsplit_once('/').unwrap_or((path, "*"));
        out["ResourcePath"] = json!(format!("/{}", resource.trim_start_matches('/').replace("~1", "/")));
        out["HttpMethod"] = json!(method);
        out
    };
    by_path.as_object().into_iter().flatten().map(setting).collect()
}

/// A type of which Config records CloudFormation's properties: what is not there is not set.
fn registered(recorded: &Recorded<'_>) -> Item {
    let name = recorded.kind.rsplit("::").next().unwrap_or_default();
    let own = recorded.part(&format!("{name}Name")).and_then(|id| id.as_str().map(ToOwned::to_owned));
    let mut item = recorded.item(recorded.kind, own.as_deref().unwrap_or(recorded.id));
    for (property, value) in recorded.configuration.as_object().into_iter().flatten() {
        if property != "Tags" || !item.properties.contains_key("Tags") {
            recorded.put(&mut item, property, Some(value.clone()), Status::Absent);
        }
    }
    item
}

/// A key of a customer; one that AWS manages is only a name.
fn key(recorded: &Recorded<'_>) -> Option<Item> {
    if recorded.part("keyManager").as_ref().and_then(Value::as_str) == Some("AWS") {
        return None;
    }
    let mut item = recorded.item("AWS::KMS::Key", recorded.id);
    let spec = recorded.part("keySpec").or_else(|| recorded.part("customerMasterKeySpec"));
    let unknown = Status::NotRecorded;
    recorded.put(&mut item, "KeySpec", spec, unknown);
    for (property, part) in [("Enabled", "enabled"), ("KeyUsage", "keyUsage"), ("Origin", "origin")] {
        recorded.put(&mut item, property, recorded.part(part), unknown);
    }
    recorded.put(&mut item, "KeyPolicy", recorded.part("+Policy"), unknown);
    let rotates = recorded.part("+KeyRotationStatus").map(|value| match &value {
        Value::String(text) => json!(text == "true"),
        _ => value,
    });
    recorded.put(&mut item, "EnableKeyRotation", rotates, unknown);
    for (name, part) in [("KeyState", "keyState"), ("DeletionDate", "deletionDate")] {
        let value = recorded.part(part);
        let status = if value.is_some() { Status::Ok } else { Status::Absent };
        item.provenance.insert(name.to_owned(), recorded.told(status));
        item.derived.extend(value.map(|value| (name.to_owned(), value)));
    }
    Some(item)
}
