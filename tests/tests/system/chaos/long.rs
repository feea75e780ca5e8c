//! The seeds of `tests/run --long`.

use flotilla_tests::StoreKind;

use super::case::{Broker, Case};
use super::outages::Outage;

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

fn outages(store: StoreKind) {
    let mut bad = 0;
    for seed in seeds(1..6) {
        for (away, group) in [(3, false), (8, false), (20, false), (8, true)] {
            let (good, line) = Outage { seed, store, away, group }.verdict();
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
    outages(StoreKind::Sqlite);
}

#[test]
#[ignore = "long: tests/run --long"]
fn outages_of_redis() {
    outages(StoreKind::Redis);
}

#[test]
#[ignore = "long: tests/run --long"]
fn outages_of_nats() {
    outages(StoreKind::Nats);
}

#[test]
#[ignore = "long: tests/run --long"]
fn outages_of_postgres() {
    outages(StoreKind::Postgres);
}
