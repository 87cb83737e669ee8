//! Registered models as MLflow's clients see them: made, described, tagged, deleted. What says that a version is in
//! production is in `production.rs`; what becomes of a new version of a model of the charter in `submission.rs`.

mod loading;
mod production;
mod source;
mod submission;

pub(crate) use production::PRODUCTION;
pub use production::{WaitingRequest, Wanted};
pub use source::Prepared;
pub use submission::NewModelVersion;

use crate::core::NewEntry;
use crate::record::{Fact, Refused};
use crate::{Engine, Error};
use facts::{Actor, ModelName};
use guard::{Action, Resource};
use ledger::Outcome;
use mlflow::catalogue::{Event, Model, Version};
use mlflow::check;
use mlflow::entity::Pair;

/// The most tags of one thing: it is one entry of the record when it is made.
const MAX_TAGS: usize = 100;
/// The most letters of all tags and the description that are given when something is made.
const MAX_TEXT: usize = 40_000;

/// What the house says itself about a version; nobody else can.
const HOUSE_TAGS: &str = "wardmote.";
/// That a version was approved by people who had a hand in it, and what stands in for separation of duties.
pub(crate) const SEPARATION_TAG: &str = "wardmote.separation_of_duties";

/// That nobody may use a version, who says so and why; taken away when it is let out.
pub(crate) const QUARANTINE_TAG: &str = "wardmote.quarantine";

fn not_of_the_house(key: &str) -> Result<(), Error> {
    if key.starts_with(HOUSE_TAGS) {
        let text = format!(
            "the tag `{key}` is said by the house itself: choose a key that does not begin with `{HOUSE_TAGS}`"
        );
        return Err(mlflow::Error::invalid(text).into());
    }
    Ok(())
}

/// There is no such model.
pub(super) fn no_model(name: &str) -> Error {
    mlflow::Error::absent(format!("there is no registered model `{name}`")).into()
}

/// There is no such version.
pub(super) fn no_version(name: &str, number: u32) -> Error {
    mlflow::Error::absent(format!("there is no version {number} of the registered model `{name}`")).into()
}

pub(super) fn bounded(description: &str, tags: &[Pair]) -> Result<(), Error> {
    check::description(description)?;
    tags.iter().try_for_each(check::registry_tag)?;
    tags.iter().try_for_each(|tag| not_of_the_house(&tag.key))?;
    let letters: usize = tags.iter().map(|tag| tag.key.len() + tag.value.len()).sum();
    if tags.len() > MAX_TAGS || letters + description.len() > MAX_TEXT {
        let text = format!("at most {MAX_TAGS} tags and {MAX_TEXT} letters can be given at once");
        return Err(mlflow::Error::invalid(text).into());
    }
    Ok(())
}

impl Engine {
    /// A registered model.
    ///
    /// # Errors
    /// If there is none.
    pub fn registered_model(&self, name: &str) -> Result<&Model, Error> {
        self.state.catalogue().model(name).ok_or_else(|| no_model(name))
    }

    /// A version and its model.
    ///
    /// # Errors
    /// If there is none.
    pub fn registered_version(&self, name: &str, number: u32) -> Result<(&Model, &Version), Error> {
        let model = self.state.catalogue().model(name).ok_or_else(|| no_version(name, number))?;
        model.versions.get(&number).map(|version| (model, version)).ok_or_else(|| no_version(name, number))
    }

    /// Makes a registered model.
    ///
    /// # Errors
    /// If it exists, or something is too long or strange.
    pub fn create_registered_model(
        &mut self,
        actor: &Actor,
        name: &str,
        (description, tags): (String, Vec<Pair>),
    ) -> Result<(), Error> {
        check::model_name(name)?;
        bounded(&description, &tags)?;
        self.authorise_registry(actor, Action::RegistryWrite, name)?;
        if self.state.catalogue().model(name).is_some() {
            return Err(mlflow::Error::exists(format!("the registered model `{name}` exists already")).into());
        }
        self.catalogue_event(actor, Event::ModelCreated { name: name.to_owned(), description, tags })
    }

    /// Describes a model anew.
    ///
    /// # Errors
    /// If there is none, or the text is too long.
    pub fn describe_model(&mut self, actor: &Actor, name: &str, description: String) -> Result<(), Error> {
        check::description(&description)?;
        self.registered_model(name)?;
        self.authorise_registry(actor, Action::RegistryWrite, name)?;
        self.catalogue_event(actor, Event::ModelUpdated { name: name.to_owned(), description })
    }

    /// Gives a model another name; one that the charter names keeps it.
    ///
    /// # Errors
    /// If there is none, or the new name is taken.
    pub fn rename_model(&mut self, actor: &Actor, name: &str, to: &str) -> Result<(), Error> {
        check::model_name(to)?;
        self.registered_model(name)?;
        self.authorise_registry(actor, Action::RegistryWrite, name)?;
        if let Some(chartered) = [name, to].into_iter().find(|name| self.is_chartered(name)) {
            return Err(self.refuse_chartered(actor, chartered, "renamed"));
        }
        if self.state.catalogue().model(to).is_some() {
            return Err(mlflow::Error::exists(format!("the registered model `{to}` exists already")).into());
        }
        self.catalogue_event(actor, Event::ModelRenamed { name: name.to_owned(), to: to.to_owned() })
    }

    /// Deletes a model and its versions from the catalogue; the record keeps what happened.
    ///
    /// # Errors
    /// If there is none, or the charter names it.
    pub fn delete_model(&mut self, actor: &Actor, name: &str) -> Result<(), Error> {
        self.registered_model(name)?;
        self.authorise_registry(actor, Action::RegistryWrite, name)?;
        if self.is_chartered(name) {
            return Err(self.refuse_chartered(actor, name, "deleted"));
        }
        self.catalogue_event(actor, Event::ModelDeleted { name: name.to_owned() })
    }

    /// Sets a tag of a model, or removes it.
    ///
    /// # Errors
    /// If there is none, or the tag is too long or strange.
    pub fn tag_model(&mut self, actor: &Actor, name: &str, tag: (&str, Option<&str>)) -> Result<(), Error> {
        let (key, value) = checked_tag(tag)?;
        self.registered_model(name)?;
        self.authorise_registry(actor, Action::RegistryWrite, name)?;
        self.catalogue_event(actor, Event::ModelTagged { name: name.to_owned(), key, value })
    }

    /// Describes a version anew.
    ///
    /// # Errors
    /// If there is none, or the text is too long.
    pub fn describe_version(
        &mut self,
        actor: &Actor,
        (name, version): (&str, u32),
        description: String,
    ) -> Result<(), Error> {
        check::description(&description)?;
        self.registered_version(name, version)?;
        self.authorise_registry(actor, Action::RegistryWrite, name)?;
        self.catalogue_event(actor, Event::VersionUpdated { name: name.to_owned(), version, description })
    }

    /// Sets a tag of a version, or removes it.
    ///
    /// # Errors
    /// If there is none, or the tag is too long or strange.
    pub fn tag_version(
        &mut self,
        actor: &Actor,
        (name, version): (&str, u32),
        tag: (&str, Option<&str>),
    ) -> Result<(), Error> {
        let (key, value) = checked_tag(tag)?;
        self.registered_version(name, version)?;
        self.authorise_registry(actor, Action::RegistryWrite, name)?;
        self.catalogue_event(actor, Event::VersionTagged { name: name.to_owned(), version, key, value })
    }

    /// Deletes a version from the catalogue. One that the charter governs is retired instead, with a reason.
    ///
    /// # Errors
    /// If there is none, or the charter names the model.
    pub fn delete_version(&mut self, actor: &Actor, (name, version): (&str, u32)) -> Result<(), Error> {
        self.registered_version(name, version)?;
        self.authorise_registry(actor, Action::RegistryWrite, name)?;
        if self.is_chartered(name) {
            return Err(self.refuse_chartered(actor, name, "deleted, nor are its versions"));
        }
        self.catalogue_event(actor, Event::VersionDeleted { name: name.to_owned(), version })
    }

    /// Whether the charter names a model of this name.
    pub fn names_model(&self, name: &str) -> bool {
        self.is_chartered(name)
    }

    /// Whether the charter names the model.
    pub(super) fn is_chartered(&self, name: &str) -> bool {
        self.chartered(name).is_some()
    }

    pub(super) fn chartered(&self, name: &str) -> Option<charter::model::Model> {
        let name: ModelName = name.parse().ok()?;
        self.model(&name).ok().cloned()
    }

    /// A registered model as the policies see it.
    pub(super) fn registry_resource(&self, name: &str) -> Resource {
        Resource::RegisteredModel { name: name.to_owned(), chartered: self.is_chartered(name) }
    }

    pub(super) fn authorise_registry(
        &mut self,
        actor: &Actor,
        action: Action,
        name: &str,
    ) -> Result<(), Error> {
        let resource = self.registry_resource(name);
        self.authorise(actor, action, &resource).map(|_| ())
    }

    pub(super) fn catalogue_event(&mut self, actor: &Actor, event: Event) -> Result<(), Error> {
        let resource = format!("registered-models/{}", event.name());
        self.record(vec![catalogue_entry(actor, &resource, event)]).map(|_| ())
    }

    fn refuse_chartered(&mut self, actor: &Actor, name: &str, what: &str) -> Error {
        let why = Refused {
            reason: format!("`{name}` is a model of the charter, and cannot be {what}"),
            help: Some(format!(
                "take a version out of use with `wardmote model retire {name} VERSION --reason ...`"
            )),
            policies: Vec::new(),
        };
        self.refuse(actor, Action::RegistryWrite.as_str(), &format!("registered-models/{name}"), why)
    }
}

pub(super) fn catalogue_entry<'a>(actor: &'a Actor, resource: &'a str, event: Event) -> NewEntry<'a> {
    NewEntry {
        actor,
        action: Action::RegistryWrite.as_str(),
        resource,
        outcome: Outcome::Done,
        fact: Fact::Catalogue { event: Box::new(event) },
    }
}

fn checked_tag((key, value): (&str, Option<&str>)) -> Result<(String, Option<String>), Error> {
    check::registry_tag(&Pair { key: key.to_owned(), value: value.unwrap_or_default().to_owned() })?;
    not_of_the_house(key)?;
    Ok((key.to_owned(), value.map(str::to_owned)))
}
