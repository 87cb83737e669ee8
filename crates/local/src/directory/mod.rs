//! Serving from a folder: `releases/NAME/` holds the files of a version, and the link `current` leads to the one that
//! serves. Changing it is one step, so a model server that reads `current/` sees the old version or the new one. While two share
//! the traffic, `weights.json` says in per cent who has how much; a model server that does not read it serves the old one.

use crate::files;
use facts::serving::{Directory, ServeOn};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;
use world::{Condition, Files, Fleet, Kind, Observed, Pace, PortError, Release, Share, Site};

const CURRENT: &str = "current";
const RELEASES: &str = "releases";
/// An object of releases and their shares in per cent.
const WEIGHTS: &str = "weights.json";
/// A version has no more files than that, and a folder that has is not one of ours.
const MOST_FILES: usize = 10_000;
const LOOKS: u32 = 3;

/// Folders that model servers read.
#[derive(Debug, Clone)]
pub struct ServingDirectories {
    base: PathBuf,
}

impl ServingDirectories {
    /// Folders of which the relative ones are in `base`. Nothing is made yet.
    pub fn at(base: &Path) -> Self {
        Self { base: base.to_owned() }
    }

    fn root(&self, site: &Site) -> Result<PathBuf, PortError> {
        match &site.on {
            ServeOn::Directory(Directory { path, .. }) => Ok(self.base.join(path)),
            other => {
                let text = format!("`{}` serves on {}, which is no folder", site.endpoint, other.platform());
                Err(PortError::new(Kind::Invalid, text))
            }
        }
    }

    /// Who shares the traffic; nothing if one has all of it.
    fn weights(&self, site: &Site) -> Result<Option<Vec<Share>>, PortError> {
        let path = self.root(site)?.join(WEIGHTS);
        if !path.exists() {
            return Ok(None);
        }
        let wrong = || {
            PortError::new(Kind::Damaged, format!("`{}` does not say who has which share", path.display()))
                .with_help("see who wrote it, and remove it: the link says who serves")
        };
        let all: BTreeMap<String, f64> = serde_json::from_slice(&files::read(&path)?).map_err(|_| wrong())?;
        let mut shares: Vec<Share> =
            all.into_iter().map(|(release, percent)| Share { release, percent }).collect();
        shares.sort_by(|a, b| b.percent.total_cmp(&a.percent).then_with(|| a.release.cmp(&b.release)));
        Ok(Some(shares))
    }

    fn forget_weights(&self, site: &Site) -> Result<(), PortError> {
        let path = self.root(site)?.join(WEIGHTS);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(PortError::io(format!("remove `{}`", path.display()), error))
            }
            _ => Ok(()),
        }
    }

    fn place(&self, site: &Site, name: &str) -> Result<PathBuf, PortError> {
        Ok(self.root(site)?.join(RELEASES).join(single(name)?))
    }
}

/// A name of one part, that leads nowhere else.
fn single(name: &str) -> Result<&str, PortError> {
    let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if (1..=63).contains(&name.len()) && name.bytes().all(letter) {
        return Ok(name);
    }
    Err(PortError::new(Kind::Invalid, format!("`{}` is not the name of a release", name.escape_debug())))
}

/// The files under a folder, by path.
fn read_all(dir: &Path) -> Result<Files, PortError> {
    let mut found = Files::new();
    let mut open = vec![PathBuf::new()];
    while let Some(inside) = open.pop() {
        let failed = |error| PortError::io(format!("list `{}`", dir.join(&inside).display()), error);
        for entry in fs::read_dir(dir.join(&inside)).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let path = inside.join(entry.file_name());
            if entry.file_type().map_err(failed)?.is_dir() {
                open.push(path);
            } else {
                found.insert(path.to_string_lossy().into_owned(), files::read(&dir.join(&path))?);
            }
            if found.len() > MOST_FILES {
                let text = format!("`{}` has more than {MOST_FILES} files", dir.display());
                return Err(PortError::new(Kind::Conflict, text));
            }
        }
    }
    Ok(found)
}

fn write_all(dir: &Path, all: &Files) -> Result<(), PortError> {
    files::private_dir(dir)?;
    for (name, bytes) in all {
        let path = Path::new(name);
        if !path.components().all(|part| matches!(part, Component::Normal(_))) {
            let text = format!("`{}` is not a path inside an artefact", name.escape_debug());
            return Err(PortError::new(Kind::Invalid, text));
        }
        let path = dir.join(path);
        if let Some(parent) = path.parent() {
            files::private_dir(parent)?;
        }
        files::replace(&path, bytes)?;
    }
    Ok(())
}

fn remove_all(dir: &Path) -> Result<(), PortError> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(PortError::io(format!("remove `{}`", dir.display()), error))
        }
        _ => Ok(()),
    }
}

impl Fleet for ServingDirectories {
    fn describe(&self, site: &Site) -> Result<Observed, PortError> {
        let root = self.root(site)?;
        let link = root.join(CURRENT);
        let target = match fs::read_link(&link) {
            Ok(target) => target,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Observed::absent()),
            Err(error) => return Err(PortError::io(format!("read the link `{}`", link.display()), error)),
        };
        let shown = target.strip_prefix(RELEASES).unwrap_or(&target).to_string_lossy().into_owned();
        let there = root.join(&target).is_dir();
        let condition = if there { Condition::Steady } else { Condition::Failed };
        let said = (!there).then(|| format!("`{}` leads to nothing", link.display()));
        let alone = || vec![Share { release: shown, percent: 100.0 }];
        let serving = self.weights(site)?.unwrap_or_else(alone);
        Ok(Observed { condition, serving, towards: None, said })
    }

    fn find(&self, site: &Site, release: &Release) -> Result<Option<String>, PortError> {
        for name in release.recorded.iter().cloned().chain([release.name(site)]) {
            let place = self.place(site, &name)?;
            if place.is_dir() && release.is_made_of(&read_all(&place)?) {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }

    fn prepare(&self, site: &Site, release: &Release, files: &Files) -> Result<String, PortError> {
        if !release.is_made_of(files) {
            return Err(PortError::new(Kind::Invalid, "the files are not the artefact of the version"));
        }
        let name = release.name(site);
        let place = self.place(site, &name)?;
        if place.exists() {
            if place.is_dir() && release.is_made_of(&read_all(&place)?) {
                return Ok(name);
            }
            let text = format!("`{}` is there with other content", place.display());
            return Err(PortError::new(Kind::Conflict, text)
                .with_help("see who changed it, and move it away; then run the command again"));
        }
        // No release has a dot in its name: what a crash leaves half written is none.
        let fresh = self.root(site)?.join(RELEASES).join(format!(".{name}.{}", std::process::id()));
        remove_all(&fresh)?;
        let written = write_all(&fresh, files).and_then(|()| {
            fs::rename(&fresh, &place)
                .and_then(|()| files::sync_dir(&place))
                .map_err(|error| PortError::io(format!("make `{}`", place.display()), error))
        });
        if written.is_err() {
            drop(fs::remove_dir_all(&fresh));
        }
        written.map(|()| name)
    }

    fn shift(&self, site: &Site, release: &str, _pace: Pace) -> Result<(), PortError> {
        let (root, place) = (self.root(site)?, self.place(site, release)?);
        if !place.is_dir() {
            return Err(PortError::new(Kind::Absent, format!("there is no release `{release}`")));
        }
        let (link, fresh) = (root.join(CURRENT), root.join(format!(".{CURRENT}.{}", std::process::id())));
        let failed = |error| PortError::io(format!("change the link `{}`", link.display()), error);
        if fs::symlink_metadata(&fresh).is_ok() {
            fs::remove_file(&fresh).map_err(failed)?;
        }
        symlink(Path::new(RELEASES).join(release), &fresh)
            .and_then(|()| fs::rename(&fresh, &link))
            .and_then(|()| files::sync_dir(&link))
            .map_err(failed)?;
        self.forget_weights(site)
    }

    fn weigh(&self, site: &Site, release: &str, percent: u32) -> Result<(), PortError> {
        if !(1..=99).contains(&percent) {
            return Err(PortError::new(Kind::Invalid, format!("{percent} % are no share of the traffic")));
        }
        if !self.place(site, release)?.is_dir() {
            return Err(PortError::new(Kind::Absent, format!("there is no release `{release}`")));
        }
        let serving = self.describe(site)?.serving;
        let others: Vec<&str> =
            serving.iter().map(|share| share.release.as_str()).filter(|name| *name != release).collect();
        let [former] = others[..] else {
            let text = format!("`{release}` shares with one other release, and {} serve", others.len());
            return Err(PortError::new(Kind::Conflict, text));
        };
        let shares = BTreeMap::from([(former, 100 - percent), (release, percent)]);
        let text = serde_json::to_vec(&shares)
            .map_err(|error| PortError::new(Kind::Failed, format!("cannot encode the shares: {error}")))?;
        files::replace(&self.root(site)?.join(WEIGHTS), &text)
    }

    /// A folder has no alarms; whoever looks after the model server has so long to take the traffic back.
    fn watch(&self, _site: &Site, minutes: u32) -> Result<Option<String>, PortError> {
        std::thread::sleep(Duration::from_secs(u64::from(minutes) * 60));
        Ok(None)
    }

    fn examine(&self, site: &Site, release: &Release, name: &str) -> Result<Vec<String>, PortError> {
        let place = self.place(site, name)?;
        if !place.is_dir() {
            return Ok(vec![format!("`{}` is not there", place.display())]);
        }
        let same = release.is_made_of(&read_all(&place)?);
        let text =
            || format!("the files in `{}` are not those of version {}", place.display(), release.version);
        Ok(if same { Vec::new() } else { vec![text()] })
    }

    fn stop(&self, site: &Site) -> Result<(), PortError> {
        self.forget_weights(site)?;
        let link = self.root(site)?.join(CURRENT);
        match fs::remove_file(&link) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(PortError::io(format!("remove the link `{}`", link.display()), error))
            }
            _ => Ok(()),
        }
    }

    fn prune(&self, site: &Site, keep: &BTreeSet<String>) -> Result<Vec<String>, PortError> {
        let serving = self.describe(site)?.serving;
        let dir = self.root(site)?.join(RELEASES);
        let entries = match fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(PortError::io(format!("list `{}`", dir.display()), error)),
        };
        let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
        let mut gone: Vec<String> = names
            .filter(|name| single(name).is_ok() && !keep.contains(name))
            .filter(|name| !serving.iter().any(|share| share.release == *name))
            .collect();
        gone.sort();
        gone.iter().try_for_each(|name| remove_all(&dir.join(name)))?;
        Ok(gone)
    }

    fn wait(&self, _site: &Site, looks: u32) -> bool {
        // A link has changed or it has not.
        looks < LOOKS
    }
}
