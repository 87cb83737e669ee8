//! The notebook in one SQLite file.

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, Row, ToSql, Transaction, TransactionBehavior};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;
use world::{Change, Document, Kind, PortError, TrackingStore};

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS document (
        position INTEGER PRIMARY KEY AUTOINCREMENT, collection TEXT NOT NULL, id TEXT NOT NULL, parent TEXT NOT NULL,
        revision INTEGER NOT NULL, body TEXT NOT NULL, UNIQUE (collection, id)) STRICT;
    CREATE INDEX IF NOT EXISTS document_parent ON document (collection, parent, position);
    CREATE TABLE IF NOT EXISTS point (
        position INTEGER PRIMARY KEY, series TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL,
        UNIQUE (series, key, body)) STRICT;
    CREATE INDEX IF NOT EXISTS point_series ON point (series, key, position);
";
/// How long a writer waits for another.
const PATIENCE: Duration = Duration::from_secs(20);

/// A notebook in a file, which is opened when it is first used: most commands never do.
pub struct SqliteTracking {
    path: PathBuf,
    connection: Mutex<Option<Connection>>,
}

impl SqliteTracking {
    /// The notebook in the file, which is made if it is not there.
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned(), connection: Mutex::new(None) }
    }

    fn open(path: &Path) -> Result<Connection, PortError> {
        use std::os::unix::fs::PermissionsExt;
        let connection = Connection::open(path).map_err(|error| failed(&error))?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
            .map_err(|error| PortError::io(format!("protect `{}`", path.display()), error))?;
        connection.busy_timeout(PATIENCE).map_err(|error| failed(&error))?;
        // Else each new value of a range has its statement planned anew.
        let planned_once = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true);
        planned_once.map_err(|error| failed(&error))?;
        connection
            .execute_batch("PRAGMA journal_mode=wal; PRAGMA synchronous=FULL;")
            .and_then(|()| connection.execute_batch(TABLES))
            .map_err(|error| failed(&error))?;
        Ok(connection)
    }

    fn with<T>(&self, work: impl FnOnce(&mut Connection) -> Result<T, PortError>) -> Result<T, PortError> {
        let broken = || PortError::new(Kind::Failed, "the notebook was left in the middle of something");
        let mut slot = self.connection.lock().map_err(|_| broken())?;
        if slot.is_none() {
            *slot = Some(Self::open(&self.path)?);
        }
        work(slot.as_mut().ok_or_else(broken)?)
    }
}

/// A failed SQLite call.
fn failed(error: &rusqlite::Error) -> PortError {
    let kind = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => Kind::Full,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Kind::Busy,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Kind::Damaged,
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Kind::Denied,
        _ => Kind::Failed,
    };
    PortError::new(kind, format!("the notebook of experiments (`tracking.db`) cannot be used: {error}"))
}

impl TrackingStore for SqliteTracking {
    fn write(&self, changes: &[Change]) -> Result<(), PortError> {
        self.with(|connection| {
            let transaction = connection
                .transaction_with_behavior(TransactionBehavior::Immediate)
                .map_err(|error| failed(&error))?;
            changes.iter().try_for_each(|change| apply(&transaction, change))?;
            transaction.commit().map_err(|error| failed(&error))
        })
    }

    fn get(&self, collection: &str, id: &str) -> Result<Option<Document>, PortError> {
        let sql = "SELECT id, revision, body FROM document WHERE collection = ?1 AND id = ?2";
        Ok(self.read(sql, &[&collection, &id], document)?.pop())
    }

    fn children(&self, collection: &str, parent: &str) -> Result<Vec<Document>, PortError> {
        let sql =
            "SELECT id, revision, body FROM document WHERE collection = ?1 AND parent = ?2 ORDER BY position";
        self.read(sql, &[&collection, &parent], document)
    }

    fn under(&self, collection: &str, prefix: &str) -> Result<Vec<Document>, PortError> {
        // No text that begins with the prefix comes after it and the last character there is.
        let end = format!("{prefix}\u{10ffff}");
        let sql = "SELECT id, revision, body FROM document
            WHERE collection = ?1 AND id >= ?2 AND id <= ?3 ORDER BY id";
        self.read(sql, &[&collection, &prefix, &end], document)
    }

    fn points(&self, series: &str, key: &str, from: usize, limit: usize) -> Result<Vec<String>, PortError> {
        let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let sql =
            "SELECT body FROM point WHERE series = ?1 AND key = ?2 ORDER BY position LIMIT ?3 OFFSET ?4";
        self.read(sql, &[&series, &key, &number(limit), &number(from)], |row| row.get(0))
    }
}

impl SqliteTracking {
    fn read<T>(
        &self,
        sql: &str,
        values: &[&dyn ToSql],
        row: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, PortError> {
        self.with(|connection| {
            let all = || connection.prepare_cached(sql)?.query_map(values, row)?.collect();
            let all: rusqlite::Result<Vec<T>> = all();
            all.map_err(|error| failed(&error))
        })
    }
}

fn document(row: &Row<'_>) -> rusqlite::Result<Document> {
    Ok(Document { id: row.get(0)?, revision: row.get::<_, i64>(1)?.unsigned_abs(), body: row.get(2)? })
}

fn apply(transaction: &Transaction<'_>, change: &Change) -> Result<(), PortError> {
    let run = |sql: &str, values: &[&dyn ToSql]| -> Result<usize, PortError> {
        let done = transaction.prepare_cached(sql).and_then(|mut statement| statement.execute(values));
        done.map_err(|error| failed(&error))
    };
    match change {
        Change::Put { collection, id, parent, expected: 0, body } => {
            let made = run(
                "INSERT INTO document (collection, id, parent, revision, body) VALUES (?1, ?2, ?3, 1, ?4)
                    ON CONFLICT DO NOTHING",
                &[collection, id, parent, body],
            )?;
            conflict(made, collection, id)
        }
        Change::Put { collection, id, parent, expected, body } => {
            let expected = i64::try_from(*expected).unwrap_or(i64::MAX);
            let changed = run(
                "UPDATE document SET parent = ?3, body = ?4, revision = revision + 1
                    WHERE collection = ?1 AND id = ?2 AND revision = ?5",
                &[collection, id, parent, body, &expected],
            )?;
            conflict(changed, collection, id)
        }
        Change::Remove { collection, id } => {
            run("DELETE FROM document WHERE collection = ?1 AND id = ?2", &[collection, id]).map(|_| ())
        }
        Change::Append { series, points } => points.iter().try_for_each(|(key, body)| {
            run(
                "INSERT INTO point (series, key, body) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
                &[series, key, body],
            )
            .map(|_| ())
        }),
    }
}

fn conflict(changed: usize, collection: &str, id: &str) -> Result<(), PortError> {
    if changed == 1 {
        return Ok(());
    }
    Err(PortError::new(
        Kind::Conflict,
        format!("`{id}` of {collection} was changed by somebody else meanwhile"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_contract() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tracking.db");
        world::contract::tracking::check(&|| Box::new(SqliteTracking::at(&path)));
    }

    #[test]
    fn nobody_else_reads_it() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tracking.db");
        SqliteTracking::at(&path).write(&[]).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
