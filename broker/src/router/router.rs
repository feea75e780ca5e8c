//! The state of the broker, and the packets that change it.

use std::{sync::Arc, time::Instant};

use rustc_hash::FxHashMap;
use slab::Slab;
use tokio::sync::Notify;

use super::{flush::Dirty, publish::Hits, retained::Retained, sys::Sys, timers::Timers};
use crate::{
    config::Config,
    link::Link,
    message::HeldBytes,
    persist::Journal,
    session::{Session, SessionKey, Subscription},
    share::{Group, GroupKey},
    topic::{Share, Tree},
};
use flotilla_codec::{Packet, Reason};

/// The state of the broker.
///
/// One thread owns it: connections hand it batches of packets and take batches of answers, so that there are no locks and
/// everything happens in one order. A PUBACK is sent when the message is where it survives what was promised: in the sessions'
/// queues, and with `persist` in the file. A slow reader costs its own queue up to its bound and then its connection; it slows
/// nobody else but those who publish to it, and these only for a moment. All times are read once a batch; a stall of the whole
/// process is recognised and convicts no client. Anything that blocks this thread stops every client of the broker.
#[derive(Debug)]
pub struct Router {
    pub(super) config: Arc<Config>,
    pub(super) sessions: Slab<Session>,
    pub(super) by_id: FxHashMap<Arc<str>, SessionKey>,
    pub(super) filters: Tree<Box<Subscribers>>,
    pub(super) groups: Slab<Group>,
    pub(super) by_share: FxHashMap<Share, GroupKey>,
    pub(super) retained: Retained,
    pub(super) timers: Timers,
    pub(super) dirty: Dirty,
    pub(super) hits: Hits,
    pub(super) stats: Stats,
    pub(super) held: HeldBytes,
    /// Records what is to survive a crash; none without `persist`.
    pub(super) journal: Option<Journal>,
    /// A link that has half of its bound waiting: whoever publishes now should pause for it.
    pub(super) pressed: Option<Arc<Link>>,
    /// A share group that had refused publishers has room again.
    pub(super) space: Arc<Notify>,
    pub(super) refused_any: bool,
    pub(super) now: Instant,
    pub(super) next_sweep: Instant,
    pub(super) sys: Sys,
    pub(super) epochs: u64,
    /// When each process of a client last connected, by the number of that connection.
    pub(super) processes: indexmap::IndexMap<u64, u64, rustc_hash::FxBuildHasher>,
    /// Processes that are known to have ended, of which a connection may not have been seen to end yet; the newest last.
    pub(super) ended: indexmap::IndexSet<u64, rustc_hash::FxBuildHasher>,
    pub(super) connected: usize,
    pub(super) stopping: bool,
}

/// Who subscribed to one filter.
#[derive(Debug, Default)]
pub(super) struct Subscribers {
    pub(super) sessions: indexmap::IndexMap<SessionKey, Subscription, rustc_hash::FxBuildHasher>,
    pub(super) groups: Vec<GroupKey>,
}

impl Subscribers {
    pub(super) fn is_empty(&self) -> bool {
        self.sessions.is_empty() && self.groups.is_empty()
    }
}

/// Counts since the start.
#[derive(Debug, Default, Clone)]
pub struct Stats {
    /// Messages taken from publishers, by QoS.
    pub received: [u64; 3],
    /// Payload bytes of them.
    pub received_bytes: [u64; 3],
    /// Messages sent to clients, by QoS.
    pub sent: [u64; 3],
    /// Payload bytes of them.
    pub sent_bytes: [u64; 3],
    /// QoS 0 messages dropped because a connection's buffer was full.
    pub dropped_slow: u64,
    /// Messages dropped because a session's queue was full.
    pub dropped_queue: u64,
    /// Messages dropped because they expired.
    pub dropped_expired: u64,
    /// Messages dropped because the client takes no packet so large.
    pub dropped_large: u64,
    /// QoS 0 messages dropped, and QoS 1 and 2 refused, because a share group was full.
    pub dropped_group: u64,
    /// Messages dropped because their share group stayed without members for too long.
    pub dropped_vacant: u64,
    /// Retained messages that were not kept because there is no room for more.
    pub dropped_retained: u64,
    /// Messages that their publisher may not publish.
    pub dropped_denied: u64,
    /// Messages that waited in a share group for longer than they may.
    pub dropped_aged: u64,
    /// Messages that went from a member that left to another.
    pub redelivered: u64,
    /// Connections accepted.
    pub accepted: u64,
    /// Connections closed because their client took nothing of what it was answered.
    pub closed_stalled: u64,
}

impl Stats {
    /// Messages that were dropped or refused, by reason.
    pub fn dropped(&self) -> [(&'static str, u64); 9] {
        [
            ("slow-connection", self.dropped_slow),
            ("session-queue", self.dropped_queue),
            ("expired", self.dropped_expired),
            ("too-large", self.dropped_large),
            ("group-full", self.dropped_group),
            ("group-vacant", self.dropped_vacant),
            ("group-age", self.dropped_aged),
            ("not-authorized", self.dropped_denied),
            ("retained-full", self.dropped_retained),
        ]
    }
}

impl Router {
    /// An empty router.
    pub fn new(config: Arc<Config>) -> Self {
        let sys = Sys::new(Instant::now(), config.sys_interval);
        Self {
            sys,
            config,
            sessions: Slab::new(),
            by_id: FxHashMap::default(),
            filters: Tree::default(),
            groups: Slab::new(),
            by_share: FxHashMap::default(),
            retained: Retained::default(),
            timers: Timers::default(),
            dirty: Dirty::default(),
            hits: Hits::default(),
            stats: Stats::default(),
            held: HeldBytes::default(),
            journal: None,
            pressed: None,
            space: Arc::default(),
            refused_any: false,
            now: Instant::now(),
            next_sweep: Instant::now(),
            epochs: 0,
            processes: indexmap::IndexMap::default(),
            ended: indexmap::IndexSet::default(),
            connected: 0,
            stopping: false,
        }
    }

    /// Reads the clock once for everything that one batch does.
    pub fn begin(&mut self) {
        self.now = Instant::now();
    }

    /// Handles one packet of the connection `epoch` of `session`. A publish that a full share
    /// group cannot take comes back, to be tried again.
    pub fn handle(&mut self, session: SessionKey, epoch: u64, packet: Packet) -> Result<(), super::Blocked> {
        if !self.is_current(session, epoch) {
            return Ok(());
        }
        match packet {
            Packet::Publish(publish) => return self.on_publish(session, publish),
            Packet::Ack(ack) => self.on_ack(session, ack),
            Packet::Subscribe(subscribe) => self.on_subscribe(session, subscribe),
            Packet::Unsubscribe(unsubscribe) => self.on_unsubscribe(session, unsubscribe),
            Packet::PingReq => self.reply(session, |out, _| flotilla_codec::pingresp(out)),
            Packet::Disconnect(disconnect) => self.on_disconnect(session, disconnect),
            Packet::Auth => self.kick(session, Reason::ProtocolError),
        }
        Ok(())
    }

    /// Whether `epoch` is the session's connection of now.
    pub fn is_current(&self, session: SessionKey, epoch: u64) -> bool {
        self.sessions.get(session).is_some_and(|session| session.epoch == epoch && session.client.is_some())
    }

    /// The socket of `session` took what waited: send what was held back.
    pub fn writable(&mut self, session: SessionKey, epoch: u64) {
        if self.is_current(session, epoch) {
            self.pump(session);
        }
    }

    /// The link that publishers should pause for, if any, since the last call.
    pub fn take_pressed(&mut self) -> Option<Arc<Link>> {
        self.pressed.take()
    }

    /// Notified when a share group that refused messages has room.
    pub fn space(&self) -> Arc<Notify> {
        Arc::clone(&self.space)
    }

    /// Counts since the start.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }
}
