//! What the store shows of a group at one moment.

use std::collections::{BTreeMap, BTreeSet};

use flotilla_api::health::ReplicaHealth;
use flotilla_api::rollout::{Counts, Rules};

use crate::member::{ReplicaRecord, ReplicaState};

/// What the store shows of a group at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GroupView {
    /// The store's clock, milliseconds since the epoch.
    pub now_ms: u64,
    /// The living replicas.
    pub replicas: Vec<ReplicaRecord>,
    /// The zones of hosts, where rules count them.
    pub zones: BTreeMap<String, String>,
}

impl GroupView {
    /// The record of a replica, if it lives and is still the same process.
    pub fn same(&self, id: &str, born_ms: u64) -> Option<&ReplicaRecord> {
        self.find(id).filter(|record| record.started_ms == born_ms)
    }

    /// The record of a replica, if it lives.
    pub fn find(&self, id: &str) -> Option<&ReplicaRecord> {
        self.replicas.iter().find(|record| record.id == id)
    }

    /// How many take work, whatever they run.
    pub fn ready(&self) -> usize {
        self.replicas.iter().filter(|record| record.state == ReplicaState::Ready).count()
    }

    /// What would be missed of the places of ready replicas while this one is not ready, when rules count hosts or zones.
    pub fn misses(&self, id: &str, rules: &Rules) -> Option<String> {
        let ready = self.replicas.iter().filter(|record| record.state == ReplicaState::Ready && record.id != id);
        let hosts: BTreeSet<&str> = ready.map(|record| record.host.as_str()).filter(|host| !host.is_empty()).collect();
        if let Some(least) = rules.min_hosts.filter(|least| hosts.len() < *least) {
            return Some(format!("ready replicas would be on {} hosts, min_hosts is {least}", hosts.len()));
        }
        let zone = |host: &&str| self.zones.get(*host).map(String::as_str).filter(|zone| !zone.is_empty());
        let zones: BTreeSet<&str> = hosts.iter().filter_map(zone).collect();
        let least = rules.min_zones.filter(|least| zones.len() < *least)?;
        Some(format!("ready replicas would be in {} zones, min_zones is {least}", zones.len()))
    }

    fn with<'a>(&'a self, revision: &'a str) -> impl Iterator<Item = &'a ReplicaHealth> {
        self.replicas.iter().filter(move |record| record.revision == revision).map(|record| &record.health)
    }

    /// The nodes that do not work where a revision runs.
    pub fn problems_of(&self, revision: &str) -> Vec<String> {
        let nodes = self.with(revision).flat_map(|health| &health.problems).map(|problem| problem.node.clone());
        nodes.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// What those that run a revision are not connected to.
    pub fn lost_of(&self, revision: &str) -> Vec<String> {
        let names = self.with(revision).flat_map(ReplicaHealth::lost).map(|source| source.name.clone());
        names.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The largest of a number where a revision runs.
    pub fn worst_of(&self, revision: &str, of: fn(&ReplicaHealth) -> u64) -> u64 {
        self.with(revision).map(of).max().unwrap_or(0)
    }

    /// The deliveries of all that run a revision.
    pub fn counts_of(&self, revision: &str) -> Counts {
        let those = self.replicas.iter().filter(|record| record.revision == revision);
        those.fold(Counts::default(), |sum, record| Counts {
            begun: sum.begun + record.health.begun,
            completed: sum.completed + record.completed,
            failed: sum.failed + record.failed,
        })
    }
}
