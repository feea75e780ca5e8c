//! Admin tokens of this user's running `flotilla up`, by port: `--admin HOST:PORT` alone finds the one that fits.

use std::fs::{DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::PathBuf;

use anyhow::Context;

/// Keeps the token of what listens on this port, readable by this user only.
///
/// # Errors
/// When the folder is another's or the file cannot be written.
pub fn keep(port: u16, token: &str) -> anyhow::Result<()> {
    let folder = folder().context("cannot make a folder for this user")?;
    let file = folder.join(format!("{port}.token"));
    // Anew, so that nobody has it open already.
    let _ = std::fs::remove_file(&file);
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file);
    opened.and_then(|mut file| file.write_all(token.as_bytes())).with_context(|| file.display().to_string())
}

/// The token of what this user started on this port.
pub fn find(port: u16) -> Option<String> {
    let token = std::fs::read_to_string(folder()?.join(format!("{port}.token"))).ok()?;
    Some(token.trim().to_owned()).filter(|token| !token.is_empty())
}

/// A folder that only this user can look into.
fn folder() -> Option<PathBuf> {
    let user = std::fs::metadata("/proc/self").ok()?.uid();
    let folder = match std::env::var_os("XDG_RUNTIME_DIR").filter(|folder| !folder.is_empty()) {
        Some(folder) => PathBuf::from(folder).join("flotilla"),
        None => std::env::temp_dir().join(format!("flotilla-{user}")),
    };
    let _ = DirBuilder::new().mode(0o700).create(&folder);
    let meta = std::fs::symlink_metadata(&folder).ok()?;
    (meta.is_dir() && meta.uid() == user && meta.mode().trailing_zeros() >= 6).then_some(folder)
}
