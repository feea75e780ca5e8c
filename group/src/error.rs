//! What can go wrong between replicas and the store.

use flotilla_store::StoreError;

/// What can go wrong between replicas and the store.
#[derive(Debug, thiserror::Error)]
pub enum GroupError {
    /// The store refused or did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A living process has this id.
    #[error(
        "replica id \"{id}\" is taken by a living process (its lease runs {remaining_ms} ms more): choose another --id"
    )]
    IdTaken {
        /// The id.
        id: String,
        /// How long the lease runs, if nobody renews it.
        remaining_ms: u128,
    },
    /// A name that would not fit into a key or a topic.
    #[error("{what} \"{value}\" is not usable: use 1 to 64 of a-z A-Z 0-9 . _ -")]
    BadName {
        /// What is named.
        what: &'static str,
        /// The name.
        value: String,
    },
    /// What the store holds under a key is not what was written there.
    #[error("the store holds something else than {what} under \"{key}\": {reason}")]
    Corrupt {
        /// What was expected.
        what: &'static str,
        /// The key.
        key: String,
        /// What does not fit.
        reason: String,
    },
    /// The revision is not in the store.
    #[error("revision {0} is not in the store")]
    NoRevision(String),
}
