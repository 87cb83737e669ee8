//! Which pages of the main file the WAL is about to replace (sqlite.org/fileformat2.html, 4). Only the numbers: the
//! content is SQLite's.

use super::DB;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::path::Path;
use world::PortError;

const HEADER_BYTES: usize = 32;
const FRAME_HEADER_BYTES: usize = 24;

/// How long the WAL is; 0 without one.
pub(super) fn bytes(dir: &Path) -> u64 {
    std::fs::metadata(dir.join(DB).with_extension("db-wal")).map_or(0, |meta| meta.len())
}

/// The numbers, from 1, of the pages in committed transactions of the WAL.
pub(super) fn pages(dir: &Path) -> Result<BTreeSet<u64>, PortError> {
    let path = dir.join(DB).with_extension("db-wal");
    let failed = |error| PortError::io(format!("read `{}`", path.display()), error);
    match File::open(&path) {
        // SQLite's locks are on the main file and the index, so closing this descriptor takes none away.
        Ok(file) => read(&mut BufReader::with_capacity(1 << 16, file)).map_err(failed),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(BTreeSet::new()),
        Err(error) => Err(failed(error)),
    }
}

fn read(wal: &mut impl Read) -> std::io::Result<BTreeSet<u64>> {
    let (mut committed, mut open) = (BTreeSet::new(), BTreeSet::new());
    let mut header = [0; HEADER_BYTES];
    if !fill(wal, &mut header)? {
        return Ok(committed);
    }
    let word = |bytes: &[u8], at: usize| {
        bytes.get(at..at + 4).and_then(|word| word.try_into().ok()).map_or(0, u32::from_be_bytes)
    };
    let mut page = vec![0; usize::try_from(word(&header, 8)).unwrap_or(0).clamp(512, 65_536)];
    let mut frame = [0; FRAME_HEADER_BYTES];
    // Frames with other salts are left from before the WAL was started anew.
    while fill(wal, &mut frame)? && frame[8..16] == header[16..24] && fill(wal, &mut page)? {
        open.insert(u64::from(word(&frame, 0)));
        if word(&frame, 4) != 0 {
            committed.append(&mut open);
        }
    }
    Ok(committed)
}

/// Whether there were enough bytes.
fn fill(wal: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<bool> {
    match wal.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}
