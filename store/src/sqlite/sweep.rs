//! What expired goes away, and the watchers are told.

use rusqlite::{Connection, params};

use super::clock::now_ms;
use super::file::Abort;
use super::ops;

/// How many entries one sweep takes at most, so that no write waits long for it.
const BATCH: i64 = 200;

/// Deletes entries that expired, purges old tombstones and dead leases.
pub(super) fn sweep(connection: &Connection) -> Result<(), Abort> {
    let now = now_ms(connection)?;
    let sql = "SELECT key FROM entry WHERE expires <= ?1 AND value IS NOT NULL LIMIT ?2";
    let keys: Vec<String> = connection
        .prepare_cached(sql)?
        .query_map(params![now, BATCH], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for key in keys {
        ops::bury(connection, &key)?;
    }
    let sql = "DELETE FROM entry WHERE rowid IN
        (SELECT rowid FROM entry WHERE expires <= ?1 AND value IS NULL LIMIT ?2) RETURNING version";
    let purged: Vec<i64> = connection
        .prepare_cached(sql)?
        .query_map(params![now, BATCH], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    if let Some(highest) = purged.into_iter().max() {
        connection.prepare_cached("UPDATE meta SET purged = max(purged, ?1)")?.execute([highest])?;
    }
    // Tokens come from the one counter, so a name's next token is larger also when its row is gone.
    connection.prepare_cached("DELETE FROM lease WHERE expires <= ?1")?.execute([now])?;
    Ok(())
}
