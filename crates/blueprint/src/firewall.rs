//! The firewall before the API: known attacks, and callers that ask too often.

use crate::site::Site;
use crate::template::{Resource, arn, sub};
use crate::trail::log_group;
use serde_json::{Value, json};

/// Requests of one address in five minutes.
const MOST_REQUESTS: u32 = 20_000;

pub(crate) fn resources(site: &Site<'_>) -> Vec<Resource> {
    // WAF writes only into log groups whose names begin so.
    let name = format!("aws-waf-logs-{}", site.org());
    let measured = |name: &str| json!({"SampledRequestsEnabled": false, "CloudWatchMetricsEnabled": true, "MetricName": name});
    let managed = |priority: u32, name: &str, overrides: Value| {
        json!({
            "Name": name,
            "Priority": priority,
            "OverrideAction": {"None": {}},
            "Statement": {"ManagedRuleGroupStatement": {
                "VendorName": "AWS",
                "Name": name,
                "RuleActionOverrides": overrides,
            }},
            "VisibilityConfig": measured(name),
        })
    };
    // Requests to a model are larger than those of a form.
    let large = json!([{"Name": "SizeRestrictions_BODY", "ActionToUse": {"Count": {}}}]);
    let often = json!({
        "Name": "TooOften",
        "Priority": 3,
        "Action": {"Block": {}},
        "Statement": {"RateBasedStatement": {"AggregateKeyType": "IP", "Limit": MOST_REQUESTS}},
        "VisibilityConfig": measured("TooOften"),
    });
    let properties = json!({
        "Name": format!("{}-models", site.org()),
        "Scope": "REGIONAL",
        "DefaultAction": {"Allow": {}},
        "Rules": [
            managed(1, "AWSManagedRulesCommonRuleSet", large),
            managed(2, "AWSManagedRulesKnownBadInputsRuleSet", json!([])),
            often,
        ],
        "VisibilityConfig": measured("models"),
        "Tags": site.shared_tags(),
    });
    vec![
        Resource::new("Firewall", "AWS::WAFv2::WebACL", properties),
        Resource::new(
            "FirewallOfTheApi",
            "AWS::WAFv2::WebACLAssociation",
            json!({
                "ResourceArn": sub("arn:${AWS::Partition}:apigateway:${AWS::Region}::/restapis/${Api}/stages/${Stage}"),
                "WebACLArn": arn("Firewall"),
            }),
        ),
        log_group(site, "FirewallLogs", &name),
        Resource::new(
            "FirewallLogging",
            "AWS::WAFv2::LoggingConfiguration",
            json!({
                "ResourceArn": arn("Firewall"),
                "LogDestinationConfigs": [sub(format!(
                    "arn:${{AWS::Partition}}:logs:${{AWS::Region}}:${{AWS::AccountId}}:log-group:{name}"
                ))],
                "RedactedFields": [{"SingleHeader": {"Name": "authorization"}}, {"SingleHeader": {"Name": "x-api-key"}}],
            }),
        )
        .after("FirewallLogs"),
    ]
}
