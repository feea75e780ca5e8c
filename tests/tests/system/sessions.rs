//! A broker that does not redispatch: what a dead replica held is finished by a survivor.

use std::collections::HashSet;
use std::io::Write;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Duration;

use flotilla_tests::{Collector, Mosquitto, Up, UpOptions, eventually, kill, pause, resume, write_flow};

use crate::kept_sessions::recorded;
use crate::rollout_flow::flow;

const MESSAGES: usize = 600;
/// Seconds that a replica's lease outlives it.
const LEASE: &str = "2";

/// Holds each message for half a second, so that a replica always has some that are not acknowledged.
const HOLD: &str = "await new Promise(resolve => setTimeout(resolve, 500));";

pub fn start() -> (Mosquitto, Up, Collector) {
    let broker = Mosquitto::start().unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    let file = write_flow(folder.path(), &flow("one", HOLD)).unwrap();
    let options =
        UpOptions { replicas: 3, args: vec!["--lease".into(), LEASE.into(), "--max-in-flight".into(), "10".into()] };
    let up = Up::start_beside(&file, options, broker.address).unwrap();
    let collector = Collector::start(broker.address, "out", 1).unwrap();
    (broker, up, collector)
}

pub fn publish(broker: SocketAddr) {
    let mut child = Command::new("mosquitto_pub")
        .args(["-h", "127.0.0.1", "-p", &broker.port().to_string(), "-V", "5", "-q", "1", "-t", "in", "-l"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    for number in 0..MESSAGES {
        writeln!(stdin, "{number}").unwrap();
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

pub fn all_came_out(collector: &Collector) {
    let missing = || {
        let seen: HashSet<_> = collector.counts().into_keys().collect();
        (0..MESSAGES).filter(|number| !seen.contains(&format!("one:{number}"))).collect::<Vec<_>>()
    };
    let done = eventually("every message to come out", Duration::from_secs(90), || missing().is_empty().then_some(()));
    assert!(done.is_ok(), "{} of {MESSAGES} are lost: {:?}", missing().len(), missing());
}

#[test]
fn what_a_killed_replica_held_is_finished_by_a_survivor() {
    let (broker, up, collector) = start();
    publish(broker.address);
    eventually("some outputs", Duration::from_secs(30), || (collector.distinct() > 30).then_some(())).unwrap();
    let victim = up.replicas().remove(0);
    kill(victim.pid).unwrap();
    all_came_out(&collector);
}

#[test]
fn a_replica_that_was_paused_past_its_lease_does_no_harm_and_rejoins_under_a_new_id() {
    let (broker, up, collector) = start();
    publish(broker.address);
    eventually("some outputs", Duration::from_secs(30), || (collector.distinct() > 30).then_some(())).unwrap();
    let victim = up.replicas().remove(0);
    let sessions = recorded(&up, "default");
    pause(victim.pid).unwrap();
    let gone = || up.replicas().iter().all(|replica| replica.id != victim.id).then_some(());
    let lapsed = eventually("its lease to end", Duration::from_secs(30), gone);
    let finished = eventually("a survivor to finish its session", Duration::from_secs(60), || {
        let left = recorded(&up, "default");
        sessions.iter().any(|session| !left.contains(session)).then_some(())
    });
    // `up` may have killed and replaced it by now, as it lost its lease.
    let _ = resume(victim.pid);
    lapsed.unwrap();
    finished.unwrap();
    all_came_out(&collector);
    up.wait_for_ready(3).unwrap();
    assert!(up.replicas().iter().all(|replica| replica.id != victim.id), "it is there under another id");
}
