//! MQTT over WebSocket, by hand.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use flotilla_tests::eventually;
use flotilla_tests::mqtt::TestBroker;

/// Asks for the upgrade with a subprotocol; the answer's head.
fn upgrade(address: SocketAddr, protocol: &str) -> (TcpStream, String) {
    upgrade_from(address, protocol, "x", "")
}

/// The same as a browser does it, with the `Host` that it connects to and more headers.
fn upgrade_from(address: SocketAddr, protocol: &str, host: &str, more: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    write!(
        stream,
        "GET /mqtt HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: \
         13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: {protocol}\r\n{more}\r\n"
    )
    .unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    (stream, String::from_utf8(head).unwrap())
}

/// Sends a binary frame. It is masked with zeros, which leaves the bytes as they are.
fn binary(stream: &mut TcpStream, bytes: &[u8]) {
    let mut frame = vec![0x82];
    if bytes.len() < 126 {
        frame.push(0x80 | bytes.len() as u8);
    } else {
        frame.push(0x80 | 127);
        frame.extend((bytes.len() as u64).to_be_bytes());
    }
    frame.extend([0; 4]);
    frame.extend(bytes);
    stream.write_all(&frame).unwrap();
}

/// Reads short binary frames until they have `count` bytes.
fn answers(stream: &mut TcpStream, count: usize) -> Vec<u8> {
    let mut answer = Vec::new();
    while answer.len() < count {
        let mut head = [0; 2];
        stream.read_exact(&mut head).unwrap();
        assert_eq!(head[0], 0x82);
        let mut frame = vec![0; usize::from(head[1])];
        stream.read_exact(&mut frame).unwrap();
        answer.extend(frame);
    }
    answer
}

const CONNECT: [u8; 16] = [0x10, 14, 0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 0, 0, 2, b'i', b'd'];

/// A packet may come in two frames, and two packets in one.
#[test]
fn a_websocket_carries_mqtt() {
    let broker = TestBroker::start(|config| config.ws_listen = Some("127.0.0.1:0".parse().unwrap()));
    let address = broker.ws_address().unwrap();
    assert!(upgrade(address, "soap").1.starts_with("HTTP/1.1 400"));
    let (mut stream, head) = upgrade(address, "mqttv3.1, mqtt");
    assert!(
        head.starts_with("HTTP/1.1 101") && head.to_lowercase().contains("sec-websocket-protocol: mqtt\r\n"),
        "{head}"
    );
    binary(&mut stream, &CONNECT[..6]);
    binary(&mut stream, &[&CONNECT[6..], &[0xC0, 0]].concat());
    assert_eq!(answers(&mut stream, 6), [0x20, 2, 0, 0, 0xD0, 0]);
}

/// The bound on packets is not one on frames: a frame may have many packets.
#[test]
fn a_frame_may_be_larger_than_a_packet() {
    let broker = TestBroker::start(|config| {
        config.ws_listen = Some("127.0.0.1:0".parse().unwrap());
        config.max_packet = 1024;
    });
    let (mut stream, _) = upgrade(broker.ws_address().unwrap(), "mqtt");
    binary(&mut stream, &CONNECT);
    assert_eq!(answers(&mut stream, 4), [0x20, 2, 0, 0]);
    let publish = [&[0x30, 103, 0, 1, b't'][..], &[b'x'; 100]].concat();
    let mut frame = publish.repeat(5000);
    frame.extend([0xC0, 0]);
    binary(&mut stream, &frame);
    assert_eq!(answers(&mut stream, 2), [0xD0, 0]);
    assert_eq!(broker.stats().received[0], 5000);
    // One packet of that size is still too large.
    binary(&mut stream, &[0x30, 0x80, 0x10, 0, 1]);
    eventually("the connection ends", Duration::from_secs(20), || (broker.status().connections == 0).then_some(()))
        .unwrap();
}

/// Any web page may try to connect to a broker on this machine: its browser says where it is from.
#[test]
fn web_pages_from_elsewhere_are_refused() {
    let broker = TestBroker::start(|config| {
        config.ws_listen = Some("127.0.0.1:0".parse().unwrap());
        config.ws_origins = vec!["https://plant.example".to_owned()];
    });
    let address = broker.ws_address().unwrap();
    let asks = |origin: &str, host: &str| upgrade_from(address, "mqtt", host, &format!("Origin: {origin}\r\n")).1;
    for (origin, host) in [("https://plant.example", "broker"), ("http://localhost:1880", "localhost:9001")] {
        let head = asks(origin, host);
        assert!(head.starts_with("HTTP/1.1 101"), "{origin}: {head}");
    }
    for (origin, host) in [("https://evil.example", "localhost:9001"), ("http://evil.example", "evil.example")] {
        let head = asks(origin, host);
        assert!(head.starts_with("HTTP/1.1 403"), "{origin}: {head}");
    }
}
