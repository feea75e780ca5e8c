//! The seeds of `tests/run --long`.

use flotilla_tests::StoreKind;

use super::alarms::Alarms;
use super::case::{Broker, Case, PANIC, STUCK};
use super::cuts::Cuts;
use super::disk::FullDisk;
use super::outages::{Outage, Trouble};
use super::verdict::all_good;

/// Seeds to run: those of `CHAOS_SEEDS`, or all.
fn seeds(all: std::ops::Range<u64>) -> Vec<u64> {
    match std::env::var("CHAOS_SEEDS") {
        Ok(text) => text.split(',').map(|seed| seed.trim().parse().expect("CHAOS_SEEDS are numbers")).collect(),
        Err(_) => all.collect(),
    }
}

fn run(broker: Broker, seeds: Vec<u64>) {
    all_good(seeds.into_iter().map(|seed| {
        // By turns, so that each kind is also alone.
        let kinds: &[&str] = match seed % 8 {
            0 => &["kill"],
            1 => &["stop"],
            2 => &["kill", "stop", "scale"],
            3 => &["deploy", "kill"],
            4 => &["stop-all", "deploy", "scale"],
            5 => &["kill", "stop", "deploy", "scale"],
            // What Mosquitto redelivers is not run again before the connection ends: others follow it meanwhile.
            6 if broker == Broker::Own => &[STUCK, "kill", "deploy"],
            7 if broker == Broker::Own => &[PANIC, "kill", "scale"],
            6 => &["stop-all", "kill"],
            _ => &["kill", "stop", "stop-all", "deploy", "scale"],
        };
        Case { seed, broker, kinds, seconds: 20 }.verdict()
    }));
}

#[test]
#[ignore = "long: tests/run --long"]
fn seeds_on_our_broker() {
    run(Broker::Own, seeds(100..160));
}

#[test]
#[ignore = "long: tests/run --long"]
fn seeds_on_mosquitto() {
    run(Broker::Mosquitto, seeds(200..220));
}

/// What happens to any store, and to the group with it.
const TROUBLES: [Trouble; 6] = [
    Trouble::StoreAway(3),
    Trouble::StoreAway(8),
    Trouble::StoreAway(20),
    Trouble::GroupStopped(8),
    Trouble::Clock(15),
    Trouble::Clock(-3600),
];

#[test]
#[ignore = "long: tests/run --long"]
fn machines_are_cut_off() {
    all_good(seeds(300..310).into_iter().map(|seed| Cuts { seed, seconds: 20 }.verdict()));
}

#[test]
#[ignore = "long: tests/run --long"]
fn all_alerts() {
    all_good(seeds(400..403).into_iter().map(|seed| Alarms { seed }.verdict()));
}

#[test]
#[ignore = "long: tests/run --long"]
fn disks_are_full() {
    all_good(seeds(1..6).into_iter().map(|seed| FullDisk { seed, seconds: 5 }.verdict()));
}

#[test]
#[ignore = "long: tests/run --long"]
fn slow_stores() {
    for store in [StoreKind::Redis, StoreKind::Nats, StoreKind::Postgres] {
        outages(store, &[Trouble::StoreSlow(300), Trouble::StoreSlow(1500)]);
    }
}

#[test]
#[ignore = "long: tests/run --long"]
fn refused_acknowledgements() {
    outages(StoreKind::Sqlite, &[Trouble::Refused(3), Trouble::Refused(8)]);
}

fn outages(store: StoreKind, troubles: &[Trouble]) {
    let each = |seed: u64| troubles.iter().map(move |trouble| Outage { seed, store, trouble: *trouble }.verdict());
    all_good(seeds(1..6).into_iter().flat_map(each));
}

#[test]
#[ignore = "long: tests/run --long"]
fn outages_of_sqlite() {
    outages(StoreKind::Sqlite, &TROUBLES);
}

#[test]
#[ignore = "long: tests/run --long"]
fn outages_of_redis() {
    outages(StoreKind::Redis, &TROUBLES);
}

#[test]
#[ignore = "long: tests/run --long"]
fn outages_of_nats() {
    outages(StoreKind::Nats, &TROUBLES);
}

#[test]
#[ignore = "long: tests/run --long"]
fn outages_of_postgres() {
    outages(StoreKind::Postgres, &TROUBLES);
}

#[test]
#[ignore = "long: tests/run --long"]
fn failovers() {
    outages(StoreKind::Postgres, &[Trouble::FailOver]);
    outages(StoreKind::Nats, &[Trouble::FailOver]);
}
