//! Why context could not be read or written.

use flotilla_value::PathError;

/// Why context could not be read or written. Flows can catch it.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum ContextError {
    /// The key is not a property expression.
    #[error(transparent)]
    Key(#[from] PathError),
    /// The key is empty.
    #[error("Invalid context key")]
    EmptyKey,
    /// The store is away or answered too late.
    #[error("context store \"{store}\" is not available: {reason}")]
    Unavailable {
        /// The store's name.
        store: String,
        /// What went wrong.
        reason: String,
    },
    /// The value cannot be kept in this store.
    #[error("context store \"{store}\" cannot keep this value under \"{key}\": {reason}")]
    NotStorable {
        /// The store's name.
        store: String,
        /// The key.
        key: String,
        /// What stands in the way.
        reason: String,
    },
    /// The store does not offer this operation for this value.
    #[error("{0}")]
    Refused(String),
}
