//! What decisions about placement are made from, read from the store.

use std::sync::Arc;

use flotilla_store::Store;

use crate::clock::now_ms;
use crate::desired::DesiredStates;
use crate::error::GroupError;
use crate::host::Hosts;
use crate::member::{Registry, ReplicaState};
use crate::placement::{GroupSeen, HostSeen, Placement, PlacementRules, Seen, number_of};
use crate::spec::{Specs, Supervision};

/// What decisions about placement are made from, read from the store.
pub async fn observe(
    store: &Arc<dyn Store>,
    placement: &Placement,
    rules: PlacementRules,
    may_judge: bool,
) -> Result<Seen, GroupError> {
    let hosts = Hosts::new(store.clone()).list().await?;
    let hosts = hosts.into_iter().map(|host| HostSeen { facts: host.facts, alive: host.load.is_some() }).collect();
    let mut groups = Vec::new();
    for spec in Specs::new(store.clone()).list().await? {
        let places = placement.groups.get(&spec.name);
        // A group of `flotilla up` is started there, and nowhere else.
        let wanted = match Supervision::new(store.clone(), &spec.name)?.is_there().await? {
            true => 0,
            false => usize::from(spec.replicas),
        };
        let mut seen = GroupSeen { name: spec.name, wanted, placement: spec.placement, ..GroupSeen::default() };
        if places.is_some_and(|places| !places.on.is_empty()) {
            for replica in Registry::new(store.clone(), &seen.name)?.list().await? {
                let Some(number) = number_of(&seen.name, &replica.id) else { continue };
                let placed = places.and_then(|places| places.host_of(number)) == Some(&replica.host);
                if placed && replica.state == ReplicaState::Ready {
                    seen.ready.insert(number);
                }
            }
            let state = DesiredStates::new(store.clone(), &seen.name)?.load().await?;
            seen.rolling = state.is_some_and(|(state, _)| state.active().is_some());
        }
        groups.push(seen);
    }
    let now_ms = now_ms(&**store).await?;
    Ok(Seen { now_ms, hosts, groups, may_judge, rules })
}
