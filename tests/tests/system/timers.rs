//! Timers of a group.

use std::time::Duration;

use flotilla_tests::{Collector, Up, UpOptions, eventually, kill};

/// An inject that repeats every 200 ms and publishes the scheduled order of its ticks.
const FLOW: &str = r#"[
 {"id":"tab1","type":"tab","label":"Ticks","disabled":false,"info":""},
 {"id":"b1","type":"mqtt-broker","name":"","broker":"127.0.0.1","port":"1883","clientid":"","autoConnect":true,"usetls":false,"protocolVersion":"5","keepalive":"60","cleansession":true},
 {"id":"i1","type":"inject","z":"tab1","name":"tick","props":[{"p":"payload"}],"repeat":"0.2","crontab":"","once":false,"onceDelay":0.1,"topic":"","payload":"","payloadType":"date","x":100,"y":100,"wires":[["o1"]]},
 {"id":"o1","type":"mqtt out","z":"tab1","name":"","topic":"ticks","qos":"1","retain":"false","broker":"b1","x":300,"y":100,"wires":[]}]"#;

#[test]
fn a_repeating_inject_fires_once_per_group_also_when_replicas_die() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("flows.json");
    std::fs::write(&file, FLOW).unwrap();
    let up = Up::start(&file, UpOptions::default()).unwrap();
    let collector = Collector::start(up.mqtt, "ticks", 1).unwrap();
    eventually("ticks", Duration::from_secs(20), || (collector.distinct() >= 10).then_some(())).unwrap();
    let victim = up.replicas().remove(0);
    kill(victim.pid).unwrap();
    let before = collector.distinct();
    eventually("ticks after a death", Duration::from_secs(20), || (collector.distinct() >= before + 15).then_some(()))
        .unwrap();
    // Three replicas that each fired would send three times as many, at nearly the same milliseconds.
    let mut times: Vec<f64> = collector.counts().keys().filter_map(|payload| payload.parse().ok()).collect();
    times.sort_by(f64::total_cmp);
    let span = times.last().unwrap() - times.first().unwrap();
    let expected = span / 200.0 + 1.0;
    assert!((times.len() as f64) <= expected + 2.0, "{} ticks within {span} ms", times.len());
}
