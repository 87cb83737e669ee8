//! Networks that AI resources are in: endpoints of services, routes, and logs of what flows.

use crate::answer::{Answer, Found, Spot, all, any, below, find, not_applicable};
use crate::node::Node;
use crate::resource::{Resource, State};
use crate::unit::{Case, Unit, part, unit};

const VPC: &str = "AWS::EC2::VPC";
const SUBNET: &str = "AWS::EC2::Subnet";
const ENDPOINT: &str = "AWS::EC2::VPCEndpoint";
const ROUTE: &str = "AWS::EC2::Route";
const GROUP: &str = "AWS::EC2::SecurityGroup";
const USERS: [&str; 7] = [
    "AWS::SageMaker::Model",
    "AWS::SageMaker::NotebookInstance",
    "AWS::SageMaker::ProcessingJob",
    "AWS::SageMaker::Domain",
    "AWS::SageMaker::DataQualityJobDefinition",
    "AWS::BedrockAgentCore::Runtime",
    "AWS::Bedrock::CustomModel",
];
/// What a network of SageMaker must reach without the internet.
const SERVICES: [&str; 7] = ["sagemaker.api", "sagemaker.runtime", "kms", "logs", "sts", "ecr.api", "s3"];

pub(crate) const UNITS: &[Unit] = &[
    unit!(
        "NET-01",
        Medium,
        Cross,
        "a network of AI resources has endpoints for the services that they need",
        [VPC],
        ["SERVICE_VPC_ENDPOINT_ENABLED"],
        endpoints
    ),
    unit!(
        "NET-03",
        Medium,
        Cross,
        "a VPC endpoint has private names and lets only the network in",
        [ENDPOINT],
        [],
        closed_endpoint
    ),
    unit!(
        "NET-04",
        High,
        Cross,
        "a subnet of AI resources has no route to the internet",
        [SUBNET],
        [],
        no_way_out
    ),
    part!(
        "NET-04",
        "route",
        Medium,
        "a route to an internet gateway is not for every address",
        [ROUTE],
        ["NO_UNRESTRICTED_ROUTE_TO_IGW"],
        |case| {
            match leads_out(case, case.resource) {
                Some(answer) => answer,
                None => {
                    Spot::of(case.resource).holds("it is no route for every address to an internet gateway")
                }
            }
        }
    ),
    unit!(
        "NET-05",
        Medium,
        Cross,
        "what flows in a network is logged",
        [VPC],
        ["EC2.6", "VPC_FLOW_LOGS_ENABLED", "CKV2_AWS_11", "AVD-AWS-0178", "W60"],
        flow_logs
    ),
];

/// Whether an AI resource of the file is in a subnet.
fn is_used(case: &Case<'_>, subnet: &Resource) -> bool {
    USERS.iter().any(|kind| case.estate.referring(subnet, kind).next().is_some())
}

fn endpoints(case: &Case<'_>) -> Answer {
    let mut subnets = case.estate.referring(case.resource, SUBNET);
    let direct = USERS.iter().any(|kind| case.estate.referring(case.resource, kind).next().is_some());
    if !direct && !subnets.any(|subnet| is_used(case, subnet)) {
        return not_applicable("no AI resource is in this network");
    }
    let there: Vec<(String, bool)> = case
        .estate
        .referring(case.resource, ENDPOINT)
        .filter_map(|endpoint| endpoint.properties.get("ServiceName"))
        .map(|name| (name.shown(), name.hole().is_some()))
        .collect();
    let without: Vec<String> = SERVICES
        .iter()
        .filter(|service| !there.iter().any(|(name, _)| name.ends_with(&format!(".{service}"))))
        .map(|service| format!("`{service}`"))
        .collect();
    let spot = Spot::of(case.resource);
    match (without.is_empty(), there.iter().any(|(_, hole)| *hole)) {
        (true, _) => spot.holds("there is an endpoint for each of the services"),
        (false, true) => spot.unknown("for which service an endpoint of the network is"),
        (false, false) => spot.broken(format!("there is no endpoint for {}", without.join(", "))),
    }
}

fn closed_endpoint(case: &Case<'_>) -> Answer {
    let kind = find(case.resource, "VpcEndpointType").word(&["Interface"], Some("Gateway"));
    if kind.is_broken() {
        return not_applicable("a gateway endpoint has neither names nor security groups");
    }
    let groups = find(case.resource, "SecurityGroupIds");
    let mut answers: Vec<Answer> = vec![kind, find(case.resource, "PrivateDnsEnabled").flag(true, false)];
    answers.extend(groups.missing().map(|missing| groups.spot.clone().unknown(missing)));
    if groups.is_absent() {
        answers.push(groups.spot.clone().unknown("whom the network's default security group lets in"));
    }
    for (spot, item) in groups.items() {
        answers.push(match case.estate.target(item, GROUP) {
            Some(group) => only_inside(case, group).by_way_of(spot, &format!("the group is `{}`", group.id)),
            None => {
                spot.unknown(format!("whom the group `{}` lets in; it is not in this file", item.shown()))
            }
        });
    }
    all(answers)
}

/// Whether a security group lets only some addresses in, and only over TLS.
fn only_inside(case: &Case<'_>, group: &Resource) -> Answer {
    let rules = find(group, "SecurityGroupIngress");
    if let Some(missing) = rules.missing() {
        return rules.spot.unknown(missing);
    }
    let beside = case.estate.referring(group, "AWS::EC2::SecurityGroupIngress");
    let beside = beside.filter(|rule| find(rule, "Direction").word(&["egress"], Some("ingress")).is_broken());
    let beside = beside.map(|rule| (Spot::of(rule), &rule.properties));
    let mut unknown = None;
    for (spot, rule) in rules.items().into_iter().chain(beside) {
        let texts = |key: &str| {
            let items = rule.get(key).map(Node::items).unwrap_or_default();
            items.iter().filter_map(Node::text).collect::<Vec<_>>()
        };
        if ["CidrIp", "CidrIpv6"]
            .iter()
            .any(|key| texts(key).iter().any(|to| matches!(*to, "0.0.0.0/0" | "::/0")))
        {
            return spot.broken("it lets every address in");
        }
        if ["FromPort", "ToPort"].iter().any(|key| texts(key).iter().any(|port| *port != "443")) {
            return spot.broken("it lets in on other ports than 443");
        }
        unknown = unknown.or_else(|| {
            let hole = rule.any_hole().filter(|hole| !hole.present)?;
            Some(spot.unknown(hole.cause.clone()))
        });
    }
    unknown.unwrap_or_else(|| rules.spot.holds("it lets only some addresses in, on 443"))
}

fn no_way_out(case: &Case<'_>) -> Answer {
    if !is_used(case, case.resource) {
        return not_applicable("no AI resource is in this subnet");
    }
    let mut tables = Vec::new();
    for association in case.estate.referring(case.resource, "AWS::EC2::SubnetRouteTableAssociation") {
        let table = find(association, "RouteTableId");
        match &table.state {
            State::Known(node) => match case.estate.target(node, "AWS::EC2::RouteTable") {
                Some(found) => tables.push(found),
                None => {
                    return table.spot.clone().unknown(format!(
                        "the routes of `{}`; they are not among what was read",
                        node.shown()
                    ));
                }
            },
            State::Unknown(missing) => return table.spot.clone().unknown(missing.clone()),
            State::Absent => {}
        }
    }
    if tables.is_empty() {
        return Spot::of(case.resource)
            .unknown("which route table the subnet has; the network's main one is not among what was read");
    }
    let routes = tables.iter().flat_map(|table| case.estate.referring(table, ROUTE));
    let mut answers: Vec<Answer> = routes.filter_map(|route| leads_out(case, route)).collect();
    for table in &tables {
        let inline = find(table, "Routes");
        answers.extend(inline.missing().map(|missing| inline.spot.clone().unknown(missing)));
        answers.extend(inline.items().iter().filter_map(|(spot, item)| {
            way_out(case, DESTINATIONS.map(|key| below(spot, item, key)), &below(spot, item, "GatewayId"))
        }));
    }
    answers.extend(case.estate.of_kind(ROUTE).filter_map(|route| {
        let table = find(route, "RouteTableId");
        leads_out(case, route).and(table.missing().map(|missing| table.spot.unknown(missing)))
    }));
    if answers.is_empty() {
        return Spot::of(case.resource).holds("its route tables have no route to an internet gateway");
    }
    all(answers)
}

/// What is wrong with a route for every address to an internet gateway; nothing if it is none.
fn leads_out(case: &Case<'_>, route: &Resource) -> Option<Answer> {
    way_out(case, DESTINATIONS.map(|key| find(route, key)), &find(route, "GatewayId"))
}

const DESTINATIONS: [&str; 2] = ["DestinationCidrBlock", "DestinationIpv6CidrBlock"];

fn way_out(case: &Case<'_>, destinations: [Found<'_>; 2], gateway: &Found<'_>) -> Option<Answer> {
    let everywhere = destinations.into_iter().find(|found| match &found.state {
        State::Known(node) => matches!(node.text(), Some("0.0.0.0/0" | "::/0")) || node.hole().is_some(),
        State::Unknown(_) => true,
        State::Absent => false,
    })?;
    match &gateway.state {
        State::Absent => None,
        State::Unknown(missing) => Some(gateway.spot.clone().unknown(missing.clone())),
        State::Known(node) => {
            let elsewhere = node.text().is_some_and(|id| !id.starts_with("igw-"))
                || node.edge().and_then(|edge| case.estate.named(&edge.to)).is_some_and(|to| {
                    to.kind != "AWS::EC2::InternetGateway" && to.kind != "AWS::EC2::VPCGatewayAttachment"
                });
            (!elsewhere)
                .then(|| everywhere.spot.broken("every address is reached through an internet gateway"))
        }
    }
}

fn flow_logs(case: &Case<'_>) -> Answer {
    let logs = case
        .estate
        .referring(case.resource, "AWS::EC2::FlowLog")
        .map(|log| Spot::of(log).holds("it logs what flows in the network").if_exists(log, case.resource));
    let perhaps = case.estate.of_kind("AWS::EC2::FlowLog").find_map(|log| {
        let to = find(log, "ResourceId");
        to.missing().map(|missing| to.spot.unknown(missing))
    });
    any(logs).or(perhaps).unwrap_or_else(|| Spot::of(case.resource).broken("no flow log is for the network"))
}
