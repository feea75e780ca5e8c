use super::Backlog;
use crate::session::Subscription;

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
    /// `topic-hash` only: messages on the topics that are its own, when it had no room.
    pub pending: Backlog,
}

impl Member {
    /// One that just joined.
    pub fn new(subscription: Subscription) -> Self {
        Self { subscription, in_flight: 0, sent: 0, away: false, announced: false, pending: Backlog::default() }
    }
}
