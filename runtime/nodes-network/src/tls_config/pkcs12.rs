//! PKCS #12 files (`.p12`, `.pfx`): a private key, its certificate and those of its authorities, under one passphrase.

use p12_keystore::{Certificate, Pkcs12Archive};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// What is in such a file.
pub(super) struct Pkcs12 {
    /// The key's certificate, and those that lead to its authority.
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
    /// All certificates but the key's own.
    pub(super) authorities: Vec<CertificateDer<'static>>,
}

fn der(certificate: &Certificate) -> CertificateDer<'static> {
    certificate.as_der().to_vec().into()
}

/// Reads a file.
///
/// # Errors
/// What is wrong with it and what to do, for people.
pub(super) fn read(file: &[u8], passphrase: Option<&str>) -> Result<Pkcs12, String> {
    if file.starts_with(b"-----BEGIN") {
        return Err(
            "the PKCS #12 file is a text of PEM: choose certificate and key files in the tls-config node".to_owned()
        );
    }
    let archive = Pkcs12Archive::from_pkcs12(file, passphrase.unwrap_or_default()).map_err(|error| {
        format!("the PKCS #12 file cannot be read ({error}): is the passphrase of the tls-config node right?")
    })?;
    let key = archive.keys.first().ok_or("the PKCS #12 file holds no private key")?;
    let id = key.local_key_id.as_ref().map(AsRef::as_ref);
    let own = archive.certs.iter().position(|cert| id.is_some() && cert.local_key_id.as_deref() == id);
    let own = own.or(if archive.certs.is_empty() { None } else { Some(0) });
    let own = own.ok_or("the PKCS #12 file holds no certificate for its private key")?;
    let others: Vec<&Certificate> =
        archive.certs.iter().enumerate().filter(|(at, _)| *at != own).map(|(_, bag)| &bag.cert).collect();
    let mut chain = vec![&archive.certs[own].cert];
    while let Some(issuer) = chain.last().and_then(|last| others.iter().find(|cert| cert.subject() == last.issuer())) {
        if chain.contains(issuer) {
            break;
        }
        chain.push(issuer);
    }
    Ok(Pkcs12 {
        chain: chain.into_iter().map(der).collect(),
        key: PrivatePkcs8KeyDer::from(key.key.as_der().to_vec()).into(),
        authorities: others.into_iter().map(der).collect(),
    })
}
