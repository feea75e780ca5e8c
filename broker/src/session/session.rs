//! A session: what outlives a connection.

use std::{collections::VecDeque, sync::Arc, time::Instant};

use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

use super::{Client, Delivery, Identity, Window};
use crate::keys::{GroupKey, TimerKey};
use flotilla_codec::{QoS, Will};

/// What outlives a connection, by ClientID.
#[derive(Debug)]
pub struct Session {
    /// ClientID.
    pub id: Arc<str>,
    /// Whose it is: the user that connected, where there are users.
    pub user: Option<Arc<str>>,
    /// Its number in the file; 0 when it is not stored.
    pub stored: u64,
    /// Counts connections, so that what an old one still sends or does is told apart.
    pub epoch: u64,
    /// The connection, if there is one.
    pub client: Option<Client>,
    /// Seconds it outlives a connection.
    pub expiry: u32,
    /// When the connection ended.
    pub away_since: Option<Instant>,
    /// By filter, as subscribed.
    pub subscriptions: FxHashMap<Box<str>, Subscription>,
    /// About the memory that they take, in bytes.
    pub subscription_bytes: usize,
    /// Sent and not done.
    pub window: Window,
    /// Not sent yet, in order.
    pub queue: VecDeque<Delivery>,
    /// Bytes of them.
    pub queue_bytes: usize,
    /// The queue was half full and has not fallen to a quarter: publishers pause.
    pub behind: bool,
    /// QoS 2 packet identifiers between PUBLISH and PUBREL from the client.
    pub received: FxHashSet<u16>,
    /// Share groups that have messages waiting which this session may take.
    pub backlogged: VecDeque<GroupKey>,
    /// Whether it is to hold one message alone.
    pub alone: Alone,
    /// When it last acknowledged something, or began to hold something.
    pub progress: Instant,
    /// What its client last said of itself, for as long as messages are with it.
    pub identity: Identity,
    /// Its connection ended without DISCONNECT, and not by the broker: its process may have died.
    pub vanished: bool,
    /// What is due while it has no connection.
    pub timers: SmallVec<[TimerKey; 3]>,
    /// A will that waits for its delay.
    pub pending_will: Option<Will>,
}

/// Whether a session is to hold a message that other processes died with, and nothing beside it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Alone {
    /// It is not.
    #[default]
    No,
    /// It finishes what it has first.
    Wanted,
    /// It holds such a message now.
    Now,
}

/// One subscription's options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subscription {
    /// Granted.
    pub qos: QoS,
    /// Not the session's own messages.
    pub no_local: bool,
    /// Keep the retain flag.
    pub retain_as_published: bool,
    /// Subscription identifier.
    pub id: Option<u32>,
}

impl Session {
    /// A session that has never been connected.
    pub fn new(id: Arc<str>, now: Instant) -> Self {
        Self {
            id,
            alone: Alone::No,
            progress: now,
            identity: Identity::default(),
            vanished: false,
            user: None,
            stored: 0,
            epoch: 0,
            client: None,
            expiry: 0,
            away_since: None,
            subscriptions: FxHashMap::default(),
            subscription_bytes: 0,
            window: Window::default(),
            queue: VecDeque::new(),
            queue_bytes: 0,
            behind: false,
            received: FxHashSet::default(),
            backlogged: VecDeque::new(),
            timers: SmallVec::new(),
            pending_will: None,
        }
    }

    /// Whether a new message of this QoS may be sent right now, past nothing that waits already.
    pub fn is_free(&self, qos: QoS) -> bool {
        self.alone == Alone::No && !self.window.is_resending() && self.queue.is_empty() && self.may_send(qos)
    }

    /// Whether the client's receive maximum and the socket have room for one more.
    pub fn may_send(&self, qos: QoS) -> bool {
        let Some(client) = &self.client else { return false };
        match self.alone {
            Alone::No => {}
            Alone::Wanted if self.window.sent() == 0 => {}
            _ => return false,
        }
        (qos == QoS::AtMostOnce || self.window.sent() < client.receive_maximum) && client.link.has_room()
    }

    /// Whether it has a connection that takes nothing more until something is acknowledged or written.
    pub fn is_full(&self) -> bool {
        let full = |client: &Client| self.window.sent() >= client.receive_maximum || !client.link.has_room();
        self.client.as_ref().is_some_and(full)
    }

    /// Something was acknowledged, or is no longer waited for.
    pub fn advance(&mut self, now: Instant) {
        self.progress = now;
        // Also when it was to have a suspect: that may have gone to another member meanwhile. Nothing that came after it would then
        // be sent, since no acknowledgement is due that would ask for it.
        if self.window.sent() == 0 {
            self.alone = Alone::No;
        }
    }

    /// Whether anything waits for room.
    pub fn is_waiting(&self) -> bool {
        self.window.is_resending() || !self.queue.is_empty() || !self.backlogged.is_empty()
    }

    /// Appends to what waits.
    pub fn enqueue(&mut self, delivery: Delivery) {
        self.queue_bytes += delivery.message.size();
        self.queue.push_back(delivery);
    }

    /// Takes the first of what waits.
    pub fn dequeue(&mut self) -> Option<Delivery> {
        let delivery = self.queue.pop_front()?;
        self.queue_bytes -= delivery.message.size();
        Some(delivery)
    }
}
