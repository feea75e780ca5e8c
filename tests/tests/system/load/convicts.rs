//! A flow that loses, repeats and reorders on purpose is convicted of exactly that, message by message.

use std::collections::BTreeSet;

use flotilla_load::run::Client;
use flotilla_load::scenario::{Broker, Expect, Pace, Request, Scenario, Span};
use flotilla_load::tracker::Finding;
use flotilla_tests::{Load, Up, UpOptions, run_scenario, run_scenario_with, write_flow};

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

/// Replicas that share one topic keep no order; by default, and here, a topic is with one replica at a time.
#[test]
fn a_flow_that_does_nothing_wrong_is_not_convicted() {
    let folder = tempfile::TempDir::new().unwrap();
    let mut nodes = flow("x", "");
    for node in nodes.as_array_mut().unwrap() {
        node.as_object_mut().unwrap().remove("ha");
    }
    let file = write_flow(folder.path(), &nodes).unwrap();
    let up = Up::start(&file, UpOptions { replicas: 2, args: Vec::new() }).unwrap();
    let broker = up.mqtt;
    let load =
        Load { broker, topic: "in".into(), outputs: "out".into(), rate: 1000.0, seconds: 3, drain: 10, clients: 4 };
    let totals = load.run().unwrap().totals;
    assert_eq!((totals.sent, totals.confirmed, totals.received), (3000, 3000, 3000));
    assert_eq!((totals.lost, totals.repeated, totals.out_of_order, totals.errors), (0, 0, 0, 0));
}

/// QoS 0 promises nothing: what is lost of it is counted, and the results say that this convicts nobody.
#[test]
fn what_is_lost_at_qos_0_is_not_blamed_on_the_flow() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = write_flow(folder.path(), &flow("x", GUILTY)).unwrap();
    let up = Up::start(&file, UpOptions { replicas: 1, args: Vec::new() }).unwrap();
    let (broker, topic, outputs) = (up.mqtt, "in".to_owned(), "out".to_owned());
    let load = Load { broker, topic, outputs, rate: 200.0, seconds: 30, drain: 2, clients: 1 };
    let mut scenario = load.scenario(1);
    scenario.duration = None;
    scenario.publish[0].pace.count = Some(100);
    scenario.publish[0].qos = Some(0);
    let results = run_scenario(&scenario, None).unwrap();
    assert_eq!((results.totals.lost, results.totals.lost_at_qos0), (10, 10));
    assert!(results.notes.iter().any(|note| note.contains("10 of the lost messages")), "{:?}", results.notes);
}

/// A broker that had nobody to give a message to says so: the loss is the scenario's, or the flow was not subscribed yet.
#[test]
fn what_nobody_was_subscribed_to_is_said() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = write_flow(folder.path(), &flow("x", "")).unwrap();
    let up = Up::start(&file, UpOptions { replicas: 1, args: Vec::new() }).unwrap();
    for (qos, client) in [(1, Client::Flotilla), (2, Client::Flotilla), (1, Client::Rumqttc), (2, Client::Rumqttc)] {
        let (broker, topic, outputs) = (up.mqtt, "elsewhere".to_owned(), "out".to_owned());
        let load = Load { broker, topic, outputs, rate: 500.0, seconds: 30, drain: 1, clients: 1 };
        let mut scenario = load.scenario(1);
        scenario.duration = None;
        scenario.publish[0].qos = Some(qos);
        scenario.publish[0].pace.count = Some(20);
        let results = run_scenario_with(&scenario, None, client).unwrap();
        let totals = results.totals;
        assert_eq!((totals.confirmed, totals.lost, totals.unrouted), (20, 20, 20), "QoS {qos}, {client:?}");
        assert!(results.notes.iter().any(|note| note.starts_with("20 messages")), "{:?}", results.notes);
    }
}

/// What was refused is an error, and no output of it is waited for.
#[test]
fn a_request_that_failed_is_not_waited_for() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = write_flow(folder.path(), &flow("x", "")).unwrap();
    let up = Up::start(&file, UpOptions { replicas: 1, args: Vec::new() }).unwrap();
    let scenario = Scenario {
        drain: Some(Span(std::time::Duration::from_mins(10))),
        mqtt: Some(Broker { url: up.mqtt.to_string(), ..Broker::default() }),
        request: vec![Request {
            url: format!("http://{}/nothing", up.http),
            body: Some("{}".into()),
            outputs: true,
            pace: Pace { count: Some(20), ..Pace::default() },
            ..Request::default()
        }],
        expect: vec![Expect { topic: "out".into(), ..Expect::default() }],
        ..Scenario::default()
    };
    // With the ten minutes of its drain, the run would outlive the test.
    let results = run_scenario(&scenario, None).unwrap();
    assert_eq!((results.totals.errors, results.totals.lost, results.totals.unconfirmed), (20, 0, 0));
}

/// The same scenario by a client that is not ours gives the same counts, with both protocols and each QoS.
#[test]
fn rumqttc_counts_the_same() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = write_flow(folder.path(), &flow("x", GUILTY)).unwrap();
    let up = Up::start(&file, UpOptions { replicas: 1, args: Vec::new() }).unwrap();
    for (version, qos) in [(5, 1), (4, 1), (5, 2), (4, 2), (5, 0), (4, 0)] {
        let (broker, topic, outputs) = (up.mqtt, "in".to_owned(), "out".to_owned());
        let load = Load { broker, topic, outputs, rate: 500.0, seconds: 30, drain: 1, clients: 1 };
        let mut scenario = load.scenario(1);
        scenario.duration = None;
        scenario.mqtt.as_mut().unwrap().version = Some(version);
        scenario.publish[0].qos = Some(qos);
        scenario.publish[0].payload = Some("{{mark}}".into());
        scenario.expect[0].qos = Some(qos);
        scenario.publish[0].pace.count = Some(100);
        let [ours, theirs] = [Client::Flotilla, Client::Rumqttc].map(|client| {
            let results = run_scenario_with(&scenario, None, client).unwrap();
            let totals = results.totals;
            assert_eq!(results.client, if client == Client::Flotilla { "flotilla" } else { "rumqttc" });
            let counts = [totals.sent, totals.confirmed, totals.received, totals.lost, totals.repeated];
            let findings = results.findings;
            let named = [numbers(&findings.lost), numbers(&findings.repeated), numbers(&findings.out_of_order)];
            (counts, totals.out_of_order, totals.errors, named)
        });
        assert_eq!(ours, theirs, "MQTT {version}, QoS {qos}");
        assert_eq!(ours.0, [100, 100, 90, 10, 10], "MQTT {version}, QoS {qos}");
    }
}
