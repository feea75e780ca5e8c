//! An authority, and what tls-config nodes have of it.

use flotilla_engine::Credentials;
use pkcs8::der::Decode as _;
use pkcs8::der::pem::LineEnding;
use pkcs8::pkcs5::pbes2;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use serde_json::{Value as Json, json};

pub const PASSPHRASE: &str = "correct horse";

/// An authority and a certificate of it for `localhost`, in PEM form.
pub struct Pki {
    pub ca: String,
    pub cert: String,
    pub key: KeyPair,
}

impl Pki {
    pub fn new() -> Pki {
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.distinguished_name.push(DnType::CommonName, "test authority");
        let issuer = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        let cert = params.signed_by(&key, &issuer).unwrap();
        Pki { ca: issuer.pem(), cert: cert.pem(), key }
    }

    /// The key under the passphrase, as `openssl pkcs8 -topk8 -v2 aes-256-cbc` writes it.
    pub fn encrypted_key(&self) -> String {
        let der = self.key.serialize_der();
        let plain = pkcs8::PrivateKeyInfo::from_der(&der).unwrap();
        let params = pbes2::Parameters::pbkdf2_sha256_aes256cbc(2048, b"saltsalt", &[7; 16]).unwrap();
        let encrypted = plain.encrypt_with_params(params, PASSPHRASE).unwrap();
        encrypted.to_pem("ENCRYPTED PRIVATE KEY", LineEnding::LF).unwrap().to_string()
    }

    /// What the tls-config node `tls` of a server has.
    pub fn server(&self, key: &str, passphrase: &str) -> Credentials {
        tls(&json!({"certdata": self.cert, "keydata": key, "passphrase": passphrase}))
    }

    /// What the tls-config node `tls` of a client has.
    pub fn client(&self) -> Credentials {
        tls(&json!({"cadata": self.ca}))
    }
}

/// Credentials of the node `tls`.
pub fn tls(fields: &Json) -> Credentials {
    [("tls".to_owned(), fields.as_object().unwrap().clone())].into_iter().collect()
}
