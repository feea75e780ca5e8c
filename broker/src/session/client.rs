//! The connected end of a session.

use std::sync::Arc;

use bytes::Bytes;
use rustc_hash::FxHashMap;

use crate::{auth::Rights, link::Link};
use flotilla_codec::{
    UserProperties, Version, Will,
    agreed::{self, hash_text},
};

/// What Flotilla's own clients report about themselves at CONNECT. Each field is the hash of the text that the client sent.
#[derive(Debug, Clone, Copy, Default)]
pub struct Identity {
    /// The client's name as a member of share groups. It stays the same when the client reconnects.
    pub member: Option<u64>,
    /// The process that the client runs in.
    pub process: Option<u64>,
    /// The share group member whose outputs this client publishes.
    pub outputs_of: Option<u64>,
}

impl Identity {
    /// From the user properties of a CONNECT.
    pub fn read(user: &UserProperties) -> Self {
        let of = |wanted: &str| user.iter().find(|(name, _)| name == wanted).map(|(_, value)| hash_text(value));
        Self { member: of(agreed::MEMBER), process: of(agreed::PROCESS), outputs_of: of(agreed::OUTPUTS_OF) }
    }
}

/// The connected end of a session: gone with the connection.
#[derive(Debug)]
pub struct Client {
    /// The way out.
    pub link: Arc<Link>,
    /// What it speaks.
    pub version: Version,
    /// Its receive maximum, or ours if less.
    pub receive_maximum: usize,
    /// The largest packet it takes.
    pub max_packet: usize,
    /// The largest acknowledgement with a reason string: `max_packet`, or 0 where it asked for none and on 3.1.1.
    pub reason_room: usize,
    /// Published if the connection ends without DISCONNECT: at once, after its delay, or when the session ends.
    pub will: Option<Will>,
    /// What it may publish and subscribe; `None` is everything.
    pub rights: Option<Arc<Rights>>,
    /// Aliases given to topics so far, at most `alias_max`.
    pub aliases: FxHashMap<Bytes, u16>,
    /// How many it takes.
    pub alias_max: u16,
    /// What it is within Flotilla, if it is one of its clients.
    pub identity: Identity,
}
