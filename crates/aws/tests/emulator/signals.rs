//! Figures, alerts and alarms: what arrives, and what happens when it does not.

use crate::support::proxy::{Fate, json_error, xml_error};
use crate::support::{Emulator, outlets, proxied, script};
use aws::signals::{
    Alarm, Alert, Delivery, Figure, LogLine, LogSettings, Measured, SignalSettings, SignalUse, Signals,
    emf_line,
};
use facts::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

fn dimensions(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

pub(crate) fn measured() -> Measured {
    let figure = |name: &str, value, is_count| Figure { name: name.into(), value, is_count };
    Measured {
        time: "2025-10-01T12:00:00Z".parse().unwrap(),
        dimensions: vec![
            dimensions(&[("Model", "credit")]),
            dimensions(&[("Model", "credit"), ("Version", "2")]),
        ],
        figures: vec![figure("model_accuracy", 0.731, false), figure("requests", 400.0, true)],
        evidence: "e17-3fa9c2d1b4e8".into(),
    }
}

pub(crate) fn alert() -> Alert {
    Alert {
        model: "credit".into(),
        version: 2,
        metric: "model_accuracy".into(),
        action: "trigger_retraining_pipeline".into(),
        sentence: "model_accuracy is 0.731, below 0.75 \u{2014} \u{201c}m\u{e4}rz\u{201d} & more".into(),
        did: "retrained".into(),
        evidence: vec!["e17-3fa9c2d1b4e8".into()],
    }
}

pub(crate) fn alarm(name: &str) -> Alarm {
    Alarm {
        name: format!("{name}/credit/model_accuracy"),
        description: "accuracy".into(),
        metric: "model_accuracy".into(),
        dimensions: dimensions(&[("Model", "credit")]),
        above: false,
        threshold: 0.75,
        period_seconds: 86_400,
    }
}

pub(crate) fn settings(name: &str) -> SignalSettings {
    let topic = outlets("make", Emulator::get().address, name);
    SignalSettings {
        namespace: Some(format!("Wardmote/{name}")),
        logs: None,
        topic: Some(topic.trim().parse().unwrap()),
        bus: Some(name.into()),
        pipeline: None,
    }
}

/// The executions of a pipeline or state machine that `pipelines.py` made.
fn executions(name: &str) -> serde_json::Value {
    serde_json::from_str(&script("pipelines.py", "read", Emulator::get().address, name)).unwrap()
}

#[test]
fn a_pipeline_is_started_once_for_an_alert() {
    script("pipelines.py", "make", Emulator::get().address, "retrain");
    let machine = "arn:aws:states:eu-central-1:123456789012:stateMachine:retrain";
    for pipeline in ["retrain", machine] {
        let (proxy, client) = proxied();
        let settings = SignalSettings { pipeline: Some(pipeline.into()), ..SignalSettings::default() };
        let signals = Signals::new(client, settings).unwrap();
        proxy.next([json_error(400, "ThrottlingException"), Fate::Reset]);
        signals.retrain(&alert()).unwrap();
        let bodies: BTreeSet<String> =
            proxy.seen().iter().map(|seen| seen.split_once("\r\n\r\n").unwrap().1.to_owned()).collect();
        assert_eq!(bodies.len(), 1, "each attempt is the same, so AWS starts one");
        let policy = signals.permissions(&[SignalUse::Alerts]).unwrap().to_json();
        insta::assert_snapshot!(format!("policy_to_start_{}", pipeline.len()), format!("{policy:#}"));
    }
    insta::assert_snapshot!(serde_json::to_string_pretty(&executions("retrain")).unwrap());
}

pub(crate) fn log_settings(group: &str) -> LogSettings {
    LogSettings { group: group.parse().unwrap(), key: Some(crate::KEY.parse().unwrap()) }
}

/// The group, and the lines of its stream.
fn logged(group: &str) -> serde_json::Value {
    serde_json::from_str(&script("logs.py", "read", Emulator::get().address, group)).unwrap()
}

fn lines(seconds: &[i64], now: Timestamp) -> Vec<LogLine> {
    let line = |ago: &i64| {
        let time = now.plus_seconds(-ago);
        LogLine {
            id: format!("{ago}"),
            time,
            text: emf_line("Wardmote/logs", &Measured { time, ..measured() }),
        }
    };
    seconds.iter().map(line).collect()
}

#[test]
fn lines_are_delivered_once_each_whatever_fails_and_what_is_too_old_is_told() {
    let now = local_now();
    let troubles = [
        json_error(500, "InternalFailure"),
        json_error(400, "ThrottlingException"),
        Fate::Reset,
        Fate::Half,
        Fate::Lost,
        Fate::Pass,
    ];
    for (n, trouble) in troubles.into_iter().enumerate() {
        let (proxy, client) = proxied();
        let group = format!("/wardmote/logs-{n}");
        let logs = Some(log_settings(&group));
        let settings =
            SignalSettings { namespace: Some("Wardmote/logs".into()), logs, ..SignalSettings::default() };
        let signals = Signals::new(client, settings).unwrap();
        // An answer that is lost lets a line come twice: it says of what it speaks.
        let once = !matches!(trouble, Fate::Half | Fate::Lost);
        proxy.fail_each_once(trouble, &[]);
        let mut told = Vec::new();
        // Two days apart: two batches; the last one is older than the service takes.
        let all = lines(&[10, 172_800, 20, 20 * 86_400], now);
        let mut tell = |line: &LogLine, became: Delivery| told.push((line.id.clone(), became));
        signals.deliver("monitor", (all, 400), now, &mut tell).unwrap();
        told.sort_by_key(|(id, _)| id.parse::<i64>().unwrap());
        let taken = |id: &str| (id.to_owned(), Delivery::Taken);
        assert_eq!(
            told,
            [taken("10"), taken("20"), taken("172800"), ("1728000".to_owned(), Delivery::Refused)]
        );
        let there = logged(&group);
        assert_eq!((&there["retention"], &there["key"]), (&400.into(), &crate::KEY.into()));
        let events: Vec<String> =
            there["events"].as_array().unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(events.iter().collect::<BTreeSet<_>>().len(), 3, "{events:?}");
        assert!(!once || events.len() == 3, "{events:?}");
    }
}

#[test]
fn lines_that_could_not_be_delivered_are_not_told_as_taken() {
    let now = local_now();
    let (proxy, client) = proxied();
    let logs = Some(LogSettings { key: None, ..log_settings("/wardmote/faults") });
    let settings =
        SignalSettings { namespace: Some("Wardmote/logs".into()), logs, ..SignalSettings::default() };
    let signals = Signals::new(client.clone(), settings.clone()).unwrap();
    let mut told = 0;
    for fate in [json_error(400, "AccessDeniedException"), Fate::Reset, Fate::Half] {
        proxy.always_of("Logs_20140328.PutLogEvents", fate);
        assert!(signals.deliver("monitor", (lines(&[10], now), 30), now, &mut |_, _| told += 1).is_err());
        proxy.calm();
    }
    assert_eq!(told, 0);
    signals.deliver("monitor", (lines(&[10], now), 30), now, &mut |_, _| told += 1).unwrap();
    // A longer time stays, a shorter one is made longer.
    signals.deliver("monitor", (lines(&[9], now), 7), now, &mut |_, _| told += 1).unwrap();
    assert_eq!((logged("/wardmote/faults")["retention"].clone(), told), (30.into(), 2));
    signals.deliver("monitor", (lines(&[8], now), 60), now, &mut |_, _| told += 1).unwrap();
    assert_eq!(logged("/wardmote/faults")["retention"], 60);
    let error = Signals::new(client, SignalSettings { namespace: None, ..settings }).err().unwrap();
    insta::assert_snapshot!(format!("{error}; {}", error.help().unwrap()), @"lines of figures name a namespace of metrics, and there is none; name a namespace for metrics too");
}

pub(crate) fn local_now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp::from_unix_ms(i64::try_from(since.as_millis()).unwrap()).unwrap()
}

#[test]
fn what_is_sent_arrives() {
    let (proxy, client) = proxied();
    let settings = settings("arrives");
    let signals = Signals::new(client, settings).unwrap();
    signals.measured(&measured()).unwrap();
    assert!(signals.alert(&alert(), measured().time).is_empty());
    signals.put_alarm(&alarm("arrives")).unwrap();
    assert_eq!(proxy.seen().len(), 4);
    let arrived: serde_json::Value =
        serde_json::from_str(&outlets("read", Emulator::get().address, "arrives")).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&arrived).unwrap());
}

#[test]
fn signals_arrive_when_every_call_fails_once() {
    let troubles =
        [xml_error(503, "Throttling"), Fate::Reset, Fate::Lost, json_error(500, "InternalException")];
    for (n, trouble) in troubles.into_iter().enumerate() {
        let (proxy, client) = proxied();
        let name = format!("once-{n}");
        let signals = Signals::new(client, settings(&name)).unwrap();
        proxy.fail_each_once(trouble, &[]);
        signals.measured(&measured()).unwrap();
        assert!(signals.alert(&alert(), measured().time).is_empty());
        signals.put_alarm(&alarm(&name)).unwrap();
        let arrived: serde_json::Value =
            serde_json::from_str(&outlets("read", Emulator::get().address, &name)).unwrap();
        let count = |what: &str| arrived[what].as_array().unwrap().len();
        assert!(count("topic") >= 1 && count("bus") >= 1, "{arrived}");
        // The emulator lists a figure that came twice twice.
        let listed = arrived["metrics"].as_array().unwrap().iter().map(ToString::to_string);
        assert_eq!((listed.collect::<BTreeSet<_>>().len(), count("alarms")), (4, 1));
        let average = arrived["metrics"][0]["average"].as_array().unwrap();
        assert_eq!(average, &vec![serde_json::Value::from(0.731)], "twice is the same as once");
    }
}

#[test]
fn one_way_that_is_closed_leaves_the_other_open() {
    let (proxy, client) = proxied();
    let signals = Signals::new(client, settings("closed")).unwrap();
    proxy.always("Action=Publish", xml_error(403, "AuthorizationError"));
    let failed = signals.alert(&alert(), measured().time);
    insta::assert_snapshot!(failed.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"), @"`sns:Publish` failed: AWS says `AuthorizationError`: `because` (request `4442587FB7D0A2F9`)");
    insta::assert_snapshot!(failed[0].help().unwrap(), @"the caller needs `sns:Publish`");
    let refused = r#"{"FailedEntryCount":1,"Entries":[{"ErrorCode":"NotAuthorizedForSourceException","ErrorMessage":"no"}]}"#;
    proxy.always("AWSEvents.PutEvents", Fate::Answer(200, String::new(), refused.into()));
    let failed = signals.alert(&alert(), measured().time);
    assert_eq!(failed.len(), 2);
    insta::assert_snapshot!(failed[1], @"`events:PutEvents` failed: AWS says `NotAuthorizedForSourceException`: `no`");
}

#[test]
fn what_is_not_named_is_not_sent() {
    let (proxy, client) = proxied();
    let signals = Signals::new(client, SignalSettings::default()).unwrap();
    signals.measured(&measured()).unwrap();
    assert!(signals.alert(&alert(), measured().time).is_empty() && proxy.seen().is_empty());
    let error = signals.put_alarm(&alarm("none")).unwrap_err();
    insta::assert_snapshot!(format!("{error}; {}", error.help().unwrap()), @"an alarm watches a metric, and no metrics are sent; name a namespace for metrics");
    assert!(
        signals
            .permissions(&[SignalUse::Metrics, SignalUse::Alerts, SignalUse::Alarms])
            .unwrap()
            .actions()
            .is_empty()
    );
}

#[test]
fn names_that_aws_would_refuse_are_refused_here() {
    let (_, client) = proxied();
    let said = |settings: SignalSettings| {
        let error = Signals::new(client.clone(), settings).err().unwrap();
        format!("{error}; {}", error.help().unwrap())
    };
    let named =
        |namespace: &str| SignalSettings { namespace: Some(namespace.into()), ..SignalSettings::default() };
    insta::assert_snapshot!(said(named("AWS/SageMaker")), @"`AWS/SageMaker` is not a namespace of metrics; expected letters, digits and any of `._-/#:`, not beginning with `AWS/`");
    insta::assert_snapshot!(said(named("a b")), @"`a b` is not a namespace of metrics; expected letters, digits and any of `._-/#:`, not beginning with `AWS/`");
    let topic = "arn:aws:sqs:eu-central-1:123456789012:queue".parse().ok();
    insta::assert_snapshot!(said(SignalSettings { topic, ..SignalSettings::default() }), @"`arn:aws:sqs:eu-central-1:123456789012:queue` is not the ARN of a topic; expected `arn:aws:sns:REGION:ACCOUNT:NAME`");
    for pipeline in ["my pipeline", "arn:aws:states:eu-central-1:123456789012:activity:x", "-x"] {
        let settings = SignalSettings { pipeline: Some(pipeline.into()), ..SignalSettings::default() };
        assert!(said(settings).starts_with(&format!("`{pipeline}` is not a pipeline; expected")));
    }
    let bus = Some("my bus".to_owned());
    insta::assert_snapshot!(said(SignalSettings { bus, ..SignalSettings::default() }), @"`my bus` is not an event bus; expected its name or its ARN; every account has one named `default`");
}

#[test]
fn the_smallest_policy_of_signals() {
    let (_, client) = proxied();
    let topic = "arn:aws:sns:eu-central-1:123456789012:alerts".parse().ok();
    let settings = SignalSettings {
        namespace: Some("Wardmote/bank".into()),
        logs: Some(log_settings("/wardmote/bank")),
        topic,
        bus: Some("default".into()),
        pipeline: None,
    };
    let policy = Signals::new(client, settings).unwrap();
    let policy = policy.permissions(&[SignalUse::Metrics, SignalUse::Alerts, SignalUse::Alarms]).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&policy.to_json()).unwrap());
}

#[test]
fn the_embedded_metric_format() {
    let line: serde_json::Value = serde_json::from_str(&emf_line("Wardmote/bank", &measured())).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&line).unwrap());
}
