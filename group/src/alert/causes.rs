//! What is wrong with a group, from what is seen of it. Pure.

use std::collections::BTreeMap;

use flotilla_api::alert::{Alert, AlertKind, AlertRules};
use flotilla_api::replica::ReplicaRecord;
use flotilla_api::rollout::Phase;

use super::crashes::Crashes;
use super::picture::{Cause, Picture};
use super::signs::{backlog, hangs, sources};

/// Watches a group: remembers what one look does not tell.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    crashes: Crashes,
    /// Since when a replica has used much of its memory.
    full_since: BTreeMap<String, u64>,
    /// Since when the store does not answer.
    away_since: Option<u64>,
    /// What was wrong when it last did.
    known: Vec<Cause>,
}

impl Watch {
    /// Goes on with the alerts of whoever watched before: what one look does not tell has not ended because somebody else looks.
    pub fn resume(&mut self, lasting: &[Alert], rules: &AlertRules) {
        for alert in lasting {
            let cause = alert.cause.clone();
            match alert.kind {
                AlertKind::ReplicaCrashed => self.crashes.resume(cause, alert.ready_before),
                AlertKind::Memory => {
                    let since_ms = alert.since_ms.saturating_sub(rules.memory_s * 1000);
                    self.full_since.entry(cause).or_insert(since_ms);
                }
                _ => {}
            }
        }
    }

    /// Everything that is wrong now. While the store does not answer that is what was wrong before: nobody knows of anything else
    /// that it began or ended.
    pub fn look(&mut self, picture: &Picture, rules: &AlertRules) -> Vec<Cause> {
        let Some(replicas) = &picture.replicas else {
            let since = *self.away_since.get_or_insert(picture.now_ms);
            let away_s = picture.now_ms.saturating_sub(since) / 1000;
            let is_away = rules.store_away_s > 0 && away_s >= rules.store_away_s;
            let text =
                format!("the store has not answered for {away_s} s: flows go on, but nothing of the group can change");
            let cause = || Cause::new(AlertKind::StoreAway, "store", text);
            return self.known.iter().cloned().chain(is_away.then(cause)).collect();
        };
        let was_away = self.away_since.take().is_some();
        let mut causes = Vec::new();
        self.crashes.look(replicas, picture.now_ms, picture.wanted, was_away);
        if rules.replica_crashed {
            causes.extend(self.crashes.lasting().map(|(id, ready_before)| {
                let text =
                    format!("replica {id} went away without leaving: its process died, or it cannot reach the store");
                Cause { ready_before, ..Cause::new(AlertKind::ReplicaCrashed, id, text) }
            }));
        }
        hangs(replicas, rules, &mut causes);
        sources(replicas, rules, &mut causes);
        self.memory(replicas, picture.now_ms, rules, &mut causes);
        backlog(picture, replicas, rules, &mut causes);
        if let Some(rollout) = picture.rollout.as_ref().filter(|_| rules.rollout_halted)
            && matches!(rollout.phase, Phase::Returning | Phase::Returned)
        {
            let text = format!("the rollout to revision {} was halted: {}", rollout.to, rollout.reason);
            causes.push(Cause::new(AlertKind::RolloutHalted, &rollout.number.to_string(), text));
        }
        if rules.dead_letters > 0 && picture.dead_letters >= rules.dead_letters {
            let text = format!("{} messages failed for good: see `flotilla deadletter list`", picture.dead_letters);
            causes.push(Cause::new(AlertKind::DeadLetters, "box", text));
        }
        self.known.clone_from(&causes);
        causes
    }

    fn memory(&mut self, replicas: &[ReplicaRecord], now: u64, rules: &AlertRules, causes: &mut Vec<Cause>) {
        self.full_since.retain(|id, _| replicas.iter().any(|replica| replica.id == *id));
        for replica in replicas.iter().filter(|replica| replica.memory_limit > 0 && rules.memory_percent > 0) {
            let percent = replica.memory.saturating_mul(100) / replica.memory_limit;
            if percent < rules.memory_percent {
                self.full_since.remove(&replica.id);
                continue;
            }
            let since = *self.full_since.entry(replica.id.clone()).or_insert(now);
            if now.saturating_sub(since) >= rules.memory_s * 1000 {
                let text = format!(
                    "replica {} has used {percent} % of its {} MB of memory for {} s",
                    replica.id,
                    replica.memory_limit >> 20,
                    now.saturating_sub(since) / 1000
                );
                causes.push(Cause::new(AlertKind::Memory, &replica.id, text));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use flotilla_api::health::{ReplicaHealth, Source};
    use flotilla_api::replica::ReplicaState;

    use super::*;

    fn replica(id: &str) -> ReplicaRecord {
        ReplicaRecord {
            id: id.to_owned(),
            group: "g".to_owned(),
            state: ReplicaState::Ready,
            memory: 10,
            memory_limit: 100,
            ..ReplicaRecord::default()
        }
    }

    fn picture(now_s: u64, replicas: Vec<ReplicaRecord>) -> Picture {
        Picture { now_ms: now_s * 1000, replicas: Some(replicas), ..Picture::default() }
    }

    fn kinds(watch: &mut Watch, picture: &Picture) -> Vec<(AlertKind, String)> {
        let rules = AlertRules::default();
        watch.look(picture, &rules).into_iter().map(|cause| (cause.kind, cause.cause)).collect()
    }

    /// Looks once a second while the replicas beat every second.
    fn beat(watch: &mut Watch, ids: &[&str], seconds: std::ops::Range<u64>) -> Vec<(AlertKind, String)> {
        let mut found = Vec::new();
        for now_s in seconds {
            let beating = |id: &&str| ReplicaRecord { beat: now_s, ..replica(id) };
            found = kinds(watch, &picture(now_s, ids.iter().map(beating).collect()));
        }
        found
    }

    #[test]
    fn a_replica_that_falls_silent_and_vanishes_has_crashed_until_it_is_replaced_and_one_that_leaves_has_not() {
        let mut watch = Watch::default();
        assert_eq!(beat(&mut watch, &["a", "b", "c"], 0..5), []);
        // It leaves between two looks.
        assert_eq!(beat(&mut watch, &["a", "b"], 5..8), []);
        let silent = |now_s: u64| {
            let dead = ReplicaRecord { beat: 7, ..replica("a") };
            picture(now_s, vec![dead, ReplicaRecord { beat: now_s, ..replica("b") }])
        };
        for now_s in 8..11 {
            assert_eq!(kinds(&mut watch, &silent(now_s)), []);
        }
        let crashed = [(AlertKind::ReplicaCrashed, "a".to_owned())];
        assert_eq!(beat(&mut watch, &["b"], 11..12), crashed);
        assert_eq!(beat(&mut watch, &["b", "a.1"], 12..14), crashed);
        assert_eq!(beat(&mut watch, &["b", "a.1"], 14..16), []);
    }

    #[test]
    fn a_replacement_that_is_ready_before_the_lease_of_the_dead_one_has_run_out_ends_the_alert() {
        let mut watch = Watch::default();
        assert_eq!(beat(&mut watch, &["a", "b"], 0..8), []);
        // Its last sign of life and the replacement are seen at the same look.
        for now_s in 8..12 {
            let dead = ReplicaRecord { beat: 8, ..replica("a") };
            let alive = ["b", "a.1"].map(|id| ReplicaRecord { beat: now_s, ..replica(id) });
            let all = std::iter::once(dead).chain(alive).collect();
            assert_eq!(kinds(&mut watch, &picture(now_s, all)), []);
        }
        let crashed = [(AlertKind::ReplicaCrashed, "a".to_owned())];
        assert_eq!(beat(&mut watch, &["b", "a.1"], 12..14), crashed);
        assert_eq!(beat(&mut watch, &["b", "a.1"], 14..16), []);
    }

    #[test]
    fn a_crash_is_over_when_the_group_is_whole_with_fewer() {
        let crashed = [(AlertKind::ReplicaCrashed, "a".to_owned())];
        let crash = |watch: &mut Watch| {
            beat(watch, &["a", "b", "c"], 0..8);
            let dead = |now_s: u64| {
                let alive = ["b", "c"].map(|id| ReplicaRecord { beat: now_s, ..replica(id) });
                picture(now_s, std::iter::once(ReplicaRecord { beat: 7, ..replica("a") }).chain(alive).collect())
            };
            (8..11).for_each(|now_s| drop(kinds(watch, &dead(now_s))));
            beat(watch, &["b", "c"], 11..20)
        };
        // By its supervisor: it is to have two by now.
        let mut watch = Watch::default();
        assert_eq!(crash(&mut watch), crashed);
        let smaller = |now_s: u64| {
            let all = ["b", "c"].map(|id| ReplicaRecord { beat: now_s, ..replica(id) }).to_vec();
            Picture { wanted: 2, ..picture(now_s, all) }
        };
        assert_eq!(kinds(&mut watch, &smaller(20)), crashed);
        assert_eq!(kinds(&mut watch, &smaller(22)), []);
        // By hand: another one was stopped, and is not missed. One that is only restarted comes back.
        let mut watch = Watch::default();
        assert_eq!(crash(&mut watch), crashed);
        assert_eq!(beat(&mut watch, &["b"], 20..24), crashed);
        assert_eq!(beat(&mut watch, &["b", "a"], 24..27), []);
        let mut watch = Watch::default();
        assert_eq!(crash(&mut watch), crashed);
        assert_eq!(beat(&mut watch, &["b"], 20..22), crashed);
        assert_eq!(beat(&mut watch, &["b", "c"], 22..30), crashed, "it has come back: one is still missing");
    }

    #[test]
    fn what_one_look_does_not_tell_goes_on_when_somebody_else_watches() {
        let rules = AlertRules { memory_s: 10, ..AlertRules::default() };
        let alert = |kind, cause: &str, ready_before| Alert {
            id: String::new(),
            group: "g".to_owned(),
            kind,
            cause: cause.to_owned(),
            text: String::new(),
            ready_before,
            since_ms: 50_000,
            ended_ms: None,
            test: false,
        };
        let lasting = [alert(AlertKind::ReplicaCrashed, "a", 2), alert(AlertKind::Memory, "b", 0)];
        let mut watch = Watch::default();
        watch.resume(&lasting, &rules);
        let full = |now_s: u64, ids: &[&str]| {
            let full = |id: &&str| ReplicaRecord { beat: now_s, memory: 80, ..replica(id) };
            picture(now_s, ids.iter().map(full).collect())
        };
        let found = |watch: &mut Watch, picture: &Picture| {
            let all = watch.look(picture, &rules);
            all.into_iter().map(|cause| (cause.kind, cause.cause, cause.ready_before)).collect::<Vec<_>>()
        };
        let both = [(AlertKind::ReplicaCrashed, "a".to_owned(), 2), (AlertKind::Memory, "b".to_owned(), 0)];
        assert_eq!(found(&mut watch, &full(51, &["b"])), both);
        assert_eq!(found(&mut watch, &picture(52, vec![replica("b"), replica("a.1")])), both[..1]);
        assert_eq!(found(&mut watch, &picture(54, vec![replica("b"), replica("a.1")])), []);
    }

    #[test]
    fn an_outage_of_the_store_is_one_cause_and_no_crash() {
        let mut watch = Watch::default();
        let away = |now_s: u64| Picture { now_ms: now_s * 1000, ..Picture::default() };
        assert_eq!(beat(&mut watch, &["a", "b"], 0..4), []);
        assert_eq!(kinds(&mut watch, &away(4)), []);
        assert_eq!(kinds(&mut watch, &away(14)), [(AlertKind::StoreAway, "store".to_owned())]);
        assert_eq!(beat(&mut watch, &["a"], 15..16), []);
        let letters = (AlertKind::DeadLetters, "box".to_owned());
        let mut with_letters = picture(16, vec![ReplicaRecord { beat: 16, ..replica("a") }]);
        with_letters.dead_letters = 1;
        assert_eq!(kinds(&mut watch, &with_letters), std::slice::from_ref(&letters));
        assert_eq!(kinds(&mut watch, &away(17)), std::slice::from_ref(&letters), "what was wrong has not ended");
        assert_eq!(kinds(&mut watch, &away(30)), [letters, (AlertKind::StoreAway, "store".to_owned())]);
    }

    #[test]
    fn thresholds_are_of_time_and_one_peer_is_one_cause() {
        let mut watch = Watch::default();
        let source = Source { name: "mqtt://b:1883".to_owned(), away_ms: 31_000, ..Source::default() };
        let health =
            ReplicaHealth { sources: vec![source], busy_ms: 10_000, oldest_ms: 61_000, ..ReplicaHealth::default() };
        let bad = |id: &str| ReplicaRecord { health: health.clone(), memory: 80, ..replica(id) };
        let mut picture_of = picture(0, vec![bad("a"), bad("b")]);
        picture_of.dead_letters = 2;
        let at_once = [
            (AlertKind::ReplicaHangs, "a".to_owned()),
            (AlertKind::ReplicaHangs, "b".to_owned()),
            (AlertKind::SourceDisconnected, "mqtt://b:1883".to_owned()),
            (AlertKind::Backlog, "oldest".to_owned()),
            (AlertKind::DeadLetters, "box".to_owned()),
        ];
        assert_eq!(kinds(&mut watch, &picture_of), at_once);
        picture_of.now_ms = 300_000;
        assert!(kinds(&mut watch, &picture_of).contains(&(AlertKind::Memory, "a".to_owned())));
        let rules = AlertRules {
            replica_hangs_s: 0,
            source_disconnected_s: 0,
            backlog_s: 0,
            dead_letters: 0,
            memory_percent: 0,
            ..AlertRules::default()
        };
        assert_eq!(watch.look(&picture_of, &rules), []);
    }
}
