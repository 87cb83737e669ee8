//! Fixes of networks. Calls are named as in the API reference of Amazon EC2; states are as its answers tell them.

use super::subject::{Subject, listed, with};
use super::{Fix, Looks};
use facts::remediation::{AFTER, Call, Change, Class};
use serde_json::{Value, json};

const ENDPOINT: &str = "AWS::EC2::VPCEndpoint";
const EVERYWHERE: [&str; 2] = ["0.0.0.0/0", "::/0"];

pub(super) const FIXES: &[Fix] = &[
    Fix {
        name: "log_flows",
        control: "NET-05",
        kind: "AWS::EC2::VPC",
        class: Class::Create,
        does: "what flows in the network is logged into the bucket that was named",
        touches: "the bucket for logs must let `delivery.logs.amazonaws.com` write; logs are paid for",
        changes: log_flows,
        proof: None,
    },
    Fix {
        name: "keep_endpoint_to_account",
        control: "NET-02",
        kind: ENDPOINT,
        class: Class::Human,
        does: "the endpoint's policy lets in only identities of this account",
        touches: "identities of other accounts in the network, and calls that are not signed, are denied",
        changes: keep_to_account,
        proof: None,
    },
    Fix {
        name: "close_endpoint_groups",
        control: "NET-03",
        kind: ENDPOINT,
        class: Class::Quarantine,
        does: "rules that let every address in are taken from the endpoint's security groups",
        touches: "whoever comes from elsewhere than the other rules say cannot reach what has these groups",
        changes: close_groups,
        proof: None,
    },
];

fn log_flows(subject: &Subject<'_>, looks: Looks<'_>) -> Result<Vec<Change>, String> {
    let bucket = subject.log_bucket()?;
    let to = bucket.arn.as_deref().ok_or("the ARN of the bucket for logs is not known")?;
    let of_vpc = json!({"Filter": [{"Name": "resource-id", "Value": [subject.id()]}]});
    let look = subject.look(subject.call("ec2", "DescribeFlowLogs", of_vpc), "/flowLogSet/item", &[]);
    let before = looks(&look)?;
    if !before.is_null() {
        return Ok(Vec::new());
    }
    let create = json!({"ResourceType": "VPC", "ResourceId": [subject.id()], "TrafficType": "ALL",
        "LogDestinationType": "s3", "LogDestination": to});
    let delete = json!({"FlowLogId": [{ AFTER: "/0/flowLogId" }]});
    let after = json!([{"resourceId": subject.id(), "trafficType": "ALL", "logDestination": to}]);
    Ok(vec![Change {
        look,
        before,
        after,
        calls: vec![subject.call("ec2", "CreateFlowLogs", create)],
        inverse: vec![subject.call("ec2", "DeleteFlowLogs", delete)],
        undone: None,
    }])
}

fn keep_to_account(subject: &Subject<'_>, looks: Looks<'_>) -> Result<Vec<Change>, String> {
    let endpoint = json!({"VpcEndpointId": [subject.id()]});
    let path = "/vpcEndpointSet/item/0/policyDocument";
    let mut look = subject.look(subject.call("ec2", "DescribeVpcEndpoints", endpoint), path, &[]);
    look.document = true;
    let account = &subject.inventory.account;
    let after = |before: &Value| {
        if before.is_null() {
            return Err("the endpoint has no policy that could be narrowed".to_owned());
        }
        let narrowed = |statement: Value| {
            let anybody = statement["Principal"] == "*" || statement["Principal"]["AWS"] == "*";
            let open = statement["Effect"] == "Allow" && anybody && statement["Condition"].is_null();
            let equals = json!({"StringEquals": {"aws:PrincipalAccount": account}});
            if open { with(&statement, "Condition", equals) } else { statement }
        };
        let statements: Vec<Value> = listed(&before["Statement"]).into_iter().map(narrowed).collect();
        Ok(with(before, "Statement", statements.into()))
    };
    let write = |_: &Value, to: &Value| {
        let parameters = json!({"VpcEndpointId": subject.id(), "PolicyDocument": to});
        vec![subject.call("ec2", "ModifyVpcEndpoint", parameters)]
    };
    subject.change(look, looks, after, write)
}

fn close_groups(subject: &Subject<'_>, looks: Looks<'_>) -> Result<Vec<Change>, String> {
    let groups = listed(subject.property("/SecurityGroupIds")?.unwrap_or(&Value::Null));
    let mut changes = Vec::new();
    for group in groups.iter().filter_map(Value::as_str) {
        changes.extend(close_group(subject, group, looks)?);
    }
    if changes.is_empty() {
        return Err("its security groups let in only some addresses; the rest is for people".to_owned());
    }
    Ok(changes)
}

fn close_group(subject: &Subject<'_>, group: &str, looks: Looks<'_>) -> Result<Vec<Change>, String> {
    let path = "/securityGroupInfo/item/0/ipPermissions/item";
    let look =
        subject.look(subject.call("ec2", "DescribeSecurityGroups", json!({"GroupId": [group]})), path, &[]);
    let call = |operation: &str, permissions: Vec<Value>| -> Vec<Call> {
        match permissions.is_empty() {
            true => Vec::new(),
            false => {
                vec![subject.call("ec2", operation, json!({"GroupId": group, "IpPermissions": permissions}))]
            }
        }
    };
    let after = |before: &Value| {
        let kept: Vec<Value> = listed(before).iter().filter_map(|rule| part(rule, false)).collect();
        Ok(if kept.is_empty() { Value::Null } else { kept.into() })
    };
    let open = |rules: &Value| -> Vec<Value> {
        listed(rules).iter().filter_map(|rule| part(rule, true)).map(|rule| permission(&rule)).collect()
    };
    let write = |from: &Value, to: &Value| {
        let (was, is) = (open(from), open(to));
        let gone = was.iter().filter(|rule| !is.contains(rule)).cloned().collect();
        let new = is.iter().filter(|rule| !was.contains(rule)).cloned().collect();
        [call("RevokeSecurityGroupIngress", gone), call("AuthorizeSecurityGroupIngress", new)].concat()
    };
    subject.change(look, looks, after, write)
}

/// The sources of a rule: the sets they are in, and what each is called there and in calls.
const SOURCES: [[&str; 4]; 2] =
    [["ipRanges", "cidrIp", "IpRanges", "CidrIp"], ["ipv6Ranges", "cidrIpv6", "Ipv6Ranges", "CidrIpv6"]];
const OTHER_SOURCES: [&str; 2] = ["groups", "prefixListIds"];

/// The part of a rule that is for every address, or the rest of it; nothing if there is none.
fn part(rule: &Value, open: bool) -> Option<Value> {
    let mut part = rule.clone();
    let mut some = false;
    for [set, name, ..] in SOURCES {
        let is_open = |source: &Value| source[name].as_str().is_some_and(|to| EVERYWHERE.contains(&to));
        let kept: Vec<Value> =
            listed(&rule[set]["item"]).into_iter().filter(|source| is_open(source) == open).collect();
        some |= !kept.is_empty();
        part = with(&part, set, if kept.is_empty() { json!("") } else { json!({"item": kept}) });
    }
    for set in OTHER_SOURCES {
        some |= !open && rule[set].is_object();
        if open {
            part = with(&part, set, json!(""));
        }
    }
    some.then_some(part)
}

/// A rule as calls have it.
fn permission(rule: &Value) -> Value {
    let mut out = json!({"IpProtocol": rule["ipProtocol"]});
    for (there, here) in [("fromPort", "FromPort"), ("toPort", "ToPort")] {
        if !rule[there].is_null() {
            out = with(&out, here, rule[there].clone());
        }
    }
    for [set, name, theirs, called] in SOURCES {
        let source = |source: &Value| {
            let to = json!({ called: source[name] });
            if source["description"].is_null() {
                to
            } else {
                with(&to, "Description", source["description"].clone())
            }
        };
        let sources: Vec<Value> = listed(&rule[set]["item"]).iter().map(source).collect();
        if !sources.is_empty() {
            out = with(&out, theirs, sources.into());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_for_every_address_is_taken_from_a_rule() {
        let rule = json!({"ipProtocol": "tcp", "fromPort": "443", "toPort": "443", "groups": "", "prefixListIds": "",
            "ipRanges": {"item": [{"cidrIp": "0.0.0.0/0", "description": "all"}, {"cidrIp": "10.0.0.0/8"}]}, "ipv6Ranges": ""});
        let open = permission(&part(&rule, true).unwrap());
        assert_eq!(
            open,
            json!({"IpProtocol": "tcp", "FromPort": "443", "ToPort": "443",
            "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "all"}]})
        );
        let kept = part(&rule, false).unwrap();
        assert_eq!(kept["ipRanges"], json!({"item": [{"cidrIp": "10.0.0.0/8"}]}));
        assert_eq!(part(&kept, true), None);
    }
}
