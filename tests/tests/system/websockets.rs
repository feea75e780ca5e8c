//! WebSocket clients of a flow, spread over the replicas of a group.

use std::collections::HashSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use flotilla_tests::{Up, UpOptions, get, write_flow};
use serde_json::json;

const ENDS: Duration = Duration::from_secs(60);

/// A client, by hand.
struct Socket {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Socket {
    fn connect(gateway: SocketAddr) -> Socket {
        let mut stream = TcpStream::connect(gateway).unwrap();
        write!(
            stream,
            "GET /ws HTTP/1.1\r\nHost: {gateway}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: \
             13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        .unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.set_read_timeout(Some(ENDS)).unwrap();
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
        Socket { stream, read: Vec::new() }
    }

    /// Sends a text. It is masked with zeros, which leaves the bytes as they are.
    fn say(&mut self, text: &str) {
        let mut frame = vec![0x81, 0x80 | u8::try_from(text.len()).unwrap(), 0, 0, 0, 0];
        frame.extend_from_slice(text.as_bytes());
        self.stream.write_all(&frame).unwrap();
    }

    /// The next text, if it comes in time.
    fn hear(&mut self, patience: Duration) -> Option<String> {
        let until = Instant::now() + patience;
        loop {
            if let [0x81, length, rest @ ..] = &self.read[..]
                && let Some(text) = rest.get(..usize::from(*length))
            {
                let text = String::from_utf8(text.to_vec()).unwrap();
                self.read.drain(..2 + text.len());
                return Some(text);
            }
            let left = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?;
            self.stream.set_read_timeout(Some(left)).unwrap();
            let mut some = [0; 4096];
            match self.stream.read(&mut some) {
                Ok(0) => panic!("the server closed the socket"),
                Ok(count) => self.read.extend_from_slice(&some[..count]),
                Err(_) => return None,
            }
        }
    }
}

#[test]
fn what_is_sent_to_all_reaches_the_clients_of_all_replicas_once() {
    const CLIENTS: usize = 12;
    const MESSAGES: usize = 100;
    let nodes = json!([
        {"id": "t", "type": "tab", "label": "sockets"},
        {"id": "l", "type": "websocket-listener", "path": "/ws", "wholemsg": "false"},
        {"id": "i", "type": "websocket in", "z": "t", "server": "l", "wires": [["who"]]},
        {"id": "who", "type": "function", "z": "t", "wires": [["o"]],
         "func": "msg.payload = 'replica ' + env.get('FLOTILLA_REPLICA'); return msg;"},
        {"id": "o", "type": "websocket out", "z": "t", "server": "l", "wires": []},
        {"id": "h", "type": "http in", "z": "t", "method": "get", "url": "/say", "wires": [["say", "r"]]},
        {"id": "say", "type": "function", "z": "t", "wires": [["o"]], "func": "return { payload: msg.payload.text };"},
        {"id": "r", "type": "http response", "z": "t"}
    ]);
    let folder = tempfile::TempDir::new().unwrap();
    let file = write_flow(folder.path(), &nodes).unwrap();
    let up = Up::start(&file, UpOptions { replicas: 3, args: Vec::new() }).unwrap();
    let mut clients: Vec<Socket> = (0..CLIENTS).map(|_| Socket::connect(up.http)).collect();
    let mut replicas = HashSet::new();
    for client in &mut clients {
        client.say("who are you?");
        replicas.insert(client.hear(ENDS).expect("an answer on the session"));
    }
    assert!(replicas.len() >= 2, "the clients are spread: {replicas:?}");
    let say = |text: &str| assert_eq!(get(up.http, &format!("/say?text={text}")).unwrap().status, 200);
    // Replicas learn of each other: until then a message may be missed.
    let until = Instant::now() + ENDS;
    let mut reached = vec![false; CLIENTS];
    while !reached.iter().all(|reached| *reached) {
        assert!(Instant::now() < until, "not all clients are reached: {reached:?}");
        say("hello");
        for (client, reached) in clients.iter_mut().zip(&mut reached) {
            *reached |= client.hear(Duration::from_millis(200)).is_some();
        }
    }
    // All three know of all others once each has reached all clients: requests go round.
    for round in 0..20 {
        say(&format!("round{round}"));
    }
    say("begin");
    for client in &mut clients {
        while client.hear(ENDS).expect("the mark") != "begin" {}
    }
    for number in 0..MESSAGES {
        say(&format!("m{number}"));
    }
    for client in &mut clients {
        let mut heard = Vec::new();
        while heard.len() < MESSAGES {
            let text = client.hear(ENDS).expect("each message");
            if text.starts_with('m') {
                heard.push(text);
            }
        }
        // Behind everything that could come twice.
        assert_eq!(heard.iter().collect::<HashSet<_>>().len(), MESSAGES, "a message came twice");
    }
}
