//! tcp in, tcp out.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use flotilla_engine::settings::Settings;
use flotilla_value::Value;
use serde_json::json;

use crate::flow::Flow;

const DEADLINE: Duration = Duration::from_secs(30);

fn flow(nodes: serde_json::Value) -> Flow {
    Flow::with(nodes, Settings { workers: 1, ..Settings::default() }).unwrap()
}

fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream
}

fn accept(listener: &TcpListener) -> TcpStream {
    let (stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream
}

fn read(stream: &mut TcpStream, count: usize) -> String {
    let mut bytes = vec![0; count];
    stream.read_exact(&mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn lines_come_in_and_answers_go_back_on_their_connection() {
    let flow = flow(json!([
        {"id": "n", "type": "tcp in", "server": "server", "port": "0", "datatype": "utf8", "newline": "\\n",
         "topic": "t", "wires": [["out", "reply"]]},
        {"id": "reply", "type": "tcp out", "beserver": "reply", "wires": []},
    ]));
    let port = flow.port("Listening on port");
    let (mut one, mut two) = (connect(port), connect(port));
    one.write_all(b"a\nb").unwrap();
    assert_eq!(read(&mut one, 1), "a");
    two.write_all(b"c\n").unwrap();
    assert_eq!(read(&mut two, 1), "c");
    one.write_all(b"\nrest").unwrap();
    assert_eq!(read(&mut one, 1), "b");
    one.shutdown(std::net::Shutdown::Write).unwrap();
    let mut rest = String::new();
    one.read_to_string(&mut rest).unwrap();
    assert!(rest.is_empty() || rest == "rest", "{rest}");
    let messages = flow.messages(4);
    assert_eq!(messages[0].get("topic"), Value::from("t"));
    assert_eq!(messages[0].get("ip"), Value::from("::ffff:127.0.0.1"));
    assert_eq!(messages[0].get("_session"), messages[2].get("_session"));
    assert_ne!(messages[0].get("_session"), messages[1].get("_session"));
    assert_eq!(messages[0].get("_session").get("type"), Value::from("tcp"));
    assert_eq!(messages[3].get("payload"), Value::from("rest"));
    flow.line(r#""event":"disconnect""#);
    assert_eq!(flow.settled().completed, 4);
}

#[test]
fn a_port_that_is_taken_is_a_problem_of_the_node() {
    let taken = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let flow = flow(json!([{"id": "n", "type": "tcp in", "server": "server", "port": port, "wires": [[]]}]));
    flow.line(&format!("Cannot listen on port {port}: Error: listen EADDRINUSE :::{port}"));
}

#[test]
fn a_client_takes_the_whole_connection_and_connects_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let flow = flow(json!([
        {"id": "n", "type": "tcp in", "server": "client", "host": "127.0.0.1", "port": port, "datamode": "single",
         "datatype": "base64", "wires": [["out"]]},
    ]));
    for (sent, got) in [(&b"foo"[..], "Zm9v"), (b"ba", "YmE=")] {
        let mut peer = accept(&listener);
        peer.write_all(sent).unwrap();
        drop(peer);
        let count = if got == "Zm9v" { 1 } else { 2 };
        assert_eq!(flow.messages(count)[count - 1].get("payload"), Value::from(got));
    }
    flow.line(r#""text":"disconnected""#);
}

#[test]
fn out_connects_and_closes_after_each_message_when_asked_to() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let flow = flow(json!([
        {"id": "n", "type": "tcp out", "beserver": "client", "host": "127.0.0.1", "port": port, "base64": true,
         "end": true, "wires": []},
    ]));
    let mut peer = accept(&listener);
    flow.line(r#""text":"connected""#);
    flow.send(r#"{"payload":"Zm9v"}"#);
    let mut whole = String::new();
    peer.read_to_string(&mut whole).unwrap();
    assert_eq!(whole, "foo");
    accept(&listener);
    assert_eq!(flow.settled().completed, 1);
}

#[test]
fn out_listens_and_tells_everyone() {
    let flow = flow(json!([{"id": "n", "type": "tcp out", "beserver": "server", "port": "0", "wires": []}]));
    let port = flow.port("Listening on port");
    let mut peers = [connect(port), connect(port)];
    flow.line(r#"status n {"text":"2 connections"}"#);
    flow.send(r#"{"payload":7}"#);
    flow.send(r#"{"payload":null}"#);
    flow.send(r#"{"payload":"x"}"#);
    for peer in &mut peers {
        assert_eq!(read(peer, 2), "7x");
    }
    drop(flow);
    for mut peer in peers {
        assert_eq!(peer.read(&mut [0]).unwrap(), 0, "the node ended the connection");
    }
}

#[test]
fn the_flow_takes_no_more_than_it_may_have_in_flight() {
    let settings = Settings { workers: 1, max_in_flight: 2, ..Settings::default() };
    let nodes = json!([
        {"id": "n", "type": "tcp in", "server": "server", "port": "0", "datatype": "utf8", "newline": "\\n",
         "wires": [["d"]]},
        {"id": "d", "type": "delay", "pauseType": "delay", "timeout": "1", "timeoutUnits": "milliseconds",
         "wires": [["out"]]},
    ]);
    let flow = Flow::with(nodes, settings).unwrap();
    let mut peer = connect(flow.port("Listening on port"));
    let lines: Vec<String> = (0..100).map(|number| format!("{number}\n")).collect();
    peer.write_all(lines.concat().as_bytes()).unwrap();
    let mut most = 0;
    while flow.seen() < 100 {
        most = most.max(flow.open_deliveries());
        std::thread::yield_now();
    }
    assert!(most <= 2, "{most} messages were in flight");
    let order: Vec<Value> = flow.messages(100).iter().map(|msg| msg.get("payload")).collect();
    assert_eq!(order, (0..100).map(|number| Value::from(number.to_string())).collect::<Vec<_>>());
}
