//! A client that publishes by the clock, keeps what is not acknowledged, and sends it again after a reconnect.

use std::rc::Rc;
use std::time::Duration;

use bytes::{BufMut, BytesMut};
use flotilla_codec::client::{self, Incoming, Owed};
use flotilla_codec::{
    Ack, AckKind, Disconnect, Forwarded, PublishOut, QoS, Reason, Version, Why, ack, publish, put_forwarded,
};
use tokio::time::Instant;

use super::connection::{Connection, ConnectionError, connect_packet};
use super::in_flight::InFlight;
use crate::shared::{Due, Feed, Outgoing, Phase, Run};

/// Nothing is encoded past this while the socket takes nothing.
const BUFFER: usize = 256 << 10;
/// Waits between attempts to connect.
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// The broker has so long to read all that was written.
const LEAVING: Duration = Duration::from_secs(30);
/// See [`FIRST_WAIT`].
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// See the module.
pub struct Publisher {
    run: Rc<Run>,
    feed: Feed,
    in_flight: InFlight,
    /// The properties of a message, encoded; the mark comes behind.
    properties: BytesMut,
}

/// How a connection ended.
enum End {
    /// Everything was sent and acknowledged, or the run is over.
    Done,
    /// It is to be made again.
    Lost(ConnectionError),
}

impl Publisher {
    /// A client of a stream.
    pub fn new(run: Rc<Run>, stream: usize, client: usize) -> Publisher {
        let feed = Feed::new(run.clone(), stream, client);
        let mqtt = feed.mqtt();
        let mut properties = BytesMut::new();
        for (name, value) in &mqtt.properties {
            put_forwarded(&mut properties, &Forwarded::User(name, value));
        }
        Publisher { in_flight: InFlight::new(mqtt.window), properties, run, feed }
    }

    /// Connects for the first time.
    ///
    /// # Errors
    /// When that fails: a scenario whose broker is not there does not begin.
    pub async fn connect(&self) -> Result<Connection, ConnectionError> {
        let target = &self.feed.mqtt().target;
        Connection::open(target, &connect_packet(target, self.feed.client_id(), false)).await
    }

    /// Publishes until all is sent and acknowledged, or the run ends.
    pub async fn run(mut self, mut connection: Connection) {
        let mut phases = self.run.phases();
        loop {
            match self.drive(&mut connection, &mut phases).await {
                Ok(End::Done) => break,
                Ok(End::Lost(error)) | Err(error) => {
                    let what =
                        format!("publisher {} of {}: {error}", self.feed.client + 1, self.feed.definition().name);
                    self.run.book.borrow_mut().event(self.run.now(), "connection", what);
                }
            }
            match self.reconnect(&mut phases).await {
                Some(again) => connection = again,
                None => return,
            }
        }
        self.leave(connection).await;
    }

    /// Until it works or the run is over.
    async fn reconnect(&mut self, phases: &mut tokio::sync::watch::Receiver<Phase>) -> Option<Connection> {
        self.feed.hold();
        let mut wait = FIRST_WAIT;
        loop {
            if self.run.phase() == Phase::Ended {
                return None;
            }
            match self.connect().await {
                Ok(connection) => {
                    self.run.book.borrow_mut().tracker.totals_mut().reconnects += 1;
                    return Some(connection);
                }
                Err(error) => self.run.book.borrow_mut().note_failure(&error.to_string()),
            }
            tokio::select! {
                () = tokio::time::sleep(wait) => wait = (wait * 2).min(LONGEST_WAIT),
                _ = phases.wait_for(|phase| *phase == Phase::Ended) => return None,
            }
        }
    }

    async fn drive(
        &mut self,
        connection: &mut Connection,
        phases: &mut tokio::sync::watch::Receiver<Phase>,
    ) -> Result<End, ConnectionError> {
        self.in_flight.limit(connection.connack.receive_maximum.unwrap_or(u16::MAX));
        let mut out = BytesMut::with_capacity(BUFFER);
        self.send_again(connection.connack.session_present, &mut out);
        let keep_alive =
            Duration::from_secs(u64::from(connection.connack.keep_alive.unwrap_or(self.feed.mqtt().target.keep_alive)));
        let ping = tokio::time::sleep(keep_alive / 2);
        let wake = tokio::time::sleep(Duration::ZERO);
        tokio::pin!(ping, wake);
        let mut owed = Owed::default();
        loop {
            let phase = self.run.phase();
            let due = match phase {
                Phase::Connecting => None,
                Phase::Sending => self.fill(&mut out),
                Phase::Draining => None,
                Phase::Ended => return Ok(End::Done),
            };
            let finished = phase == Phase::Draining || (phase == Phase::Sending && self.feed.is_over(self.run.now()));
            if finished && self.in_flight.len() == 0 && out.is_empty() {
                return Ok(End::Done);
            }
            if let Some(due) = due {
                wake.as_mut().reset(Instant::from_std(self.run.clock.get().at(due)));
            }
            connection.buffer.reserve(64 << 10);
            let choked = owed.is_much(out.len());
            tokio::select! {
                biased;
                read = tokio::io::AsyncReadExt::read_buf(&mut connection.reader, &mut connection.buffer), if !choked => {
                    if read? == 0 {
                        return Ok(End::Lost(ConnectionError::Closed));
                    }
                    let now = self.run.now();
                    let before = out.len();
                    while let Some(packet) = connection.next()? {
                        self.handle(packet, now, &mut out);
                    }
                    owed.add(out.len() - before);
                }
                written = Connection::write(&mut connection.writer, &mut out), if !out.is_empty() => {
                    written?;
                    owed.wrote(out.len());
                }
                () = &mut wake, if due.is_some() => {}
                () = &mut ping, if !keep_alive.is_zero() => {
                    client::pingreq(&mut out);
                    ping.as_mut().reset(Instant::now() + keep_alive / 2);
                }
                changed = phases.changed() => {
                    if changed.is_err() {
                        return Ok(End::Done);
                    }
                }
            }
        }
    }

    /// Encodes what is due and has room. Gives when the next is due, if it waits for the clock alone.
    fn fill(&mut self, out: &mut BytesMut) -> Option<f64> {
        let run = self.run.clone();
        let now = run.now();
        let qos = self.feed.mqtt().qos;
        let mut book = run.book.borrow_mut();
        loop {
            match self.feed.due(now) {
                Due::Now => {}
                Due::At(due) => return Some(due),
                Due::Waits => return None,
            }
            if out.len() >= BUFFER || (qos != QoS::AtMostOnce && !self.in_flight.has_room()) {
                self.feed.hold();
                return None;
            }
            let outgoing = self.feed.take(&mut book, now);
            self.encode(outgoing, out);
            if qos == QoS::AtMostOnce {
                book.confirm(self.feed.stream, outgoing.key, outgoing.seq, now, now);
                self.feed.answered(now);
            }
        }
    }

    fn encode(&mut self, outgoing: Outgoing, out: &mut BytesMut) {
        let plain = self.properties.len();
        if let Some(mark) = self.feed.property(outgoing) {
            let text = std::str::from_utf8(&mark).unwrap_or_default();
            put_forwarded(&mut self.properties, &Forwarded::User("load", text));
        }
        self.feed.fill(outgoing);
        let mqtt = self.feed.mqtt();
        let message = PublishOut {
            qos: mqtt.qos,
            retain: mqtt.retain,
            forward: &self.properties,
            ..PublishOut::new(self.feed.topic(outgoing).as_bytes(), self.feed.payload())
        };
        if mqtt.qos == QoS::AtMostOnce {
            publish(out, mqtt.target.version, &message);
        } else if let Some((pkid, slot)) = self.in_flight.take() {
            slot.message = Some((outgoing.key, outgoing.seq));
            slot.from = outgoing.from;
            publish(&mut slot.frame, mqtt.target.version, &PublishOut { pkid, ..message });
            out.put_slice(&slot.frame);
        }
        self.properties.truncate(plain);
    }

    fn handle(&mut self, packet: Incoming, now: f64, out: &mut BytesMut) {
        let Incoming::Ack(Ack { kind, pkid, reason }, text) = packet else { return };
        let version = self.feed.mqtt().target.version;
        let stream = self.feed.stream;
        let run = self.run.clone();
        let Some(slot) = self.in_flight.get(pkid) else { return };
        let Some((key, seq)) = slot.message else { return };
        let mut book = run.book.borrow_mut();
        if reason >= 0x80 {
            book.refuse(stream, key, seq, &format!("publish refused: reason 0x{reason:02x} {text}"), now);
            self.in_flight.finish(pkid);
            self.feed.answered(now);
            return;
        }
        let first = matches!(kind, AckKind::PubAck | AckKind::PubRec) && !slot.released;
        if first && reason == Reason::NoMatchingSubscribers as u8 {
            book.unrouted();
        }
        match kind {
            AckKind::PubAck => {
                book.confirm(stream, key, seq, slot.from, now);
                self.in_flight.finish(pkid);
                self.feed.answered(now);
            }
            AckKind::PubRec => {
                if !slot.released {
                    // From here on the message is the broker's (MQTT 5, section 4.3.3).
                    book.confirm(stream, key, seq, slot.from, now);
                    slot.released = true;
                }
                ack(out, version, AckKind::PubRel, pkid, Why::SUCCESS);
            }
            AckKind::PubComp => {
                self.in_flight.finish(pkid);
                self.feed.answered(now);
            }
            AckKind::PubRel => {}
        }
    }

    /// After a reconnect: all that is not finished, in the order of sending. With the session kept it is a repeated attempt
    /// of the same message [MQTT-4.4.0-1]; without, a new one, and what the broker had taken over at QoS 2 is its own.
    fn send_again(&mut self, session: bool, out: &mut BytesMut) {
        let run = self.run.clone();
        let version = self.feed.mqtt().target.version;
        for pkid in self.in_flight.in_order() {
            let Some(slot) = self.in_flight.get(pkid) else { continue };
            let Some((key, seq)) = slot.message else { continue };
            if slot.released {
                if session {
                    ack(out, version, AckKind::PubRel, pkid, Why::SUCCESS);
                } else {
                    self.in_flight.finish(pkid);
                }
                continue;
            }
            run.book.borrow_mut().tracker.resent(key, seq);
            let start = out.len();
            out.put_slice(&slot.frame);
            if session {
                out[start] |= 0x08;
            }
        }
    }

    /// DISCONNECT, so that no session is left behind. The broker closes the connection when it has read it: before that,
    /// messages at QoS 0 may still be on the way, and a connection that takes this one's place would end them.
    async fn leave(&self, mut connection: Connection) {
        let mut out = BytesMut::new();
        client::disconnect(&mut out, connection.version, Disconnect { reason: 0, session_expiry: Some(0) });
        let target = &self.feed.mqtt().target;
        let _ = tokio::time::timeout(LEAVING, async {
            while !out.is_empty() {
                Connection::write(&mut connection.writer, &mut out).await?;
            }
            // An error is an end as well.
            while connection.read().await.is_ok_and(|count| count > 0) {
                connection.buffer.clear();
            }
            if target.version != Version::V5 {
                // 3.1.1 has no expiry: a clean session takes the place of the kept one, and goes.
                let mut last = Connection::open(target, &connect_packet(target, self.feed.client_id(), true)).await?;
                client::disconnect(&mut out, last.version, Disconnect { reason: 0, session_expiry: None });
                Connection::write(&mut last.writer, &mut out).await?;
            }
            Ok::<(), ConnectionError>(())
        })
        .await;
    }
}
