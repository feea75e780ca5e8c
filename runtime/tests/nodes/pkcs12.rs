//! tls-config with PKCS #12 files.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flotilla_engine::Credentials;
use p12_keystore::{
    Certificate, EncryptionAlgorithm, KeyStore, KeyStoreEntry, MacAlgorithm, PrivateKey, PrivateKeyChain,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value as Json, json};

use crate::flow::Flow;
use crate::pki::{PASSPHRASE, Pki, tls};
use crate::tls::{asks, flow, request};

fn certificate(pem: &str) -> Certificate {
    Certificate::from_der(&CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap()
}

/// The key with its certificate and authority, as OpenSSL 3 and Windows write it, or as they did before.
fn file(pki: &Pki, old: bool) -> Vec<u8> {
    let key = PrivateKey::from_der(&pki.key.serialize_der()).unwrap();
    let chain = PrivateKeyChain::new(vec![1, 2, 3], key, [certificate(&pki.cert), certificate(&pki.ca)]);
    let mut store = KeyStore::new();
    store.add_entry("mine", KeyStoreEntry::PrivateKeyChain(chain));
    let writer = store.writer(PASSPHRASE);
    let writer = if old {
        let writer = writer.encryption_algorithm(EncryptionAlgorithm::PbeWithShaAnd3KeyTripleDesCbc);
        writer.mac_algorithm(MacAlgorithm::HmacSha1)
    } else {
        writer
    };
    writer.write().unwrap()
}

fn uploaded(file: &[u8], passphrase: &str) -> Credentials {
    tls(&json!({"p12data": STANDARD.encode(file), "passphrase": passphrase}))
}

fn config(path: &str) -> Json {
    json!({"id": "tls", "type": "tls-config", "certType": "pfx", "p12": path, "verifyservercert": true})
}

fn server(path: &str, credentials: Credentials) -> Flow {
    let nodes = json!([
        {"id": "n", "type": "tcp in", "server": "server", "port": "0", "tls": "tls", "datatype": "utf8", "newline": "",
         "datamode": "stream", "wires": [["reply"]]},
        {"id": "reply", "type": "tcp out", "beserver": "reply", "wires": []},
        config(path),
    ]);
    flow(&nodes, credentials)
}

#[test]
fn a_server_shows_what_the_file_holds_and_a_client_trusts_its_authority() {
    let folder = tempfile::tempdir().unwrap();
    for old in [false, true] {
        let pki = Pki::new();
        let file = file(&pki, old);
        let path = folder.path().join("server.p12");
        std::fs::write(&path, &file).unwrap();
        let path = path.to_str().unwrap();
        for server in [server(path, uploaded(b"", PASSPHRASE)), server("", uploaded(&file, PASSPHRASE))] {
            let port = server.port("Listening on port");
            asks(&flow(&json!([request("localhost", port)]), pki.client()));
            asks(&flow(&json!([request("localhost", port), config("")]), uploaded(&file, PASSPHRASE)));
            let stranger = self::file(&Pki::new(), old);
            let stranger = flow(&json!([request("localhost", port), config("")]), uploaded(&stranger, PASSPHRASE));
            stranger.send(r#"{"payload":"hello"}"#);
            assert_eq!(stranger.settled().failed, 1, "another authority");
        }
    }
}

#[test]
fn a_file_that_cannot_be_used_says_why() {
    let pki = Pki::new();
    let good = file(&pki, false);
    let cut = &good[..good.len() / 2];
    for (path, credentials, told) in [
        ("", uploaded(&good, "wrong"), "is the passphrase of the tls-config node right?"),
        ("", uploaded(cut, PASSPHRASE), "the PKCS #12 file cannot be read"),
        ("", uploaded(pki.cert.as_bytes(), ""), "is a text of PEM"),
        ("", tls(&json!({"p12data": "%%"})), "p12data is no base64"),
        ("/not/there.p12", Credentials::default(), "cannot read /not/there.p12"),
        ("", Credentials::default(), "a TLS server needs a certificate and a private key"),
    ] {
        server(path, credentials).line(told);
    }
}
