//! Why a users or ACL file is refused.

use std::path::PathBuf;

use thiserror::Error;

/// A file of users or rights that cannot be used.
#[derive(Debug, Error)]
pub enum AuthError {
    /// It cannot be read.
    #[error("{setting} {path}: the file cannot be read")]
    Io {
        /// The setting that names it.
        setting: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A line in it is not understood.
    #[error("{path}, line {line}: {what}")]
    Line {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong and what to write.
        what: String,
    },
    /// A password that has no hash.
    #[error("the password cannot be hashed: {reason}")]
    Unhashable {
        /// What the library said.
        reason: String,
    },
}
