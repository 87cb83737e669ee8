//! Incidents of accounts: to the topic, to the bus, and how many there are to CloudWatch.

use super::{PUBLISH, Signals, region_of};
use crate::error::AwsError;
use facts::Timestamp;
use serde::Serialize;
use serde_json::Value;

/// An incident that was opened or closed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IncidentSignal {
    /// Its id: `I-1`.
    pub id: String,
    /// Whether it is open.
    pub open: bool,
    /// What it is, in one sentence.
    pub sentence: String,
    /// All of it.
    pub incident: Value,
    /// The entry of the ledger that says so.
    pub evidence: String,
}

impl Signals {
    /// Sends an incident to the topic and to the bus, as far as they are set. Both are tried; all that failed is said.
    pub fn incident(&self, incident: &IncidentSignal, time: Timestamp) -> Vec<AwsError> {
        // Texts and JSON values always have a JSON form.
        let detail = serde_json::to_string(incident).unwrap_or_default();
        let event = self.put("Wardmote Incident", &detail, time);
        [self.publish_incident(incident), event].into_iter().filter_map(Result::err).collect()
    }

    fn publish_incident(&self, incident: &IncidentSignal) -> Result<(), AwsError> {
        let Some(topic) = &self.settings.topic else { return Ok(()) };
        let region = region_of(topic.as_str(), "sns").unwrap_or_default();
        let elsewhere =
            if region == self.client.region()? { None } else { Some(self.client.in_region(region)?) };
        let state = if incident.open { "opened" } else { "closed" };
        let subject = format!("wardmote: incident {} {state}", incident.id);
        let message =
            format!("{}\n\nincident: {}\nevidence: {}\n", incident.sentence, incident.id, incident.evidence);
        let mut form = vec![
            ("TopicArn".to_owned(), topic.to_string()),
            ("Subject".to_owned(), subject),
            ("Message".to_owned(), message),
        ];
        if topic.as_str().ends_with(".fifo") {
            form.push(("MessageGroupId".to_owned(), "incidents".to_owned()));
            form.push(("MessageDeduplicationId".to_owned(), incident.evidence.clone()));
        }
        self.form(elsewhere.as_ref().unwrap_or(&self.client), &PUBLISH, &form)
    }
}
