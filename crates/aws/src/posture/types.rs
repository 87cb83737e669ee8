//! Types of services whose answers name things in their own way, as data: how they are listed, how one is read, and which
//! member of the answer is which property.

use super::items::{Draft, Told, derive, item, learn, left_out};
use super::reader::Reader;
use crate::error::AwsError;
use crate::operation::{Call, Operation};
use facts::inventory::Item;
use serde_json::{Map, Value, json};

/// How resources of a type are read.
pub(super) struct Type {
    /// The type, as CloudFormation calls it.
    pub(super) kind: &'static str,
    /// Types that come with it and are read in `more`.
    pub(super) children: &'static [&'static str],
    /// Lists them.
    pub(super) list: &'static Call,
    /// What is asked when they are listed.
    pub(super) with: fn() -> Value,
    /// The member of an item that names it; empty if the items are names.
    pub(super) id: &'static str,
    /// Reads one.
    pub(super) read: &'static Call,
    /// By which name `read` asks for it.
    pub(super) asked: &'static str,
    /// The member of the answer that holds it; empty if the answer is it.
    pub(super) inside: &'static str,
    /// The member with its ARN; empty if there is none.
    pub(super) arn: &'static str,
    pub(super) members: &'static [Member],
    pub(super) tags: Tags,
    /// What else is read of one.
    pub(super) more: More,
}

/// Reads more of a resource: its properties, and types that come with it. Gets what `read` told.
pub(super) type More = fn(&Reader<'_>, &Value, &mut Item, &mut Draft);

/// Nothing more is read.
pub(super) fn no_more(_: &Reader<'_>, _: &Value, _: &mut Item, _: &mut Draft) {}

/// Where the tags are.
pub(super) enum Tags {
    /// A member of the answer.
    Inside(&'static str),
    /// Another call, which asks for the ARN by this name.
    By(&'static Call, &'static str),
}

/// A member of an answer, and what it is.
pub(super) struct Member {
    there: &'static str,
    here: &'static str,
    sort: Sort,
}

#[derive(Clone, Copy, PartialEq)]
enum Sort {
    Property,
    Always,
    Derived,
}

/// A property.
pub(super) const fn is(there: &'static str, here: &'static str) -> Member {
    Member { there, here, sort: Sort::Property }
}

/// A property that every answer of AWS has.
pub(super) const fn always(there: &'static str, here: &'static str) -> Member {
    Member { there, here, sort: Sort::Always }
}

/// Something that CloudFormation has no property for.
pub(super) const fn derived(there: &'static str, here: &'static str) -> Member {
    Member { there, here, sort: Sort::Derived }
}

impl Type {
    pub(super) fn calls(&self) -> impl Iterator<Item = &'static Call> + use<> {
        let tags = match self.tags {
            Tags::By(call, _) => Some(call),
            Tags::Inside(_) => None,
        };
        [self.list, self.read].into_iter().chain(tags)
    }

    /// The type and those that come with it.
    pub(super) fn kinds(&self) -> impl Iterator<Item = &'static str> + use<> {
        [self.kind].into_iter().chain(self.children.iter().copied())
    }
}

/// The names of all resources of a type.
pub(super) fn list(reader: &Reader<'_>, of: &Type, draft: &mut Draft) -> Vec<String> {
    match reader.all(of.list, &(of.with)()) {
        Ok(all) => {
            of.kinds().for_each(|kind| draft.read(&[kind]));
            let name = |item: &Value| match of.id {
                "" => item.as_str().map(str::to_owned),
                id => item[id].as_str().map(str::to_owned),
            };
            all.iter().filter_map(name).collect()
        }
        Err(error) => {
            of.kinds().for_each(|kind| draft.unread(kind, &of.list.operation, &error));
            Vec::new()
        }
    }
}

/// Reads one, and what comes with it.
pub(super) fn read(reader: &Reader<'_>, of: &Type, id: &str, draft: &mut Draft) {
    let mut one = item(of.kind, id);
    let told = reader.ask(of.read, &json!({ of.asked: id })).map(|told| inside(told, of.inside));
    describe(&mut one, &of.read.operation, told.as_ref(), of.members);
    if let Ok(told) = &told {
        one.arn = told[of.arn].as_str().map(str::to_owned);
    }
    tags(reader, of, &told, &mut one);
    // Without an answer, what is asked by the id alone is asked all the same, so that no call is forgotten.
    (of.more)(reader, told.as_ref().unwrap_or(&Value::Null), &mut one, draft);
    draft.items.push(one);
}

/// The member of an answer that holds the resource.
pub(super) fn inside(mut told: Value, member: &str) -> Value {
    match member {
        "" => told,
        member => told.get_mut(member).map(Value::take).unwrap_or_default(),
    }
}

/// Writes down the members of an answer as properties.
pub(super) fn describe(
    one: &mut Item,
    operation: &'static Operation,
    told: Result<&Value, &AwsError>,
    members: &[Member],
) {
    for Member { there, here, sort } in members {
        let told = match told {
            Err(error) => Told::Not(error.clone()),
            Ok(told) => match told.get(*there).filter(|value| !value.is_null()) {
                Some(value) => Told::Is(pascal(value)),
                None if *sort == Sort::Always => {
                    one.provenance.insert((*here).to_owned(), left_out(operation));
                    continue;
                }
                None => Told::Absent,
            },
        };
        match sort {
            Sort::Derived => derive(one, here, operation, told),
            Sort::Property | Sort::Always => learn(one, here, operation, told),
        }
    }
}

fn tags(reader: &Reader<'_>, of: &Type, told: &Result<Value, AwsError>, one: &mut Item) {
    let (operation, found) = match of.tags {
        Tags::Inside(member) => {
            let found = told.clone().map(|told| told[member].clone());
            (&of.read.operation, found)
        }
        Tags::By(call, asked) => match (&one.arn, told) {
            (Some(arn), _) => {
                let found = reader.ask(call, &json!({ asked: arn }));
                (&call.operation, found.map(|told| told["tags"].clone()))
            }
            (None, Err(error)) => (&of.read.operation, Err(error.clone())),
            (None, Ok(_)) => {
                one.provenance.insert("Tags".to_owned(), left_out(&of.read.operation));
                return;
            }
        },
    };
    learn(one, "Tags", operation, Told::by(found, &[]).and(|tags| Some(pairs(&tags))));
}

/// Tags as pairs, from a map or from pairs with names in any case.
pub(super) fn pairs(tags: &Value) -> Value {
    match tags {
        Value::Object(map) => map.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect(),
        Value::Array(list) => list.iter().map(pascal).collect(),
        _ => json!([]),
    }
}

/// The same with the names of members as CloudFormation writes them: `kmsKeyArn` is `KmsKeyArn`. Not for maps whose names
/// are somebody's own.
pub(super) fn pascal(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let named = |(name, value): (&String, &Value)| (capital(name), pascal(value));
            Value::Object(members.iter().map(named).collect::<Map<_, _>>())
        }
        Value::Array(list) => list.iter().map(pascal).collect(),
        other => other.clone(),
    }
}

fn capital(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_as_cloudformation_does() {
        let told =
            json!({"resourcesVpcConfig": {"publicAccessCidrs": ["a"]}, "list": [{"keyArn": 1}], "": 2});
        let ours =
            json!({"ResourcesVpcConfig": {"PublicAccessCidrs": ["a"]}, "List": [{"KeyArn": 1}], "": 2});
        assert_eq!(pascal(&told), ours);
        assert_eq!(pairs(&json!({"a-b": "c"})), json!([{"Key": "a-b", "Value": "c"}]));
        assert_eq!(pairs(&json!([{"key": "a", "value": "c"}])), json!([{"Key": "a", "Value": "c"}]));
        assert_eq!(pairs(&Value::Null), json!([]));
    }
}
