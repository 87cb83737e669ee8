//! Which controls are asked of which resources.

use crate::checks::{controls, controls_named};
use crate::customer::{Rule, Rules};
use crate::framework::{framework_named, frameworks};
use crate::policies::covers;
use crate::resource::Resource;
use crate::unit::Control;
use std::fmt;
use std::sync::Arc;

/// What to look at; what is empty means everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    controls: Vec<String>,
    rules: Rules,
    kinds: Vec<String>,
    names: Vec<String>,
    tags: Vec<(String, Option<String>)>,
    accounts: Vec<String>,
}

/// A selection that selects by something that does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadSelection {
    message: String,
    help: &'static str,
}

impl BadSelection {
    /// What to do.
    #[must_use]
    pub fn help(&self) -> &str {
        self.help
    }
}

impl fmt::Display for BadSelection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for BadSelection {}

impl Selection {
    /// With these rules of customers beside the controls of ours. They come first: controls are selected among both.
    #[must_use]
    pub fn with_rules(mut self, rules: Rules) -> Self {
        self.rules = rules;
        self
    }

    /// Only this control too, by its id or an alias; of rules wildcards are allowed.
    ///
    /// # Errors
    /// If there is no such control.
    pub fn control(mut self, name: &str) -> Result<Self, BadSelection> {
        let ours = controls_named(name).map(|control| control.id.to_owned());
        let found: Vec<String> = ours.chain(self.rules.named(name).map(|rule| rule.id.clone())).collect();
        if found.is_empty() {
            let message = format!(
                "there is no control `{name}`; expected an id such as `S3-05` or an alias such as `S3EncryptionEnabled`"
            );
            return Err(BadSelection { message, help: "`wardmote controls list` shows them all" });
        }
        self.controls.extend(found);
        Ok(self)
    }

    /// Only what answers something of this framework too.
    ///
    /// # Errors
    /// If there is no such framework.
    pub fn framework(mut self, name: &str) -> Result<Self, BadSelection> {
        let Some(framework) = framework_named(name) else {
            let all: Vec<String> = frameworks().iter().map(|one| format!("`{}`", one.id)).collect();
            let message = format!("there is no framework `{name}`; expected one of {}", all.join(", "));
            return Err(BadSelection {
                message,
                help: "`wardmote controls list --framework ID` shows what it asks for",
            });
        };
        self.controls.extend(framework.controls().map(|control| control.id.to_owned()));
        let answers = |rule: &&Arc<Rule>| rule.answers.iter().any(|(one, _)| one.id == framework.id);
        self.controls.extend(self.rules.iter().filter(answers).map(|rule| rule.id.clone()));
        Ok(self)
    }

    /// Only resources of this type too; wildcards are allowed.
    #[must_use]
    pub fn kind(mut self, kind: &str) -> Self {
        self.kinds.push(kind.to_owned());
        self
    }

    /// Only resources whose id or name is like this too; wildcards are allowed.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        self.names.push(name.to_owned());
        self
    }

    /// Only resources with this tag too, of this value if one is given. All tags asked for must be there.
    #[must_use]
    pub fn tag(mut self, key: &str, value: Option<&str>) -> Self {
        self.tags.push((key.to_owned(), value.map(ToOwned::to_owned)));
        self
    }

    /// Only resources of this account too; whose account is not known stay in.
    #[must_use]
    pub fn account(mut self, id: &str) -> Self {
        self.accounts.push(id.to_owned());
        self
    }

    /// The same with the parts of every control that was selected.
    pub(crate) fn with_parts(mut self) -> Self {
        let parts: Vec<String> = controls()
            .filter(|part| part.part_of.is_some_and(|whole| self.names(whole)))
            .map(|part| part.id.to_owned())
            .collect();
        self.controls.extend(parts);
        self
    }

    /// Whether a resource is selected only because its tags are not known.
    pub(crate) fn is_unclear(&self, resource: &Resource) -> bool {
        let unclear = resource.properties.get("Tags").is_some_and(|tags| tags.any_hole().is_some());
        unclear && !self.tags.is_empty()
    }

    pub(crate) fn has_control(&self, control: &Control) -> bool {
        self.controls.is_empty() || self.names(control.id)
    }

    fn names(&self, id: &str) -> bool {
        self.controls.iter().any(|control| control == id)
    }

    /// All rules, selected or not.
    pub(crate) fn all_rules(&self) -> &Rules {
        &self.rules
    }

    /// The selected rules.
    pub(crate) fn rules(&self) -> impl Iterator<Item = &Arc<Rule>> {
        self.rules.iter().filter(|rule| self.controls.is_empty() || self.names(&rule.id))
    }

    /// Whether resources of a type are selected, whatever they are called.
    pub(crate) fn has_kind(&self, kind: &str) -> bool {
        self.kinds.is_empty() || self.kinds.iter().any(|pattern| covers(pattern, kind))
    }

    pub(crate) fn has_resource(&self, resource: &Resource) -> bool {
        let any = |patterns: &[String], texts: &[&str]| {
            patterns.is_empty()
                || patterns.iter().any(|pattern| texts.iter().any(|text| covers(pattern, text)))
        };
        // What a tag is, if that is not known, keeps the resource in: nothing leaves a scope by being unclear.
        let unclear = resource.properties.get("Tags").is_some_and(|tags| tags.any_hole().is_some());
        let tagged = self.tags.iter().all(|(key, value)| match (resource.tag(key), value) {
            (Some(is), Some(wanted)) => covers(wanted, is),
            (found, _) => found.is_some() || unclear,
        });
        any(&self.kinds, &[&resource.kind])
            && any(&self.names, &[&resource.id, resource.name().unwrap_or(&resource.id)])
            && tagged
            && resource.account.as_ref().is_none_or(|account| any(&self.accounts, &[account]))
    }
}
