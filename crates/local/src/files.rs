//! Files that only their owner can read, whole or not at all, and still there after a power cut.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use world::PortError;

/// Makes a folder, and those above it, that only the owner can enter.
pub(crate) fn private_dir(dir: &Path) -> Result<(), PortError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder.create(dir).map_err(|error| PortError::io(format!("make the folder `{}`", dir.display()), error))
}

/// Writes a file under its name in one step: a crash leaves the old content or the new.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), PortError> {
    put(path, bytes)?;
    sync_dir(path).map_err(|error| PortError::io(format!("write `{}`", path.display()), error))
}

/// As [`replace`], but a power cut may take the new content back to the old.
pub(crate) fn put(path: &Path, bytes: &[u8]) -> Result<(), PortError> {
    let fresh = fresh_name(path);
    let result = write_synced(&fresh, bytes).and_then(|()| fs::rename(&fresh, path));
    if result.is_err() {
        drop(fs::remove_file(&fresh));
    }
    result.map_err(|error| PortError::io(format!("write `{}`", path.display()), error))
}

/// Reads a whole file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, PortError> {
    fs::read(path).map_err(|error| PortError::io(format!("read `{}`", path.display()), error))
}

/// A name beside `path` that no other writer uses at the same time.
fn fresh_name(path: &Path) -> std::path::PathBuf {
    use std::sync::atomic::{AtomicU64, Ordering};
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}-{}.part", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
    path.with_file_name(name)
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes a new name in a folder durable.
pub(crate) fn sync_dir(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => File::open(dir)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}
