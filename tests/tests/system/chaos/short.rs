//! The seeds that run with all tests.

use flotilla_tests::StoreKind;

use super::case::{Broker, Case};
use super::outages::{Outage, Trouble};

#[test]
fn kills_and_stops_lose_nothing() {
    let case = Case { seed: 1, broker: Broker::Own, kinds: &["kill", "stop"], seconds: 12 };
    let (good, line) = case.verdict();
    assert!(good, "{line}");
    println!("{line}");
}

#[test]
fn kills_and_stops_lose_nothing_on_mosquitto() {
    let case = Case { seed: 2, broker: Broker::Mosquitto, kinds: &["kill", "stop"], seconds: 12 };
    let (good, line) = case.verdict();
    assert!(good, "{line}");
    println!("{line}");
}

#[test]
fn a_store_that_is_away_for_longer_than_the_lease_costs_nothing_on_mosquitto() {
    let outage = Outage { seed: 1, store: StoreKind::Redis, trouble: Trouble::StoreAway(5) };
    let (good, line) = outage.verdict();
    assert!(good, "{line}");
    println!("{line}");
}

#[test]
fn a_store_that_fails_over_costs_nothing() {
    for store in [StoreKind::Postgres, StoreKind::Nats] {
        let (good, line) = Outage { seed: 1, store, trouble: Trouble::FailOver }.verdict();
        assert!(good, "{line}");
        println!("{line}");
    }
}

#[test]
fn clocks_that_are_set_cost_nothing() {
    let outage = Outage { seed: 1, store: StoreKind::Sqlite, trouble: Trouble::Clock(15) };
    let (good, line) = outage.verdict();
    assert!(good, "{line}");
    println!("{line}");
}
