//! Ways to properties, as Guard writes them for templates and for AWS Config.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Whose words a rule is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GuardFor {
    /// CloudFormation templates.
    Templates,
    /// Configuration items of AWS Config.
    Config,
}

/// The same with the types that the rule concerns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape<'s> {
    pub(super) to: GuardFor,
    pub(super) kinds: &'s [&'s str],
}

impl Shape<'_> {
    pub(super) fn tags(self) -> &'static str {
        match self.to {
            GuardFor::Templates => "Properties.Tags",
            GuardFor::Config => "tags",
        }
    }

    /// Whether tags are a list of keys and values; of a configuration item they are an object.
    pub(super) fn has_list_of_tags(self) -> bool {
        self.to == GuardFor::Templates
    }
}

/// Which type's properties are found where in a configuration item.
static CONFIG: LazyLock<BTreeMap<String, BTreeMap<String, String>>> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../data/config-items.json")).unwrap_or_default());

/// Where a way begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Base {
    Resource,
    This,
}

/// A way to a property.
#[derive(Debug, Clone)]
pub(super) struct Path {
    base: Base,
    steps: Vec<String>,
    /// From which step on it may lead nowhere.
    pub(super) optional: Option<usize>,
}

impl Path {
    pub(super) fn of(base: Base) -> Self {
        Self { base, steps: Vec::new(), optional: None }
    }

    pub(super) fn then(mut self, step: &str, optional: bool) -> Result<Self, String> {
        if optional {
            self.optional.get_or_insert(self.steps.len());
        }
        if step.contains(['\'', '"', '\\', '\n']) {
            return Err("it has a name with quotes in it".to_owned());
        }
        self.steps.push(step.to_owned());
        Ok(self)
    }

    /// How many steps lead to where properties begin.
    fn first(&self) -> usize {
        usize::from(self.base == Base::Resource)
    }

    /// The key, if it is a tag.
    pub(super) fn tag(&self) -> Option<&str> {
        match (self.base, self.steps.as_slice()) {
            (Base::Resource, [tags, key]) if tags == "tags" => Some(key),
            _ => None,
        }
    }

    pub(super) fn is_tags(&self) -> bool {
        self.base == Base::Resource && self.steps == ["tags"]
    }

    /// What must be there so that it can be asked whether this is: what it is in, unless that is where properties begin.
    pub(super) fn needed_parent(&self) -> Option<Self> {
        let last = self.steps.len().saturating_sub(1);
        let whole = self.optional.is_some_and(|from| from < last);
        (last > self.first() && !whole).then(|| Self { steps: self.steps[..last].to_vec(), ..self.clone() })
    }

    /// The part of it that must lead somewhere, before what may not.
    pub(super) fn strict(&self) -> Option<Self> {
        let from = self.optional?;
        (from > self.first()).then(|| Self {
            base: self.base,
            steps: self.steps[..from].to_vec(),
            optional: None,
        })
    }

    pub(super) fn written(&self, shape: Shape<'_>) -> Result<String, String> {
        let joined = |steps: &[String]| steps.iter().map(|step| quoted(step)).collect::<Vec<_>>().join(".");
        match (self.base, self.steps.split_first()) {
            (Base::This, None) => Ok("this".to_owned()),
            (Base::This, _)
                if shape.to == GuardFor::Config && !shape.kinds.iter().all(|kind| is_as_written(kind)) =>
            {
                Err("items of lists have other names in configuration items of this type".to_owned())
            }
            (Base::This, _) => Ok(joined(&self.steps)),
            (Base::Resource, Some((first, rest))) if first == "properties" && !rest.is_empty() => {
                match shape.to {
                    GuardFor::Templates => Ok(format!("Properties.{}", joined(rest))),
                    GuardFor::Config => in_item(shape.kinds, rest, &joined(rest)),
                }
            }
            (Base::Resource, Some((first, _))) => {
                Err(format!("`resource.{first}` is no property that Guard could look at"))
            }
            (Base::Resource, None) => Err("Guard has no word for the resource itself".to_owned()),
        }
    }
}

/// Whether configuration items of a type have its properties as CloudFormation writes them.
fn is_as_written(kind: &str) -> bool {
    CONFIG.get(kind).is_some_and(|paths| paths.contains_key("*"))
}

/// Where a property is in configuration items.
fn in_item(kinds: &[&str], steps: &[String], joined: &str) -> Result<String, String> {
    let mut found: Option<String> = None;
    for kind in kinds {
        let paths = CONFIG
            .get(*kind)
            .ok_or_else(|| format!("where AWS Config has the properties of `{kind}` is not in our table"))?;
        let path = match (paths.get("*"), paths.get(&steps.join("."))) {
            (_, Some(path)) => path.clone(),
            (Some(prefix), None) => format!("{prefix}.{joined}"),
            (None, None) => {
                return Err(format!(
                    "where AWS Config has `{}` of `{kind}` is not in our table",
                    steps.join(".")
                ));
            }
        };
        match &found {
            Some(other) if *other != path => {
                return Err("its types have different configuration items".to_owned());
            }
            _ => found = Some(path),
        }
    }
    found.ok_or_else(|| "it concerns no type".to_owned())
}

/// A name in a way, between quotes if it needs them.
pub(super) fn quoted(step: &str) -> String {
    let plain = step.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && step.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if plain { step.to_owned() } else { format!("'{step}'") }
}
