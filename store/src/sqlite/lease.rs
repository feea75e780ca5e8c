//! Leases and their fencing tokens, within a transaction of the caller's.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::contract::{Acquire, Fence, HeldLease, Lease, Moment, StoreError, prefix_end};

use super::clock::now_ms;
use super::file::Abort;
use super::ops::{after, next};

type Result<T> = std::result::Result<T, Abort>;

/// Refuses a write whose lease is not held.
pub(super) fn check(connection: &Connection, fence: Option<&Fence>) -> Result<()> {
    let Some(fence) = fence else { return Ok(()) };
    let sql = "SELECT 1 FROM lease WHERE name = ?1 AND token = ?2 AND expires > ?3";
    let mut statement = connection.prepare_cached(sql)?;
    if statement.exists(params![fence.lease, fence.token as i64, now_ms(connection)?])? {
        return Ok(());
    }
    Err(fenced(&fence.lease, fence.token))
}

/// Grants a lease that nobody else holds.
pub(super) fn acquire(
    connection: &Connection,
    name: &str,
    holder: &str,
    ttl: Duration,
    asked: Moment,
) -> Result<Acquire> {
    let sql = "SELECT name, holder, token, expires FROM lease WHERE name = ?1 AND expires > ?2";
    let now = now_ms(connection)?;
    let current = connection.prepare_cached(sql)?.query_row(params![name, now], |row| held(row, now)).optional()?;
    if let Some(held) = current.filter(|held| held.holder != holder) {
        return Ok(Acquire::Held(held));
    }
    let token = next(connection)?;
    let sql = "INSERT INTO lease (name, holder, token, expires) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, token = excluded.token, expires = excluded.expires";
    connection.prepare_cached(sql)?.execute(params![name, holder, token as i64, end(connection, ttl)?])?;
    let (name, holder) = (name.to_owned(), holder.to_owned());
    Ok(Acquire::Granted(Lease { name, holder, token, ttl, until: asked + ttl }))
}

/// Extends a lease that is still held.
pub(super) fn renew(connection: &Connection, lease: &Lease, asked: Moment) -> Result<Lease> {
    let sql = "UPDATE lease SET expires = ?3 WHERE name = ?1 AND token = ?2 AND expires > ?4";
    let mut statement = connection.prepare_cached(sql)?;
    match statement.execute(params![
        lease.name,
        lease.token as i64,
        end(connection, lease.ttl)?,
        now_ms(connection)?
    ])? {
        0 => Err(fenced(&lease.name, lease.token)),
        _ => Ok(Lease { until: asked + lease.ttl, ..lease.clone() }),
    }
}

/// Ends a lease now.
pub(super) fn release(connection: &Connection, lease: &Lease) -> Result<bool> {
    let sql = "DELETE FROM lease WHERE name = ?1 AND token = ?2 AND expires > ?3";
    Ok(connection.prepare_cached(sql)?.execute(params![lease.name, lease.token as i64, now_ms(connection)?])? > 0)
}

/// The leases that are held, by name.
pub(super) fn leases(connection: &Connection, prefix: &str) -> Result<Vec<HeldLease>> {
    let sql = "SELECT name, holder, token, expires FROM lease
        WHERE name >= ?1 AND (?2 IS NULL OR name < ?2) AND expires > ?3 ORDER BY name";
    let mut statement = connection.prepare_cached(sql)?;
    let now = now_ms(connection)?;
    let rows = statement.query_map(params![prefix, prefix_end(prefix), now], |row| held(row, now))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// When a lease that is granted now ends. Milliseconds are cut off, so one more: the store must not let it go before its
/// holder stops believing in it.
fn end(connection: &Connection, ttl: Duration) -> rusqlite::Result<i64> {
    Ok(after(connection, ttl)?.saturating_add(1))
}

fn held(row: &Row<'_>, now: i64) -> rusqlite::Result<HeldLease> {
    let left = row.get::<_, i64>(3)?.saturating_sub(now).max(0);
    Ok(HeldLease {
        name: row.get(0)?,
        holder: row.get(1)?,
        token: row.get::<_, i64>(2)? as u64,
        remaining: Duration::from_millis(left as u64),
    })
}

fn fenced(lease: &str, token: u64) -> Abort {
    StoreError::Fenced { lease: lease.to_owned(), token }.into()
}
