//! What a client has sent and not finished: kept as bytes, to be sent again after a reconnect.

use std::collections::VecDeque;

use bytes::BytesMut;

/// A message that is not finished.
#[derive(Debug, Default)]
pub struct Slot {
    /// Key and sequence; `None` when the slot is free.
    pub message: Option<(u32, u32)>,
    /// Seconds from which its latency counts.
    pub from: f64,
    /// QoS 2: PUBREC came.
    pub released: bool,
    /// Its place in the order of sending.
    order: u64,
    /// The PUBLISH as it was sent.
    pub frame: BytesMut,
}

/// See the module. Packet identifiers 1 to the window.
#[derive(Debug)]
pub struct InFlight {
    slots: Vec<Slot>,
    free: VecDeque<u16>,
    sent: u64,
    /// How many may be in flight on this connection.
    limit: usize,
}

impl InFlight {
    /// For so many messages at once.
    pub fn new(window: u16) -> InFlight {
        let mut slots = Vec::new();
        slots.resize_with(usize::from(window), Slot::default);
        InFlight { slots, free: (1..=window).collect(), sent: 0, limit: usize::from(window) }
    }

    /// The broker takes no more than this at once on this connection.
    pub fn limit(&mut self, receive_maximum: u16) {
        self.limit = self.slots.len().min(usize::from(receive_maximum));
    }

    /// Messages in flight.
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// True when one more may be sent.
    pub fn has_room(&self) -> bool {
        self.len() < self.limit
    }

    /// A packet identifier and its slot, whose frame is empty. `None` when there is no room.
    pub fn take(&mut self) -> Option<(u16, &mut Slot)> {
        if !self.has_room() {
            return None;
        }
        let pkid = self.free.pop_front()?;
        self.sent += 1;
        let slot = &mut self.slots[usize::from(pkid) - 1];
        slot.order = self.sent;
        slot.released = false;
        slot.frame.clear();
        Some((pkid, slot))
    }

    /// The slot of a packet identifier that is in use.
    pub fn get(&mut self, pkid: u16) -> Option<&mut Slot> {
        self.slots.get_mut(usize::from(pkid).checked_sub(1)?).filter(|slot| slot.message.is_some())
    }

    /// The message is finished.
    pub fn finish(&mut self, pkid: u16) {
        if let Some(slot) = self.get(pkid) {
            slot.message = None;
            self.free.push_back(pkid);
        }
    }

    /// Packet identifiers in flight, in the order of sending.
    pub fn in_order(&self) -> Vec<u16> {
        let used = self.slots.iter().enumerate().filter(|(_, slot)| slot.message.is_some());
        let mut used: Vec<(u64, u16)> = used.map(|(at, slot)| (slot.order, at as u16 + 1)).collect();
        used.sort_unstable();
        used.into_iter().map(|(_, pkid)| pkid).collect()
    }
}
