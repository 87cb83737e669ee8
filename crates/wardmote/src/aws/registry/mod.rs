//! `wardmote aws registry`: the SageMaker Model Registry as a mirror of the record. What is there and not in the record
//! approves nothing: it is found, said, an incident on the ledger, and put back.

mod compare;
mod label;

use super::args::RegistryArgs;
use super::failure;
use crate::answer::Answers;
use crate::failure::{Exit, Failure};
use crate::house::House;
use aws::packages::{ModelPackages, Package};
use aws::{ObjectUse, PolicyDocument, S3Objects};
use charter::model::Model;
use compare::{Beside, Difference};
use engine::{Counts, Engine, IncidentNews, MirrorEvent, Outside};
use facts::{Actor, PersonId};
use label::{VERSION, Wanted};
use registry::{Version, VersionNumber};
use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use world::{Kind, ObjectStore as _};

/// The mirror of one model.
struct Mirror {
    model: Model,
    group: String,
    /// By this it is on record: `ACCOUNT/REGION/GROUP`.
    name: String,
    versions: Vec<Version>,
    /// The packages of the group, if there is one.
    packages: Option<Vec<Package>>,
    /// What is to be written: the version, what, and where if that is there.
    writes: Vec<(VersionNumber, Wanted, Option<Package>)>,
}

/// Whoever mirrors, and where.
struct Work<'a> {
    house: &'a House,
    service: ModelPackages,
    objects: Option<S3Objects>,
    account: String,
    region: String,
    sync: bool,
    actor: Option<Actor>,
}

pub(super) fn run(
    house: &House,
    act_as: Option<&PersonId>,
    args: &RegistryArgs,
    answers: &Answers,
) -> Result<ExitCode, Failure> {
    // Whoever only looks need be nobody; then nothing goes on record.
    let named = act_as.is_some() || std::env::var_os("WARDMOTE_ACCESS_KEY").is_some();
    let records = !args.permissions && (args.sync || named);
    let mut engine = if records { house.open()? } else { house.open_read_only()? };
    let settings = house.settings()?;
    let models = grouped(&engine)?;
    let client = settings.client()?;
    let (service, objects) = (ModelPackages::new(client.clone()), settings.objects()?);
    if args.permissions {
        let groups: Vec<String> = models.iter().map(|(_, group)| group.clone()).collect();
        let document = permissions(&service, objects.as_ref(), &groups, args.sync)?;
        answers.give(&document.to_json(), |document| format!("{document:#}"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let actor = if records { Some(house.sign_in(&engine, act_as)?) } else { None };
    let identity = aws::identity(&client).map_err(failure)?;
    let (account, region) = (identity.account, identity.region);
    let work = Work { house, service, objects, account, region, sync: args.sync, actor };
    work.go(&mut engine, models, answers)
}

/// The models of the charter with the names of their groups.
fn grouped(engine: &Engine) -> Result<Vec<(Model, String)>, Failure> {
    let charter = engine.charter()?.charter();
    let organisation = charter.organisation.id.as_str();
    let models: Vec<(Model, String)> =
        charter.models.iter().map(|model| (model.clone(), group(organisation, model))).collect();
    if models.iter().map(|(_, group)| group).collect::<BTreeSet<_>>().len() < models.len() {
        let text = "two models of the charter would have one model package group";
        return Err(Failure::new(Exit::Input, text).with_help("name one of them otherwise"));
    }
    Ok(models)
}

fn group(organisation: &str, model: &Model) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    format!("{organisation}-{}", model.name).chars().map(plain).collect()
}

fn permissions(
    service: &ModelPackages,
    objects: Option<&S3Objects>,
    groups: &[String],
    writes: bool,
) -> Result<PolicyDocument, Failure> {
    let mut documents = vec![service.permissions(groups, writes).map_err(failure)?];
    if let Some(objects) = objects {
        let uses = if writes { &[ObjectUse::Get, ObjectUse::Replace][..] } else { &[ObjectUse::Get] };
        documents.push(objects.permissions(uses)?);
    }
    Ok(PolicyDocument::join(documents))
}

impl Work<'_> {
    fn go(
        &self,
        engine: &mut Engine,
        models: Vec<(Model, String)>,
        answers: &Answers,
    ) -> Result<ExitCode, Failure> {
        if let Some(actor) = &self.actor {
            engine.may_mirror(actor, &self.account)?;
        }
        let (mut differences, mut mirrors) = (Vec::new(), Vec::new());
        for (model, group) in models {
            let mut mirror = self.mirror(engine, model, group)?;
            self.compare(engine, &mut mirror, &mut differences)?;
            mirrors.push(mirror);
        }
        let news = self.on_record(engine, &differences, answers)?;
        if let (true, Some(actor)) = (self.sync, &self.actor) {
            for mirror in &mirrors {
                self.write(engine, actor, mirror)?;
            }
        }
        let answer = serde_json::json!({ "differences": differences, "incidents": news });
        answers.give(&answer, |_| text(&differences, &news))?;
        let unheard = self.actor.is_none() && differences.iter().any(|one| one.outside);
        if unheard {
            answers.remark("note: nobody was named, so no incident was opened: add `--as ID`");
        }
        // Even put right, an approval past the record must be heard of.
        let heard = differences.iter().any(|one| one.outside || !one.mended);
        Ok(if heard { ExitCode::from(Exit::Conflict as u8) } else { ExitCode::SUCCESS })
    }

    fn mirror(&self, engine: &Engine, model: Model, group: String) -> Result<Mirror, Failure> {
        let known = engine.state().registry().model(&model.name);
        let versions = known.map_or_else(Vec::new, |known| known.versions.clone());
        let packages = self.service.list(&group).map_err(failure)?;
        let name = format!("{}/{}/{group}", self.account, self.region);
        Ok(Mirror { model, group, name, versions, packages, writes: Vec::new() })
    }

    /// What is different, and what is to be written for that.
    fn compare(
        &self,
        engine: &Engine,
        mirror: &mut Mirror,
        found: &mut Vec<Difference>,
    ) -> Result<(), Failure> {
        let model = mirror.model.name.to_string();
        if mirror.packages.is_none() && !mirror.versions.is_empty() {
            let what = format!("there is no model package group `{}`", mirror.group);
            found.push(compare::behind(&model, "group", what, self.sync));
        }
        let packages = mirror.packages.as_deref().unwrap_or_default();
        let address = |name: &str| self.objects.as_ref().map(|s3| s3.address(name)).unwrap_or_default();
        let address = self.objects.as_ref().map(|_| &address as &dyn Fn(&str) -> String);
        let mut ours = BTreeSet::new();
        for version in &mirror.versions {
            let wanted = Wanted::of(engine, (&mirror.model, version), &mirror.group, address)?;
            let known = engine.state().mirrors().of(&mirror.name, version.version);
            let number = version.version.to_string();
            let made = known.and_then(|known| known.place.as_deref());
            let is_its = |package: &&Package| {
                made == Some(&package.arn) || package.properties.get(VERSION) == Some(&number)
            };
            let there: Vec<&Package> = packages.iter().filter(is_its).collect();
            ours.extend(there.iter().map(|package| package.arn.as_str()));
            let statistics = self.statistics(&wanted)?;
            let beside =
                Beside { model: &model, version, wanted: &wanted, known, statistics, mends: self.sync };
            if let Some(package) = beside.compare(&there, found) {
                mirror.writes.push((version.version, wanted, package.cloned()));
            }
        }
        for package in packages.iter().filter(|package| !ours.contains(package.arn.as_str())) {
            found.push(compare::foreign(&model, package));
        }
        Ok(())
    }

    /// The object with the figures of a version, if it is there.
    fn statistics(&self, wanted: &Wanted) -> Result<Option<Vec<u8>>, Failure> {
        let (Some(objects), Some((name, _))) = (&self.objects, &wanted.statistics) else { return Ok(None) };
        match objects.get(name) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == Kind::Absent => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Opens incidents for what somebody else did, closes those that are over, and tells who is to be told.
    fn on_record(
        &self,
        engine: &mut Engine,
        differences: &[Difference],
        answers: &Answers,
    ) -> Result<Vec<IncidentNews>, Failure> {
        let Some(actor) = &self.actor else { return Ok(Vec::new()) };
        let found: Vec<Outside> = differences.iter().filter_map(|one| one.incident.clone()).collect();
        let news = engine.mirror_incidents(actor, (&self.account, &self.region), &found)?;
        let (told, failed) =
            super::incidents::send(self.house, &engine.untold_incidents(), &Counts::default());
        engine.incidents_told(actor, &told)?;
        if let Some(failed) = failed {
            answers.remark(&format!("note: {failed}"));
        }
        Ok(news)
    }

    /// Writes what is to be written of a model: on record before, and after.
    fn write(&self, engine: &mut Engine, actor: &Actor, mirror: &Mirror) -> Result<(), Failure> {
        if mirror.writes.is_empty() {
            return Ok(());
        }
        let begun = mirror
            .writes
            .iter()
            .map(|(number, wanted, _)| (*number, MirrorEvent::Writing { parts: wanted.parts() }));
        engine.mirrored(actor, &mirror.name, begun.collect())?;
        if mirror.packages.is_none() {
            self.make_group(mirror)?;
        }
        let mut done = Vec::new();
        let mut trouble = None;
        for (number, wanted, package) in &mirror.writes {
            match self.write_one(mirror, wanted, package.as_ref()) {
                Ok(place) => done.push((*number, MirrorEvent::Written { place, parts: wanted.parts() })),
                Err(failed) => {
                    trouble = Some(failed);
                    break;
                }
            }
        }
        // What was done before the trouble is on record in any case.
        engine.mirrored(actor, &mirror.name, done)?;
        trouble.map_or(Ok(()), Err)
    }

    /// Writes one version, and gives back where it is.
    fn write_one(
        &self,
        mirror: &Mirror,
        wanted: &Wanted,
        package: Option<&Package>,
    ) -> Result<String, Failure> {
        if let (Some(objects), Some((name, bytes))) = (&self.objects, &wanted.statistics) {
            objects.replace(name, bytes)?;
        }
        let package = match package {
            Some(package) => package.clone(),
            None => self.service.create(&mirror.group, &wanted.birth, &wanted.label).map_err(failure)?,
        };
        self.service.label(&package, &wanted.label).map_err(failure)?;
        Ok(package.arn)
    }

    fn make_group(&self, mirror: &Mirror) -> Result<(), Failure> {
        // The standard tags, as every other asset carries them.
        let tags: BTreeMap<String, String> = serde_json::to_value(&mirror.model.tags)
            .ok()
            .and_then(|tags| serde_json::from_value(tags).ok())
            .unwrap_or_default();
        let description = format!("{}: a mirror; the record of Wardmote decides", mirror.model.name);
        self.service.create_group(&mirror.group, &description, &tags).map_err(failure)
    }
}

fn text(differences: &[Difference], news: &[IncidentNews]) -> String {
    let line = |one: &Difference| {
        let kind = if one.outside { "OUTSIDE" } else { "behind " };
        let by = one.by.as_ref().map(|by| format!("; last changed by `{}`", by.escape_debug()));
        let at = one.at.map(|at| format!(" at {at}"));
        let who = by.unwrap_or_default() + &at.unwrap_or_default();
        let end = if one.mended { "; put right" } else { "" };
        format!("{kind} {}: {}{who}{end}", one.model, one.what)
    };
    let mut lines: Vec<String> = differences.iter().map(line).collect();
    if lines.is_empty() {
        lines.push("the SageMaker Model Registry says what the record says".to_owned());
    }
    lines.extend(news.iter().map(|one| {
        let how = if one.closed.is_some() { "closed" } else { "opened" };
        format!(
            "{} {how}: {} {} on {}",
            one.incident, one.opening.severity, one.opening.control, one.opening.resource
        )
    }));
    lines.join("\n")
}
