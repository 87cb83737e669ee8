//! What a look at a model tells the outside: figures and alerts, to where `house.json` says; and alarms on the figures.

use super::args::AlarmsArgs;
use super::failure;
use crate::answer::Answers;
use crate::failure::{Exit, Failure};
use crate::house::House;
use aws::signals::{Alarm, Alert, Figure, Measured, emf_line};
use engine::{AlertAction, Done, MonitorReport};
use facts::{Direction, EvidenceId, Timestamp};
use local::SystemClock;
use monitor::rules::Outcome;
use serde_json::json;
use std::collections::BTreeMap;
use std::process::ExitCode;
use world::Clock;

/// Figures that count.
const COUNTS: [&str; 3] = ["drifted_features", "labels", "requests"];

/// Sends what a look found and what was done. All of it is tried; what could not be sent is said. Lines for a log, which it keeps for
/// `log_days`, wait until they are there.
pub(crate) fn send(
    house: &House,
    (report, acted): (&Done<MonitorReport>, &[Done<AlertAction>]),
    log_days: u32,
) -> Result<(), Failure> {
    let settings = house.settings()?;
    let Some(signals) = settings.signals()? else { return Ok(()) };
    let time = SystemClock.now();
    let measured = measured(report, time);
    let mut failed: Vec<Failure> = signals.measured(&measured).err().into_iter().map(failure).collect();
    if let Some(namespace) = settings.namespace().filter(|_| signals.logs()) {
        let line = emf_line(namespace, &measured);
        let waits = super::waiting::put(house, time, (&measured.evidence, &line));
        match waits.and_then(|()| super::waiting::send(house, &signals, log_days, time)) {
            Ok(0) => {}
            Ok(refused) => failed.push(Failure::new(
                Exit::Outside,
                format!(
                    "CloudWatch Logs does not take {refused} lines, which are too old; they are in the ledger"
                ),
            )),
            Err(error) => failed.push(error),
        }
    }
    for alert in alerts(&report.answer, acted) {
        failed.extend(signals.alert(&alert, time).into_iter().map(failure));
        if alert.action == facts::Action::TriggerRetrainingPipeline.to_string() {
            failed.extend(signals.retrain(&alert).err().map(failure));
        }
    }
    let Some(first) = failed.first() else { return Ok(()) };
    let sentences: Vec<&str> = failed.iter().map(Failure::message).collect();
    let text = format!("the report is recorded, and not all of it was sent: {}", sentences.join("; "));
    let failure = Failure::new(Exit::Outside, text);
    Err(match first.help() {
        Some(help) => failure.with_help(help),
        None => failure,
    })
}

/// The line for a log that CloudWatch reads.
pub(crate) fn line(namespace: &str, report: &Done<MonitorReport>) -> String {
    emf_line(namespace, &measured(report, SystemClock.now()))
}

/// Of each model, and of each of its versions.
fn dimensions(model: &str, version: Option<u32>) -> BTreeMap<String, String> {
    let mut all = BTreeMap::from([("Model".to_owned(), model.to_owned())]);
    all.extend(version.map(|version| ("Version".to_owned(), version.to_string())));
    all
}

fn measured(report: &Done<MonitorReport>, time: Timestamp) -> Measured {
    let MonitorReport { model, version, measurements, rules, .. } = &report.answer;
    let figure = |name: &str, value: f64, is_count: bool| Figure { name: name.to_owned(), value, is_count };
    let mut figures: Vec<Figure> = measurements
        .0
        .iter()
        .map(|(name, measured)| figure(name, measured.value, COUNTS.contains(&name.as_str())))
        .collect();
    let said = |what: fn(&Outcome) -> bool| rules.iter().filter(|rule| what(&rule.outcome)).count() as f64;
    let beyond = |said: &Outcome| matches!(said, Outcome::Fire { .. } | Outcome::CoolingDown { .. });
    figures.push(figure("rules_beyond_threshold", said(beyond), true));
    figures.push(figure("rules_unknown", said(|said| matches!(said, Outcome::Unknown { .. })), true));
    let dimensions = vec![dimensions(model.as_str(), None), dimensions(model.as_str(), Some(version.0))];
    let evidence = report.evidence.last().map(EvidenceId::to_string).unwrap_or_default();
    Measured { time, dimensions, figures, evidence }
}

/// The rules that fired and were acted on, which is done in their order. If somebody only looked, there are none.
fn alerts(report: &MonitorReport, acted: &[Done<AlertAction>]) -> Vec<Alert> {
    let fired = report.rules.iter().filter_map(|rule| match &rule.outcome {
        Outcome::Fire { sentence, .. } => Some((&rule.rule, sentence)),
        _ => None,
    });
    let alert = |((rule, sentence), done): ((&facts::AlertRule, &String), &Done<AlertAction>)| Alert {
        model: report.model.to_string(),
        version: report.version.0,
        metric: rule.metric.to_string(),
        action: rule.action.to_string(),
        sentence: sentence.clone(),
        did: did(&done.answer).to_owned(),
        evidence: done.evidence.iter().map(EvidenceId::to_string).collect(),
    };
    fired.zip(acted).map(alert).collect()
}

fn did(action: &AlertAction) -> &'static str {
    match action {
        AlertAction::Notified { .. } => "notified",
        AlertAction::Retrained { .. } => "retrained",
        AlertAction::RolledBack { .. } => "rolled_back",
        AlertAction::Quarantined { .. } => "quarantined",
        AlertAction::Failed { .. } => "failed",
    }
}

/// `wardmote aws alarms`: one for each alert rule of the charter in force.
pub(super) fn alarms(house: &House, args: &AlarmsArgs, answers: &Answers) -> Result<ExitCode, Failure> {
    let engine = house.open_read_only()?;
    let charter = engine.charter()?.charter();
    let mut alarms = Vec::new();
    for model in &charter.models {
        for rule in &model.alerts {
            let above = rule.direction() == Direction::Above;
            let side = if above { "above" } else { "below" };
            alarms.push(Alarm {
                name: format!("{}/{}/{}/{}", charter.organisation.id, model.name, rule.metric, rule.action),
                description: format!(
                    "{} of {} is {side} {}, or was not measured; the charter says: {}",
                    rule.metric, model.name, rule.threshold, rule.action
                ),
                metric: rule.metric.to_string(),
                dimensions: dimensions(model.name.as_str(), None),
                above,
                threshold: rule.threshold,
                period_seconds: args.period_seconds,
            });
        }
    }
    let signals = house.settings()?.signals()?.filter(aws::signals::Signals::measures).ok_or_else(|| {
        Failure::new(Exit::Usage, "an alarm watches a metric, and this house sends none")
            .with_help("name a namespace in `house.json`: {\"signals\": {\"metrics\": \"Wardmote/NAME\"}}")
    })?;
    if args.put {
        alarms.iter().try_for_each(|alarm| signals.put_alarm(alarm)).map_err(failure)?;
    }
    let shown: Vec<_> =
        alarms.iter().map(|alarm| json!({ "name": alarm.full_name(), "when": alarm.description })).collect();
    answers.give(&json!({ "alarms": shown, "put": args.put }), |_| {
        let lines = alarms.iter().map(|alarm| format!("{}\n  {}", alarm.full_name(), alarm.description));
        let end = if args.put { "put" } else { "these are only shown; `--put` puts them" };
        lines.chain([end.to_owned()]).collect::<Vec<_>>().join("\n")
    })?;
    Ok(ExitCode::SUCCESS)
}
