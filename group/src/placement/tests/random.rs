//! Whatever happens, in whatever order, with two schedulers that race: no decision breaks a hard policy or a bound, nothing
//! is doubled, and at most one member of a group moves.

use std::collections::BTreeMap;

use flotilla_api::placement::{Domain, Policy};
use proptest::prelude::*;

use super::cluster::{Cluster, host};
use crate::placement::{Placement, PlacementView, decide, violated, violations};

#[derive(Clone, Debug)]
enum Event {
    /// A turn of the scheduler.
    Decide,
    /// A turn of a scheduler that looked this many events ago: its swap is refused unless nothing changed.
    Late(usize),
    Act,
    Time(u64),
    Kill(usize),
    Revive(usize),
    Join(u8, u32),
    Drain(usize),
    Undrain(usize),
    Scale(usize, usize),
    Rolling(usize, bool),
}

/// From plain numbers: a strategy of strategies takes as long to make an event as the scheduler takes to decide.
fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = (0u32..37, any::<u32>(), any::<u32>()).prop_map(|(kind, one, other)| {
        let (host, group) = (one as usize % 8, one as usize % 2);
        match kind {
            0..10 => Event::Decide,
            10..13 => Event::Late(1 + one as usize % 5),
            13..23 => Event::Act,
            23..27 => Event::Time(u64::from(one % 70_000)),
            27 => Event::Kill(host),
            28..30 => Event::Revive(host),
            30 => Event::Join((one % 3) as u8, other % 5),
            31 => Event::Drain(host),
            32..34 => Event::Undrain(host),
            34..36 => Event::Scale(group, other as usize % 7),
            _ => Event::Rolling(group, other % 2 == 1),
        }
    });
    prop::collection::vec(event, 0..120)
}

fn policies() -> impl Strategy<Value = (Policy, Option<u32>, Domain)> {
    let policy = prop_oneof![
        2 => Just(Policy::Affinity),
        3 => Just(Policy::AntiAffinity),
        1 => Just(Policy::SoftAffinity),
        1 => Just(Policy::SoftAntiAffinity)
    ];
    (policy, 1u32..3, prop_oneof![Just(Domain::Host), Just(Domain::Zone)])
        .prop_map(|(policy, max, domain)| (policy, (policy == Policy::AntiAffinity).then_some(max), domain))
}

/// Where more is than may be: host or domain, and how many.
fn excess(placement: &Placement, seen: &PlacementView) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    let zone_of =
        |host: &str| seen.hosts.iter().find(|known| known.facts.name == host).map(|known| known.facts.zone.clone());
    for known in &seen.hosts {
        let name = &known.facts.name;
        let load: usize = placement
            .groups
            .values()
            .filter_map(|places| places.on.get(name))
            .map(std::collections::BTreeSet::len)
            .sum();
        if known.facts.max_replicas.is_some_and(|most| load > most as usize) {
            found.insert(format!("room of {name}"), load);
        }
    }
    for (name, group) in placement.server_groups.iter().filter(|(_, group)| group.policy == Policy::AntiAffinity) {
        let domain = |host: &str| if group.domain == Domain::Host { Some(host.to_owned()) } else { zone_of(host) };
        let mut counts = BTreeMap::<String, usize>::new();
        for places in placement.groups.values().filter(|places| places.server_group.as_ref() == Some(name)) {
            for (number, host) in places.members() {
                let successor = places.replacement_of(number).and_then(|new| places.host_of(new));
                if successor.is_none_or(|new| domain(new) != domain(host)) {
                    *counts.entry(domain(host).unwrap_or_default()).or_default() += 1;
                }
            }
        }
        found.extend(counts.into_iter().filter(|(_, count)| *count > group.max.unwrap_or(1) as usize));
    }
    found
}

fn moving(placement: &Placement) -> usize {
    placement.groups.values().map(|places| places.replaces.len()).max().unwrap_or(0)
}

fn check(before: &Placement, after: &Placement, seen: &PlacementView) {
    let is = excess(after, seen);
    if !is.is_empty() {
        let was = excess(before, seen);
        for (place, count) in &is {
            assert!(was.get(place).is_some_and(|was| count <= was), "{place} has {count}: {before:#?}\n{after:#?}");
        }
    }
    assert!(moving(after) <= 1, "{after:#?}");
    let found = violations(after, seen, "s");
    if found.is_empty() {
        return;
    }
    // Affinity that held goes on to hold: not while what is broken is being repaired.
    let holds = |placement: &Placement| {
        violated(placement, seen, "s").is_empty() && violations(placement, seen, "s").is_empty()
    };
    let judged = Placement { lost: after.lost.clone(), ..before.clone() };
    assert!(!(holds(before) && holds(&judged)), "{found:?}: {before:#?}\n{after:#?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn no_decision_breaks_a_policy(policy in policies(), hosts in 1usize..6, events in events()) {
        let mut cluster = Cluster::new((0..hosts).map(|index| host(&format!("h{index}"), &format!("z{}", index % 3), Some(4))));
        cluster.server_group("s", policy.0, policy.1, policy.2);
        cluster.group("g", 3, Some("s"));
        cluster.group("k", 2, Some("s"));
        let mut history: Vec<(Placement, PlacementView)> = Vec::new();
        for event in events {
            let before = cluster.placement.clone();
            history.push((before.clone(), cluster.seen.clone()));
            let count = cluster.seen.hosts.len();
            let name = |index: usize, cluster: &Cluster| cluster.seen.hosts[index % count].facts.name.clone();
            match event {
                Event::Decide => {
                    cluster.turn();
                    check(&before, &cluster.placement, &cluster.seen);
                }
                Event::Late(ago) => {
                    let (placement, seen) = &history[history.len().saturating_sub(ago + 1)];
                    let next = decide(placement, seen);
                    assert_eq!(next, decide(placement, seen), "it is deterministic");
                    // Compare-and-swap.
                    if *placement == cluster.placement {
                        cluster.placement = next.placement;
                    }
                }
                Event::Act => cluster.act(),
                Event::Time(ms) => cluster.seen.now_ms += ms,
                Event::Kill(index) => {
                    let name = name(index, &cluster);
                    cluster.set_alive(&name, false);
                    cluster.refresh();
                }
                Event::Revive(index) => {
                    let name = name(index, &cluster);
                    cluster.set_alive(&name, true);
                    cluster.refresh();
                }
                Event::Join(zone, room) => {
                    let new = host(&format!("h{count}"), &format!("z{zone}"), Some(room));
                    cluster.seen.hosts.push(new);
                }
                Event::Drain(index) => drop(cluster.placement.drained.insert(name(index, &cluster))),
                Event::Undrain(index) => drop(cluster.placement.drained.remove(&name(index, &cluster))),
                Event::Scale(group, wanted) => cluster.seen.groups[group].wanted = wanted,
                Event::Rolling(group, rolling) => cluster.seen.groups[group].rolling = rolling,
            }
        }
        // When all live and there is room, it comes to what is wanted, with the policy, and nothing runs twice.
        for name in cluster.seen.hosts.iter().map(|host| host.facts.name.clone()).collect::<Vec<_>>() {
            cluster.set_alive(&name, true);
        }
        for index in 0..12 {
            let new = host(&format!("new{index:02}"), &format!("n{index}"), Some(20));
            cluster.seen.hosts.push(new);
        }
        cluster.placement.drained.clear();
        cluster.seen.groups.iter_mut().for_each(|group| group.rolling = false);
        cluster.act();
        cluster.run();
        prop_assert!(violations(&cluster.placement, &cluster.seen, "s").is_empty(), "{:#?}", cluster.placement);
        prop_assert!(excess(&cluster.placement, &cluster.seen).is_empty());
        for group in &cluster.seen.groups {
            let runs = cluster.running.iter().filter(|(name, _, _)| *name == group.name).count();
            let room = policy.0 != Policy::Affinity;
            prop_assert!(runs == group.wanted || (!room && runs < group.wanted), "{} of {}: {:?}", runs, group.wanted, cluster.notes);
        }
    }
}
