//! Which files were last deployed from this data folder: a group that was changed since is not changed back.

use std::path::{Path, PathBuf};

use flotilla_group::revision::RevisionChange;
use sha2::{Digest, Sha256};

/// A fingerprint of what the command line gives, and where the last deployed one is kept.
pub(super) struct Deployed {
    file: PathBuf,
    /// Salt, colon, hash.
    fingerprint: String,
}

impl Deployed {
    /// Of a group whose store is in a data folder.
    pub(super) fn new(data: &Path, group: &str, change: &RevisionChange, key: &str) -> Deployed {
        let file = data.join(format!("deployed-{group}"));
        let kept = std::fs::read_to_string(&file).unwrap_or_default();
        // Sorted, so that it does not depend on the order of a map.
        let credentials =
            change.replace_credentials.as_ref().map(|all| all.iter().collect::<std::collections::BTreeMap<_, _>>());
        // So that nobody tries passwords on a fingerprint from elsewhere. Versions before took the group's key, which changes.
        let salt = match kept.trim().split_once(':') {
            Some((salt, _)) => salt.to_owned(),
            None if kept.trim().is_empty() => format!("{:032x}", rand::random::<u128>()),
            None => key.to_owned(),
        };
        let content = serde_json::json!([
            change.flows,
            change.replace_env,
            change.set_settings,
            credentials,
            change.set_nodes,
            salt
        ]);
        let digest = Sha256::digest(content.to_string());
        let hash: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let fingerprint = if salt == key { hash } else { format!("{salt}:{hash}") };
        Deployed { file, fingerprint }
    }

    /// True when the same was deployed last.
    pub(super) fn is_kept(&self) -> bool {
        std::fs::read_to_string(&self.file).is_ok_and(|kept| kept.trim() == self.fingerprint)
    }

    /// Remembers that this was deployed.
    pub(super) fn keep(&self) {
        if let Err(error) = std::fs::write(&self.file, &self.fingerprint) {
            tracing::warn!(%error, file = %self.file.display(), "cannot note what was deployed; the next start may ask");
        }
    }
}
