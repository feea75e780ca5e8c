//! Processes that may have died with messages, and what they still publish.

use bytes::{Bytes, BytesMut};
use flotilla_codec::{Forwarded, Reason, agreed, forwarded, put_forwarded};

use super::Router;
use crate::{
    session::{Alone, SessionKey},
    share::{Blame, Death},
};

/// Processes whose latest connection is remembered. More than that do not die within the life of a message.
const PROCESSES: usize = 4096;

/// Members whose process may have died.
impl Router {
    /// What a process's end without a word means for the `held` messages that its session had. None for clients that do
    /// not say which process they are, and where the broker or DISCONNECT ended the connection.
    pub(super) fn death(&self, session: SessionKey, held: usize) -> Option<Death> {
        let entry = &self.sessions[session];
        let process = entry.identity.process.filter(|_| entry.vanished)?;
        let others = || {
            self.sessions
                .iter()
                .filter(|(other, _)| *other != session)
                .any(|(_, other)| other.identity.process == Some(process) && other.window.sent() > 0)
        };
        let alone = entry.alone == Alone::Now || (held == 1 && !others());
        Some(Death { process, epoch: self.epochs, alone })
    }

    /// What `session` held goes to others, who make its outputs anew: nothing that it still publishes may come after
    /// them. Its publishing connection is closed; its client drops what belongs to deliveries that were given up.
    pub(super) fn close_outputs(&mut self, session: SessionKey, held: usize) {
        let Some(member) = self.sessions[session].identity.member.filter(|_| held > 0) else { return };
        let publishers: Vec<SessionKey> = self
            .sessions
            .iter()
            .filter(|(_, other)| other.client.is_some() && other.identity.outputs_of == Some(member))
            .map(|(key, _)| key)
            .collect();
        for publisher in publishers {
            if self.sessions.contains(publisher) {
                self.kick(publisher, Reason::AdministrativeAction);
            }
        }
    }

    /// A process has a connection: what it was thought to have died of is forgiven.
    pub(super) fn lives(&mut self, process: u64, epoch: u64) {
        self.processes.shift_remove(&process);
        if self.processes.len() == PROCESSES {
            self.processes.shift_remove_index(0);
        }
        self.processes.insert(process, epoch);
    }

    /// A process has ended, as whoever started it saw: what its sessions hold goes to others at once, and not only after
    /// `redispatch_after_ms`. What a connection of it had sent before its end is read first: then it is not done once more.
    pub fn process_ended(&mut self, process: u64) {
        self.begin();
        if self.ended.len() == PROCESSES {
            self.ended.shift_remove_index(0);
        }
        self.ended.insert(process);
        let left: Vec<SessionKey> = self
            .sessions
            .iter()
            .filter(|(_, session)| session.client.is_none() && session.identity.process == Some(process))
            .map(|(key, _)| key)
            .collect();
        for session in left {
            if self.sessions.contains(session) {
                self.redispatch(session);
            }
        }
        self.flush();
    }

    /// Whether the process of a session that has no connection any more is known to have ended.
    pub(super) fn has_ended(&self, session: SessionKey) -> bool {
        self.sessions[session].identity.process.is_some_and(|process| self.ended.contains(&process))
    }

    /// What is left of a message's deaths now.
    pub(super) fn reconsider(&self, blame: Option<Box<Blame>>) -> Option<Box<Blame>> {
        let mut blame = blame?;
        blame.forgive(|death| self.processes.get(&death.process).is_some_and(|epoch| *epoch > death.epoch));
        (blame.count().0 > 0).then_some(blame)
    }
}

/// The properties of a message that processes died with.
pub(super) fn with_deaths(forward: &Bytes, blame: &Blame) -> Bytes {
    let (deaths, alone) = blame.count();
    let mut block = BytesMut::from(&forward[..]);
    for (name, count) in [(agreed::DEATHS, deaths), (agreed::DEATHS_ALONE, alone)] {
        put_forwarded(&mut block, &Forwarded::User(name, &count.to_string()));
    }
    block.freeze()
}

/// Takes out what only the broker says of a message.
pub(super) fn without_deaths(forward: Bytes) -> Bytes {
    let named = agreed::DEATHS.as_bytes();
    if forward.len() < named.len() || !forward.windows(named.len()).any(|bytes| bytes == named) {
        return forward;
    }
    let mut block = BytesMut::new();
    forwarded(&forward, |property| {
        if !matches!(property, Forwarded::User(agreed::DEATHS | agreed::DEATHS_ALONE, _)) {
            put_forwarded(&mut block, &property);
        }
    });
    block.freeze()
}
