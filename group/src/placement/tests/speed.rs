//! How long a decision takes with 1,000 hosts and 10,000 replicas. Ignored: it is a measurement, run with `--release`.

use std::time::Instant;

use flotilla_api::placement::{Domain, Policy};

use super::cluster::{Cluster, host};
use crate::keys;

fn large(policy: Policy, max: Option<u32>) -> Cluster {
    let mut cluster = Cluster::new(
        (0..1_000).map(|index| host(&format!("host-{index:04}"), &format!("zone-{}", index % 10), Some(20))),
    );
    cluster.server_group("s", policy, max, Domain::Host);
    (0..10).for_each(|index| cluster.group(&format!("group-{index}"), 1_000, Some("s")));
    cluster.decide();
    cluster.act();
    cluster.decide();
    cluster
}

#[test]
#[ignore = "a measurement"]
fn a_decision_at_a_thousand_hosts_and_ten_thousand_replicas() {
    for (policy, max) in
        [(Policy::AntiAffinity, Some(11)), (Policy::SoftAntiAffinity, None), (Policy::SoftAffinity, None)]
    {
        let mut cluster = large(policy, max);
        let members: usize = (0..10).map(|index| cluster.counts(&format!("group-{index}")).iter().sum::<usize>()).sum();
        let size = keys::encode(&cluster.placement).len();
        let calm = timed(&mut cluster);
        cluster.scale("group-3", 1_001);
        let one_more = timed(&mut cluster);
        cluster.act();
        cluster.set_alive("host-0500", false);
        cluster.decide();
        cluster.seen.now_ms += 60_000;
        let replaced = timed(&mut cluster);
        println!(
            "{policy}: {members} members, document {size} bytes; nothing to do {calm:.2} ms, one more {one_more:.2} ms, a host given up {replaced:.2} ms"
        );
        assert!(size < 1_000_000, "it fits into a NATS message");
    }
}

fn timed(cluster: &mut Cluster) -> f64 {
    let began = Instant::now();
    let decision = crate::placement::decide(&cluster.placement, &cluster.seen);
    let took = began.elapsed().as_secs_f64() * 1e3;
    cluster.placement = decision.placement;
    took
}
