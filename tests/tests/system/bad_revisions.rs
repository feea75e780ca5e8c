//! Revisions that do not work, each in its way: the rollout halts at the first replica, the group is back on the good
//! revision soon, and every message comes out.

use std::collections::HashSet;
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use flotilla_tests::{Collector, Mosquitto, Up, UpOptions, eventually, write_flow};
use serde_json::{Value, json};

use crate::rollout_flow::flow;
use crate::rollout_load::publish_steadily;

const ENDS: Duration = Duration::from_secs(120);
/// From when the first replica had the bad revision, or tried to, until all run the good one.
const BACK_MS: u64 = 10_000;
const PER_SECOND: u64 = 50;

fn up() -> Up {
    let folder = tempfile::TempDir::new().unwrap();
    let file = write_flow(folder.path(), &flow("one", "")).unwrap();
    Up::start(&file, UpOptions::default()).unwrap()
}

fn arrived(collector: &Collector) -> HashSet<String> {
    let payloads = collector.counts().into_keys();
    payloads.filter_map(|payload| payload.split_once(':').map(|(_, number)| number.to_owned())).collect()
}

/// Deploys under load; the rollout halts for `reason`, in time, and nothing is lost.
fn halts(up: &Up, bad: &Value, reason: &str) {
    let collector = Collector::start(up.mqtt, "out", 1).unwrap();
    let stop = AtomicBool::new(false);
    let (sent, rollout) = std::thread::scope(|scope| {
        let publisher = scope.spawn(|| publish_steadily(up.mqtt, PER_SECOND, &stop));
        eventually("load", ENDS, || (collector.distinct() > 50).then_some(())).unwrap();
        let before = up.desired()["revision"].clone();
        up.deploy(bad, &json!({})).unwrap();
        let rollout = up.rollout_ended(ENDS);
        let back = eventually("all on the good revision", ENDS, || {
            let replicas = up.replicas();
            let good = replicas.iter().filter(|replica| before == replica.revision.as_str());
            (good.count() == 3 && up.ready() == 3).then_some(())
        });
        let now = collector.distinct();
        let on = eventually("messages afterwards", ENDS, || (collector.distinct() > now + 50).then_some(()));
        stop.store(true, Ordering::Relaxed);
        let sent = publisher.join().unwrap();
        back.unwrap();
        on.unwrap();
        (sent, rollout.unwrap())
    });
    assert_eq!(rollout["phase"], "returned", "{rollout:#}");
    assert!(rollout["reason"].as_str().unwrap().contains(reason), "{}: not {reason}", rollout["reason"]);
    let log = rollout["log"].as_array().unwrap();
    let at = |action: &str| log.iter().find(|entry| entry["action"] == action)?["time_ms"].as_u64();
    assert_eq!(log.iter().filter(|entry| entry["action"] == "replica-moves").count(), 1, "{rollout:#}");
    let (moved, back) = (at("replica-ready").or(at("replica-moves")).unwrap(), at("rollout-returned").unwrap());
    assert!(back - moved <= BACK_MS, "{} ms: {rollout:#}", back - moved);
    let missing = || {
        let arrived = arrived(&collector);
        (0..sent).filter(|number| !arrived.contains(&number.to_string())).collect::<Vec<_>>()
    };
    let all = eventually("every message to come out", Duration::from_secs(60), || missing().is_empty().then_some(()));
    assert!(all.is_ok(), "{} of {sent} messages are lost: {:?}", missing().len(), missing());
}

/// The rollout test's flow with another function body.
fn bad(up: &Up, body: &str) -> Value {
    let mut document = flow("two", body);
    up.point(&mut document);
    document
}

#[test]
fn a_function_that_does_not_compile_halts() {
    let up = up();
    halts(&up, &bad(&up, "let = ;"), "function node \"mark\" on tab \"Main\" does not work");
}

#[test]
fn a_function_that_throws_at_start_halts() {
    let up = up();
    let mut document = bad(&up, "");
    document[3]["initialize"] = "throw new Error('no start');".into();
    halts(&up, &document, "no start");
}

#[test]
fn a_function_whose_start_fails_late_halts() {
    let up = up();
    let mut document = bad(&up, "");
    document[3]["initialize"] = "await new Promise(done => setTimeout(done, 1000)); throw new Error('late');".into();
    halts(&up, &document, "late");
}

#[test]
fn a_function_that_throws_with_each_message_halts_and_loses_none() {
    let up = up();
    halts(&up, &bad(&up, "throw new Error('broken');"), "deliveries failed in probation");
}

#[test]
fn a_function_that_hangs_halts_and_the_way_back_does_not_wait_for_it() {
    let up = up();
    halts(&up, &bad(&up, "while (true) {}"), "a worker has been busy with one message");
}

#[test]
fn a_function_that_eats_memory_halts() {
    let up = up();
    halts(&up, &bad(&up, "const all = []; for (;;) all.push(new Array(100000).fill(1.5));"), "in probation");
}

#[test]
fn a_broker_that_is_not_there_halts() {
    let up = up();
    let mut document = bad(&up, "");
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    document[1]["port"] = gone.port().to_string().into();
    halts(&up, &document, "not connected to mqtt://127.0.0.1");
}

#[test]
fn a_broker_that_refuses_the_password_halts() {
    let up = up();
    let closed = Mosquitto::start_with(false).unwrap();
    let mut document = bad(&up, "");
    document[1]["port"] = closed.address.port().to_string().into();
    halts(&up, &document, "not authorized");
}

#[test]
fn a_port_that_is_taken_halts() {
    let up = up();
    let taken = TcpListener::bind("[::]:0").unwrap();
    let mut document = bad(&up, "");
    document.as_array_mut().unwrap().push(json!({
        "id": "p1", "type": "tcp in", "z": "t1", "name": "door", "server": "server", "host": "", "datamode": "stream",
        "port": taken.local_addr().unwrap().port().to_string(), "datatype": "utf8", "newline": "", "topic": "",
        "trim": false, "base64": false, "tls": "", "wires": [[]]
    }));
    halts(&up, &document, "tcp in node \"door\" on tab \"Main\" does not work");
}
