//! Who gets the files of a version: everybody those of an approved one, few those of any other. What is handed out is
//! byte for byte what was registered.

use super::no_version;
use crate::manifest::Manifest;
use crate::record::Refused;
use crate::{Engine, Error};
use facts::Actor;
use guard::Action;
use registry::VersionNumber;

impl Engine {
    /// The files of a version, for somebody who may load it; none if they are kept elsewhere.
    ///
    /// # Errors
    /// If there is no such version, if it is in quarantine, if it is not approved and the caller may load only approved ones,
    /// or if it is not what was registered.
    pub fn open_version(
        &mut self,
        actor: &Actor,
        (name, number): (&str, u32),
    ) -> Result<Option<Manifest>, Error> {
        let (_, version) = self.registered_version(name, number)?;
        let files = version.made.files.clone();
        self.authorise_registry(actor, Action::RegistryRead, name)?;
        if let Some(model) = self.chartered(name) {
            self.refuse_held((actor, Action::RegistryRead), (&model.name, VersionNumber(number)))?;
        }
        let resource = self.registry_resource(name);
        if !self.permits(actor, Action::RegistryLoadUnapproved, &resource) {
            self.must_be_approved(actor, (name, number))?;
        }
        let manifest = files.map(|files| self.manifest(&files.object, &files.digest)).transpose();
        self.noticing((name, number), manifest)
    }

    fn must_be_approved(&mut self, actor: &Actor, (name, number): (&str, u32)) -> Result<(), Error> {
        let (reason, help) = match self.chartered(name) {
            None => (
                format!(
                    "version {number} of `{name}` is not approved, and cannot be: the charter does not name the model"
                ),
                Some("a compliance officer adds the model to the charter: `wardmote apply`".to_owned()),
            ),
            Some(model) => {
                if self.state.registry().version(&model.name, VersionNumber(number)).is_none() {
                    return Err(no_version(name, number));
                }
                let known = self.in_force(&model, VersionNumber(number));
                match self.noticing((name, number), known)? {
                    Ok(()) => return Ok(()),
                    Err(refusal) => {
                        (format!("version {number} of `{name}` is not approved: {refusal}"), refusal.help())
                    }
                }
            }
        };
        let why = Refused { reason, help, policies: Vec::new() };
        let resource = format!("registered-models/{name}");
        Err(self.refuse(actor, Action::RegistryLoadUnapproved.as_str(), &resource, why))
    }
}
