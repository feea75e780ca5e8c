//! Why a broker did not start.

use std::{io, net::SocketAddr};

use thiserror::Error;

use crate::{auth::AuthError, config::InvalidSetting, persist::PersistError};

/// Why a broker did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The address is in use, or not this machine's.
    #[error("cannot listen on {address}; free the port or set another `{setting}`")]
    Bind {
        /// The setting that names it.
        setting: &'static str,
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// No broker can work with a setting.
    #[error(transparent)]
    Setting(#[from] InvalidSetting),
    /// TLS cannot be offered.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The file of users or the ACL cannot be used.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// What was stored cannot be used.
    #[error(transparent)]
    Persist(#[from] PersistError),
}

/// Why TLS cannot be offered.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A file is missing from the settings.
    #[error("tls_listen needs tls_cert and tls_key: PEM files with the certificate chain and its key")]
    Incomplete,
    /// A file cannot be read.
    #[error("{path}: {what}; it must be a PEM file")]
    File {
        /// The file.
        path: String,
        /// What is wrong.
        what: String,
    },
    /// The key does not fit the certificate, or the like.
    #[error("the certificate cannot be used: {0}")]
    Certificate(#[from] tokio_rustls::rustls::Error),
}
