//! What watches: recorders of AWS Config, alarms of CloudWatch, and filters that make metrics of logs. Properties:
//! AWS::Config::ConfigurationRecorder, AWS::CloudWatch::Alarm and AWS::Logs::MetricFilter of the CloudFormation reference.

use super::LOGS;
use super::items::{Draft, Told, derive, item, learn};
use super::jobs::{Job, Lister};
use super::reader::Reader;
use super::s3::truths;
use super::types::{always, derived, describe, is, pascal};
use super::xml::items;
use crate::error::{AwsError, Trouble};
use crate::operation::{CLOUDWATCH, Call, NEXT_TOKEN, Protocol, SMALL_TOKEN, Service, call};
use crate::pages::Question;
use serde_json::{Value, json};

/// AWS Config.
const CONFIG: Service = Service {
    id: "CONFIG_SERVICE",
    name: "config",
    protocol: Protocol::Json { version: "1.1", target: "StarlingDoveService" },
};

const RECORDERS: &Call =
    call!(CONFIG, "DescribeConfigurationRecorders", "config:DescribeConfigurationRecorders");
const STATUS: &Call =
    call!(CONFIG, "DescribeConfigurationRecorderStatus", "config:DescribeConfigurationRecorderStatus");
const ALARMS: &Call =
    call!(CLOUDWATCH, "DescribeAlarms", "cloudwatch:DescribeAlarms", NEXT_TOKEN.of("MetricAlarms/member"));
const FILTERS: &Call =
    call!(LOGS, "DescribeMetricFilters", "logs:DescribeMetricFilters", SMALL_TOKEN.of("metricFilters"));

const RECORDER_KIND: &str = "AWS::Config::ConfigurationRecorder";
const ALARM_KIND: &str = "AWS::CloudWatch::Alarm";
const FILTER_KIND: &str = "AWS::Logs::MetricFilter";

pub(super) static RECORDERS_OF_CHANGES: Lister = Lister {
    kinds: &[RECORDER_KIND],
    calls: &[RECORDERS, STATUS],
    list: |_, _| vec![Job::new(&[RECORDER_KIND], "", recorders)],
};
pub(super) static ALARMS_OF_METRICS: Lister =
    Lister { kinds: &[ALARM_KIND], calls: &[ALARMS], list: |_, _| vec![Job::new(&[ALARM_KIND], "", alarms)] };
pub(super) static METRICS_OF_LOGS: Lister = Lister {
    kinds: &[FILTER_KIND],
    calls: &[FILTERS],
    list: |_, _| vec![Job::new(&[FILTER_KIND], "", filters)],
};

/// The recorders. An account without has one that records nothing, so that somebody hears of it.
fn recorders(reader: &Reader<'_>, draft: &mut Draft) {
    let mut told = match reader.ask(RECORDERS, &json!({})) {
        Ok(told) => told,
        Err(error) => return draft.unread(RECORDER_KIND, &RECORDERS.operation, &error),
    };
    draft.read(&[RECORDER_KIND]);
    let all = match told["ConfigurationRecorders"].take() {
        Value::Array(all) => all,
        _ => Vec::new(),
    };
    if all.is_empty() {
        let mut none = item(RECORDER_KIND, reader.account);
        learn(&mut none, "RecordingGroup", &RECORDERS.operation, Told::Absent);
        derive(&mut none, "Recording", &RECORDERS.operation, Told::Is(false.into()));
        draft.items.push(none);
        return;
    }
    let status = reader.ask(STATUS, &json!({}));
    for told in all {
        let Some(name) = told["name"].as_str() else { continue };
        let mut one = item(RECORDER_KIND, name);
        one.arn = told["arn"].as_str().map(str::to_owned);
        let members =
            [always("name", "Name"), is("roleARN", "RoleARN"), always("recordingGroup", "RecordingGroup")];
        describe(&mut one, &RECORDERS.operation, Ok(&told), &members);
        let own = status.as_ref().map_err(Clone::clone).and_then(|told| {
            let all = told["ConfigurationRecordersStatus"].as_array().into_iter().flatten();
            all.clone().find(|status| status["name"] == name).cloned().ok_or_else(|| {
                AwsError::new(Trouble::Unreadable, "the recorder has no status").of(&STATUS.operation)
            })
        });
        let members = [derived("recording", "Recording"), derived("lastStatus", "LastStatus")];
        describe(&mut one, &STATUS.operation, own.as_ref(), &members);
        draft.items.push(one);
    }
}

fn alarms(reader: &Reader<'_>, draft: &mut Draft) {
    // What other alarms make of them is not read.
    let question = Question::Form(&[("AlarmTypes.member.1", "MetricAlarm"), ("MaxRecords", "100")]);
    let all = match reader.client.all(&ALARMS.operation, question) {
        Ok(all) => all,
        Err(error) => return draft.unread(ALARM_KIND, &ALARMS.operation, &error),
    };
    draft.read(&[ALARM_KIND]);
    for told in all {
        let Some(name) = told["AlarmName"].as_str() else { continue };
        let mut one = item(ALARM_KIND, name);
        one.arn = told["AlarmArn"].as_str().map(str::to_owned);
        let members = [
            always("AlarmName", "AlarmName"),
            always("ActionsEnabled", "ActionsEnabled"),
            is("MetricName", "MetricName"),
            is("Namespace", "Namespace"),
            derived("StateValue", "StateValue"),
        ];
        describe(&mut one, &ALARMS.operation, Ok(&truths(told.clone())), &members);
        for list in ["AlarmActions", "OKActions", "InsufficientDataActions", "Dimensions"] {
            learn(&mut one, list, &ALARMS.operation, Told::Is(items(&told[list]["member"]).into()));
        }
        let metric = |told: &Value| {
            let metric = &told["MetricStat"]["Metric"];
            let dimensions = items(&metric["Dimensions"]["member"]);
            json!({"Id": told["Id"], "Expression": told["Expression"], "MetricStat": {"Metric": {
                "Namespace": metric["Namespace"], "MetricName": metric["MetricName"], "Dimensions": dimensions}}})
        };
        let metrics: Vec<Value> = items(&told["Metrics"]["member"]).iter().map(metric).collect();
        if !metrics.is_empty() {
            learn(&mut one, "Metrics", &ALARMS.operation, Told::Is(metrics.into()));
        }
        draft.items.push(one);
    }
}

fn filters(reader: &Reader<'_>, draft: &mut Draft) {
    let all = match reader.all(FILTERS, &json!({})) {
        Ok(all) => all,
        Err(error) => return draft.unread(FILTER_KIND, &FILTERS.operation, &error),
    };
    draft.read(&[FILTER_KIND]);
    for told in all {
        let (Some(group), Some(name)) = (told["logGroupName"].as_str(), told["filterName"].as_str()) else {
            continue;
        };
        let mut one = item(FILTER_KIND, &format!("{group}|{name}"));
        let members = [
            always("filterName", "FilterName"),
            always("logGroupName", "LogGroupName"),
            is("filterPattern", "FilterPattern"),
        ];
        describe(&mut one, &FILTERS.operation, Ok(&told), &members);
        let metrics = told["metricTransformations"].as_array().into_iter().flatten();
        let metric = |told: &Value| {
            pascal(&json!({"metricName": told["metricName"], "metricNamespace": told["metricNamespace"]}))
        };
        let metrics: Vec<Value> = metrics.map(metric).collect();
        learn(&mut one, "MetricTransformations", &FILTERS.operation, Told::Is(metrics.into()));
        draft.items.push(one);
    }
}
