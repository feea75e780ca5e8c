//! Why a store did not do what it was asked.

/// A store's answer.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// Why a store did not do what it was asked. No variant ever holds a password.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum StoreError {
    /// The store is away, or answered too late. A write may or may not have been made. Try again later.
    #[error("the {store} store is not available: {reason}")]
    Unavailable {
        /// Which backend, and where.
        store: String,
        /// What went wrong.
        reason: String,
    },
    /// The lease of a fenced write (or of a renewal) is no longer held. Nothing was written.
    #[error("lease \"{lease}\" with token {token} is no longer held: it expired, was released or has a newer holder")]
    Fenced {
        /// The lease's name.
        lease: String,
        /// The token that was shown.
        token: u64,
    },
    /// An increment of something that is not a number, or a sum past what a number can hold. Nothing was written.
    #[error("\"{key}\" holds {found}, which cannot be incremented: it must be a finite number in JSON text")]
    NotANumber {
        /// The key.
        key: String,
        /// The start of what it holds.
        found: String,
    },
    /// A part of a store URL is wrong.
    #[error("store URL: {field} \"{value}\": {reason}")]
    BadUrl {
        /// Which part.
        field: &'static str,
        /// What it says (never a password).
        value: String,
        /// What is wrong with it and what to write instead.
        reason: String,
    },
    /// A key or a lease name that cannot be used.
    #[error("store key \"{key}\": {reason}")]
    BadKey {
        /// The key, cut to a readable length.
        key: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A value that is too large for this store.
    #[error("the value of \"{key}\" has {size} bytes, and the {store} store accepts at most {limit}")]
    TooLarge {
        /// The key.
        key: String,
        /// The value's size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
        /// Which backend.
        store: &'static str,
    },
    /// What was found is not a Flotilla store. It was left as it is.
    #[error("{place} is not a Flotilla store: {reason}; it was not changed, choose another one")]
    Foreign {
        /// The file, schema, bucket or key prefix.
        place: String,
        /// What is there instead.
        reason: String,
    },
    /// The store's data is damaged.
    #[error("the {store} store is damaged: {reason}")]
    Corrupt {
        /// Which backend, and where.
        store: String,
        /// What was found.
        reason: String,
    },
    /// The server refused: credentials, rights or a missing feature. Trying again will not help.
    #[error("the {store} store refused: {reason}")]
    Refused {
        /// Which backend, and where.
        store: String,
        /// What it said.
        reason: String,
    },
}

impl StoreError {
    /// True when the same call may succeed later.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, StoreError::Unavailable { .. })
    }

    /// True when the caller has lost its lease.
    pub fn is_fenced(&self) -> bool {
        matches!(self, StoreError::Fenced { .. })
    }
}
