//! rustls configurations: whom to trust and what to show.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, DigitallySignedStruct, InconsistentKeys, RootCertStore, ServerConfig, SignatureScheme};

use super::materials::Materials;
use super::old_certificate::OldCertificate;
use super::pkcs12::{self, Pkcs12};
use super::private_key;

/// Why TLS cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A certificate or key is damaged, encrypted or missing.
    #[error("{0}")]
    Unusable(String),
    /// rustls refuses it.
    #[error("TLS: {0}")]
    Refused(#[from] rustls::Error),
}

/// The client configuration of nodes without a tls-config node.
///
/// # Errors
/// Never with the built-in roots; rustls's own errors otherwise.
pub fn client_without_config(verify: bool) -> Result<Arc<ClientConfig>, TlsError> {
    client(&Materials::default(), verify, None)
}

fn certs(pem: &[u8], what: &str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let certs: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let certs = certs.map_err(|error| TlsError::Unusable(format!("the {what} is no PEM: {error}")))?;
    if certs.is_empty() {
        return Err(TlsError::Unusable(format!("the {what} holds no certificate in PEM form")));
    }
    Ok(certs)
}

/// Whom to trust: an own CA instead of the well-known ones, the authorities of a PKCS #12 file beside them; as Node.
fn roots(ca: Option<&Vec<u8>>, more: Vec<CertificateDer<'static>>) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(more);
    match ca {
        Some(pem) => {
            for cert in certs(pem, "CA certificate")? {
                roots.add(cert)?;
            }
        }
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
    }
    Ok(roots)
}

fn pkcs12(materials: &Materials) -> Result<Option<Pkcs12>, TlsError> {
    let read = materials.pfx.as_deref().map(|file| pkcs12::read(file, materials.passphrase.as_deref()));
    read.transpose().map_err(TlsError::Unusable)
}

/// The certificate and key to show.
fn shown(materials: &Materials, pkcs12: Option<Pkcs12>) -> Result<Option<Arc<SingleCertAndKey>>, TlsError> {
    let (chain, key) = match (&materials.cert, &materials.key, pkcs12) {
        (_, _, Some(pkcs12)) => (pkcs12.chain, pkcs12.key),
        (Some(cert), Some(private), None) => {
            let key = private_key::read(private, materials.passphrase.as_deref()).map_err(TlsError::Unusable)?;
            (certs(cert, "certificate")?, key)
        }
        _ => return Ok(None),
    };
    let private = ring::default_provider().key_provider.load_private_key(key)?;
    let pair = CertifiedKey::new(chain, private);
    match pair.keys_match() {
        // A certificate of an old version cannot be compared; whoever it is shown to will.
        Ok(()) | Err(rustls::Error::InvalidCertificate(_)) => Ok(Some(Arc::new(pair.into()))),
        Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(Some(Arc::new(pair.into()))),
        Err(error) => Err(error.into()),
    }
}

pub(super) fn client(materials: &Materials, verify: bool, alpn: Option<&str>) -> Result<Arc<ClientConfig>, TlsError> {
    let mut pkcs12 = pkcs12(materials)?;
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions()?;
    let verifier: Arc<dyn ServerCertVerifier> = if verify {
        let more = pkcs12.as_mut().map(|file| std::mem::take(&mut file.authorities)).unwrap_or_default();
        let roots = Arc::new(roots(materials.ca.as_ref(), more)?);
        let algorithms = provider.signature_verification_algorithms;
        let inner = WebPkiServerVerifier::builder_with_provider(roots.clone(), provider)
            .build()
            .map_err(|error| TlsError::Unusable(error.to_string()))?;
        Arc::new(Pinned { inner, roots, algorithms })
    } else {
        Arc::new(Anyone(provider))
    };
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
    let mut config = match shown(materials, pkcs12)? {
        Some(shown) => builder.with_client_cert_resolver(shown),
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = alpn.map(|name| name.as_bytes().to_vec()).into_iter().collect();
    Ok(Arc::new(config))
}

pub(super) fn server(materials: &Materials, verify: bool, alpn: Option<&str>) -> Result<Arc<ServerConfig>, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions()?;
    let builder = match materials.ca.as_ref().filter(|_| verify) {
        Some(ca) => {
            let roots = Arc::new(roots(Some(ca), Vec::new())?);
            // As Node without `requestCert`: a client may come without a certificate.
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider).allow_unauthenticated().build();
            builder.with_client_cert_verifier(verifier.map_err(|error| TlsError::Unusable(error.to_string()))?)
        }
        None => builder.with_no_client_auth(),
    };
    let Some(shown) = shown(materials, pkcs12(materials)?)? else {
        return Err(TlsError::Unusable("a TLS server needs a certificate and a private key".to_owned()));
    };
    let mut config = builder.with_cert_resolver(shown);
    config.alpn_protocols = alpn.map(|name| name.as_bytes().to_vec()).into_iter().collect();
    Ok(Arc::new(config))
}

/// As webpki; and a self-signed server certificate that is itself listed as a CA is trusted, as OpenSSL does.
#[derive(Debug)]
struct Pinned {
    inner: Arc<WebPkiServerVerifier>,
    roots: Arc<RootCertStore>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified = self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp, now);
        let Err(rustls::Error::InvalidCertificate(rustls::CertificateError::Other(_))) = &verified else {
            return verified;
        };
        // webpki refuses CA certificates as end entities; when it is the very one that was listed, the name decides.
        let mut listed = RootCertStore::empty();
        listed.add(end_entity.clone().into_owned())?;
        if !listed.roots.iter().all(|one| self.roots.roots.contains(one)) {
            return verified;
        }
        match OldCertificate::read(end_entity) {
            Some(old) => old.check(server_name)?,
            None => verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?,
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        match OldCertificate::read(cert) {
            Some(old) => old.verify_signature(message, dss, &self.algorithms),
            None => self.inner.verify_tls12_signature(message, cert, dss),
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        match OldCertificate::read(cert) {
            Some(old) => old.verify_signature(message, dss, &self.algorithms),
            None => self.inner.verify_tls13_signature(message, cert, dss),
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// Any certificate will do: "verify server certificate" is off.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        match OldCertificate::read(cert) {
            Some(old) => old.verify_signature(message, dss, algorithms),
            None => verify_tls12_signature(message, cert, dss, algorithms),
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        match OldCertificate::read(cert) {
            Some(old) => old.verify_signature(message, dss, algorithms),
            None => verify_tls13_signature(message, cert, dss, algorithms),
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
