//! A broker that sends more than may be open, whatever was agreed: the socket is not read beyond the bound, by no kind of connection.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use flotilla_engine::settings::Settings;
use flotilla_nodes_network::mqtt::{Guard, KeptSession, Suspects, adopt};
use futures::future::BoxFuture;
use serde_json::json;

use super::adoption::Ours;
use super::broker::until;
use super::fake::packet;
use super::flow::{broker, connected, grouped, held, node, run, take};

/// Messages of 4 KiB: 32 MB, more than the buffers of two sockets take.
const MESSAGES: u16 = 8000;
/// So often in a row the peer has to be as far as before: it cannot send more.
const LOOKS: usize = 30;

/// A broker that floods the client with this ClientID: when it has subscribed, or at once when it goes on with a session.
struct Flood {
    port: u16,
    sent: Arc<AtomicUsize>,
}

/// What floods, and whom.
#[derive(Clone)]
struct Script {
    client: &'static str,
    version: u8,
    qos: u8,
    resumes: bool,
    sent: Arc<AtomicUsize>,
}

/// The identifier and, with MQTT 5, an empty reason list of an answer.
pub fn answer(kind: u8, id: &[u8], version: u8) -> Vec<u8> {
    match version {
        5 => vec![kind, 4, id[0], id[1], 0, 0],
        _ if kind == 0x90 => vec![kind, 3, id[0], id[1], 0],
        _ => vec![kind, 2, id[0], id[1]],
    }
}

impl Flood {
    fn start(client: &'static str, version: u8, qos: u8, resumes: bool) -> Flood {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let sent = Arc::new(AtomicUsize::new(0));
        let script = Script { client, version, qos, resumes, sent: sent.clone() };
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let script = script.clone();
                thread::spawn(move || script.serve(stream));
            }
        });
        Flood { port, sent }
    }

    /// Waits until the peer cannot send more; how many messages it has sent.
    fn until_stuck(&self) -> usize {
        let (mut last, mut same) = (0, 0);
        until("the peer cannot send more", || {
            let now = self.sent.load(Ordering::Acquire);
            same = if now > 0 && now == last { same + 1 } else { 0 };
            last = now;
            same >= LOOKS
        });
        last
    }
}

impl Script {
    fn serve(&self, mut stream: TcpStream) {
        let writer = Arc::new(Mutex::new(stream.try_clone().unwrap()));
        let mut is_it = false;
        // CONNECT or SUBSCRIBE.
        let begins = if self.resumes { 1 } else { 8 };
        while let Some((first, body)) = packet(&mut stream) {
            let answer = match first >> 4 {
                1 if body[6] != self.version => vec![0x20, 2, 0, 1],
                1 => {
                    is_it = body.windows(self.client.len()).any(|part| part == self.client.as_bytes());
                    let resumed = u8::from(is_it && self.resumes);
                    if self.version == 5 { vec![0x20, 3, resumed, 0, 0] } else { vec![0x20, 2, resumed, 0] }
                }
                8 => answer(0x90, &body, self.version),
                10 => answer(0xb0, &body, self.version),
                12 => vec![0xd0, 0],
                _ => continue,
            };
            if writer.lock().unwrap().write_all(&answer).is_err() {
                return;
            }
            if is_it && first >> 4 == begins {
                // As with a broker: what a session holds is sent before PINGREQ is answered, from which an adopter knows the end.
                if !self.send(&writer, 1) {
                    return;
                }
                let (script, writer) = (self.clone(), writer.clone());
                thread::spawn(move || (2..=MESSAGES).all(|id| script.send(&writer, id)));
            }
        }
    }

    /// Sends a message; whether it could.
    fn send(&self, writer: &Mutex<TcpStream>, id: u16) -> bool {
        let mut body = vec![0, 2, b'i', b'n'];
        if self.qos > 0 {
            body.extend(id.to_be_bytes());
        }
        if self.version == 5 {
            body.push(0);
        }
        body.resize(4096, b'x');
        // 4096 as MQTT writes it.
        let mut packet = vec![0x30 | self.qos << 1, 0x80, 0x20];
        packet.extend(body);
        let sent = writer.lock().unwrap().write_all(&packet).is_ok();
        self.sent.fetch_add(usize::from(sent), Ordering::Release);
        sent
    }
}

/// Waits until as much is open as may be, and the peer is stuck; lets those go and does it again.
fn stays_bounded(flood: &Flood, gate: &str, bound: usize, what: &str) {
    let mut passed = 0;
    for _ in 0..3 {
        until("as much is open as may be", || held(gate) >= bound);
        let sent = flood.until_stuck();
        assert_eq!(held(gate), bound, "{what}: more is open than may be");
        assert!(sent < usize::from(MESSAGES), "{what}: all of it was read");
        passed += take(gate).len();
    }
    assert_eq!(passed, 3 * bound, "{what}: reading goes on when they end");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_for_both_stops_reading_while_it_waits_for_no_answer() {
    for (version, qos) in [(4, 0), (4, 1), (5, 0), (5, 1)] {
        let flood = Flood::start("both-ways", version, qos, false);
        let gate = format!("gate-both-{version}-{qos}");
        let flow = vec![
            broker(flood.port, version, &json!({"clientid": "both-ways"})),
            node("in", "mqtt in", &[&gate], &json!({"topic": "in", "qos": "1"})),
            node(&gate, "test-gate", &[], &json!({})),
            node("out", "mqtt out", &[], &json!({"topic": "out", "qos": "1"})),
        ];
        let engine = run(Settings { max_in_flight: 7, ..Settings::default() }, flow).await;
        tokio::task::block_in_place(|| stays_bounded(&flood, &gate, 7, &format!("MQTT {version} QoS {qos}")));
        engine.stop().await;
        drop(take(&gate));
        engine.shutdown().await;
    }
}

/// Nobody has died with anything.
struct Nobody;

impl Suspects for Nobody {
    fn note(&self, _digest: String) -> BoxFuture<'static, Option<u32>> {
        Box::pin(std::future::ready(Some(0)))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adopter_stops_reading_what_a_session_holds() {
    // With suspects one is open at a time, over MQTT 3.1.1 and at QoS 0 as well, where no receive maximum counts.
    for (version, qos, careful) in
        [(4, 0, true), (4, 1, true), (5, 0, true), (5, 1, true), (4, 1, false), (5, 0, false)]
    {
        let flood = Flood::start("dead-replica", version, qos, true);
        let gate = format!("gate-adopter-{version}-{qos}-{careful}");
        let flow = vec![
            broker(flood.port, version, &json!({})),
            node("in", "mqtt in", &[&gate], &json!({"topic": "in", "qos": "1"})),
            node(&gate, "test-gate", &[], &json!({})),
        ];
        let engine = run(Settings { max_in_flight: 7, ..grouped("r2") }, flow).await;
        connected(&engine).await;
        let session = KeptSession {
            broker: "b".into(),
            url: String::new(),
            client_id: "dead-replica".into(),
            filters: vec!["$share/g/in".into()],
            replica: "r1".into(),
        };
        let shared = engine.shared().clone();
        let adopting = tokio::spawn(async move {
            let guard: Arc<dyn Guard> = Arc::new(Ours);
            let suspects = careful.then(|| -> Arc<dyn Suspects> { Arc::new(Nobody) });
            adopt(&shared, &session, guard, suspects).await
        });
        let bound = if careful { 1 } else { 7 };
        let what = format!("MQTT {version} QoS {qos} careful {careful}");
        tokio::task::block_in_place(|| stays_bounded(&flood, &gate, bound, &what));
        adopting.abort();
        engine.stop().await;
        drop(take(&gate));
        engine.shutdown().await;
    }
}
