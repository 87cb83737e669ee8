//! Files that only their owner can read, whole or not at all, and still there after a power cut.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use world::{Content, PortError, next_part};

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

/// Writes a new file under its name in one step, as it is read. Whether it had the length that it says.
pub(crate) fn replace_from(path: &Path, content: &dyn Content) -> Result<bool, PortError> {
    let fresh = fresh_name(path);
    let write = || -> io::Result<bool> {
        let mut file = private(&fresh)?;
        // A byte more shows that it is longer.
        let written = io::copy(&mut content.reader().take(content.length() + 1), &mut file)?;
        if written != content.length() {
            return Ok(false);
        }
        file.sync_all()?;
        fs::rename(&fresh, path).and_then(|()| sync_dir(path)).map(|()| true)
    };
    let result = write();
    if !matches!(result, Ok(true)) {
        drop(fs::remove_file(&fresh));
    }
    result.map_err(|error| PortError::io(format!("write `{}`", path.display()), error))
}

/// Whether a file has this content; compared as both are read.
pub(crate) fn holds(path: &Path, content: &dyn Content) -> Result<bool, PortError> {
    const STEP: u64 = 1 << 20;
    let failed = |error| PortError::io(format!("read `{}`", path.display()), error);
    let mut there = File::open(path).map_err(failed)?;
    if there.metadata().map_err(failed)?.len() != content.length() {
        return Ok(false);
    }
    let mut wanted = content.reader();
    loop {
        let (one, other) = (next_part(&mut there, STEP)?, next_part(wanted.as_mut(), STEP)?);
        if one != other || one.is_empty() {
            return Ok(one == other);
        }
    }
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

fn private(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = private(path)?;
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
