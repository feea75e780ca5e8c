//! Groups that meet on one broker.

use std::net::SocketAddr;
use std::time::Duration;

use flotilla_tests::mqtt::{Client, Connect};
use flotilla_tests::{Up, UpOptions, write_flow};
use serde_json::{Value, json};

/// How long anything takes at most.
pub const ENDS: Duration = Duration::from_secs(60);

/// A flow with these nodes on one tab, `t`, and a broker node `b` for what the test sends and hears.
pub fn flow(nodes: &Value) -> Value {
    let mut document = json!([
        {"id": "t", "type": "tab", "label": "links"},
        {"id": "b", "type": "mqtt-broker", "broker": "127.0.0.1", "port": "1883", "protocolVersion": "5"}
    ]);
    let at = |mut node: Value| {
        let node_of_tab = node.as_object_mut().unwrap();
        for (name, value) in [("z", json!("t")), ("x", json!(100)), ("y", json!(100))] {
            node_of_tab.entry(name).or_insert(value);
        }
        node
    };
    document.as_array_mut().unwrap().extend(nodes.as_array().unwrap().iter().cloned().map(at));
    document
}

/// A group with a store of its own and three replicas, whose flow and links are at this broker.
pub fn group(name: &str, nodes: &Value, broker: SocketAddr) -> Up {
    let folder = tempfile::TempDir::new().unwrap();
    let file = write_flow(folder.path(), &flow(nodes)).unwrap();
    let url = format!("mqtt://{broker}");
    let args = ["--group", name, "--project-broker", &url, "--lease", "2"].map(str::to_owned).to_vec();
    Up::start_beside(&file, UpOptions { replicas: 3, args }, broker).unwrap()
}

pub fn client(broker: SocketAddr, id: &str) -> Client {
    Client::connect(broker, &Connect::new(5, id)).unwrap()
}

pub fn publish(client: &mut Client, topic: &str, payload: &str) {
    let id = client.publish(topic, payload.as_bytes(), 1, false).unwrap();
    client.confirmed(id, 1).unwrap();
}
