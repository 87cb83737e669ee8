//! Charters and settings of the tests.
#![allow(dead_code, reason = "each test file uses its part")]

use blueprint::{Authoriser, Settings};
use charter::{Checked, SourceFile};
use std::fs;
use std::path::{Path, PathBuf};

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

pub(crate) fn text() -> String {
    fs::read_to_string(root().join("examples/credit-scoring/charter.yaml")).unwrap()
}

pub(crate) fn read(text: &str) -> Checked {
    charter::read(&[SourceFile { name: "charter.yaml".to_owned(), text: text.to_owned() }]).unwrap().0
}

/// The charter of the example.
pub(crate) fn charter() -> Checked {
    read(&text())
}

/// The same with so many models in place of one.
pub(crate) fn many(models: usize) -> Checked {
    let text = text();
    let (before, model) = text.split_once("\nmodels:\n").unwrap();
    let more = (1..models).map(|n| model.replace("credit-scoring", &format!("credit-scoring-{n}")));
    read(&format!("{before}\nmodels:\n{model}\n{}", more.collect::<Vec<_>>().join("\n")))
}

pub(crate) fn settings() -> [Settings; 3] {
    let (iam, cognito) = (Authoriser::Iam, Authoriser::Cognito);
    [
        Settings { authoriser: iam, private: false },
        Settings { authoriser: iam, private: true },
        Settings { authoriser: cognito, private: true },
    ]
}
