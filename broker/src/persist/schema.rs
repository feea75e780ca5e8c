//! The tables of the file, and how older ones become them.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::file::{APPLICATION, LAYOUT, PersistError, check_header, check_log};

/// The open file. Only this process has it open.
#[derive(Debug)]
pub struct Store {
    pub(crate) path: PathBuf,
    pub(super) connection: Connection,
}

const NAME: &str = "broker.db";

const TABLES: &str = "
CREATE TABLE sessions (key INTEGER PRIMARY KEY, id TEXT NOT NULL, expiry INTEGER NOT NULL, away INTEGER, user TEXT);
CREATE TABLE subscriptions (session INTEGER, filter TEXT, options INTEGER NOT NULL, id INTEGER,
    PRIMARY KEY (session, filter)) WITHOUT ROWID;
CREATE TABLE retained (topic BLOB PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE groups (key INTEGER PRIMARY KEY, name TEXT NOT NULL, filter TEXT NOT NULL);
CREATE TABLE shared (grp INTEGER, seq INTEGER, since INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (grp, seq)) WITHOUT ROWID;
CREATE TABLE queued (session INTEGER, seq INTEGER, options INTEGER NOT NULL, ids BLOB NOT NULL, pkid INTEGER,
    body BLOB NOT NULL, PRIMARY KEY (session, seq)) WITHOUT ROWID;
CREATE TABLE received (session INTEGER, pkid INTEGER, PRIMARY KEY (session, pkid)) WITHOUT ROWID;
CREATE TABLE released (session INTEGER, pkid INTEGER, PRIMARY KEY (session, pkid)) WITHOUT ROWID;
";

/// From layout 1, which did not know whose a session is.
const FROM_1: &str = "BEGIN; ALTER TABLE sessions ADD COLUMN user TEXT; PRAGMA user_version = 2; COMMIT;";

impl Store {
    /// Opens the file in `folder`, or makes it. An older layout is brought up to date. A file that is damaged, foreign,
    /// or of a later layout is refused and left as it is.
    pub fn open(folder: &Path) -> Result<Self, PersistError> {
        std::fs::create_dir_all(folder).map_err(|source| PersistError::Io { path: folder.to_owned(), source })?;
        let path = folder.join(NAME);
        if !path.exists() {
            create(folder, &path)?;
        }
        check_header(&path)?;
        check_log(&path)?;
        let connection = prepare(&path).map_err(|source| PersistError::sqlite(&path, source))?;
        let store = Self { path, connection };
        store.check()?;
        Ok(store)
    }

    fn check(&self) -> Result<(), PersistError> {
        let sqlite = |source| PersistError::sqlite(&self.path, source);
        let found: i32 = self.connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(sqlite)?;
        if !(1..=LAYOUT).contains(&found) {
            return Err(PersistError::Layout { path: self.path.clone(), found });
        }
        let check = |row: &rusqlite::Row<'_>| row.get::<_, String>(0);
        let verdict = self.connection.query_row("PRAGMA quick_check(1)", [], check).map_err(sqlite)?;
        if verdict != "ok" {
            return Err(PersistError::Damaged { path: self.path.clone(), what: verdict });
        }
        if found == 1 {
            self.connection.execute_batch(FROM_1).map_err(sqlite)?;
        }
        Ok(())
    }
}

/// Made whole under another name first: a crash on the way leaves nothing that looks like state.
fn create(folder: &Path, path: &Path) -> Result<(), PersistError> {
    let fresh = folder.join(format!("{NAME}.new"));
    let io = |source| PersistError::Io { path: fresh.clone(), source };
    if fresh.exists() {
        std::fs::remove_file(&fresh).map_err(io)?;
    }
    let make = || {
        let connection = Connection::open(&fresh)?;
        connection.pragma_update(None, "application_id", APPLICATION)?;
        connection.pragma_update(None, "user_version", LAYOUT)?;
        connection.execute_batch(TABLES)?;
        connection.close().map_err(|(_, error)| error)
    };
    make().map_err(|source| PersistError::sqlite(&fresh, source))?;
    std::fs::rename(&fresh, path).map_err(io)
}

fn prepare(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    // Before anything else: two brokers on one file would each undo the other.
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // A commit is on disk when it returns, not only with the operating system.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute_batch("BEGIN EXCLUSIVE; COMMIT;")?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persist::Clock;

    /// What a broker wrote before sessions had users.
    const LAYOUT_1: &str = "ALTER TABLE sessions DROP COLUMN user; PRAGMA user_version = 1;
        INSERT INTO sessions VALUES (7, 'old', 3600, NULL);";

    #[test]
    fn layout_1_is_read_and_brought_up_to_date() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NAME);
        create(folder.path(), &path).unwrap();
        Connection::open(&path).unwrap().execute_batch(LAYOUT_1).unwrap();
        for _ in 0..2 {
            let loaded = Store::open(folder.path()).unwrap().load(Clock::now()).unwrap();
            let [session] = &loaded.sessions[..] else { panic!("{loaded:?}") };
            assert_eq!((session.key, &*session.id, session.expiry, &session.user), (7, "old", 3600, &None));
        }
        let later = LAYOUT + 1;
        Connection::open(&path).unwrap().pragma_update(None, "user_version", later).unwrap();
        let error = Store::open(folder.path()).unwrap_err().to_string();
        assert!(error.contains(&format!("layout {later}, this broker reads 1 to {LAYOUT}")), "{error}");
    }
}
