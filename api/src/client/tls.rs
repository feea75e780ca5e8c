//! TLS of the client.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::error::ClientError;

/// How a client checks the gateway, and what it shows itself.
#[derive(Clone, Debug, Default)]
pub struct ClientTls {
    /// The authority of the gateway's certificate, PEM; without it the public ones.
    pub ca: Option<PathBuf>,
    /// The same as a text: counts where there is no file.
    pub ca_text: Option<String>,
    /// Our own certificate and its key, PEM, where the gateway asks for one.
    pub identity: Option<(PathBuf, PathBuf)>,
}

pub(super) fn connector(tls: &ClientTls) -> Result<TlsConnector, ClientError> {
    let mut roots = RootCertStore::empty();
    match (&tls.ca, &tls.ca_text) {
        (None, None) => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        (Some(file), _) => {
            for certificate in certificates(file)? {
                roots.add(certificate).map_err(|error| bad(file, error.to_string()))?;
            }
        }
        (None, Some(text)) => {
            for certificate in authorities(text)? {
                roots.add(certificate).map_err(|error| bad_text(&error))?;
            }
        }
    }
    let unusable =
        |error: tokio_rustls::rustls::Error| ClientError::BadRequest { field: "TLS", reason: error.to_string() };
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().map_err(unusable)?.with_root_certificates(roots);
    let config = match &tls.identity {
        None => config.with_no_client_auth(),
        Some((cert, key)) => {
            let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| bad(key, error.to_string()))?;
            config.with_client_auth_cert(certificates(cert)?, secret).map_err(unusable)?
        }
    };
    Ok(TlsConnector::from(Arc::new(config)))
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, ClientError> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    read.map_err(|error| bad(file, error.to_string()))
}

/// The certificates of a text in PEM.
///
/// # Errors
/// [`ClientError::BadRequest`] when it has none.
pub fn authorities(text: &str) -> Result<Vec<CertificateDer<'static>>, ClientError> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    match read {
        Ok(found) if found.is_empty() => Err(bad_text(&"there is no certificate in it")),
        Ok(found) => Ok(found),
        Err(error) => Err(bad_text(&error)),
    }
}

fn bad_text(reason: &impl ToString) -> ClientError {
    ClientError::BadRequest { field: "the authority (PEM)", reason: reason.to_string() }
}

fn bad(file: &Path, reason: String) -> ClientError {
    ClientError::BadRequest { field: "TLS", reason: format!("{}: {reason}", file.display()) }
}
