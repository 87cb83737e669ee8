//! Types that are listed by one call and read by another, as data.

use super::items::{Draft, Told, answered, derive, item, learn, left_out, provenance};
use super::reader::Reader;
use crate::operation::Operation;
use facts::inventory::{Item, Status};
use serde_json::{Map, Value, json};

/// How resources of a type are read from a JSON service.
pub(super) struct Kind {
    /// The type, as CloudFormation calls it.
    pub(super) kind: &'static str,
    /// Lists them.
    pub(super) list: &'static Operation,
    /// The name of an item, which is also what `read` asks for.
    pub(super) id: &'static str,
    /// The name of the ARN in the answer of `read`.
    pub(super) arn: &'static str,
    /// Reads one.
    pub(super) read: &'static Operation,
    /// Properties that are named the same in the answer.
    pub(super) properties: &'static [&'static str],
    /// Properties that are named otherwise in the answer: there, here.
    pub(super) renamed: &'static [(&'static str, &'static str)],
    /// Properties that every answer of AWS has.
    pub(super) always: &'static [&'static str],
    /// What CloudFormation has no property for.
    pub(super) derived: &'static [&'static str],
    /// Reads the tags, by ARN.
    pub(super) tags: Option<&'static Operation>,
    /// Reads more of one.
    pub(super) more: More,
}

/// Reads more of a resource; what is unknown already stays so.
pub(super) type More = fn(&Reader<'_>, &mut Item);

/// Nothing more is read.
pub(super) fn no_more(_: &Reader<'_>, _: &mut Item) {}

impl Kind {
    pub(super) fn operations(&self) -> impl Iterator<Item = &'static Operation> + use<> {
        [self.list, self.read].into_iter().chain(self.tags)
    }
}

/// The names of all resources of a type.
pub(super) fn list(reader: &Reader<'_>, kind: &Kind, draft: &mut Draft) -> Vec<String> {
    match reader.pages(kind.list, &json!({})) {
        Ok(all) => {
            draft.read(&[kind.kind]);
            all.iter().filter_map(|item| item[kind.id].as_str().map(str::to_owned)).collect()
        }
        Err(error) => {
            draft.unread(kind.kind, kind.list, &error);
            Vec::new()
        }
    }
}

/// Reads one.
pub(super) fn read(reader: &Reader<'_>, kind: &Kind, id: &str, draft: &mut Draft) {
    let mut one = item(kind.kind, id);
    match reader.json(kind.read, &json!({ kind.id: id })) {
        Ok(told) => {
            told_of(&mut one, kind, &told);
            tags(reader, kind, &mut one);
        }
        Err(error) => {
            one.properties.insert(kind.id.to_owned(), id.into());
            let all = kind.properties.iter().chain(kind.renamed.iter().map(|(_, here)| here));
            for name in all.chain(kind.tags.map(|_| &"Tags")) {
                one.provenance.insert((*name).to_owned(), provenance(kind.read, &error));
            }
            kind.derived.iter().for_each(|name| derive(&mut one, name, kind.read, Told::Not(error.clone())));
        }
    }
    (kind.more)(reader, &mut one);
    draft.items.push(one);
}

fn told_of(one: &mut Item, kind: &Kind, told: &Value) {
    one.arn = told[kind.arn].as_str().map(str::to_owned);
    let same = kind.properties.iter().map(|name| (*name, *name));
    for (there, here) in same.chain(kind.renamed.iter().copied()) {
        match told.get(there).filter(|value| !value.is_null()) {
            Some(value) => learn(one, here, kind.read, Told::Is(value.clone())),
            None if kind.always.contains(&here) => {
                one.provenance.insert(here.to_owned(), left_out(kind.read));
            }
            None => learn(one, here, kind.read, Told::Absent),
        }
    }
    for name in kind.derived {
        let value = told.get(*name).cloned();
        derive(one, name, kind.read, value.map_or(Told::Absent, Told::Is));
    }
}

fn tags(reader: &Reader<'_>, kind: &Kind, one: &mut Item) {
    let Some(operation) = kind.tags else { return };
    let Some(arn) = one.arn.clone() else {
        one.provenance.insert("Tags".to_owned(), left_out(kind.read));
        return;
    };
    let input = json!({ "ResourceArn": arn });
    let tags = reader.pages(operation, &input);
    learn(one, "Tags", operation, Told::by(tags.map(Value::from), &[]));
}

/// Members of an object under other names, and no others.
pub(super) fn named(told: &Value, names: &[(&str, &str)]) -> Map<String, Value> {
    let member = |(there, here): &(&str, &str)| Some(((*here).to_owned(), told.get(*there)?.clone()));
    names.iter().filter_map(member).collect()
}

/// Properties that one call told all of.
pub(super) fn put(one: &mut Item, operation: &Operation, properties: Map<String, Value>) {
    for (name, value) in properties {
        one.provenance.insert(name.clone(), answered(operation, Status::Ok));
        one.properties.insert(name, value);
    }
}
