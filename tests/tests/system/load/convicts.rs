//! A flow that loses, repeats and reorders on purpose is convicted of exactly that, message by message.

use std::collections::BTreeSet;

use flotilla_load::tracker::Finding;
use flotilla_tests::{Load, Up, UpOptions, run_scenario, write_flow};

use crate::rollout_flow::flow;

/// Of ten messages: 3 is dropped, 5 comes twice, 7 comes after 8.
const GUILTY: &str = "
const number = Number(/fl_[0-9a-f]+_[0-9]+_([0-9]+)_/.exec(msg.payload)[1]);
if (number % 10 === 3) return null;
if (number % 10 === 5) return [[msg, RED.util.cloneMessage(msg)]];
if (number % 10 === 7) { context.set('held', msg.payload); return null; }
if (number % 10 === 8) return [[msg, { topic: msg.topic, payload: context.get('held') }]];
return msg;";

fn numbers(findings: &[Finding]) -> BTreeSet<u32> {
    findings.iter().map(|finding| finding.seq).collect()
}

fn every_ten(rest: u32) -> BTreeSet<u32> {
    (0..100).map(|ten| ten * 10 + rest).collect()
}

#[test]
fn what_a_flow_does_wrong_is_named_message_by_message() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = write_flow(folder.path(), &flow("x", GUILTY)).unwrap();
    let up = Up::start(&file, UpOptions { replicas: 1, args: Vec::new() }).unwrap();
    let load = Load {
        broker: up.mqtt,
        topic: "in".into(),
        outputs: "out".into(),
        rate: 500.0,
        seconds: 30,
        drain: 3,
        clients: 1,
    };
    let mut scenario = load.scenario(1);
    scenario.duration = None;
    scenario.publish[0].pace.count = Some(1000);
    let results = run_scenario(&scenario, None).unwrap();
    let totals = results.totals;
    assert_eq!((totals.sent, totals.confirmed), (1000, 1000));
    assert_eq!((totals.received, totals.lost, totals.repeated, totals.out_of_order), (900, 100, 100, 100));
    assert_eq!(numbers(&results.findings.lost), every_ten(3));
    assert_eq!(numbers(&results.findings.repeated), every_ten(5));
    assert_eq!(numbers(&results.findings.out_of_order), every_ten(7));
    assert_eq!((totals.unmarked, totals.never_sent, totals.repeated_after_resend), (0, 0, 0));
}

#[test]
fn a_flow_that_does_nothing_wrong_is_not_convicted() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = write_flow(folder.path(), &flow("x", "")).unwrap();
    let up = Up::start(&file, UpOptions { replicas: 2, args: Vec::new() }).unwrap();
    let broker = up.mqtt;
    let load =
        Load { broker, topic: "in".into(), outputs: "out".into(), rate: 1000.0, seconds: 3, drain: 10, clients: 4 };
    let totals = load.run().unwrap().totals;
    assert_eq!((totals.sent, totals.confirmed, totals.received), (3000, 3000, 3000));
    assert_eq!((totals.lost, totals.repeated, totals.out_of_order, totals.errors), (0, 0, 0, 0));
}
