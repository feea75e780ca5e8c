//! Tokens of logins, by the address that they are for, in a file that only this user can read.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::PathBuf;

use anyhow::Context;

/// The token for an address.
pub fn find(address: &str) -> Option<String> {
    read().remove(address)
}

/// Keeps a token for an address.
///
/// # Errors
/// When this user has no folder for configuration, or it cannot be written.
pub fn keep(address: &str, token: &str) -> anyhow::Result<()> {
    let mut all = read();
    all.insert(address.to_owned(), token.to_owned());
    write(&all)
}

/// Forgets the token for an address.
///
/// # Errors
/// When the file cannot be written.
pub fn forget(address: &str) -> anyhow::Result<()> {
    let mut all = read();
    match all.remove(address) {
        Some(_) => write(&all),
        None => Ok(()),
    }
}

fn file() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = set("XDG_CONFIG_HOME").or_else(|| Some(set("HOME")?.join(".config")))?;
    Some(folder.join("flotilla").join("logins.json"))
}

fn read() -> BTreeMap<String, String> {
    let read = || {
        let file = file()?;
        // What others can read is known to them.
        let private = std::fs::metadata(&file).ok()?.mode().trailing_zeros() >= 6;
        private.then(|| serde_json::from_slice(&std::fs::read(&file).ok()?).ok()).flatten()
    };
    read().unwrap_or_default()
}

/// Beside its place and then moved there: a command that reads meanwhile reads a whole file.
fn write(all: &BTreeMap<String, String>) -> anyhow::Result<()> {
    let file = file().context("there is no HOME to keep the login in: use FLOTILLA_ADMIN_TOKEN")?;
    let folder = file.parent().context("the file is in a folder")?;
    let failed = || format!("cannot keep the login in {}", file.display());
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).with_context(failed)?;
    let mut new = tempfile::NamedTempFile::new_in(folder).with_context(failed)?;
    new.write_all(serde_json::to_string_pretty(all)?.as_bytes()).with_context(failed)?;
    new.persist(&file).with_context(failed)?;
    Ok(())
}
