//! Upgrades of the binary.

use std::collections::BTreeSet;

use flotilla_api::placement::{Domain, HostStep, Policy, RefusedBinary, Upgrade};
use flotilla_api::rollout::{Phase, Rules, Step};

use super::cluster::{Cluster, host};
use crate::placement::{begin_upgrade, cancel_upgrade};

/// Three hosts that are full, with six replicas.
fn cluster() -> Cluster {
    let mut cluster = Cluster::new(["a", "b", "c"].map(|name| host(name, "", Some(2))));
    cluster.server_group("s", Policy::AntiAffinity, Some(2), Domain::Host);
    cluster.group("g", 6, Some("s"));
    cluster.run();
    cluster
}

fn begin(cluster: &mut Cluster, to: &str, rules: Rules) {
    let hosts = cluster.seen.hosts.iter().map(|host| host.facts.name.clone()).collect();
    let now_ms = cluster.seen.now_ms;
    begin_upgrade(&mut cluster.placement, to, &rules, hosts, "alice", now_ms).unwrap();
}

fn upgrade(cluster: &Cluster) -> &Upgrade {
    cluster.placement.upgrade.as_ref().unwrap()
}

/// Turns until it is over; what holds at each moment is looked at.
fn run(cluster: &mut Cluster) {
    for _ in 0..2_000 {
        cluster.decide();
        let places = &cluster.placement.groups["g"];
        assert!(places.replaces.len() <= 1 && places.leaving.len() <= 1, "one at a time: {places:?}");
        cluster.act();
        assert!(cluster.seen.groups[0].ready.len() >= 6, "the new one is ready before the old one leaves");
        cluster.seen.now_ms += 500;
        if !upgrade(cluster).is_active() {
            return;
        }
    }
    panic!("it does not end: {:#?}\n{:#?}", cluster.placement, cluster.log);
}

fn binaries(cluster: &Cluster) -> BTreeSet<&str> {
    let places = &cluster.placement.groups["g"];
    places.members().map(|(number, _)| cluster.placement.binary_of("g", number)).collect()
}

#[test]
fn every_replica_and_every_agent_moves_host_by_host() {
    let mut cluster = cluster();
    begin(&mut cluster, "new", Rules::default());
    run(&mut cluster);
    let done = upgrade(&cluster);
    assert_eq!((done.phase, done.members.len(), &*cluster.placement.binary), (Phase::Done, 6, "new"), "{done:#?}");
    assert!(done.members.iter().all(|member| member.step == Step::Moved), "{done:#?}");
    assert!(done.hosts.iter().all(|host| host.step == HostStep::Done));
    assert!(cluster.seen.hosts.iter().all(|host| host.binary.runs == "new"));
    assert_eq!((cluster.counts("g"), binaries(&cluster)), (vec![2, 2, 2], BTreeSet::from(["new"])));
    // Host by host: no host begins before the one before it is done.
    let order: Vec<&str> = done.members.iter().map(|member| &*member.host).collect();
    assert_eq!(order, ["a", "a", "b", "b", "c", "c"]);
    assert!(begin_upgrade(&mut cluster.placement, "new", &Rules::default(), vec!["a".to_owned()], "x", 1).is_err());
    // And to what is installed.
    begin(&mut cluster, "", Rules::default());
    run(&mut cluster);
    assert_eq!(
        (upgrade(&cluster).number, &*cluster.placement.binary, binaries(&cluster)),
        (2, "", BTreeSet::from([""]))
    );
}

#[test]
fn up_goes_on_as_it_is_with_its_replicas() {
    let mut cluster = cluster();
    cluster.seen.hosts[1].facts.own_group = "g".to_owned();
    begin(&mut cluster, "new", Rules::default());
    run(&mut cluster);
    let done = upgrade(&cluster);
    assert_eq!((done.phase, done.members.len()), (Phase::Done, 4), "{done:#?}");
    assert!(done.members.iter().all(|member| member.host != "b") && done.hosts.len() == 2, "{done:#?}");
}

#[test]
fn a_binary_that_does_not_start_touches_no_replica() {
    let mut cluster = cluster();
    begin(&mut cluster, "new", Rules::default());
    for host in &mut cluster.seen.hosts {
        host.binary.refused = Some(RefusedBinary { sha256: "new".to_owned(), why: "exit status: 1".to_owned() });
    }
    run(&mut cluster);
    let back = upgrade(&cluster);
    assert_eq!((back.phase, back.members.len(), &*cluster.placement.binary), (Phase::Returned, 0, ""));
    assert!(back.reason.contains("host \"a\"") && back.reason.contains("exit status: 1"), "{}", back.reason);
}

#[test]
fn a_replica_that_does_not_become_ready_brings_all_back() {
    let mut cluster = cluster();
    begin(&mut cluster, "new", Rules::default());
    while upgrade(&cluster).members.iter().filter(|member| member.step == Step::Moved).count() < 3 {
        cluster.decide();
        cluster.act();
        cluster.seen.now_ms += 500;
    }
    assert!(upgrade(&cluster).agents.contains("a"));
    // Those that moved are well; the next one is not.
    let moved = cluster.placement.groups["g"].trial.clone();
    cluster.decide();
    cluster.act();
    cluster.bad.insert("new".to_owned());
    for _ in 0..400 {
        cluster.decide();
        cluster.act();
        for number in &moved {
            cluster.seen.groups[0].ready.insert(*number);
        }
        cluster.seen.now_ms += 500;
    }
    let back = upgrade(&cluster);
    assert_eq!(back.phase, Phase::Returned, "{back:#?}\n{:#?}", cluster.notes);
    assert!(back.reason.contains("was not ready with the new binary within"), "{}", back.reason);
    assert_eq!((binaries(&cluster), cluster.counts("g")), (BTreeSet::from([""]), vec![2, 2, 2]));
    assert!(cluster.seen.hosts.iter().all(|host| host.binary.runs.is_empty()));
    let steps: BTreeSet<String> = back.members.iter().map(|member| member.step.to_string()).collect();
    assert!(steps.contains("failed") && steps.contains("returned"), "{back:#?}");
}

#[test]
fn a_cancelled_upgrade_goes_back_and_a_lost_host_halts_it() {
    let mut cluster = cluster();
    begin(&mut cluster, "new", Rules::default());
    (0..40).for_each(|_| {
        cluster.decide();
        cluster.act();
        cluster.seen.now_ms += 500;
    });
    assert!(!upgrade(&cluster).members.is_empty());
    cancel_upgrade(&mut cluster.placement, "bob").unwrap();
    assert!(cancel_upgrade(&mut cluster.placement, "bob").is_err());
    run(&mut cluster);
    assert_eq!((upgrade(&cluster).phase, binaries(&cluster)), (Phase::Returned, BTreeSet::from([""])));
    assert_eq!(upgrade(&cluster).reason, "cancelled by bob");

    begin(&mut cluster, "new", Rules::default());
    (0..20).for_each(|_| {
        cluster.decide();
        cluster.act();
        cluster.seen.now_ms += 500;
    });
    cluster.set_alive("a", false);
    cluster.refresh();
    for _ in 0..400 {
        cluster.decide();
        cluster.act();
        cluster.seen.now_ms += 500;
        if cluster.seen.now_ms.is_multiple_of(50_000) {
            cluster.set_alive("a", true);
        }
    }
    let back = upgrade(&cluster);
    assert!(back.phase == Phase::Returned && back.reason.contains("was lost while it was upgraded"), "{back:#?}");
    assert_eq!(binaries(&cluster), BTreeSet::from([""]));
}

#[test]
fn it_waits_for_a_rollout_that_moves_replicas() {
    let mut cluster = cluster();
    begin(&mut cluster, "new", Rules::default());
    cluster.seen.groups[0].rolling = true;
    for _ in 0..50 {
        cluster.decide();
        cluster.act();
        cluster.seen.now_ms += 500;
    }
    assert!(upgrade(&cluster).members.is_empty());
    assert!(cluster.notes.iter().any(|note| note.contains("a rollout does first")), "{:?}", cluster.notes);
    cluster.seen.groups[0].rolling = false;
    // While the pair is there another process has the lease: nobody leaves.
    while upgrade(&cluster).trial.as_ref().is_none_or(|trial| trial.probation.is_none()) {
        cluster.decide();
        cluster.act();
        cluster.seen.now_ms += 500;
    }
    cluster.seen.groups[0].locked = true;
    for _ in 0..100 {
        cluster.decide();
        cluster.act();
        cluster.seen.now_ms += 500;
        assert!(cluster.placement.groups["g"].leaving.is_empty());
    }
    cluster.seen.groups[0].locked = false;
    run(&mut cluster);
    assert_eq!(upgrade(&cluster).phase, Phase::Done);
}

#[test]
fn an_upgrade_that_waits_for_a_paused_group_ends_after_an_hour() {
    let mut cluster = cluster();
    begin(&mut cluster, "new", Rules::default());
    cluster.seen.groups[0].paused = true;
    let began = cluster.seen.now_ms;
    while upgrade(&cluster).phase == Phase::Forward {
        cluster.decide();
        cluster.act();
        cluster.seen.now_ms += 10_000;
        assert!(cluster.seen.now_ms - began < 2 * 3_600_000, "{:#?}", cluster.notes);
    }
    let halted = upgrade(&cluster);
    assert!(halted.reason.contains("waited an hour") && halted.reason.contains("paused"), "{}", halted.reason);
    run(&mut cluster);
    assert_eq!((upgrade(&cluster).phase, binaries(&cluster)), (Phase::Returned, BTreeSet::from([""])));
}

#[test]
fn an_agent_that_cannot_go_back_holds_up_no_other_host() {
    let mut cluster = cluster();
    begin(&mut cluster, "new", Rules::default());
    while cluster.seen.hosts.iter().filter(|host| host.binary.runs == "new").count() < 2 {
        cluster.decide();
        cluster.act();
        cluster.seen.now_ms += 500;
    }
    cancel_upgrade(&mut cluster.placement, "bob").unwrap();
    let stuck = cluster.seen.hosts.iter().rposition(|host| host.binary.runs == "new").unwrap();
    let turn = |cluster: &mut Cluster| {
        cluster.decide();
        cluster.act();
        // Its agent goes back to nothing.
        cluster.seen.hosts[stuck].binary.runs = "new".to_owned();
        cluster.seen.now_ms += 10_000;
    };
    (0..200).for_each(|_| turn(&mut cluster));
    let back = upgrade(&cluster);
    assert_eq!(back.phase, Phase::Returning, "its replicas still run the new binary");
    let running = cluster.seen.hosts.iter().filter(|host| host.binary.runs == "new").count();
    assert_eq!(running, 1, "the other host is back: {back:#?}");
    cluster.seen.hosts[stuck].binary.runs = String::new();
    run(&mut cluster);
    assert_eq!((upgrade(&cluster).phase, binaries(&cluster)), (Phase::Returned, BTreeSet::from([""])));
}

#[test]
fn a_move_and_a_smaller_group_wait_for_the_lease() {
    let mut cluster = Cluster::new(["a", "b", "c"].map(|name| host(name, "", None)));
    cluster.group("g", 3, None);
    cluster.run();
    cluster.placement.drained.insert("a".to_owned());
    cluster.decide();
    cluster.act();
    assert_eq!(cluster.placement.groups["g"].replaces.len(), 1);
    // A rollout has begun, and drives.
    cluster.seen.groups[0].locked = true;
    cluster.scale("g", 2);
    for _ in 0..10 {
        let decision = cluster.decide();
        assert!(decision.outcomes.is_empty(), "{:?}", decision.outcomes);
        cluster.act();
    }
    cluster.seen.groups[0].locked = false;
    cluster.run();
    assert_eq!(cluster.counts("g").iter().sum::<usize>(), 2);
}
