//! What is to happen later.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::Router;
use crate::{
    keys::TimerKey,
    session::SessionKey,
    share::{GroupKey, Waiting},
};

/// Things to do later.
#[derive(Debug, Default)]
pub(super) struct Timers {
    due: BTreeMap<TimerKey, Timer>,
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
    Vacant(GroupKey),
    /// Hand out what a share group held back for its members after a restart.
    Resume(GroupKey),
}

impl Timers {
    fn set(&mut self, at: Instant, timer: Timer) -> TimerKey {
        self.count += 1;
        self.due.insert((at, self.count), timer);
        (at, self.count)
    }

    /// Forgets a timer, so that reconnecting often does not pile them up.
    pub(super) fn cancel(&mut self, key: TimerKey) {
        self.due.remove(&key);
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
                Timer::Vacant(group) => self.drop_vacant(group),
                Timer::Resume(group) => self.end_pause(group),
                _ => {}
            }
        }
        self.expire_retained();
        if self.now >= self.next_sweep {
            self.sweep();
        }
        self.flush();
    }

    /// Once a second: drops what has waited in share groups for too long.
    fn sweep(&mut self) {
        self.next_sweep = self.now + Duration::from_secs(1);
        self.sweep_groups();
        self.sweep_stalls();
        if self.refused_any && !self.is_laden() {
            // Room for all may have come from anywhere, not only from the group that was asked for.
            self.refused_any = false;
            self.space.notify_waiters();
        }
        self.publish_sys();
    }

    /// What expired, or is older than messages get in a group, has no use for its place.
    fn sweep_groups(&mut self) {
        let (now, before) = (self.now, self.now.checked_sub(Duration::from_secs(self.config.group_max_age)));
        let mut gone = Vec::new();
        for (key, group) in &mut self.groups {
            let is_over = |waiting: &Waiting| {
                before.is_some_and(|before| waiting.since < before) || waiting.message.remaining(now).is_none()
            };
            gone.extend(group.expire(is_over).into_iter().map(|waiting| (key, waiting)));
        }
        for (group, waiting) in gone {
            match waiting.message.remaining(now) {
                None => self.stats.dropped_expired += 1,
                Some(_) => self.stats.dropped_aged += 1,
            }
            self.record_unshared(group, waiting.seq);
        }
    }

    pub(super) fn after(&mut self, delay: Duration, timer: Timer) -> TimerKey {
        self.timers.set(self.now + delay, timer)
    }

    /// Sets a timer that the session's next connection, or its end, makes void.
    pub(super) fn after_for(&mut self, session: SessionKey, delay: Duration, timer: Timer) {
        let key = self.after(delay, timer);
        self.sessions[session].timers.push(key);
    }

    /// The session is connected again or ends: nothing is due for it any more.
    pub(super) fn cancel_timers(&mut self, session: SessionKey) {
        for key in std::mem::take(&mut self.sessions[session].timers) {
            self.timers.cancel(key);
        }
    }

    fn is_away(&self, session: SessionKey, epoch: u64) -> bool {
        self.sessions.get(session).is_some_and(|session| session.epoch == epoch && session.client.is_none())
    }
}
