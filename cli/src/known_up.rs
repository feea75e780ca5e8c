//! Where this user's running `flotilla up` keep their data, by the port of the admin API: `--admin HOST:PORT` alone finds the
//! token of the one that listens there.

use std::fs::DirBuilder;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::place::Place;

/// Notes the data folder of an `up` whose admin API listens on this port. What was noted for the port before is replaced.
///
/// # Errors
/// When there is no folder for this user, or the note cannot be written.
pub fn note(port: u16, data: &Path) -> anyhow::Result<()> {
    let notes = notes().context("no folder that belongs to this user only")?;
    std::os::unix::fs::symlink(std::path::absolute(data)?, fresh(&notes, port)).context("cannot note the data folder")
}

/// The data folder of the `up` that listens on this port now.
pub fn data(port: u16) -> Option<PathBuf> {
    let data = std::fs::read_link(link(&notes()?, port)).ok()?;
    let admin = Place::find(&data)?.admin;
    // It runs, and it is this port that it listens on: the note may be older than another `up`.
    admin.rsplit_once(':').is_some_and(|(_, of)| of == port.to_string()).then_some(data)
}

fn link(notes: &Path, port: u16) -> PathBuf {
    notes.join(port.to_string())
}

/// The place of a note, where none is.
fn fresh(notes: &Path, port: u16) -> PathBuf {
    let link = link(notes, port);
    let _ = std::fs::remove_file(&link);
    link
}

/// A folder into which only this user can write: what another noted would have a token sent to them.
fn notes() -> Option<PathBuf> {
    let user = std::fs::metadata("/proc/self").ok()?.uid();
    let notes = match std::env::var_os("XDG_RUNTIME_DIR").filter(|folder| !folder.is_empty()) {
        Some(folder) => PathBuf::from(folder).join("flotilla"),
        None => std::env::temp_dir().join(format!("flotilla-{user}")),
    };
    // It may be there already; whose it is, is seen below.
    let _ = DirBuilder::new().mode(0o700).create(&notes);
    let meta = std::fs::symlink_metadata(&notes).ok()?;
    (meta.is_dir() && meta.uid() == user && meta.mode().trailing_zeros() >= 6).then_some(notes)
}
