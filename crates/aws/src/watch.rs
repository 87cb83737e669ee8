//! What watching an account needs beside reading it: a queue of Amazon SQS that tells of changes, AWS Security Hub and AWS
//! Config that are told of verdicts.
//!
//! Sources: API references of Amazon SQS, AWS Security Hub and AWS Config; the Service Authorization Reference for what each
//! call needs.

use crate::client::Client;
use crate::error::{AwsError, Trouble};
use crate::operation::{Call, NEXT_TOKEN, On, Operation, Permission, Protocol, Retry, Service, call};
use crate::pages::Question;
use crate::permissions::{Place, PolicyDocument};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use world::{Evaluation, FindingsHub, Letter, PortError, RuleAnswers};

/// Amazon Simple Queue Service.
const SQS: Service =
    Service { id: "SQS", name: "sqs", protocol: Protocol::Json { version: "1.0", target: "AmazonSQS" } };
/// AWS Security Hub.
const SECURITY_HUB: Service =
    Service { id: "SECURITYHUB", name: "securityhub", protocol: Protocol::RestJson };
/// AWS Config.
const CONFIG: Service = Service {
    id: "CONFIG_SERVICE",
    name: "config",
    protocol: Protocol::Json { version: "1.1", target: "StarlingDoveService" },
};

macro_rules! operation {
    ($service:ident, $name:literal, [$($action:literal),*]) => {
        Operation {
            service: &$service,
            name: $name,
            retry: Retry::Safe,
            needs: &[$(Permission { action: $action, on: On::Account }),*],
            pages: None,
        }
    };
}

/// A message that was given out and whose answer was lost comes again by itself.
const RECEIVE: Operation = operation!(SQS, "ReceiveMessage", ["sqs:ReceiveMessage"]);
const DELETE: Operation = operation!(SQS, "DeleteMessageBatch", ["sqs:DeleteMessage"]);
const GET_FINDINGS: &Call = call!(
    SECURITY_HUB,
    "GetFindings",
    "securityhub:GetFindings",
    "POST /findings",
    NEXT_TOKEN.of("Findings")
);
const IMPORT: &Call =
    call!(SECURITY_HUB, "BatchImportFindings", "securityhub:BatchImportFindings", "POST /findings/import");
const OF_SECURITY_HUB: [&Operation; 2] = [&GET_FINDINGS.operation, &IMPORT.operation];
const PUT_EVALUATIONS: Operation = operation!(CONFIG, "PutEvaluations", ["config:PutEvaluations"]);

/// So many messages come and go in one call.
const LETTERS: usize = 10;
/// The longest that SQS waits for a message.
const LONGEST_WAIT: u32 = 20;

/// What of this is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatchUse {
    /// [`SqsQueue`].
    Queue,
    /// [`SecurityHub`].
    SecurityHub,
    /// [`ConfigRules`].
    Config,
}

/// The policy with which these can be used.
pub fn permissions(uses: &[WatchUse]) -> PolicyDocument {
    let of = |one: &WatchUse| -> &'static [&'static Operation] {
        match one {
            // Messages may name log files.
            WatchUse::Queue => &[&RECEIVE, &DELETE, &crate::trails::GET],
            WatchUse::SecurityHub => &OF_SECURITY_HUB,
            WatchUse::Config => &[&PUT_EVALUATIONS],
        }
    };
    let all: Vec<&Operation> = uses.iter().flat_map(of).copied().collect();
    PolicyDocument::of(&all, |_| Place { resource: vec!["*".to_owned()], condition: BTreeMap::new() })
}

/// A queue.
pub struct SqsQueue {
    client: Client,
    url: String,
}

impl SqsQueue {
    /// The queue at an address.
    ///
    /// # Errors
    /// If it is none.
    pub fn new(client: Client, url: &str) -> Result<Self, AwsError> {
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        let parts = rest.map(|rest| rest.split('/').skip(1).filter(|part| !part.is_empty()).count());
        if parts.is_none_or(|parts| parts < 2) {
            let text = format!("`{}` is not the address of a queue", url.escape_debug());
            return Err(AwsError::new(Trouble::Unconfigured, text)
                .with_help("expected `https://sqs.REGION.amazonaws.com/ACCOUNT/NAME`"));
        }
        // A queue may be in another region than what is watched.
        let region = rest.and_then(|rest| rest.strip_prefix("sqs.")?.split_once(".amazonaws.com"));
        let client = match region {
            Some((region, _)) if region != client.region()? => client.in_region(region)?,
            _ => client,
        };
        Ok(Self { client, url: url.to_owned() })
    }
}

impl world::Queue for SqsQueue {
    fn receive(&self, wait_seconds: u32) -> Result<Vec<Letter>, PortError> {
        let input = json!({"QueueUrl": self.url, "MaxNumberOfMessages": LETTERS, "WaitTimeSeconds": wait_seconds.min(LONGEST_WAIT),
            "AttributeNames": ["ApproximateReceiveCount"], "MessageSystemAttributeNames": ["ApproximateReceiveCount"]});
        let answer: Value = self.client.json(&RECEIVE, &input)?;
        let text = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
        let letter = |one: &Value| Letter {
            id: text(one, "MessageId"),
            receipt: text(one, "ReceiptHandle"),
            body: text(one, "Body"),
            received: one["Attributes"]["ApproximateReceiveCount"]
                .as_str()
                .and_then(|n| n.parse().ok())
                .unwrap_or(1),
        };
        Ok(answer["Messages"].as_array().into_iter().flatten().map(letter).collect())
    }

    fn delete(&self, letters: &[&Letter]) -> Result<(), PortError> {
        for part in letters.chunks(LETTERS) {
            let entries: Vec<Value> = part
                .iter()
                .enumerate()
                .map(|(at, letter)| json!({"Id": at.to_string(), "ReceiptHandle": letter.receipt}))
                .collect();
            let answer: Value =
                self.client.json(&DELETE, &json!({"QueueUrl": self.url, "Entries": entries}))?;
            if let Some(failed) = answer["Failed"].as_array().and_then(|failed| failed.first()) {
                let text = |name: &str| failed[name].as_str().unwrap_or_default().to_owned();
                return Err(AwsError::said(Trouble::Refused, &text("Code"), &text("Message"), None)
                    .of(&DELETE)
                    .into());
            }
        }
        Ok(())
    }
}

/// Security Hub of an account in a region.
pub struct SecurityHub {
    client: Client,
}

impl SecurityHub {
    /// That of the client's region.
    pub fn new(client: Client) -> Self {
        Self { client }
    }
}

impl FindingsHub for SecurityHub {
    fn known(&self, account: &str) -> Result<Vec<Value>, PortError> {
        let is = |value: &str| json!([{"Value": value, "Comparison": "EQUALS"}]);
        let filters = json!({"AwsAccountId": is(account), "RecordState": is("ACTIVE"), "ProductArn": is(&self.product(account)?),
            "GeneratorId": [{"Value": "wardmote/", "Comparison": "PREFIX"}]});
        let question = Question::Call(GET_FINDINGS, json!({"Filters": filters, "MaxResults": 100}));
        let mut all = self.client.all(&GET_FINDINGS.operation, question)?;
        // Whoever answers may know fewer filters than were asked for.
        all.retain(|one| {
            one["GeneratorId"].as_str().is_some_and(|id| id.starts_with("wardmote/"))
                && one["AwsAccountId"] == account
                && one["RecordState"] != "ARCHIVED"
        });
        Ok(all)
    }

    fn import(&self, findings: &[Value]) -> Result<Vec<(String, String)>, PortError> {
        let answer = self.client.ask(IMPORT, &json!({ "Findings": findings }))?;
        let failed = answer["FailedFindings"].as_array().into_iter().flatten();
        let text = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
        let one = |one: &Value| {
            (text(one, "Id"), format!("{}: {}", text(one, "ErrorCode"), text(one, "ErrorMessage")))
        };
        Ok(failed.map(one).collect())
    }

    fn product(&self, account: &str) -> Result<String, PortError> {
        let (partition, region) = (self.client.partition()?.name, self.client.region()?);
        Ok(format!("arn:{partition}:securityhub:{region}:{account}:product/{account}/default"))
    }
}

/// Rules of AWS Config that ask by a token.
pub struct ConfigRules {
    client: Client,
}

impl ConfigRules {
    /// Those of the client's region.
    pub fn new(client: Client) -> Self {
        Self { client }
    }
}

impl RuleAnswers for ConfigRules {
    fn answer(&self, token: &str, evaluations: &[Evaluation]) -> Result<(), PortError> {
        let one = |one: &Evaluation| {
            let compliance = match one.compliant {
                Some(true) => "COMPLIANT",
                Some(false) => "NON_COMPLIANT",
                None => "NOT_APPLICABLE",
            };
            json!({"ComplianceResourceType": one.kind, "ComplianceResourceId": one.id, "ComplianceType": compliance,
                "Annotation": one.note, "OrderingTimestamp": seconds(&one.time)})
        };
        let all: Vec<Value> = evaluations.iter().map(one).collect();
        let answer: Value =
            self.client.json(&PUT_EVALUATIONS, &json!({"ResultToken": token, "Evaluations": all}))?;
        match answer["FailedEvaluations"].as_array().map_or(0, Vec::len) {
            0 => Ok(()),
            failed => Err(AwsError::new(Trouble::Refused, format!("{failed} verdicts were not taken"))
                .of(&PUT_EVALUATIONS)
                .into()),
        }
    }
}

/// A time as JSON services write it: seconds since 1970.
fn seconds(time: &str) -> Value {
    let ms = time.parse::<facts::Timestamp>().map_or(0, facts::Timestamp::unix_ms);
    (ms / 1000).into()
}
