//! The placement document in the store.

use std::sync::Arc;

use flotilla_api::placement::{Joined, NewUpgrade, ServerGroupSpec, Upgrade};
use flotilla_store::{Cas, Expect, Fence, Store, Write};

use crate::clock::now_ms;
use crate::error::GroupError;
use crate::host::Hosts;
use crate::keys;
use crate::placement::{
    GroupSeen, Placement, PlacementError, PlacementView, ServerGroup, begin_upgrade, cancel_upgrade, plan,
};

/// Attempts at a change that others interfere with.
const ATTEMPTS: usize = 50;

/// The placement document in the store. Every change is one compare-and-swap.
#[derive(Clone)]
pub struct Ledger {
    store: Arc<dyn Store>,
}

impl Ledger {
    /// The placement document of a store.
    pub fn new(store: Arc<dyn Store>) -> Ledger {
        Ledger { store }
    }

    /// Where the store keeps it: what [`Changes`](crate::Changes) are to be of.
    pub fn key() -> String {
        keys::PLACEMENT.to_owned()
    }

    /// The document, and what [`Ledger::swap`] is to expect.
    pub async fn load(&self) -> Result<(Placement, Expect), GroupError> {
        match self.store.get(keys::PLACEMENT).await? {
            Some(entry) => Ok((keys::read("the placement of replicas", &entry)?, Expect::Version(entry.version))),
            None => Ok((Placement::default(), Expect::Absent)),
        }
    }

    /// Writes the document if it is still as it was loaded. False when it is not.
    pub async fn swap(&self, placement: &Placement, expect: Expect, fence: Option<Fence>) -> Result<bool, GroupError> {
        let write = Write { ttl: None, fence };
        let swapped = self.store.cas(keys::PLACEMENT, expect, Some(keys::encode(placement)), write).await?;
        Ok(matches!(swapped, Cas::Swapped(_)))
    }

    /// Changes the document. A change that changes nothing is not written.
    pub async fn change<T>(
        &self,
        mut change: impl FnMut(&mut Placement) -> Result<T, PlacementError>,
    ) -> Result<T, GroupError> {
        for _ in 0..ATTEMPTS {
            let (before, expect) = self.load().await?;
            let mut placement = before.clone();
            let done = change(&mut placement)?;
            if placement == before || self.swap(&placement, expect, None).await? {
                return Ok(done);
            }
        }
        Err(GroupError::Busy { group: "placement".to_owned() })
    }

    /// Adds a server group.
    ///
    /// # Errors
    /// [`PlacementError::ServerGroupExists`], [`PlacementError::BadRules`].
    pub async fn add_server_group(&self, spec: &ServerGroupSpec) -> Result<(), GroupError> {
        keys::check("server group name", &spec.name)?;
        let group = ServerGroup { policy: spec.policy, max: spec.rules.max_server_per_host, domain: spec.domain };
        let rules = match group.max {
            Some(_) if group.most().is_none() => Some(format!(
                "only the anti-affinity policy supports rules: {} takes no max_server_per_host",
                spec.policy
            )),
            Some(0) => Some("max_server_per_host 0 leaves no host: use 1 or more".to_owned()),
            _ => None,
        };
        if let Some(why) = rules {
            return Err(PlacementError::BadRules(why).into());
        }
        self.change(|placement| {
            if placement.server_groups.contains_key(&spec.name) {
                return Err(PlacementError::ServerGroupExists(spec.name.clone()));
            }
            placement.server_groups.insert(spec.name.clone(), group);
            Ok(())
        })
        .await
    }

    /// Removes a server group; its members run on, bound by nothing.
    ///
    /// # Errors
    /// [`PlacementError::NoServerGroup`].
    pub async fn remove_server_group(&self, name: &str) -> Result<(), GroupError> {
        self.change(|placement| {
            if placement.server_groups.remove(name).is_none() {
                return Err(PlacementError::NoServerGroup(name.to_owned()));
            }
            for places in placement.groups.values_mut().filter(|places| places.server_group.as_deref() == Some(name)) {
                places.server_group = None;
                places.unbound.clear();
            }
            Ok(())
        })
        .await
    }

    /// Binds a group that is made to a server group.
    ///
    /// # Errors
    /// [`PlacementError::NoServerGroup`], [`PlacementError::InServerGroup`].
    pub async fn bind(&self, group: &str, server_group: &str) -> Result<(), GroupError> {
        self.change(|placement| join(placement, group, server_group)).await
    }

    /// Puts a group that exists into a server group. Members that are there already stay unbound unless they are to be moved.
    ///
    /// # Errors
    /// [`PlacementError::NoServerGroup`], [`PlacementError::InServerGroup`].
    pub async fn add_group(
        &self,
        seen: &PlacementView,
        group: &GroupSeen,
        server_group: &str,
        moves: bool,
        dry: bool,
    ) -> Result<Joined, GroupError> {
        self.change(|placement| {
            let before = placement.clone();
            join(placement, &group.name, server_group)?;
            let joined = plan(placement, seen, group);
            if moves && let Some(places) = placement.groups.get_mut(&group.name) {
                places.unbound.clear();
            }
            if dry {
                *placement = before;
            }
            Ok(Joined { planned: dry || !moves, ..joined })
        })
        .await
    }

    /// Says that users want no replicas on a host, or want them again.
    pub async fn drain(&self, host: &str, drained: bool) -> Result<(), GroupError> {
        self.change(|placement| {
            if drained {
                placement.drained.insert(host.to_owned());
            } else {
                placement.drained.remove(host);
            }
            Ok(())
        })
        .await
    }

    /// Removes a host whose agent has ended; what was placed there is placed elsewhere at once.
    ///
    /// # Errors
    /// [`GroupError::NoHost`], [`GroupError::HostAlive`].
    pub async fn remove_host(&self, name: &str) -> Result<(), GroupError> {
        Hosts::new(self.store.clone()).remove(name).await?;
        self.change(|placement| {
            placement.lost.remove(name);
            placement.drained.remove(name);
            Ok(())
        })
        .await
    }

    /// A host has another name now: what is placed there stays its own. Both names are known to the store until then.
    ///
    /// # Errors
    /// [`GroupError::NoHost`], [`GroupError::HostAlive`].
    pub async fn rename_host(&self, from: &str, to: &str) -> Result<(), GroupError> {
        self.change(|placement| {
            for places in placement.groups.values_mut() {
                if let Some(members) = places.on.remove(from) {
                    places.on.entry(to.to_owned()).or_default().extend(members);
                }
            }
            if placement.drained.remove(from) {
                placement.drained.insert(to.to_owned());
            }
            Ok(())
        })
        .await?;
        self.remove_host(from).await
    }

    /// Takes members of other groups off a host that is for one group now. Nothing of them may run there.
    pub async fn keep_only(&self, host: &str, group: &str) -> Result<(), GroupError> {
        self.change(|placement| {
            for (_, places) in placement.groups.iter_mut().filter(|(name, _)| *name != group) {
                for number in places.on.get(host).cloned().unwrap_or_default() {
                    places.drop_member(number);
                }
            }
            Ok(())
        })
        .await
    }

    /// Begins an upgrade of the binary on all hosts with an agent of their own.
    ///
    /// # Errors
    /// [`PlacementError::Upgrade`].
    pub async fn begin_upgrade(&self, new: &NewUpgrade, actor: &str) -> Result<Upgrade, GroupError> {
        let hosts = Hosts::new(self.store.clone()).list().await?;
        // `up` goes on as it is.
        let hosts = hosts.into_iter().filter(|host| host.facts.own_group.is_empty());
        let hosts: Vec<String> = hosts.map(|host| host.facts.name).collect();
        let now_ms = now_ms(&*self.store).await?;
        self.change(|placement| begin_upgrade(placement, &new.sha256, &new.rules, hosts.clone(), actor, now_ms)).await
    }

    /// Halts the upgrade that runs: what moved goes back.
    ///
    /// # Errors
    /// [`PlacementError::Upgrade`].
    pub async fn cancel_upgrade(&self, actor: &str) -> Result<Upgrade, GroupError> {
        self.change(|placement| cancel_upgrade(placement, actor)).await
    }

    /// A member has drained and left.
    pub async fn left(&self, group: &str, number: u64) -> Result<(), GroupError> {
        self.change(|placement| {
            if let Some(places) = placement.groups.get_mut(group).filter(|places| places.leaving.contains(&number)) {
                places.drop_member(number);
            }
            Ok(())
        })
        .await
    }
}

/// Binds a group to a server group: its members so far stay unbound.
fn join(placement: &mut Placement, group: &str, server_group: &str) -> Result<(), PlacementError> {
    if !placement.server_groups.contains_key(server_group) {
        return Err(PlacementError::NoServerGroup(server_group.to_owned()));
    }
    let places = placement.places_of(group);
    match &places.server_group {
        // Again: to move those that stayed.
        Some(now) if now == server_group => {}
        Some(now) => {
            let (group, server_group) = (group.to_owned(), now.clone());
            return Err(PlacementError::InServerGroup { group, server_group });
        }
        None => {
            places.server_group = Some(server_group.to_owned());
            places.unbound = places.members().map(|(number, _)| number).collect();
        }
    }
    Ok(())
}
