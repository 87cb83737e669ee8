//! What changes touched, read again into an inventory that was read before: single resources where that is enough, else all of
//! their type.

use super::items::Draft;
use super::reader::Reader;
use super::refresh::{Gone, again, managed, put, whole};
use super::{OF_TEMPLATES, collector, kms, s3, sagemaker, services, side_by_side, sources};
use crate::client::Client;
use crate::error::{AwsError, Trouble};
use facts::inventory::{Inventory, Touched};
use facts::remediation::Target;
use std::collections::BTreeSet;

/// More single resources of a type than this are read as all of the type.
const MOST_SINGLE: usize = 50;

/// Reads again what was touched. The inventory stays as it is if that fails as a whole.
///
/// # Errors
/// If nobody can be asked, the account is another, or a type cannot be read on its own ([`Trouble::Refused`]).
pub fn reread(client: &Client, inventory: &mut Inventory, touched: &[Touched]) -> Result<(), AwsError> {
    let account = crate::identity::account(client)?;
    if account != inventory.account {
        let text = format!("the caller is in account `{account}`, not in `{}`", inventory.account);
        return Err(AwsError::new(Trouble::Unconfigured, text).with_help("use credentials of that account"));
    }
    let reader = Reader::new(client, &account);
    let mut later = inventory.clone();
    let mut done: BTreeSet<String> = BTreeSet::new();
    for kind in touched.iter().map(|one| one.kind.as_str()).collect::<BTreeSet<_>>() {
        if done.contains(kind) {
            continue;
        }
        let ids: Vec<&str> =
            touched.iter().filter(|one| one.kind == kind).filter_map(|one| one.id.as_deref()).collect();
        let all = touched.iter().any(|one| one.kind == kind && one.id.is_none()) || ids.len() > MOST_SINGLE;
        if all {
            done.extend(all_of(&reader, &mut later, kind)?);
            continue;
        }
        for id in ids {
            one_of(&reader, &mut later, &Target { kind: kind.to_owned(), id: id.to_owned() })?;
        }
    }
    let aliases = kms::aliases(&reader, &mut Draft::default());
    let mut names = Draft { items: std::mem::take(&mut later.resources), ..Draft::default() };
    names.managed_keys.extend(managed(client, &account, aliases)?);
    kms::name_managed_keys(&mut names);
    later.resources = names.items;
    later.sort();
    *inventory = later;
    Ok(())
}

fn one_of(reader: &Reader<'_>, later: &mut Inventory, target: &Target) -> Result<(), AwsError> {
    let mut draft = Draft::default();
    let gone = again(reader, later, target, &mut draft)?;
    put(reader, later, &gone, draft);
    Ok(())
}

/// Reads all of a type, and what is read with it; tells the types.
fn all_of(reader: &Reader<'_>, later: &mut Inventory, kind: &str) -> Result<BTreeSet<String>, AwsError> {
    let mut draft = Draft::default();
    let kinds: BTreeSet<String> = match kind {
        "AWS::S3::Bucket" | "AWS::S3::BucketPolicy" => {
            let buckets = s3::list(reader, &mut draft);
            each(&buckets, &mut draft, |bucket, part| s3::read(reader, bucket, part));
            ["AWS::S3::Bucket", "AWS::S3::BucketPolicy"].map(str::to_owned).into()
        }
        // Aliases are names of keys.
        "AWS::KMS::Key" | "AWS::KMS::Alias" => {
            let keys = kms::list(reader, &mut draft);
            let aliases = kms::aliases(reader, &mut draft);
            each(&keys, &mut draft, |arn, part| kms::read(reader, arn, &aliases, part));
            ["AWS::KMS::Key", "AWS::KMS::Alias"].map(str::to_owned).into()
        }
        kind if OF_TEMPLATES.contains(&kind) => {
            draft.read(&[kind]);
            [kind.to_owned()].into()
        }
        _ => match (listed(kind), sources().find(|source| source.kinds().contains(&kind))) {
            (Some(known), _) => {
                let ids = collector::list(reader, known, &mut draft);
                each(&ids, &mut draft, |id, part| collector::read(reader, known, id, part));
                [kind.to_owned()].into()
            }
            (None, Some(source)) => {
                let pieces = source.list(reader, &mut draft);
                each(&pieces, &mut draft, |piece, part| piece.run(reader, part));
                source.kinds().into_iter().map(str::to_owned).collect()
            }
            (None, None) => whole(reader, kind, &mut draft)?,
        },
    };
    put(reader, later, &Gone::Kinds(kinds.clone()), draft);
    Ok(kinds)
}

/// A type that is listed by one call and read by another.
fn listed(kind: &str) -> Option<&'static collector::Kind> {
    sagemaker::KINDS.iter().chain(services::KINDS).find(|known| known.kind == kind)
}

fn each<T: Sync>(all: &[T], draft: &mut Draft, read: impl Fn(&T, &mut Draft) + Sync) {
    let parts = side_by_side(all, |one| {
        let mut part = Draft::default();
        read(one, &mut part);
        part
    });
    parts.into_iter().for_each(|part| draft.join(part));
}
