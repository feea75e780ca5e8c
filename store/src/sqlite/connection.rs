//! Opening the file: ours, made anew, or refused.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::contract::{Result, StoreError};

use super::error::store_error;

/// Marks the file as ours: "FLOT".
const APPLICATION_ID: i64 = 0x464C_4F54;
/// The layout in `schema.sql`.
const LAYOUT: i64 = 1;

/// What a file turned out to be.
enum Found {
    Empty,
    Ours,
}

/// Opens the file and makes the tables when it is new. A file that is not ours is never written to.
pub(super) fn connect(path: &Path, timeout: Duration) -> Result<Connection> {
    let failed = |error: rusqlite::Error| store_error(path, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_PRIVATE_CACHE;
    let mut connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.set_prepared_statement_cache_capacity(64);
    wait_for_lock(&mut connection, timeout).map_err(failed)?;
    let found = inspect(path, &connection)?;
    if matches!(found, Found::Empty) {
        keep_private(path)?;
        // Making an empty file would wait for the disk six times. A power cut takes a new file as it takes the last writes of
        // `NORMAL`.
        connection.pragma_update(None, "synchronous", "OFF").map_err(failed)?;
    }
    switch_to_wal(&connection, timeout).map_err(failed)?;
    if matches!(found, Found::Empty) {
        create(path, &mut connection)?;
    }
    connection.pragma_update(None, "synchronous", "NORMAL").map_err(failed)?;
    Ok(connection)
}

/// Lets only the file's owner read it: environment variables of flows are in it. SQLite gives the files beside it the same
/// mode.
fn keep_private(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(|error| StoreError::Refused {
        store: format!("sqlite {}", path.display()),
        reason: format!("its mode cannot be set to 0600: {error}"),
    })
}

/// Reads the whole file once; refuses one that is damaged.
pub(super) fn check(path: &Path, connection: &Connection) -> Result<()> {
    let verdict: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|error| store_error(path, &error))?;
    if verdict == "ok" {
        return Ok(());
    }
    Err(StoreError::Corrupt { store: format!("sqlite ({})", path.display()), reason: verdict })
}

/// Waits for other processes: first a short spin, since a write takes tens of microseconds, then short sleeps.
fn wait_for_lock(connection: &mut Connection, timeout: Duration) -> rusqlite::Result<()> {
    let mut began = Instant::now();
    connection.busy_handler(Some(move |tries: i32| {
        if tries == 0 {
            began = Instant::now();
        }
        match tries {
            0..20 => std::thread::yield_now(),
            20..60 => std::thread::sleep(Duration::from_micros(50)),
            _ => std::thread::sleep(Duration::from_millis(1)),
        }
        began.elapsed() < timeout
    }))
}

fn inspect(path: &Path, connection: &Connection) -> Result<Found> {
    let foreign = |reason: String| StoreError::Foreign { place: path.display().to_string(), reason };
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let application = number("PRAGMA application_id").map_err(|error| match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => foreign("the file is not an SQLite database".to_owned()),
        _ => store_error(path, &error),
    })?;
    if application == APPLICATION_ID {
        let layout = number("PRAGMA user_version").map_err(|error| store_error(path, &error))?;
        return if layout == LAYOUT {
            Ok(Found::Ours)
        } else {
            Err(foreign(format!(
                "it has layout {layout} and this version of Flotilla knows {LAYOUT}: upgrade Flotilla"
            )))
        };
    }
    let tables = number("SELECT count(*) FROM sqlite_master").map_err(|error| store_error(path, &error))?;
    if application != 0 || tables != 0 {
        return Err(foreign("the file is another program's SQLite database".to_owned()));
    }
    Ok(Found::Empty)
}

/// Several processes may do this at once; SQLite reports the loser as busy without asking the busy handler.
fn switch_to_wal(connection: &Connection, timeout: Duration) -> rusqlite::Result<()> {
    let began = Instant::now();
    loop {
        match connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0)) {
            Err(error)
                if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy)
                    && began.elapsed() < timeout =>
            {
                std::thread::sleep(Duration::from_millis(2));
            }
            Err(error) => return Err(error),
            Ok(_) => return Ok(()),
        }
    }
}

fn create(path: &Path, connection: &mut Connection) -> Result<()> {
    let failed = |error: rusqlite::Error| store_error(path, &error);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    if matches!(inspect(path, &transaction)?, Found::Empty) {
        transaction.execute_batch(include_str!("schema.sql")).map_err(failed)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
        transaction.pragma_update(None, "user_version", LAYOUT).map_err(failed)?;
    }
    transaction.commit().map_err(failed)
}
