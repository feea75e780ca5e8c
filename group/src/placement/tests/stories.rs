//! Stories of hosts.

use flotilla_api::placement::{Domain, Policy};

use super::cluster::{Cluster, host};
use crate::placement::{plan, propose, violated, violations};

fn three() -> Cluster {
    Cluster::new([host("a", "east", None), host("b", "east", None), host("c", "west", None)])
}

#[test]
fn without_a_policy_a_group_is_spread_over_zones_and_hosts() {
    let mut cluster = three();
    cluster.group("g", 4, None);
    cluster.run();
    assert_eq!(cluster.counts("g"), [1, 1, 2], "two in each zone");
    cluster.scale("g", 2);
    cluster.run();
    assert_eq!(cluster.counts("g").iter().sum::<usize>(), 2);
    assert!(cluster.counts("g").iter().all(|count| *count <= 1), "the fullest host gives one up first");
}

#[test]
fn a_replica_that_is_placed_is_told_of_in_plain_words() {
    let mut cluster = Cluster::new([host("a", "", None)]);
    cluster.group("g", 1, None);
    cluster.decide();
    let [line] = cluster.log.as_slice() else { panic!("one line: {:?}", cluster.log) };
    assert!(line.ends_with(": this replica is to run on host \"a\""), "{line}");
}

#[test]
fn anti_affinity_holds_and_a_refusal_names_each_host() {
    let mut cluster = three();
    cluster.server_group("plant", Policy::AntiAffinity, None, Domain::Host);
    cluster.group("g", 4, Some("plant"));
    cluster.run();
    assert_eq!(cluster.counts("g"), [1, 1, 1]);
    let note = cluster.notes.join("\n");
    assert!(note.starts_with("g: 3 of 4 replicas are placed. No valid host was found.\n  a: g-"), "{note}");
    assert_eq!(note.lines().count(), 4, "a line a host: {note}");
    assert!(note.contains("anti-affinity") && note.contains("1 of at most 1 in host \"b\""), "{note}");
}

#[test]
fn anti_affinity_by_zone_needs_a_zone_and_takes_max_server_per_host() {
    let mut cluster = three();
    cluster.seen.hosts.push(host("d", "", None));
    cluster.server_group("plant", Policy::AntiAffinity, Some(2), Domain::Zone);
    cluster.group("g", 5, Some("plant"));
    cluster.run();
    assert_eq!(cluster.counts("g"), [1, 1, 2, 0]);
    assert!(
        cluster.notes[0].contains("d: it does not say in which zone it is (--zone of its agent)"),
        "{:?}",
        cluster.notes
    );
}

#[test]
fn affinity_goes_where_all_have_room() {
    let mut cluster = Cluster::new([host("a", "", Some(2)), host("b", "", Some(3)), host("c", "", Some(2))]);
    cluster.server_group("near", Policy::Affinity, None, Domain::Host);
    cluster.group("db", 1, Some("near"));
    cluster.group("g", 2, Some("near"));
    cluster.run();
    assert_eq!(
        (cluster.counts("db"), cluster.counts("g")),
        (vec![1, 0, 0], vec![1, 0, 0]),
        "the first group did not know of the second"
    );
    assert!(
        cluster.notes[0].contains("b: server group \"near\" (affinity) is in host \"a\", where db-1 is"),
        "{:?}",
        cluster.notes
    );
    let mut cluster = Cluster::new([host("a", "", Some(2)), host("b", "", Some(3)), host("c", "", Some(2))]);
    cluster.server_group("near", Policy::Affinity, None, Domain::Host);
    cluster.group("g", 3, Some("near"));
    cluster.run();
    assert_eq!(cluster.counts("g"), [0, 3, 0]);
}

#[test]
fn soft_policies_take_what_there_is() {
    let mut cluster = Cluster::new([host("a", "", Some(2)), host("b", "", Some(3)), host("c", "", None)]);
    cluster.server_group("few", Policy::SoftAffinity, None, Domain::Host);
    cluster.server_group("many", Policy::SoftAntiAffinity, None, Domain::Host);
    cluster.group("x", 4, Some("few"));
    cluster.run();
    assert_eq!(cluster.counts("x"), [0, 0, 4], "one host takes all");
    cluster.group("y", 7, Some("many"));
    cluster.run();
    assert_eq!(cluster.counts("y"), [2, 3, 2]);
    assert!(cluster.notes.is_empty(), "{:?}", cluster.notes);
}

#[test]
fn labels_are_asked_for() {
    let mut cluster = three();
    cluster.seen.hosts[2].facts.labels.insert("disk".to_owned(), "ssd".to_owned());
    cluster.seen.hosts[1].facts.labels.insert("disk".to_owned(), "hdd".to_owned());
    cluster.group("g", 2, None);
    cluster.seen.groups[0].placement.labels.insert("disk".to_owned(), "ssd".to_owned());
    cluster.run();
    assert_eq!(cluster.counts("g"), [0, 0, 2]);
    cluster.set_alive("c", false);
    let (hosts, short) = propose(&cluster.placement, &cluster.seen, "g", &cluster.seen.groups[0].placement, 1);
    assert!(hosts.is_empty());
    let text = short.unwrap().to_string();
    assert!(text.contains("a: label disk=ssd is asked for, it has no disk"), "{text}");
    assert!(text.contains("b: label disk=ssd is asked for, it has disk=hdd"), "{text}");
    assert!(text.contains("c: its agent gives no sign of life"), "{text}");
}

#[test]
fn a_dead_host_keeps_its_places_for_a_while_and_then_they_move_one_at_a_time() {
    let mut cluster = three();
    cluster.group("g", 6, None);
    cluster.run();
    cluster.set_alive("c", false);
    cluster.run();
    assert_eq!(cluster.counts("g").iter().sum::<usize>(), 6);
    assert_eq!(cluster.counts("g")[2], 3, "it may come back");
    cluster.seen.now_ms += 60_000;
    cluster.decide();
    assert_eq!(cluster.counts("g")[2], 2, "one is replaced");
    cluster.decide();
    assert_eq!(cluster.counts("g")[2], 2, "the next waits until that is ready");
    // It comes back in the middle: nothing is doubled, what was not replaced runs there again.
    cluster.set_alive("c", true);
    cluster.run();
    assert_eq!((cluster.counts("g"), cluster.running.len()), (vec![2, 2, 2], 6));
}

#[test]
fn a_scheduler_that_may_be_blind_declares_nobody_dead() {
    let mut cluster = three();
    cluster.group("g", 3, None);
    cluster.run();
    cluster.set_alive("c", false);
    cluster.seen.may_judge = false;
    cluster.seen.now_ms += 600_000;
    cluster.decide();
    assert!(cluster.placement.lost.is_empty());
    cluster.seen.may_judge = true;
    cluster.decide();
    assert!(cluster.placement.lost.contains_key("c"));
    assert_eq!(cluster.counts("g"), [1, 1, 1], "the time counts from now");
}

#[test]
fn a_drain_starts_before_it_stops_and_waits_for_room() {
    let mut cluster = three();
    cluster.server_group("plant", Policy::AntiAffinity, None, Domain::Host);
    cluster.group("g", 2, Some("plant"));
    cluster.run();
    assert_eq!(cluster.counts("g"), [1, 0, 1]);
    cluster.placement.drained.insert("a".to_owned());
    cluster.decide();
    assert_eq!(cluster.counts("g"), [1, 1, 1], "the new one starts first");
    cluster.act();
    cluster.decide();
    assert!(!cluster.placement.groups["g"].leaving.is_empty(), "then the old one leaves");
    cluster.run();
    assert_eq!(cluster.counts("g"), [0, 1, 1]);
    cluster.placement.drained.insert("b".to_owned());
    cluster.run();
    assert_eq!(cluster.counts("g"), [0, 1, 1], "there is no room: it stays");
    assert!(
        cluster.notes[0].contains("g-3 is to move (host \"b\" is drained) and cannot. No valid host was found."),
        "{:?}",
        cluster.notes
    );
    cluster.placement.drained.remove("a");
    cluster.run();
    assert_eq!(cluster.counts("g"), [1, 0, 1]);
}

#[test]
fn by_zone_a_member_may_move_within_its_zone() {
    let mut cluster = three();
    cluster.server_group("plant", Policy::AntiAffinity, None, Domain::Zone);
    cluster.group("g", 2, Some("plant"));
    cluster.run();
    assert_eq!(cluster.counts("g"), [1, 0, 1]);
    cluster.placement.drained.insert("a".to_owned());
    cluster.run();
    assert_eq!(cluster.counts("g"), [0, 1, 1]);
}

#[test]
fn affinity_moves_as_a_whole_when_its_host_is_drained() {
    let mut cluster = three();
    cluster.server_group("near", Policy::Affinity, None, Domain::Host);
    cluster.group("g", 3, Some("near"));
    cluster.run();
    assert_eq!(cluster.counts("g"), [3, 0, 0]);
    cluster.placement.drained.insert("a".to_owned());
    cluster.run();
    let counts = cluster.counts("g");
    assert!(counts == [0, 3, 0] || counts == [0, 0, 3], "{counts:?}");
}

#[test]
fn an_undrain_in_the_middle_keeps_what_has_not_moved() {
    let mut cluster = three();
    cluster.group("g", 3, None);
    cluster.run();
    cluster.placement.drained.insert("a".to_owned());
    cluster.decide();
    assert_eq!(cluster.placement.groups["g"].replaces.len(), 1);
    cluster.placement.drained.clear();
    cluster.run();
    assert_eq!(cluster.counts("g"), [1, 1, 1]);
    assert!(cluster.running.contains(&("g".to_owned(), 1, "a".to_owned())), "the member never left");
}

#[test]
fn what_a_host_that_came_back_has_broken_is_repaired() {
    let mut cluster = three();
    cluster.server_group("near", Policy::Affinity, None, Domain::Host);
    cluster.group("g", 3, Some("near"));
    cluster.run();
    cluster.set_alive("a", false);
    cluster.decide();
    cluster.seen.now_ms += 60_000;
    cluster.decide();
    cluster.act();
    assert_eq!(cluster.counts("g")[0], 2, "one was replaced");
    cluster.set_alive("a", true);
    cluster.placement.lost.clear();
    let found = violations(&cluster.placement, &cluster.seen, "near");
    assert!(found.len() == 1 && found[0].why.contains("the others are in \"a\" (affinity)"), "{found:?}");
    cluster.decide();
    assert!(violations(&cluster.placement, &cluster.seen, "near").is_empty(), "it is on its way");
    assert_eq!(violated(&cluster.placement, &cluster.seen, "near").len(), 1, "and not there yet");
    cluster.run();
    assert!(violated(&cluster.placement, &cluster.seen, "near").is_empty());
    assert_eq!(cluster.counts("g"), [3, 0, 0]);
    assert_eq!(cluster.running.len(), 3);
}

#[test]
fn members_that_were_there_before_are_moved_only_when_told() {
    let mut cluster = Cluster::new([host("a", "", None)]);
    cluster.group("g", 3, None);
    cluster.run();
    cluster.seen.hosts.extend([host("b", "", None), host("c", "", None)]);
    cluster.server_group("plant", Policy::AntiAffinity, None, Domain::Host);
    let places = cluster.placement.groups.get_mut("g").unwrap();
    (places.server_group, places.unbound) = (Some("plant".to_owned()), [1, 2, 3].into());
    let joined = plan(&cluster.placement, &cluster.seen, &cluster.seen.groups[0]);
    let moves: Vec<_> = joined.moves.iter().map(|one| (one.member.as_str(), one.to.as_str())).collect();
    assert_eq!(moves, [("g-3", "b"), ("g-2", "c")]);
    cluster.run();
    assert_eq!(cluster.counts("g"), [3, 0, 0]);
    cluster.scale("g", 4);
    cluster.run();
    assert_eq!(cluster.counts("g"), [3, 1, 0], "a new one is bound");
    cluster.scale("g", 3);
    cluster.placement.groups.get_mut("g").unwrap().unbound.clear();
    cluster.run();
    assert_eq!(cluster.counts("g"), [1, 1, 1]);
    let most = cluster.log.iter().filter(|line| line.starts_with("member-moves")).count();
    assert!(most <= 2, "no more moves than needed: {:#?}", cluster.log);
}

#[test]
fn a_rollout_goes_first_and_a_group_that_is_gone_leaves() {
    let mut cluster = three();
    cluster.group("g", 3, None);
    cluster.run();
    cluster.seen.groups[0].rolling = true;
    cluster.placement.drained.insert("a".to_owned());
    cluster.run();
    assert_eq!(cluster.counts("g"), [1, 1, 1]);
    assert!(cluster.notes[0].contains("a rollout does first"), "{:?}", cluster.notes);
    cluster.seen.groups[0].rolling = false;
    cluster.run();
    assert_eq!(cluster.counts("g")[0], 0);
    cluster.seen.groups.clear();
    cluster.run();
    assert!(cluster.placement.groups.is_empty() && cluster.running.is_empty());
}

#[test]
fn numbers_are_never_used_again() {
    let mut cluster = three();
    cluster.group("g", 2, None);
    cluster.run();
    cluster.scale("g", 1);
    cluster.run();
    cluster.scale("g", 2);
    cluster.run();
    assert_eq!(cluster.placement.groups["g"].so_far, 3);
}

#[test]
fn the_host_of_somebody_takes_the_groups_that_they_own() {
    let mut cluster = three();
    cluster.seen.hosts[0].facts.owner = "ann".to_owned();
    cluster.seen.hosts[0].takes = Some(["g".to_owned()].into());
    cluster.group("g", 3, None);
    cluster.group("other", 3, None);
    cluster.run();
    assert_eq!((cluster.counts("g"), cluster.counts("other")), (vec![1, 1, 1], vec![0, 2, 1]));
    cluster.seen.hosts.truncate(1);
    cluster.group("third", 1, None);
    cluster.decide();
    let note = cluster.notes.iter().find(|note| note.starts_with("third")).unwrap();
    assert!(note.contains("a: it is ann's (--owner of its agent), who does not own group \"third\""), "{note}");
}

#[test]
fn the_numbers_of_a_group_that_is_gone_are_not_used_again() {
    let mut cluster = three();
    cluster.group("g", 3, None);
    cluster.run();
    cluster.seen.groups.clear();
    cluster.run();
    assert!(cluster.placement.groups.is_empty());
    cluster.group("g", 2, None);
    cluster.run();
    let numbers: Vec<u64> = cluster.placement.groups["g"].members().map(|(number, _)| number).collect();
    assert!(numbers.len() == 2 && numbers.iter().all(|number| *number > 3), "{numbers:?}");
}

#[test]
fn affinity_whose_home_is_full_is_repaired_elsewhere() {
    let mut cluster = Cluster::new([host("a", "", Some(4)), host("b", "", Some(1))]);
    cluster.server_group("near", Policy::Affinity, None, Domain::Host);
    cluster.group("k", 4, Some("near"));
    cluster.run();
    assert_eq!(cluster.counts("k"), [4, 0]);
    // While a is given up, b takes one; then a comes back.
    cluster.set_alive("a", false);
    cluster.scale("k", 5);
    cluster.refresh();
    cluster.decide();
    cluster.seen.now_ms += 60_000;
    cluster.decide();
    cluster.set_alive("a", true);
    cluster.act();
    assert_eq!(cluster.counts("k"), [4, 1]);
    cluster.seen.hosts.push(host("c", "", Some(20)));
    cluster.run();
    assert_eq!(cluster.counts("k"), [0, 0, 5], "{:?}", cluster.notes);
}
