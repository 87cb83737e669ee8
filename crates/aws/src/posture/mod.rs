//! What there is in an account, in the shape of CloudFormation, for controls: one file for each service.
//!
//! A call that is denied or fails takes nothing away: the property is there without a value, and its provenance says why.
//! A type that could not be listed is named as unread.

mod account;
mod agentcore;
mod apis;
mod approvals;
mod bedrock;
mod cognito;
mod collector;
mod containers;
mod http_apis;
mod iam;
mod items;
mod jobs;
mod kms;
mod last_access;
mod macie;
mod network;
mod organization;
mod packages;
mod reader;
mod recorders;
mod refresh;
mod reread;
mod s3;
mod sagemaker;
mod services;
mod types;
pub(crate) mod xml;

pub(crate) use account::S3_CONTROL;
pub(crate) use network::EC2;
pub use refresh::refresh;
pub use reread::reread;
pub(crate) use s3::address;
pub(crate) use services::{ECR, LOGS};
pub(crate) use xml::{items, tree};

use crate::client::Client;
use crate::error::AwsError;
use crate::operation::Operation;
use crate::permissions::{Place, PolicyDocument};
use facts::Timestamp;
use facts::inventory::Inventory;
use items::Draft;
use jobs::Source;
use reader::Reader;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Calls at the same time.
const AT_ONCE: usize = 8;

/// Types that only templates have: there is none in an account under this name.
const OF_TEMPLATES: [&str; 4] = [
    "AWS::Serverless::Api",
    "AWS::Serverless::HttpApi",
    // What they say stands with the stage.
    "AWS::WAFRegional::WebACLAssociation",
    "AWS::WAFv2::WebACLAssociation",
];

/// What is listed first and then read piece by piece.
fn sources() -> impl Iterator<Item = Source> {
    let types = bedrock::TYPES
        .iter()
        .chain(&agentcore::TYPES)
        .chain(&apis::TYPES)
        .chain(&http_apis::TYPES)
        .chain(&cognito::TYPES)
        .chain([&containers::CLUSTER]);
    let own = [
        &packages::PACKAGES,
        &bedrock::ACCOUNT,
        &containers::TASKS_AND_SERVICES,
        &recorders::RECORDERS_OF_CHANGES,
        &recorders::ALARMS_OF_METRICS,
        &recorders::METRICS_OF_LOGS,
        &macie::SEARCHES,
    ];
    types.map(Source::Type).chain(own.map(Source::Own))
}

/// All that is called.
fn operations() -> Vec<&'static Operation> {
    let mut all: Vec<&Operation> = vec![&crate::identity::WHO_AM_I];
    all.extend(s3::OPERATIONS);
    all.extend(kms::OPERATIONS);
    all.extend(iam::OPERATIONS);
    all.extend(sagemaker::KINDS.iter().chain(services::KINDS).flat_map(collector::Kind::operations));
    all.extend(sagemaker::OPERATIONS);
    all.extend(services::OPERATIONS);
    let more = [&bedrock::CALLS[..], &apis::CALLS, &http_apis::CALLS, &cognito::CALLS];
    let facts = [&approvals::CALLS[..], &last_access::CALLS];
    let calls = sources().flat_map(Source::calls).chain(more.into_iter().chain(facts).flatten().copied());
    all.extend(calls.map(|call| &call.operation));
    all.extend(account::OPERATIONS);
    all.extend(organization::OPERATIONS);
    all.extend(network::operations());
    all
}

/// The policy with which all of this can be read.
pub fn permissions() -> PolicyDocument {
    PolicyDocument::of(&operations(), |_| Place {
        resource: vec!["*".to_owned()],
        condition: BTreeMap::new(),
    })
}

/// Reads the account of whoever calls, in the client's region; buckets and identities of all regions.
///
/// # Errors
/// If nobody can be asked: no credentials, no region, no service that answers.
pub fn collect(client: &Client) -> Result<Inventory, AwsError> {
    let account = crate::identity::account(client)?;
    let reader = Reader::new(client, &account);
    let mut inventory = Inventory::new(&account, client.region()?, now());
    let mut draft = Draft::default();
    let found = Found::by(&reader, &mut draft);
    let jobs = found.jobs();
    let parts = side_by_side(&jobs, |job| {
        let mut part = Draft::default();
        job(&reader, &mut part);
        part
    });
    parts.into_iter().for_each(|part| draft.join(part));
    approvals::settle(&reader, &mut draft);
    last_access::settle(&reader, &mut draft);
    kms::name_managed_keys(&mut draft);
    draft.read(&OF_TEMPLATES);
    draft.close();
    inventory.resources = draft.items;
    inventory.unread = draft.unread;
    inventory.read = draft.read;
    inventory.sort();
    Ok(inventory)
}

/// What was listed and is to be read.
struct Found {
    buckets: Vec<s3::Bucket>,
    keys: Vec<String>,
    aliases: kms::Aliases,
    listed: Vec<(&'static collector::Kind, String)>,
    pieces: Vec<jobs::Job>,
}

type Job<'f> = Box<dyn Fn(&Reader<'_>, &mut Draft) + Send + Sync + 'f>;

impl Found {
    fn by(reader: &Reader<'_>, draft: &mut Draft) -> Self {
        iam::read(reader, draft);
        let kinds: Vec<&'static collector::Kind> = sagemaker::KINDS.iter().chain(services::KINDS).collect();
        let lists = side_by_side(&kinds, |kind| {
            let mut part = Draft::default();
            let ids = collector::list(reader, kind, &mut part);
            (part, ids.into_iter().map(|id| (*kind, id)).collect::<Vec<_>>())
        });
        let mut listed = Vec::new();
        for (part, ids) in lists {
            draft.join(part);
            listed.extend(ids);
        }
        let sources: Vec<Source> = sources().collect();
        let lists = side_by_side(&sources, |source| {
            let mut part = Draft::default();
            let pieces = source.list(reader, &mut part);
            (part, pieces)
        });
        let mut pieces = Vec::new();
        for (part, some) in lists {
            draft.join(part);
            pieces.extend(some);
        }
        Self {
            buckets: s3::list(reader, draft),
            keys: kms::list(reader, draft),
            aliases: kms::aliases(reader, draft),
            listed,
            pieces,
        }
    }

    fn jobs(&self) -> Vec<Job<'_>> {
        let mut jobs: Vec<Job<'_>> = Vec::new();
        for bucket in &self.buckets {
            jobs.push(Box::new(move |reader, draft| s3::read(reader, bucket, draft)));
        }
        for arn in &self.keys {
            jobs.push(Box::new(move |reader, draft| kms::read(reader, arn, &self.aliases, draft)));
        }
        for (kind, id) in &self.listed {
            jobs.push(Box::new(move |reader, draft| collector::read(reader, kind, id, draft)));
        }
        for piece in &self.pieces {
            jobs.push(Box::new(move |reader, draft| piece.run(reader, draft)));
        }
        jobs.push(Box::new(account::read));
        jobs.push(Box::new(organization::read));
        for kind in &network::KINDS {
            jobs.push(Box::new(move |reader, draft| network::read(reader, kind, draft)));
        }
        jobs.push(Box::new(services::log_groups));
        jobs.push(Box::new(services::trails));
        jobs.push(Box::new(services::repositories));
        jobs
    }
}

/// Does something with all of a list, some at the same time. Answers come in the order of the list.
fn side_by_side<T: Sync, R: Send>(all: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, R)>> = Mutex::new(Vec::with_capacity(all.len()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(all.len()) {
            scope.spawn(|| {
                while let Some((at, one)) =
                    Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, all.get(at)?)))
                {
                    let result = work(one);
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((at, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

/// The time.
fn now() -> Timestamp {
    Timestamp::from_unix_ms(jiff::Timestamp::now().as_millisecond()).unwrap_or(Timestamp::EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_is_read_to_its_end() {
        let kinds = sagemaker::KINDS.iter().chain(services::KINDS);
        let types = sources().filter_map(|source| match source {
            Source::Type(of) => Some(&of.list.operation),
            Source::Own(_) => None,
        });
        for list in kinds.map(|kind| kind.list).chain(types).chain(network::operations()) {
            let items = list.pages.map(|pages| pages.items);
            assert!(items.is_some_and(|items| !items.is_empty()), "{}", list.name);
        }
        let line = |operation: &Operation| {
            let pages = operation.pages?;
            let name = format!("{}:{}", operation.service.name, operation.name);
            Some(format!("{name} {} {} {} {}", pages.token, pages.mark, pages.more, pages.items))
        };
        let mut lines: Vec<String> = operations().into_iter().filter_map(line).collect();
        lines.sort();
        lines.dedup();
        insta::assert_snapshot!(lines.join("\n"));
    }
}
