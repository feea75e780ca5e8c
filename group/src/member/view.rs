//! The registry, as somebody sees it who may be blind.

use std::collections::HashMap;
use std::time::Duration;

use flotilla_api::replica::{ReplicaRecord, ReplicaState};
use flotilla_store::Moment;

/// So long after the store was away it may not have everybody again: replicas renew their records three times a lease.
const SETTLE: Duration = Duration::from_secs(3);

/// What the registry said last, as somebody sees it who knows that he may be blind: while the store is away, a moment
/// after that, and when all are gone at once, those that the registry does not have are kept.
#[derive(Default)]
pub struct View {
    replicas: Vec<ReplicaRecord>,
    away: Option<Moment>,
    beats: HashMap<String, u64>,
}

impl View {
    /// Takes over what the registry says. While it says that all are gone at once, or was away a moment ago, those that it
    /// does not have are kept: an outage of the store ejects nobody. When all of them were draining, they have left.
    pub fn take(&mut self, listed: Vec<ReplicaRecord>, now: Moment) {
        let settled = self.away.is_none_or(|away| now.duration_since(away) >= SETTLE);
        // A group that stops: each of them drained.
        let left = self.replicas.iter().all(|replica| replica.state == ReplicaState::Draining);
        if listed.is_empty() && !left {
            if settled {
                tracing::warn!("the registry lost all replicas at once; they count as living");
            }
            self.away = Some(now);
            return;
        }
        let mut next = listed;
        if settled {
            self.away = None;
        } else {
            let missing = self.replicas.drain(..).filter(|old| next.iter().all(|new| new.id != old.id));
            let missing: Vec<_> = missing.collect();
            next.extend(missing);
        }
        self.replicas = next;
    }

    /// The living replicas, and those of which it is not sure that they are gone.
    pub fn replicas(&self) -> &[ReplicaRecord] {
        &self.replicas
    }

    /// The store is away: said once, until it is back.
    pub fn failed(&mut self, why: &str, now: Moment) {
        if self.away.is_none() {
            tracing::warn!(error = why, "cannot read the registry; the replicas count as living");
        }
        self.away = Some(now);
    }

    /// Those that gave a sign of life since the last time.
    pub fn beating(&mut self) -> Vec<String> {
        let mut beating = Vec::new();
        for replica in &self.replicas {
            let before = self.beats.insert(replica.id.clone(), replica.beat);
            if before.is_some_and(|before| replica.beat > before) {
                beating.push(replica.id.clone());
            }
        }
        let replicas = &self.replicas;
        self.beats.retain(|id, _| replicas.iter().any(|replica| replica.id == *id));
        beating
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: &str) -> ReplicaRecord {
        serde_json::from_value(serde_json::json!({
            "id": id, "group": "g", "state": "ready", "reason": "", "revision": "r", "http": null, "ops": null, "pid": 1,
            "version": "", "started_ms": 0, "in_flight": 0, "completed": 0, "failed": 0, "abandoned": 0, "memory": 0,
            "beat": 1
        }))
        .unwrap()
    }

    fn ids(seen: &View) -> Vec<&str> {
        let mut ids: Vec<_> = seen.replicas.iter().map(|replica| replica.id.as_str()).collect();
        ids.sort_unstable();
        ids
    }

    #[test]
    fn who_leaves_alone_is_gone_and_all_at_once_is_an_outage() {
        let (mut seen, now) = (View::default(), Moment::now());
        let list = |ids: &[&str]| ids.iter().map(|id| record(id)).collect::<Vec<_>>();
        seen.take(list(&["a", "b", "c"]), now);
        seen.take(list(&["a", "b"]), now);
        assert_eq!(ids(&seen), ["a", "b"]);
        seen.take(Vec::new(), now);
        assert_eq!(ids(&seen), ["a", "b"]);
        // They come back one by one.
        seen.take(list(&["b"]), now);
        assert_eq!(ids(&seen), ["a", "b"]);
        seen.take(list(&["b", "d"]), now + SETTLE);
        assert_eq!(ids(&seen), ["b", "d"]);
    }

    #[test]
    fn a_group_that_drained_has_left() {
        let (mut seen, now) = (View::default(), Moment::now());
        let draining = |id: &str| ReplicaRecord { state: ReplicaState::Draining, ..record(id) };
        seen.take(vec![draining("a"), record("b")], now);
        seen.take(Vec::new(), now);
        assert_eq!(ids(&seen), ["a", "b"], "one of them did not say that it leaves");
        seen.take(vec![draining("a"), draining("b")], now + SETTLE);
        seen.take(Vec::new(), now + SETTLE);
        assert!(ids(&seen).is_empty());
    }

    #[test]
    fn after_an_outage_nobody_is_missed_at_once() {
        let (mut seen, now) = (View::default(), Moment::now());
        seen.take(vec![record("a"), record("b")], now);
        seen.failed("away", now);
        seen.take(vec![record("a")], now);
        assert_eq!(ids(&seen), ["a", "b"]);
        seen.take(vec![record("a")], now + SETTLE);
        assert_eq!(ids(&seen), ["a"]);
    }
}
