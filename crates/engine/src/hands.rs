//! Who had a hand in a version, from its lineage: who submitted and trained it, who committed code that nobody has
//! approved yet, who granted, made and labelled its data. None of them counts when it is approved.

use crate::record::Origin;
use crate::{Engine, Error};
use charter::model::Model;
use facts::{ModelName, PersonId, SnapshotName};
use registry::{CodeVersion, Committers, How, Involvement, Version};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use world::Program;

/// How many commits are read at once: their addresses fit in what is kept of a program's output.
const PAGE: usize = 200;
/// How far back the history of the code is read.
const MAX_COMMITS: usize = 20_000;
/// What is kept of a program's output; a page as long as that has lost its beginning.
const MAX_PAGE_BYTES: usize = 64 * 1024;
/// Author, committer and co-authors, each commit after a zero byte. Git's own names, whatever a `.mailmap` says.
const FORMAT: &str = "--format=%x00%ae%n%ce%n%(trailers:key=Co-authored-by,valueonly)";

/// What is known of the code that trained a version.
#[derive(Debug, Clone)]
pub(crate) struct CodeState {
    /// The commit, if it is in Git.
    pub(crate) git_commit: Option<String>,
    /// Whether there were changes that are in no commit.
    pub(crate) dirty: bool,
}

/// One hand in a version.
pub(crate) fn hand(person: &PersonId, how: How) -> Involvement {
    Involvement { person: person.clone(), how }
}

impl Engine {
    /// Whoever made, granted and labelled a snapshot and what it was made from.
    pub(crate) fn data_hands(
        &self,
        model: &ModelName,
        snapshot: &SnapshotName,
    ) -> Result<BTreeSet<Involvement>, Error> {
        let charter = self.charter()?;
        let mut hands = BTreeSet::new();
        let mut name = Some(snapshot.clone());
        while let Some(recorded) = name.take().and_then(|name| self.state.snapshot(&name)) {
            hands.insert(hand(&recorded.by, How::PreparedData));
            let granting = charter.granters(&recorded.what.dataset);
            hands.extend(granting.iter().map(|person| hand(person, How::GrantedData)));
            name = match &recorded.what.origin {
                Origin::File { .. } => None,
                Origin::Pseudonymised { source, .. } => Some(source.clone()),
                Origin::Feedback { base, sources, .. } => {
                    let labels = self.state.labels(model).iter();
                    let used = labels.filter(|batch| sources.contains(&batch.evidence));
                    hands.extend(used.map(|batch| hand(&batch.by, How::Labelled)));
                    Some(base.clone())
                }
            };
        }
        Ok(hands)
    }

    /// What goes on record of the code, and those people of the charter who committed it.
    pub(crate) fn code_hands(
        &self,
        model: &Model,
        code: CodeState,
    ) -> Result<(CodeVersion, BTreeSet<Involvement>), Error> {
        let charter = self.charter()?;
        let mut hands = BTreeSet::new();
        let committers = charter.lists_committers().then(|| match self.committers(model, &code) {
            Err(missing) => Committers::Unknown { missing },
            Ok(addresses) => {
                let mut strangers = 0;
                for address in &addresses {
                    match charter.committer(address) {
                        Some(person) => hands.extend(person.map(|person| hand(person, How::Committed))),
                        None => strangers += 1,
                    }
                }
                Committers::Known { strangers }
            }
        });
        Ok((CodeVersion { git_commit: code.git_commit, dirty: code.dirty, committers }, hands))
    }

    /// The addresses of all who wrote or committed code that is in no version which others approved: the commit itself,
    /// and what came since the last such version. Code that was approved by others once is nobody's own any more.
    fn committers(&self, model: &Model, code: &CodeState) -> Result<BTreeSet<String>, String> {
        let commit = code.git_commit.as_deref().ok_or("the code is not in Git")?;
        if code.dirty {
            return Err("the code had changes that are in no commit".to_owned());
        }
        let versions = self.state.registry().model(&model.name).map_or(&[] as &[_], |known| &known.versions);
        let approved = versions.iter().rev().filter(|version| others_approved(version));
        let before = approved.filter_map(|version| version.registration.code.git_commit.as_deref()).next();
        let since = before.map(|before| self.addresses(model, &format!("{before}..{commit}"), MAX_COMMITS));
        // A history that was rewritten has no such range: then all of it is new.
        let mut all = match since {
            Some(Ok(since)) => since,
            _ => self.addresses(model, commit, MAX_COMMITS)?,
        };
        all.extend(self.addresses(model, &format!("{commit}^!"), 1)?);
        Ok(all)
    }

    /// The addresses in the commits of a range that touch the code, at most so many.
    fn addresses(&self, model: &Model, range: &str, most: usize) -> Result<BTreeSet<String>, String> {
        let mut all = BTreeSet::new();
        for skip in (0..most).step_by(PAGE) {
            let (count, from) = (format!("--max-count={PAGE}"), format!("--skip={skip}"));
            let log = ["--no-replace-objects", "-c", "log.showSignature=false", "log", FORMAT, &count, &from];
            let paths = if most == 1 { &["--"] as &[&str] } else { &["--", "."] };
            let arguments: Vec<&str> = log.into_iter().chain([range]).chain(paths.iter().copied()).collect();
            let page = self
                .git(model, &arguments)
                .ok_or_else(|| format!("Git does not have the history of `{range}`"))?;
            if page.len() >= MAX_PAGE_BYTES {
                return Err(format!("the history of `{range}` is too long to be read"));
            }
            let commits: Vec<&str> = page.split('\0').skip(1).collect();
            all.extend(commits.iter().flat_map(|commit| commit.lines()).filter_map(address));
            if commits.len() < PAGE {
                return Ok(all);
            }
        }
        match most {
            1 => Ok(all),
            _ => Err(format!("`{range}` has more than {MAX_COMMITS} commits")),
        }
    }

    /// The folder of a model's code.
    pub(crate) fn code_folder(&self, model: &Model) -> PathBuf {
        match &model.training.code {
            Some(path) => self.ports.folder.join(path),
            None => self.ports.folder.clone(),
        }
    }

    /// What Git says in the folder of a model's code; none if it fails or is not there.
    pub(crate) fn git(&self, model: &Model, arguments: &[&str]) -> Option<String> {
        let program = Program {
            command: ["git"].iter().chain(arguments).map(|word| (*word).to_owned()).collect(),
            folder: self.code_folder(model),
            environment: BTreeMap::new(),
            inputs: BTreeMap::new(),
            time_limit_seconds: 20,
            at_commit: None,
        };
        let finished = self.ports.programs.run(&program).ok()?;
        (finished.exit_code == Some(0)).then_some(finished.output)
    }
}

/// Whether people who had no hand in a version approved it, and nobody took that back.
fn others_approved(version: &Version) -> bool {
    let counts = |given: &registry::ApprovalGiven| given.revoked.is_none() && given.own_work.is_none();
    version.is_approved() && version.approvals.iter().all(counts)
}

/// The address in a line: all of it, or what stands in angle brackets after a name.
fn address(line: &str) -> Option<String> {
    let named = line.rsplit_once('<').and_then(|(_, rest)| rest.split_once('>')).map(|(address, _)| address);
    let address = named.unwrap_or(line).trim().to_lowercase();
    (!address.is_empty()).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn addresses_stand_alone_or_after_a_name() {
        assert_eq!(address("Ada@Bank.example").as_deref(), Some("ada@bank.example"));
        assert_eq!(address("Ada <b> Okafor <Ada@bank.example>").as_deref(), Some("ada@bank.example"));
        assert_eq!(address("  "), None);
    }
}
