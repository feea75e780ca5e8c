//! The placement document: one for all groups of a store, so that one compare-and-swap decides and no bound of a host can be
//! passed by two schedulers that decide for different groups.

use std::collections::{BTreeMap, BTreeSet};

use flotilla_api::placement::{Domain, HostStep, HostUpgrade, Policy, Upgrade};
use serde::{Deserialize, Serialize};

/// Who is where. 10,000 members on 1,000 hosts are some 120 kB of JSON; a NATS server takes 1 MB.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Placement {
    /// Server groups by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub server_groups: BTreeMap<String, ServerGroup>,
    /// The members of each group.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<String, Places>,
    /// Hosts on which users want no replicas.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub drained: BTreeSet<String>,
    /// Hosts whose lease is over, and since when: milliseconds of the store's clock.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lost: BTreeMap<String, u64>,
    /// The highest number of a member of a group that is gone: one of the same name goes on after it, as its replicas may still
    /// run on a host that is cut off.
    #[serde(default, skip_serializing_if = "flotilla_api::omit::is_default")]
    pub numbered: u64,
    /// SHA-256 of the binary that agents and replicas run; empty: the one that each machine has installed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub binary: String,
    /// The upgrade that runs, or the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upgrade: Option<Upgrade>,
}

/// A server group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerGroup {
    /// Where its members are to be.
    pub policy: Policy,
    /// Members in a domain at most, with anti-affinity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
    /// What the policy counts by.
    #[serde(default)]
    pub domain: Domain,
}

/// The members of one group. A member is a number; its replica's id begins with `GROUP-NUMBER`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Places {
    /// The server group that new members are bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_group: Option<String>,
    /// Members so far. Numbers are never used again: the last replica of one may still run on a host that is cut off.
    #[serde(default)]
    pub so_far: u64,
    /// The members of each host.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub on: BTreeMap<String, BTreeSet<u64>>,
    /// Members that were there before the group came into its server group: its policy does not hold for them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unbound: BTreeSet<u64>,
    /// Members that are to drain and leave.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub leaving: BTreeSet<u64>,
    /// A member that takes the place of another once it is ready; until one of them has left, they count as one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub replaces: BTreeMap<u64, u64>,
    /// Members that run the binary which the upgrade goes to, or went back from.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub trial: BTreeSet<u64>,
    /// Members that were never seen ready, and since when they are placed: milliseconds of the store's clock.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fresh: BTreeMap<u64, u64>,
}

impl Placement {
    /// The places of a group, which has none yet perhaps.
    pub(crate) fn places_of(&mut self, group: &str) -> &mut Places {
        let so_far = self.numbered;
        self.groups.entry(group.to_owned()).or_insert_with(|| Places { so_far, ..Places::default() })
    }

    /// Forgets a group whose members have left.
    pub(super) fn forget_group(&mut self, group: &str) {
        if let Some(places) = self.groups.remove(group) {
            self.numbered = self.numbered.max(places.so_far);
        }
    }

    /// The binary that the agent of a host is to run.
    pub fn binary_of_agent(&self, host: &str) -> &str {
        let upgrade = self.upgrade.as_ref().filter(|upgrade| upgrade.is_active() && upgrade.agents.contains(host));
        upgrade.map_or(&self.binary, |upgrade| &upgrade.to)
    }

    /// The binary that a member is to run.
    pub fn binary_of(&self, group: &str, number: u64) -> &str {
        let trial = self.groups.get(group).is_some_and(|places| places.trial.contains(&number));
        self.upgrade.as_ref().filter(|_| trial).map_or(&self.binary, |upgrade| &upgrade.to)
    }

    /// The binary that a host is to have, beside those that run there.
    pub fn binary_to_stage(&self, host: &str) -> Option<&str> {
        let upgrade = self.upgrade.as_ref().filter(|upgrade| upgrade.is_active())?;
        let staging = |known: &HostUpgrade| known.host == host && known.step == HostStep::Staging;
        upgrade.hosts.iter().any(staging).then_some(&upgrade.to)
    }
}

impl ServerGroup {
    /// Members in a domain at most; `None`: no bound.
    pub fn most(&self) -> Option<u32> {
        (self.policy == Policy::AntiAffinity).then(|| self.max.unwrap_or(1))
    }
}

impl Places {
    /// All members with their hosts, by host.
    pub fn members(&self) -> impl Iterator<Item = (u64, &str)> {
        self.on.iter().flat_map(|(host, numbers)| numbers.iter().map(move |number| (*number, host.as_str())))
    }

    /// Where a member is.
    pub fn host_of(&self, number: u64) -> Option<&str> {
        self.on.iter().find(|(_, numbers)| numbers.contains(&number)).map(|(host, _)| host.as_str())
    }

    /// The member that is to take the place of another.
    pub fn replacement_of(&self, old: u64) -> Option<u64> {
        self.replaces.iter().find(|(_, replaced)| **replaced == old).map(|(new, _)| *new)
    }

    /// True for a member that neither leaves nor has a replacement on its way.
    pub fn stays(&self, number: u64) -> bool {
        !self.leaving.contains(&number) && self.replacement_of(number).is_none_or(|new| self.leaving.contains(&new))
    }

    /// How many members count towards what the group wants.
    pub fn count(&self) -> usize {
        self.members().filter(|(number, _)| self.stays(*number)).count()
    }

    /// Puts a new member on a host; answers its number.
    pub(super) fn add(&mut self, host: &str, now_ms: u64) -> u64 {
        self.so_far += 1;
        self.on.entry(host.to_owned()).or_default().insert(self.so_far);
        self.fresh.insert(self.so_far, now_ms);
        self.so_far
    }

    /// Forgets a member.
    pub(crate) fn drop_member(&mut self, number: u64) {
        for numbers in self.on.values_mut() {
            numbers.remove(&number);
        }
        self.on.retain(|_, numbers| !numbers.is_empty());
        self.unbound.remove(&number);
        self.leaving.remove(&number);
        self.fresh.remove(&number);
        self.trial.remove(&number);
        self.replaces.retain(|new, old| *new != number && *old != number);
    }
}

/// The name of a member.
pub fn member_name(group: &str, number: u64) -> String {
    format!("{group}-{number}")
}

/// The member whose replica has this id (`GROUP-NUMBER`, or `GROUP-NUMBER.GENERATION` after a restart).
pub fn number_of(group: &str, id: &str) -> Option<u64> {
    let rest = id.strip_prefix(group)?.strip_prefix('-')?;
    rest.split('.').next()?.parse().ok()
}
