//! Watches: a thread asks every few milliseconds whether any process changed the file (one microsecond), and reads the
//! changes only then.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};

use crate::contract::{Result, StoreError, Watch};
use crate::watch::{Hub, background};

use super::clock::now_ms;
use super::file::{Abort, File};
use super::ops;

/// How often the file is asked for changes.
const POLL: Duration = Duration::from_millis(15);
/// How often expired entries are taken away while somebody watches.
const SWEEP_EVERY: Duration = Duration::from_millis(500);
/// How many changes are read at once.
const PAGE: i64 = 500;

/// Begins a watch. The thread that feeds it ends when the store is dropped or nobody watches any more.
pub(super) fn watch(hub: &Arc<Hub>, file: &Arc<File>, prefix: &str) -> Result<Watch> {
    hub.add(prefix, || {
        let poller = Poller::new(hub, file)?;
        let started = background("sqlite watch", "sqlite").thread(move || poller.run()).map(drop);
        started.map_err(|error| StoreError::Unavailable {
            store: "sqlite".to_owned(),
            reason: format!("no thread for a watch: {error}"),
        })
    })
}

struct Poller {
    hub: Weak<Hub>,
    file: Arc<File>,
    connection: Connection,
    data_version: i64,
    /// The changes up to this version were told.
    told: i64,
}

impl Poller {
    fn new(hub: &Arc<Hub>, file: &Arc<File>) -> Result<Poller> {
        let connection = file.connect()?;
        let told = one(&connection, "SELECT seq FROM meta").map_err(|error| file.explain(error.into()))?;
        Ok(Poller { hub: Arc::downgrade(hub), file: file.clone(), connection, data_version: -1, told })
    }

    fn run(mut self) {
        let failing = AtomicBool::new(false);
        let mut swept = Instant::now();
        while let Some(hub) = self.hub.upgrade() {
            if !hub.retain() {
                return;
            }
            if swept.elapsed() >= SWEEP_EVERY {
                swept = Instant::now();
                // Only a write that finds something to do; a failure shows in the read below.
                if self.has_expired() {
                    let _ = self.file.write(|tx| super::sweep::sweep(tx));
                }
            }
            match self.poll(&hub) {
                Ok(()) => failing.store(false, Ordering::Relaxed),
                Err(abort) => {
                    if !failing.swap(true, Ordering::Relaxed) {
                        tracing::warn!(path = %self.file.path().display(), error = %self.file.explain(abort),
                            "the store's changes cannot be read; trying again");
                    }
                    hub.resync();
                    std::thread::sleep(Duration::from_millis(200));
                }
            }
            drop(hub);
            std::thread::sleep(POLL);
        }
    }

    fn has_expired(&self) -> bool {
        let sql = "SELECT 1 FROM entry WHERE expires <= ?1 LIMIT 1";
        let expired = || self.connection.prepare_cached(sql)?.exists([now_ms(&self.connection)?]);
        expired().unwrap_or(true)
    }

    fn poll(&mut self, hub: &Hub) -> Result<(), Abort> {
        let data_version = one(&self.connection, "PRAGMA data_version")?;
        if data_version == self.data_version {
            return Ok(());
        }
        // Asked before the changes are read: what comes in between is read at the next round.
        self.data_version = data_version;
        if one(&self.connection, "SELECT purged FROM meta")? > self.told {
            self.told = one(&self.connection, "SELECT seq FROM meta")?;
            hub.resync();
        }
        while self.tell_page(hub)? {}
        Ok(())
    }

    fn tell_page(&mut self, hub: &Hub) -> Result<bool, Abort> {
        let sql = "SELECT key, value, version, expires, value IS NULL FROM entry
            WHERE version > ?1 ORDER BY version LIMIT ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![self.told, PAGE])?;
        let mut count = 0;
        while let Some(row) = rows.next()? {
            let (key, version, deleted): (String, i64, bool) = (row.get(0)?, row.get(2)?, row.get(4)?);
            let entry = if deleted { None } else { Some(ops::entry(row)?) };
            hub.tell(&key, entry.as_ref());
            self.told = version;
            count += 1;
        }
        Ok(count == PAGE)
    }
}

fn one(connection: &Connection, sql: &str) -> rusqlite::Result<i64> {
    connection.prepare_cached(sql)?.query_row([], |row| row.get(0))
}
