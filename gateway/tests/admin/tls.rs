//! TLS of the admin API.

use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::Router;
use flotilla_api::client::ClientTls;
use flotilla_api::{Client, ClientError};
use flotilla_gateway::admin::{Admin, Api, NodeTypes, Token};
use flotilla_gateway::tls::{Tls, TlsFiles};
use flotilla_group::sealing::{KeyRing, Restart};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio_util::sync::CancellationToken;

use crate::place::{Place, TOKEN};

#[derive(Clone)]
struct Made {
    cert: PathBuf,
    key: PathBuf,
}

impl Made {
    fn files(&self) -> TlsFiles {
        TlsFiles { cert: self.cert.clone().into(), key: self.key.clone().into(), client_ca: None }
    }
}

fn ring(place: &Place) -> KeyRing {
    KeyRing::new(place.store.clone(), None, Restart::Given)
}

/// A certificate for `localhost` that is its own authority.
fn write(folder: &Path, name: &str) -> Made {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (chain, key) = (folder.join(format!("{name}.pem")), folder.join(format!("{name}.key")));
    std::fs::write(&chain, cert.pem()).unwrap();
    std::fs::write(&key, signing_key.serialize_pem()).unwrap();
    Made { cert: chain, key }
}

#[tokio::test]
async fn a_new_certificate_is_taken_without_a_restart() {
    let place = Place::start().await;
    let folder = tempfile::TempDir::new().unwrap();
    let (files, other) = (write(folder.path(), "one"), write(folder.path(), "two"));
    let copy = folder.path().join("first-ca.pem");
    std::fs::copy(&files.cert, &copy).unwrap();
    let tls = Tls::load(files.files()).unwrap();
    let stop = CancellationToken::new();
    tls.follow(stop.clone());
    let _guard = stop.drop_guard();
    let api = Api::new(place.store.clone(), "g", NodeTypes::default(), ring(&place));
    let listen = "127.0.0.1:0".parse().unwrap();
    let admin = Admin::start(listen, Some(tls), Some(Token::new(TOKEN).unwrap()), api, Router::new()).await.unwrap();
    let address = format!("localhost:{}", admin.address().port());
    let client = |ca: &Path| {
        let tls = ClientTls { ca: Some(ca.to_owned()), identity: None, ..ClientTls::default() };
        Client::new(address.clone(), Some(TOKEN)).with_tls(tls)
    };
    assert_eq!(client(&copy).whoami().await.unwrap().name, "admin");
    assert!(client(&other.cert).whoami().await.is_err(), "another authority is not trusted");
    assert!(Client::new(address.clone(), Some(TOKEN)).whoami().await.is_err(), "nor is anything in the clear");
    // Connections that say nothing hold nobody up.
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(tokio::net::TcpStream::connect(admin.address()).await.unwrap());
    }
    client(&copy).whoami().await.unwrap();
    std::fs::copy(&other.cert, &files.cert).unwrap();
    std::fs::copy(&other.key, &files.key).unwrap();
    let taken = async {
        while client(&other.cert).whoami().await.is_err() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), taken).await.expect("the new certificate is used");
}

#[tokio::test]
async fn a_client_without_a_certificate_is_refused_where_one_is_asked_for() {
    let place = Place::start().await;
    let folder = tempfile::TempDir::new().unwrap();
    let (files, own) = (write(folder.path(), "server"), write(folder.path(), "client"));
    let tls = Tls::load(TlsFiles { client_ca: Some(own.cert.clone().into()), ..files.files() }).unwrap();
    let api = Api::new(place.store.clone(), "g", NodeTypes::default(), ring(&place));
    let listen = "127.0.0.1:0".parse().unwrap();
    let admin = Admin::start(listen, Some(tls), Some(Token::new(TOKEN).unwrap()), api, Router::new()).await.unwrap();
    let address = format!("localhost:{}", admin.address().port());
    let client = |identity| {
        let tls = ClientTls { ca: Some(files.cert.clone()), identity, ..ClientTls::default() };
        Client::new(address.clone(), Some(TOKEN)).with_tls(tls)
    };
    let refused = client(None).whoami().await.unwrap_err();
    assert!(matches!(refused, ClientError::Lost { .. } | ClientError::Unreachable { .. }), "{refused}");
    assert_eq!(client(Some((own.cert, own.key))).whoami().await.unwrap().name, "admin");
}
