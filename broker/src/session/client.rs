//! The connected end of a session.

use std::sync::Arc;

use bytes::Bytes;
use rustc_hash::FxHashMap;

use crate::{auth::Rights, link::Link};
use flotilla_codec::{
    UserProperties, Version, Will,
    agreed::{self, hash_text},
};

/// What a client of Flotilla says of itself at CONNECT; each is the hash of a text.
#[derive(Debug, Clone, Copy, Default)]
pub struct Identity {
    /// The name that a member of share groups keeps.
    pub member: Option<u64>,
    /// The process.
    pub process: Option<u64>,
    /// It publishes what the member of this name makes of its messages.
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
