//! The main job: what was handed to a group comes out of it, whoever dies.

use std::io::Write;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Duration;

use flotilla_tests::{Collector, Up, UpOptions, eventually, example, kill};

const MESSAGES: usize = 30_000;
/// A replica has this many messages in work at most (its receive maximum).
const IN_FLIGHT: usize = 1000;
/// All outputs are there after this time.
const PATIENCE: Duration = Duration::from_mins(2);

/// Topics that the messages come on: one topic is with one replica at a time.
const TOPICS: usize = 24;

/// Publishes numbered messages with `mosquitto_pub -l`, a process for each topic. They end when the broker has
/// acknowledged all.
fn publish(broker: SocketAddr, qos: u8, messages: usize) -> Vec<std::process::Child> {
    let one = |topic: usize| {
        let mut child = Command::new("mosquitto_pub")
            .args(["-h", &broker.ip().to_string(), "-p", &broker.port().to_string(), "-V", "5"])
            .args(["-q", &qos.to_string(), "-t", &format!("plant/press-{topic}/temperature"), "-l"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        std::thread::spawn(move || {
            for number in (topic..messages).step_by(TOPICS) {
                let line = format!(
                    "{{\"seq\":{number},\"value\":{}}}\n",
                    20.0 + f64::from(u8::try_from(number % 50).unwrap()) / 10.0
                );
                if stdin.write_all(line.as_bytes()).is_err() {
                    return;
                }
            }
        });
        child
    };
    (0..TOPICS).map(one).collect()
}

fn ended(publishers: Vec<std::process::Child>) {
    for mut publisher in publishers {
        assert!(publisher.wait().unwrap().success());
    }
}

fn every_replica_takes_a_share(qos: u8) {
    let up = Up::start(&example("plant.json"), UpOptions::default()).unwrap();
    let collector = Collector::start(up.mqtt, "plant/+/report", qos).unwrap();
    let publishers = publish(up.mqtt, qos, MESSAGES);
    collector.wait_for_numbers(MESSAGES, PATIENCE).unwrap();
    ended(publishers);
    let done = eventually("the registry to show all deliveries", Duration::from_secs(20), || {
        let replicas = up.replicas();
        let sum: u64 = replicas.iter().map(|replica| replica.completed).sum();
        (sum >= MESSAGES as u64).then_some(replicas)
    });
    for replica in done.unwrap() {
        assert!(replica.completed > 0, "{} took only {} of {MESSAGES}", replica.id, replica.completed);
    }
}

fn nothing_is_lost_when_replicas_die(qos: u8, victims: usize) {
    let up = Up::start(&example("plant.json"), UpOptions::default()).unwrap();
    let collector = Collector::start(up.mqtt, "plant/+/report", qos).unwrap();
    let publishers = publish(up.mqtt, qos, MESSAGES);
    eventually("a third of the outputs", Duration::from_mins(1), || {
        (collector.distinct() >= MESSAGES / 3).then_some(())
    })
    .unwrap();
    for replica in up.replicas().iter().take(victims) {
        kill(replica.pid).unwrap();
    }
    let numbers = collector.wait_for_numbers(MESSAGES, PATIENCE).unwrap();
    ended(publishers);
    let twice = numbers.values().map(|count| count - 1).sum::<usize>();
    assert!(
        twice <= victims * IN_FLIGHT,
        "{twice} doubles; {victims} replicas died with {IN_FLIGHT} in flight at most"
    );
    up.wait_for_ready(3).unwrap();
}

#[test]
fn every_replica_takes_a_share_at_qos_1() {
    every_replica_takes_a_share(1);
}

#[test]
fn every_replica_takes_a_share_at_qos_2() {
    every_replica_takes_a_share(2);
}

#[test]
fn one_replica_dies_at_qos_1() {
    nothing_is_lost_when_replicas_die(1, 1);
}

#[test]
fn two_replicas_die_at_qos_1() {
    nothing_is_lost_when_replicas_die(1, 2);
}

#[test]
fn one_replica_dies_at_qos_2() {
    nothing_is_lost_when_replicas_die(2, 1);
}

#[test]
fn two_replicas_die_at_qos_2() {
    nothing_is_lost_when_replicas_die(2, 2);
}
