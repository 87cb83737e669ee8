//! The seal: a digest of every page of the main file, with the entries that the page holds. It makes every bit of the
//! file count, also those that SQLite itself would not notice, and it tells which entries a damaged page held even
//! if SQLite cannot read it any more. Against damage; against forgers there is the signed checkpoint.

use super::{DB, schema};
use crate::files;
use facts::Digest;
use rusqlite::Connection;
use std::fs::{File, OpenOptions};
use std::path::Path;
use world::{Kind, PortError};

pub(super) const SEAL: &str = "seal";
const LOCK: &str = "seal.lock";
const HEADER: &str = "wardmote ledger seal v1";

/// What the seal says of one page.
struct Page {
    digest: Digest,
    first: u64,
    last: u64,
}

/// Writes the WAL back into the main file and seals the main file. Skipped, without harm, while another process reads.
/// Returns whether it was done.
pub(super) fn write_back(connection: &Connection, dir: &Path) -> Result<bool, PortError> {
    let path = dir.join(LOCK);
    let lock = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(|error| PortError::io(format!("open `{}`", path.display()), error))?;
    File::lock(&lock).map_err(|error| PortError::io(format!("lock `{}`", path.display()), error))?;
    let busy: i64 = connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
        .map_err(|error| schema::failed("write back", &error))?;
    if busy != 0 {
        return Ok(false);
    }
    let ranges = ranges(connection).map_err(|error| schema::failed("seal", &error))?;
    let main = files::read(&dir.join(DB))?;
    let page_bytes: i64 = connection
        .query_row("PRAGMA page_size", [], |row| row.get(0))
        .map_err(|error| schema::failed("seal", &error))?;
    let page_bytes = usize::try_from(page_bytes).unwrap_or(4096).max(512);
    let mut text = format!("{HEADER}\npage_bytes {page_bytes}\n");
    for (n, page) in main.chunks(page_bytes).enumerate() {
        let (first, last) = ranges.get(n).copied().unwrap_or((0, 0));
        text.push_str(&format!("{} {first} {last}\n", Digest::of(page).to_hex()));
    }
    let whole = Digest::of(text.as_bytes()).to_hex();
    files::replace(&dir.join(SEAL), format!("{text}end {whole}\n").as_bytes())?;
    Ok(true)
}

/// For every page, the entries in it, or reached through it.
fn ranges(connection: &Connection) -> rusqlite::Result<Vec<(u64, u64)>> {
    let last: Option<i64> = connection.query_row("SELECT max(idx) FROM entry", [], |row| row.get(0))?;
    let last = last.map_or(0, i64::unsigned_abs);
    let count: i64 = connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
    let mut ranges = vec![(0, last); usize::try_from(count).unwrap_or(0)];
    let mut statement = connection
        .prepare("SELECT pageno, pagetype, ncell FROM dbstat WHERE name = 'entry' ORDER BY path")?;
    let mut rows = statement.query([])?;
    let mut next = 0;
    while let Some(row) = rows.next()? {
        let (page, kind, cells): (i64, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let Some(range) = usize::try_from(page).ok().and_then(|page| ranges.get_mut(page.checked_sub(1)?))
        else {
            continue;
        };
        match kind.as_str() {
            "leaf" => {
                *range = (next, (next + cells.unsigned_abs()).saturating_sub(1).min(last));
                next += cells.unsigned_abs();
            }
            // The rest of a long entry; its leaf comes right before it.
            "overflow" => *range = (next.saturating_sub(1), next.saturating_sub(1).min(last)),
            _ => {}
        }
    }
    Ok(ranges)
}

/// A page that is not as it was sealed.
pub(super) struct DamagedPage {
    /// From 1.
    pub(super) page: u64,
    /// The first entry that it holds or leads to.
    pub(super) first: u64,
    /// The last.
    pub(super) last: u64,
}

/// Compares the raw main file with its seal. None if there is no seal yet.
pub(super) fn compare(dir: &Path) -> Result<Option<Vec<DamagedPage>>, PortError> {
    let text = match files::read(&dir.join(SEAL)) {
        Ok(bytes) => String::from_utf8(bytes).unwrap_or_default(),
        Err(error) if error.kind() == Kind::Absent => return Ok(None),
        Err(error) => return Err(error),
    };
    let (page_bytes, pages) = parse(&text)
        .ok_or_else(|| PortError::new(Kind::Damaged, format!("`{}` is damaged", dir.join(SEAL).display())))?;
    let main = files::read(&dir.join(DB))?;
    let mut actual = main.chunks(page_bytes);
    let mut damaged = Vec::new();
    let last = pages.iter().map(|page| page.last).max().unwrap_or(0);
    for (n, page) in pages.iter().enumerate() {
        if actual.next().map(Digest::of) != Some(page.digest) {
            damaged.push(DamagedPage { page: n as u64 + 1, first: page.first, last: page.last });
        }
    }
    if actual.next().is_some() {
        damaged.push(DamagedPage { page: pages.len() as u64 + 1, first: last, last });
    }
    Ok(Some(damaged))
}

fn parse(text: &str) -> Option<(usize, Vec<Page>)> {
    let end = text.rfind("end ")?;
    (text[end..] == format!("end {}\n", Digest::of(&text.as_bytes()[..end]).to_hex())).then_some(())?;
    let mut lines = text[..end].lines();
    (lines.next()? == HEADER).then_some(())?;
    let page_bytes = lines.next()?.strip_prefix("page_bytes ")?.parse().ok().filter(|bytes| *bytes >= 512)?;
    let pages = lines
        .map(|line| {
            let mut words = line.split(' ');
            let digest = format!("sha256:{}", words.next()?).parse().ok()?;
            Some(Page { digest, first: words.next()?.parse().ok()?, last: words.next()?.parse().ok()? })
        })
        .collect::<Option<Vec<_>>>()?;
    Some((page_bytes, pages))
}
