//! A client that publishes by the clock, keeps what is not acknowledged, and sends it again after a reconnect.

use std::rc::Rc;
use std::time::Duration;

use bytes::{BufMut, BytesMut};
use flotilla_codec::client::{self, Incoming};
use flotilla_codec::{Ack, AckKind, Disconnect, Forwarded, PublishOut, QoS, Version, Why, ack, publish, put_forwarded};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use tokio::time::Instant;

use super::connection::{Connection, ConnectionError, connect_packet};
use super::in_flight::InFlight;
use crate::run::{Phase, Pulse, Run};
use crate::scenario::{MqttStream, Place, Stream};
use crate::template::{Fill, Mark};

/// Nothing is encoded past this while the socket takes nothing.
const BUFFER: usize = 256 << 10;
/// Waits between attempts to connect.
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// See [`FIRST_WAIT`].
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// See the module.
pub struct Publisher {
    run: Rc<Run>,
    stream: usize,
    client: usize,
    pulse: Pulse,
    in_flight: InFlight,
    random: SmallRng,
    payload: Vec<u8>,
    /// The properties of a message, encoded; the mark comes behind.
    properties: BytesMut,
    turn: u64,
    /// Something due could not be sent: the peer held it up.
    held: bool,
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
        let definition = &run.scenario.streams[stream];
        let mqtt = definition.kind.mqtt();
        let seed = run.scenario.seed ^ (stream as u64) << 40 ^ client as u64;
        let mut properties = BytesMut::new();
        for (name, value) in &mqtt.properties {
            put_forwarded(&mut properties, &Forwarded::User(name, value));
        }
        Publisher {
            pulse: Pulse::new(&definition.pace, client),
            in_flight: InFlight::new(mqtt.window),
            random: SmallRng::seed_from_u64(seed),
            payload: Vec::new(),
            properties,
            turn: 0,
            held: false,
            run,
            stream,
            client,
        }
    }

    fn client_id(&self) -> String {
        format!("fl{:06x}s{}c{}", self.run.id, self.stream, self.client)
    }

    /// Connects for the first time.
    ///
    /// # Errors
    /// When that fails: a scenario whose broker is not there does not begin.
    pub async fn connect(&self) -> Result<Connection, ConnectionError> {
        let definition = &self.run.scenario.streams[self.stream];
        let target = &definition.kind.mqtt().target;
        Connection::open(target, &connect_packet(target, self.client_id(), false)).await
    }

    /// Publishes until all is sent and acknowledged, or the run ends.
    pub async fn run(mut self, mut connection: Connection) {
        let mut phases = self.run.phases();
        loop {
            match self.drive(&mut connection, &mut phases).await {
                Ok(End::Done) => break,
                Ok(End::Lost(error)) | Err(error) => {
                    let what = format!("publisher {} of {}: {error}", self.client + 1, self.definition().name);
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

    fn definition(&self) -> &Stream {
        &self.run.scenario.streams[self.stream]
    }

    fn mqtt(&self) -> &MqttStream {
        self.definition().kind.mqtt()
    }

    /// Until it works or the run is over.
    async fn reconnect(&mut self, phases: &mut tokio::sync::watch::Receiver<Phase>) -> Option<Connection> {
        self.held = true;
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
            Duration::from_secs(u64::from(connection.connack.keep_alive.unwrap_or(self.mqtt().target.keep_alive)));
        let ping = tokio::time::sleep(keep_alive / 2);
        let wake = tokio::time::sleep(Duration::ZERO);
        tokio::pin!(ping, wake);
        loop {
            let phase = self.run.phase();
            let due = match phase {
                Phase::Connecting => None,
                Phase::Sending => self.fill(&mut out),
                Phase::Draining => None,
                Phase::Ended => return Ok(End::Done),
            };
            let finished = phase == Phase::Draining || (phase == Phase::Sending && self.pulse.is_over(self.run.now()));
            if finished && self.in_flight.len() == 0 && out.is_empty() {
                return Ok(End::Done);
            }
            if let Some(due) = due {
                wake.as_mut().reset(Instant::from_std(self.run.clock.get().at(due)));
            }
            connection.buffer.reserve(64 << 10);
            tokio::select! {
                biased;
                read = tokio::io::AsyncReadExt::read_buf(&mut connection.reader, &mut connection.buffer) => {
                    if read? == 0 {
                        return Ok(End::Lost(ConnectionError::Closed));
                    }
                    let now = self.run.now();
                    while let Some(packet) = connection.next()? {
                        self.handle(packet, now, &mut out);
                    }
                }
                written = Connection::write(&mut connection.writer, &mut out), if !out.is_empty() => written?,
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
        let mut book = run.book.borrow_mut();
        loop {
            let due = self.pulse.due()?;
            if due > now {
                self.held = false;
                return Some(due);
            }
            let qos = self.mqtt().qos;
            if out.len() >= BUFFER || (qos != QoS::AtMostOnce && !self.in_flight.has_room()) {
                self.held = true;
                return None;
            }
            // What the peer held up counts from when it was due; what only the generator's timer held up does not.
            let by_clock = self.pulse.by_clock();
            let from = if self.held && by_clock { due } else { now };
            if by_clock && !self.held {
                book.late.record(((now - due) * 1e6) as u64);
            }
            self.pulse.pass(now);
            let (key, topic) = run.keys.of(self.stream, self.definition(), self.client, self.turn);
            self.turn += 1;
            let seq = book.send(self.stream, key, from, now);
            self.encode(&run, key, seq, topic, from, out);
            if qos == QoS::AtMostOnce {
                book.confirm(self.stream, key, seq, now, now);
                self.pulse.answered(now);
            }
        }
    }

    fn encode(&mut self, run: &Run, key: u32, seq: u32, topic: usize, from: f64, out: &mut BytesMut) {
        let definition = &run.scenario.streams[self.stream];
        let mqtt = definition.kind.mqtt();
        let topic = definition.names[topic].as_str();
        let mark = Mark { run: run.id, key, seq };
        self.payload.clear();
        let fill = Fill { mark, key: run.keys.short(key), topic, client: self.client + 1 };
        definition.payload.write(&mut self.payload, fill, &mut self.random);
        let plain = self.properties.len();
        if definition.place == Place::Property {
            let mut text = Vec::with_capacity(32);
            mark.write(&mut text);
            put_forwarded(
                &mut self.properties,
                &Forwarded::User("load", std::str::from_utf8(&text).unwrap_or_default()),
            );
        }
        let message = PublishOut {
            qos: mqtt.qos,
            retain: mqtt.retain,
            forward: &self.properties,
            ..PublishOut::new(topic.as_bytes(), &self.payload)
        };
        if mqtt.qos == QoS::AtMostOnce {
            publish(out, mqtt.target.version, &message);
        } else if let Some((pkid, slot)) = self.in_flight.take() {
            slot.message = Some((key, seq));
            slot.from = from;
            publish(&mut slot.frame, mqtt.target.version, &PublishOut { pkid, ..message });
            out.put_slice(&slot.frame);
        }
        self.properties.truncate(plain);
    }

    fn handle(&mut self, packet: Incoming, now: f64, out: &mut BytesMut) {
        let Incoming::Ack(Ack { kind, pkid, reason }, text) = packet else { return };
        let version = self.mqtt().target.version;
        let stream = self.stream;
        let run = self.run.clone();
        let Some(slot) = self.in_flight.get(pkid) else { return };
        let Some((key, seq)) = slot.message else { return };
        let mut book = run.book.borrow_mut();
        if reason >= 0x80 {
            book.error(stream, &format!("publish refused: reason 0x{reason:02x} {text}"), now);
            self.in_flight.finish(pkid);
            self.pulse.answered(now);
            return;
        }
        match kind {
            AckKind::PubAck => {
                book.confirm(stream, key, seq, slot.from, now);
                self.in_flight.finish(pkid);
                self.pulse.answered(now);
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
                self.pulse.answered(now);
            }
            AckKind::PubRel => {}
        }
    }

    /// After a reconnect: all that is not finished, in the order of sending. With the session kept it is a repeated attempt
    /// of the same message [MQTT-4.4.0-1]; without, a new one, and what the broker had taken over at QoS 2 is its own.
    fn send_again(&mut self, session: bool, out: &mut BytesMut) {
        let run = self.run.clone();
        let version = self.mqtt().target.version;
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

    /// DISCONNECT, so that no session is left behind.
    async fn leave(&self, mut connection: Connection) {
        let mut out = BytesMut::new();
        client::disconnect(&mut out, connection.version, Disconnect { reason: 0, session_expiry: Some(0) });
        let target = &self.mqtt().target;
        let _ = tokio::time::timeout(LONGEST_WAIT, async {
            while !out.is_empty() {
                Connection::write(&mut connection.writer, &mut out).await?;
            }
            if target.version != Version::V5 {
                // 3.1.1 has no expiry: a clean session takes the place of the kept one, and goes.
                let mut last = Connection::open(target, &connect_packet(target, self.client_id(), true)).await?;
                client::disconnect(&mut out, last.version, Disconnect { reason: 0, session_expiry: None });
                Connection::write(&mut last.writer, &mut out).await?;
            }
            Ok::<(), ConnectionError>(())
        })
        .await;
    }
}
