//! A broker that sends and does not read: what it is owed is bounded, by every kind of connection.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use flotilla_engine::settings::Settings;
use serde_json::{Value, json};

use super::broker::until;
use super::fake::packet;
use super::flow::{broker, node, run};

/// Far more than the buffers of two sockets take, both ways.
const ALL: usize = 64 << 20;
/// So often in a row the peer has to be as far as before: it cannot send more.
const LOOKS: usize = 30;

/// A broker that sends the same packet, which has to be answered, and reads nothing after CONNECT until it is told to.
struct Deaf {
    port: u16,
    sent: Arc<AtomicUsize>,
    hears: Arc<AtomicBool>,
}

impl Deaf {
    fn start(sends: &'static [u8]) -> Deaf {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sent, hears) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (counts, may_hear) = (sent.clone(), hears.clone());
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            packet(&mut stream).expect("a CONNECT");
            stream.write_all(&[0x20, 2, 0, 0]).unwrap();
            let reader = stream.try_clone().unwrap();
            thread::spawn(move || read_on(reader, &may_hear));
            let packets = sends.repeat((16 << 10) / sends.len());
            while counts.load(Ordering::Acquire) < ALL && stream.write_all(&packets).is_ok() {
                counts.fetch_add(packets.len(), Ordering::Release);
            }
        });
        Deaf { port, sent, hears }
    }
}

fn read_on(mut stream: TcpStream, may_hear: &AtomicBool) {
    until("it is told to read", || may_hear.load(Ordering::Acquire));
    let mut bytes = vec![0; 64 << 10];
    while stream.read(&mut bytes).is_ok_and(|count| count > 0) {}
}

async fn is_bounded(sends: &'static [u8], nodes: &[Value], what: &str) {
    let deaf = Deaf::start(sends);
    let flow = [vec![broker(deaf.port, 4, &json!({"clientid": "deaf"}))], nodes.to_vec()].concat();
    let engine = run(Settings::default(), flow).await;
    tokio::task::block_in_place(|| {
        let (mut last, mut same) = (0, 0);
        until("the peer cannot send more", || {
            let now = deaf.sent.load(Ordering::Acquire);
            same = if now > 0 && now == last { same + 1 } else { 0 };
            last = now;
            same >= LOOKS
        });
        assert!(last < ALL, "{what}: all of it was read and answered in memory");
        deaf.hears.store(true, Ordering::Release);
        until("reading goes on", || deaf.sent.load(Ordering::Acquire) > last);
    });
    engine.stop().await;
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_reads_no_more_while_its_answers_are_not_read() {
    let consumes = node("in", "mqtt in", &[], &json!({"topic": "in", "qos": "2"}));
    let publishes = node("out", "mqtt out", &[], &json!({"topic": "out", "qos": "2"}));
    let both = [consumes, publishes];
    // PUBREL, which is answered with PUBCOMP, and PUBREC, with PUBREL.
    is_bounded(&[0x62, 2, 0, 7], &both[..1], "PUBREL to one that consumes").await;
    is_bounded(&[0x50, 2, 0, 7], &both[1..], "PUBREC to one that publishes").await;
    is_bounded(&[0x62, 2, 0, 7], &both, "PUBREL to one that does both").await;
}
