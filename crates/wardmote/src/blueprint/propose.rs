//! Templates put where CloudFormation reads them, and the change set that is asked for them.

use super::args::ApplyArgs;
use super::deployed::Deployed;
use super::stack::Site;
use crate::aws::ObjectPlace;
use crate::failure::{Exit, Failure};
use crate::house::House;
use ::blueprint::{MOST_BYTES_INLINE, Parts};
use aws::stacks::{Proposal, Stack, TemplateSource};
use facts::Digest;
use local::SystemEntropy;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use world::{Entropy as _, ObjectStore};

impl Site<'_> {
    /// Puts a template and its parts where CloudFormation reads them; one that is small enough for a call only if a place is
    /// named. What is there is never replaced: names are digests.
    pub(super) fn send(&self, house: &House, args: &ApplyArgs, parts: Parts) -> Result<Deployed, Failure> {
        let Some(place) = &args.templates else {
            let bytes = parts.root.bytes();
            let why = match parts.parts.len() {
                0 if bytes <= MOST_BYTES_INLINE => return Ok(Deployed::of(&parts.root, Vec::new())),
                0 => format!(
                    "the template has {bytes} bytes; CloudFormation takes {MOST_BYTES_INLINE} in a call"
                ),
                number => {
                    format!("the template has {number} parts, which CloudFormation reads from a bucket")
                }
            };
            return Err(Failure::new(Exit::Usage, why)
                .with_help("name a bucket that it may be put into with `--templates s3://BUCKET/PREFIX/`"));
        };
        let bucket = house.settings()?.bucket(place, None, None)?;
        let put = |text: &str| -> Result<String, Failure> {
            let short = short(text);
            bucket.put(&format!("{short}.json"), text.as_bytes())?;
            self.url(place, &short)
        };
        let root = parts.addressed(|_, part| put(&part.to_json().to_string()))?;
        put(&root.to_json().to_string())?;
        Ok(Deployed::of(&root, parts.parts))
    }

    /// Where CloudFormation reads a template.
    fn url(&self, place: &ObjectPlace, short: &str) -> Result<String, Failure> {
        let shown = place.to_string();
        let (bucket, prefix) = shown.trim_start_matches("s3://").split_once('/').unwrap_or((&shown, ""));
        self.stacks.url(bucket, &format!("{prefix}{short}.json")).map_err(crate::aws::failure)
    }

    /// The id of a change set for the template.
    pub(super) fn propose(
        &self,
        args: &ApplyArgs,
        sent: &Deployed,
        there: Option<&Stack>,
    ) -> Result<String, Failure> {
        let template = sent.root();
        let known = |key: &String| template["Parameters"].get(key).is_some();
        let parameters: BTreeMap<String, String> = args.parameters.iter().cloned().collect();
        let before = there.map(Stack::parameters).unwrap_or_default();
        let previous: BTreeSet<String> = before
            .into_iter()
            .map(str::to_owned)
            .filter(|key| known(key) && !parameters.contains_key(key))
            .collect();
        let text = template.to_string();
        let short = short(&text);
        let template = match &args.templates {
            Some(place) => &self.url(place, &short)?,
            None => "",
        };
        let template =
            if template.is_empty() { TemplateSource::Body(&text) } else { TemplateSource::Url(template) };
        // Another change set of the same template may be there, from somebody who did not decide: nobody else gives this name.
        let mut chance = [0; 8];
        SystemEntropy.fill(&mut chance)?;
        let name = format!("wardmote-{short}-{:016x}", u64::from_be_bytes(chance));
        let create = there.is_none();
        let (stack, parameters, previous) = (self.name.as_str(), &parameters, &previous);
        let proposal =
            Proposal { stack, name: &name, template, parameters, previous, create, nested: sent.is_nested() };
        self.stacks.propose(&proposal).map_err(crate::aws::failure)
    }
}

/// Refuses a parameter that the template does not have.
pub(super) fn known_parameters(args: &ApplyArgs, template: &Value) -> Result<(), Failure> {
    let known = template["Parameters"].as_object().cloned().unwrap_or_default();
    let Some((other, _)) = args.parameters.iter().find(|(key, _)| !known.contains_key(key)) else {
        return Ok(());
    };
    let names: Vec<String> = known.keys().map(|key| format!("`{key}`")).collect();
    let text = format!("the template has no parameter `{}`", other.escape_debug());
    Err(Failure::new(Exit::Usage, text).with_help(format!("name one of {}", names.join(", "))))
}

/// The beginning of a template's digest.
fn short(text: &str) -> String {
    let digest = Digest::of(text.as_bytes()).to_string();
    digest.rsplit(':').next().unwrap_or_default().chars().take(16).collect()
}
