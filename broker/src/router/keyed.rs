//! Delivery by key: the router's side of [`crate::share`]'s pure part.

use std::time::Duration;

use flotilla_codec::QoS;

use super::Router;
use crate::{
    session::SessionKey,
    share::{Absence, GroupKey, Waiting},
};

/// A member whose window is full and that acknowledges nothing for so long gets no more keys; it stays without for as
/// long at least.
const PATIENCE: Duration = Duration::from_secs(5);

/// Share groups that deliver by key.
impl Router {
    /// Takes a new message: to the member that has its key, or to wait for it.
    pub(super) fn share_by_key(&mut self, key: GroupKey, waiting: Waiting) {
        let group = &self.groups[key];
        let order_key = group.key_of(&waiting.message);
        let free = |session: &SessionKey| {
            let granted = group.members.get(session).map_or(QoS::AtMostOnce, |member| member.subscription.qos);
            self.sessions[*session].is_free(waiting.message.qos.min(granted))
        };
        match group.target(order_key).filter(free) {
            Some(session) => {
                let granted = group.members[&session].subscription.qos;
                if waiting.message.qos.min(granted) != QoS::AtMostOnce {
                    self.groups[key].sent_by_key(order_key, session);
                }
                self.send_shared(key, session, order_key, waiting);
            }
            None => {
                if let Some(session) = self.groups[key].wait_by_key(waiting) {
                    self.announce(key, session);
                }
            }
        }
    }

    /// Once a second: members that do not get on lose the keys of which they have nothing in flight, and get keys again
    /// when half of their window is free.
    pub(super) fn sweep_stalls(&mut self) {
        let mut changed = Vec::new();
        for (key, group) in &self.groups {
            for session in group.members.keys().filter(|_| group.is_keyed()) {
                let entry = &self.sessions[*session];
                let quiet = self.now.saturating_duration_since(entry.progress) >= PATIENCE;
                let absence = match group.absence(*session) {
                    Some(Absence::Present) if quiet && entry.is_full() => Absence::Stalled(self.now),
                    Some(Absence::Stalled(since)) if self.now >= since + PATIENCE => {
                        let most = entry.client.as_ref().map_or(0, |client| client.receive_maximum);
                        if entry.is_full() || entry.window.sent() * 2 > most {
                            continue;
                        }
                        Absence::Present
                    }
                    _ => continue,
                };
                changed.push((key, *session, absence));
            }
        }
        for (key, session, absence) in changed {
            self.groups[key].set_absence(session, absence);
            self.dispatch(key);
        }
    }

    /// After a restart a group waits for the members that it had, so that their keys go to them and not to whoever
    /// connects first: until they are back, or the time is over that a member has to come back. Clients that are not
    /// Flotilla's do not wait.
    pub(super) fn review_pause(&mut self, key: GroupKey) {
        let Some(group) = self.groups.get_mut(key) else { return };
        let Some(until) = group.paused_until else { return };
        let mut connected = group.members.keys().filter_map(|session| self.sessions[*session].client.as_ref());
        let foreign = connected.any(|client| client.identity.member.is_none());
        let back = group.known_members > 0
            && group.is_keyed()
            && group.members.keys().all(|session| self.sessions[*session].client.is_some());
        if self.now >= until || foreign || back {
            group.paused_until = None;
        }
    }

    /// The time is over.
    pub(super) fn end_pause(&mut self, key: GroupKey) {
        self.review_pause(key);
        if self.groups.contains(key) {
            self.dispatch(key);
        }
    }
}
