//! One open store file: a connection that writes and one that reads, each used by one thread at a time.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::contract::{Result, StoreError};

use super::error::store_error;
use super::sweep;
use super::{clock, connection};

/// How often expired entries are taken away, at most.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// One open store file.
pub(super) struct File {
    path: PathBuf,
    timeout: Duration,
    writer: Mutex<Writer>,
    reader: Mutex<Connection>,
}

struct Writer {
    connection: Connection,
    swept: Instant,
}

/// Why a transaction was given up.
pub(super) enum Abort {
    /// SQLite failed.
    Sqlite(rusqlite::Error),
    /// The store refused.
    Store(StoreError),
}

impl From<rusqlite::Error> for Abort {
    fn from(error: rusqlite::Error) -> Abort {
        Abort::Sqlite(error)
    }
}

impl From<StoreError> for Abort {
    fn from(error: StoreError) -> Abort {
        Abort::Store(error)
    }
}

impl File {
    /// Opens or makes the file; refuses one that is not ours or is damaged.
    pub(super) fn open(path: PathBuf, timeout: Duration) -> Result<File> {
        let mut connection = connection::connect(&path, timeout)?;
        connection::check(&path, &connection)?;
        clock::set(&mut connection).map_err(|error| store_error(&path, &error))?;
        let reader = Mutex::new(connection::connect(&path, timeout)?);
        let writer = Mutex::new(Writer { connection, swept: Instant::now() });
        Ok(File { path, timeout, writer, reader })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Another connection to the same file.
    pub(super) fn connect(&self) -> Result<Connection> {
        connection::connect(&self.path, self.timeout)
    }

    /// Runs a read. It never waits for a writer.
    pub(super) fn read<R>(&self, f: impl FnOnce(&Connection) -> Result<R, Abort>) -> Result<R> {
        let connection = self.reader.try_lock_for(self.timeout).ok_or_else(|| self.late())?;
        f(&connection).map_err(|abort| self.explain(abort))
    }

    /// Runs a write as one transaction. An `Err` undoes it.
    pub(super) fn write<R>(&self, f: impl FnOnce(&Transaction<'_>) -> Result<R, Abort>) -> Result<R> {
        let mut writer = self.writer.try_lock_for(self.timeout).ok_or_else(|| self.late())?;
        let sweep = writer.swept.elapsed() >= SWEEP_EVERY;
        if sweep {
            writer.swept = Instant::now();
        }
        transact(&mut writer.connection, |transaction| {
            if sweep {
                sweep::sweep(transaction)?;
            }
            f(transaction)
        })
        .map_err(|abort| self.explain(abort))
    }

    /// What went wrong, in the store's words.
    pub(super) fn explain(&self, abort: Abort) -> StoreError {
        match abort {
            Abort::Sqlite(error) => store_error(&self.path, &error),
            Abort::Store(error) => error,
        }
    }

    fn late(&self) -> StoreError {
        let reason = "earlier calls of this process kept it busy until the time-out".to_owned();
        StoreError::Unavailable { store: format!("sqlite ({})", self.path.display()), reason }
    }
}

fn transact<R>(connection: &mut Connection, f: impl FnOnce(&Transaction<'_>) -> Result<R, Abort>) -> Result<R, Abort> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let answer = f(&transaction)?;
    transaction.commit()?;
    Ok(answer)
}
