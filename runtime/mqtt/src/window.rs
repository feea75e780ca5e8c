//! What came on a connection and was not answered, in order of arrival.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bytes::BytesMut;
use flotilla_codec::{AckKind, QoS};
use flotilla_engine::trail::Trail;
use rustc_hash::{FxHashMap, FxHashSet};

use super::lanes::{KeyOrder, Lanes};
use super::outbox::acknowledge;

#[derive(Debug, Default)]
pub(super) struct Window {
    pub(super) base: u64,
    /// The server has forgotten the session of everything before this place.
    pub(super) forgotten: u64,
    pub(super) entries: VecDeque<Entry>,
    /// Who may be acknowledged before whom, where that goes by key.
    pub(super) lanes: Option<Lanes>,
    /// What the key is.
    pub(super) order: KeyOrder,
    /// QoS 2 identifiers between PUBREC and PUBREL.
    pub(super) received: FxHashSet<u16>,
    /// QoS 2 messages of earlier connections of this session that were not answered there.
    pub(super) carried: FxHashMap<u16, Carried>,
    pub(super) abandoned: usize,
    /// Entries that are done with, behind one that is not: they wait for no acknowledgement.
    pub(super) done: usize,
    /// Set when the connection ends: what it brought at QoS 1 is sent again, to whomever.
    pub(super) gone: Arc<AtomicBool>,
    /// Never set: what came at QoS 2 is gone on with after a reconnect.
    pub(super) lasts: Arc<AtomicBool>,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: u16,
    pub(super) qos: QoS,
    pub(super) state: EntryState,
    /// What order goes by, where there are lanes.
    pub(super) key: u64,
    /// What hears that it is acknowledged.
    pub(super) trail: Option<Arc<Trail>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EntryState {
    Open,
    Ack,
    Never,
    /// It is done with, behind one that is not.
    Gone,
}

#[derive(Debug)]
pub(super) struct Carried {
    pub(super) seq: u64,
    pub(super) state: EntryState,
    /// Its place in the present window, once the server has sent it again.
    pub(super) now: Option<u64>,
}

impl Window {
    /// A message has ended; whether acknowledgements are due that were not.
    pub(super) fn advance(&mut self, at: u64) -> bool {
        let Window { base, entries, lanes, .. } = self;
        let Some(lanes) = lanes else { return at == *base };
        let state = |seq: u64| entries.get((seq - *base) as usize).map(|entry| entry.state);
        let Some(entry) = entries.get((at - *base) as usize) else { return false };
        lanes.advance(entry.key, |seq| state(seq).is_some_and(|state| state != EntryState::Open))
    }

    /// Answers the message at this place of the window, if it is to be answered at all.
    pub(super) fn acknowledge(&mut self, place: usize, out: &mut BytesMut) {
        let Some(entry) = self.entries.get_mut(place) else { return };
        match (entry.state, entry.qos) {
            (EntryState::Ack, QoS::ExactlyOnce) => {
                acknowledge(out, AckKind::PubRec, entry.id);
                self.received.insert(entry.id);
                self.carried.remove(&entry.id);
            }
            (EntryState::Ack, _) => acknowledge(out, AckKind::PubAck, entry.id),
            _ => self.abandoned += 1,
        }
        if let Some(trail) = entry.trail.take().filter(|_| entry.state == EntryState::Ack) {
            trail.acknowledged();
        }
        entry.state = EntryState::Gone;
        self.done += 1;
    }

    /// Takes out the first entry.
    pub(super) fn pop(&mut self) {
        if self.entries.pop_front().is_some() {
            self.base += 1;
            self.done -= 1;
        }
    }

    /// How many wait for an acknowledgement.
    pub(super) fn unacknowledged(&self) -> usize {
        self.entries.len() - self.done
    }
}
