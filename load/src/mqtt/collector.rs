//! A client that subscribes to what the flow sends.

use std::collections::HashSet;
use std::rc::Rc;
use std::time::Duration;

use bytes::BytesMut;
use flotilla_codec::client::{self, Incoming, Owed};
use flotilla_codec::{Ack, AckKind, Disconnect, QoS, Why, ack};
use tokio::time::Instant;

use super::connection::{Connection, ConnectionError, connect_packet};
use super::output::Output;
use crate::shared::{Phase, Run};

/// Between attempts to connect again.
const WAIT: Duration = Duration::from_millis(200);

/// See the module. Its session outlives its connections, so that what comes meanwhile waits at the broker.
pub struct Collector {
    run: Rc<Run>,
    number: usize,
    connection: Connection,
    early: Vec<Incoming>,
    /// QoS 2: identifiers whose PUBREL is to come; the session's, not the connection's.
    taken: HashSet<u16>,
}

impl Collector {
    /// Connects and subscribes.
    ///
    /// # Errors
    /// When the broker is not there, or refuses.
    pub async fn start(run: Rc<Run>, number: usize) -> Result<Collector, ConnectionError> {
        let mut early = Vec::new();
        let connection = Collector::connect(&run, number, true, &mut early).await?;
        Ok(Collector { run, number, connection, early, taken: HashSet::new() })
    }

    async fn connect(
        run: &Run,
        number: usize,
        first: bool,
        early: &mut Vec<Incoming>,
    ) -> Result<Connection, ConnectionError> {
        let collect = &run.scenario.collectors[number];
        let id = format!("fl{:06x}out{number}", run.id);
        let mut connection = Connection::open(&collect.target, &connect_packet(&collect.target, id, false)).await?;
        if !connection.connack.session_present {
            connection.subscribe(&collect.filter, collect.qos, early).await?;
            if !first {
                let what = "the broker forgot the collector's session: outputs from before this are gone";
                run.book.borrow_mut().event(run.now(), "connection", what);
            }
        }
        Ok(connection)
    }

    /// Counts outputs until the run ends.
    pub async fn run(mut self) {
        let mut phases = self.run.phases();
        loop {
            match self.drive(&mut phases).await {
                Ok(()) => break,
                Err(error) => {
                    let what = format!("collector of {}: {error}", self.run.scenario.collectors[self.number].filter);
                    self.run.book.borrow_mut().event(self.run.now(), "connection", what);
                }
            }
            loop {
                if self.run.phase() == Phase::Ended {
                    return;
                }
                match Collector::connect(&self.run, self.number, false, &mut self.early).await {
                    Ok(connection) => {
                        self.connection = connection;
                        self.run.book.borrow_mut().tracker.totals_mut().reconnects += 1;
                        break;
                    }
                    Err(error) => self.run.book.borrow_mut().note_failure(&error.to_string()),
                }
                tokio::time::sleep(WAIT).await;
            }
        }
        let mut out = BytesMut::new();
        client::disconnect(&mut out, self.connection.version, Disconnect { reason: 0, session_expiry: Some(0) });
        let target = &self.run.scenario.collectors[self.number].target;
        let id = format!("fl{:06x}out{}", self.run.id, self.number);
        let _ = tokio::time::timeout(Duration::from_secs(2), async {
            Connection::write(&mut self.connection.writer, &mut out).await?;
            if target.version != flotilla_codec::Version::V5 {
                let mut last = Connection::open(target, &connect_packet(target, id, true)).await?;
                client::disconnect(&mut out, last.version, Disconnect { reason: 0, session_expiry: None });
                Connection::write(&mut last.writer, &mut out).await?;
            }
            Ok::<(), ConnectionError>(())
        })
        .await;
    }

    async fn drive(&mut self, phases: &mut tokio::sync::watch::Receiver<Phase>) -> Result<(), ConnectionError> {
        let run = self.run.clone();
        let collect = &run.scenario.collectors[self.number];
        let version = self.connection.version;
        let seconds = self.connection.connack.keep_alive.unwrap_or(collect.target.keep_alive);
        let keep_alive = Duration::from_secs(u64::from(seconds));
        let ping = tokio::time::sleep(keep_alive / 2);
        tokio::pin!(ping);
        let mut out = BytesMut::new();
        if !self.connection.connack.session_present {
            self.taken.clear();
        }
        let taken = &mut self.taken;
        let mut handle = |packet: Incoming, now: f64, out: &mut BytesMut| match packet {
            Incoming::Publish(received) => {
                let publish = received.publish;
                let new = publish.qos != QoS::ExactlyOnce || taken.insert(publish.pkid);
                // A retained message is from before the run.
                if new && !publish.retain {
                    let output =
                        Output { topic: &publish.topic, properties: &publish.forward, payload: &publish.payload };
                    output.count(&run, collect, now);
                }
                match publish.qos {
                    QoS::AtMostOnce => {}
                    QoS::AtLeastOnce => ack(out, version, AckKind::PubAck, publish.pkid, Why::SUCCESS),
                    QoS::ExactlyOnce => ack(out, version, AckKind::PubRec, publish.pkid, Why::SUCCESS),
                }
            }
            Incoming::Ack(Ack { kind: AckKind::PubRel, pkid, .. }, _) => {
                taken.remove(&pkid);
                ack(out, version, AckKind::PubComp, pkid, Why::SUCCESS);
            }
            _ => {}
        };
        let mut owed = Owed::default();
        for packet in std::mem::take(&mut self.early) {
            handle(packet, self.run.now(), &mut out);
        }
        loop {
            if self.run.phase() == Phase::Ended {
                return Ok(());
            }
            self.connection.buffer.reserve(64 << 10);
            let choked = owed.is_much(out.len());
            tokio::select! {
                biased;
                read = tokio::io::AsyncReadExt::read_buf(&mut self.connection.reader, &mut self.connection.buffer), if !choked => {
                    if read? == 0 {
                        return Err(ConnectionError::Closed);
                    }
                    let now = self.run.now();
                    let before = out.len();
                    while let Some(packet) = self.connection.next()? {
                        handle(packet, now, &mut out);
                    }
                    owed.add(out.len() - before);
                }
                written = Connection::write(&mut self.connection.writer, &mut out), if !out.is_empty() => {
                    written?;
                    owed.wrote(out.len());
                }
                () = &mut ping, if !keep_alive.is_zero() => {
                    client::pingreq(&mut out);
                    ping.as_mut().reset(Instant::now() + keep_alive / 2);
                }
                changed = phases.changed() => {
                    if changed.is_err() {
                        return Ok(());
                    }
                }
            }
        }
    }
}
