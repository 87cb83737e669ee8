//! One resource, or all of its type, read again into an inventory that was read before.

use super::collector::Kind;
use super::items::Draft;
use super::jobs::{Job, Source};
use super::reader::Reader;
use super::{account, collector, iam, kms, last_access, network, organization, s3, sagemaker, services};
use crate::client::Client;
use crate::error::{AwsError, Trouble};
use facts::inventory::{Inventory, Item};
use facts::remediation::Target;
use std::collections::{BTreeMap, BTreeSet};

/// Reads a resource again, with what is read with it.
///
/// # Errors
/// If the type is none that is read, or the account is another.
pub fn refresh(client: &Client, inventory: &mut Inventory, target: &Target) -> Result<(), AwsError> {
    let account = crate::identity::account(client)?;
    if account != inventory.account {
        let text = format!("the caller is in account `{account}`, not in `{}`", inventory.account);
        return Err(AwsError::new(Trouble::Unconfigured, text).with_help("use credentials of that account"));
    }
    let reader = Reader::new(client, &account);
    let mut draft = Draft::default();
    let gone = again(&reader, inventory, target, &mut draft)?;
    let aliases = kms::aliases(&reader, &mut Draft::default());
    draft.managed_keys.extend(managed(client, &account, aliases)?);
    kms::name_managed_keys(&mut draft);
    put(&reader, inventory, &gone, draft);
    inventory.sort();
    Ok(())
}

/// Puts what was read anew in the place of what an older reading had.
pub(super) fn put(reader: &Reader<'_>, inventory: &mut Inventory, gone: &Gone, mut draft: Draft) {
    super::approvals::settle(reader, &mut draft);
    keep_reports(inventory, &mut draft);
    draft.close();
    // Who read one of a type that could not be listed before still does not know the others.
    let kept: Vec<(String, String)> = match gone {
        Gone::Kinds(_) => Vec::new(),
        Gone::One(..) | Gone::Pieces(_) => {
            let unread = |kind: &String| Some((kind.clone(), inventory.unread.get(kind)?.clone()));
            draft.read.iter().filter_map(unread).collect()
        }
    };
    inventory.resources.retain(|item| !gone.covers(item));
    for kind in draft.read.iter().chain(draft.unread.keys()) {
        inventory.read.remove(kind);
        inventory.unread.remove(kind);
    }
    inventory.read.extend(draft.read);
    inventory.unread.extend(draft.unread);
    for (kind, why) in kept {
        inventory.read.remove(&kind);
        inventory.unread.insert(kind, why);
    }
    inventory.resources.extend(draft.items);
}

/// A report of when a role used its rights takes seconds to make and tells of months: the one that is there stays.
fn keep_reports(inventory: &Inventory, draft: &mut Draft) {
    let name = last_access::FACT;
    let old: BTreeMap<(&str, &str), &Item> = inventory
        .resources
        .iter()
        .filter(|item| item.derived.contains_key(name))
        .map(|item| ((&*item.kind, &*item.id), item))
        .collect();
    for item in &mut draft.items {
        if let Some(old) = old.get(&(&*item.kind, &*item.id)) {
            item.derived.insert(name.to_owned(), old.derived[name].clone());
            let told = old.provenance.get(name).map(|told| (name.to_owned(), told.clone()));
            item.provenance.extend(told);
        }
    }
}

/// What an older reading had, and is read anew.
pub(super) enum Gone {
    /// Everything of some types.
    Kinds(BTreeSet<String>),
    /// What has one id, of these types.
    One(&'static [&'static str], String),
    /// What these pieces read.
    Pieces(Vec<Job>),
}

impl Gone {
    pub(super) fn covers(&self, item: &Item) -> bool {
        match self {
            Self::Kinds(kinds) => kinds.contains(&item.kind),
            Self::One(kinds, id) => kinds.contains(&item.kind.as_str()) && item.id == *id,
            Self::Pieces(pieces) => pieces.iter().any(|piece| piece.covers(&item.kind, &item.id)),
        }
    }
}

pub(super) fn again(
    reader: &Reader<'_>,
    inventory: &Inventory,
    target: &Target,
    draft: &mut Draft,
) -> Result<Gone, AwsError> {
    let one = |kinds| Gone::One(kinds, target.id.clone());
    if let Some(kind) = sagemaker::KINDS.iter().chain(services::KINDS).find(|kind| kind.kind == target.kind) {
        return Ok(listed(reader, kind, &target.id, draft));
    }
    let own = |source: &Source| source.kinds().contains(&&*target.kind);
    if let Some(source) = super::sources().find(own) {
        return Ok(piece(reader, source, target, draft));
    }
    match target.kind.as_str() {
        "AWS::S3::Bucket" | "AWS::S3::BucketPolicy" => {
            for bucket in s3::list(reader, draft).iter().filter(|bucket| bucket.name == target.id) {
                s3::read(reader, bucket, draft);
            }
            Ok(one(&["AWS::S3::Bucket", "AWS::S3::BucketPolicy"]))
        }
        "AWS::KMS::Key" => {
            let own = |item: &&Item| item.kind == target.kind && item.id == target.id;
            let arn = inventory.resources.iter().find(own).and_then(|item| item.arn.clone());
            let aliases = kms::aliases(reader, &mut Draft::default());
            kms::read(reader, &arn.unwrap_or_else(|| target.id.clone()), &aliases, draft);
            Ok(one(&["AWS::KMS::Key"]))
        }
        kind => whole(reader, kind, draft).map(Gone::Kinds),
    }
}

/// One of a type that is listed by one call and read by another; gone if it is not listed any more.
fn listed(reader: &Reader<'_>, kind: &'static Kind, id: &str, draft: &mut Draft) -> Gone {
    if collector::list(reader, kind, draft).iter().any(|there| there == id) {
        collector::read(reader, kind, id, draft);
    }
    let kinds: &'static [&'static str] = std::slice::from_ref(&kind.kind);
    // If it could not be listed, what was known of it is not known any more.
    Gone::One(kinds, id.to_owned())
}

/// A resource that is read piece by piece, with what comes with it; gone if it is not listed any more.
fn piece(reader: &Reader<'_>, source: Source, target: &Target, draft: &mut Draft) -> Gone {
    let mut pieces = source.list(reader, draft);
    // Those that the listing itself told are told anew.
    let told: BTreeSet<String> = draft.items.iter().map(|item| item.kind.clone()).collect();
    if told.contains(&target.kind) {
        draft.items.retain(|item| told.contains(&item.kind));
        return Gone::Kinds(told);
    }
    pieces.retain(|piece| piece.covers(&target.kind, &target.id));
    draft.items.clear();
    pieces.iter().for_each(|piece| piece.run(reader, draft));
    if pieces.is_empty() {
        // What came with it cannot be told from its id alone, but is not asked for any more.
        pieces.push(Job::new(&source.kinds(), &target.id, |_, _| {}));
    }
    Gone::Pieces(pieces)
}

/// All of a type, and what is read with it.
pub(super) fn whole(
    reader: &Reader<'_>,
    kind: &str,
    draft: &mut Draft,
) -> Result<BTreeSet<String>, AwsError> {
    match kind {
        "AWS::Logs::LogGroup" => services::log_groups(reader, draft),
        "AWS::CloudTrail::Trail" => services::trails(reader, draft),
        "AWS::ECR::Repository" => services::repositories(reader, draft),
        "AWS::S3::AccountPublicAccessBlock" => account::read(reader, draft),
        organization::KIND => organization::read(reader, draft),
        kind if kind.starts_with("AWS::IAM::") => iam::read(reader, draft),
        kind => match network::KINDS.iter().find(|known| known.covers(kind)) {
            Some(known) => network::read(reader, known, draft),
            None => {
                let text = format!("`{}` is no type that is read", kind.escape_debug());
                return Err(AwsError::new(Trouble::Refused, text));
            }
        },
    }
    let kinds = draft.read.iter().chain(draft.unread.keys()).cloned();
    let mut kinds: BTreeSet<String> = kinds.chain(draft.items.iter().map(|item| item.kind.clone())).collect();
    // What a network or its endpoint is judged by, and a fix of it changes.
    let beside = match kind {
        "AWS::EC2::VPC" => "AWS::EC2::FlowLog",
        "AWS::EC2::VPCEndpoint" => "AWS::EC2::SecurityGroup",
        _ => return Ok(kinds),
    };
    let mut more = Draft::default();
    kinds.extend(whole(reader, beside, &mut more)?);
    draft.join(more);
    Ok(kinds)
}

/// ARNs of keys that AWS manages, by their aliases.
pub(super) fn managed(
    client: &Client,
    account: &str,
    aliases: kms::Aliases,
) -> Result<Vec<(String, String)>, AwsError> {
    let (partition, region) = (client.partition()?.name, client.region()?);
    let arn = |id: &str| format!("arn:{partition}:kms:{region}:{account}:key/{id}");
    let own = |(id, names): (String, Vec<String>)| {
        let name = names.into_iter().find(|name| name.starts_with("alias/aws/"))?;
        Some((arn(&id), name))
    };
    Ok(aliases.into_iter().filter_map(own).collect())
}
