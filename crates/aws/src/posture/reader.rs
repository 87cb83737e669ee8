//! Calls whose answers are taken as they come.

use super::xml::tree;
use crate::client::Client;
use crate::error::AwsError;
use crate::operation::{Call, Operation};
use crate::pages::Question;
use crate::wire::Wire;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Who reads.
pub(super) struct Reader<'c> {
    pub(super) client: &'c Client,
    pub(super) account: &'c str,
    regional: Mutex<BTreeMap<String, Client>>,
}

impl<'c> Reader<'c> {
    pub(super) fn new(client: &'c Client, account: &'c str) -> Self {
        Self { client, account, regional: Mutex::default() }
    }

    /// A client for a region; each is made once.
    pub(super) fn in_region(&self, region: &str) -> Result<Client, AwsError> {
        if region == self.client.region()? {
            return Ok(self.client.clone());
        }
        let mut known = self.regional.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = known.get(region) {
            return Ok(client.clone());
        }
        let client = self.client.in_region(region)?;
        known.insert(region.to_owned(), client.clone());
        Ok(client)
    }

    /// The answer of a JSON service.
    pub(super) fn json(&self, operation: &'static Operation, input: &Value) -> Result<Value, AwsError> {
        self.client.json(operation, input)
    }

    /// The answer of a service with paths, or of a JSON service.
    pub(super) fn ask(&self, call: &'static Call, input: &Value) -> Result<Value, AwsError> {
        self.client.ask(call, input)
    }

    /// All items of its list.
    pub(super) fn all(&self, call: &'static Call, input: &Value) -> Result<Vec<Value>, AwsError> {
        self.client.all(&call.operation, Question::Call(call, input.clone()))
    }

    /// The answer of a query service.
    pub(super) fn query(
        &self,
        operation: &'static Operation,
        parameters: &[(&str, &str)],
    ) -> Result<Value, AwsError> {
        let answer = self.client.call(operation, &Wire::form(operation, parameters))?;
        tree(operation, &answer)
    }

    /// All items of the list of a JSON service.
    pub(super) fn pages(&self, operation: &'static Operation, input: &Value) -> Result<Vec<Value>, AwsError> {
        self.client.all(operation, Question::Json(input.clone()))
    }
}
