//! The timers of a group's flow: inject nodes that repeat.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::node::{NodeId, Unanswered};

/// A timer in one replica.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ReplicaTimer {
    /// The inject node.
    #[serde(flatten)]
    pub id: NodeId,
    /// Its rule: `every 5 s`, or the cron expression with its time zone.
    pub rule: String,
    /// It fires in every replica, not once in the group.
    pub each: bool,
    /// When it is due next, milliseconds since the epoch.
    pub next_ms: Option<u64>,
    /// When it fired here last.
    pub last_ms: Option<u64>,
    /// How often it fired here since the node was built.
    pub runs: u64,
    /// How often this replica skipped ticks that nobody could fire.
    pub missed: u64,
    /// When that was last.
    pub missed_ms: Option<u64>,
    /// And why.
    pub missed_why: String,
}

/// A timer in the whole group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct GroupTimer {
    /// The inject node.
    #[serde(flatten)]
    pub id: NodeId,
    /// Its rule.
    pub rule: String,
    /// It fires in every replica.
    pub each: bool,
    /// When it is due next, milliseconds since the epoch.
    pub next_ms: Option<u64>,
    /// When it fired last.
    pub last_ms: Option<u64>,
    /// In which replica.
    pub last_replica: String,
    /// How often it fired, by replica, since the node was built there.
    pub runs: BTreeMap<String, u64>,
    /// When ticks were skipped last that nobody could fire.
    pub missed_ms: Option<u64>,
    /// And why.
    pub missed_why: String,
}

/// The timers of a group. `GET /api/v1/groups/{group}/timers`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct GroupTimers {
    /// The timers, by when they are due.
    pub timers: Vec<GroupTimer>,
    /// The replicas that did not answer.
    pub unanswered: Vec<Unanswered>,
}

impl GroupTimers {
    /// One view of what replicas say of their timers.
    pub fn merge(all: Vec<(String, Vec<ReplicaTimer>)>, unanswered: Vec<Unanswered>) -> GroupTimers {
        let mut timers: BTreeMap<String, GroupTimer> = BTreeMap::new();
        for (replica, of_replica) in all {
            for timer in of_replica {
                let group = timers.entry(timer.id.node.clone()).or_insert_with(|| GroupTimer {
                    id: timer.id.clone(),
                    rule: timer.rule.clone(),
                    each: timer.each,
                    ..GroupTimer::default()
                });
                // Replicas that agree on the ticks differ by milliseconds; the earliest is when it fires.
                group.next_ms = [group.next_ms, timer.next_ms].into_iter().flatten().min();
                if timer.last_ms > group.last_ms {
                    (group.last_ms, group.last_replica) = (timer.last_ms, replica.clone());
                }
                if timer.missed_ms > group.missed_ms {
                    (group.missed_ms, group.missed_why) = (timer.missed_ms, timer.missed_why);
                }
                group.runs.insert(replica.clone(), timer.runs);
            }
        }
        let mut timers: Vec<_> = timers.into_values().collect();
        timers.sort_by_key(|timer| timer.next_ms.unwrap_or(u64::MAX));
        GroupTimers { timers, unanswered }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_s_timer_is_due_first_and_fired_last() {
        let timer = |next_ms, last_ms, runs| ReplicaTimer {
            id: NodeId { node: "i".to_owned(), ..NodeId::default() },
            next_ms: Some(next_ms),
            last_ms,
            runs,
            ..ReplicaTimer::default()
        };
        let all = vec![
            ("a".to_owned(), vec![timer(20, Some(10), 1)]),
            ("b".to_owned(), vec![timer(19, Some(15), 2)]),
            ("c".to_owned(), vec![timer(21, None, 0)]),
        ];
        let merged = GroupTimers::merge(all, Vec::new()).timers.remove(0);
        assert_eq!((merged.next_ms, merged.last_ms, &*merged.last_replica), (Some(19), Some(15), "b"));
        assert_eq!(merged.runs.values().sum::<u64>(), 3);
    }
}
