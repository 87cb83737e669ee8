//! Orders: `metrics.auc DESC`.

use super::filter::Entity;
use super::lex::{Word, words};
use super::{Kind, Searched};
use crate::Error;
use std::cmp::Ordering;

/// By what things are put in order: the first key that tells two apart decides.
#[derive(Debug, Clone, PartialEq)]
pub struct Order(Vec<Key>);

#[derive(Debug, Clone, PartialEq)]
struct Key {
    entity: Entity,
    key: String,
    number: bool,
    descending: bool,
}

/// The most keys of an order.
const MAX_KEYS: usize = 20;

impl Order {
    /// Reads an order; `otherwise` decides what it leaves open, and must tell any two things apart.
    ///
    /// # Errors
    /// Says what of it is not understood.
    pub fn parse(kind: Kind, keys: &[String], otherwise: &[&str]) -> Result<Self, Error> {
        if keys.len() > MAX_KEYS {
            return Err(Error::invalid(format!("an order has at most {MAX_KEYS} keys")));
        }
        let all = keys.iter().map(String::as_str).chain(otherwise.iter().copied());
        all.map(|text| key(kind, text)).collect::<Result<_, _>>().map(Self)
    }

    /// Which of two comes first. What has no value comes last, either way.
    pub fn compare(&self, a: &dyn Searched, b: &dyn Searched) -> Ordering {
        self.0.iter().map(|key| key.compare(a, b)).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }
}

impl Key {
    fn compare(&self, a: &dyn Searched, b: &dyn Searched) -> Ordering {
        if self.number {
            let number =
                |thing: &dyn Searched| thing.number(self.entity, &self.key).filter(|number| !number.is_nan());
            self.place(number(a), number(b), f64::total_cmp)
        } else {
            self.place(a.text(self.entity, &self.key), b.text(self.entity, &self.key), Ord::cmp)
        }
    }

    fn place<T>(&self, a: Option<T>, b: Option<T>, compare: impl Fn(&T, &T) -> Ordering) -> Ordering {
        match (a, b) {
            (Some(a), Some(b)) if self.descending => compare(&b, &a),
            (Some(a), Some(b)) => compare(&a, &b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        }
    }
}

fn key(kind: Kind, text: &str) -> Result<Key, Error> {
    let wrong = || {
        Error::invalid(format!(
            "`{text}` is not an order: expected a key such as `name` or `metrics.auc`, and ASC or DESC"
        ))
    };
    let (name, descending) = match words(text)?.as_slice() {
        [Word::Name(name)] => (name.clone(), false),
        [Word::Name(name), Word::Name(direction)] => {
            match direction.join(".").to_ascii_uppercase().as_str() {
                "ASC" => (name.clone(), false),
                "DESC" => (name.clone(), true),
                _ => return Err(wrong()),
            }
        }
        _ => return Err(wrong()),
    };
    let (entity, key) = match name.split_first() {
        Some((first, rest)) if !rest.is_empty() => {
            let entity = match first.as_str() {
                "attribute" | "attributes" | "attr" | "run" => Entity::Attribute,
                "metric" | "metrics" => Entity::Metric,
                "param" | "params" | "parameter" | "parameters" => Entity::Param,
                "tag" | "tags" => Entity::Tag,
                _ => return Err(wrong()),
            };
            (entity, rest.join("."))
        }
        _ => (Entity::Attribute, name.join(".")),
    };
    let has_figures = matches!(kind, Kind::Runs | Kind::LoggedModels);
    let key = match entity {
        Entity::Attribute => kind.attribute(&key).ok_or_else(wrong)?.to_owned(),
        _ if has_figures => key,
        _ => return Err(wrong()),
    };
    let number = entity == Entity::Metric || (entity == Entity::Attribute && kind.is_number(&key));
    Ok(Key { entity, key, number, descending })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::borrow::Cow;

    struct Thing(&'static str, Option<f64>);

    impl Searched for Thing {
        fn text(&self, _: Entity, _: &str) -> Option<Cow<'_, str>> {
            Some(Cow::Borrowed(self.0))
        }
        fn number(&self, _: Entity, _: &str) -> Option<f64> {
            self.1
        }
    }

    fn sorted(order: &str) -> String {
        let order = Order::parse(Kind::Runs, &[order.to_owned()], &["run_id ASC"]).unwrap();
        let mut things =
            [Thing("d", None), Thing("b", Some(2.0)), Thing("c", Some(1.0)), Thing("a", Some(f64::NAN))];
        things.sort_by(|a, b| order.compare(a, b));
        things.iter().map(|thing| thing.0).collect()
    }

    #[test]
    fn what_has_no_value_comes_last() {
        assert_eq!(sorted("metrics.auc DESC"), "bcad");
        assert_eq!(sorted("metrics.`auc` asc"), "cbad");
        assert_eq!(sorted("run_id DESC"), "dcba");
    }

    #[test]
    fn what_is_no_order_is_said() {
        for text in ["colour", "name up", "metrics.auc DESC, name", "", "1"] {
            assert!(Order::parse(Kind::Runs, &[text.to_owned()], &[]).is_err(), "{text}");
        }
        let error = Order::parse(Kind::ModelVersions, &["metrics.auc".to_owned()], &[]).unwrap_err();
        insta::assert_snapshot!(error, @"`metrics.auc` is not an order: expected a key such as `name` or `metrics.auc`, and ASC or DESC");
    }
}
