//! The window of received messages that are not acknowledged yet.
//!
//! A message is acknowledged when its delivery has ended, in the order of arrival (the finished prefix, [MQTT-4.6.0-2]; by
//! key where the server takes that: see [`super::lanes`]) and only on the connection that it came on: every connection is a new generation of the window.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use bytes::BytesMut;
use flotilla_codec::QoS;
use parking_lot::Mutex;
use tokio::sync::Notify;

use flotilla_engine::Canary;
use flotilla_engine::trail::Trail;

use super::kept::{Kept, Policy};
use super::lanes::{KeyOrder, Lanes};
use super::message::Publish;
use super::ticket::{Rerun, Ticket, Verdict};
use super::window::{Carried, Entry, EntryState, Window};

/// Messages at QoS 1 and 2 that wait for an acknowledgement on one connection: as many as there are packet identifiers.
const MAX_UNACKNOWLEDGED: usize = u16::MAX as usize;

/// Entries that a connection remembers, with those that are acknowledged behind one that takes long (by key): reading waits then.
const LONGEST: usize = 1 << 20;

/// More came than a server may send.
#[derive(Debug, thiserror::Error)]
#[error("the broker sent more than 65,535 messages that are not acknowledged yet: it has no more packet identifiers")]
pub(super) struct Overrun;

/// What the server has sent and this client has not acknowledged.
///
/// Messages are acknowledged in the order in which they came (MQTT 5, section 4.6), or by key where the broker agreed to that:
/// one that takes long holds up those behind it, of its key or all. It is open until its [`Ticket`] is settled; a ticket that is
/// dropped unsettled leaves it, and those behind it, open until the connection ends. What was never acknowledged the server sends
/// again: to this session, or to another member when that has ended. More open messages than the limit stop the reading of the
/// socket, which is how back-pressure reaches the server. A connection that publishes as well reads on while it waits for
/// answers: there what waits is bounded by the packet identifiers of the server. When the connection ends, what came at QoS 1 is
/// void here; what came at QoS 2 is gone on with after a reconnect, because the server will not send it a second time under another
/// identifier.
pub(super) struct Inbox {
    pub(super) window: Mutex<Window>,
    pub(super) reruns: Mutex<Vec<Rerun>>,
    pub(super) wake: Arc<Notify>,
    open: AtomicUsize,
    /// The session's task has ended: nothing is run again.
    is_over: AtomicBool,
    limit: AtomicUsize,
    paused: AtomicBool,
    /// As much is remembered as may be.
    is_long: AtomicBool,
    pub(super) canary: OnceLock<Arc<Canary>>,
}

impl std::fmt::Debug for Inbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inbox").field("open", &self.open).finish_non_exhaustive()
    }
}

impl Inbox {
    pub(super) fn new(wake: Arc<Notify>, limit: usize) -> Inbox {
        Inbox {
            window: Mutex::default(),
            reruns: Mutex::default(),
            wake,
            open: AtomicUsize::new(0),
            is_over: AtomicBool::new(false),
            limit: AtomicUsize::new(limit.max(1)),
            paused: AtomicBool::new(false),
            is_long: AtomicBool::new(false),
            canary: OnceLock::new(),
        }
    }

    /// Who decides what becomes of messages that fail while a revision is on probation.
    pub(super) fn decide_by(&self, canary: Arc<Canary>) {
        let _ = self.canary.set(canary);
    }

    /// What order goes by, from the next message on.
    pub(super) fn set_order(&self, patterns: &[String]) {
        self.window.lock().order = KeyOrder::of(patterns);
    }

    /// A new connection begins. Without a session the server knows nothing of what came before. `keyed`: it takes
    /// acknowledgements in any order across keys.
    pub(super) fn begin(&self, session_present: bool, keyed: bool) {
        let mut window = self.window.lock();
        let window = &mut *window;
        if session_present {
            let open = |entry: &Entry| entry.qos == QoS::ExactlyOnce && entry.state != EntryState::Gone;
            for (at, entry) in window.entries.iter().enumerate().filter(|(_, entry)| open(entry)) {
                let seq = window.base + at as u64;
                window.carried.retain(|_, carried| carried.now != Some(seq));
                window.carried.insert(entry.id, Carried { seq, state: entry.state, now: None });
            }
            window.carried.retain(|_, carried| carried.state != EntryState::Never);
        } else {
            window.carried.clear();
            window.received.clear();
        }
        window.base += window.entries.len() as u64;
        window.entries.clear();
        if !session_present {
            window.forgotten = window.base;
        }
        window.lanes = keyed.then(Lanes::default);
        (window.abandoned, window.done) = (0, 0);
        self.is_long.store(false, Ordering::Release);
    }

    /// The connection has ended. With a session that outlives it the server sends again what was not acknowledged.
    pub(super) fn lost(&self, persistent: bool) {
        let gone = std::mem::take(&mut self.window.lock().gone);
        gone.store(persistent, Ordering::Release);
    }

    /// A message came. `None` when it is known already (QoS 2, sent again): it does not run a second time.
    ///
    /// # Errors
    /// When more wait for an acknowledgement than a server may send.
    pub(super) fn arrive(self: &Arc<Self>, publish: &Arc<Publish>, policy: Policy) -> Result<Option<Ticket>, Overrun> {
        let (mut seq, mut gone) = (None, None);
        if publish.qos != QoS::AtMostOnce {
            let mut window = self.window.lock();
            let window = &mut *window;
            if window.unacknowledged() >= MAX_UNACKNOWLEDGED {
                return Err(Overrun);
            }
            self.is_long.store(window.entries.len() + 1 >= LONGEST, Ordering::Release);
            let once = publish.qos == QoS::ExactlyOnce;
            gone = Some(if once { window.lasts.clone() } else { window.gone.clone() });
            let at = window.base + window.entries.len() as u64;
            let mut state = EntryState::Open;
            let mut known = false;
            if publish.qos == QoS::ExactlyOnce {
                if window.received.contains(&publish.id) {
                    (state, known) = (EntryState::Ack, true);
                } else if let Some(carried) = window.carried.get_mut(&publish.id) {
                    carried.now = Some(at);
                    (state, known) = (carried.state, true);
                }
            }
            let key = if window.lanes.is_some() { window.order.key(&publish.topic) } else { 0 };
            window.entries.push_back(Entry { id: publish.id, qos: publish.qos, state, key, trail: None });
            if let Some(lanes) = &mut window.lanes {
                lanes.arrive(key, at);
            }
            if state != EntryState::Open {
                window.advance(at);
            }
            if known {
                return Ok(None);
            }
            seq = Some(at);
        }
        self.open.fetch_add(1, Ordering::AcqRel);
        // Whatever the policy: what fails because the store is away is run again.
        let kept = seq.is_some().then(|| Kept::new(publish, policy));
        Ok(Some(Ticket { inbox: self.clone(), seq, kept, gone, trail: None, given_up: false, late: None }))
    }

    /// The server released a QoS 2 identifier.
    pub(super) fn release(&self, id: u16) {
        let mut window = self.window.lock();
        window.received.remove(&id);
        window.carried.remove(&id);
    }

    /// Writes the acknowledgements of the finished prefix.
    pub(super) fn write_acks(&self, out: &mut BytesMut) {
        let mut window = self.window.lock();
        let window = &mut *window;
        if let Some(lanes) = &mut window.lanes {
            for seq in lanes.take() {
                window.acknowledge((seq - window.base) as usize, out);
            }
            while window.entries.front().is_some_and(|entry| entry.state == EntryState::Gone) {
                window.pop();
            }
            self.is_long.store(window.entries.len() >= LONGEST, Ordering::Release);
            return;
        }
        while window.entries.front().is_some_and(|entry| entry.state != EntryState::Open) {
            window.acknowledge(0, out);
            window.pop();
        }
    }

    /// True when as much is open as may be: reading has to wait. [`Inbox::wake`] fires when half of it is through; who waits
    /// has to look now and then too, since the other half may stay open for long.
    pub(super) fn full(&self) -> bool {
        let full = self.open.load(Ordering::Acquire) >= self.limit.load(Ordering::Relaxed)
            || self.is_long.load(Ordering::Acquire);
        self.paused.store(full, Ordering::Release);
        // Between the two lines the last one may have ended.
        full && self.open.load(Ordering::Acquire) > 0
    }

    /// True while reading waits.
    pub(super) fn paused(&self) -> bool {
        self.paused.load(Ordering::Acquire)
    }

    /// Messages whose deliveries are open.
    pub(super) fn open(&self) -> usize {
        self.open.load(Ordering::Acquire)
    }

    pub(super) fn set_limit(&self, limit: usize) {
        self.limit.store(limit.max(1), Ordering::Relaxed);
    }

    /// True when nothing received on this connection waits for its acknowledgement.
    pub(super) fn settled(&self) -> bool {
        self.window.lock().entries.is_empty()
    }

    /// Messages of this connection that will never be acknowledged on it.
    pub(super) fn abandoned(&self) -> usize {
        self.window.lock().abandoned
    }

    /// Messages that wait to be run again: those that the server has forgotten, so that nobody else will, or the others.
    pub(super) fn take_waiting(&self, forgotten: bool) -> Vec<Rerun> {
        let mut reruns = self.reruns.lock();
        if reruns.is_empty() {
            return Vec::new();
        }
        let (taken, left) = reruns.drain(..).partition(|rerun| rerun.ticket.is_forgotten() == forgotten);
        *reruns = left;
        taken
    }

    /// A message waits to be run again, or to become a dead letter. Given back when the session's task has ended.
    pub(super) fn run_again(&self, rerun: Rerun) -> Option<Rerun> {
        let mut reruns = self.reruns.lock();
        if self.is_over.load(Ordering::Acquire) {
            return Some(rerun);
        }
        reruns.push(rerun);
        drop(reruns);
        self.wake.notify_one();
        None
    }

    /// The session's task begins: it runs what waits.
    pub(super) fn open_again(&self) {
        self.is_over.store(false, Ordering::Release);
    }

    /// The session's task ends: what waits, and nobody else will run. The rest is given up here: it is another's, or nobody's.
    pub(super) fn end(&self) -> Vec<Rerun> {
        // Under the lock: what comes later hears of the end.
        let reruns = self.reruns.lock();
        self.is_over.store(true, Ordering::Release);
        drop(reruns);
        // Each holds this inbox: left here, they would keep each other for ever.
        self.take_waiting(false).into_iter().for_each(|rerun| rerun.ticket.settle(Verdict::Never));
        self.take_waiting(true)
    }

    /// Messages that are due to run again, and when the next is.
    pub(super) fn due(&self, now: Instant) -> (Vec<Rerun>, Option<Instant>) {
        let mut reruns = self.reruns.lock();
        if reruns.is_empty() {
            return (Vec::new(), None);
        }
        let (due, later): (Vec<_>, Vec<_>) = reruns.drain(..).partition(|rerun| rerun.due <= now);
        let next = later.iter().map(|rerun| rerun.due).min();
        *reruns = later;
        (due, next)
    }

    pub(super) fn finish(&self, seq: Option<u64>, state: EntryState, trail: Option<Arc<Trail>>) {
        let open = self.open.fetch_sub(1, Ordering::AcqRel) - 1;
        let mut wake = self.paused.load(Ordering::Acquire) && open <= self.limit.load(Ordering::Relaxed) / 2;
        if let Some(seq) = seq {
            let mut window = self.window.lock();
            let window = &mut *window;
            let mut at = seq;
            if seq < window.base
                && let Some(carried) = window.carried.values_mut().find(|carried| carried.seq == seq)
            {
                carried.state = state;
                at = carried.now.unwrap_or(seq);
            }
            if at >= window.base
                && let Some(entry) = window.entries.get_mut((at - window.base) as usize)
            {
                entry.state = state;
                entry.trail = trail;
                wake |= window.advance(at);
            }
        }
        if wake || open == 0 {
            self.wake.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use flotilla_engine::settings::OnFailure;

    use super::*;

    #[test]
    fn a_server_cannot_have_more_unacknowledged_than_it_has_packet_identifiers() {
        let inbox = Arc::new(Inbox::new(Arc::new(Notify::new()), 10));
        let policy = Policy { on_failure: OnFailure::Ack, max_retries: 0, retry_delay: Duration::ZERO };
        let arrive = |id: u16| {
            let publish = Publish { qos: QoS::AtLeastOnce, id, ..Publish::default() };
            inbox.arrive(&Arc::new(publish), policy)
        };
        let mut tickets = Vec::new();
        for id in 1..=u16::MAX {
            tickets.push(arrive(id).unwrap().unwrap());
        }
        assert!(arrive(1).is_err());
        // What has ended makes room when it is acknowledged.
        tickets.into_iter().for_each(|ticket| ticket.settle(Verdict::Ack));
        inbox.write_acks(&mut BytesMut::new());
        assert!(arrive(1).unwrap().is_some());
    }

    #[test]
    fn what_is_acknowledged_behind_a_slow_message_does_not_count_until_there_is_very_much_of_it() {
        let inbox = Arc::new(Inbox::new(Arc::new(Notify::new()), 10));
        inbox.begin(false, true);
        let policy = Policy { on_failure: OnFailure::Ack, max_retries: 0, retry_delay: Duration::ZERO };
        let arrive = |topic: &'static str, id: u16| {
            let publish = Publish { qos: QoS::AtLeastOnce, id, topic: topic.into(), ..Publish::default() };
            inbox.arrive(&Arc::new(publish), policy).unwrap().unwrap()
        };
        let slow = arrive("slow", 1);
        let mut out = BytesMut::new();
        for n in 1..LONGEST {
            assert!(!inbox.full(), "{n}");
            arrive("fast", (n % 1000 + 2) as u16).settle(Verdict::Ack);
            inbox.write_acks(&mut out);
            out.clear();
        }
        assert!(inbox.full(), "reading waits");
        slow.settle(Verdict::Ack);
        inbox.write_acks(&mut out);
        assert!(inbox.settled() && !inbox.full());
    }
}
