//! What alerts do: train again, roll back, put in quarantine, or only say so. Each acts as an alert, never as a person, and is bound by
//! policy like everybody else.

use crate::core::NewEntry;
use crate::deployment::Deployed;
use crate::record::{Fact, MonitorReport};
use crate::training::{TrainRequest, Trained};
use crate::validation::Validated;
use crate::{Done, Engine, Error, Held};
use facts::{Action as AlertDoes, Actor, AlertRule, EvidenceId, ModelName};
use guard::Action;
use ledger::Outcome;
use monitor::rules::Outcome as Said;
use registry::VersionNumber;
use serde::Serialize;

/// What an alert did.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "did", rename_all = "snake_case")]
pub enum AlertAction {
    /// It was shown, nothing more.
    Notified {
        /// The sentence.
        sentence: String,
    },
    /// A candidate was trained and validated; people decide about it.
    Retrained {
        /// The sentence.
        sentence: String,
        /// The candidate.
        trained: Box<Trained>,
        /// What validation found.
        validated: Box<Validated>,
    },
    /// The previous version serves again.
    RolledBack {
        /// The sentence.
        sentence: String,
        /// What serves now.
        deployed: Deployed,
    },
    /// Nobody may use the version until somebody has looked at it.
    Quarantined {
        /// The sentence.
        sentence: String,
        /// What is in quarantine, and what serves now.
        held: Box<Held>,
    },
    /// It should have acted and could not.
    Failed {
        /// The sentence.
        sentence: String,
        /// Why not.
        reason: String,
    },
}

impl Engine {
    /// Does what the rules that fired demand, each once.
    pub fn act_on(
        &mut self,
        report: &MonitorReport,
        report_evidence: &EvidenceId,
    ) -> Result<Vec<Done<AlertAction>>, Error> {
        let mut done = Vec::new();
        for one in &report.rules {
            if let Said::Fire { sentence, .. } = &one.outcome {
                done.push(self.act((&report.model, report.version), &one.rule, sentence, report_evidence)?);
            }
        }
        Ok(done)
    }

    fn act(
        &mut self,
        (model, version): (&ModelName, VersionNumber),
        rule: &AlertRule,
        sentence: &str,
        report: &EvidenceId,
    ) -> Result<Done<AlertAction>, Error> {
        let alert = Self::alert_actor(rule)?;
        let resource = format!("model/{model}");
        let fact = Fact::AlertFired {
            model: model.clone(),
            rule: rule.clone(),
            sentence: sentence.to_owned(),
            report: report.clone(),
        };
        // Recorded before it acts: a crash in between leaves an alert that fired and did nothing, never one that acts twice.
        let entry = NewEntry {
            actor: &alert,
            action: "alert.fire",
            resource: &resource,
            outcome: Outcome::Done,
            fact,
        };
        let mut evidence = self.record(vec![entry])?;
        let cause = evidence.last().cloned();
        let sentence = sentence.to_owned();
        let acted = match rule.action {
            AlertDoes::Notify => Ok(Done {
                answer: AlertAction::Notified { sentence: sentence.clone() },
                evidence: Vec::new(),
            }),
            AlertDoes::Rollback => self.rollback(&alert, model, &sentence).map(|done| Done {
                answer: AlertAction::RolledBack { sentence: sentence.clone(), deployed: done.answer },
                evidence: done.evidence,
            }),
            AlertDoes::Quarantine => {
                let held = self.quarantine(&alert, (model, version), (&sentence, cause.as_ref()));
                held.map(|done| Done {
                    answer: AlertAction::Quarantined {
                        sentence: sentence.clone(),
                        held: Box::new(done.answer),
                    },
                    evidence: done.evidence,
                })
            }
            AlertDoes::TriggerRetrainingPipeline => self.retrain(&alert, model, &sentence, cause),
        };
        let acted = match acted {
            Ok(acted) => acted,
            Err(error) => self.failed(&alert, &resource, &sentence, &error)?,
        };
        evidence.extend(acted.evidence);
        Ok(Done { answer: acted.answer, evidence })
    }

    /// The retraining pipeline: the labelled traffic joins the training data, a candidate is trained and validated.
    fn retrain(
        &mut self,
        alert: &Actor,
        model: &ModelName,
        sentence: &str,
        cause: Option<EvidenceId>,
    ) -> Result<Done<AlertAction>, Error> {
        let snapshot = self.collect_feedback(model)?;
        let mut evidence = snapshot.evidence;
        let request = TrainRequest {
            model: model.clone(),
            hyperparameters: std::collections::BTreeMap::new(),
            snapshot: Some(snapshot.answer.snapshot.name),
            cause,
        };
        let trained = self.train(alert, &request)?;
        let validated = self.validate(alert, model, trained.answer.version)?;
        evidence.extend(trained.evidence);
        evidence.extend(validated.evidence);
        let answer = AlertAction::Retrained {
            sentence: sentence.to_owned(),
            trained: Box::new(trained.answer),
            validated: Box::new(validated.answer),
        };
        Ok(Done { answer, evidence })
    }

    fn failed(
        &mut self,
        alert: &Actor,
        resource: &str,
        sentence: &str,
        error: &Error,
    ) -> Result<Done<AlertAction>, Error> {
        let reason = error.to_string();
        let fact = Fact::Failed { reason: reason.clone() };
        let entry = NewEntry {
            actor: alert,
            action: Action::MonitorRun.as_str(),
            resource,
            outcome: Outcome::Failed,
            fact,
        };
        let evidence = self.record(vec![entry])?;
        Ok(Done { answer: AlertAction::Failed { sentence: sentence.to_owned(), reason }, evidence })
    }
}
