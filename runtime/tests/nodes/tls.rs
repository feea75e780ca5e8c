//! TLS of tcp in, tcp out, tcp request and websocket-client; tls-config with certificates and keys of all forms.

use std::sync::Arc;

use flotilla_engine::Credentials;
use flotilla_engine::settings::Settings;
use flotilla_value::Value;
use futures::{SinkExt, StreamExt};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value as Json, json};
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::Message;

use crate::flow::Flow;
use crate::pki::{PASSPHRASE, Pki};

pub fn flow(nodes: &Json, credentials: Credentials) -> Flow {
    let mut all = nodes.as_array().unwrap().clone();
    let has_tls = all.iter().any(|node| node["id"] == "tls");
    if !has_tls {
        all.push(json!({"id": "tls", "type": "tls-config", "verifyservercert": true, "servername": ""}));
    }
    Flow::with_credentials(all.into(), Settings { workers: 1, ..Settings::default() }, credentials).unwrap()
}

/// A server that sends back what it gets, and its port.
fn echo(credentials: Credentials) -> (Flow, u16) {
    let nodes = json!([
        {"id": "n", "type": "tcp in", "server": "server", "port": "0", "tls": "tls", "datatype": "utf8", "newline": "",
         "datamode": "stream", "wires": [["out", "reply"]]},
        {"id": "reply", "type": "tcp out", "beserver": "reply", "wires": []},
    ]);
    let flow = flow(&nodes, credentials);
    let port = flow.port("Listening on port");
    (flow, port)
}

fn acceptor(pki: &Pki) -> tokio_rustls::TlsAcceptor {
    let certs = vec![CertificateDer::from_pem_slice(pki.cert.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(pki.key.serialize_pem().as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(config.with_no_client_auth().with_single_cert(certs, key).unwrap()).into()
}

/// A tcp request of five characters.
pub fn request(host: &str, port: u16) -> Json {
    json!({"id": "n", "type": "tcp request", "server": host, "port": port, "out": "count", "splitc": "5", "ret": "string",
           "tls": "tls", "wires": [["out"]]})
}

pub fn asks(flow: &Flow) {
    flow.send(r#"{"payload":"hello"}"#);
    assert_eq!(flow.messages(1)[0].get("payload"), Value::from("hello"));
    assert_eq!(flow.settled().failed, 0);
}

#[test]
fn requests_are_encrypted_and_servers_verified() {
    let pki = Pki::new();
    let (_server, port) = echo(pki.server(&pki.key.serialize_pem(), ""));
    asks(&flow(&json!([request("localhost", port)]), pki.client()));
    asks(&flow(&json!([request("127.0.0.1", port)]), pki.client()));

    let stranger = flow(&json!([request("localhost", port)]), Pki::new().client());
    stranger.send(r#"{"payload":"hello"}"#);
    assert_eq!(stranger.settled().failed, 1, "another authority");
    let nobody = flow(&json!([request("localhost", port)]), Credentials::default());
    nobody.send(r#"{"payload":"hello"}"#);
    assert_eq!(nobody.settled().failed, 1, "the public authorities do not know this one");

    let named = |name: &str| json!({"id": "tls", "type": "tls-config", "verifyservercert": true, "servername": name});
    let other = flow(&json!([request("127.0.0.1", port), named("elsewhere.example")]), pki.client());
    other.send(r#"{"payload":"hello"}"#);
    assert_eq!(other.settled().failed, 1, "the certificate is for another name");
    asks(&flow(&json!([request("127.0.0.1", port), named("localhost")]), pki.client()));

    let trusting = json!({"id": "tls", "type": "tls-config", "verifyservercert": false});
    asks(&flow(&json!([request("localhost", port), trusting]), Credentials::default()));
}

#[test]
fn certificates_may_be_in_variables() {
    let pki = Pki::new();
    let with = |nodes: Json, env: &[(&str, &str)]| {
        let env = env.iter().map(|(name, value)| ((*name).to_owned(), Some((*value).to_owned()))).collect();
        Flow::with(nodes, Settings { workers: 1, env, ..Settings::default() }).unwrap()
    };
    let server = with(
        json!([
            {"id": "n", "type": "tcp in", "server": "server", "port": "0", "tls": "tls", "datatype": "utf8", "newline": "",
             "datamode": "stream", "wires": [["reply"]]},
            {"id": "reply", "type": "tcp out", "beserver": "reply", "wires": []},
            {"id": "tls", "type": "tls-config", "certType": "env", "certEnv": "CERT", "keyEnv": "${KEY}", "cert": "/not/there"},
        ]),
        &[("CERT", &pki.cert), ("KEY", &pki.key.serialize_pem())],
    );
    let port = server.port("Listening on port");
    let client = json!([
        request("localhost", port),
        {"id": "tls", "type": "tls-config", "certType": "env", "caEnv": "CA", "verifyservercert": true},
    ]);
    asks(&with(client.clone(), &[("CA", &pki.ca)]));
    let lacking = with(client, &[]);
    lacking.line("caEnv names the variable CA, which is not set");
}

#[test]
fn a_plain_client_gets_nothing_from_a_tls_server() {
    let pki = Pki::new();
    let (server, port) = echo(pki.server(&pki.key.serialize_pem(), ""));
    let mut plain = request("localhost", port);
    plain["tls"] = "".into();
    let plain = flow(&json!([plain]), Credentials::default());
    plain.send(r#"{"payload":"hello"}"#);
    // The server answers with an alert, which is shorter or longer than what was asked for; never with an echo.
    plain.settled();
    assert_eq!(server.seen(), 0);
    asks(&flow(&json!([request("localhost", port)]), pki.client()));
}

#[test]
fn tcp_out_and_tcp_in_connect_and_listen_with_tls() {
    let pki = Pki::new();
    let (server, port) = echo(pki.server(&pki.key.serialize_pem(), ""));
    let out = json!({"id": "n", "type": "tcp out", "beserver": "client", "host": "localhost", "port": port, "tls": "tls", "wires": []});
    let client = flow(&json!([out]), pki.client());
    client.line(r#""text":"connected""#);
    client.send(r#"{"payload":"to the server"}"#);
    assert_eq!(server.messages(1)[0].get("payload"), Value::from("to the server"));

    let nodes = json!([{"id": "n", "type": "tcp out", "beserver": "server", "port": "0", "tls": "tls", "wires": []}]);
    let talker = flow(&nodes, pki.server(&pki.key.serialize_pem(), ""));
    let port = talker.port("Listening on port");
    let nodes = json!([{"id": "n", "type": "tcp in", "server": "client", "host": "localhost", "port": port, "tls": "tls",
                        "datamode": "stream", "datatype": "utf8", "newline": "", "wires": [["out"]]}]);
    let listener = flow(&nodes, pki.client());
    talker.line(r#"status n {"text":"1 connections"}"#);
    talker.send(r#"{"payload":"to all"}"#);
    assert_eq!(listener.messages(1)[0].get("payload"), Value::from("to all"));
}

#[test]
fn a_websocket_client_connects_with_tls() {
    let pki = Pki::new();
    let acceptor = acceptor(&pki);
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    server.set_nonblocking(true).unwrap();
    let port = server.local_addr().unwrap().port();
    let nodes = json!([
        {"id": "c", "type": "websocket-client", "path": format!("wss://localhost:{port}/x"), "tls": "tls", "wholemsg": "false"},
        {"id": "i", "type": "websocket in", "client": "c", "wires": [["out"]]},
        {"id": "n", "type": "websocket out", "client": "c", "wires": []},
    ]);
    let flow = flow(&nodes, pki.client());
    flow.run(async {
        let server = tokio::net::TcpListener::from_std(server).unwrap();
        let stream = acceptor.accept(server.accept().await.unwrap().0).await.unwrap();
        let mut peer = accept_async(stream).await.unwrap();
        peer.send(Message::text("in")).await.unwrap();
        flow.line(r#""text":"connected "#);
        flow.send(r#"{"payload":"out"}"#);
        assert_eq!(peer.next().await.unwrap().unwrap().into_text().unwrap().as_str(), "out");
    });
    assert_eq!(flow.payloads(1), r#"["in"]"#);
}

#[test]
fn an_http_request_asks_for_the_name_that_the_node_gives() {
    let pki = Pki::new();
    let acceptor = acceptor(&pki);
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    server.set_nonblocking(true).unwrap();
    let port = server.local_addr().unwrap().port();
    for (host, servername, asked) in [("localhost", "", "localhost"), ("127.0.0.1", "localhost", "localhost")] {
        let nodes = json!([
            {"id": "n", "type": "http request", "method": "GET", "url": format!("https://{host}:{port}/"), "ret": "txt",
             "tls": "tls", "wires": [["out"]]},
            {"id": "tls", "type": "tls-config", "verifyservercert": true, "servername": servername},
        ]);
        let flow = flow(&nodes, pki.client());
        let server = server.try_clone().unwrap();
        let name = flow.run(async {
            flow.send("{}");
            let server = tokio::net::TcpListener::from_std(server).unwrap();
            let mut stream = acceptor.accept(server.accept().await.unwrap().0).await.unwrap();
            let name = stream.get_ref().1.server_name().map(str::to_owned);
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok").await.unwrap();
            stream.shutdown().await.unwrap();
            name
        });
        assert_eq!(flow.messages(1)[0].get("payload"), Value::from("ok"));
        assert_eq!(name.as_deref(), Some(asked), "{host} {servername}");
    }
}

#[test]
fn a_key_may_have_a_passphrase() {
    let pki = Pki::new();
    let encrypted = pki.encrypted_key();
    assert!(encrypted.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    let (_server, port) = echo(pki.server(&encrypted, PASSPHRASE));
    asks(&flow(&json!([request("localhost", port)]), pki.client()));
}

#[test]
fn a_key_that_cannot_be_used_says_what_to_do() {
    let pki = Pki::new();
    let old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
    for (key, passphrase, told) in [
        (pki.encrypted_key().as_str(), "", "give the tls-config node its passphrase"),
        (pki.encrypted_key().as_str(), "wrong", "is the passphrase of the tls-config node right?"),
        (old, PASSPHRASE, "openssl pkcs8 -topk8"),
        (
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
            PASSPHRASE,
            "private key",
        ),
        ("no key at all", "", "the private key is no PEM"),
    ] {
        let nodes =
            json!([{"id": "n", "type": "tcp in", "server": "server", "port": "0", "tls": "tls", "wires": [["out"]]}]);
        flow(&nodes, pki.server(key, passphrase)).line(told);
    }
}
