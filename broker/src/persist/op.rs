//! One change to what is stored, and the answers that wait for changes.

use std::sync::Arc;

use bytes::Bytes;

use crate::{
    message::Message,
    session::{Ids, SessionKey, Subscription},
};
use flotilla_codec::{AckKind, QoS, Reason};

/// One change to what is stored. Sessions and groups are named by numbers that are never used again.
#[derive(Debug)]
pub enum Op {
    /// A session, new or changed. `away_since` in milliseconds since 1970.
    PutSession { key: u64, id: Arc<str>, expiry: u32, away_since: Option<u64>, user: Option<Arc<str>> },
    /// A session and all it had.
    DropSession { key: u64 },
    /// A subscription, new or changed.
    PutSubscription { session: u64, filter: Box<str>, options: Subscription },
    /// An UNSUBSCRIBE.
    DropSubscription { session: u64, filter: Box<str> },
    /// A retained message in place of the last on its topic.
    PutRetained { message: Arc<Message> },
    /// The topic has none any more.
    DropRetained { topic: Bytes },
    /// A share group.
    PutGroup { key: u64, name: Box<str>, filter: Box<str> },
    /// It is gone, with what waited in it.
    DropGroup { key: u64 },
    /// A message of a share group that nobody acknowledged yet. `since` in milliseconds since 1970.
    PutShared { group: u64, seq: u64, since: u64, message: Arc<Message> },
    /// Acknowledged.
    DropShared { group: u64, seq: u64 },
    /// A message for a session that is not acknowledged yet.
    PutQueued { session: u64, seq: u64, qos: QoS, retain: bool, ids: Ids, message: Arc<Message> },
    /// Acknowledged.
    DropQueued { session: u64, seq: u64 },
    /// QoS 2: the identifier under which a message was sent, which a repetition must have, too.
    SetPacketId { session: u64, seq: u64, pkid: u16 },
    /// QoS 2 from the client: taken, PUBREL awaited.
    PutReceived { session: u64, pkid: u16 },
    /// PUBREL came.
    DropReceived { session: u64, pkid: u16 },
    /// QoS 2 to the client: PUBREC came, PUBCOMP awaited.
    PutReleased { session: u64, pkid: u16 },
    /// PUBCOMP came.
    DropReleased { session: u64, pkid: u16 },
}

impl Op {
    /// Bytes it is accounted with while it waits to be written.
    pub fn size(&self) -> usize {
        match self {
            Self::PutRetained { message } | Self::PutShared { message, .. } | Self::PutQueued { message, .. } => {
                message.size() + 64
            }
            Self::PutSubscription { filter, .. } | Self::DropSubscription { filter, .. } => filter.len() + 128,
            _ => 128,
        }
    }
}

/// An answer that waits until what it promises is on disk.
#[derive(Debug)]
pub struct Reply {
    /// To whom.
    pub session: SessionKey,
    /// On which of its connections; a later one does not get it.
    pub epoch: u64,
    /// What.
    pub kind: ReplyKind,
    /// Bytes that its connection is accounted with while it waits.
    pub size: usize,
}

/// What to answer.
#[derive(Debug)]
pub enum ReplyKind {
    /// PUBACK, PUBREC, PUBCOMP.
    Ack(AckKind, u16, Reason),
    /// SUBACK.
    SubAck(u16, Vec<u8>),
    /// UNSUBACK.
    UnsubAck(u16, Vec<u8>),
    /// The PUBLISH at QoS 2 under this identifier, of so many bytes.
    Publish(u16, usize),
    /// One of the others that refuses, with what a person should know.
    Refused(Box<Refused>),
}

impl ReplyKind {
    /// Bytes that it takes while it waits. A PUBLISH is no answer: its client's window bounds it.
    pub fn size(&self) -> usize {
        let more = match self {
            Self::Publish(..) => return 0,
            Self::Ack(..) => 0,
            Self::SubAck(_, codes) | Self::UnsubAck(_, codes) => codes.len(),
            Self::Refused(refused) => refused.answer.size() + refused.detail.len(),
        };
        size_of::<Reply>() + more
    }
}

/// An answer that refuses.
#[derive(Debug)]
pub struct Refused {
    /// The answer.
    pub answer: ReplyKind,
    /// Its code, or the first of its codes that refuses.
    pub reason: Reason,
    /// The reason string, where there is room for it.
    pub detail: String,
}
