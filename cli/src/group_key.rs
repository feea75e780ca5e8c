//! The group's key: credentials are kept in the store under it, and under nothing else.

use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, bail};
use flotilla_flows::read_credentials;
use flotilla_group::GroupError;
use flotilla_group::revision::Revision;
use flotilla_group::sealing::seal as sealed;

use crate::exit::{Exit, Failure};

/// The key in a file that only its owner can read; made when it is not there.
pub fn load_or_make(path: &Path) -> anyhow::Result<String> {
    if path.exists() {
        let key = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        anyhow::ensure!(!key.trim().is_empty(), "{} is empty: restore the group's key there", path.display());
        return Ok(key.trim().to_owned());
    }
    let mut bytes = [0u8; 32];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    let key: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut options = std::fs::OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(key.as_bytes()))
        .with_context(|| format!("cannot write the group's key to {}", path.display()))?;
    Ok(key)
}

/// Encrypts a revision's credentials with the group's key. `secret` is Node-RED's, when they came encrypted.
pub fn seal(revision: &mut Revision, secret: Option<&str>, key: Option<&str>) -> anyhow::Result<()> {
    if !revision.credentials.is_object() {
        return Ok(());
    }
    let plain = read_credentials(&revision.credentials, secret)?;
    let Some(key) = key else {
        bail!("credentials are kept encrypted with the group's key: give it as FLOTILLA_GROUP_KEY or --group-key")
    };
    revision.credentials = sealed(&plain, key);
    Ok(())
}

/// The error of a process that was started with a key that is out of use.
pub fn old_key(error: GroupError) -> anyhow::Error {
    match error {
        GroupError::Key { .. } => Failure::new(Exit::Usage, error.to_string()).into(),
        other => other.into(),
    }
}
