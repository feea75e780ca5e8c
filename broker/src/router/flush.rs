//! The end of a batch: connections are woken, answers appended, clients closed.

use std::sync::Arc;

use bytes::BytesMut;

use super::Router;
use crate::{
    link::Link,
    session::{Client, SessionKey},
};
use flotilla_codec::{Reason, disconnect};

/// Links that got something to write in this batch.
#[derive(Debug, Default)]
pub(super) struct Dirty {
    links: Vec<Arc<Link>>,
}

impl Dirty {
    pub(super) fn mark(&mut self, link: &Arc<Link>) {
        self.links.push(Arc::clone(link));
    }
}

impl Router {
    /// Ends a batch: one wake for every connection that has something new to write.
    pub fn flush(&mut self) {
        if let Some(journal) = &mut self.journal {
            journal.submit();
        }
        for link in self.dirty.links.drain(..) {
            link.wake.notify_one();
        }
    }

    /// Appends an answer to the session's connection, whatever waits there already: answers are
    /// bounded by what the client asks, and it is not read from while they do not drain.
    pub(super) fn reply(&mut self, session: SessionKey, encode: impl FnOnce(&mut BytesMut, &Client)) {
        let Some(client) = self.sessions.get(session).and_then(|session| session.client.as_ref()) else { return };
        if client.link.append(|out| encode(out, client)).idle {
            self.dirty.mark(&client.link);
        }
    }

    /// Ends the session's connection as the broker's decision; the will is published.
    pub(super) fn kick(&mut self, session: SessionKey, reason: Reason) {
        let Some(entry) = self.sessions.get(session) else { return };
        if let Some(client) = &entry.client {
            client.link.append(|out| disconnect(out, client.version, reason, client.max_packet));
            client.link.close(reason);
        }
        self.connection_lost(session);
    }

    /// The connection broke the protocol.
    pub fn fail(&mut self, session: SessionKey, epoch: u64, reason: Reason) {
        if self.is_current(session, epoch) {
            self.kick(session, reason);
        }
    }

    /// The connection's client asks, and has taken nothing for a long time of what it was answered.
    pub fn give_up(&mut self, session: SessionKey, epoch: u64) {
        if self.is_current(session, epoch) {
            self.stats.closed_stalled += 1;
            tracing::warn!(
                client = &*self.sessions[session].id,
                "a connection is closed: its client does not read, and as much waits for it as may"
            );
            self.kick(session, Reason::QuotaExceeded);
        }
    }

    /// Takes no more connections and ends all there are.
    pub fn stop(&mut self) {
        self.begin();
        self.stopping = true;
        let connected: Vec<_> = self.sessions.iter().filter(|(_, s)| s.client.is_some()).map(|(key, _)| key).collect();
        for session in connected {
            if self.sessions.contains(session) {
                self.kick(session, Reason::ServerShuttingDown);
            }
        }
        self.flush();
    }
}
