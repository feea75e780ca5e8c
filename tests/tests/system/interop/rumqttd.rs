//! A group on rumqttd.

use std::collections::HashMap;
use std::time::Duration;

use flotilla_codec::Version;
use flotilla_tests::{Rumqttd, Up, UpOptions, eventually, kill, write_flow};

use super::peer::{Peer, late, numbered, options};
use crate::rollout_flow::flow;

const MESSAGES: usize = 400;
/// What rumqttd sends one client before the first is acknowledged, whatever its receive maximum.
const WINDOW: usize = 100;
/// Holds each message for a while, so that a replica always has some that are not acknowledged.
const HOLD: &str = "await new Promise(resolve => setTimeout(resolve, 100));";

fn group(broker: Rumqttd, body: &str) -> Up {
    let folder = tempfile::TempDir::new().unwrap();
    let file = write_flow(folder.path(), &flow("x", body)).unwrap();
    let args = ["--lease", "2", "--max-in-flight", "20"].map(str::to_owned).to_vec();
    Up::start_beside(&file, UpOptions { replicas: 2, args }, broker.v5).unwrap()
}

fn count(counts: &mut HashMap<usize, usize>, payload: &[u8]) {
    let text = std::str::from_utf8(payload).unwrap();
    let number = text.strip_prefix("x:").unwrap().parse().unwrap();
    *counts.entry(number).or_default() += 1;
}

#[test]
fn each_message_comes_out_once_while_nobody_dies() {
    let broker = Rumqttd::start().unwrap();
    let up = group(broker, "");
    let mut collector = Peer::connect(broker.v5, Version::V5, options("collector"));
    collector.subscribe("out", 1);
    let mut sender = Peer::connect(broker.v5, Version::V5, options("sender"));
    sender.publish(numbered("in", 0..MESSAGES, 1));
    let mut counts = HashMap::new();
    while counts.len() < MESSAGES {
        count(&mut counts, &collector.take(1)[0].payload);
    }
    for arrived in late(&up, MESSAGES as u64, "out", &mut sender, &mut collector) {
        count(&mut counts, &arrived.payload);
    }
    assert!(counts.values().all(|times| *times == 1), "{counts:?}");
    let both = || up.replicas().iter().all(|replica| replica.completed > 0).then_some(());
    eventually("both replicas to show work", Duration::from_secs(10), both).unwrap();
}

/// rumqttd ends a session that began with Clean Start when its connection ends, whatever the session expiry (MQTT 5, 3.1.2.11.2
/// keeps it). So a survivor finds no session to finish, and what the broker had sent to the dead replica is gone.
#[test]
fn what_a_killed_replica_had_in_flight_is_all_that_is_lost() {
    let broker = Rumqttd::start().unwrap();
    let up = group(broker, HOLD);
    let mut collector = Peer::connect(broker.v5, Version::V5, options("collector"));
    collector.subscribe("out", 1);
    let mut sender = Peer::connect(broker.v5, Version::V5, options("sender"));
    sender.publish(numbered("in", 0..MESSAGES / 2, 1));
    let mut counts = HashMap::new();
    while counts.len() < 30 {
        count(&mut counts, &collector.take(1)[0].payload);
    }
    kill(up.replicas().remove(0).pid).unwrap();
    sender.publish(numbered("in", MESSAGES / 2..MESSAGES, 1));
    up.wait_for_ready(2).unwrap();
    // The group is whole again: what comes now comes out, and so has what the survivor held.
    sender.publish(numbered("in", MESSAGES..MESSAGES + 100, 1));
    while !(MESSAGES..MESSAGES + 100).all(|number| counts.contains_key(&number)) {
        count(&mut counts, &collector.take(1)[0].payload);
    }
    // The living have completed the second half at least.
    for arrived in late(&up, (MESSAGES / 2) as u64, "out", &mut sender, &mut collector) {
        count(&mut counts, &arrived.payload);
    }
    let lost: Vec<usize> = (0..MESSAGES).filter(|number| !counts.contains_key(number)).collect();
    let repeats: usize = counts.values().map(|times| times - 1).sum();
    assert!(lost.len() <= WINDOW, "{lost:?}");
    assert_eq!(repeats, 0, "what was finished does not come again");
}
