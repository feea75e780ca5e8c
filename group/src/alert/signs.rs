//! What one look at a group tells: workers that hang, peers that are missed, work that waits.

use std::collections::BTreeMap;

use flotilla_api::alert::{AlertKind, AlertRules};
use flotilla_api::replica::ReplicaRecord;

use super::picture::{Cause, Picture};

pub(super) fn hangs(replicas: &[ReplicaRecord], rules: &AlertRules, causes: &mut Vec<Cause>) {
    for replica in replicas {
        let busy_s = replica.health.busy_ms / 1000;
        if rules.replica_hangs_s > 0 && busy_s >= rules.replica_hangs_s {
            let text = format!("a worker of replica {} has been busy with one message for {busy_s} s", replica.id);
            causes.push(Cause::new(AlertKind::ReplicaHangs, &replica.id, text));
        }
    }
}

/// One alert for each peer, however many replicas miss it.
pub(super) fn sources(replicas: &[ReplicaRecord], rules: &AlertRules, causes: &mut Vec<Cause>) {
    let mut lost: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for replica in replicas {
        let long = replica.health.lost().filter(|source| source.away_ms >= rules.source_disconnected_s * 1000);
        long.for_each(|source| lost.entry(&source.name).or_default().push(&replica.id));
    }
    for (name, ids) in lost.into_iter().filter(|_| rules.source_disconnected_s > 0) {
        let text = format!(
            "{} of {} replicas have not been connected to {name} for {} s: {}",
            ids.len(),
            replicas.len(),
            rules.source_disconnected_s,
            ids.join(", ")
        );
        causes.push(Cause::new(AlertKind::SourceDisconnected, name, text));
    }
}

pub(super) fn backlog(picture: &Picture, replicas: &[ReplicaRecord], rules: &AlertRules, causes: &mut Vec<Cause>) {
    let open = replicas.iter().map(|replica| replica.health.oldest_ms).max().unwrap_or(0);
    let oldest_s = open.max(picture.oldest_waiting_ms) / 1000;
    if rules.backlog_s > 0 && oldest_s >= rules.backlog_s {
        let place = if open > picture.oldest_waiting_ms { "in a replica" } else { "at the broker" };
        let text = format!("the oldest work has waited {oldest_s} s {place}: the group does not keep up");
        causes.push(Cause::new(AlertKind::Backlog, "oldest", text));
    }
}
