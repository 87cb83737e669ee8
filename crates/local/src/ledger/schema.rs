//! The tables, and how they are read.

use super::db::{Db, FolderLock, PATIENCE};
use super::{DB, wal};
use facts::{Digest, StreamName};
use ledger::{Tree, leaf_hash};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension, ffi};
use std::path::Path;
use world::{Kind, PortError};

const TABLES: &str = "
    CREATE TABLE entry (idx INTEGER PRIMARY KEY, hash BLOB NOT NULL, leaf BLOB NOT NULL) STRICT;
    CREATE TABLE tile (idx INTEGER PRIMARY KEY, hashes BLOB NOT NULL) STRICT;
    CREATE TABLE head (stream TEXT PRIMARY KEY, next_seq INTEGER NOT NULL, last BLOB NOT NULL) STRICT;
    CREATE TABLE checkpoint (id INTEGER PRIMARY KEY CHECK (id = 0), note TEXT NOT NULL) STRICT;
";

/// Leaf hashes of a full tile (C2SP tlog-tiles).
pub(super) const TILE: u64 = 256;

/// A failed SQLite call.
pub(super) fn failed(attempt: &str, error: &rusqlite::Error) -> PortError {
    use rusqlite::ErrorCode;
    // SQLite says "full" only of a full disk; a quota or a limit on the file's size is a write that failed.
    let refused = error.sqlite_error().is_some_and(|error| {
        [ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_IOERR_SHMSIZE].contains(&error.extended_code)
    });
    let kind = match error.sqlite_error_code() {
        _ if refused => Kind::Full,
        Some(ErrorCode::DiskFull) => Kind::Full,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Kind::Busy,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Kind::Damaged,
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Kind::Denied,
        _ => Kind::Failed,
    };
    let why = match kind {
        Kind::Full => format!("the disk takes no more ({error})"),
        _ => error.to_string(),
    };
    let text = PortError::new(kind, format!("cannot {attempt} the ledger: {why}"));
    match kind {
        Kind::Full => {
            text.with_help("free some space, or raise the quota, and run the command again; nothing that was acknowledged is lost")
        }
        Kind::Damaged => text.with_help("run `wardmote verify` to see which entries are damaged"),
        _ => text,
    }
}

/// Makes an empty database.
pub(super) fn create(path: &Path) -> Result<(), PortError> {
    let connection = Connection::open(path).map_err(|error| failed("create", &error))?;
    connection.execute_batch(TABLES).map_err(|error| failed("create", &error))?;
    private(path)
}

/// Opens to read and write.
pub(super) fn open(path: &Path) -> Result<Db, PortError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Db::open(path, None, || Connection::open_with_flags(path, flags))?;
    configure(&db)?;
    Ok(db)
}

/// Opens to read. Without a WAL the file is taken as it is, so that not even a lock file appears beside it; the lock on
/// the folder keeps it as it is.
pub(super) fn open_read_only(dir: &Path) -> Result<Db, PortError> {
    let path = dir.join(DB);
    let text =
        path.to_str().ok_or_else(|| PortError::new(Kind::Invalid, "the folder's name is not UTF-8"))?;
    let escaped = text.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let lock = FolderLock::shared(dir)?;
    let mode = if wal::bytes(dir) > 0 { "mode=ro" } else { "immutable=1" };
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let db =
        Db::open(&path, Some(lock), || Connection::open_with_flags(format!("file:{escaped}?{mode}"), flags))?;
    db.busy_timeout(PATIENCE).map_err(|error| failed("open", &error))?;
    Ok(db)
}

fn configure(connection: &Connection) -> Result<(), PortError> {
    let error = |error: rusqlite::Error| failed("open", &error);
    connection.busy_timeout(PATIENCE).map_err(error)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(error)?;
    // Else each new value of a range has its statement planned anew.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(error)?;
    let mode: String =
        connection.query_row("PRAGMA journal_mode=wal", [], |row| row.get(0)).map_err(error)?;
    // An I/O error while switching leaves the old mode without complaint: look at what it says it did.
    if mode != "wal" {
        return Err(PortError::new(
            Kind::Failed,
            format!("the ledger could not be put into WAL mode (it is in `{mode}`)"),
        ));
    }
    connection.execute_batch("PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0;").map_err(error)
}

/// Lets SQLite remove its side files at the end. To be called with an empty WAL, so that closing changes nothing else.
pub(super) fn tidy_on_close(connection: &Connection) -> Result<(), PortError> {
    let set = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false);
    set.map(|_| ()).map_err(|error| failed("close", &error))
}

fn private(path: &Path) -> Result<(), PortError> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
        .map_err(|error| PortError::io(format!("protect `{}`", path.display()), error))
}

/// How many entries.
pub(super) fn size(connection: &Connection) -> Result<u64, PortError> {
    let last: Option<i64> = connection
        .prepare_cached("SELECT max(idx) FROM entry")
        .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
        .map_err(|error| failed("read", &error))?;
    Ok(last.map_or(0, |last| last.unsigned_abs() + 1))
}

/// Stored leaves from `from` on.
pub(super) fn leaves(
    connection: &Connection,
    from: u64,
    limit: usize,
) -> Result<Vec<(u64, Vec<u8>)>, PortError> {
    let read = || -> rusqlite::Result<Vec<(u64, Vec<u8>)>> {
        let mut statement =
            connection.prepare_cached("SELECT idx, leaf FROM entry WHERE idx >= ?1 ORDER BY idx LIMIT ?2")?;
        let rows = statement.query_map((to_sql(from), to_sql(limit as u64)), |row| {
            Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get(1)?))
        })?;
        rows.collect()
    };
    read().map_err(|error| failed("read", &error))
}

/// The leaf hashes that were stored beside the leaves: a second witness, which tells exactly which entry changed.
pub(super) fn hashes(connection: &Connection, from: u64, limit: usize) -> Result<Vec<Vec<u8>>, PortError> {
    let read = || -> rusqlite::Result<Vec<Vec<u8>>> {
        let mut statement =
            connection.prepare_cached("SELECT hash FROM entry WHERE idx >= ?1 ORDER BY idx LIMIT ?2")?;
        statement.query_map((to_sql(from), to_sql(limit as u64)), |row| row.get(0))?.collect()
    };
    read().map_err(|error| failed("read", &error))
}

/// Full tiles, in order.
pub(super) fn tiles(connection: &Connection) -> Result<Vec<(u64, Vec<Digest>)>, PortError> {
    let read = || -> rusqlite::Result<Vec<(u64, Vec<u8>)>> {
        let mut statement = connection.prepare_cached("SELECT idx, hashes FROM tile ORDER BY idx")?;
        statement.query_map([], |row| Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get(1)?)))?.collect()
    };
    let rows = read().map_err(|error| failed("read", &error))?;
    rows.into_iter()
        .map(|(index, bytes)| {
            let (hashes, rest) = bytes.as_chunks::<32>();
            if rest.is_empty() && hashes.len() as u64 == TILE {
                Ok((index, hashes.iter().map(|hash| Digest::from_bytes(*hash)).collect()))
            } else {
                let first = index * TILE;
                Err(PortError::new(
                    Kind::Damaged,
                    format!("the stored hashes of entries {first} to {} are damaged", first + TILE - 1),
                ))
            }
        })
        .collect()
}

/// The tree, from tiles and the leaves behind the last full one; and how many leaves are in full tiles.
pub(super) fn tree(connection: &Connection) -> Result<(Tree, u64), PortError> {
    let mut tree = Tree::default();
    for (index, hashes) in tiles(connection)? {
        if index * TILE != tree.size() {
            return Err(PortError::new(
                Kind::Damaged,
                format!("the stored hashes of entry {} are missing", tree.size()),
            ));
        }
        hashes.into_iter().for_each(|hash| tree.push(hash));
    }
    let tiled = tree.size();
    for (index, leaf) in leaves(connection, tiled, usize::MAX >> 1)? {
        if index != tree.size() {
            return Err(PortError::new(Kind::Damaged, format!("entry {} is missing", tree.size())));
        }
        tree.push(leaf_hash(&leaf));
    }
    Ok((tree, tiled))
}

/// The number of the next entry of a stream.
pub(super) fn next_seq(connection: &Connection, stream: &StreamName) -> Result<u64, PortError> {
    let next: Option<i64> = connection
        .prepare_cached("SELECT next_seq FROM head WHERE stream = ?1")
        .and_then(|mut statement| statement.query_row([stream.as_str()], |row| row.get(0)).optional())
        .map_err(|error| failed("read", &error))?;
    Ok(next.map_or(0, i64::unsigned_abs))
}

/// The heads of all streams.
pub(super) fn heads(connection: &Connection) -> Result<Vec<(String, u64, Vec<u8>)>, PortError> {
    let read = || -> rusqlite::Result<Vec<_>> {
        let mut statement = connection.prepare("SELECT stream, next_seq, last FROM head ORDER BY stream")?;
        statement
            .query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs(), row.get(2)?)))?
            .collect()
    };
    read().map_err(|error| failed("read", &error))
}

/// The latest checkpoint; none in an empty ledger.
pub(super) fn checkpoint(connection: &Connection) -> Result<Option<String>, PortError> {
    let note =
        connection.query_row("SELECT note FROM checkpoint WHERE id = 0", [], |row| row.get(0)).optional();
    note.map_err(|error| failed("read", &error))
}

/// SQLite's integers are signed.
pub(super) fn to_sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
