//! A message on its way to one session.

use std::{sync::Arc, time::Instant};

use smallvec::SmallVec;

use crate::{blame::Blame, keys::GroupKey, message::Message};
use flotilla_codec::QoS;

/// Subscription identifiers that go with a message; nearly always none or one.
pub type Ids = SmallVec<[u32; 2]>;

/// A message on its way to one session.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The message, shared.
    pub message: Arc<Message>,
    /// The lesser of the published and the granted QoS.
    pub qos: QoS,
    /// Retain flag to send.
    pub retain: bool,
    /// Of the subscriptions that matched.
    pub ids: Ids,
    /// The share group that it must return to if the session does not acknowledge it.
    pub source: Option<Source>,
    /// Its number in the file; 0 when it is not stored for the session.
    pub stored: u64,
    /// Processes that died with it, if any did.
    pub blame: Option<Box<Blame>>,
}

/// Where in which share group a message stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    /// The group.
    pub group: GroupKey,
    /// Its place: order of arrival in the group.
    pub seq: u64,
    /// When it arrived there.
    pub since: Instant,
    /// The key that it was handed out under; 0 where the group does not deliver by key.
    pub key: u64,
}
