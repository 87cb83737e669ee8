//! Reading a charter, and the charter that has been read.

use crate::check;
use crate::diagnostic::Diagnostics;
use crate::model::{Charter, Dataset, Key, Model, Person, Service};
use crate::node::{self, Kind, Node, Place};
use crate::shape::{self, Misfit};
use crate::{SourceFile, schema};
use facts::{ActorKind, DatasetId, Digest, KeyId, ModelName, PersonId, RoleId};
use facts::{Diagnostic, Severity};

/// A charter that has passed every check. Made only by [`read`] and [`Checked::from_json`].
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    charter: Charter,
    canonical: String,
    digest: Digest,
}

const MAX_FILES: usize = 100;

/// Reads a charter of one file or several: lists of several files are joined, everything else stands in one of them.
/// Gives the charter and its warnings, or everything that is wrong.
pub fn read(files: &[SourceFile]) -> Result<(Checked, Vec<Diagnostic>), Diagnostics> {
    let mut diagnostics = Vec::new();
    let mut trees = Vec::new();
    for (number, file) in files.iter().take(MAX_FILES).enumerate() {
        match node::parse(number, file) {
            Ok(tree) => trees.push(tree),
            Err(wrong) => diagnostics.push(diagnostic(
                files,
                Severity::Error,
                wrong.at,
                (wrong.message, Some(wrong.help.to_owned())),
            )),
        }
    }
    if !diagnostics.is_empty() {
        return Err(Diagnostics(diagnostics));
    }
    let tree = join(trees, files).map_err(|wrong| Diagnostics(vec![*wrong]))?;
    let schema = schema();
    let error = |misfit: Misfit| diagnostic(files, Severity::Error, misfit.at, (misfit.message, misfit.help));
    let misfits = shape::misfits(&tree, &schema);
    if !misfits.is_empty() {
        return Err(sorted(misfits.into_iter().map(error).collect(), files));
    }
    let charter: Charter = serde_json::from_value(tree.to_json()).map_err(|wrong| {
        Diagnostics(vec![diagnostic(files, Severity::Error, tree.at, (wrong.to_string(), None))])
    })?;
    let (errors, warnings) = check::check(&charter, &tree);
    if !errors.is_empty() {
        return Err(sorted(errors.into_iter().map(error).collect(), files));
    }
    let warnings = warnings
        .into_iter()
        .map(|w| diagnostic(files, Severity::Warning, w.at, (w.message, w.help)))
        .collect();
    let checked = Checked::of(charter)
        .map_err(|message| Diagnostics(vec![diagnostic(files, Severity::Error, tree.at, (message, None))]))?;
    Ok((checked, warnings))
}

impl Checked {
    fn of(charter: Charter) -> Result<Self, String> {
        let canonical = serde_json_canonicalizer::to_string(&charter).map_err(|error| error.to_string())?;
        let digest = Digest::of(canonical.as_bytes());
        Ok(Self { charter, canonical, digest })
    }

    /// Reads back what [`Checked::canonical_json`] gave. All checks are made again.
    pub fn from_json(text: &str) -> Result<Self, Diagnostics> {
        let file = SourceFile { name: "charter.json".to_owned(), text: text.to_owned() };
        read(&[file]).map(|(checked, _)| checked)
    }

    /// What it says.
    pub fn charter(&self) -> &Charter {
        &self.charter
    }

    /// Its one spelling (RFC 8785): comments, order and layout of the files do not matter.
    pub fn canonical_json(&self) -> &str {
        &self.canonical
    }

    /// The digest of that spelling: what approvals bind to.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// A person by id.
    pub fn person(&self, id: &PersonId) -> Option<&Person> {
        self.charter.people.iter().find(|person| person.id == *id)
    }

    /// A service by id.
    pub fn service(&self, id: &PersonId) -> Option<&Service> {
        self.charter.services.iter().find(|service| service.id == *id)
    }

    /// Whether an id is a person's or a service's, and the roles it holds.
    pub fn roles_of(&self, id: &PersonId) -> Option<(ActorKind, Vec<RoleId>)> {
        let person = self.person(id).map(|person| (ActorKind::Human, person.roles.clone()));
        person.or_else(|| self.service(id).map(|service| (ActorKind::Service, service.roles.clone())))
    }

    /// A model by name.
    pub fn model(&self, name: &ModelName) -> Option<&Model> {
        self.charter.models.iter().find(|model| model.name == *name)
    }

    /// A data set by id.
    pub fn dataset(&self, id: &DatasetId) -> Option<&Dataset> {
        self.charter.datasets.iter().find(|dataset| dataset.id == *id)
    }

    /// Who grants a data set: the people of the team that owns it.
    pub fn granters(&self, dataset: &DatasetId) -> &[PersonId] {
        granters(&self.charter, dataset)
    }

    /// Whether any address of a committer is listed: then it must be known of every version who committed its code.
    pub fn lists_committers(&self) -> bool {
        let people = &self.charter.people;
        !self.charter.outside_committers.is_empty() || people.iter().any(|person| !person.emails.is_empty())
    }

    /// Whose address this is: none if it stands nowhere, nobody of the people if it is listed as an outsider's.
    pub fn committer(&self, address: &str) -> Option<Option<&PersonId>> {
        let lists = |list: &[String]| list.iter().any(|one| one.eq_ignore_ascii_case(address));
        let person = self.charter.people.iter().find(|person| lists(&person.emails));
        person
            .map(|person| Some(&person.id))
            .or_else(|| lists(&self.charter.outside_committers).then_some(None))
    }

    /// A key by id.
    pub fn key(&self, id: &KeyId) -> Option<&Key> {
        self.charter.keys.iter().find(|key| key.id == *id)
    }
}

/// The people of the team that owns a data set.
pub(crate) fn granters<'a>(charter: &'a Charter, dataset: &DatasetId) -> &'a [PersonId] {
    let owner = charter.datasets.iter().find(|known| known.id == *dataset).map(|known| &known.tags.owner);
    let team = charter.teams.iter().find(|team| owner.is_some_and(|owner| team.id.as_str() == owner));
    team.map_or(&[], |team| &team.people)
}

/// One tree of several files.
fn join(trees: Vec<Node>, files: &[SourceFile]) -> Result<Node, Box<Diagnostic>> {
    let mut trees = trees.into_iter();
    let Some(mut whole) = trees.next() else {
        let at = Place { file: 0, line: 1, column: 1, length: 1 };
        return Err(Box::new(diagnostic(
            files,
            Severity::Error,
            at,
            ("there is no charter file".to_owned(), None),
        )));
    };
    for tree in trees {
        let (Kind::Map(items), Kind::Map(more)) = (&mut whole.kind, tree.kind) else { return Ok(whole) };
        for (key, at, value) in more {
            match items.iter_mut().find(|(other, ..)| *other == key) {
                None => items.push((key, at, value)),
                Some((_, _, first)) => match (&mut first.kind, value.kind) {
                    (Kind::List(list), Kind::List(more)) => list.extend(more),
                    _ => {
                        let file = files.get(first.at.file).map_or("", |file| file.name.as_str());
                        let message =
                            format!("`{key}` stands in `{file}` already, on line {}", first.at.line);
                        let help = "only lists are joined across files; keep one of the two".to_owned();
                        return Err(Box::new(diagnostic(files, Severity::Error, at, (message, Some(help)))));
                    }
                },
            }
        }
    }
    Ok(whole)
}

fn diagnostic(
    files: &[SourceFile],
    severity: Severity,
    at: Place,
    (message, help): (String, Option<String>),
) -> Diagnostic {
    let file = files.get(at.file);
    let excerpt: String = file
        .and_then(|file| file.text.lines().nth(at.line - 1))
        .unwrap_or_default()
        .chars()
        .take(160)
        .collect();
    let room = excerpt.chars().count().saturating_sub(at.column - 1).max(1);
    Diagnostic {
        severity,
        message,
        help,
        file: file.map_or_else(String::new, |file| file.name.clone()),
        line: at.line,
        column: at.column,
        length: at.length.min(room),
        excerpt,
        cut: 0,
    }
}

fn sorted(mut list: Vec<Diagnostic>, files: &[SourceFile]) -> Diagnostics {
    let number = |name: &str| files.iter().position(|file| file.name == name);
    list.sort_by(|a, b| {
        (number(&a.file), a.line, a.column, &a.message).cmp(&(number(&b.file), b.line, b.column, &b.message))
    });
    list.dedup();
    Diagnostics(list)
}
