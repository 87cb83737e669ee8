//! What a trail and the recorder of configurations cover: the buckets, and the types of resources, that are there.

use super::data_access::{Class, class};
use crate::answer::{Answer, Found, Spot, all, any, below, find};
use crate::node::{Node, Value};
use crate::resource::{Resource, State, cause};
use crate::unit::{Case, Unit, part, unit};

const TRAIL: &str = "AWS::CloudTrail::Trail";
const BUCKET: &str = "AWS::S3::Bucket";
const RECORDER: &str = "AWS::Config::ConfigurationRecorder";
const CHANNEL: &str = "AWS::Config::DeliveryChannel";
/// What of the types that controls are about AWS Config records ("Supported resource types", AWS Config Developer Guide).
const RECORDED: [&str; 18] = [
    "AWS::S3::Bucket",
    "AWS::KMS::Key",
    "AWS::IAM::Role",
    "AWS::IAM::Policy",
    "AWS::IAM::User",
    "AWS::IAM::Group",
    "AWS::EC2::VPC",
    "AWS::EC2::RouteTable",
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::VPCEndpoint",
    "AWS::SageMaker::Model",
    "AWS::SageMaker::EndpointConfig",
    "AWS::SageMaker::NotebookInstance",
    "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::Stage",
    "AWS::CloudTrail::Trail",
    "AWS::ECR::Repository",
    "AWS::EKS::Cluster",
];

pub(crate) const UNITS: &[Unit] = &[
    unit!(
        "LOG-02",
        Medium,
        Cross,
        "a trail records what is done with objects and what models are asked",
        [TRAIL],
        [],
        |case| {
            let objects = records(case, OBJECTS);
            // A trail that records no objects covers no bucket.
            let buckets: Vec<Answer> =
                if objects.is_broken() { Vec::new() } else { sensitive(case).collect() };
            all([objects, records(case, INVOCATIONS)].into_iter().chain(buckets))
        }
    ),
    part!(
        "LOG-02",
        "objects",
        Medium,
        "a trail records what is done with objects",
        [TRAIL],
        ["CLOUDTRAIL_S3_DATAEVENTS_ENABLED", "cloudtrail_s3_dataevents_write_enabled"],
        |case| records(case, OBJECTS)
    ),
    unit!(
        "LOG-06",
        Medium,
        Cross,
        "the recorder of configurations records what controls are about, and delivers it",
        [RECORDER],
        [],
        |case| all([recorded(case), delivered(case)])
    ),
    part!(
        "LOG-06",
        "every",
        Medium,
        "the recorder of configurations records every type of resource",
        [RECORDER],
        ["Config.1", "CKV2_AWS_48"],
        every_type
    ),
];

/// The type of resource of events of data, and what its events are.
type Events = (&'static str, &'static str);
const OBJECTS: Events = ("AWS::S3::Object", "reads and writes of objects");
const INVOCATIONS: Events = ("AWS::SageMaker::Endpoint", "what endpoints are asked");

/// Whether a selector of a trail, of either sort, names a type of resource.
fn records(case: &Case<'_>, (kind, what): Events) -> Answer {
    let mut answers = Vec::new();
    for path in ["EventSelectors", "AdvancedEventSelectors"] {
        let found = find(case.resource, path);
        match &found.state {
            State::Absent => {}
            State::Unknown(missing) => answers.push(found.spot.clone().unknown(missing.clone())),
            State::Known(node) if mentions(node, kind) => {
                answers.push(found.spot.clone().holds(format!("`{path}` has `{kind}`")));
            }
            State::Known(node) => match node.any_hole() {
                Some(hole) => answers.push(found.spot.clone().unknown(hole.cause.clone())),
                None => answers.push(found.spot.clone().broken(format!("`{path}` has no `{kind}`"))),
            },
        }
    }
    any(answers).unwrap_or_else(|| {
        find(case.resource, "EventSelectors").spot.broken(format!("no selector records {what}, `{kind}`"))
    })
}

fn mentions(node: &Node, text: &str) -> bool {
    match &node.value {
        Value::List(items) => items.iter().any(|item| mentions(item, text)),
        Value::Map(members) => members.iter().any(|member| mentions(&member.node, text)),
        _ => node.text() == Some(text),
    }
}

/// Every bucket with sensitive data, or for training, must be covered by this trail or another one.
fn sensitive<'a>(case: &'a Case<'_>) -> impl Iterator<Item = Answer> + 'a {
    let everything = covers(case.resource, None) == Cover::Yes;
    let buckets = case.estate.of_kind(BUCKET).filter(|bucket| matches!(class(bucket), Class::Closed));
    buckets.map(move |bucket| {
        let own = if everything { Cover::Yes } else { covers(case.resource, Some(bucket)) };
        if own == Cover::Yes {
            return Spot::of(case.resource).holds(format!("it covers `{}`", bucket.id));
        }
        let others = case.estate.of_kind(TRAIL).filter(|trail| trail.id != case.resource.id);
        let mut worst = own;
        for trail in others {
            match covers(trail, Some(bucket)) {
                Cover::Yes => {
                    return Spot::of(trail)
                        .holds(format!("it covers `{}`", bucket.id))
                        .if_exists(trail, case.resource);
                }
                Cover::Unclear(missing) => worst = Cover::Unclear(missing),
                Cover::No(_) => {}
            }
        }
        match worst {
            Cover::Unclear(missing) => {
                Spot::of(case.resource).unknown(format!("whether it covers `{}`: {missing}", bucket.id))
            }
            Cover::No(why) => Spot::of(case.resource)
                .broken(format!("no trail covers `{}`, which holds sensitive data: {why}", bucket.id)),
            Cover::Yes => Spot::of(case.resource).holds(format!("it covers `{}`", bucket.id)),
        }
    })
}

/// Whether reads and writes of all objects of a bucket, or of every bucket, are recorded.
#[derive(PartialEq)]
enum Cover {
    Yes,
    No(String),
    Unclear(String),
}

fn covers(trail: &Resource, bucket: Option<&Resource>) -> Cover {
    let (basic, advanced) = (find(trail, "EventSelectors"), find(trail, "AdvancedEventSelectors"));
    let mut unclear = basic.missing().or(advanced.missing());
    let mut why = "no selector is about it".to_owned();
    let of_basic = basic.items().into_iter().flat_map(|(spot, item)| basic_cover(&spot, item, bucket));
    let of_advanced = advanced.items().into_iter().map(|(spot, item)| advanced_cover(&spot, item, bucket));
    for cover in of_basic.chain(of_advanced) {
        match cover {
            Cover::Yes => return Cover::Yes,
            Cover::No(said) if said.is_empty() => {}
            Cover::No(said) => why = said,
            Cover::Unclear(missing) => unclear = Some(missing),
        }
    }
    unclear.map_or(Cover::No(why), Cover::Unclear)
}

fn no() -> Cover {
    Cover::No(String::new())
}

/// A selector of the first sort: `ReadWriteType`, and `DataResources` with ARNs that objects' ARNs begin with.
fn basic_cover(spot: &Spot<'_>, item: &Node, bucket: Option<&Resource>) -> Vec<Cover> {
    match below(spot, item, "ReadWriteType").state {
        State::Known(node) if node.text().is_some_and(|text| text != "All") => {
            return vec![Cover::No(format!("a selector is `{}`", node.shown()))];
        }
        State::Unknown(missing) => return vec![Cover::Unclear(missing)],
        _ => {}
    }
    let resources = below(spot, item, "DataResources");
    let of_resource = |(spot, item): (Spot<'_>, &Node)| -> Vec<Cover> {
        match below(&spot, item, "Type").state {
            State::Known(node) if node.text() == Some(OBJECTS.0) => {}
            State::Unknown(missing) => return vec![Cover::Unclear(missing)],
            _ => return vec![no()],
        }
        values(&below(&spot, item, "Values"), bucket)
    };
    match resources.missing() {
        Some(missing) => vec![Cover::Unclear(missing)],
        None => resources.items().into_iter().flat_map(of_resource).collect(),
    }
}

/// Whether one of the ARNs of a list is a beginning of the ARNs of all objects of the bucket.
fn values(found: &Found<'_>, bucket: Option<&Resource>) -> Vec<Cover> {
    match &found.state {
        State::Unknown(missing) => vec![Cover::Unclear(missing.clone())],
        State::Absent => vec![no()],
        State::Known(_) => found.items().iter().map(|(_, value)| begins(value, bucket)).collect(),
    }
}

fn begins(value: &Node, bucket: Option<&Resource>) -> Cover {
    if let Some(text) = value.text() {
        let Some((_, rest)) =
            text.split_once(":s3").filter(|(partition, _)| partition.starts_with("arn:aws"))
        else {
            return no();
        };
        let rest = rest.trim_start_matches(':');
        let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let ours = bucket.is_some_and(|bucket| bucket.name() == Some(name) || bucket.id == name);
        return match (name.is_empty(), ours, prefix.is_empty()) {
            (true, _, _) | (_, true, true) => Cover::Yes,
            (_, true, false) => Cover::No(format!("a selector is only about `{prefix}` in it")),
            _ => no(),
        };
    }
    let shown = value.shown();
    let ours = value.edges().iter().any(|edge| bucket.is_some_and(|bucket| edge.to == bucket.id));
    match (ours, value.hole()) {
        (true, None) if shown.ends_with('}') || shown.ends_with("}/") || !shown.contains('}') => Cover::Yes,
        (true, None) => Cover::No(format!("a selector is only about `{shown}`")),
        (_, Some(hole)) => Cover::Unclear(hole.cause.clone()),
        (false, None) => no(),
    }
}

/// A selector of the second sort: all of its conditions must be met by an event.
fn advanced_cover(spot: &Spot<'_>, item: &Node, bucket: Option<&Resource>) -> Cover {
    let fields = below(spot, item, "FieldSelectors");
    if let Some(missing) = fields.missing() {
        return Cover::Unclear(missing);
    }
    let mut cover = no();
    let mut narrower = None;
    for (spot, field) in fields.items() {
        let Some(name) = field.get("Field").and_then(Node::text) else {
            return Cover::Unclear("which field a selector is about".to_owned());
        };
        match name {
            "eventCategory" => {}
            "resources.type" if mentions(field, OBJECTS.0) => cover = Cover::Yes,
            "resources.type" => {
                return field.any_hole().map_or(no(), |hole| Cover::Unclear(hole.cause.clone()));
            }
            "resources.ARN" => narrower = narrower.or(by_arn(&spot, field, bucket)),
            _ => narrower = Some(Cover::No(format!("a selector is only about some `{name}`"))),
        }
    }
    match cover {
        Cover::Yes => narrower.unwrap_or(Cover::Yes),
        other => other,
    }
}

/// What a condition on the ARN leaves out; nothing if not this bucket.
fn by_arn(spot: &Spot<'_>, field: &Node, bucket: Option<&Resource>) -> Option<Cover> {
    let starts = below(spot, field, "StartsWith");
    if !starts.is_absent() {
        let all = values(&starts, bucket);
        if all.contains(&Cover::Yes) {
            return None;
        }
        return all.into_iter().reduce(|a, b| if matches!(a, Cover::Unclear(_)) { a } else { b });
    }
    for operator in ["NotStartsWith", "NotEquals"] {
        let not = below(spot, field, operator);
        if !not.is_absent() {
            let left_out = values(&not, bucket).into_iter().find(|cover| *cover != no());
            return left_out.map(|cover| match cover {
                Cover::Unclear(missing) => Cover::Unclear(missing),
                _ => Cover::No(format!("a selector leaves it out by `{operator}`")),
            });
        }
    }
    Some(Cover::No("a selector is only about single objects".to_owned()))
}

fn every_type(case: &Case<'_>) -> Answer {
    all([
        find(case.resource, "RecordingGroup.AllSupported").flag(true, true),
        find(case.resource, "RecordingGroup.IncludeGlobalResourceTypes").flag(true, false),
    ])
}

/// All types, or a list that has, or does not leave out, each that controls are about.
fn recorded(case: &Case<'_>) -> Answer {
    let all_types = every_type(case);
    let listed = |path: &str| find(case.resource, path);
    let (only, without) = (
        listed("RecordingGroup.ResourceTypes"),
        listed("RecordingGroup.ExclusionByResourceTypes.ResourceTypes"),
    );
    let names = |found: &Found<'_>| -> Vec<String> {
        found.items().iter().filter_map(|(_, item)| item.text().map(ToOwned::to_owned)).collect()
    };
    let open = |found: &Found<'_>| {
        found
            .missing()
            .or_else(|| found.items().iter().find(|(_, item)| item.text().is_none()).map(|(_, i)| cause(i)))
    };
    if let State::Known(_) = without.state {
        let left_out = names(&without);
        return match (RECORDED.iter().find(|kind| left_out.iter().any(|name| name == *kind)), open(&without))
        {
            (Some(kind), _) => without.spot.broken(format!("it leaves out `{kind}`")),
            (None, Some(missing)) => without.spot.unknown(missing),
            (None, None) => without.spot.holds("what it leaves out no control is about"),
        };
    }
    if all_types.is_holds() || only.is_absent() {
        return all_types;
    }
    let given = names(&only);
    let without: Vec<String> = RECORDED
        .iter()
        .filter(|kind| !given.iter().any(|name| name == *kind))
        .map(|kind| format!("`{kind}`"))
        .collect();
    match (without.first(), open(&only)) {
        (_, Some(missing)) => only.spot.unknown(missing),
        (None, None) => only.spot.holds("it records every type that controls are about"),
        (Some(first), None) => only.spot.broken(format!(
            "it does not record {} types that controls are about, such as {first}",
            without.len()
        )),
    }
}

/// A recorder without a channel of delivery cannot be started; of a template's it is not said that it is, and of one that
/// runs it need not be asked where to.
fn delivered(case: &Case<'_>) -> Answer {
    if case.estate.is_live() {
        return find(case.resource, "Recording").flag(true, false);
    }
    let channels = case
        .estate
        .of_kind(CHANNEL)
        .map(|channel| find(channel, "S3BucketName").present().if_exists(channel, case.resource));
    any(channels)
        .unwrap_or_else(|| Spot::of(case.resource).broken("there is no delivery channel, so it cannot run"))
}
