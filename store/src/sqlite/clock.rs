//! The clock that ends of leases and entries are measured on.

use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use crate::contract::Moment;

/// One row: which start of the machine it is about, and how far 1970 is from it on the store's clock.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS clock (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    boot TEXT NOT NULL,
    since_1970 INTEGER NOT NULL
)";

/// Sets the store's clock by the machine's, once for each start of the machine. From then on it counts by itself: setting the
/// machine's clock neither ends leases nor makes them longer. Leases of before the start are over, as their holders are: a machine
/// without a battery for its clock may begin earlier than it ended.
pub(super) fn set(connection: &mut Connection) -> rusqlite::Result<()> {
    let Some(boot) = boot() else { return Ok(()) };
    if known(connection).is_ok_and(|known| known.is_some_and(|known| known == boot)) {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute(TABLE, [])?;
    // Another process may have set it meanwhile.
    if known(&transaction)?.is_none_or(|known| known != boot) {
        let last: i64 = transaction.query_row("SELECT coalesce(max(expires), 0) FROM lease", [], |row| row.get(0))?;
        let row = params![boot, since_1970_ms().max(last - since_boot_ms())];
        transaction.execute("INSERT OR REPLACE INTO clock (id, boot, since_1970) VALUES (1, ?1, ?2)", row)?;
    }
    transaction.commit()
}

fn known(connection: &Connection) -> rusqlite::Result<Option<String>> {
    connection.query_row("SELECT boot FROM clock", [], |row| row.get(0)).optional()
}

/// Now on the store's clock, in milliseconds since 1970. All processes that use the file agree on it.
pub(super) fn now_ms(connection: &Connection) -> rusqlite::Result<i64> {
    if boot().is_none() {
        return Ok(wall_ms());
    }
    let since_1970: i64 = connection.prepare_cached("SELECT since_1970 FROM clock")?.query_row([], |row| row.get(0))?;
    Ok(since_1970.saturating_add(since_boot_ms()))
}

fn since_boot_ms() -> i64 {
    i64::try_from(Moment::now().since_boot().as_millis()).unwrap_or(i64::MAX)
}

/// How far 1970 is from the machine's start by the machine's clock. The difference is rounded, not its parts: the sum of two that
/// were rounded may be a millisecond ahead of the machine's clock.
fn since_1970_ms() -> i64 {
    let wall = wall();
    wall.saturating_sub(Moment::now().since_boot()).as_millis() as i64
}

fn wall_ms() -> i64 {
    wall().as_millis() as i64
}

fn wall() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Which start of the machine this is, where the system says so.
fn boot() -> Option<&'static str> {
    static BOOT: OnceLock<Option<String>> = OnceLock::new();
    let read = || std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok().map(|id| id.trim().to_owned());
    BOOT.get_or_init(read).as_deref()
}
