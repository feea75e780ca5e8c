//! Which replicas answer, as the collector knows it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use flotilla_api::node::Unanswered;
use parking_lot::RwLock;

/// A replica that vanished without a word is named for so long.
const NAMED: Duration = Duration::from_secs(60);

/// What is known of the replicas, by id.
#[derive(Default)]
pub struct Sources(RwLock<BTreeMap<String, Source>>);

struct Source {
    group: String,
    state: State,
}

enum State {
    Answers,
    Silent {
        reason: String,
    },
    /// It said that it ends.
    Left,
    Gone {
        reason: String,
        since: Instant,
    },
}

impl Sources {
    pub(super) fn answers(&self, group: &str, replica: &str) {
        self.set(group, replica, State::Answers);
    }

    pub(super) fn silent(&self, group: &str, replica: &str, reason: String) {
        let has_left = |source: &Source| matches!(source.state, State::Left);
        if !self.0.read().get(replica).is_some_and(has_left) {
            self.set(group, replica, State::Silent { reason });
        }
    }

    /// It said that it ends.
    pub(super) fn left(&self, group: &str, replica: &str) {
        self.set(group, replica, State::Left);
    }

    /// It is not in its group any more.
    pub(super) fn gone(&self, replica: &str) {
        let mut all = self.0.write();
        match all.remove(replica) {
            Some(Source { group, state: State::Silent { reason } }) => {
                let reason = format!("it is not in its group any more; before that: {reason}");
                let state = State::Gone { reason, since: Instant::now() };
                all.insert(replica.to_owned(), Source { group, state });
            }
            Some(Source { group, state: State::Answers }) => {
                let reason = "its lease ran out".to_owned();
                all.insert(replica.to_owned(), Source { group, state: State::Gone { reason, since: Instant::now() } });
            }
            Some(gone @ Source { state: State::Gone { .. }, .. }) => drop(all.insert(replica.to_owned(), gone)),
            Some(Source { state: State::Left, .. }) | None => {}
        }
        all.retain(|_, source| !matches!(&source.state, State::Gone { since, .. } if since.elapsed() > NAMED));
    }

    /// The replicas of a group that do not answer, and why.
    pub fn unanswered(&self, group: &str) -> Vec<Unanswered> {
        let all = self.0.read();
        let of_group = all.iter().filter(|(_, source)| source.group == group);
        let reason = |source: &Source| match &source.state {
            State::Answers | State::Left => None,
            State::Silent { reason } => Some(reason.clone()),
            State::Gone { reason, since } => (since.elapsed() <= NAMED).then(|| reason.clone()),
        };
        of_group
            .filter_map(|(replica, source)| Some(Unanswered { replica: replica.clone(), reason: reason(source)? }))
            .collect()
    }

    fn set(&self, group: &str, replica: &str, state: State) {
        self.0.write().insert(replica.to_owned(), Source { group: group.to_owned(), state });
    }
}
