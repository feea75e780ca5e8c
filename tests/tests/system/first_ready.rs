//! A replica says for the first time that it is ready when its flow is subscribed, and not much later when that cannot be done.

use std::io::Read;
use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use flotilla_tests::mqtt::{Client, Connect, TestBroker};
use flotilla_tests::{Part, Wire, free_ports, get, wait_for, write_flow};

use crate::rollout_flow::flow;

/// A replica on its own whose flow takes `in` from a broker, and where it answers `/readyz`.
fn replica(folder: &std::path::Path, broker: SocketAddr) -> (Part, SocketAddr) {
    let mut nodes = flow("x", "");
    for node in nodes.as_array_mut().unwrap() {
        if node["type"] == "mqtt-broker" {
            node["broker"] = broker.ip().to_string().into();
            node["port"] = broker.port().to_string().into();
        }
    }
    let file = write_flow(folder, &nodes).unwrap();
    let [ops] = free_ports().unwrap();
    let store = format!("sqlite:{}", folder.join("store.db").display());
    let at = ops.to_string();
    let args = ["replica", file.to_str().unwrap(), "--ops", &at, "--store", &store, "--http", "127.0.0.1:0"];
    (Part::start(&args, &[]).unwrap(), ops)
}

/// The broker is far away: each answer takes 300 ms. What is published as soon as the replica is ready has a subscriber.
#[test]
fn who_publishes_as_soon_as_it_is_ready_finds_it_subscribed() {
    let folder = tempfile::TempDir::new().unwrap();
    let broker = TestBroker::start(|_| {});
    let wire = Wire::to(broker.address()).unwrap();
    wire.slow_down(Duration::from_millis(150));
    let (_replica, ops) = replica(folder.path(), wire.address);
    wait_for(ops, "/readyz", 200).unwrap();
    let mut client = Client::connect(broker.address(), &Connect::new(5, "publisher")).unwrap();
    let pkid = client.publish("in", b"1", 1, false).unwrap();
    assert_eq!(client.confirmed(pkid, 1).unwrap(), 0, "0x10 (16) says that nobody was subscribed");
}

/// A peer that takes the connection and never says a word: HTTP must not wait for it.
#[test]
fn a_broker_that_is_silent_does_not_keep_it_from_being_ready() {
    let folder = tempfile::TempDir::new().unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut open = Vec::new();
        for mut stream in silent.incoming().map_while(Result::ok) {
            let _ = stream.read(&mut [0; 64]);
            open.push(stream);
        }
    });
    let (_replica, ops) = replica(folder.path(), address);
    let said = wait_for(ops, "/readyz", 200).unwrap();
    assert!(said.contains("not connected"), "{said}");
}

/// From the first answer on: a gateway that has not looked for replicas yet has none.
#[test]
fn a_gateway_without_replicas_is_never_ready() {
    for _ in 0..5 {
        let folder = tempfile::TempDir::new().unwrap();
        let [admin] = free_ports().unwrap();
        let (store, at) = (format!("sqlite:{}", folder.path().join("store.db").display()), admin.to_string());
        let _gateway =
            Part::start(&["gateway", "--http", "127.0.0.1:0", "--admin", &at, "--store", &store], &[]).unwrap();
        let begun = Instant::now();
        let first = loop {
            match get(admin, "/readyz") {
                Ok(answer) => break answer,
                Err(error) => assert!(begun.elapsed() < Duration::from_secs(20), "{error}"),
            }
        };
        assert_eq!((first.status, first.body.as_str()), (503, "replicas: none is ready\n"));
    }
}
