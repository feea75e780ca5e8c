//! rumqttc publishes to a group of `flotilla up` and receives what it makes of it.

use std::collections::HashMap;

use flotilla_codec::Version;
use flotilla_load::rumqtt::Arrived;
use flotilla_tests::{Up, UpOptions, kill, write_flow};

use super::peer::{Peer, VERSIONS, late, numbered, options};
use crate::rollout_flow::flow;

const MESSAGES: usize = 400;

/// How often each number came out, until each did.
fn outputs(collector: &mut Peer) -> HashMap<usize, usize> {
    let mut counts = HashMap::new();
    while counts.len() < MESSAGES {
        count(&mut counts, &collector.take(1)[0]);
    }
    counts
}

fn count(counts: &mut HashMap<usize, usize>, arrived: &Arrived) {
    let payload = std::str::from_utf8(&arrived.payload).unwrap();
    let number = payload.strip_prefix("x:").unwrap().parse().unwrap();
    *counts.entry(number).or_default() += 1;
}

fn group() -> Up {
    let folder = tempfile::TempDir::new().unwrap();
    let file = write_flow(folder.path(), &flow("x", "")).unwrap();
    Up::start(&file, UpOptions::default()).unwrap()
}

#[test]
fn what_rumqttc_publishes_comes_out_once() {
    let up = group();
    let cases = VERSIONS.into_iter().flat_map(|from| [1, 2].map(|qos| (from, qos)));
    for (round, (from, qos)) in cases.enumerate() {
        let mut collector = Peer::connect(up.mqtt, from, options("collector"));
        collector.subscribe("out", qos);
        let mut sender = Peer::connect(up.mqtt, from, options("sender"));
        sender.publish(numbered("in", 0..MESSAGES, qos));
        let mut counts = outputs(&mut collector);
        let completed = (round + 1) * MESSAGES;
        for arrived in late(&up, completed as u64, "out", &mut sender, &mut collector) {
            count(&mut counts, &arrived);
        }
        let repeated: Vec<_> = counts.into_iter().filter(|(_, count)| *count > 1).collect();
        assert!(repeated.is_empty(), "{from:?}, QoS {qos}: {repeated:?}");
    }
}

#[test]
fn nothing_is_lost_with_a_replica() {
    let up = group();
    let mut collector = Peer::connect(up.mqtt, Version::V5, options("collector"));
    collector.subscribe("out", 1);
    let mut sender = Peer::connect(up.mqtt, Version::V4, options("sender"));
    sender.publish(numbered("in", 0..MESSAGES / 2, 1));
    kill(up.replicas().remove(0).pid).unwrap();
    sender.publish(numbered("in", MESSAGES / 2..MESSAGES, 1));
    // At least once: what the dead replica had published and not acknowledged comes a second time.
    assert_eq!(outputs(&mut collector).len(), MESSAGES);
}
