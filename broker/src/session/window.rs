//! What was sent to a client and is not acknowledged.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use super::{Delivery, Source};
use flotilla_codec::QoS;

/// What was sent to a client at QoS 1 or 2 and is not done, by packet identifier.
#[derive(Debug, Default)]
pub struct Window {
    flights: FxHashMap<u16, InFlight>,
    /// Identifiers to send again after a resume, oldest first. They do not count as sent.
    resend: VecDeque<u16>,
    last: u16,
    order: u64,
}

/// One packet identifier in use.
#[derive(Debug)]
pub struct InFlight {
    /// Order of first sending within the session.
    pub order: u64,
    /// How far it got.
    pub flight: Flight,
}

/// The state of a message in flight.
#[derive(Debug)]
pub enum Flight {
    /// PUBLISH sent; PUBACK or PUBREC awaited. The broker is responsible.
    Sent(Delivery),
    /// PUBREC came: the client is responsible, PUBREL sent, PUBCOMP awaited.
    Released,
}

impl Window {
    /// Un-acknowledged on this connection, what counts against the receive maximum.
    pub fn sent(&self) -> usize {
        self.flights.len() - self.resend.len()
    }

    /// Takes an identifier for `delivery`; the caller made sure that fewer than 65,535 are in use.
    pub fn begin(&mut self, delivery: Delivery) -> u16 {
        loop {
            self.last = if self.last == u16::MAX { 1 } else { self.last + 1 };
            if let std::collections::hash_map::Entry::Vacant(free) = self.flights.entry(self.last) {
                self.order += 1;
                free.insert(InFlight { order: self.order, flight: Flight::Sent(delivery) });
                return self.last;
            }
        }
    }

    /// Puts back what was in flight before a restart.
    pub fn restore(&mut self, pkid: u16, flight: Flight) {
        self.order += 1;
        self.last = self.last.max(pkid);
        self.flights.insert(pkid, InFlight { order: self.order, flight });
    }

    /// How far `pkid` got.
    pub fn get(&self, pkid: u16) -> Option<&Flight> {
        self.flights.get(&pkid).map(|entry| &entry.flight)
    }

    /// PUBACK: done. `None` when nothing of QoS 1 is in flight under `pkid`.
    pub fn acked(&mut self, pkid: u16) -> Option<Delivery> {
        match self.flights.get(&pkid) {
            Some(InFlight { flight: Flight::Sent(delivery), .. }) if delivery.qos == QoS::AtLeastOnce => {}
            _ => return None,
        }
        self.forget(pkid)
    }

    /// PUBREC: the client took it, or refused it (`ok` false), which ends it.
    /// `Err(())` when nothing of QoS 2 is in flight under `pkid`; `Ok(None)` when it repeats itself.
    pub fn received(&mut self, pkid: u16, ok: bool) -> Result<Option<Delivery>, UnknownPacketId> {
        let Some(entry) = self.flights.get_mut(&pkid) else { return Err(UnknownPacketId) };
        match &entry.flight {
            Flight::Released => return Ok(None),
            Flight::Sent(delivery) if delivery.qos != QoS::ExactlyOnce => return Err(UnknownPacketId),
            Flight::Sent(_) => {}
        }
        if !ok {
            return Ok(self.forget(pkid));
        }
        match std::mem::replace(&mut entry.flight, Flight::Released) {
            Flight::Sent(delivery) => Ok(Some(delivery)),
            Flight::Released => Ok(None),
        }
    }

    /// PUBCOMP: done. False when nothing awaited it.
    pub fn completed(&mut self, pkid: u16) -> bool {
        let released = matches!(self.flights.get(&pkid), Some(InFlight { flight: Flight::Released, .. }));
        if released {
            self.forget(pkid);
        }
        released
    }

    /// The client cannot be sent it again.
    pub fn abandon(&mut self, pkid: u16) -> Option<Delivery> {
        self.forget(pkid)
    }

    fn forget(&mut self, pkid: u16) -> Option<Delivery> {
        let gone = self.flights.remove(&pkid)?;
        if !self.resend.is_empty() {
            self.resend.retain(|other| *other != pkid);
        }
        match gone.flight {
            Flight::Sent(delivery) => Some(delivery),
            Flight::Released => None,
        }
    }

    fn take_back(&mut self, pkid: u16) -> Option<Delivery> {
        let entry = self.flights.get_mut(&pkid)?;
        match &entry.flight {
            Flight::Sent(delivery) if delivery.qos == QoS::ExactlyOnce => {
                match std::mem::replace(&mut entry.flight, Flight::Released) {
                    Flight::Sent(delivery) => Some(delivery),
                    Flight::Released => None,
                }
            }
            _ => self.forget(pkid),
        }
    }

    /// A new connection resumes the session: all of it is to be sent again, in order [MQTT-4.6.0-1].
    pub fn resume(&mut self) {
        let mut pkids: Vec<(u64, u16)> = self.flights.iter().map(|(pkid, f)| (f.order, *pkid)).collect();
        pkids.sort_unstable();
        self.resend = pkids.into_iter().map(|(_, pkid)| pkid).collect();
    }

    /// Identifiers that wait for PUBCOMP.
    pub fn released(&self) -> Vec<u16> {
        let released = self.flights.iter().filter(|(_, entry)| matches!(entry.flight, Flight::Released));
        released.map(|(pkid, _)| *pkid).collect()
    }

    /// The next one to send again.
    pub fn next_resend(&self) -> Option<(u16, &Flight)> {
        let pkid = *self.resend.front()?;
        self.flights.get(&pkid).map(|entry| (pkid, &entry.flight))
    }

    /// The one from [`Self::next_resend`] was sent.
    pub fn resent(&mut self) {
        self.resend.pop_front();
    }

    /// Whether anything is left to send again.
    pub fn is_resending(&self) -> bool {
        !self.resend.is_empty()
    }

    /// Takes out what must return to share groups: sent and not acknowledged, oldest first. A QoS 2
    /// identifier stays in use, as released: the client may know it, and would take another message
    /// under it for a repetition. The PUBREL at the next resume frees it on both sides.
    pub fn give_back(&mut self) -> Vec<(Source, Delivery)> {
        let mut pkids: Vec<(u64, u16)> = self
            .flights
            .iter()
            .filter(|(_, f)| matches!(&f.flight, Flight::Sent(delivery) if delivery.source.is_some()))
            .map(|(pkid, f)| (f.order, *pkid))
            .collect();
        pkids.sort_unstable();
        pkids
            .into_iter()
            .filter_map(|(_, pkid)| self.take_back(pkid))
            .filter_map(|delivery| delivery.source.map(|source| (source, delivery)))
            .collect()
    }
}

/// An acknowledgement of a packet identifier that is not in that state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownPacketId;
