use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::Router;
use crate::{session::SessionKey, share::GroupKey};

/// Things to do later.
#[derive(Debug, Default)]
pub(super) struct Timers {
    due: BTreeMap<(Instant, u64), Timer>,
    count: u64,
}

/// What to do. Each names the connection that it was set for: a later one makes it void.
#[derive(Debug, Clone, Copy)]
pub(super) enum Timer {
    /// End the session.
    Expire(SessionKey, u64),
    /// Publish the will.
    Will(SessionKey, u64),
    /// Give what it holds of share groups to others.
    Redispatch(SessionKey, u64),
    /// Drop a share group that still has no members.
    Vacant(GroupKey, Instant),
}

impl Timers {
    pub(super) fn set(&mut self, at: Instant, timer: Timer) {
        self.count += 1;
        self.due.insert((at, self.count), timer);
    }

    fn next(&mut self, now: Instant) -> Option<Timer> {
        let first = self.due.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }
}

impl Router {
    /// Does what is due. To be called every few tens of milliseconds.
    pub fn tick(&mut self) {
        self.begin();
        while let Some(timer) = self.timers.next(self.now) {
            match timer {
                Timer::Expire(session, epoch) if self.is_away(session, epoch) => self.end_session(session),
                Timer::Will(session, epoch) if self.is_away(session, epoch) => self.publish_will(session),
                Timer::Redispatch(session, epoch) if self.is_away(session, epoch) => self.redispatch(session),
                Timer::Vacant(group, since) => self.drop_vacant(group, since),
                _ => {}
            }
        }
        self.flush();
    }

    pub(super) fn after(&mut self, delay: Duration, timer: Timer) {
        self.timers.set(self.now + delay, timer);
    }

    fn is_away(&self, session: SessionKey, epoch: u64) -> bool {
        self.sessions.get(session).is_some_and(|session| session.epoch == epoch && session.client.is_none())
    }
}
