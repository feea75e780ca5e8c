//! What is published: it stays here until the server has it, across reconnects.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::BytesMut;
use flotilla_codec::{self as codec, Ack, AckKind, QoS, Reason, Version, Why};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use tokio::sync::Notify;

use flotilla_engine::message::Msg;
use flotilla_value::Str;

use super::message::Publish;

/// Messages that wait at most. Deliveries bound the outbox long before; this bounds what timers and loops publish.
const MAX_MESSAGES: usize = 65_536;
/// Bytes that wait at most.
const MAX_BYTES: usize = 64 << 20;
/// QoS 0 messages that wait for a connection at most; beyond, the oldest go.
const MAX_QOS0: usize = 1000;
/// Bytes that are encoded before the socket takes them.
const FILL: usize = 256 << 10;
/// Identifiers above these belong to SUBSCRIBE and UNSUBSCRIBE.
pub(super) const MAX_ID: u16 = 59_999;

/// Why a message was not published.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PublishError {
    /// The outbox is full.
    #[error("the outbox is full: {messages} messages, {bytes} bytes wait for the broker")]
    Full {
        /// Messages that wait.
        messages: usize,
        /// Bytes that wait.
        bytes: usize,
    },
    /// The server would refuse it for its size.
    #[error("the message takes {size} bytes and the broker accepts {limit}")]
    TooLarge {
        /// The packet's size.
        size: usize,
        /// The server's limit.
        limit: usize,
    },
    /// It was to be sent at QoS 0, and the server was away for so long that a later one took its place.
    #[error("the broker is away")]
    Away,
    /// The server refused it.
    #[error("the broker refused the message: reason {code:#04x} {reason}")]
    Refused {
        /// MQTT 5's reason code.
        code: u8,
        /// Its text.
        reason: Str,
    },
}

/// Who hears that a message was published. Holding it keeps the delivery open.
pub enum Receipt {
    /// A node: it is through with the message, published at this QoS, or it failed.
    Node(Str, Msg, QoS),
    /// Any other.
    Call(Box<dyn FnOnce(Result<(), PublishError>) + Send>),
    /// Nobody.
    None,
}

/// A message and who hears of it.
pub struct Outgoing {
    /// The message; its identifier is given here.
    pub publish: Publish,
    /// Who hears of it.
    pub receipt: Receipt,
}

/// What ended, and how.
pub(super) type Ended = (Receipt, Result<(), PublishError>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Published,
    Released,
}

struct Flight {
    seq: u64,
    stage: Stage,
    outgoing: Outgoing,
}

#[derive(Default)]
struct Inner {
    queue: VecDeque<Outgoing>,
    flight: FxHashMap<u16, Flight>,
    /// Identifiers to send again on this connection, oldest first.
    resend: VecDeque<u16>,
    /// Sent on this connection and not yet ended.
    active: usize,
    limit: usize,
    packet_limit: usize,
    last_id: u16,
    next_seq: u64,
    bytes: usize,
    qos0: usize,
    connected: bool,
}

/// What this client publishes: queued, in flight, and to be sent again after a lost connection.
///
/// Order is that of [`Outbox::push`], also through reconnects, and no more is in flight than the server takes (its receive
/// maximum). What is accepted ends exactly once, with a receipt that keeps the message's delivery open until then; what is
/// refused (the bounds on messages and bytes, a packet that is larger than the server takes) comes back at once with the reason.
/// QoS 0 waits for a connection up to a small bound and is dropped beyond it, the oldest first, with a receipt that says so.
/// Messages of deliveries that were given up are dropped unsent. It lives in memory: what it holds when the process dies is
/// published anew by whoever gets the delivery, or lost where nobody can (see `--durable-outbox`).
pub(super) struct Outbox {
    inner: Mutex<Inner>,
    wake: Arc<Notify>,
}

impl Outgoing {
    /// True when somebody else publishes it anew.
    fn is_void(&self) -> bool {
        matches!(&self.receipt, Receipt::Node(_, msg, _) if msg.delivery().is_some_and(|delivery| delivery.is_void()))
    }
}

fn weight(outgoing: &Outgoing) -> usize {
    outgoing.publish.payload.len() + outgoing.publish.topic.len() + 64
}

impl Outbox {
    pub(super) fn new(wake: Arc<Notify>) -> Outbox {
        Outbox { inner: Mutex::default(), wake }
    }

    /// Takes a message. What is refused comes back with the reason.
    pub(super) fn push(&self, outgoing: Outgoing, version: Version) -> Result<Vec<Ended>, Ended> {
        let mut inner = self.inner.lock();
        let mut dropped = Vec::new();
        let (messages, bytes) = (inner.queue.len() + inner.flight.len(), inner.bytes);
        if messages >= MAX_MESSAGES || bytes >= MAX_BYTES {
            return Err((outgoing.receipt, Err(PublishError::Full { messages, bytes })));
        }
        if inner.packet_limit > 0 && weight(&outgoing) + 1024 > inner.packet_limit {
            let (size, limit) = (outgoing.publish.size(version), inner.packet_limit);
            if size > limit {
                return Err((outgoing.receipt, Err(PublishError::TooLarge { size, limit })));
            }
        }
        if outgoing.publish.qos == QoS::AtMostOnce {
            inner.qos0 += 1;
            if !inner.connected && inner.qos0 > MAX_QOS0 {
                let oldest = inner.queue.iter().position(|queued| queued.publish.qos == QoS::AtMostOnce);
                if let Some(oldest) = oldest.and_then(|at| inner.queue.remove(at)) {
                    inner.bytes -= weight(&oldest);
                    inner.qos0 -= 1;
                    dropped.push((oldest.receipt, Err(PublishError::Away)));
                }
            }
        }
        inner.bytes += weight(&outgoing);
        inner.queue.push_back(outgoing);
        let first = inner.queue.len() == 1;
        drop(inner);
        if first {
            self.wake.notify_one();
        }
        Ok(dropped)
    }

    /// A connection begins. With a session, what was sent is sent again under its identifier; without, anew.
    pub(super) fn begin(&self, session_present: bool, receive_maximum: usize, packet_limit: usize) {
        let mut void = Vec::new();
        let mut inner = self.inner.lock();
        // At QoS 2 the server may wait for the release of what it has.
        let stale = |flight: &Flight| flight.outgoing.publish.qos == QoS::AtLeastOnce && flight.outgoing.is_void();
        let old: Vec<u16> = inner.flight.iter().filter(|(_, flight)| stale(flight)).map(|(id, _)| *id).collect();
        for id in old {
            if let Some(flight) = inner.flight.remove(&id) {
                inner.bytes -= weight(&flight.outgoing);
                void.push(flight);
            }
        }
        let mut sent: Vec<(u64, u16)> = inner.flight.iter().map(|(id, flight)| (flight.seq, *id)).collect();
        sent.sort_unstable();
        inner.resend.clear();
        if session_present {
            inner.resend.extend(sent.iter().map(|(_, id)| *id));
        } else {
            // Also what was at PUBREC: a server that has forgotten the session may have forgotten the message with it.
            for (_, id) in sent.iter().rev() {
                if let Some(flight) = inner.flight.remove(id) {
                    inner.queue.push_front(flight.outgoing);
                }
            }
        }
        inner.active = 0;
        inner.limit = receive_maximum.clamp(1, usize::from(MAX_ID));
        inner.packet_limit = packet_limit;
        inner.connected = true;
        drop(inner);
        // Their deliveries may end with them, which is heard elsewhere.
        drop(void);
    }

    /// The connection is gone.
    pub(super) fn lost(&self) {
        self.inner.lock().connected = false;
    }

    /// Encodes what may be sent now. True when there is more than fitted.
    pub(super) fn fill(&self, out: &mut BytesMut, version: Version, ended: &mut Vec<Ended>) -> bool {
        let mut inner = self.inner.lock();
        let inner = &mut *inner;
        while out.len() < FILL {
            if inner.active < inner.limit
                && let Some(id) = inner.resend.pop_front()
            {
                let Some(flight) = inner.flight.get(&id) else { continue };
                match flight.stage {
                    Stage::Published => flight.outgoing.publish.encode(out, version, id, true),
                    Stage::Released => acknowledge(out, AckKind::PubRel, id),
                }
                inner.active += 1;
                continue;
            }
            if inner.queue.front().is_some_and(Outgoing::is_void)
                && let Some(void) = inner.queue.pop_front()
            {
                inner.bytes -= weight(&void);
                inner.qos0 -= usize::from(void.publish.qos == QoS::AtMostOnce);
                // Given up outside of the lock: its delivery may end with it.
                ended.push((Receipt::Call(Box::new(move |_| drop(void))), Ok(())));
                continue;
            }
            let Some(front) = inner.queue.front() else { return false };
            if front.publish.qos != QoS::AtMostOnce && (inner.active >= inner.limit || !inner.resend.is_empty()) {
                return false;
            }
            let Some(outgoing) = inner.queue.pop_front() else { return false };
            if outgoing.publish.qos == QoS::AtMostOnce {
                outgoing.publish.encode(out, version, 0, false);
                inner.bytes -= weight(&outgoing);
                inner.qos0 -= 1;
                ended.push((outgoing.receipt, Ok(())));
                continue;
            }
            let id = next_id(inner);
            outgoing.publish.encode(out, version, id, false);
            inner.active += 1;
            inner.next_seq += 1;
            let flight = Flight { seq: inner.next_seq, stage: Stage::Published, outgoing };
            inner.flight.insert(id, flight);
        }
        true
    }

    /// The server's answer to a PUBLISH or PUBREL of ours.
    pub(super) fn ack(&self, ack: Ack, text: &str, out: &mut BytesMut) -> Option<Ended> {
        let mut inner = self.inner.lock();
        let failed = ack.reason >= 0x80;
        if ack.kind == AckKind::PubRec && !failed {
            // Answered even when the identifier is not known, as [MQTT-4.3.3-4] wants.
            if let Some(flight) = inner.flight.get_mut(&ack.pkid) {
                flight.stage = Stage::Released;
            }
            acknowledge(out, AckKind::PubRel, ack.pkid);
            return None;
        }
        let flight = inner.flight.remove(&ack.pkid)?;
        inner.active = inner.active.saturating_sub(1);
        inner.bytes -= weight(&flight.outgoing);
        // A PUBCOMP with "identifier not found" means that the release came before: the message is there.
        let refused = failed && ack.kind != AckKind::PubComp;
        let result =
            if refused { Err(PublishError::Refused { code: ack.reason, reason: Str::new(text) }) } else { Ok(()) };
        Some((flight.outgoing.receipt, result))
    }

    /// True when something may be sent that was not yet.
    pub(super) fn waiting(&self) -> bool {
        let inner = self.inner.lock();
        inner.active < inner.limit && !(inner.queue.is_empty() && inner.resend.is_empty())
    }

    /// Messages that were sent on this connection and have no answer yet.
    pub(super) fn in_flight(&self) -> usize {
        self.inner.lock().active
    }

    /// Messages that wait, sent or not.
    pub(super) fn len(&self) -> usize {
        let inner = self.inner.lock();
        inner.queue.len() + inner.flight.len()
    }

    /// Gives up everything.
    pub(super) fn take(&self) -> Vec<Outgoing> {
        let mut inner = self.inner.lock();
        inner.resend.clear();
        (inner.bytes, inner.qos0, inner.active) = (0, 0, 0);
        let flight: Vec<_> = inner.flight.drain().map(|(_, flight)| flight.outgoing).collect();
        flight.into_iter().chain(inner.queue.drain(..)).collect()
    }
}

/// Appends PUBACK, PUBREC, PUBREL or PUBCOMP: success, in the short form that all versions share.
pub(super) fn acknowledge(out: &mut BytesMut, kind: AckKind, id: u16) {
    codec::ack(out, Version::V4, kind, id, Why { reason: Reason::Success, detail: "", room: usize::MAX });
}

/// The next free identifier. There is one: at most `limit` are in use, and that is below their number.
fn next_id(inner: &mut Inner) -> u16 {
    loop {
        inner.last_id = if inner.last_id >= MAX_ID { 1 } else { inner.last_id + 1 };
        if !inner.flight.contains_key(&inner.last_id) {
            return inner.last_id;
        }
    }
}
