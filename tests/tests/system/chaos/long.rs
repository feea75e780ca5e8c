//! The seeds of `tests/run --long`.

use flotilla_tests::StoreKind;

use super::case::{Broker, Case};
use super::outages::{Outage, Trouble};

/// Seeds to run: those of `CHAOS_SEEDS`, or all.
fn seeds(all: std::ops::Range<u64>) -> Vec<u64> {
    match std::env::var("CHAOS_SEEDS") {
        Ok(text) => text.split(',').map(|seed| seed.trim().parse().expect("CHAOS_SEEDS are numbers")).collect(),
        Err(_) => all.collect(),
    }
}

fn run(broker: Broker, seeds: Vec<u64>) {
    let mut bad = 0;
    let count = seeds.len();
    for seed in seeds {
        // By turns, so that each kind is also alone.
        let kinds: &[&str] = match seed % 5 {
            0 => &["kill"],
            1 => &["stop"],
            2 => &["kill", "stop", "scale"],
            3 => &["deploy", "kill"],
            _ => &["kill", "stop", "deploy", "scale"],
        };
        let (good, line) = Case { seed, broker, kinds, seconds: 20 }.verdict();
        #[allow(clippy::print_stdout, reason = "the list of seeds is the result of a long run")]
        let () = println!("{} {line}", if good { "ok  " } else { "BAD " });
        bad += usize::from(!good);
    }
    assert_eq!(bad, 0, "{bad} of {count} seeds lost messages or got stuck; see above");
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

fn outages(store: StoreKind, troubles: &[Trouble]) {
    let mut bad = 0;
    for seed in seeds(1..6) {
        for trouble in troubles {
            let (good, line) = Outage { seed, store, trouble: *trouble }.verdict();
            #[allow(clippy::print_stdout, reason = "the list of seeds is the result of a long run")]
            let () = println!("{} {line}", if good { "ok  " } else { "BAD " });
            bad += usize::from(!good);
        }
    }
    assert_eq!(bad, 0, "{bad} outages lost messages; see above");
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
