//! Calls whose answers are taken as they come.

use super::xml::tree;
use crate::client::Client;
use crate::error::{AwsError, Trouble};
use crate::operation::{Call, Operation, Protocol};
use crate::wire::{Wire, from_json};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// A list longer than this is not read to its end.
const MAX_PAGES: usize = 10_000;

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
        let operation = &call.operation;
        match operation.service.protocol {
            Protocol::RestJson => {
                let answer = self.client.call(operation, &Wire::rest(call, input)?)?;
                from_json(operation, &answer)
            }
            _ => self.json(operation, input),
        }
    }

    /// All items of a list, page by page; `token` is the name of the mark in questions and answers.
    pub(super) fn all(
        &self,
        call: &'static Call,
        input: &Value,
        (items, token): (&str, &str),
    ) -> Result<Vec<Value>, AwsError> {
        whole(&call.operation, input, (items, token, token), |input| self.ask(call, input))
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

    /// All items of a list of a JSON service, page by page; `token` is the name of the mark in questions and answers.
    pub(super) fn pages(
        &self,
        operation: &'static Operation,
        input: &Value,
        (items, token, mark): (&str, &str, &str),
    ) -> Result<Vec<Value>, AwsError> {
        whole(operation, input, (items, token, mark), |input| self.json(operation, input))
    }
}

/// All pages of a list. A list that ends early must not look like a whole one.
fn whole(
    operation: &'static Operation,
    input: &Value,
    (items, token, mark): (&str, &str, &str),
    ask: impl Fn(&Value) -> Result<Value, AwsError>,
) -> Result<Vec<Value>, AwsError> {
    let (mut all, mut input) = (Vec::new(), input.clone());
    for _ in 0..MAX_PAGES {
        let mut page = ask(&input)?;
        if let Some(Value::Array(list)) = page.get_mut(items).map(Value::take) {
            all.extend(list);
        }
        match page.get(mark).and_then(Value::as_str).filter(|next| !next.is_empty()) {
            None => return Ok(all),
            Some(next) if input.get(token).and_then(Value::as_str) == Some(next) => break,
            Some(next) => input[token] = next.into(),
        }
    }
    Err(AwsError::new(Trouble::Unreadable, "the list does not end").of(operation))
}
