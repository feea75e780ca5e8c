//! The seeds that run with all tests.

use super::case::{Broker, Case};

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
