//! `wardmote aws registry`: the SageMaker Model Registry as a mirror of the record. What is there and not in the record
//! approves nothing: it is found, said, and put back.

use super::args::RegistryArgs;
use super::failure;
use crate::answer::Answers;
use crate::failure::{Exit, Failure};
use crate::house::House;
use aws::packages::{ApprovalStatus, Label, ModelPackages, Package};
use charter::model::Model;
use registry::Version;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

/// By these a package is found again.
const VERSION: &str = "wardmote:version";
const ARTEFACT: &str = "wardmote:artefact";
/// The status that was written last, beside it.
const APPROVAL: &str = "wardmote:approval";

/// One thing in which the mirror is not what the record says.
#[derive(Debug, Serialize)]
struct Difference {
    model: String,
    /// What is different, in a sentence.
    what: String,
    /// Whether somebody else did it, past the record.
    outside: bool,
    /// Whether it was put right.
    mended: bool,
}

/// A model beside its group.
struct Mirror<'a> {
    model: &'a Model,
    group: String,
    versions: &'a [Version],
    packages: Option<Vec<Package>>,
}

pub(super) fn run(house: &House, args: &RegistryArgs, answers: &Answers) -> Result<ExitCode, Failure> {
    let engine = house.open_read_only()?;
    let charter = engine.charter()?.charter();
    let service = ModelPackages::new(house.settings()?.client()?);
    let groups: Vec<String> =
        charter.models.iter().map(|model| group(charter.organisation.id.as_str(), model)).collect();
    if groups.iter().collect::<BTreeSet<_>>().len() < groups.len() {
        let text = "two models of the charter would have one model package group";
        return Err(Failure::new(Exit::Input, text).with_help("name one of them otherwise"));
    }
    if args.permissions {
        let document = service.permissions(&groups, args.sync).map_err(failure)?;
        answers.give(&document.to_json(), |document| format!("{document:#}"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut differences = Vec::new();
    for (model, group) in charter.models.iter().zip(groups) {
        let known = engine.state().registry().model(&model.name);
        let versions = known.map_or(&[] as &[Version], |known| &known.versions);
        let packages = service.list(&group).map_err(failure)?;
        let mirror = Mirror { model, group, versions, packages };
        differences.extend(mirror.compare(args.sync.then_some(&service))?);
    }
    answers.give(&serde_json::json!({ "differences": differences }), |_| text(&differences))?;
    // Even put right, an approval past the record must be heard of.
    let heard = differences.iter().any(|one| one.outside || !one.mended);
    Ok(if heard { ExitCode::from(Exit::Conflict as u8) } else { ExitCode::SUCCESS })
}

fn group(organisation: &str, model: &Model) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    format!("{organisation}-{}", model.name).chars().map(plain).collect()
}

impl Mirror<'_> {
    /// What is different; put right if there is a service to do it with.
    fn compare(&self, service: Option<&ModelPackages>) -> Result<Vec<Difference>, Failure> {
        let mut found = Vec::new();
        if self.packages.is_none() && !self.versions.is_empty() {
            found.push(self.behind(format!("there is no model package group `{}`", self.group), service));
            if let Some(service) = service {
                self.make_group(service)?;
            }
        }
        let packages = self.packages.as_deref().unwrap_or_default();
        let mut ours = BTreeSet::new();
        for version in self.versions {
            let number = version.version.to_string();
            let same = |package: &&Package| package.properties.get(VERSION) == Some(&number);
            let there: Vec<&Package> = packages.iter().filter(same).collect();
            ours.extend(there.iter().map(|package| package.arn.as_str()));
            self.one(version, &there, service, &mut found)?;
        }
        for package in packages.iter().filter(|package| !ours.contains(package.arn.as_str())) {
            let what = format!("`{}` ({:?}) is of no version in the record", package.arn, package.status);
            found.push(self.outside(what, false));
        }
        Ok(found)
    }

    fn one(
        &self,
        version: &Version,
        there: &[&Package],
        service: Option<&ModelPackages>,
        found: &mut Vec<Difference>,
    ) -> Result<(), Failure> {
        let number = version.version;
        let wanted = label(version);
        match there {
            [] => {
                found.push(self.behind(format!("version {number} is not there"), service));
                if let Some(service) = service {
                    let description = format!("version {number} of {}", self.model.name);
                    // Stopped between the two calls, it says what it is: not decided.
                    let mut first = wanted.properties.clone();
                    first.insert(APPROVAL.to_owned(), format!("{:?}", ApprovalStatus::PendingManualApproval));
                    let made = service.create(&self.group, &description, &first).map_err(failure)?;
                    service.label(&made.arn, &wanted).map_err(failure)?;
                }
            }
            [package] if package.properties.get(ARTEFACT) != wanted.properties.get(ARTEFACT) => {
                let what = format!("`{}` says that version {number} is another artefact", package.arn);
                found.push(self.outside(what, false));
            }
            [package] if package.status != wanted.status => {
                let what = format!(
                    "version {number} is {:?} there, and {} in the record",
                    package.status, version.status
                );
                // If it is not what was written last, or never could be, somebody else set it.
                let written = package.properties.get(APPROVAL) == Some(&format!("{:?}", package.status));
                let never = package.status == ApprovalStatus::Approved && version.signature.is_none();
                let outside = !written || never;
                self.mend(package, &wanted, service)?;
                found.push(match outside {
                    true => self.outside(what, service.is_some()),
                    false => self.behind(what, service),
                });
            }
            [package] if package.properties != wanted.properties => {
                self.mend(package, &wanted, service)?;
                found.push(self.behind(format!("what is written on version {number} is older"), service));
            }
            [_] => {}
            _ => found.push(self.outside(format!("version {number} is there {} times", there.len()), false)),
        }
        Ok(())
    }

    fn mend(
        &self,
        package: &Package,
        wanted: &Label,
        service: Option<&ModelPackages>,
    ) -> Result<(), Failure> {
        service.map_or(Ok(()), |service| service.label(&package.arn, wanted).map_err(failure))
    }

    fn make_group(&self, service: &ModelPackages) -> Result<(), Failure> {
        let tags = &self.model.tags;
        // The standard tags, as every other asset carries them.
        let tags: BTreeMap<String, String> = serde_json::to_value(tags)
            .ok()
            .and_then(|tags| serde_json::from_value(tags).ok())
            .unwrap_or_default();
        let description = format!("{}: a mirror; the record of Wardmote decides", self.model.name);
        service.create_group(&self.group, &description, &tags).map_err(failure)
    }

    fn behind(&self, what: String, service: Option<&ModelPackages>) -> Difference {
        Difference { model: self.model.name.to_string(), what, outside: false, mended: service.is_some() }
    }

    fn outside(&self, what: String, mended: bool) -> Difference {
        Difference { model: self.model.name.to_string(), what, outside: true, mended }
    }
}

/// What the record says of a version, in SageMaker's words.
fn label(version: &Version) -> Label {
    let status = match (version.is_approved(), version.status.is_refused()) {
        (true, _) => ApprovalStatus::Approved,
        (_, true) => ApprovalStatus::Rejected,
        _ => ApprovalStatus::PendingManualApproval,
    };
    let approvers: Vec<String> =
        version.approvals.iter().map(|given| given.approver.id.to_string()).collect();
    let evidence = version.signature.as_ref().map(|(_, _, evidence)| evidence);
    let evidence = evidence.or(version.validation.as_ref().map(|(_, evidence)| evidence));
    let evidence = evidence.unwrap_or(&version.registered_by).to_string();
    let by = if approvers.is_empty() { String::new() } else { format!(" by {}", approvers.join(", ")) };
    let registration = &version.registration;
    let mut properties = BTreeMap::from([
        (VERSION.to_owned(), version.version.to_string()),
        (ARTEFACT.to_owned(), registration.artefact.to_string()),
        (APPROVAL.to_owned(), format!("{status:?}")),
        ("wardmote:status".to_owned(), version.status.to_string()),
        ("wardmote:evidence".to_owned(), evidence.clone()),
        (
            "wardmote:snapshot".to_owned(),
            registration.snapshot().map(ToString::to_string).unwrap_or_default(),
        ),
    ]);
    properties
        .extend(registration.code.git_commit.clone().map(|commit| ("wardmote:commit".to_owned(), commit)));
    if version.own_work().next().is_some() {
        properties.insert("wardmote:separation".to_owned(), "not achieved".to_owned());
    }
    Label { status, why: format!("wardmote: {}{by}; evidence {evidence}", version.status), properties }
}

fn text(differences: &[Difference]) -> String {
    if differences.is_empty() {
        return "the SageMaker Model Registry says what the record says".to_owned();
    }
    let line = |one: &Difference| {
        let kind = if one.outside { "OUTSIDE" } else { "behind " };
        let end = if one.mended { "; put right" } else { "" };
        format!("{kind} {}: {}{end}", one.model, one.what)
    };
    differences.iter().map(line).collect::<Vec<_>>().join("\n")
}
