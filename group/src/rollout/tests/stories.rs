//! What a rollout does, case by case.

use flotilla_api::health::{NodeProblem, ReplicaHealth, Source};

use super::world::{Fate, World};
use crate::rollout::{Action, Phase, Rules, Step, decide};

#[test]
fn replicas_move_one_at_a_time_newest_first() {
    let mut world = World::new(3, Fate::Good, Rules::default());
    world.run();
    assert_eq!(world.rollout.phase, Phase::Done);
    assert_eq!(world.revisions(), ["new"; 3]);
    assert_eq!(world.fewest_ready, 2);
    let moves: Vec<_> = world.rollout.log.iter().filter(|entry| entry.action == "replica-moves").collect();
    assert_eq!(moves.iter().map(|entry| entry.replica.as_str()).collect::<Vec<_>>(), ["r2", "r1", "r0"]);
    assert_eq!(
        world.actions(),
        [&["deploy"][..], &["replica-moves", "replica-ready", "replica-moved"].repeat(3), &["rollout-done"]].concat()
    );
}

#[test]
fn each_kind_of_failure_halts_at_the_first_and_returns() {
    for fate in [
        Fate::NeverReady,
        Fate::Refused,
        Fate::Throws,
        Fate::Broken,
        Fate::BreaksLate,
        Fate::Deaf,
        Fate::Hangs,
        Fate::Endless,
    ] {
        let mut world = World::new(5, fate, Rules::default());
        world.run();
        assert_eq!(world.rollout.phase, Phase::Returned, "{fate:?}");
        assert_eq!(world.revisions(), ["old"; 5], "{fate:?}");
        assert_eq!(world.actions().iter().filter(|action| **action == "replica-moves").count(), 1, "{fate:?}");
        assert!(world.rollout.reason.starts_with("r4: "), "{}", world.rollout.reason);
        assert_eq!(world.rollout.members[0].step, Step::Returned);
    }
}

#[test]
fn a_crash_in_probation_halts_and_the_restarted_replica_joins_at_the_old_revision() {
    let mut world = World::new(3, Fate::Crashes, Rules::default());
    world.run();
    assert_eq!(world.rollout.phase, Phase::Returned);
    assert!(world.rollout.reason.contains("died"), "{}", world.rollout.reason);
    world.join();
    assert_eq!(world.revisions(), ["old"; 3]);
}

#[test]
fn the_only_replica_of_a_group_swaps_in_place() {
    let mut world = World::new(1, Fate::Good, Rules::default());
    world.run();
    assert_eq!(world.revisions(), ["new"]);
}

#[test]
fn a_replica_that_joins_in_the_middle_ends_at_the_new_revision() {
    let mut world = World::new(2, Fate::Good, Rules::default());
    assert!(matches!(world.drive(), Action::Begin { .. }));
    world.join();
    assert_eq!(world.revisions(), ["old"; 3], "nothing is proven yet");
    while !world.rollout.members.iter().any(|member| member.step == Step::Moved) {
        world.drive();
        (0..3).for_each(|index| world.act(index));
        world.pass_time(500);
    }
    world.join();
    assert_eq!(world.revisions().last(), Some(&"new"));
    world.run();
    assert_eq!(world.revisions(), ["new"; 4]);
}

#[test]
fn a_group_that_stays_too_small_halts_instead_of_waiting_for_ever() {
    let mut world = World::new(3, Fate::Good, Rules::default());
    world.kill(0);
    world.run();
    assert_eq!(world.rollout.phase, Phase::Returned);
    assert!(world.rollout.reason.contains("min_available"), "{}", world.rollout.reason);
}

#[test]
fn pause_lets_no_further_replica_begin_and_cancel_returns_those_that_moved() {
    let mut world = World::new(3, Fate::Good, Rules::default());
    let actor = World::actor(1_000);
    assert!(world.rollout.pause(&actor) && !world.rollout.pause(&actor));
    assert!(matches!(world.drive(), Action::Wait { .. }));
    assert!(world.rollout.resume(&actor));
    while !world.rollout.members.iter().any(|member| member.step == Step::Moved) {
        world.drive();
        (0..3).for_each(|index| world.act(index));
        world.pass_time(500);
    }
    assert!(world.rollout.cancel(&World::actor(9_000)) && !world.rollout.cancel(&actor));
    world.run();
    assert_eq!((world.rollout.phase, world.revisions()), (Phase::Returned, vec!["old"; 3]));
    assert!(matches!(decide(&world.rollout, &world.seen), Action::Wait { .. }));
}

#[test]
fn rules_that_leave_nothing_to_move_are_refused() {
    let rules = Rules { min_available: Some(3), ..Rules::default() };
    assert_eq!(rules.problem(3).unwrap().0, "min_available");
    assert!(rules.problem(4).is_none());
    assert!(Rules { error_floor: 2.0, ..Rules::default() }.problem(3).is_some());
}

#[test]
fn what_the_old_revision_lacked_as_well_halts_nothing() {
    let mut world = World::new(3, Fate::Good, Rules::default());
    let lost = Source { name: "mqtt://away".to_owned(), away_ms: 60_000, ..Source::default() };
    let broken = NodeProblem { node: "b".to_owned(), ..NodeProblem::default() };
    world.always = ReplicaHealth { sources: vec![lost], problems: vec![broken], ..ReplicaHealth::default() };
    for index in 0..3 {
        world.act(index);
    }
    world.begin(Rules::default());
    world.run();
    assert_eq!(world.rollout.phase, Phase::Done, "{}", world.rollout.reason);
}

#[test]
fn without_work_a_revision_passes_unproven_and_says_so() {
    let mut world = World::new(2, Fate::Good, Rules::default());
    world.idle = true;
    world.run();
    assert_eq!(world.rollout.phase, Phase::Done);
    let moved: Vec<_> = world.rollout.log.iter().filter(|entry| entry.action == "replica-moved").collect();
    assert!(moved.iter().all(|entry| entry.why.contains("unproven")), "{moved:?}");
    assert!(world.rollout.members.iter().all(|member| member.reason.contains("unproven")));
    let mut busy = World::new(2, Fate::Good, Rules::default());
    busy.run();
    assert!(busy.rollout.log.iter().all(|entry| !entry.why.contains("unproven")));
}

#[test]
fn a_worker_that_is_as_busy_as_with_the_old_revision_halts_nothing() {
    let mut world = World::new(2, Fate::Good, Rules::default());
    world.always = ReplicaHealth { longest_ms: 10_000, busy_ms: 9_000, ..ReplicaHealth::default() };
    (0..2).for_each(|index| world.act(index));
    world.begin(Rules::default());
    world.run();
    assert_eq!(world.rollout.phase, Phase::Done, "{}", world.rollout.reason);
}

#[test]
fn by_choice_hosts_and_zones_count() {
    let on = ["a", "a", "b", "c"];
    let world = |rules: Rules| {
        let mut world = World::new(4, Fate::Good, rules);
        world.seen.replicas.iter_mut().zip(on).for_each(|(record, host)| record.host = host.to_owned());
        let zones = [("a", "east"), ("b", "east"), ("c", "west")];
        world.seen.zones = zones.map(|(host, zone)| (host.to_owned(), zone.to_owned())).into();
        world
    };
    let moves = |world: &World| {
        let moved = world.rollout.log.iter().filter(|entry| entry.action == "replica-moves");
        moved.map(|entry| entry.replica.clone()).collect::<Vec<_>>()
    };
    // One that leaves its host without any is not moved; the two on host a can be.
    let rules = Rules { min_hosts: Some(3), ..Rules::default() };
    let mut three_hosts = world(rules);
    three_hosts.run();
    assert_eq!(
        (three_hosts.rollout.phase, moves(&three_hosts)),
        (Phase::Returned, vec!["r1".to_owned(), "r0".to_owned()])
    );
    assert!(three_hosts.rollout.reason.contains("on 2 hosts, min_hosts is 3"), "{}", three_hosts.rollout.reason);
    let mut two_hosts = world(Rules { min_hosts: Some(2), ..Rules::default() });
    two_hosts.run();
    assert_eq!((two_hosts.rollout.phase, two_hosts.revisions()), (Phase::Done, vec!["new"; 4]));
    let mut two_zones = world(Rules { min_zones: Some(2), ..Rules::default() });
    two_zones.run();
    assert_eq!(two_zones.rollout.phase, Phase::Returned);
    assert!(two_zones.rollout.reason.contains("in 1 zones, min_zones is 2"), "{}", two_zones.rollout.reason);
}
