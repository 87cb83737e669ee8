//! What a house tells the outside: figures to CloudWatch, alerts to an SNS topic and to an EventBridge bus.
//!
//! Every message may come twice, as with all of these services, and none is lost silently: it carries the evidence of
//! what it speaks of, by which a receiver sees that it is the same. Figures are gauges: twice is the same as once.
//!
//! Source: API references of Amazon CloudWatch, Amazon SNS and Amazon EventBridge.

mod alarms;
mod emf;
mod incidents;
mod logs;
mod pipelines;

pub use alarms::Alarm;
pub use emf::emf_line;
pub use incidents::IncidentSignal;
pub use logs::{Delivery, LogLine, LogSettings};

use crate::client::Client;
use crate::error::{AwsError, Trouble};
use crate::operation::{CLOUDWATCH, EVENTBRIDGE, On, Operation, Permission, Retry, SNS};
use crate::permissions::{Place, PolicyDocument, condition};
use crate::wire::Wire;
use facts::{Arn, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;

macro_rules! operation {
    ($service:ident, $name:literal, $action:literal, $on:ident) => {
        Operation {
            service: &$service,
            name: $name,
            retry: Retry::Safe,
            needs: &[Permission { action: $action, on: On::$on }],
            pages: None,
        }
    };
}

const PUT_METRICS: Operation = operation!(CLOUDWATCH, "PutMetricData", "cloudwatch:PutMetricData", Namespace);
const PUT_ALARM: Operation = operation!(CLOUDWATCH, "PutMetricAlarm", "cloudwatch:PutMetricAlarm", Alarms);
const PUBLISH: Operation = operation!(SNS, "Publish", "sns:Publish", Topic);
const PUT_EVENTS: Operation = operation!(EVENTBRIDGE, "PutEvents", "events:PutEvents", Bus);

/// CloudWatch takes so many metrics in one call.
const METRICS_IN_A_CALL: usize = 1000;
const LONGEST_SUBJECT: usize = 100;
/// What events say that they come from.
const SOURCE: &str = "wardmote";

/// Where signals go; what is not named is not sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SignalSettings {
    /// The namespace of metrics in CloudWatch: `Wardmote/bank`.
    pub namespace: Option<String>,
    /// The group of logs into which figures are written as lines, beside the metrics.
    pub logs: Option<LogSettings>,
    /// The topic of alerts.
    pub topic: Option<Arn>,
    /// The name or ARN of the event bus of alerts.
    pub bus: Option<String>,
    /// The retraining pipeline: the name of one of SageMaker, or the ARN of a state machine.
    pub pipeline: Option<String>,
}

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignalUse {
    /// [`Signals::measured`].
    Metrics,
    /// [`Signals::alert`].
    Alerts,
    /// [`Signals::put_alarm`].
    Alarms,
}

/// Figures of one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// When they were taken.
    pub time: Timestamp,
    /// Sets of dimensions, by name; each figure is kept under each set.
    pub dimensions: Vec<BTreeMap<String, String>>,
    /// The figures; finite ones only.
    pub figures: Vec<Figure>,
    /// The entry of the ledger that they are from.
    pub evidence: String,
}

/// One figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// Its name.
    pub name: String,
    /// The number.
    pub value: f64,
    /// Whether it counts something.
    pub is_count: bool,
}

impl Figure {
    fn unit(&self) -> &'static str {
        if self.is_count { "Count" } else { "None" }
    }
}

/// A rule that fired, and what was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Alert {
    /// The model.
    pub model: String,
    /// The version that served.
    pub version: u32,
    /// What was watched.
    pub metric: String,
    /// What the rule demands to be done.
    pub action: String,
    /// Why it fired, in a sentence with the numbers.
    pub sentence: String,
    /// What was done: `retrained`, `rolled_back`, `notified`, `failed`.
    pub did: String,
    /// The entries of the ledger that prove it.
    pub evidence: Vec<String>,
}

/// The ways out.
#[derive(Clone)]
pub struct Signals {
    client: Client,
    settings: SignalSettings,
}

impl Signals {
    /// Nothing is called yet.
    ///
    /// # Errors
    /// If a name is not one that AWS takes.
    pub fn new(client: Client, settings: SignalSettings) -> Result<Self, AwsError> {
        let wrong =
            |text: String, help: &str| Err(AwsError::new(Trouble::Unconfigured, text).with_help(help));
        let letters =
            |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'/' | b'#' | b':');
        if let Some(name) = &settings.namespace {
            let proper = (1..=255).contains(&name.len()) && name.bytes().all(letters);
            if !proper || name.starts_with("AWS/") || name.starts_with(':') {
                let text = format!("`{}` is not a namespace of metrics", name.escape_debug());
                return wrong(
                    text,
                    "expected letters, digits and any of `._-/#:`, not beginning with `AWS/`",
                );
            }
        }
        if settings.logs.is_some() && settings.namespace.is_none() {
            let text = "lines of figures name a namespace of metrics, and there is none".to_owned();
            return wrong(text, "name a namespace for metrics too");
        }
        if let Some(topic) =
            settings.topic.as_ref().filter(|topic| region_of(topic.as_str(), "sns").is_none())
        {
            let text = format!("`{topic}` is not the ARN of a topic");
            return wrong(text, "expected `arn:aws:sns:REGION:ACCOUNT:NAME`");
        }
        let proper = |bus: &str| (1..=1600).contains(&bus.len()) && bus.bytes().all(letters);
        if let Some(bus) = settings.bus.as_ref().filter(|bus| !proper(bus)) {
            let text = format!("`{}` is not an event bus", bus.escape_debug());
            return wrong(text, "expected its name or its ARN; every account has one named `default`");
        }
        let proper = |pipeline: &str| pipelines::is_machine(pipeline) || pipelines::is_name(pipeline);
        if let Some(pipeline) = settings.pipeline.as_ref().filter(|pipeline| !proper(pipeline)) {
            let text = format!("`{}` is not a pipeline", pipeline.escape_debug());
            return wrong(
                text,
                "expected the name of one of SageMaker, or `arn:aws:states:REGION:ACCOUNT:stateMachine:NAME`",
            );
        }
        Ok(Self { client, settings })
    }

    /// Whether figures are sent.
    pub fn measures(&self) -> bool {
        self.settings.namespace.is_some()
    }

    /// Sends figures to CloudWatch. Does nothing without a namespace.
    pub fn measured(&self, measured: &Measured) -> Result<(), AwsError> {
        let Some(namespace) = &self.settings.namespace else { return Ok(()) };
        let each: Vec<_> = measured
            .dimensions
            .iter()
            .flat_map(|set| measured.figures.iter().map(move |one| (set, one)))
            .collect();
        for chunk in each.chunks(METRICS_IN_A_CALL) {
            let mut form = vec![("Namespace".to_owned(), namespace.clone())];
            for (at, (dimensions, figure)) in chunk.iter().enumerate() {
                let member = format!("MetricData.member.{}", at + 1);
                form.push((format!("{member}.MetricName"), figure.name.clone()));
                form.push((format!("{member}.Timestamp"), measured.time.to_string()));
                form.push((format!("{member}.Value"), figure.value.to_string()));
                form.push((format!("{member}.Unit"), figure.unit().to_owned()));
                dimension_form(&member, dimensions, &mut form);
            }
            self.form(&self.client, &PUT_METRICS, &form)?;
        }
        Ok(())
    }

    /// Sends an alert to the topic and to the bus, as far as they are set. Both are tried; all that failed is said.
    pub fn alert(&self, alert: &Alert, time: Timestamp) -> Vec<AwsError> {
        [self.publish(alert), self.put_event(alert, time)].into_iter().filter_map(Result::err).collect()
    }

    fn publish(&self, alert: &Alert) -> Result<(), AwsError> {
        let Some(topic) = &self.settings.topic else { return Ok(()) };
        let region = region_of(topic.as_str(), "sns").unwrap_or_default();
        let elsewhere =
            if region == self.client.region()? { None } else { Some(self.client.in_region(region)?) };
        let subject = format!("wardmote: {} {} {}", alert.model, alert.metric, alert.did);
        let message = format!(
            "{}\n\nmodel: {} version {}\ndone: {}\nevidence: {}\n",
            alert.sentence,
            alert.model,
            alert.version,
            alert.did,
            alert.evidence.join(", ")
        );
        let mut form = vec![
            ("TopicArn".to_owned(), topic.to_string()),
            ("Subject".to_owned(), subject.chars().filter(char::is_ascii).take(LONGEST_SUBJECT).collect()),
            ("Message".to_owned(), message),
        ];
        let attributes = [("model", &alert.model), ("metric", &alert.metric), ("did", &alert.did)];
        for (at, (name, value)) in attributes.into_iter().enumerate() {
            let entry = format!("MessageAttributes.entry.{}", at + 1);
            form.push((format!("{entry}.Name"), name.to_owned()));
            form.push((format!("{entry}.Value.DataType"), "String".to_owned()));
            form.push((format!("{entry}.Value.StringValue"), value.clone()));
        }
        if topic.as_str().ends_with(".fifo") {
            let once = alert.evidence.first().cloned().unwrap_or_default();
            form.push(("MessageGroupId".to_owned(), alert.model.clone()));
            form.push(("MessageDeduplicationId".to_owned(), once));
        }
        self.form(elsewhere.as_ref().unwrap_or(&self.client), &PUBLISH, &form)
    }

    fn put_event(&self, alert: &Alert, time: Timestamp) -> Result<(), AwsError> {
        // Texts and lists of texts always have a JSON form.
        self.put("Wardmote Alert", &serde_json::to_string(alert).unwrap_or_default(), time)
    }

    /// Puts an event on the bus, if there is one.
    fn put(&self, what: &str, detail: &str, time: Timestamp) -> Result<(), AwsError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Answer {
            failed_entry_count: u32,
            #[serde(default)]
            entries: Vec<Entry>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Entry {
            error_code: Option<String>,
            error_message: Option<String>,
        }
        let Some(bus) = &self.settings.bus else { return Ok(()) };
        let seconds = time.unix_ms() / 1000;
        let input = json!({ "Entries": [{
            "Source": SOURCE, "DetailType": what, "Detail": detail, "EventBusName": bus, "Time": seconds,
        }] });
        let answer: Answer = self.client.json(&PUT_EVENTS, &input)?;
        if answer.failed_entry_count == 0 {
            return Ok(());
        }
        let entry = answer.entries.into_iter().find(|entry| entry.error_code.is_some());
        let (code, message) = entry.map(|entry| (entry.error_code, entry.error_message)).unwrap_or_default();
        let (code, message) = (code.unwrap_or_default(), message.unwrap_or_default());
        Err(AwsError::said(Trouble::Refused, &code, &message, None).of(&PUT_EVENTS))
    }

    /// The smallest policy with which these can be sent.
    pub fn permissions(&self, uses: &[SignalUse]) -> Result<PolicyDocument, AwsError> {
        let mut operations: Vec<&Operation> = Vec::new();
        for one in uses {
            match one {
                SignalUse::Metrics if self.settings.namespace.is_some() => {
                    operations.push(&PUT_METRICS);
                    if self.logs() {
                        operations.extend(logs::OF_LOGS);
                    }
                }
                SignalUse::Alarms if self.settings.namespace.is_some() => operations.push(&PUT_ALARM),
                SignalUse::Alerts => {
                    operations.extend(self.settings.topic.is_some().then_some(&PUBLISH));
                    operations.extend(self.settings.bus.is_some().then_some(&PUT_EVENTS));
                    operations.extend(self.settings.pipeline.as_deref().map(pipelines::operation));
                }
                _ => {}
            }
        }
        let (partition, region) = (self.client.partition()?.name, self.client.region()?);
        let of = |resource: String| Place { resource: vec![resource], condition: BTreeMap::new() };
        Ok(PolicyDocument::of(&operations, |on| match on {
            On::LogGroup => {
                let group =
                    self.settings.logs.as_ref().map(|logs| logs.group.to_string()).unwrap_or_default();
                let arn = format!("arn:{partition}:logs:{region}:*:log-group:{group}");
                Place { resource: vec![arn.clone(), format!("{arn}:*")], condition: BTreeMap::new() }
            }
            On::Account => of("*".to_owned()),
            On::Topic => of(self.settings.topic.as_ref().map(ToString::to_string).unwrap_or_default()),
            On::Bus => of(match self.settings.bus.as_deref().unwrap_or_default() {
                arn if arn.starts_with("arn:") => arn.to_owned(),
                name => format!("arn:{partition}:events:{region}:*:event-bus/{name}"),
            }),
            On::Pipeline => of(match self.settings.pipeline.as_deref().unwrap_or_default() {
                machine if pipelines::is_machine(machine) => machine.to_owned(),
                name => format!("arn:{partition}:sagemaker:{region}:*:pipeline/{name}"),
            }),
            On::Alarms => of(format!("arn:{partition}:cloudwatch:{region}:*:alarm:{}*", alarms::PREFIX)),
            // Metrics are no resources; their namespace is a condition.
            _ => Place {
                resource: vec!["*".to_owned()],
                condition: condition(
                    "StringEquals",
                    "cloudwatch:namespace",
                    self.settings.namespace.as_deref().unwrap_or_default(),
                ),
            },
        }))
    }

    fn form(
        &self,
        client: &Client,
        operation: &'static Operation,
        form: &[(String, String)],
    ) -> Result<(), AwsError> {
        let pairs: Vec<(&str, &str)> =
            form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        client.call(operation, &Wire::form(operation, &pairs)).map(|_| ())
    }
}

fn dimension_form(member: &str, dimensions: &BTreeMap<String, String>, form: &mut Vec<(String, String)>) {
    for (at, (name, value)) in dimensions.iter().enumerate() {
        let dimension = format!("{member}.Dimensions.member.{}", at + 1);
        form.push((format!("{dimension}.Name"), name.clone()));
        form.push((format!("{dimension}.Value"), value.clone()));
    }
}

/// The region of an ARN; none if it is of another service.
fn region_of<'a>(arn: &'a str, service: &str) -> Option<&'a str> {
    let mut parts = arn.strip_prefix("arn:")?.split(':').skip(1);
    (parts.next()? == service).then_some(())?;
    parts.next().filter(|region| !region.is_empty())
}
