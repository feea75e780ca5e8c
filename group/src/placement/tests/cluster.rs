//! A cluster of hosts that do what the document says.

use std::collections::{BTreeMap, BTreeSet};

use flotilla_api::placement::{Domain, HostFacts, PlacementSpec, Policy};
use flotilla_api::replica::{ReplicaRecord, ReplicaState};

use crate::placement::{Decision, GroupSeen, HostSeen, Placement, PlacementRules, PlacementView, ServerGroup, decide};

/// Hosts, groups and the document.
#[derive(Clone, Debug, Default)]
pub struct Cluster {
    pub placement: Placement,
    pub seen: PlacementView,
    /// Which members run, and on which host: group, number, host.
    pub running: BTreeSet<(String, u64, String)>,
    /// Audit lines.
    pub log: Vec<String>,
    pub notes: Vec<String>,
    /// Binaries whose replicas never become ready.
    pub bad: BTreeSet<String>,
    /// When each member started.
    born: BTreeMap<(String, u64), u64>,
}

pub fn host(name: &str, zone: &str, most: Option<u32>) -> HostSeen {
    let facts = HostFacts { name: name.to_owned(), zone: zone.to_owned(), max_replicas: most, ..HostFacts::default() };
    HostSeen { facts, alive: true, ..HostSeen::default() }
}

impl Cluster {
    pub fn new(hosts: impl IntoIterator<Item = HostSeen>) -> Cluster {
        let rules = PlacementRules { replace_after_ms: 60_000, start_ms: 120_000 };
        let seen = PlacementView {
            now_ms: 1_000_000,
            hosts: hosts.into_iter().collect(),
            groups: Vec::new(),
            may_judge: true,
            rules,
        };
        Cluster { seen, ..Cluster::default() }
    }

    pub fn server_group(&mut self, name: &str, policy: Policy, max: Option<u32>, domain: Domain) {
        self.placement.server_groups.insert(name.to_owned(), ServerGroup { policy, max, domain });
    }

    pub fn group(&mut self, name: &str, wanted: usize, server_group: Option<&str>) {
        let placement = PlacementSpec { server_group: server_group.map(str::to_owned), labels: BTreeMap::new() };
        self.seen.groups.push(GroupSeen { name: name.to_owned(), wanted, placement, ..GroupSeen::default() });
    }

    pub fn scale(&mut self, name: &str, wanted: usize) {
        self.seen.groups.iter_mut().filter(|group| group.name == name).for_each(|group| group.wanted = wanted);
    }

    pub fn set_alive(&mut self, name: &str, alive: bool) {
        self.seen.hosts.iter_mut().filter(|host| host.facts.name == name).for_each(|host| host.alive = alive);
    }

    /// One turn of the scheduler, which comes to the same answer when asked again.
    pub fn decide(&mut self) -> Decision {
        let again = decide(&self.placement, &self.seen);
        let decision = self.turn();
        assert_eq!(decision, again, "it is deterministic");
        decision
    }

    /// The same, asked once.
    pub fn turn(&mut self) -> Decision {
        let decision = decide(&self.placement, &self.seen);
        self.placement = decision.placement.clone();
        self.log.extend(
            decision.outcomes.iter().map(|outcome| format!("{} {}: {}", outcome.action, outcome.member, outcome.why)),
        );
        self.notes = decision.notes.iter().map(|(group, note)| format!("{group}: {note}")).collect();
        decision
    }

    /// Every agent that lives does what the document says: starts, drains, and reports those that left.
    pub fn act(&mut self) {
        for host in &mut self.seen.hosts {
            host.binary.runs = self.placement.binary_of_agent(&host.facts.name).to_owned();
            if let Some(sha256) = self.placement.binary_to_stage(&host.facts.name) {
                host.binary.staged = vec![String::new(), sha256.to_owned()];
            }
            let name = host.facts.name.clone();
            let name = &name;
            if !host.alive {
                continue;
            }
            self.running.retain(|(_, _, on)| on != name);
            for (group, places) in &mut self.placement.groups {
                for number in places.on.get(name).cloned().unwrap_or_default() {
                    if places.leaving.contains(&number) {
                        places.drop_member(number);
                    } else {
                        self.running.insert((group.clone(), number, name.clone()));
                    }
                }
            }
        }
        self.refresh();
    }

    /// What the registry shows: a replica on a dead host is not there.
    pub fn refresh(&mut self) {
        for group in &mut self.seen.groups {
            let alive = |host: &String| self.seen.hosts.iter().any(|known| known.facts.name == *host && known.alive);
            let own = self.running.iter().filter(|(name, _, host)| *name == group.name && alive(host));
            (group.ready, group.replicas) = (BTreeSet::new(), Vec::new());
            for (_, number, host) in own {
                let born = *self.born.entry((group.name.clone(), *number)).or_insert(self.seen.now_ms);
                let ready = !self.bad.contains(self.placement.binary_of(&group.name, *number));
                if ready {
                    group.ready.insert(*number);
                }
                let state = if ready { ReplicaState::Ready } else { ReplicaState::Starting };
                group.replicas.push(ReplicaRecord {
                    id: format!("{}-{number}", group.name),
                    group: group.name.clone(),
                    host: host.clone(),
                    state,
                    revision: "r".to_owned(),
                    pid: 1,
                    version: "1".to_owned(),
                    started_ms: born,
                    beat: self.seen.now_ms,
                    ..ReplicaRecord::default()
                });
            }
        }
    }

    /// Turns until nothing changes.
    pub fn run(&mut self) {
        for _ in 0..500 {
            let before = (self.placement.clone(), self.running.clone());
            self.turn();
            self.act();
            self.seen.now_ms += 1_000;
            if before == (self.placement.clone(), self.running.clone()) {
                return;
            }
        }
        panic!("it does not come to rest: {:#?}\n{:#?}", self.placement, self.log);
    }

    /// How many of a group are on each host, none left out.
    pub fn spread(&self, group: &str) -> Vec<(String, usize)> {
        let on = |host: &str| {
            self.placement.groups.get(group).and_then(|places| places.on.get(host)).map_or(0, BTreeSet::len)
        };
        self.seen.hosts.iter().map(|host| (host.facts.name.clone(), on(&host.facts.name))).collect()
    }

    pub fn counts(&self, group: &str) -> Vec<usize> {
        self.spread(group).into_iter().map(|(_, count)| count).collect()
    }
}
