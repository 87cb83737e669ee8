//! The seal: a digest of every page of the main file, with the entries that the page holds. It makes every bit of the
//! file count, also those that SQLite itself would not notice, and it tells which entries a damaged page held even
//! if SQLite cannot read it any more. Against damage; against forgers there is the signed checkpoint.
//!
//! The main file changes only when the WAL is written back. Before that, the seal of what it will be is announced in
//! `seal.next`; after it, `seal.next` becomes `seal`. Whatever moment a kill chooses, every page is as one of the two
//! says, or is about to be replaced from the WAL.

use super::db::{Db, FolderLock, read_raw};
use super::{DB, schema, wal};
use crate::files;
use facts::Digest;
use rusqlite::Connection;
use std::path::Path;
use std::time::Duration;
use world::{Kind, PortError};

const SEAL: &str = "seal";
const NEXT: &str = "seal.next";
const HEADER: &str = "wardmote ledger seal v1";

/// What a seal says of one page.
struct Page {
    digest: Digest,
    first: u64,
    last: u64,
}

/// One seal.
struct Seal {
    page_bytes: usize,
    pages: Vec<Page>,
}

/// Writes the WAL back into the main file and seals the main file. Skipped, without harm, if others use the ledger for
/// longer than `patience`. Returns whether it was done.
pub(super) fn write_back(db: &mut Db, dir: &Path, patience: Duration) -> Result<bool, PortError> {
    let Some(_lock) = FolderLock::exclusive(dir, patience)? else { return Ok(false) };
    announce(db, dir)?;
    let busy: i64 = db
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
        .map_err(|error| schema::failed("write back", &error))?;
    if busy != 0 {
        return Ok(false);
    }
    let (next, seal) = (dir.join(NEXT), dir.join(SEAL));
    std::fs::rename(&next, &seal)
        .and_then(|()| files::sync_dir(&seal))
        .map_err(|error| PortError::io(format!("write `{}`", seal.display()), error))?;
    Ok(true)
}

/// Writes down what the main file will be. With the lock on the folder, nothing is committed between this and the end.
fn announce(db: &mut Db, dir: &Path) -> Result<(), PortError> {
    let failed = |error: rusqlite::Error| schema::failed("seal", &error);
    // A seal that cannot be read any more says nothing about pages; verification tells until here.
    let before = [load(dir, NEXT).unwrap_or_default(), load(dir, SEAL).unwrap_or_default()];
    let replaced = wal::pages(dir)?;
    let ranges = ranges(db).map_err(failed)?;
    let page_bytes: i64 = db.query_row("PRAGMA page_size", [], |row| row.get(0)).map_err(failed)?;
    let page_bytes = usize::try_from(page_bytes).unwrap_or(4096).max(512);
    let main = db.serialize("main").map_err(failed)?;
    let pages = main.chunks(page_bytes).enumerate().map(|(n, page)| {
        let (first, last) = ranges.get(n).copied().unwrap_or((0, 0));
        let digest = Digest::of(page);
        let mut sealed = before.iter().flatten().filter_map(|seal| seal.pages.get(n)).map(|page| page.digest);
        // A page that nobody wrote and that is not as it was sealed is damaged, and stays so: it keeps its digest.
        let damaged = !replaced.contains(&(n as u64 + 1)) && sealed.clone().all(|sealed| sealed != digest);
        Page { digest: sealed.next().filter(|_| damaged).unwrap_or(digest), first, last }
    });
    let text = Seal { page_bytes, pages: pages.collect() }.to_text();
    files::replace(&dir.join(NEXT), text.as_bytes())
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

/// The main file beside its seals.
pub(super) struct Compared {
    /// Pages that are as no seal says, and that the WAL does not replace.
    pub(super) damaged: Vec<DamagedPage>,
    /// Whether all others are as a seal says.
    pub(super) covered: bool,
}

/// Compares the raw main file with its seals. None if there is no seal yet. To be called under the lock on the folder.
pub(super) fn compare(dir: &Path) -> Result<Option<Compared>, PortError> {
    let seals: Vec<Seal> = [load(dir, SEAL)?, load(dir, NEXT)?].into_iter().flatten().collect();
    let Some(first) = seals.first() else { return Ok(None) };
    let replaced = wal::pages(dir)?;
    let main = read_raw(&dir.join(DB))?;
    let actual: Vec<Digest> = main.chunks(first.page_bytes).map(Digest::of).collect();
    let count = seals.iter().map(|seal| seal.pages.len()).chain([actual.len()]).max().unwrap_or(0);
    let last = seals.iter().flat_map(|seal| &seal.pages).map(|page| page.last).max().unwrap_or(0);
    let mut compared = Compared { damaged: Vec::new(), covered: true };
    for n in 0..count {
        let sealed = || seals.iter().filter_map(|seal| seal.pages.get(n));
        let number = n as u64 + 1;
        if actual.get(n).is_some_and(|digest| sealed().any(|page| page.digest == *digest)) {
            continue;
        }
        // A page that the first seal knows was there before the WAL: it may be old or new, not gone.
        let gone = actual.len() <= n && n < first.pages.len();
        if replaced.contains(&number) && !gone {
            compared.covered = false;
            continue;
        }
        let (from, to) = sealed().next_back().map_or((last, last), |page| (page.first, page.last));
        compared.damaged.push(DamagedPage { page: number, first: from, last: to });
    }
    Ok(Some(compared))
}

fn load(dir: &Path, name: &str) -> Result<Option<Seal>, PortError> {
    let path = dir.join(name);
    match files::read(&path) {
        Ok(bytes) => Seal::parse(&String::from_utf8(bytes).unwrap_or_default())
            .map(Some)
            .ok_or_else(|| PortError::new(Kind::Damaged, format!("`{}` is damaged", path.display()))),
        Err(error) if error.kind() == Kind::Absent => Ok(None),
        Err(error) => Err(error),
    }
}

impl Seal {
    fn to_text(&self) -> String {
        let mut text = format!("{HEADER}\npage_bytes {}\n", self.page_bytes);
        for page in &self.pages {
            text.push_str(&format!("{} {} {}\n", page.digest.to_hex(), page.first, page.last));
        }
        let whole = Digest::of(text.as_bytes()).to_hex();
        format!("{text}end {whole}\n")
    }

    fn parse(text: &str) -> Option<Self> {
        let end = text.rfind("end ")?;
        (text[end..] == format!("end {}\n", Digest::of(&text.as_bytes()[..end]).to_hex())).then_some(())?;
        let mut lines = text[..end].lines();
        (lines.next()? == HEADER).then_some(())?;
        let page_bytes =
            lines.next()?.strip_prefix("page_bytes ")?.parse().ok().filter(|bytes| *bytes >= 512)?;
        let pages = lines
            .map(|line| {
                let mut words = line.split(' ');
                let digest = format!("sha256:{}", words.next()?).parse().ok()?;
                Some(Page { digest, first: words.next()?.parse().ok()?, last: words.next()?.parse().ok()? })
            })
            .collect::<Option<Vec<_>>>()?;
        Some(Self { page_bytes, pages })
    }
}
