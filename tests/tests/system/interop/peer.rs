//! A rumqttc client whose every message is counted.

use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::Duration;

use flotilla_codec::Version;
use flotilla_load::rumqtt::{Arrived, Happening, LinkError, LinkOptions, Message, Sender};
use flotilla_load::scenario::Target;
use flotilla_tests::{Up, eventually};
use tokio::runtime::{Builder, Runtime};

/// The longest that anything is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// Both protocols.
pub const VERSIONS: [Version; 2] = [Version::V4, Version::V5];

/// A client that is connected. Dropped, its socket closes without DISCONNECT.
pub struct Peer {
    runtime: Option<Runtime>,
    sender: Sender,
    happenings: Receiver<Result<Happening, LinkError>>,
    arrived: Vec<Arrived>,
    /// Messages that arrived and whose PUBACK or PUBCOMP was written.
    finished: usize,
    /// The broker still had its session.
    pub resumed: bool,
}

/// What rumqttc announces: a session that ends with the connection.
pub fn options(client_id: &str) -> LinkOptions {
    LinkOptions { client_id: client_id.to_owned(), clean: true, queue: 1000, ..LinkOptions::default() }
}

/// The same with a session that outlives the connection.
pub fn kept(client_id: &str) -> LinkOptions {
    LinkOptions { clean: false, session_expiry: Some(3600), ..options(client_id) }
}

/// A message without properties.
pub fn message(topic: &str, payload: impl ToString, qos: u8) -> Message {
    Message { topic: topic.to_owned(), qos, retain: false, payload: payload.to_string().into(), properties: None }
}

/// Messages with the payloads 0, 1 and so on.
pub fn numbered(topic: &str, numbers: std::ops::Range<usize>, qos: u8) -> Vec<Message> {
    numbers.map(|number| message(topic, number, qos)).collect()
}

/// The payloads of these numbers.
pub fn texts(numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers.map(|number| number.to_string()).collect()
}

/// What they have in them.
pub fn payloads(arrived: &[Arrived]) -> Vec<String> {
    arrived.iter().map(|arrived| String::from_utf8(arrived.payload.to_vec()).unwrap()).collect()
}

/// What a group still publishes on a topic, after so many deliveries that its replicas have completed, until it has nothing left
/// to do: repeats come last. A delivery ends after the broker has its outputs, so that a message which `sender` publishes then
/// comes behind all of them.
pub fn late(up: &Up, completed: u64, topic: &str, sender: &mut Peer, collector: &mut Peer) -> Vec<Arrived> {
    eventually("a group that has nothing left to do", PATIENCE, || {
        let replicas = up.replicas();
        let done: u64 = replicas.iter().map(|replica| replica.completed).sum();
        (done >= completed && replicas.iter().all(|replica| replica.in_flight == 0)).then_some(())
    })
    .unwrap();
    sender.publish(vec![message(topic, "end", 1)]);
    collector.take_until("end")
}

impl Peer {
    /// Connects; returns after CONNACK.
    pub fn connect(broker: SocketAddr, version: Version, options: LinkOptions) -> Peer {
        let target = Target {
            host: broker.ip().to_string(),
            port: broker.port(),
            tls: None,
            version,
            user: None,
            password: None,
            keep_alive: 60,
        };
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let mut link = options.link(&target);
        let (sender, (tx, happenings)) = (link.sender(), channel());
        runtime.spawn(async move {
            loop {
                let happening = link.poll().await;
                let over = matches!(happening, Err(_) | Ok(Happening::Left));
                if tx.send(happening).is_err() || over {
                    return;
                }
            }
        });
        let resumed = match happenings.recv_timeout(PATIENCE) {
            Ok(Ok(Happening::Connected { session })) => session,
            other => panic!("no connection: {other:?}"),
        };
        Peer { runtime: Some(runtime), sender, happenings, arrived: Vec::new(), finished: 0, resumed }
    }

    fn hand_over<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.as_ref().expect("it is there until the peer is dropped").block_on(work)
    }

    fn happening(&mut self) -> Happening {
        match self.happenings.recv_timeout(PATIENCE) {
            Ok(Ok(happening)) => {
                self.finished += usize::from(matches!(happening, Happening::Released(_)));
                happening
            }
            other => panic!("the connection ended, or nothing came: {other:?}; {} arrived", self.arrived.len()),
        }
    }

    /// What happened next that is no message; messages are kept.
    fn answer(&mut self) -> Happening {
        loop {
            match self.happening() {
                Happening::Message(arrived) => self.arrived.push(*arrived),
                Happening::Written(_) | Happening::Released(_) | Happening::Taken(..) | Happening::Other => {}
                other => return other,
            }
        }
    }

    /// Subscribes; returns after SUBACK.
    pub fn subscribe(&mut self, filter: &str, qos: u8) {
        self.hand_over(self.sender.subscribe(filter, qos)).unwrap();
        let answer = self.answer();
        assert!(matches!(answer, Happening::Subscribed), "{filter}: {answer:?}");
    }

    /// Publishes; returns when each message at QoS 1 and 2 has its PUBACK or PUBCOMP.
    pub fn publish(&mut self, messages: Vec<Message>) {
        // A ping's worth: QoS 0 has no answer, so the last one is at QoS 1 on a topic that nobody has.
        let last = message("nobody", "", 1);
        let mut open = 1 + messages.iter().filter(|message| message.qos > 0).count();
        for message in messages.into_iter().chain([last]) {
            self.hand_over(self.sender.publish(message)).unwrap();
        }
        while open > 0 {
            match self.answer() {
                Happening::Acked(..) => open -= 1,
                other => panic!("instead of an acknowledgement: {other:?}"),
            }
        }
    }

    /// The next so many messages.
    pub fn take(&mut self, count: usize) -> Vec<Arrived> {
        while self.arrived.len() < count {
            if let Happening::Message(arrived) = self.happening() {
                self.arrived.push(*arrived);
            }
        }
        self.arrived.drain(..count).collect()
    }

    /// What has arrived by now.
    pub fn take_now(&mut self) -> Vec<Arrived> {
        loop {
            match self.happenings.try_recv() {
                Ok(Ok(Happening::Message(arrived))) => self.arrived.push(*arrived),
                Ok(Ok(Happening::Released(_))) => self.finished += 1,
                Ok(Ok(_)) => {}
                Err(TryRecvError::Empty) => return std::mem::take(&mut self.arrived),
                other => panic!("the connection ended: {other:?}"),
            }
        }
    }

    /// All messages up to one with this payload, which is left out.
    pub fn take_until(&mut self, last: &str) -> Vec<Arrived> {
        loop {
            if let Some(at) = self.arrived.iter().position(|arrived| arrived.payload == last.as_bytes()) {
                let mut taken: Vec<Arrived> = self.arrived.drain(..=at).collect();
                taken.pop();
                return taken;
            }
            if let Happening::Message(arrived) = self.happening() {
                self.arrived.push(*arrived);
            }
        }
    }

    /// Acknowledges, with manual acknowledgements; returns when it is written.
    pub fn ack(&mut self, arrived: &Arrived) {
        self.hand_over(self.sender.ack(arrived));
        loop {
            match self.happening() {
                Happening::Released(pkid) if pkid == arrived.pkid => return,
                Happening::Message(arrived) => self.arrived.push(*arrived),
                _ => {}
            }
        }
    }

    /// Waits until so many messages that arrived are finished. rumqttc forgets what it has open when it is made anew, so a
    /// session is not to be left before.
    pub fn finish(&mut self, count: usize) {
        while self.finished < count {
            if let Happening::Message(arrived) = self.happening() {
                self.arrived.push(*arrived);
            }
        }
    }

    /// DISCONNECT; returns when it is written.
    pub fn leave(mut self) {
        self.hand_over(self.sender.disconnect());
        while !matches!(self.answer(), Happening::Left) {}
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
