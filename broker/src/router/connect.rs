//! CONNECT: the session is resumed or made, an older connection ends.

use std::sync::Arc;

use super::Router;
use crate::{
    auth::Admitted,
    link::Link,
    session::{Alone, Client, Identity, Session, SessionKey},
};
use flotilla_codec::{ConnAck, Connect, Reason, Version, agreed, connack};

/// A connection that the router knows now.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// Its session.
    pub session: SessionKey,
    /// Which connection of the session it is.
    pub epoch: u64,
    /// Keep alive in force, in seconds.
    pub keep_alive: u16,
}

/// A CONNECT that was refused: what the CONNACK to send says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// The code.
    pub reason: Reason,
    /// For people, where it says more than the code's own text; may be empty.
    pub detail: &'static str,
}

/// `max_sessions` of [`crate::Config`].
const FULL: Refused = Refused {
    reason: Reason::QuotaExceeded,
    detail: "the broker keeps no more sessions (max-sessions): connect without a session expiry, or try again later",
};

impl From<Reason> for Refused {
    fn from(reason: Reason) -> Self {
        Self { reason, detail: "" }
    }
}

impl Router {
    /// Takes a client in: resumes or makes its session, ends an older connection of the same
    /// ClientID, answers CONNACK and sends what waits.
    pub fn connect(&mut self, connect: Connect, admitted: Admitted, link: Arc<Link>) -> Result<Accepted, Refused> {
        self.admit(&connect, &admitted.id)?;
        self.check_owner(&admitted)?;
        let identity = Identity::read(&connect.user);
        let Admitted { user, id, assigned, rights } = admitted;
        let (session, present) = self.take_session(&id, connect.clean_start);
        self.epochs += 1;
        let epoch = self.epochs;
        let longest = self.config.server_keep_alive.filter(|_| connect.version == Version::V5);
        let shortened = longest.filter(|longest| connect.keep_alive == 0 || connect.keep_alive > *longest);
        let keep_alive = shortened.unwrap_or(connect.keep_alive);
        let expiry = connect.session_expiry.min(self.config.max_session_expiry);
        let told = ConnAck {
            session_present: present,
            session_expiry: (expiry != connect.session_expiry).then_some(expiry),
            receive_maximum: Some(self.config.receive_maximum),
            max_packet: u32::try_from(self.config.max_packet).ok(),
            assigned_id: assigned.then_some(&*id),
            topic_alias_max: self.config.topic_alias_max,
            no_retain: self.config.max_retained == 0,
            keep_alive: shortened,
            refusal: "",
            user: &[(agreed::REDISPATCH, "1"), (agreed::KEYED, "1")],
        };
        let max_packet = connect.max_packet as usize;
        let explained = connect.version == Version::V5 && connect.problem_info;
        link.append(|out| connack(out, connect.version, Reason::Success, &told, max_packet));
        self.dirty.mark(&link);
        self.cancel_timers(session);
        let entry = &mut self.sessions[session];
        entry.epoch = epoch;
        if self.config.users.is_some() {
            entry.user = user;
        }
        entry.expiry = expiry;
        entry.away_since = None;
        entry.pending_will = None;
        entry.behind = false;
        entry.window.resume();
        entry.identity = identity;
        (entry.vanished, entry.alone, entry.progress) = (false, Alone::No, self.now);
        entry.client = Some(Client {
            link,
            version: connect.version,
            receive_maximum: connect.receive_maximum.min(self.config.max_in_flight).into(),
            max_packet,
            reason_room: if explained { max_packet } else { 0 },
            will: connect.will,
            rights,
            aliases: rustc_hash::FxHashMap::default(),
            alias_max: connect.topic_alias_max.min(self.config.topic_alias_max),
            identity,
        });
        if let Some(process) = identity.process {
            self.lives(process, epoch);
        }
        self.connected += 1;
        self.stats.accepted += 1;
        self.record_session(session);
        self.rejoin(session);
        self.pump(session);
        Ok(Accepted { session, epoch, keep_alive })
    }

    fn admit(&self, connect: &Connect, id: &str) -> Result<(), Refused> {
        if self.stopping || self.connected >= self.config.max_connections {
            return Err(Reason::ServerUnavailable.into());
        }
        if connect.auth_method {
            return Err(Reason::BadAuthenticationMethod.into());
        }
        // [MQTT-3.1.3-8]: without an id there is nothing to find the session by.
        if connect.version != Version::V5 && connect.client_id.is_empty() && !connect.clean_start {
            return Err(Reason::ClientIdNotValid.into());
        }
        let outlives = connect.session_expiry > 0 && self.config.max_session_expiry > 0;
        if outlives && self.sessions.len() >= self.config.max_sessions && !self.by_id.contains_key(id) {
            return Err(FULL);
        }
        // [MQTT-3.2.2-13]
        let retained_will = connect.will.as_ref().is_some_and(|will| will.message.retain);
        if connect.version == Version::V5 && retained_will && self.config.max_retained == 0 {
            return Err(Reason::RetainNotSupported.into());
        }
        Ok(())
    }

    /// The stored session, or a new one; the second says whether it was stored.
    fn take_session(&mut self, id: &Arc<str>, clean: bool) -> (SessionKey, bool) {
        if let Some(&session) = self.by_id.get(id) {
            self.take_over(session, clean);
            if !clean && let Some(&session) = self.by_id.get(id) {
                return (session, true);
            }
            if let Some(&session) = self.by_id.get(id) {
                self.end_session(session);
            }
        }
        let session = self.sessions.insert(Session::new(Arc::clone(id), self.now));
        self.by_id.insert(Arc::clone(id), session);
        (session, false)
    }

    /// Ends the older connection [MQTT-3.1.4-3]. Its session stays unless the new one starts clean. Its will is due if the session
    /// ends too, or if it has no delay: otherwise the client is back in time.
    fn take_over(&mut self, session: SessionKey, clean: bool) {
        let entry = &mut self.sessions[session];
        let Some(client) = &entry.client else { return };
        let room = client.max_packet;
        client.link.append(|out| flotilla_codec::disconnect(out, client.version, Reason::SessionTakenOver, room));
        client.link.close(Reason::SessionTakenOver);
        let will = entry.client.take().and_then(|client| client.will);
        self.connected -= 1;
        let ends = clean || self.sessions[session].expiry == 0;
        if let Some(will) = will
            && (will.delay == 0 || ends)
        {
            self.publish_from_broker(will.message);
        }
        if ends {
            self.end_session(session);
        }
    }
}
