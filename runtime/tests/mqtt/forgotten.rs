//! A broker that forgets the session of a dead replica while it is finished: what came at QoS 2 is nowhere else, and is not lost.

use std::io::Write;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use flotilla_engine::Engine;
use flotilla_engine::message::Failure;
use flotilla_engine::settings::{OnFailure, Settings};
use flotilla_nodes_network::mqtt::{Adopted, KeptSession, Letter, LetterBox, Letters, Suspects, adopt};
use flotilla_value::Value;
use futures::future::BoxFuture;
use serde_json::json;
use tokio::task::JoinHandle;

use super::adoption::Ours;
use super::bounds::answer;
use super::broker::until;
use super::fake::packet;
use super::flow::{broker, connected, grouped, held, node, run, take};

const DEAD: &str = "dead-replica";

/// A broker that has one message of the session, at QoS 2; from the second connection on it has no such session.
#[derive(Clone, Default)]
struct Forgetful {
    version: u8,
    port: u16,
    /// The session is that of the replica itself.
    own: bool,
    /// Connections to the session.
    seen: Arc<AtomicUsize>,
    /// The first of them is to end.
    cut: Arc<AtomicBool>,
    /// A later one has heard that the session is gone, and has acted on it.
    told: Arc<AtomicBool>,
    /// Those that have ended.
    ended: Arc<AtomicUsize>,
}

impl Forgetful {
    fn start(version: u8, own: bool) -> Forgetful {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let broker = Forgetful { version, port, own, ..Forgetful::default() };
        let own = broker.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let own = own.clone();
                thread::spawn(move || own.serve(stream));
            }
        });
        broker
    }

    fn serve(&self, stream: TcpStream) {
        if self.is_served(stream) {
            self.ended.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// Serves a connection to its end; whether it was one to the session.
    fn is_served(&self, mut stream: TcpStream) -> bool {
        let (mut to_session, mut later) = (false, false);
        while let Some((first, body)) = packet(&mut stream) {
            let answer = match first >> 4 {
                1 if body[6] != self.version => vec![0x20, 2, 0, 1],
                1 if self.own || body.windows(DEAD.len()).any(|part| part == DEAD.as_bytes()) => {
                    to_session = true;
                    later = self.seen.fetch_add(1, Ordering::AcqRel) > 0;
                    if later || self.own { self.connack(false) } else { self.resume(&stream) }
                }
                1 => self.connack(false),
                8 if self.own && !later => [answer(0x90, &body, self.version), self.message(&stream)].concat(),
                8 => {
                    self.told.fetch_or(later, Ordering::AcqRel);
                    answer(0x90, &body, self.version)
                }
                10 => {
                    self.told.fetch_or(later, Ordering::AcqRel);
                    answer(0xb0, &body, self.version)
                }
                12 => vec![0xd0, 0],
                _ => continue,
            };
            if stream.write_all(&answer).is_err() {
                break;
            }
        }
        to_session
    }

    fn connack(&self, present: bool) -> Vec<u8> {
        let present = u8::from(present);
        if self.version == 5 { vec![0x20, 3, present, 0, 0] } else { vec![0x20, 2, present, 0] }
    }

    fn resume(&self, stream: &TcpStream) -> Vec<u8> {
        [self.connack(true), self.message(stream)].concat()
    }

    /// The message; from now on the connection ends when it is told to.
    fn message(&self, stream: &TcpStream) -> Vec<u8> {
        let (stream, cut) = (stream.try_clone().unwrap(), self.cut.clone());
        thread::spawn(move || {
            until("the connection is cut", || cut.load(Ordering::Acquire));
            let _ = stream.shutdown(Shutdown::Both);
        });
        // Sent before, to the replica that died.
        let mut publish = vec![0x3c, if self.version == 5 { 8 } else { 7 }, 0, 2, b'i', b'n', 0, 1];
        publish.extend(if self.version == 5 { &[0, b'x'][..] } else { &b"x"[..] });
        publish
    }

    /// Ends the connection, and waits until the next one has heard that the session is gone.
    fn forget(&self) {
        self.cut.store(true, Ordering::Release);
        until("it hears that its session is gone", || self.told.load(Ordering::Acquire));
    }
}

/// The group's store, which is away until `back`.
#[derive(Default)]
struct Store {
    asked: AtomicUsize,
    back: AtomicBool,
    letters: Arc<Mutex<Vec<Letter>>>,
}

impl Suspects for Store {
    fn note(&self, _digest: String) -> BoxFuture<'static, Option<u32>> {
        self.asked.fetch_add(1, Ordering::AcqRel);
        Box::pin(std::future::ready(self.back.load(Ordering::Acquire).then_some(0)))
    }
}

impl LetterBox for Store {
    fn keep(&self, letter: Letter) -> BoxFuture<'static, Result<String, String>> {
        let letters = self.letters.clone();
        Box::pin(async move {
            // A store takes its time.
            tokio::time::sleep(Duration::from_millis(200)).await;
            letters.lock().unwrap().push(letter);
            Ok("kept".to_owned())
        })
    }
}

/// An adopter whose message waits: to be noted in the store (`careful`), or for its next attempt.
struct Adopting {
    engine: Engine,
    forgetful: Forgetful,
    store: Arc<Store>,
    adopted: JoinHandle<Result<Adopted, String>>,
}

impl Adopting {
    async fn start(version: u8, careful: bool, gate: &str, retry_delay: Duration) -> Adopting {
        Adopting::begin(version, careful, true, gate, retry_delay).await
    }

    /// Without `waits` its message runs: the gate has it.
    async fn begin(version: u8, careful: bool, waits: bool, gate: &str, retry_delay: Duration) -> Adopting {
        let (forgetful, store) = (Forgetful::start(version, false), Arc::new(Store::default()));
        let flow = vec![
            // While its message waits the socket is not read: that the connection has ended is seen long before the keep alive.
            broker(forgetful.port, version, &json!({"keepalive": "600"})),
            node("in", "mqtt in", &["fail"], &json!({"topic": "in", "qos": "2"})),
            node("fail", "test-fail", &[gate], &json!({"times": u8::from(waits && !careful)})),
            node(gate, "test-gate", &[], &json!({})),
        ];
        let settings = Settings { on_failure: OnFailure::Retry, max_retries: 3, retry_delay, ..grouped("r2") };
        let engine = run(settings, flow).await;
        engine.shared().extensions().insert(Arc::new(Letters(store.clone())));
        connected(&engine).await;
        let session = KeptSession {
            broker: "b".into(),
            url: String::new(),
            client_id: DEAD.into(),
            filters: vec!["$share/g/in".into()],
            replica: "r1".into(),
        };
        let (shared, suspects) = (engine.shared().clone(), store.clone());
        let adopted = tokio::spawn(async move {
            let suspects: Arc<dyn Suspects> = suspects;
            let suspects = careful.then_some(suspects);
            adopt(&shared, &session, Arc::new(Ours), suspects).await
        });
        let adopting = Adopting { engine, forgetful, store, adopted };
        tokio::task::block_in_place(|| {
            until("the message waits", || match careful {
                _ if !waits => held(gate) == 1,
                true => adopting.store.asked.load(Ordering::Acquire) > 0,
                false => adopting.engine.shared().deliveries().counts().failed > 0,
            });
            adopting.forgetful.forget();
        });
        adopting
    }

    async fn stop(self) {
        self.engine.stop().await;
        self.engine.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn its_message_is_run_all_the_same() {
    for (version, careful) in [(4, false), (4, true), (5, false), (5, true)] {
        let gate = format!("gate-forgotten-{version}-{careful}");
        let mut adopting = Adopting::start(version, careful, &gate, Duration::from_secs(2)).await;
        adopting.store.back.store(true, Ordering::Release);
        tokio::task::block_in_place(|| until("it is run", || held(&gate) == 1));
        assert!(!adopting.adopted.is_finished(), "it waits for the end of the delivery");
        drop(take(&gate));
        let adopted = (&mut adopting.adopted).await.unwrap().unwrap();
        assert!(adopted.finished && adopted.messages == 1, "MQTT {version} careful {careful}: {adopted:?}");
        assert!(adopting.store.letters.lock().unwrap().is_empty());
        adopting.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn its_message_is_a_dead_letter_when_the_adopter_stops() {
    for careful in [false, true] {
        let gate = format!("gate-letter-{careful}");
        let adopting = Adopting::start(5, careful, &gate, Duration::from_secs(600)).await;
        adopting.adopted.abort();
        tokio::task::block_in_place(|| {
            until("it is a dead letter", || !adopting.store.letters.lock().unwrap().is_empty());
        });
        let letters = std::mem::take(&mut *adopting.store.letters.lock().unwrap());
        assert_eq!((letters.len(), letters[0].topic.as_str(), &letters[0].payload[..]), (1, "in", &b"x"[..]));
        assert_eq!(held(&gate), 0);
        adopting.stop().await;
    }
}

/// The session goes to another adopter while the message runs here, and only then it fails.
#[tokio::test(flavor = "multi_thread")]
async fn its_message_is_a_dead_letter_when_it_fails_after_the_adopter_has_let_go() {
    let gate = "gate-late";
    let adopting = Adopting::begin(5, false, false, gate, Duration::from_secs(600)).await;
    adopting.adopted.abort();
    tokio::task::block_in_place(|| {
        until("it has let go", || adopting.forgetful.ended.load(Ordering::Acquire) == 2);
    });
    let msg = take(gate).pop().expect("the message runs");
    let delivery = msg.delivery().expect("it is of a delivery").clone();
    delivery.fail(Failure { node: "fail".into(), error: Value::from("too late"), message: Value::Undefined });
    drop((msg, delivery));
    tokio::task::block_in_place(|| {
        until("it is a dead letter", || !adopting.store.letters.lock().unwrap().is_empty());
    });
    assert_eq!(adopting.store.letters.lock().unwrap().len(), 1);
    adopting.stop().await;
}

/// The session is the replica's own, and its broker comes back without it.
#[tokio::test(flavor = "multi_thread")]
async fn its_message_is_a_dead_letter_when_the_replica_stops() {
    let (forgetful, store) = (Forgetful::start(5, true), Arc::new(Store::default()));
    let flow = vec![
        broker(forgetful.port, 5, &json!({"keepalive": "2"})),
        node("in", "mqtt in", &["fail"], &json!({"topic": "in", "qos": "2"})),
        node("fail", "test-fail", &[], &json!({"times": 1})),
    ];
    let retry_delay = Duration::from_secs(600);
    let settings = Settings { on_failure: OnFailure::Retry, max_retries: 3, retry_delay, ..grouped("r3") };
    let engine = run(settings, flow).await;
    engine.shared().extensions().insert(Arc::new(Letters(store.clone())));
    tokio::task::block_in_place(|| {
        until("the message waits", || engine.shared().deliveries().counts().failed > 0);
        forgetful.forget();
    });
    engine.stop().await;
    assert_eq!(store.letters.lock().unwrap().len(), 1, "it is laid aside before the replica has stopped");
    engine.shutdown().await;
}
