//! Attributes of a node by name.

use crate::proto::{AttributeProto, NodeProto};

/// The attributes of one node.
pub(crate) struct Attributes<'a>(&'a [AttributeProto]);

impl<'a> Attributes<'a> {
    pub(crate) fn of(node: &'a NodeProto) -> Self {
        Self(&node.attribute)
    }

    fn get(&self, name: &str) -> Option<&'a AttributeProto> {
        self.0.iter().find(|attribute| attribute.name == name)
    }

    pub(crate) fn float(&self, name: &str, default: f32) -> f32 {
        self.get(name).map_or(default, |attribute| attribute.f)
    }

    pub(crate) fn int(&self, name: &str, default: i64) -> i64 {
        self.get(name).map_or(default, |attribute| attribute.i)
    }

    pub(crate) fn word(&self, name: &str, default: &str) -> String {
        self.get(name).map_or_else(
            || default.to_owned(),
            |attribute| String::from_utf8_lossy(&attribute.s).into_owned(),
        )
    }

    pub(crate) fn floats(&self, name: &str) -> Vec<f32> {
        self.get(name).map_or_else(Vec::new, |attribute| attribute.floats.clone())
    }

    pub(crate) fn ints(&self, name: &str) -> Vec<i64> {
        self.get(name).map_or_else(Vec::new, |attribute| attribute.ints.clone())
    }

    pub(crate) fn words(&self, name: &str) -> Vec<String> {
        let words = self.get(name).map_or(&[] as &[Vec<u8>], |attribute| &attribute.strings);
        words.iter().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect()
    }
}

/// The labels of a classifier.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Labels {
    Words(Vec<String>),
    Ints(Vec<i64>),
}

impl Labels {
    pub(crate) fn of(attributes: &Attributes<'_>, words: &str, ints: &str) -> Result<Self, String> {
        let (words, ints) = (attributes.words(words), attributes.ints(ints));
        match (words.is_empty(), ints.is_empty()) {
            (false, _) => Ok(Self::Words(words)),
            (true, false) => Ok(Self::Ints(ints)),
            (true, true) => Err("it names no class labels".to_owned()),
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Words(words) => words.len(),
            Self::Ints(ints) => ints.len(),
        }
    }

    /// The labels at some places, as a column.
    pub(crate) fn pick(&self, places: &[usize]) -> crate::Value {
        match self {
            Self::Words(words) => crate::Value::Words(crate::Tensor::new(
                places.iter().map(|at| words[*at].clone()).collect(),
                1,
            )),
            Self::Ints(ints) => {
                crate::Value::Ints(crate::Tensor::new(places.iter().map(|at| ints[*at]).collect(), 1))
            }
        }
    }

    pub(crate) fn text(&self, at: usize) -> String {
        match self {
            Self::Words(words) => words[at].clone(),
            Self::Ints(ints) => ints[at].to_string(),
        }
    }
}
