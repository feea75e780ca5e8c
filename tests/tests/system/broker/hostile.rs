//! Peers that misbehave: the broker goes on serving.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use flotilla_tests::mqtt::{BrokerProcess, Client, Connect, TestBroker};
use flotilla_tests::{eventually, free_ports};

/// A healthy client gets its message through.
fn still_serves(broker: &TestBroker) {
    let mut client = Client::connect(broker.address(), &Connect::new(5, "healthy")).unwrap();
    client.subscribe("alive", 1).unwrap();
    let pkid = client.publish("alive", b"yes", 1, false).unwrap();
    client.confirmed(pkid, 1).unwrap();
    client.messages(1).unwrap();
}

/// Four threads connect 1,500 times each with one ClientID, none says goodbye.
#[test]
fn one_client_id_from_four_sides() {
    let broker = TestBroker::start(|_| {});
    let address = broker.address();
    let sides: Vec<_> = (0..4)
        .map(|side| {
            std::thread::spawn(move || {
                let mut last = None;
                for round in 0..1500 {
                    let mut options = Connect::new(if side % 2 == 0 { 4 } else { 5 }, "one");
                    if round % 3 == 0 {
                        options = options.persistent();
                    }
                    // The connection may be taken over before its CONNACK is read.
                    if let Ok(mut client) = Client::connect(address, &options) {
                        let _ = client.publish("t", b"x", 1, false);
                        last = Some(client);
                    }
                }
                last
            })
        })
        .collect();
    let last: Vec<_> = sides.into_iter().map(|side| side.join().unwrap()).collect();
    still_serves(&broker);
    drop(last);
    eventually("only the last is connected, if at all", Duration::from_secs(20), || {
        (broker.status().connections <= 1 && broker.status().sessions <= 2).then_some(())
    })
    .unwrap();
}

#[test]
fn a_connect_that_comes_a_byte_at_a_time() {
    let broker = TestBroker::start(|_| {});
    let mut stream = TcpStream::connect(broker.address()).unwrap();
    stream.set_nodelay(true).unwrap();
    let connect = [0x10, 14, 0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 0, 0, 2, b'i', b'd'];
    let publish = [0x32, 6, 0, 1, b't', 0, 7, b'x'];
    for byte in connect.into_iter().chain(publish) {
        stream.write_all(&[byte]).unwrap();
    }
    let mut answer = [0; 8];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(answer, [0x20, 2, 0, 0, 0x40, 2, 0, 7]);
}

/// A length beyond the limit ends the connection before the bytes are there.
#[test]
fn an_oversize_length_is_refused() {
    let broker = TestBroker::start(|config| config.max_packet = 1000);
    let mut stream = TcpStream::connect(broker.address()).unwrap();
    stream.write_all(&[0x10, 0xff, 0xff, 0xff, 0x7f]).unwrap();
    assert_eq!(stream.read(&mut [0; 16]).unwrap(), 0);
    let mut client = Client::connect(broker.address(), &Connect::new(5, "c")).unwrap();
    client.send(&[0x30, 0xff, 0xff, 0xff, 0x7f]).unwrap();
    let end = client.receive(Duration::from_secs(10)).unwrap();
    assert_eq!(end, Some(flotilla_tests::mqtt::Packet::Disconnect(0x95)));
    still_serves(&broker);
}

/// Connections that never send CONNECT are closed after the time-out.
#[test]
fn half_open_connections_are_closed() {
    let broker = TestBroker::start(|config| config.connect_timeout = 1);
    let mut silent: Vec<TcpStream> = (0..200).map(|_| TcpStream::connect(broker.address()).unwrap()).collect();
    still_serves(&broker);
    for stream in &mut silent {
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
    }
}

/// Topics with more levels than a tree should have.
#[test]
fn a_topic_of_slashes_is_refused() {
    let broker = TestBroker::start(|_| {});
    let mut client = Client::connect(broker.address(), &Connect::new(5, "c")).unwrap();
    client.publish(&"/".repeat(60_000), b"x", 1, true).unwrap();
    let end = client.receive(Duration::from_secs(10)).unwrap();
    assert_eq!(end, Some(flotilla_tests::mqtt::Packet::Disconnect(0x90)));
    still_serves(&broker);
}

/// A client that asks and never reads is not read from for ever: what it is owed stays bounded.
#[test]
fn who_asks_and_never_reads_is_held_back() {
    let broker = TestBroker::start(|config| config.out_buffer = 64 << 10);
    let mut stream = TcpStream::connect(broker.address()).unwrap();
    stream.write_all(&[0x10, 14, 0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 0, 0, 2, b'i', b'd']).unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(2))).unwrap();
    let pings = [0xC0, 0].repeat(32 << 10);
    // Socket buffers take some megabytes; then the broker takes no more.
    let mut taken = 0usize;
    while taken < 256 << 20 {
        match stream.write(&pings) {
            Ok(count) => taken += count,
            Err(_) => break,
        }
    }
    assert!(taken < 256 << 20, "the broker read {taken} bytes from a client that reads nothing");
    still_serves(&broker);
}

/// Sessions that begin well and then send damaged packets: the router meets whatever the codec lets through.
#[test]
fn damaged_packets_end_one_connection_only() {
    let broker = TestBroker::start(|_| {});
    let connect = [0x10, 14, 0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 0, 0, 2, b'i', b'd'];
    let good: [&[u8]; 7] = [
        &[0x82, 6, 0, 1, 0, 1, b't', 2],
        &[0x82, 16, 0, 2, 0, 11, b'$', b's', b'h', b'a', b'r', b'e', b'/', b'g', b'/', b't', b't', 1],
        &[0x34, 6, 0, 1, b't', 0, 7, b'x'],
        &[0x33, 6, 0, 1, b't', 0, 8, b'x'],
        &[0x62, 2, 0, 7],
        &[0x40, 2, 0, 1],
        &[0xA2, 5, 0, 3, 0, 1, b't'],
    ];
    let mut state = 1u64;
    let mut random = |limit: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % limit
    };
    for _ in 0..3000 {
        let mut bytes = connect.to_vec();
        // 3.1.1 or 5, with an id of its own or one that is taken over.
        bytes[8] = 4 + random(2) as u8;
        if bytes[8] == 5 {
            bytes.insert(12, 0);
            bytes[1] += 1;
        }
        for _ in 0..random(12) {
            bytes.extend(good[random(good.len())]);
        }
        let from = bytes.len().min(17);
        for _ in 0..random(4) {
            let at = from + random((bytes.len() - from).max(1));
            if let Some(byte) = bytes.get_mut(at) {
                *byte = random(256) as u8;
            }
        }
        let mut stream = TcpStream::connect(broker.address()).unwrap();
        stream.write_all(&bytes).unwrap();
    }
    still_serves(&broker);
    eventually("all are gone", Duration::from_secs(20), || (broker.status().connections == 0).then_some(())).unwrap();
}

/// Ten thousand clients that are connected and do nothing. Needs `ulimit -n` of 11,000 or more.
#[test]
fn ten_thousand_idle_connections() {
    let (folder, [address]) = (tempfile::tempdir().unwrap(), free_ports().unwrap());
    let broker = BrokerProcess::start(address, folder.path()).unwrap();
    let before = broker.resident().unwrap();
    let idle: Vec<Client> = (0..10_000)
        .map(|n| {
            let client = Client::connect(address, &Connect::new(5, &format!("idle-{n}")));
            client.unwrap_or_else(|error| panic!("connection {n}: {error}; is ulimit -n 11000 or more?"))
        })
        .collect();
    let mut client = Client::connect(address, &Connect::new(5, "healthy")).unwrap();
    client.subscribe("alive", 1).unwrap();
    let pkid = client.publish("alive", b"yes", 1, false).unwrap();
    client.confirmed(pkid, 1).unwrap();
    client.messages(1).unwrap();
    let each = broker.resident().unwrap().saturating_sub(before) / idle.len();
    eprintln!("{each} bytes for each idle connection");
    assert!(each < 20 << 10, "{each} bytes for each");
}
