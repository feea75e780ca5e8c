//! One `flotilla up` per data folder, which `flotilla down` and `flotilla status` find there.

use std::fs::{File, TryLockError};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::exit::{Exit, Failure};

/// The file that says who runs in a data folder. It is locked as long as that process lives.
const FILE: &str = "up.json";

/// Who runs in a data folder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The process.
    pub pid: u32,
    /// Where its admin API is; empty until it listens.
    pub admin: String,
}

/// The lock on a data folder; given back when the process ends, however it ends.
pub struct FolderLock {
    file: File,
    path: PathBuf,
}

impl Place {
    /// Who runs in a data folder now.
    pub fn find(data: &Path) -> Option<Place> {
        let file = File::options().read(true).write(true).open(data.join(FILE)).ok()?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => read(&file),
            // Nobody holds it: the process that wrote it is gone.
            _ => None,
        }
    }
}

impl FolderLock {
    /// Takes a data folder.
    ///
    /// # Errors
    /// When another process runs in it, with its id and address.
    pub fn take(data: &Path) -> anyhow::Result<FolderLock> {
        let path = data.join(FILE);
        let file = File::options().read(true).write(true).create(true).truncate(false).open(&path);
        let file = file.with_context(|| format!("cannot open {}; see --data", path.display()))?;
        match file.try_lock() {
            Ok(()) => {
                let held = FolderLock { file, path };
                held.tell("")?;
                Ok(held)
            }
            Err(TryLockError::WouldBlock) => {
                let other = read(&file).unwrap_or_default();
                let message = format!(
                    "another `flotilla up` (process {}, admin API {}) runs in {}: end it with `flotilla down --data {}`, or \
                     give this one another --data",
                    other.pid,
                    other.admin,
                    data.display(),
                    data.display()
                );
                Err(Failure::new(Exit::Refused, message).into())
            }
            Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock {}", path.display())),
        }
    }

    /// Writes where the admin API is.
    pub fn tell(&self, admin: &str) -> anyhow::Result<()> {
        let place = Place { pid: std::process::id(), admin: admin.to_owned() };
        let text = serde_json::to_string(&place)?;
        self.file
            .set_len(0)
            .and_then(|()| {
                use std::os::unix::fs::FileExt as _;
                self.file.write_all_at(text.as_bytes(), 0)
            })
            .with_context(|| format!("cannot write {}", self.path.display()))
    }
}

fn read(mut file: &File) -> Option<Place> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_taken_once_and_found_while_it_is() {
        let folder = tempfile::TempDir::new().unwrap();
        assert_eq!(Place::find(folder.path()), None);
        let held = FolderLock::take(folder.path()).unwrap();
        held.tell("127.0.0.1:1881").unwrap();
        let place = Place { pid: std::process::id(), admin: "127.0.0.1:1881".to_owned() };
        assert_eq!(Place::find(folder.path()), Some(place));
        let error = FolderLock::take(folder.path()).err().unwrap().to_string();
        assert!(error.contains("127.0.0.1:1881") && error.contains("flotilla down"), "{error}");
        drop(held);
        assert_eq!(Place::find(folder.path()), None, "the file stays, but nobody holds it");
        assert!(FolderLock::take(folder.path()).is_ok());
    }
}
