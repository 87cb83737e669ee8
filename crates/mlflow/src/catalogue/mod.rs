//! Registered models and their versions as clients see them: names, tags, aliases, stages, where the files are. Events
//! make the state; whether something may happen is decided by whoever records the event.

mod event;
mod view;

pub use event::{At, Event, Files, Inconsistent, NewVersion};
pub use view::{AliasView, ModelVersionView, RegisteredModelView};

use crate::entity::Pair;
use facts::PersonId;
use std::collections::BTreeMap;

/// A version of a registered model.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// Its number, from 1.
    pub number: u32,
    /// What was said when it was made.
    pub made: NewVersion,
    /// When.
    pub at: At,
    /// Milliseconds since 1970.
    pub updated_ms: i64,
    /// Its description.
    pub description: String,
    /// Its tags.
    pub tags: Vec<Pair>,
    /// MLflow's stage.
    pub stage: String,
}

/// A registered model.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Its name.
    pub name: String,
    /// When it was made, and by whom.
    pub at: At,
    /// Milliseconds since 1970.
    pub updated_ms: i64,
    /// Its description.
    pub description: String,
    /// Its tags.
    pub tags: Vec<Pair>,
    /// Aliases and the versions that they name.
    pub aliases: BTreeMap<String, u32>,
    /// Its versions; deleted ones are gone from here, their numbers are not given again.
    pub versions: BTreeMap<u32, Version>,
    /// The number of the next version.
    pub next: u32,
}

impl Model {
    fn new(name: &str, at: &At) -> Self {
        Self {
            name: name.to_owned(),
            at: at.clone(),
            updated_ms: at.time_ms,
            description: String::new(),
            tags: Vec::new(),
            aliases: BTreeMap::new(),
            versions: BTreeMap::new(),
            next: 1,
        }
    }

    /// The newest version of each stage that has one.
    pub fn latest(&self) -> impl Iterator<Item = &Version> {
        let newest = |version: &&Version| {
            !self.versions.values().any(|other| other.stage == version.stage && other.number > version.number)
        };
        self.versions.values().filter(newest)
    }

    /// The aliases of a version.
    pub fn aliases_of(&self, number: u32) -> impl Iterator<Item = &str> {
        self.aliases.iter().filter(move |(_, version)| **version == number).map(|(alias, _)| alias.as_str())
    }
}

/// All registered models.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Catalogue {
    models: BTreeMap<String, Model>,
}

impl Catalogue {
    /// All of them, by name.
    pub fn models(&self) -> impl Iterator<Item = &Model> {
        self.models.values()
    }

    /// One of them.
    pub fn model(&self, name: &str) -> Option<&Model> {
        self.models.get(name)
    }

    /// A version.
    pub fn version(&self, name: &str, number: u32) -> Option<&Version> {
        self.model(name)?.versions.get(&number)
    }

    /// Takes in a version that was registered otherwise, and the model if nobody has made it yet. A version of the same
    /// number from before the charter named the model gives way.
    pub fn registered(&mut self, name: &str, number: u32, at: &At) {
        let model = self.models.entry(name.to_owned()).or_insert_with(|| Model::new(name, at));
        model.versions.remove(&number);
        let new = NewVersion { source: format!("wardmote:{name}/{number}"), ..NewVersion::default() };
        let event = Event::VersionCreated { name: name.to_owned(), version: number, new: Box::new(new) };
        self.follow(&event, at);
    }

    /// Takes in what follows from an event that was decided elsewhere. A model that is not here any more is left alone.
    pub fn follow(&mut self, event: &Event, at: &At) {
        drop(self.apply(event, at));
    }

    /// Takes in what happened.
    ///
    /// # Errors
    /// If it cannot have happened: the record is damaged.
    pub fn apply(&mut self, event: &Event, at: &At) -> Result<(), Inconsistent> {
        let name = event.name();
        if let Event::ModelCreated { description, tags, .. } = event {
            let mut model = Model::new(name, at);
            model.description.clone_from(description);
            model.tags.clone_from(tags);
            return match self.models.insert(name.to_owned(), model) {
                None => Ok(()),
                Some(_) => Err(Inconsistent::new("the making", name)),
            };
        }
        let missing = || Inconsistent::new("a change", name);
        match event {
            Event::ModelDeleted { .. } => {
                self.models.remove(name).ok_or_else(missing)?;
            }
            Event::ModelRenamed { to, .. } => {
                let mut model = self.models.remove(name).ok_or_else(missing)?;
                model.name.clone_from(to);
                model.updated_ms = at.time_ms;
                if self.models.insert(to.clone(), model).is_some() {
                    return Err(Inconsistent::new("a renaming", name));
                }
            }
            _ => {
                let model = self.models.get_mut(name).ok_or_else(missing)?;
                model.apply(event, at).ok_or_else(missing)?;
            }
        }
        Ok(())
    }
}

impl Model {
    /// None if the event speaks of a version that is not there.
    fn apply(&mut self, event: &Event, at: &At) -> Option<()> {
        match event {
            Event::ModelUpdated { description, .. } => self.description.clone_from(description),
            Event::ModelTagged { key, value, .. } => retag(&mut self.tags, key, value.as_deref()),
            Event::AliasSet { alias, version: Some(number), .. } => {
                self.versions.get(number)?;
                self.aliases.insert(alias.clone(), *number);
            }
            Event::AliasSet { alias, version: None, .. } => {
                self.aliases.remove(alias);
            }
            Event::VersionCreated { version, new, .. } => {
                let made = Version {
                    number: *version,
                    description: new.description.clone(),
                    tags: new.tags.clone(),
                    made: (**new).clone(),
                    at: at.clone(),
                    updated_ms: at.time_ms,
                    stage: "None".to_owned(),
                };
                // A version that was registered first by its number may be described afterwards, once.
                let described = self.versions.insert(*version, made);
                if described.is_some_and(|known| !known.made.source.starts_with("wardmote:")) {
                    return None;
                }
                self.next = self.next.max(version.checked_add(1)?);
            }
            Event::VersionDeleted { version, .. } => {
                self.versions.remove(version)?;
                self.aliases.retain(|_, number| number != version);
            }
            Event::VersionUpdated { version, description, .. } => {
                let version = self.touch(*version, at)?;
                version.description.clone_from(description);
                return Some(());
            }
            Event::VersionTagged { version, key, value, .. } => {
                let version = self.touch(*version, at)?;
                retag(&mut version.tags, key, value.as_deref());
                return Some(());
            }
            Event::StageChanged { version, stage, archived, .. } => {
                for number in archived {
                    "Archived".clone_into(&mut self.touch(*number, at)?.stage);
                }
                self.touch(*version, at)?.stage.clone_from(stage);
            }
            Event::ModelCreated { .. } | Event::ModelDeleted { .. } | Event::ModelRenamed { .. } => {
                return None;
            }
        }
        self.updated_ms = at.time_ms;
        Some(())
    }

    fn touch(&mut self, number: u32, at: &At) -> Option<&mut Version> {
        let version = self.versions.get_mut(&number)?;
        version.updated_ms = at.time_ms;
        Some(version)
    }
}

fn retag(tags: &mut Vec<Pair>, key: &str, value: Option<&str>) {
    match value {
        Some(value) => {
            crate::entity::set(tags, Pair { key: key.to_owned(), value: value.to_owned() });
        }
        None => tags.retain(|tag| tag.key != key),
    }
}

/// Who made a version, for lists.
impl Version {
    /// Who.
    pub fn by(&self) -> &PersonId {
        &self.at.by
    }
}
