//! The end of connections and sessions.

use std::time::Duration;

use super::{Router, timers::Timer};
use crate::{persist::Op, session::SessionKey, topic::Filter};
use flotilla_codec::{Disconnect, Reason};

impl Router {
    /// DISCONNECT: the will is forgotten when it says so (reason 0, and always on 3.1.1).
    pub(super) fn on_disconnect(&mut self, session: SessionKey, packet: Disconnect) {
        let entry = &mut self.sessions[session];
        if let Some(expiry) = packet.session_expiry {
            // [MQTT-3.14.2-2]: a session that was to end cannot be kept after all.
            if entry.expiry == 0 && expiry != 0 {
                self.kick(session, Reason::ProtocolError);
                return;
            }
            entry.expiry = expiry.min(self.config.max_session_expiry);
        }
        if let Some(client) = &mut entry.client {
            // [MQTT-3.14.4-3]: any other reason is not a normal end.
            if packet.reason == Reason::Success as u8 {
                client.will = None;
            }
            client.link.close(Reason::Success);
        }
        self.connection_lost(session);
    }

    /// The connection `epoch` is gone, however it went.
    pub fn disconnected(&mut self, session: SessionKey, epoch: u64) {
        if self.is_current(session, epoch) {
            self.sessions[session].vanished = true;
            self.connection_lost(session);
        }
    }

    /// Publishes or schedules the will, and ends the session or lets it wait for its client.
    pub(super) fn connection_lost(&mut self, session: SessionKey) {
        let entry = &mut self.sessions[session];
        let Some(client) = entry.client.take() else { return };
        self.connected -= 1;
        let (epoch, expiry) = (entry.epoch, entry.expiry);
        entry.away_since = Some(self.now);
        entry.pending_will = client.will;
        let delay = entry.pending_will.as_ref().map(|will| will.delay);
        if expiry == 0 {
            self.end_session(session);
            return;
        }
        self.record_session(session);
        self.leave_keys(session);
        match delay {
            Some(0) => self.publish_will(session),
            Some(seconds) => self.after_for(session, Duration::from_secs(seconds.into()), Timer::Will(session, epoch)),
            None => {}
        }
        if expiry != u32::MAX {
            self.after_for(session, Duration::from_secs(expiry.into()), Timer::Expire(session, epoch));
        }
        if self.has_ended(session) {
            return self.redispatch(session);
        }
        let redispatch = Duration::from_millis(self.config.redispatch_after_ms);
        self.after_for(session, redispatch, Timer::Redispatch(session, epoch));
    }

    pub(super) fn publish_will(&mut self, session: SessionKey) {
        if let Some(will) = self.sessions[session].pending_will.take() {
            self.publish_from_broker(will.message);
        }
    }

    /// The session is over: its will is due now, its subscriptions go, and what it held of share
    /// groups goes to others at once.
    pub(super) fn end_session(&mut self, session: SessionKey) {
        self.publish_will(session);
        self.cancel_timers(session);
        let held = self.sessions[session].window.give_back();
        let filters: Vec<_> = self.sessions[session].subscriptions.keys().cloned().collect();
        let mut left = Vec::new();
        for filter in filters {
            if let Some(filter) = Filter::parse(&filter) {
                left.extend(self.remove_subscription(session, &filter));
            }
        }
        // What it held takes its place before anything that waited behind it is handed out.
        self.close_outputs(session, held.len());
        left.extend(self.put_back(session, held));
        for group in left {
            self.dispatch(group);
        }
        self.record_for(session, |key| Op::DropSession { key });
        let gone = self.sessions.remove(session);
        self.held.free_places(gone.queue.len());
        self.by_id.remove(&gone.id);
    }
}
