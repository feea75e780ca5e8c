//! TLS of brokers and web servers.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use super::error::ScenarioError;
use super::file::Broker;

/// A broker's configuration.
pub(super) fn config(field: &str, broker: &Broker) -> Result<Arc<ClientConfig>, ScenarioError> {
    let identity = match (&broker.cert, &broker.key) {
        (Some(cert), Some(key)) => Some((cert.as_path(), key.as_path())),
        (None, None) => None,
        _ => return Err(ScenarioError::field(field, "\"cert\" and \"key\" belong together: give both or none")),
    };
    build(field, broker.ca.as_deref(), identity, broker.insecure)
}

/// From files.
pub(super) fn build(
    field: &str,
    ca: Option<&Path>,
    identity: Option<(&Path, &Path)>,
    insecure: bool,
) -> Result<Arc<ClientConfig>, ScenarioError> {
    let bad = |what: String| ScenarioError::field(field, what);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| bad(error.to_string()))?;
    let certificates = |path: &Path| {
        CertificateDer::pem_file_iter(path)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| bad(format!("cannot read certificates from {}: {error}", path.display())))
    };
    let builder = if insecure {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(Anything::new(&provider)))
    } else {
        let mut roots = RootCertStore::empty();
        match ca {
            Some(path) => {
                for certificate in certificates(path)? {
                    roots.add(certificate).map_err(|error| bad(format!("{}: {error}", path.display())))?;
                }
            }
            None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        }
        builder.with_root_certificates(roots)
    };
    let config = match identity {
        Some((cert, key)) => {
            let private = PrivateKeyDer::from_pem_file(key)
                .map_err(|error| bad(format!("cannot read a private key from {}: {error}", key.display())))?;
            builder.with_client_auth_cert(certificates(cert)?, private).map_err(|error| bad(error.to_string()))?
        }
        None => builder.with_no_client_auth(),
    };
    Ok(Arc::new(config))
}

/// `insecure = true`: the certificate is not looked at; the handshake's signature still is.
#[derive(Debug)]
struct Anything(WebPkiSupportedAlgorithms);

impl Anything {
    fn new(provider: &CryptoProvider) -> Anything {
        Anything(provider.signature_verification_algorithms)
    }
}

impl ServerCertVerifier for Anything {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signature, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
