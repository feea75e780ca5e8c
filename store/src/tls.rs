//! Encrypted connections: rustls, with the public certificate authorities or the ones that the URL names.

use std::path::Path;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use crate::contract::{Result, StoreError};
use crate::url::{NetUrl, bad_url};

/// How to check the server, and who we are.
pub(crate) fn client_config(url: &NetUrl) -> Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    match &url.ca {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(path) => {
            for certificate in certificates("ca", path)? {
                roots.add(certificate).map_err(|error| unusable("ca", path, error.to_string()))?;
            }
        }
    }
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|error| bad_url("tls", "", error.to_string()))?.with_root_certificates(roots);
    let Some((cert, key)) = &url.identity else { return Ok(config.with_no_client_auth()) };
    let chain = certificates("cert", cert)?;
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| unusable("key", key, error.to_string()))?;
    config.with_client_auth_cert(chain, secret).map_err(|error| unusable("cert", cert, error.to_string()))
}

fn certificates(field: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let found = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<std::result::Result<Vec<_>, _>>);
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(unusable(field, path, "it holds no certificate in PEM form".to_owned())),
        Err(error) => Err(unusable(field, path, error.to_string())),
    }
}

fn unusable(field: &'static str, path: &Path, reason: String) -> StoreError {
    bad_url(field, path.display().to_string(), reason)
}
