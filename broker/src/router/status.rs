//! What the broker holds, for people and metrics.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Router;
use crate::config::Strategy;

/// What the broker holds right now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Connected clients.
    pub connections: usize,
    /// Sessions, connected or not.
    pub sessions: usize,
    /// Retained messages.
    pub retained: usize,
    /// Bytes of them, the levels of their topics included.
    pub retained_bytes: usize,
    /// Bytes of all messages that are held: waiting, in flight and retained.
    #[serde(default)]
    pub held_bytes: usize,
    /// Share groups, by name and filter.
    pub groups: Vec<GroupStatus>,
}

/// What the broker holds right now, in numbers alone: quick to take, whatever number of groups there is.
#[derive(Debug, Clone, Copy)]
pub struct Totals {
    /// Connected clients.
    pub connections: usize,
    /// Sessions, connected or not.
    pub sessions: usize,
    /// Retained messages.
    pub retained: usize,
    /// Bytes of them, the levels of their topics included.
    pub retained_bytes: usize,
    /// Bytes of all messages that are held.
    pub held_bytes: usize,
}

/// One share group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupStatus {
    /// Share name.
    pub name: String,
    /// Filter.
    pub filter: String,
    /// How it picks a member.
    pub strategy: Strategy,
    /// Messages that no member has been sent: the lag.
    pub waiting: usize,
    /// Bytes of them.
    pub waiting_bytes: usize,
    /// Age of the oldest of them.
    pub oldest: Option<Duration>,
    /// Sent and not acknowledged.
    pub in_flight: usize,
    /// Messages that came back from members that went away.
    pub redelivered: u64,
    /// Whether its filter is one literal topic: by key that is one key, which one member has at a time.
    #[serde(default)]
    pub literal: bool,
    /// Keys of which something waits or is in flight, where it delivers by key.
    #[serde(default)]
    pub keys: usize,
    /// Its members.
    pub members: Vec<MemberStatus>,
}

/// One member of a share group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberStatus {
    /// ClientID.
    pub client_id: String,
    /// Has a connection.
    pub connected: bool,
    /// Sent and not acknowledged.
    pub in_flight: usize,
    /// Sent since it joined.
    pub sent: u64,
}

impl Router {
    /// What the broker holds right now.
    pub fn status(&mut self) -> Status {
        self.begin();
        let mut groups: Vec<GroupStatus> = self.groups.iter().map(|(_, group)| self.group_status(group)).collect();
        groups.sort_by(|a, b| (&a.name, &a.filter).cmp(&(&b.name, &b.filter)));
        let Totals { connections, sessions, retained, retained_bytes, held_bytes } = self.totals();
        Status { connections, sessions, retained, retained_bytes, held_bytes, groups }
    }

    /// The numbers of it.
    pub fn totals(&self) -> Totals {
        Totals {
            connections: self.connected,
            sessions: self.sessions.len(),
            retained: self.retained.count(),
            retained_bytes: self.retained.bytes(),
            held_bytes: self.held.bytes(),
        }
    }

    fn group_status(&self, group: &crate::share::Group) -> GroupStatus {
        let members = group.members.iter().map(|(session, member)| {
            let session = &self.sessions[*session];
            MemberStatus {
                client_id: session.id.to_string(),
                connected: session.client.is_some(),
                in_flight: member.in_flight,
                sent: member.sent,
            }
        });
        GroupStatus {
            name: group.share.name.to_string(),
            filter: group.share.filter.to_string(),
            strategy: group.strategy,
            waiting: group.waiting(),
            waiting_bytes: group.waiting_bytes(),
            oldest: group.oldest().map(|since| self.now.saturating_duration_since(since)),
            in_flight: group.held,
            redelivered: group.redelivered,
            literal: !group.share.filter.contains(['+', '#']),
            keys: group.keys(),
            members: members.collect(),
        }
    }
}
