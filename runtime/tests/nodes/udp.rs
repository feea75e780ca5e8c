//! udp in, udp out.

use std::net::UdpSocket;
use std::time::Duration;

use flotilla_engine::settings::Settings;
use flotilla_value::Value;
use serde_json::json;

use crate::flow::Flow;

fn flow(nodes: serde_json::Value) -> Flow {
    Flow::with(nodes, Settings { workers: 2, ..Settings::default() }).unwrap()
}

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    socket
}

#[test]
fn datagrams_come_in_as_what_the_node_says() {
    for (datatype, payload) in
        [("utf8", Value::from("foo")), ("base64", Value::from("Zm9v")), ("buffer", Value::Buffer("foo".into()))]
    {
        let flow = flow(json!([
            {"id": "n", "type": "udp in", "port": "0", "ipv": "udp4", "datatype": datatype, "wires": [["out"]]},
        ]));
        let (own, port) = (socket(), flow.port("Listening at"));
        own.send_to(b"foo", ("127.0.0.1", port)).unwrap();
        let msg = &flow.messages(1)[0];
        let from = own.local_addr().unwrap();
        assert_eq!(msg.get("payload"), payload);
        assert_eq!(msg.get("fromip"), Value::from(from.to_string()));
        assert_eq!((msg.get("ip"), msg.get("port")), (Value::from("127.0.0.1"), Value::from(f64::from(from.port()))));
        assert_eq!(flow.settled().completed, 1);
    }
}

#[test]
fn out_answers_whom_the_message_names_or_warns() {
    let flow = flow(json!([
        {"id": "n", "type": "udp out", "addr": "", "port": "", "ipv": "udp4", "multicast": "false", "base64": true, "wires": []},
    ]));
    let own = socket();
    let port = own.local_addr().unwrap().port();
    flow.send(&format!(r#"{{"payload":"Zm9v","ip":"127.0.0.1","port":{port}}}"#));
    let mut bytes = [0; 8];
    let (size, _) = own.recv_from(&mut bytes).unwrap();
    assert_eq!(&bytes[..size], b"foo");
    flow.send(r#"{"payload":"x"}"#);
    flow.line("Neither the node nor the message has an address");
    flow.send(r#"{"payload":"x","ip":"127.0.0.1"}"#);
    flow.line("Neither the node nor the message has a port");
    flow.send(r#"{"payload":"x","ip":"127.0.0.1","port":70000}"#);
    flow.line("The port must be from 1 to 65535");
    flow.send(&format!(r#"{{"payload":1,"ip":"127.0.0.1","port":{port}}}"#));
    flow.line("the payload must be text with base64 digits");
    assert_eq!(flow.settled().failed, 1);
}

#[test]
fn nodes_with_one_port_share_it() {
    let free = socket().local_addr().unwrap().port();
    let flow = flow(json!([
        {"id": "a", "type": "udp in", "port": free, "ipv": "udp4", "datatype": "utf8", "wires": [["out"]]},
        {"id": "b", "type": "udp in", "port": free, "ipv": "udp4", "datatype": "utf8", "wires": [["out"]]},
        {"id": "n", "type": "udp out", "addr": "127.0.0.1", "port": "", "outport": free, "ipv": "udp4",
         "multicast": "false", "wires": []},
    ]));
    flow.line("is used by another udp node");
    let own = socket();
    own.send_to(b"x", ("127.0.0.1", free)).unwrap();
    assert_eq!(flow.payloads(2), r#"["x","x"]"#);
    flow.send(&format!(r#"{{"payload":"back","port":{}}}"#, own.local_addr().unwrap().port()));
    let (_, from) = own.recv_from(&mut [0; 8]).unwrap();
    assert_eq!(from.port(), free);
}

#[test]
fn an_interface_that_is_not_there_is_a_warning() {
    let flow = flow(json!([
        {"id": "n", "type": "udp in", "port": "0", "ipv": "udp4", "iface": "nosuch0", "wires": [["out"]]},
    ]));
    flow.line("There is no network interface nosuch0");
    flow.port("Listening at");
}
