//! The seeds that run with all tests, and one of each kind of `tests/run --long` that is quick.

use flotilla_tests::StoreKind;

use super::alarms::Alarms;
use super::case::{Broker, Case, PANIC, STUCK};
use super::cuts::Cuts;
use super::disk::FullDisk;
use super::outages::{Outage, Trouble};
use super::verdict::is_good;

#[test]
fn kills_and_stops_lose_nothing() {
    is_good(Case { seed: 1, broker: Broker::Own, kinds: &["kill", "stop", "scale"], seconds: 12 }.verdict());
}

#[test]
fn kills_and_stops_lose_nothing_on_mosquitto() {
    is_good(Case { seed: 2, broker: Broker::Mosquitto, kinds: &["kill", "stop"], seconds: 12 }.verdict());
}

#[test]
fn a_store_that_is_away_for_longer_than_the_lease_costs_nothing_on_mosquitto() {
    is_good(Outage { seed: 1, store: StoreKind::Redis, trouble: Trouble::StoreAway(5) }.verdict());
}

#[test]
fn a_store_that_fails_over_costs_nothing() {
    for store in [StoreKind::Postgres, StoreKind::Nats] {
        is_good(Outage { seed: 1, store, trouble: Trouble::FailOver }.verdict());
    }
}

#[test]
fn clocks_that_are_set_cost_nothing() {
    for seconds in [15, -3600] {
        is_good(Outage { seed: 1, store: StoreKind::Sqlite, trouble: Trouble::Clock(seconds) }.verdict());
    }
}

#[test]
#[ignore = "long: tests/run --long"]
fn stuck_workers_and_tasks_that_panic_lose_nothing() {
    is_good(Case { seed: 6, broker: Broker::Own, kinds: &[STUCK, PANIC, "stop-all"], seconds: 12 }.verdict());
}

#[test]
#[ignore = "long: tests/run --long"]
fn a_slow_store_costs_nothing() {
    is_good(Outage { seed: 1, store: StoreKind::Redis, trouble: Trouble::StoreSlow(800) }.verdict());
}

#[test]
#[ignore = "long: tests/run --long"]
fn publishes_that_are_refused_for_a_while_lose_nothing() {
    is_good(Outage { seed: 1, store: StoreKind::Sqlite, trouble: Trouble::Refused(3) }.verdict());
}

#[test]
#[ignore = "long: tests/run --long"]
fn machines_that_are_cut_off_lose_nothing() {
    is_good(Cuts { seed: 1, seconds: 10 }.verdict());
}

#[test]
#[ignore = "long: tests/run --long"]
fn every_alert_is_raised_once_and_ends_under_load() {
    is_good(Alarms { seed: 1 }.verdict());
}

#[test]
#[ignore = "long: tests/run --long"]
fn a_full_disk_loses_nothing() {
    is_good(FullDisk { seed: 1, seconds: 3 }.verdict());
}
