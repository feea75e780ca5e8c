//! TLS of the MQTT nodes: servers are verified, and a broker that asks for a client's certificate gets it.

use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use flotilla_engine::Credentials;
use flotilla_engine::settings::Settings;
use serde_json::{Value as Json, json};

use crate::flow::Flow;
use crate::pki::{Pki, tls};

/// A Mosquitto that takes clients with a certificate of the authority only, and speaks WebSocket on another port.
struct Broker {
    pki: Pki,
    port: u16,
    websocket: u16,
    child: Child,
    dir: tempfile::TempDir,
}

impl Broker {
    fn start() -> Broker {
        let (pki, dir) = (Pki::new(), tempfile::tempdir().unwrap());
        let mut broker = Broker {
            pki,
            port: free_port(),
            websocket: free_port(),
            child: Command::new("true").spawn().unwrap(),
            dir,
        };
        let pem = [("ca", &broker.pki.ca), ("cert", &broker.pki.cert), ("key", &broker.pki.key.serialize_pem())];
        for (name, text) in pem {
            std::fs::write(broker.file(name), text).unwrap();
        }
        let [ca, cert, key, config] = ["ca", "cert", "key", "mosquitto.conf"].map(|name| broker.file(name));
        let secure = format!(
            "cafile {}\ncertfile {}\nkeyfile {}\nrequire_certificate true\n",
            ca.display(),
            cert.display(),
            key.display()
        );
        let (port, websocket) = (broker.port, broker.websocket);
        let text = format!(
            "user root\nallow_anonymous true\nlistener {port} 127.0.0.1\n{secure}\
             listener {websocket} 127.0.0.1\nprotocol websockets\n{secure}"
        );
        std::fs::write(&config, text).unwrap();
        let mut mosquitto = Command::new("mosquitto");
        mosquitto.arg("-c").arg(&config).stdout(Stdio::null()).stderr(Stdio::null());
        broker.child = mosquitto.spawn().expect("these tests need mosquitto: apt-get install mosquitto");
        for port in [port, websocket] {
            let end = Instant::now() + Duration::from_secs(30);
            while TcpStream::connect(("127.0.0.1", port)).is_err() {
                assert!(Instant::now() < end, "mosquitto does not listen");
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        broker
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The tls-config node `tls` that names files.
    fn files(&self) -> Json {
        let [ca, cert, key] = ["ca", "cert", "key"].map(|name| self.file(name));
        json!({"id": "tls", "type": "tls-config", "ca": ca, "cert": cert, "key": key, "verifyservercert": true})
    }

    fn uploads(&self) -> Credentials {
        tls(&json!({"cadata": self.pki.ca, "certdata": self.pki.cert, "keydata": self.pki.key.serialize_pem()}))
    }

    /// mqtt out `n` publishes what mqtt in hands to the sink.
    fn flow(&self, address: &Json, tls: Json, credentials: Credentials) -> Flow {
        let mut broker = json!({"id": "b", "type": "mqtt-broker", "tls": "tls", "keepalive": "60", "cleansession": true,
                                "autoConnect": true, "protocolVersion": "4", "broker": "localhost", "usetls": true,
                                "port": self.port.to_string()});
        for (name, value) in address.as_object().unwrap() {
            broker[name] = value.clone();
        }
        let nodes = json!([
            broker,
            tls,
            {"id": "n", "type": "mqtt out", "broker": "b", "topic": "a", "qos": "1", "wires": []},
            {"id": "in", "type": "mqtt in", "broker": "b", "topic": "a", "qos": "1", "datatype": "utf8", "wires": [["out"]]},
        ]);
        Flow::with_credentials(nodes, Settings { workers: 1, ..Settings::default() }, credentials).unwrap()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> u16 {
    let [address] = super::ports::free_ports().unwrap();
    address.port()
}

/// tls-config as the editor exports it when certificates were uploaded.
fn uploaded() -> Json {
    json!({"id": "tls", "type": "tls-config", "name": "", "cert": "", "key": "", "ca": "", "certname": "c.pem",
           "keyname": "k.pem", "caname": "ca.pem", "servername": "", "verifyservercert": true, "alpnprotocol": ""})
}

fn messages_pass(flow: &Flow) {
    // Each has a connection of its own; mqtt in shows its once it is subscribed.
    for node in ["in", "n"] {
        flow.line(&format!(r#"status {node} {{"fill":"green""#));
    }
    flow.send(r#"{"payload":"sealed"}"#);
    assert_eq!(flow.payloads(1), r#"["sealed"]"#);
    assert_eq!(flow.settled().failed, 0);
}

#[test]
fn a_client_shows_its_certificate_from_files_or_uploads() {
    let broker = Broker::start();
    messages_pass(&broker.flow(&json!({}), broker.files(), Credentials::default()));
    messages_pass(&broker.flow(&json!({"protocolVersion": "5"}), uploaded(), broker.uploads()));
}

#[test]
fn an_address_may_be_a_url() {
    let broker = Broker::start();
    for address in [format!("mqtts://localhost:{}", broker.port), format!("wss://localhost:{}/mqtt", broker.websocket)]
    {
        let address = json!({"broker": address, "port": ""});
        messages_pass(&broker.flow(&address, broker.files(), Credentials::default()));
    }
}

#[test]
fn who_does_not_trust_or_is_not_trusted_is_told() {
    let broker = Broker::start();
    broker.flow(&json!({}), uploaded(), Pki::new().client()).line("CA certificate must be of the authority");
    broker
        .flow(&json!({}), uploaded(), broker.pki.client())
        .line("does the tls-config node have the client certificate");
    let mut named = uploaded();
    named["servername"] = "elsewhere.example".into();
    broker.flow(&json!({}), named, broker.uploads()).line("server name must be one that the certificate is for");
}

/// As in Node-RED, where many flows have a broker with a certificate of their own making and no tls-config node.
#[test]
fn without_a_tls_config_node_the_broker_is_verified_only_if_its_node_says_so() {
    let broker = Broker::start();
    let (told, certificate) = ("the broker's certificate is not verified", "does the tls-config node have the client");
    let none = broker.flow(&json!({"tls": ""}), uploaded(), Credentials::default());
    none.line(told);
    // It came past the certificate to where it is asked for its own.
    none.line(certificate);
    let address = json!({"broker": format!("mqtts://localhost:{}", broker.port), "usetls": false});
    broker.flow(&address, uploaded(), Credentials::default()).line(certificate);
    let old = broker.flow(&json!({"tls": "", "verifyservercert": "true"}), uploaded(), Credentials::default());
    old.line("CA certificate must be of the authority");
    assert!(!old.lines().iter().any(|line| line.contains(told)), "{:?}", old.lines());
}
