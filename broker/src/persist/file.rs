//! The SQLite file: opened, checked, migrated.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use thiserror::Error;

/// "FLOT": SQLite's application id, bytes 68 to 71 of the file.
pub(super) const APPLICATION: i32 = 0x464C_4F54;
/// The layout of the tables.
pub(super) const LAYOUT: i32 = 2;
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// 0x377F0682 or 0x377F0683 without the last bit, which is the byte order of its sums.
const LOG_MAGIC: [u8; 4] = [0x36, 0x7E, 0x06, 0x82];

/// Why the stored state cannot be used. The file is left as it is.
#[derive(Debug, Error)]
pub enum PersistError {
    /// The folder or the file cannot be read or made.
    #[error("persist {path}: cannot be read or created; check the folder and its permissions")]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is another program's file.
    #[error("persist {path}: not a file of this broker's; move it away or name another folder")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// It was written by another version.
    #[error("persist {path}: layout {found}, this broker reads 1 to {LAYOUT}; use the version that wrote it")]
    Layout {
        /// The file.
        path: PathBuf,
        /// What it says.
        found: i32,
    },
    /// It is damaged.
    #[error("persist {path}: damaged ({what}); restore it from a backup, or move it away to start empty")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// Another process has it open.
    #[error("persist {path}: in use by another process; stop that one or name another folder")]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// Anything else that SQLite says.
    #[error("persist {path}: SQLite refuses")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// The error.
        source: rusqlite::Error,
    },
}

impl PersistError {
    pub(super) fn sqlite(path: &Path, source: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Code;
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(Code::DatabaseBusy | Code::DatabaseLocked) => Self::InUse { path },
            Some(Code::NotADatabase | Code::DatabaseCorrupt) => Self::Damaged { path, what: source.to_string() },
            _ => Self::Sqlite { path, source },
        }
    }
}

/// Looks at the file's first bytes before SQLite opens it, so that a foreign file is never written to.
pub(super) fn check_header(path: &Path) -> Result<(), PersistError> {
    let header = first_bytes(path, 100)?;
    if header.len() < 100 {
        let what = format!("{} bytes are less than a file's header", header.len());
        return Err(PersistError::Damaged { path: path.to_owned(), what });
    }
    if header[..16] != MAGIC[..] || header[68..72] != APPLICATION.to_be_bytes() {
        return Err(PersistError::Foreign { path: path.to_owned() });
    }
    Ok(())
}

/// The log beside the file, if it is there. SQLite takes one that is not a log for an empty one, and writes over it.
pub(super) fn check_log(path: &Path) -> Result<(), PersistError> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let log = PathBuf::from(log);
    if log.exists() && !first_bytes(&log, 4)?.iter().zip(LOG_MAGIC).all(|(is, magic)| is & 0xFE == magic) {
        return Err(PersistError::Foreign { path: log });
    }
    Ok(())
}

/// So many bytes from the beginning, or fewer if there are no more.
fn first_bytes(path: &Path, count: u64) -> Result<Vec<u8>, PersistError> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(count).read_to_end(&mut bytes));
    read.map_err(|source| PersistError::Io { path: path.to_owned(), source })?;
    Ok(bytes)
}
