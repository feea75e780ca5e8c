//! The client.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use bytes::BytesMut;
use flotilla_codec::client::ConnAck;
use flotilla_codec::{self as codec, Disconnect, PublishOut, Unsubscribe, Version, Why};

use super::read::{self, Packet, Publish};
use super::write;

/// How a client connects.
#[derive(Debug, Clone)]
pub struct Connect {
    /// 4 is MQTT 3.1.1.
    pub version: u8,
    /// ClientID.
    pub id: String,
    /// Clean session (3.1.1), clean start (5).
    pub clean: bool,
    /// Session expiry in seconds; MQTT 5 only.
    pub expiry: u32,
    /// Receive maximum; MQTT 5 only.
    pub receive_maximum: u16,
    /// Maximum packet size, if it is told; MQTT 5 only.
    pub max_packet: Option<u32>,
    /// Request problem information, if it is told; MQTT 5 only.
    pub problem_info: Option<u8>,
    /// Keep alive in seconds.
    pub keep_alive: u16,
    /// Topic and payload of a will at QoS 1.
    pub will: Option<(String, String)>,
    /// User name and password.
    pub user: Option<(String, String)>,
    /// User properties; MQTT 5 only.
    pub properties: Vec<(String, String)>,
}

impl Connect {
    /// A clean client without keep alive.
    pub fn new(version: u8, id: &str) -> Self {
        Self {
            version,
            id: id.to_owned(),
            clean: true,
            expiry: 0,
            receive_maximum: u16::MAX,
            max_packet: None,
            problem_info: None,
            keep_alive: 0,
            will: None,
            user: None,
            properties: Vec::new(),
        }
    }

    /// Its session outlives the connection.
    #[must_use]
    pub fn persistent(mut self) -> Self {
        self.clean = false;
        self.expiry = 3600;
        self
    }
}

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// TCP reset.
    Rst,
    /// TCP FIN without DISCONNECT.
    Fin,
    /// MQTT DISCONNECT.
    Disconnect,
}

/// A connected client. It acknowledges nothing by itself.
#[derive(Debug)]
pub struct Client {
    stream: TcpStream,
    version: Version,
    buffer: BytesMut,
    /// Read while something else was waited for.
    aside: VecDeque<Packet>,
    pkid: u16,
    /// The CONNACK said that a session was there.
    pub session_present: bool,
    /// The CONNACK.
    pub told: ConnAck,
}

const PATIENCE: Duration = Duration::from_secs(20);

impl Client {
    /// Connects; a refusal is an error.
    pub fn connect(address: SocketAddr, options: &Connect) -> anyhow::Result<Self> {
        let (client, code) = Self::try_connect(address, options)?;
        ensure!(code == 0, "CONNACK refuses with 0x{code:02x}");
        Ok(client)
    }

    /// Connects; returns the CONNACK's code.
    pub fn try_connect(address: SocketAddr, options: &Connect) -> anyhow::Result<(Self, u8)> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let mut client = Self {
            stream,
            version: write::version(options.version),
            buffer: BytesMut::new(),
            aside: VecDeque::new(),
            pkid: 0,
            session_present: false,
            told: ConnAck::default(),
        };
        client.write(|out, _| codec::client::connect(out, &write::connect(options)))?;
        match client.receive(PATIENCE)?.context("no CONNACK")? {
            Packet::ConnAck(told) => {
                (client.session_present, client.told) = (told.session_present, *told);
                let code = client.told.code;
                Ok((client, code))
            }
            other => bail!("not a CONNACK: {other:?}"),
        }
    }

    fn write(&mut self, encode: impl FnOnce(&mut BytesMut, Version)) -> anyhow::Result<()> {
        let mut out = BytesMut::new();
        encode(&mut out, self.version);
        self.send(&out)
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        Ok(self.stream.write_all(bytes)?)
    }

    /// The next packet, or `None` when nothing came in time. An error when the connection is over.
    pub fn receive(&mut self, patience: Duration) -> anyhow::Result<Option<Packet>> {
        if let Some(packet) = self.aside.pop_front() {
            return Ok(Some(packet));
        }
        self.read(patience)
    }

    fn read(&mut self, patience: Duration) -> anyhow::Result<Option<Packet>> {
        let until = Instant::now() + patience;
        let mut chunk = [0; 16 << 10];
        loop {
            if let Some(packet) = read::take(&mut self.buffer, self.version)? {
                return Ok(Some(packet));
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            self.stream.set_read_timeout(Some(left))?;
            match self.stream.read(&mut chunk) {
                Ok(0) => bail!("the broker closed the connection"),
                Ok(count) => self.buffer.extend_from_slice(&chunk[..count]),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn wait_for<T>(&mut self, what: &str, mut fits: impl FnMut(&Packet) -> Option<T>) -> anyhow::Result<T> {
        if let Some(at) = self.aside.iter().position(|packet| fits(packet).is_some())
            && let Some(packet) = self.aside.remove(at)
        {
            return fits(&packet).context("it fitted before");
        }
        loop {
            let packet = self.read(PATIENCE)?.with_context(|| format!("no {what}"))?;
            match fits(&packet) {
                Some(found) => return Ok(found),
                None => self.aside.push_back(packet),
            }
        }
    }

    fn next_pkid(&mut self) -> u16 {
        self.pkid = if self.pkid == u16::MAX { 1 } else { self.pkid + 1 };
        self.pkid
    }

    /// Subscribes; returns the code.
    pub fn subscribe(&mut self, filter: &str, options: u8) -> anyhow::Result<u8> {
        self.subscribe_all(&[filter], options)?.0.first().copied().context("a SUBACK without a code")
    }

    /// Subscribes to several filters; returns the codes and the reason string.
    pub fn subscribe_all(&mut self, filters: &[&str], options: u8) -> anyhow::Result<(Vec<u8>, String)> {
        self.subscribe_with(filters, options, &[])
    }

    /// As [`Self::subscribe_all`], with user properties.
    pub fn subscribe_with(
        &mut self,
        filters: &[&str],
        options: u8,
        user: &[(&str, &str)],
    ) -> anyhow::Result<(Vec<u8>, String)> {
        let pkid = self.next_pkid();
        let wanted = write::subscribe(filters, options, pkid, user);
        self.write(|out, version| codec::client::subscribe(out, version, &wanted))?;
        self.wait_for("SUBACK", |packet| match packet {
            Packet::SubAck(id, codes, why) if *id == pkid => Some((codes.clone(), why.clone())),
            _ => None,
        })
    }

    /// Unsubscribes.
    pub fn unsubscribe(&mut self, filter: &str) -> anyhow::Result<()> {
        let pkid = self.next_pkid();
        let wanted = Unsubscribe { pkid, filters: vec![filter.to_owned()] };
        self.write(|out, version| codec::client::unsubscribe(out, version, &wanted))?;
        self.wait_for("UNSUBACK", |packet| matches!(packet, Packet::UnsubAck(id, ..) if *id == pkid).then_some(()))
    }

    /// Publishes without waiting; returns the packet id.
    pub fn publish(&mut self, topic: &str, payload: &[u8], qos: u8, retain: bool) -> anyhow::Result<u16> {
        let pkid = if qos == 0 { 0 } else { self.next_pkid() };
        let qos = write::qos(qos);
        let message = PublishOut { qos, retain, pkid, ..PublishOut::new(topic.as_bytes(), payload) };
        self.write(|out, version| codec::publish(out, version, &message))?;
        Ok(pkid)
    }

    /// Publishes at QoS 2 with correlation data (MQTT 5), and waits for the end. Returns the reason code.
    pub fn publish_correlated(&mut self, topic: &str, payload: &[u8], correlation: &[u8]) -> anyhow::Result<u8> {
        let pkid = self.next_pkid();
        let mut forward = BytesMut::new();
        codec::put_forwarded(&mut forward, &codec::Forwarded::Correlation(correlation));
        let message =
            PublishOut { qos: write::qos(2), pkid, forward: &forward, ..PublishOut::new(topic.as_bytes(), payload) };
        self.write(|out, version| codec::publish(out, version, &message))?;
        self.confirmed(pkid, 2)
    }

    /// Waits for the end of a publish: PUBACK, or PUBREC, PUBREL and PUBCOMP. Returns the reason code.
    pub fn confirmed(&mut self, pkid: u16, qos: u8) -> anyhow::Result<u8> {
        let mut expected = |kind: u8| {
            self.wait_for("acknowledgement", |packet| match packet {
                Packet::Ack(is, id, reason, _) if *is == kind && *id == pkid => Some(*reason),
                _ => None,
            })
        };
        match qos {
            0 => Ok(0),
            1 => expected(4),
            _ => {
                let reason = expected(5)?;
                if reason < 0x80 {
                    self.ack(6, pkid)?;
                    self.wait_for("PUBCOMP", |packet| {
                        matches!(packet, Packet::Ack(7, id, ..) if *id == pkid).then_some(())
                    })?;
                }
                Ok(reason)
            }
        }
    }

    /// Sends PUBACK (4), PUBREC (5), PUBREL (6) or PUBCOMP (7).
    pub fn ack(&mut self, kind: u8, pkid: u16) -> anyhow::Result<()> {
        self.write(|out, version| codec::ack(out, version, write::kind(kind), pkid, Why::SUCCESS))
    }

    /// The next message, not acknowledged. Answers PUBREL on the way.
    pub fn message(&mut self, patience: Duration) -> anyhow::Result<Option<Publish>> {
        let until = Instant::now() + patience;
        loop {
            match self.receive(until.saturating_duration_since(Instant::now()))? {
                None => return Ok(None),
                Some(Packet::Publish(publish)) => return Ok(Some(publish)),
                Some(Packet::Ack(6, pkid, ..)) => self.ack(7, pkid)?,
                Some(_) => {}
            }
        }
    }

    /// As many messages, not acknowledged.
    pub fn messages(&mut self, count: usize) -> anyhow::Result<Vec<Publish>> {
        (0..count)
            .map(|at| self.message(PATIENCE)?.with_context(|| format!("only {at} of {count} messages came")))
            .collect()
    }

    /// Acknowledges a message as its QoS asks.
    pub fn accept(&mut self, message: &Publish) -> anyhow::Result<()> {
        match message.qos {
            0 => Ok(()),
            1 => self.ack(4, message.pkid),
            _ => self.ack(5, message.pkid),
        }
    }

    /// Whether the broker still answers, on this connection.
    pub fn ping(&mut self) -> anyhow::Result<()> {
        self.write(|out, _| codec::client::pingreq(out))?;
        self.wait_for("PINGRESP", |packet| (*packet == Packet::PingResp).then_some(()))
    }

    /// Ends the connection.
    pub fn end(mut self, how: Ending) -> anyhow::Result<()> {
        match how {
            Ending::Rst => socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO))?,
            Ending::Fin => {}
            Ending::Disconnect => {
                let end = Disconnect { reason: 0, session_expiry: None };
                self.write(|out, version| codec::client::disconnect(out, version, end))?;
            }
        }
        Ok(())
    }
}
