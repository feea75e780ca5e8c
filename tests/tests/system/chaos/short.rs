//! The seeds that run with all tests.

use flotilla_tests::StoreKind;

use super::case::{Broker, Case};
use super::outages::Outage;

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
    let outage = Outage { seed: 1, store: StoreKind::Redis, away: 5, group: false };
    let (good, line) = outage.verdict();
    assert!(good, "{line}");
    println!("{line}");
}
