//! On a broker that does not redispatch: nobody is declared dead by one who was blind at the time, and a group that stops
//! keeps what comes meanwhile.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use flotilla_tests::{eventually, pause, resume};

use crate::sessions::{all_came_out, publish, start};

/// Longer than the lease of 2 s.
const AWAY: Duration = Duration::from_secs(4);

#[test]
fn a_pause_of_all_processes_past_the_lease_loses_nothing_and_nobody_is_taken_for_dead() {
    let (broker, up, collector) = start();
    let before: BTreeSet<_> = up.replicas().into_iter().map(|replica| (replica.id, replica.pid)).collect();
    publish(broker.address);
    eventually("some outputs", Duration::from_secs(30), || (collector.distinct() > 30).then_some(())).unwrap();
    let all: Vec<u32> = std::iter::once(up.pid()).chain(before.iter().map(|(_, pid)| *pid)).collect();
    all.iter().for_each(|pid| pause(*pid).unwrap());
    let paused = Instant::now();
    // A length of time is the fault itself here.
    std::thread::sleep(AWAY);
    all.iter().for_each(|pid| resume(*pid).unwrap());
    assert!(paused.elapsed() >= AWAY);
    all_came_out(&collector);
    let after: BTreeSet<_> = up.replicas().into_iter().map(|replica| (replica.id, replica.pid)).collect();
    assert_eq!(after, before, "the same processes under the same ids");
}

#[test]
fn what_is_published_while_the_whole_group_is_stopped_is_run_by_the_next_start() {
    let (broker, mut up, collector) = start();
    assert!(up.stop().unwrap().success());
    publish(broker.address);
    up.start_again(3).unwrap();
    all_came_out(&collector);
    assert!(collector.counts().values().all(|times| *times == 1), "each once");
}
