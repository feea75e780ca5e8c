//! tcp request.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use flotilla_engine::settings::Settings;
use flotilla_value::Value;
use serde_json::json;

use crate::flow::Flow;

const DEADLINE: Duration = Duration::from_secs(30);

struct Server(TcpListener);

impl Server {
    fn new() -> Server {
        Server(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    /// Accepts and reads what the node sends.
    fn expect(&self, text: &str) -> TcpStream {
        let (mut peer, _) = self.0.accept().unwrap();
        peer.set_read_timeout(Some(DEADLINE)).unwrap();
        expect(&mut peer, text);
        peer
    }

    fn flow(&self, out: &str, splitc: &str, more: &serde_json::Value) -> Flow {
        let mut node = json!({"id": "n", "type": "tcp request", "server": "127.0.0.1", "port": self.port(), "out": out,
            "splitc": splitc, "ret": "string", "wires": [["out"]]});
        for (name, value) in more.as_object().unwrap() {
            node[name] = value.clone();
        }
        Flow::with(json!([node]), Settings { workers: 1, ..Settings::default() }).unwrap()
    }
}

fn expect(peer: &mut TcpStream, text: &str) {
    let mut bytes = vec![0; text.len()];
    peer.read_exact(&mut bytes).unwrap();
    assert_eq!(String::from_utf8(bytes).unwrap(), text);
}

fn closed(mut peer: TcpStream) {
    // A reset is an end, too.
    assert_eq!(peer.read(&mut [0]).unwrap_or(0), 0);
}

#[test]
fn answers_end_at_a_character_a_count_or_a_time() {
    let server = Server::new();
    for (out, splitc, answer, got) in [
        ("char", "\\n", "ab\ncd", "ab\n"),
        ("char", "0x62", "abc", "ab"),
        ("count", "3", "abcd", "abc"),
        ("time", "1", "ab", "ab"),
    ] {
        let flow = server.flow(out, splitc, &json!({}));
        flow.send(r#"{"payload":"ask","topic":"t"}"#);
        let mut peer = server.expect("ask");
        peer.write_all(answer.as_bytes()).unwrap();
        let msg = &flow.messages(1)[0];
        assert_eq!((msg.get("payload"), msg.get("topic")), (Value::from(got), Value::from("t")), "{out} {splitc}");
        closed(peer);
        assert_eq!(flow.settled().completed, 1);
    }
}

#[test]
fn connections_may_stay_and_are_cut_into_lines() {
    let server = Server::new();
    let flow = server.flow("sit", "", &json!({"newline": "\\n", "trim": false}));
    flow.send(r#"{"payload":"1","topic":"first"}"#);
    let mut peer = server.expect("1");
    peer.write_all(b"a\nb").unwrap();
    assert_eq!(flow.messages(1)[0].get("payload"), Value::from("a"));
    flow.send(r#"{"payload":2,"topic":"second"}"#);
    expect(&mut peer, "2");
    peer.write_all(b"\n").unwrap();
    let msg = flow.messages(2)[1].clone();
    assert_eq!((msg.get("payload"), msg.get("topic")), (Value::from("b"), Value::from("second")));
    flow.send(r#"{"reset":true}"#);
    closed(peer);
    flow.line(r#""shape":"ring","text":"0 connections""#);
    assert_eq!(flow.settled().failed, 0);
}

#[test]
fn closing_at_once_sends_all_the_same() {
    let server = Server::new();
    let flow = server.flow("immed", "", &json!({}));
    flow.send(r#"{"payload":"bye"}"#);
    closed(server.expect("bye"));
    assert_eq!(flow.settled().completed, 1);
}

#[test]
fn the_message_may_name_the_server_and_a_refused_connection_is_its_error() {
    let server = Server::new();
    let port = server.port();
    let flow = server.flow("count", "1", &json!({"server": "", "port": ""}));
    flow.send(&format!(r#"{{"payload":"x","host":"127.0.0.1","port":{port}}}"#));
    server.expect("x").write_all(b"y").unwrap();
    assert_eq!(flow.messages(1)[0].get("payload"), Value::from("y"));
    flow.send(r#"{"payload":"x"}"#);
    flow.line("Neither the node nor the message has a host and a port");
    drop(server);
    flow.send(&format!(r#"{{"payload":"x","host":"127.0.0.1","port":{port}}}"#));
    flow.line(&format!("No connection to 127.0.0.1:{port}"));
    assert_eq!(flow.settled().failed, 1);
}
