//! What decisions about placement are made from, read from the store.

use std::collections::BTreeSet;
use std::sync::Arc;

use flotilla_api::access::Role;
use flotilla_api::placement::HostFacts;
use flotilla_store::Store;

use crate::accounts::{Accounts, UserRecord};
use crate::clock::now_ms;
use crate::desired::DesiredStates;
use crate::error::GroupError;
use crate::host::Hosts;
use crate::member::{Registry, ReplicaState};
use crate::placement::{GroupSeen, HostSeen, Placement, PlacementRules, PlacementView, Places, number_of};
use crate::spec::Specs;

/// What decisions about placement are made from, read from the store.
pub async fn observe(
    store: &Arc<dyn Store>,
    placement: &Placement,
    rules: PlacementRules,
    may_judge: bool,
) -> Result<PlacementView, GroupError> {
    let hosts = Hosts::new(store.clone()).list().await?;
    let users = match hosts.iter().any(|host| !host.facts.owner.is_empty()) {
        true => Accounts::new(store.clone()).users().list().await?,
        false => Vec::new(),
    };
    let hosts = hosts.into_iter().map(|host| HostSeen {
        takes: taken_by(&host.facts, &users),
        facts: host.facts,
        alive: host.load.is_some(),
        binary: host.load.map(|load| load.binary).unwrap_or_default(),
    });
    let hosts: Vec<HostSeen> = hosts.collect();
    let mut groups = Vec::new();
    for spec in Specs::new(store.clone()).list().await? {
        let places = placement.groups.get(&spec.name);
        let wanted = match usize::from(spec.replicas) {
            // A template without a number leaves the group of `flotilla up` as it is.
            0 if hosts.iter().any(|host| host.facts.own_group == spec.name) => places.map_or(0, Places::count),
            wanted => wanted,
        };
        let mut seen = GroupSeen { name: spec.name, wanted, placement: spec.placement, ..GroupSeen::default() };
        if places.is_some_and(|places| !places.on.is_empty()) {
            for replica in Registry::new(store.clone(), &seen.name)?.list().await? {
                let Some(number) = number_of(&seen.name, &replica.id) else { continue };
                let placed = places.and_then(|places| places.host_of(number)) == Some(&replica.host);
                if placed && replica.state == ReplicaState::Ready {
                    seen.ready.insert(number);
                }
                seen.replicas.push(replica);
            }
            let state = DesiredStates::new(store.clone(), &seen.name)?.load().await?;
            seen.rolling = state.as_ref().is_some_and(|(state, _)| state.active().is_some());
            seen.paused = state.is_some_and(|(state, _)| state.pause.is_some());
        }
        groups.push(seen);
    }
    let now_ms = now_ms(&**store).await?;
    Ok(PlacementView { now_ms, hosts, groups, may_judge, rules })
}

/// The groups whose replicas a host takes: those that its owner owns, or the one that `up` is there for. The host of an admin
/// takes all, and so does that of somebody who is no user any more: it is the administrators'.
fn taken_by(host: &HostFacts, users: &[UserRecord]) -> Option<BTreeSet<String>> {
    if !host.own_group.is_empty() {
        return Some(BTreeSet::from([host.own_group.clone()]));
    }
    let owner = users.iter().find(|user| user.name == host.owner && user.id == host.owner_id)?;
    let roles = owner.roles();
    if roles.iter().any(|grant| grant.role == Role::Admin) {
        return None;
    }
    Some(roles.into_iter().filter(|grant| grant.role == Role::Owner).filter_map(|grant| grant.group).collect())
}
