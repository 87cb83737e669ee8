//! The folder of a house, and the adapters over it: the embedded ones, and those of AWS where `house.json` says so.
//!
//! ```text
//! charter.yaml        what people write (or charter/*.yaml)
//! house.json          where objects and keys are, if not here
//! credentials.json    access keys, 0600; the embedded default keeps them here for their holders to collect
//! ledger/             the record
//! keys/  objects/     the key service and the encrypted objects
//! capture/            traffic that is not sealed yet
//! scratch/            private folders of running programs
//! tracking.db         experiments and runs
//! waiting/            lines for CloudWatch Logs that are not there yet
//! ```

use crate::aws::HouseSettings;
use crate::failure::{Exit, Failure};
use crate::fleet::HouseFleet;
use charter::{Checked, SourceFile};
use engine::{Engine, Ports};
use facts::{Actor, PersonId};
use guard::AccessKey;
use local::{
    Cosigner, FolderObjects, LocalKeys, LocalPrograms, OnnxRuntime, SqliteLedger, SqliteTracking,
    SystemClock, SystemEntropy,
};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use world::{Entropy, KeyService, ObjectStore};

/// The folder of a house.
#[derive(Clone)]
pub(crate) struct House {
    dir: PathBuf,
    /// Whether a person reads how far something is that takes its time.
    tells: bool,
}

impl House {
    pub(crate) fn at(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), tells: false }
    }

    /// The same; what takes its time says on standard error how far it is, if `tells`.
    pub(crate) fn telling(self, tells: bool) -> Self {
        Self { tells, ..self }
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn ledger_dir(&self) -> PathBuf {
        self.dir.join("ledger")
    }

    pub(crate) fn capture_dir(&self) -> PathBuf {
        self.dir.join("capture")
    }

    /// Opens the house for work.
    pub(crate) fn open(&self) -> Result<Engine, Failure> {
        self.need_ledger()?;
        let ledger = Arc::new(SqliteLedger::open(&self.ledger_dir())?);
        let ports = self.ports(Arc::clone(&ledger))?;
        let keys = Arc::clone(&ports.keys);
        let engine = Engine::open(ports)?;
        if let Some(signer) = engine.state().checkpoint_signers().last() {
            ledger.cosigned_by(Cosigner::new(keys, signer.what.key.clone(), signer.what.verifier()?));
        }
        Ok(engine)
    }

    /// Opens the house for looking at.
    pub(crate) fn open_read_only(&self) -> Result<Engine, Failure> {
        self.need_ledger()?;
        let ledger = SqliteLedger::open_read_only(&self.ledger_dir())?;
        Ok(Engine::open(self.ports(Arc::new(ledger))?)?)
    }

    /// Opens the house, founding the ledger if there is none.
    pub(crate) fn open_or_found(&self, origin: &str) -> Result<Engine, Failure> {
        if !self.ledger_dir().join("ledger.db").exists() {
            let mut seed = [0; 32];
            SystemEntropy.fill(&mut seed)?;
            drop(SqliteLedger::create(&self.ledger_dir(), origin, seed)?);
        }
        self.open()
    }

    /// Whether there is a ledger.
    pub(crate) fn has_ledger(&self) -> bool {
        self.ledger_dir().join("ledger.db").exists()
    }

    /// The actor of this command: the access key proves who it is.
    pub(crate) fn sign_in(&self, engine: &Engine, act_as: Option<&PersonId>) -> Result<Actor, Failure> {
        let key = match act_as {
            Some(id) => self.credential(id)?,
            None => std::env::var("WARDMOTE_ACCESS_KEY").map_err(|_| {
                Failure::new(Exit::Usage, "this command acts for somebody, and nobody was named")
                    .with_help("add `--as ID`, or set WARDMOTE_ACCESS_KEY to an access key")
            })?,
        };
        let key =
            AccessKey::parse(key.trim()).map_err(|error| Failure::new(Exit::Input, error.to_string()))?;
        Ok(engine.sign_in(&key)?)
    }

    /// The access key of somebody, as the credentials file has it.
    pub(crate) fn credential(&self, id: &PersonId) -> Result<String, Failure> {
        let mut all = self.credentials()?;
        all.remove(id).ok_or_else(|| {
            Failure::new(
                Exit::NotFound,
                format!("there is no access key of `{id}` in `{}`", self.credentials_path().display()),
            )
            .with_help(format!(
                "a compliance officer can issue one: `wardmote credential issue {id} --as ID`"
            ))
        })
    }

    /// Adds access keys to the credentials file.
    pub(crate) fn deliver(&self, issued: &BTreeMap<PersonId, AccessKey>) -> Result<(), world::PortError> {
        let mut all = self.credentials_or_none()?.unwrap_or_default();
        for (holder, key) in issued {
            all.insert(holder.clone(), key.reveal().to_owned());
        }
        let bytes = serde_json::to_vec_pretty(&all).map_err(|error| {
            world::PortError::new(world::Kind::Failed, format!("cannot encode the credentials: {error}"))
        })?;
        write_private(&self.credentials_path(), &bytes)
    }

    /// The charter files of the folder: `charter.yaml`, or all of `charter/*.yaml` and `*.json`.
    pub(crate) fn charter_files(&self) -> Result<Vec<SourceFile>, Failure> {
        let single = self.dir.join("charter.yaml");
        let folder = self.dir.join("charter");
        let paths = if single.is_file() {
            vec![single]
        } else if folder.is_dir() {
            let entries = fs::read_dir(&folder)
                .map_err(|error| Failure::io(format!("read `{}`", folder.display()), error))?;
            let mut paths: Vec<PathBuf> =
                entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
            paths.retain(|path| {
                path.extension().is_some_and(|end| end == "yaml" || end == "yml" || end == "json")
            });
            paths.sort();
            paths
        } else {
            return Err(Failure::new(
                Exit::NotFound,
                format!("there is no `charter.yaml` in `{}`", self.dir.display()),
            )
            .with_help("write one with `wardmote init`, or name the folder with `--dir`"));
        };
        paths.iter().map(|path| self.charter_file(path)).collect()
    }

    /// A charter of other files than the folder's, checked.
    pub(crate) fn charter_of(&self, paths: &[PathBuf]) -> Result<Checked, Failure> {
        let files = paths.iter().map(|path| self.charter_file(path)).collect::<Result<Vec<_>, _>>()?;
        let (checked, _) = charter::read(&files).map_err(engine::Error::from)?;
        Ok(checked)
    }

    /// The charter of the folder, checked; warnings go to `warn`.
    pub(crate) fn charter(&self, warn: &mut dyn FnMut(&charter::Diagnostic)) -> Result<Checked, Failure> {
        let files = self.charter_files()?;
        let (checked, warnings) = charter::read(&files).map_err(engine::Error::from)?;
        warnings.iter().for_each(warn);
        Ok(checked)
    }

    fn charter_file(&self, path: &Path) -> Result<SourceFile, Failure> {
        let name = path.strip_prefix(&self.dir).unwrap_or(path).display().to_string();
        let bytes =
            fs::read(path).map_err(|error| Failure::io(format!("read `{}`", path.display()), error))?;
        let text = String::from_utf8(bytes)
            .map_err(|_| Failure::new(Exit::Input, format!("`{name}` is not UTF-8 text")))?;
        Ok(SourceFile { name, text })
    }

    fn need_ledger(&self) -> Result<(), Failure> {
        if self.has_ledger() {
            return Ok(());
        }
        Err(Failure::new(Exit::NotFound, format!("there is no ledger in `{}`", self.dir.display()))
            .with_help("name the folder of the house with `--dir`, or found one with `wardmote init` and `wardmote apply`"))
    }

    /// What `house.json` says.
    pub(crate) fn settings(&self) -> Result<HouseSettings, Failure> {
        HouseSettings::read(&self.dir)
    }

    fn ports(&self, ledger: Arc<SqliteLedger>) -> Result<Ports, Failure> {
        let settings = self.settings()?;
        let objects: Arc<dyn ObjectStore> = match settings.objects()? {
            Some(bucket) => Arc::new(bucket),
            None => Arc::new(FolderObjects::open(&self.dir.join("objects"))?),
        };
        let keys: Arc<dyn KeyService> = match settings.keys()? {
            Some(kms) => Arc::new(kms),
            None => {
                let passphrase = std::env::var("WARDMOTE_KEY_PASSPHRASE").ok();
                Arc::new(LocalKeys::open(&self.dir.join("keys"), passphrase.as_deref())?)
            }
        };
        Ok(Ports {
            ledger,
            objects,
            keys,
            runtime: Arc::new(OnnxRuntime),
            programs: Arc::new(LocalPrograms::open(&self.dir.join("scratch"))?),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            fleet: Arc::new(HouseFleet::of(&self.dir, self.tells)),
            tracking: Arc::new(SqliteTracking::at(&self.dir.join("tracking.db"))),
            folder: self.dir.clone(),
        })
    }

    fn credentials_path(&self) -> PathBuf {
        self.dir.join("credentials.json")
    }

    fn credentials(&self) -> Result<BTreeMap<PersonId, String>, Failure> {
        self.credentials_or_none()?.ok_or_else(|| {
            Failure::new(Exit::NotFound, format!("there is no `{}`", self.credentials_path().display()))
                .with_help("`wardmote apply` writes it when the first charter comes in force")
        })
    }

    fn credentials_or_none(&self) -> Result<Option<BTreeMap<PersonId, String>>, world::PortError> {
        let path = self.credentials_path();
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(world::PortError::io(format!("read `{}`", path.display()), error)),
        };
        serde_json::from_slice(&bytes).map(Some).map_err(|_| {
            world::PortError::new(
                world::Kind::Invalid,
                format!("`{}` is not a JSON object of ids and access keys", path.display()),
            )
        })
    }
}

/// Writes a file that only its owner can read, whole or not at all.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), world::PortError> {
    let failed = |error| world::PortError::io(format!("write `{}`", path.display()), error);
    if path.exists() && !path.is_file() {
        // A device or a pipe is written to as it is.
        return fs::OpenOptions::new()
            .write(true)
            .open(path)
            .and_then(|mut file| file.write_all(bytes))
            .map_err(failed);
    }
    let fresh = path.with_extension("part");
    let write = || -> std::io::Result<()> {
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            fs::create_dir_all(parent)?;
        }
        let mut file =
            fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&fresh, path)
    };
    write().map_err(failed)
}
