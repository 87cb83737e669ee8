//! The network: private subnets without a way to the internet, and endpoints of the services that are needed.

use crate::site::{Site, artefacts, capture, data_bucket};
use crate::template::{Area, Resource, arn, get, policy, sub, to};
use crate::trail::log_group;
use serde_json::{Value, json};

/// Addresses of the network and its two subnets; nothing routes between it and others.
const NETWORK: &str = "10.20.0.0/16";
const SUBNETS: [(&str, &str, u32); 2] = [("SubnetA", "10.20.0.0/20", 0), ("SubnetB", "10.20.16.0/20", 1)];

/// Services with interface endpoints: the logical id, the name of the endpoint, and what may be done through it.
const SERVICES: [(&str, &str, &[&str]); 12] = [
    ("CloudTrailEndpoint", "cloudtrail", &["cloudtrail:*"]),
    ("EcrApiEndpoint", "ecr.api", &["ecr:*"]),
    ("EcrDkrEndpoint", "ecr.dkr", &["ecr:*"]),
    ("EventsEndpoint", "events", &["events:*"]),
    ("KmsEndpoint", "kms", &["kms:*"]),
    ("LogsEndpoint", "logs", &["logs:*"]),
    ("MonitoringEndpoint", "monitoring", &["cloudwatch:*"]),
    ("SageMakerApiEndpoint", "sagemaker.api", &["sagemaker:*"]),
    ("SageMakerRuntimeEndpoint", "sagemaker.runtime", &["sagemaker:InvokeEndpoint"]),
    ("SnsEndpoint", "sns", &["sns:*"]),
    ("StatesEndpoint", "states", &["states:*"]),
    ("StsEndpoint", "sts", &["sts:*"]),
];

pub(crate) fn area(site: &Site<'_>) -> Area {
    let mut resources = plan(site);
    resources.extend(groups(site));
    resources.push(gateway(site));
    for (id, service, actions) in SERVICES {
        resources.push(interface(site, id, service, actions));
    }
    if site.is_private() {
        resources.push(interface(site, "ApiEndpoint", "execute-api", &["execute-api:Invoke"]).why(
            "The API of the models, by PrivateLink: other networks reach it through endpoints that its policy names.",
        ));
    }
    resources.extend(flow_log(site));
    Area {
        title: "Network",
        why: "Training and serving run in subnets that have no internet gateway, no NAT and no peering. What they need \
              of AWS they reach through endpoints, each with a policy that lets only this account through.",
        resources,
    }
}

fn named(site: &Site<'_>, name: &str) -> Value {
    site.tags_and("Name", &format!("{}-{name}", site.org()))
}

fn plan(site: &Site<'_>) -> Vec<Resource> {
    let mut all = vec![
        Resource::new(
            "Network",
            "AWS::EC2::VPC",
            json!({
                "CidrBlock": NETWORK,
                "EnableDnsHostnames": true,
                "EnableDnsSupport": true,
                "Tags": named(site, "network"),
            }),
        ),
        Resource::new(
            "PrivateRoutes",
            "AWS::EC2::RouteTable",
            json!({"VpcId": to("Network"), "Tags": named(site, "private")}),
        )
        .why("No routes but those within the network, and to S3 by its gateway endpoint."),
    ];
    for (id, block, zone) in SUBNETS {
        all.push(Resource::new(
            id,
            "AWS::EC2::Subnet",
            json!({
                "VpcId": to("Network"),
                "CidrBlock": block,
                "AvailabilityZone": {"Fn::Select": [zone, {"Fn::GetAZs": ""}]},
                "MapPublicIpOnLaunch": false,
                "Tags": named(site, &id.to_ascii_lowercase()),
            }),
        ));
        all.push(Resource::new(
            format!("{id}Routes"),
            "AWS::EC2::SubnetRouteTableAssociation",
            json!({"SubnetId": to(id), "RouteTableId": to("PrivateRoutes")}),
        ));
    }
    all
}

/// Workloads reach endpoints, and nothing reaches workloads.
fn groups(site: &Site<'_>) -> Vec<Resource> {
    let group = |id: &str, said: &str, egress: Value| {
        let properties = json!({
            "GroupDescription": said,
            "VpcId": to("Network"),
            "SecurityGroupEgress": egress,
            "Tags": named(site, &id.to_ascii_lowercase()),
        });
        Resource::new(id, "AWS::EC2::SecurityGroup", properties)
    };
    // A group without a rule of its own gets one by EC2 that lets everything out.
    let nowhere = json!([{
        "Description": "nowhere",
        "IpProtocol": "tcp",
        "FromPort": 443,
        "ToPort": 443,
        "CidrIp": "127.0.0.1/32",
    }]);
    let mut endpoints = group("EndpointGroup", "endpoints of services, for workloads alone", nowhere);
    endpoints.properties["SecurityGroupIngress"] = json!([{
        "Description": "TLS from workloads",
        "IpProtocol": "tcp",
        "FromPort": 443,
        "ToPort": 443,
        "SourceSecurityGroupId": get("WorkloadGroup", "GroupId"),
    }]);
    let out = json!([{
        "Description": "TLS to endpoints of the network and, by the gateway endpoint, to S3",
        "IpProtocol": "tcp",
        "FromPort": 443,
        "ToPort": 443,
        "CidrIp": "0.0.0.0/0",
    }]);
    vec![
        group("WorkloadGroup", "training jobs, models and the house", out).why(
            "Every address may be asked for, because those of S3 differ from region to region; without a route only \
             endpoints can be reached.",
        ),
        endpoints,
    ]
}

/// The gateway endpoint of S3: buckets of this stack, and the layers of images of ECR.
fn gateway(site: &Site<'_>) -> Resource {
    let mut buckets: Vec<String> = site.charter.datasets.iter().map(data_bucket).collect();
    for model in &site.charter.models {
        buckets.extend([artefacts(model), capture(model)]);
    }
    buckets.extend(["Evidence", "HouseObjects", "Records"].map(str::to_owned));
    let both = buckets.iter().flat_map(|id| [arn(id), sub(format!("${{{id}.Arn}}/*"))]);
    let statements = vec![
        json!({
            "Sid": "BucketsOfThisStack",
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": both.collect::<Vec<_>>(),
            "Condition": {"StringEquals": {"aws:PrincipalAccount": to("AWS::AccountId")}},
        }),
        json!({
            "#": "ECR keeps the layers of images in a bucket of AWS.",
            "Sid": "LayersOfImages",
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": sub("arn:${AWS::Partition}:s3:::prod-${AWS::Region}-starport-layer-bucket/*"),
        }),
    ];
    let properties = json!({
        "VpcId": to("Network"),
        "VpcEndpointType": "Gateway",
        "ServiceName": sub("com.amazonaws.${AWS::Region}.s3"),
        "RouteTableIds": [to("PrivateRoutes")],
        "PolicyDocument": policy(statements),
        "Tags": named(site, "s3"),
    });
    Resource::new("S3Endpoint", "AWS::EC2::VPCEndpoint", properties).why(
        "The only way to the buckets: their policies deny every other. No other bucket can be reached by it.",
    )
}

fn interface(site: &Site<'_>, id: &str, service: &str, actions: &[&str]) -> Resource {
    let statement = json!({
        "Sid": "ThisAccountAlone",
        "Effect": "Allow",
        "Principal": "*",
        "Action": actions,
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:PrincipalAccount": to("AWS::AccountId")}},
    });
    let properties = json!({
        "VpcId": to("Network"),
        "VpcEndpointType": "Interface",
        "ServiceName": sub(format!("com.amazonaws.${{AWS::Region}}.{service}")),
        "PrivateDnsEnabled": true,
        "SubnetIds": [to("SubnetA"), to("SubnetB")],
        "SecurityGroupIds": [get("EndpointGroup", "GroupId")],
        "PolicyDocument": policy(vec![statement]),
        "Tags": named(site, service),
    });
    Resource::new(id, "AWS::EC2::VPCEndpoint", properties)
}

fn flow_log(site: &Site<'_>) -> Vec<Resource> {
    let name = format!("/{}/network", site.org());
    let role = json!({
        "AssumeRolePolicyDocument": policy(vec![json!({
            "Effect": "Allow",
            "Principal": {"Service": "vpc-flow-logs.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"aws:SourceAccount": to("AWS::AccountId")}},
        })]),
        "Policies": [{"PolicyName": "write-flows", "PolicyDocument": policy(vec![json!({
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            "Resource": arn("FlowLogs"),
        })])}],
        "Tags": site.shared_tags(),
    });
    vec![
        log_group(site, "FlowLogs", &name),
        Resource::new("FlowLogsRole", "AWS::IAM::Role", role),
        Resource::new(
            "Flows",
            "AWS::EC2::FlowLog",
            json!({
                "ResourceId": to("Network"),
                "ResourceType": "VPC",
                "TrafficType": "ALL",
                "LogDestinationType": "cloud-watch-logs",
                "LogGroupName": to("FlowLogs"),
                "DeliverLogsPermissionArn": arn("FlowLogsRole"),
                "Tags": site.shared_tags(),
            }),
        ),
    ]
}
