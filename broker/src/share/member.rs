//! A member of a share group.

use flotilla_codec::agreed::OrderKey;

use super::Backlog;
use crate::session::Subscription;

/// What a session says of itself when it joins.
#[derive(Debug, Clone, Default)]
pub struct Membership {
    /// Of its stable name: the one that the client gave, or its ClientID.
    pub name: u64,
    /// Unacknowledged messages that it takes.
    pub window: usize,
    /// It asks for delivery by this key.
    pub order: Option<OrderKey>,
}

/// A session that subscribed to the group's filter under its name.
#[derive(Debug)]
pub struct Member {
    /// Its subscription options.
    pub subscription: Subscription,
    /// Sent to it and not acknowledged.
    pub in_flight: usize,
    /// Sent to it since it joined.
    pub sent: u64,
    /// Its connection has been gone for so long that what it held went to others.
    pub away: bool,
    /// Its session knows that something waits here.
    pub announced: bool,
    /// It asked for delivery by key.
    pub asks: bool,
    /// `topic-hash` only: messages on the topics that are its own, when it had no room.
    pub pending: Backlog,
}

impl Member {
    /// One that just joined.
    pub fn new(subscription: Subscription) -> Self {
        let pending = Backlog::default();
        Self { subscription, in_flight: 0, sent: 0, away: false, announced: false, asks: false, pending }
    }
}
