//! A server that the node talks to.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use bytes::Bytes;

use crate::link::Link;
use crate::tcp::gather::Gather;
use flotilla_engine::message::Msg;

/// A connection, from the message that asks for it until it is answered or ends.
pub(super) struct Peer {
    /// `host:port`.
    pub(super) key: String,
    pub(super) link: Link<Bytes>,
    pub(super) connected: Cell<bool>,
    /// Messages that wait for the connection.
    pub(super) queue: RefCell<VecDeque<Msg>>,
    /// The message that answers are made of. Connections that stay keep it without its delivery: nobody knows which
    /// answer is its last.
    pub(super) last: RefCell<Msg>,
    /// What has come of an answer.
    pub(super) answer: RefCell<Vec<u8>>,
    /// Counts the time since the answer's first byte.
    pub(super) timing: Cell<bool>,
    pub(super) gather: RefCell<Gather>,
}

impl Peer {
    pub(super) fn new(key: String, link: Link<Bytes>, gather: Gather) -> Peer {
        Peer {
            key,
            link,
            connected: Cell::new(false),
            queue: RefCell::default(),
            last: RefCell::default(),
            answer: RefCell::default(),
            timing: Cell::new(false),
            gather: RefCell::new(gather),
        }
    }
}
