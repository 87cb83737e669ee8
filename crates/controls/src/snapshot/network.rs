//! Networks as AWS Config records them, in the shape of EC2's describe calls.

use super::Recorded;
use facts::inventory::{Item, Status};
use serde_json::{Map, Value, json};

type Names = &'static [(&'static str, &'static str)];

/// The properties of a type that are only named differently.
fn names(kind: &str) -> Option<Names> {
    Some(match kind {
        "AWS::EC2::VPC" => &[("VpcId", "vpcId"), ("CidrBlock", "cidrBlock")],
        "AWS::EC2::Subnet" => &[
            ("SubnetId", "subnetId"),
            ("VpcId", "vpcId"),
            ("CidrBlock", "cidrBlock"),
            ("MapPublicIpOnLaunch", "mapPublicIpOnLaunch"),
        ],
        "AWS::EC2::VPCEndpoint" => &[
            ("VpcEndpointType", "vpcEndpointType"),
            ("VpcId", "vpcId"),
            ("ServiceName", "serviceName"),
            ("PrivateDnsEnabled", "privateDnsEnabled"),
            ("PolicyDocument", "policyDocument"),
            ("RouteTableIds", "routeTableIds"),
            ("SubnetIds", "subnetIds"),
        ],
        "AWS::EC2::SecurityGroup" => &[
            ("GroupId", "groupId"),
            ("GroupName", "groupName"),
            ("GroupDescription", "description"),
            ("VpcId", "vpcId"),
        ],
        "AWS::EC2::RouteTable" => &[("RouteTableId", "routeTableId"), ("VpcId", "vpcId")],
        "AWS::EC2::InternetGateway" => &[("InternetGatewayId", "internetGatewayId")],
        _ => return None,
    })
}

/// A network resource with what CloudFormation makes resources of their own of it.
pub(super) fn resources(recorded: &Recorded<'_>) -> Option<Vec<Item>> {
    let names = names(recorded.kind)?;
    let mut item = recorded.item(recorded.kind, recorded.id);
    for (property, part) in names {
        recorded.put(&mut item, property, recorded.part(part), Status::NotRecorded);
    }
    let mut parts = Vec::new();
    match recorded.kind {
        "AWS::EC2::VPCEndpoint" => {
            let groups = list(recorded, "groups");
            let ids: Option<Value> = groups
                .map(|groups| groups.iter().filter_map(|group| group.get("groupId").cloned()).collect());
            recorded.put(&mut item, "SecurityGroupIds", ids, Status::NotRecorded);
        }
        "AWS::EC2::SecurityGroup" => {
            for (property, part) in
                [("SecurityGroupIngress", "ipPermissions"), ("SecurityGroupEgress", "ipPermissionsEgress")]
            {
                let rules: Option<Value> =
                    list(recorded, part).map(|rules| rules.iter().flat_map(rules_of).collect());
                recorded.put(&mut item, property, rules, Status::NotRecorded);
            }
        }
        "AWS::EC2::RouteTable" => parts = routes(recorded, &mut item),
        "AWS::EC2::InternetGateway" => {
            for attachment in list(recorded, "attachments").unwrap_or_default() {
                let Some(vpc) = attachment["vpcId"].as_str() else { continue };
                let members = [("InternetGatewayId", json!(recorded.id)), ("VpcId", json!(vpc))];
                parts.push(part(recorded, "AWS::EC2::VPCGatewayAttachment", &format!("IGW|{vpc}"), members));
            }
        }
        _ => {}
    }
    parts.push(item);
    Some(parts)
}

fn list(recorded: &Recorded<'_>, part: &str) -> Option<Vec<Value>> {
    recorded.part(part)?.as_array().cloned()
}

fn part<const N: usize>(recorded: &Recorded<'_>, kind: &str, id: &str, members: [(&str, Value); N]) -> Item {
    let mut item = recorded.item(kind, id);
    item.arn = None;
    item.names.clear();
    item.properties.remove("Tags");
    item.provenance.remove("Tags");
    for (property, value) in members {
        let value = Some(value).filter(|value| !value.is_null());
        recorded.put(&mut item, property, value, Status::Absent);
    }
    item
}

/// CloudFormation has a rule for each source.
fn rules_of(told: &Value) -> Vec<Value> {
    let mut whole = Map::new();
    for (there, here) in [("ipProtocol", "IpProtocol"), ("fromPort", "FromPort"), ("toPort", "ToPort")] {
        whole.extend(told.get(there).filter(|v| !v.is_null()).map(|v| (here.to_owned(), v.clone())));
    }
    let sources = [
        ("ipv4Ranges", "cidrIp", "CidrIp"),
        ("ipv6Ranges", "cidrIpv6", "CidrIpv6"),
        ("prefixListIds", "prefixListId", "SourcePrefixListId"),
        ("userIdGroupPairs", "groupId", "SourceSecurityGroupId"),
    ];
    let of = |(set, there, here): (&str, &str, &str)| -> Vec<Value> {
        let sources = told[set].as_array().into_iter().flatten();
        sources
            .map(|source| {
                let mut rule = whole.clone();
                rule.insert(here.to_owned(), source[there].clone());
                Value::Object(rule)
            })
            .collect()
    };
    sources.into_iter().flat_map(of).collect()
}

fn routes(recorded: &Recorded<'_>, table: &mut Item) -> Vec<Item> {
    let mut parts = Vec::new();
    for route in list(recorded, "routes").unwrap_or_default() {
        let to = ["destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId"];
        let to = to.iter().find_map(|name| route[*name].as_str()).unwrap_or("?").to_owned();
        let told = |name: &str| route.get(name).cloned().unwrap_or_default();
        let members = [
            ("RouteTableId", json!(recorded.id)),
            ("DestinationCidrBlock", told("destinationCidrBlock")),
            ("DestinationIpv6CidrBlock", told("destinationIpv6CidrBlock")),
            ("GatewayId", told("gatewayId")),
            ("NatGatewayId", told("natGatewayId")),
            ("TransitGatewayId", told("transitGatewayId")),
            ("VpcPeeringConnectionId", told("vpcPeeringConnectionId")),
            ("NetworkInterfaceId", told("networkInterfaceId")),
        ];
        parts.push(part(recorded, "AWS::EC2::Route", &format!("{}|{to}", recorded.id), members));
    }
    for association in list(recorded, "associations").unwrap_or_default() {
        let (Some(id), Some(subnet)) =
            (association["routeTableAssociationId"].as_str(), association["subnetId"].as_str())
        else {
            if association["main"] == true {
                table.derived.insert("Main".to_owned(), true.into());
            }
            continue;
        };
        let members = [("RouteTableId", json!(recorded.id)), ("SubnetId", json!(subnet))];
        parts.push(part(recorded, "AWS::EC2::SubnetRouteTableAssociation", id, members));
    }
    parts
}
