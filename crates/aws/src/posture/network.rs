//! Networks: endpoints, routes, groups, flow logs. Properties: AWS::EC2::* of the CloudFormation reference; calls: API
//! reference of Amazon EC2.

use super::collector::{named, put};
use super::items::{Draft, item, left_out};
use super::reader::Reader;
use super::s3::numbers;
use super::xml::items;
use crate::operation::{EC2_TOKEN, On, Operation, Permission, Protocol, Retry, Service};
use crate::pages::Question;
use facts::inventory::Item;
use serde_json::{Map, Value, json};

/// Amazon Elastic Compute Cloud.
pub(crate) const EC2: Service =
    Service { id: "EC2", name: "ec2", protocol: Protocol::Query { version: "2016-11-15" } };

macro_rules! operation {
    ($name:literal, $set:literal) => {
        &Operation {
            service: &EC2,
            name: $name,
            retry: Retry::Safe,
            needs: &[Permission { action: concat!("ec2:", $name), on: On::Account }],
            pages: None,
        }
        .paged(EC2_TOKEN.of(concat!($set, "/item")))
    };
}

/// How a type is read: all by one call.
pub(super) struct Kind {
    kind: &'static str,
    operation: &'static Operation,
    /// The name of an item.
    id: &'static str,
    /// Names in the answer, and the properties that they are.
    properties: &'static [(&'static str, &'static str)],
    /// What else is made of an item.
    more: fn(&Value, &mut Item, &mut Draft, &'static Operation),
}

impl Kind {
    /// Whether resources of this type come with it.
    pub(super) fn covers(&self, kind: &str) -> bool {
        self.kind == kind || parts(self.kind).contains(&kind)
    }
}

pub(super) static KINDS: [Kind; 7] = [
    Kind {
        kind: "AWS::EC2::VPC",
        operation: operation!("DescribeVpcs", "vpcSet"),
        id: "vpcId",
        properties: &[("vpcId", "VpcId"), ("cidrBlock", "CidrBlock")],
        more: |_, _, _, _| {},
    },
    Kind {
        kind: "AWS::EC2::Subnet",
        operation: operation!("DescribeSubnets", "subnetSet"),
        id: "subnetId",
        properties: &[
            ("subnetId", "SubnetId"),
            ("vpcId", "VpcId"),
            ("cidrBlock", "CidrBlock"),
            ("mapPublicIpOnLaunch", "MapPublicIpOnLaunch"),
        ],
        more: |_, _, _, _| {},
    },
    Kind {
        kind: "AWS::EC2::VPCEndpoint",
        operation: operation!("DescribeVpcEndpoints", "vpcEndpointSet"),
        id: "vpcEndpointId",
        properties: &[
            ("vpcEndpointType", "VpcEndpointType"),
            ("vpcId", "VpcId"),
            ("serviceName", "ServiceName"),
            ("privateDnsEnabled", "PrivateDnsEnabled"),
        ],
        more: endpoint,
    },
    Kind {
        kind: "AWS::EC2::SecurityGroup",
        operation: operation!("DescribeSecurityGroups", "securityGroupInfo"),
        id: "groupId",
        properties: &[
            ("groupId", "GroupId"),
            ("groupName", "GroupName"),
            ("groupDescription", "GroupDescription"),
            ("vpcId", "VpcId"),
        ],
        more: group,
    },
    Kind {
        kind: "AWS::EC2::RouteTable",
        operation: operation!("DescribeRouteTables", "routeTableSet"),
        id: "routeTableId",
        properties: &[("routeTableId", "RouteTableId"), ("vpcId", "VpcId")],
        more: routes,
    },
    Kind {
        kind: "AWS::EC2::InternetGateway",
        operation: operation!("DescribeInternetGateways", "internetGatewaySet"),
        id: "internetGatewayId",
        properties: &[("internetGatewayId", "InternetGatewayId")],
        more: attachments,
    },
    Kind {
        kind: "AWS::EC2::FlowLog",
        operation: operation!("DescribeFlowLogs", "flowLogSet"),
        id: "flowLogId",
        properties: &[
            ("resourceId", "ResourceId"),
            ("trafficType", "TrafficType"),
            ("logDestinationType", "LogDestinationType"),
            ("logDestination", "LogDestination"),
            ("logGroupName", "LogGroupName"),
        ],
        more: |told, log, _, _| {
            let kind = match told["resourceId"].as_str() {
                Some(id) if id.starts_with("subnet-") => "Subnet",
                Some(id) if id.starts_with("eni-") => "NetworkInterface",
                _ => "VPC",
            };
            log.properties.insert("ResourceType".to_owned(), kind.into());
        },
    },
];

pub(super) fn operations() -> impl Iterator<Item = &'static Operation> {
    KINDS.iter().map(|kind| kind.operation)
}

/// What comes with a type and is a type of its own.
fn parts(kind: &str) -> &'static [&'static str] {
    match kind {
        "AWS::EC2::RouteTable" => &["AWS::EC2::Route", "AWS::EC2::SubnetRouteTableAssociation"],
        "AWS::EC2::InternetGateway" => &["AWS::EC2::VPCGatewayAttachment"],
        // Rules stand in their groups here.
        "AWS::EC2::SecurityGroup" => &["AWS::EC2::SecurityGroupIngress"],
        _ => &[],
    }
}

/// Reads all of a type.
pub(super) fn read(reader: &Reader<'_>, kind: &Kind, draft: &mut Draft) {
    let all = match reader.client.all(kind.operation, Question::Form(&[])) {
        Ok(all) => all,
        Err(error) => {
            let kinds = parts(kind.kind).iter().chain([&kind.kind]);
            return kinds.for_each(|name| draft.unread(name, kind.operation, &error));
        }
    };
    draft.read(parts(kind.kind));
    draft.read(&[kind.kind]);
    for told in all {
        let Some(id) = told[kind.id].as_str() else { continue };
        let mut one = item(kind.kind, id);
        one.arn = told["arn"].as_str().map(str::to_owned);
        put(&mut one, kind.operation, named(&told, kind.properties));
        let tags = items(&told["tagSet"]["item"]);
        let pair = |tag: &Value| json!({"Key": tag["key"], "Value": tag["value"]});
        let tags: Value = tags.iter().map(pair).collect();
        put(&mut one, kind.operation, Map::from_iter([("Tags".to_owned(), tags)]));
        (kind.more)(&told, &mut one, draft, kind.operation);
        draft.items.push(one);
    }
}

/// The texts of a list.
fn texts(told: &Value, set: &str, member: Option<&str>) -> Value {
    items(&told[set]["item"]).iter().map(|one| member.map_or(one, |member| &one[member]).clone()).collect()
}

fn endpoint(told: &Value, one: &mut Item, _: &mut Draft, operation: &'static Operation) {
    match told["policyDocument"].as_str().and_then(|text| serde_json::from_str(text).ok()) {
        Some(policy) => put(one, operation, Map::from_iter([("PolicyDocument".to_owned(), policy)])),
        None => {
            one.provenance.insert("PolicyDocument".to_owned(), left_out(operation));
        }
    }
    let lists = [
        ("RouteTableIds", texts(told, "routeTableIdSet", None)),
        ("SubnetIds", texts(told, "subnetIdSet", None)),
        ("SecurityGroupIds", texts(told, "groupSet", Some("groupId"))),
    ];
    put(one, operation, lists.into_iter().map(|(name, list)| (name.to_owned(), list)).collect());
}

fn group(told: &Value, one: &mut Item, _: &mut Draft, operation: &'static Operation) {
    for (set, property) in
        [("ipPermissions", "SecurityGroupIngress"), ("ipPermissionsEgress", "SecurityGroupEgress")]
    {
        let mut rules: Vec<Value> = items(&told[set]["item"]).iter().flat_map(rules).collect();
        // A set, which EC2 tells in any order.
        rules.sort_by_key(Value::to_string);
        put(one, operation, Map::from_iter([(property.to_owned(), Value::Array(rules))]));
    }
}

/// CloudFormation has a rule for each source.
fn rules(told: &Value) -> Vec<Value> {
    let whole = named(told, &[("ipProtocol", "IpProtocol"), ("fromPort", "FromPort"), ("toPort", "ToPort")]);
    let sources = [
        ("ipRanges", "cidrIp", "CidrIp"),
        ("ipv6Ranges", "cidrIpv6", "CidrIpv6"),
        ("prefixListIds", "prefixListId", "SourcePrefixListId"),
        ("groups", "groupId", "SourceSecurityGroupId"),
    ];
    let of = |(set, there, here): (&str, &str, &str)| {
        let sources = items(&told[set]["item"]).into_iter();
        sources
            .map(|source| {
                let mut rule = whole.clone();
                rule.insert(here.to_owned(), source[there].clone());
                numbers(Value::Object(rule))
            })
            .collect::<Vec<_>>()
    };
    sources.into_iter().flat_map(of).collect()
}

fn routes(told: &Value, one: &mut Item, draft: &mut Draft, operation: &'static Operation) {
    let names = [
        ("destinationCidrBlock", "DestinationCidrBlock"),
        ("destinationIpv6CidrBlock", "DestinationIpv6CidrBlock"),
        ("gatewayId", "GatewayId"),
        ("natGatewayId", "NatGatewayId"),
        ("transitGatewayId", "TransitGatewayId"),
        ("vpcPeeringConnectionId", "VpcPeeringConnectionId"),
        ("networkInterfaceId", "NetworkInterfaceId"),
    ];
    for route in items(&told["routeSet"]["item"]) {
        let to = ["destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId"];
        let to = to.iter().find_map(|name| route[*name].as_str()).unwrap_or("?");
        let mut properties = named(&route, &names);
        properties.insert("RouteTableId".to_owned(), one.id.clone().into());
        let mut part = item("AWS::EC2::Route", &format!("{}|{to}", one.id));
        put(&mut part, operation, properties);
        draft.items.push(part);
    }
    for association in items(&told["associationSet"]["item"]) {
        let (Some(id), Some(subnet)) =
            (association["routeTableAssociationId"].as_str(), association["subnetId"].as_str())
        else {
            if association["main"] == "true" {
                one.derived.insert("Main".to_owned(), true.into());
            }
            continue;
        };
        let mut part = item("AWS::EC2::SubnetRouteTableAssociation", id);
        let both = [("RouteTableId", one.id.clone().into()), ("SubnetId", subnet.into())];
        put(&mut part, operation, both.into_iter().map(|(name, id)| (name.to_owned(), id)).collect());
        draft.items.push(part);
    }
}

fn attachments(told: &Value, one: &mut Item, draft: &mut Draft, operation: &'static Operation) {
    for attachment in items(&told["attachmentSet"]["item"]) {
        let Some(vpc) = attachment["vpcId"].as_str() else { continue };
        let mut part = item("AWS::EC2::VPCGatewayAttachment", &format!("IGW|{vpc}"));
        let both = [("InternetGatewayId", one.id.clone().into()), ("VpcId", vpc.into())];
        put(&mut part, operation, both.into_iter().map(|(name, id)| (name.to_owned(), id)).collect());
        draft.items.push(part);
    }
}
