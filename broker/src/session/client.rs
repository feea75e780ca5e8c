use std::sync::Arc;

use bytes::Bytes;
use rustc_hash::FxHashMap;

use crate::{auth::Rights, link::Link};
use flotilla_codec::{Version, Will};

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
    /// Published if the connection ends without DISCONNECT.
    pub will: Option<Will>,
    /// What it may publish and subscribe; `None` is everything.
    pub rights: Option<Arc<Rights>>,
    /// Aliases given to topics so far, at most `alias_max`.
    pub aliases: FxHashMap<Bytes, u16>,
    /// How many it takes.
    pub alias_max: u16,
}
