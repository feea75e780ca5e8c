//! Which files were last deployed from this data folder: a group that was changed since is not changed back.

use std::path::{Path, PathBuf};

use flotilla_group::revision::RevisionChange;
use sha2::{Digest, Sha256};

/// A fingerprint of what the command line gives, and where the last deployed one is kept.
pub(super) struct Deployed {
    file: PathBuf,
    fingerprint: String,
}

impl Deployed {
    /// Of a group whose store is in a data folder.
    pub(super) fn new(data: &Path, group: &str, change: &RevisionChange, key: &str) -> Deployed {
        // Sorted, so that it does not depend on the order of a map.
        let credentials =
            change.replace_credentials.as_ref().map(|all| all.iter().collect::<std::collections::BTreeMap<_, _>>());
        let content = serde_json::json!([
            change.flows,
            change.replace_env,
            change.set_settings,
            credentials,
            change.set_nodes,
            // So that nobody can try passwords on the fingerprint.
            key
        ]);
        let digest = Sha256::digest(content.to_string());
        let fingerprint = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Deployed { file: data.join(format!("deployed-{group}")), fingerprint }
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
