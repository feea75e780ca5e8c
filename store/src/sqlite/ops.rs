//! Reads and writes of entries, within a transaction of the caller's.

use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::contract::{Cas, Entry, Expect, Write, add, prefix_end};

use super::clock::now_ms;
use super::file::Abort;
use super::lease;

type Result<T> = std::result::Result<T, Abort>;

/// For how long the watchers can still be told of a delete, in milliseconds.
const TOMBSTONE_MS: i64 = 10 * 60 * 1000;

/// Reads a key.
pub(super) fn get(connection: &Connection, key: &str) -> Result<Option<Entry>> {
    let sql = "SELECT key, value, version, expires FROM entry
        WHERE key = ?1 AND value IS NOT NULL AND (expires IS NULL OR expires > ?2)";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row(params![key, now_ms(connection)?], entry).optional()?)
}

/// The entries under a prefix, by key.
pub(super) fn list(connection: &Connection, prefix: &str) -> Result<Vec<Entry>> {
    let sql = "SELECT key, value, version, expires FROM entry
        WHERE key >= ?1 AND (?2 IS NULL OR key < ?2) AND value IS NOT NULL AND (expires IS NULL OR expires > ?3)
        ORDER BY key";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(params![prefix, prefix_end(prefix), now_ms(connection)?], entry)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Writes a key; answers its version.
pub(super) fn set(connection: &Connection, key: &str, value: &[u8], write: &Write) -> Result<u64> {
    lease::check(connection, write.fence.as_ref())?;
    put(connection, key, value, write.ttl.map(|ttl| after(connection, ttl)).transpose()?)
}

/// Removes a key; true when it was there.
pub(super) fn delete(connection: &Connection, key: &str) -> Result<bool> {
    if get(connection, key)?.is_none() {
        return Ok(false);
    }
    bury(connection, key)?;
    Ok(true)
}

/// Turns an entry into a tombstone.
pub(super) fn bury(connection: &Connection, key: &str) -> Result<()> {
    let version = next(connection)?;
    let sql = "UPDATE entry SET value = NULL, version = ?2, expires = ?3 WHERE key = ?1";
    connection.prepare_cached(sql)?.execute(params![key, version as i64, now_ms(connection)? + TOMBSTONE_MS])?;
    Ok(())
}

/// Writes or removes a key if it is what is expected.
pub(super) fn cas(
    connection: &Connection,
    key: &str,
    expected: &Expect,
    new: Option<&[u8]>,
    write: &Write,
) -> Result<Cas> {
    lease::check(connection, write.fence.as_ref())?;
    let current = get(connection, key)?;
    if !expected.holds(current.as_ref()) {
        return Ok(Cas::Conflict(current));
    }
    match new {
        Some(value) => {
            Ok(Cas::Swapped(put(connection, key, value, write.ttl.map(|ttl| after(connection, ttl)).transpose()?)?))
        }
        None => delete(connection, key).map(|_| Cas::Swapped(0)),
    }
}

/// Adds to a number.
pub(super) fn incr(connection: &Connection, key: &str, by: f64) -> Result<f64> {
    let current = get(connection, key)?;
    let (sum, text) = add(key, current.as_ref().map(|entry| &entry.value[..]), by)?;
    let expires = current.and_then(|entry| entry.expires);
    let expires = expires.and_then(|time| time.duration_since(UNIX_EPOCH).ok()).map(|time| time.as_millis() as i64);
    put(connection, key, text.as_bytes(), expires)?;
    Ok(sum)
}

/// The next version or fencing token.
pub(super) fn next(connection: &Connection) -> Result<u64> {
    let mut statement = connection.prepare_cached("UPDATE meta SET seq = seq + 1 RETURNING seq")?;
    Ok(statement.query_row([], |row| row.get::<_, i64>(0))? as u64)
}

/// One row as an entry.
pub(super) fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    let value: Vec<u8> = row.get(1)?;
    let expires: Option<i64> = row.get(3)?;
    Ok(Entry {
        key: row.get(0)?,
        value: Bytes::from(value),
        version: row.get::<_, i64>(2)? as u64,
        expires: expires.map(|ms| UNIX_EPOCH + Duration::from_millis(ms as u64)),
    })
}

/// A time this long from now, in milliseconds since 1970.
pub(super) fn after(connection: &Connection, ttl: Duration) -> rusqlite::Result<i64> {
    Ok(now_ms(connection)?.saturating_add(i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX)))
}

fn put(connection: &Connection, key: &str, value: &[u8], expires: Option<i64>) -> Result<u64> {
    let version = next(connection)?;
    let sql = "INSERT INTO entry (key, value, version, expires) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (key) DO UPDATE SET value = excluded.value, version = excluded.version, expires = excluded.expires";
    connection.prepare_cached(sql)?.execute(params![key, value, version as i64, expires])?;
    Ok(version)
}
