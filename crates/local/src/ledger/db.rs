//! Connections to `ledger.db`, raw reads of it, and the lock on the folder.
//!
//! POSIX locks belong to a process and a file: closing any descriptor of the file takes the locks of all SQLite
//! connections of this process away (sqlite.org/howtocorrupt.html, 2.2). So connections are counted, and as long as
//! there is one, the descriptor for raw reads stays open.
//!
//! The lock on the folder (`flock`) says who relies on the main file as it is: shared for commits, which leave it alone,
//! and for whoever reads it raw or as immutable; exclusive for writing the WAL back. It needs no right to write.

use rusqlite::Connection;
use std::collections::BTreeMap;
use std::fs::{File, Metadata, TryLockError};
use std::io;
use std::ops::{Deref, DerefMut};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use world::{Kind, PortError};

/// How long to wait for another process.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// A connection that [`read_raw`] knows of.
pub(super) struct Db {
    // Dropped in this order.
    connection: Connection,
    _counted: Counted,
    _lock: Option<FolderLock>,
}

impl Db {
    /// Opens a connection to the file at `path`; `lock` is held as long as the connection.
    pub(super) fn open(
        path: &Path,
        lock: Option<FolderLock>,
        open: impl FnOnce() -> rusqlite::Result<Connection>,
    ) -> Result<Self, PortError> {
        let counted = Counted::of(path).map_err(|error| unreadable(path, error))?;
        let connection = open().map_err(|error| super::schema::failed("open", &error))?;
        Ok(Self { connection, _counted: counted, _lock: lock })
    }
}

impl Deref for Db {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl DerefMut for Db {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}

/// A file, whatever its name.
type FileId = (u64, u64);

/// What this process has open.
#[derive(Default)]
struct Open {
    connections: usize,
    raw: Option<File>,
}

static OPEN: Mutex<BTreeMap<FileId, Open>> = Mutex::new(BTreeMap::new());

fn open_files() -> MutexGuard<'static, BTreeMap<FileId, Open>> {
    // The map is whole between any two statements, so a panic elsewhere does not spoil it.
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn id(meta: &Metadata) -> FileId {
    (meta.dev(), meta.ino())
}

/// One connection in the count.
struct Counted(FileId);

impl Counted {
    fn of(path: &Path) -> io::Result<Self> {
        let id = id(&std::fs::metadata(path)?);
        open_files().entry(id).or_default().connections += 1;
        Ok(Self(id))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut all = open_files();
        let left = all.get_mut(&self.0).map_or(0, |open| {
            open.connections -= 1;
            open.connections
        });
        if left == 0 {
            all.remove(&self.0);
        }
    }
}

/// The bytes of the file, past SQLite.
pub(super) fn read_raw(path: &Path) -> Result<Vec<u8>, PortError> {
    let read = || -> io::Result<Vec<u8>> {
        // Held to the end: no connection comes to be between looking and closing.
        let mut all = open_files();
        let Some(open) = all.get_mut(&id(&std::fs::metadata(path)?)) else { return std::fs::read(path) };
        let file = match &mut open.raw {
            Some(file) => file,
            none => none.insert(File::open(path)?),
        };
        let mut bytes = vec![0; usize::try_from(file.metadata()?.len()).unwrap_or(0)];
        file.read_exact_at(&mut bytes, 0)?;
        Ok(bytes)
    };
    read().map_err(|error| unreadable(path, error))
}

fn unreadable(path: &Path, error: io::Error) -> PortError {
    PortError::io(format!("read `{}`", path.display()), error)
}

/// The lock on the folder of a ledger, until it is dropped.
pub(super) struct FolderLock {
    _dir: File,
}

impl FolderLock {
    /// With others, and never while the main file changes.
    pub(super) fn shared(dir: &Path) -> Result<Self, PortError> {
        Self::lock(dir, PATIENCE, File::try_lock_shared)?.ok_or_else(|| {
            let text = format!("the ledger in `{}` is being written back by another process", dir.display());
            PortError::new(Kind::Busy, text).with_help("run the command again")
        })
    }

    /// Alone; none if others do not let go in time.
    pub(super) fn exclusive(dir: &Path, patience: Duration) -> Result<Option<Self>, PortError> {
        Self::lock(dir, patience, File::try_lock)
    }

    fn lock(
        dir: &Path,
        patience: Duration,
        attempt: impl Fn(&File) -> Result<(), TryLockError>,
    ) -> Result<Option<Self>, PortError> {
        let failed = |error| PortError::io(format!("lock `{}`", dir.display()), error);
        let file = File::open(dir).map_err(failed)?;
        let start = Instant::now();
        loop {
            match attempt(&file) {
                Ok(()) => return Ok(Some(Self { _dir: file })),
                Err(TryLockError::Error(error)) => return Err(failed(error)),
                Err(TryLockError::WouldBlock) if start.elapsed() >= patience => return Ok(None),
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(1)),
            }
        }
    }
}
