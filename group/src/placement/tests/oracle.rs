//! Whether a request could be placed at all, found by trying everything.

use flotilla_api::placement::{Domain, Policy};
use proptest::prelude::*;

use super::cluster::{Cluster, host};
use crate::placement::propose;

/// A small cluster: for each host its zone and room, a policy, how many are there already, how many more are asked for.
#[derive(Clone, Debug)]
struct Case {
    hosts: Vec<(u8, u32)>,
    policy: Option<(Policy, u32, Domain)>,
    before: usize,
    more: usize,
}

fn cases() -> impl Strategy<Value = Case> {
    let policy = prop_oneof![
        Just(Policy::Affinity),
        Just(Policy::AntiAffinity),
        Just(Policy::SoftAffinity),
        Just(Policy::SoftAntiAffinity)
    ];
    let policy = prop::option::of((policy, 1u32..3, prop_oneof![Just(Domain::Host), Just(Domain::Zone)]));
    let hosts = prop::collection::vec((0u8..3, 0u32..4), 0..5);
    (hosts, policy, 0usize..4, 1usize..5).prop_map(|(hosts, policy, before, more)| Case { hosts, policy, before, more })
}

/// Tries each host for each member; true when all have a place.
fn fits(case: &Case, counts: &mut [u32], more: usize) -> bool {
    if more == 0 {
        return true;
    }
    (0..counts.len()).any(|index| {
        counts[index] += 1;
        let fits = holds(case, counts) && fits(case, counts, more - 1);
        counts[index] -= 1;
        fits
    })
}

fn holds(case: &Case, counts: &[u32]) -> bool {
    let room = case.hosts.iter().zip(counts).all(|((_, room), count)| count <= room);
    let Some((policy, most, by)) = case.policy else { return room };
    let mut domains = std::collections::BTreeMap::<usize, u32>::new();
    for (index, count) in counts.iter().enumerate() {
        let domain = if by == Domain::Host { index } else { usize::from(case.hosts[index].0) };
        *domains.entry(domain).or_default() += count;
    }
    room && match policy {
        Policy::Affinity => domains.values().filter(|count| **count > 0).count() <= 1,
        Policy::AntiAffinity => domains.values().all(|count| *count <= most),
        _ => true,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    /// No hard policy is broken, and what fits without moving anybody is not refused.
    #[test]
    fn what_fits_is_placed_and_what_is_placed_fits(case in cases()) {
        let hosts = case.hosts.iter().enumerate();
        let mut cluster =
            Cluster::new(hosts.map(|(index, (zone, room))| host(&format!("h{index}"), &format!("z{zone}"), Some(*room))));
        if let Some((policy, most, domain)) = case.policy {
            let max = (policy == Policy::AntiAffinity).then_some(most);
            cluster.server_group("s", policy, max, domain);
        }
        cluster.group("g", case.before, case.policy.map(|_| "s"));
        cluster.run();
        let mut counts: Vec<u32> = cluster.counts("g").into_iter().map(|count| count as u32).collect();
        prop_assert!(holds(&case, &counts), "{counts:?}");
        let asks = cluster.seen.groups[0].placement.clone();
        let (hosts, short) = propose(&cluster.placement, &cluster.seen, "g", &asks, case.more);
        let could = fits(&case, &mut counts, case.more);
        prop_assert_eq!(short.is_none(), could, "{:?} on {:?}", hosts, counts);
        for host in &hosts {
            counts[host[1..].parse::<usize>().unwrap()] += 1;
        }
        prop_assert!(holds(&case, &counts), "{counts:?}");
    }
}
