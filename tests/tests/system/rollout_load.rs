//! A rollout of five replicas under load: nothing is lost and no request fails.

use std::collections::HashMap;
use std::io::Write;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use flotilla_tests::{Collector, Up, UpOptions, eventually, get, write_flow};
use serde_json::json;

use crate::rollout_flow::flow;

/// Messages per second, QoS 1, and requests per second.
const MESSAGES_PER_SECOND: u64 = 2_000;
const REQUESTS_PER_SECOND: u64 = 200;

/// Publishes numbered messages at a steady rate until `stop`, and returns how many.
pub fn publish_steadily(broker: SocketAddr, per_second: u64, stop: &AtomicBool) -> u64 {
    let mut child = Command::new("mosquitto_pub")
        .args(["-h", &broker.ip().to_string(), "-p", &broker.port().to_string(), "-V", "5"])
        .args(["-q", "1", "-t", "in", "-l"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let (began, mut sent) = (Instant::now(), 0);
    while !stop.load(Ordering::Relaxed) {
        let due = (began.elapsed().as_secs_f64() * per_second as f64) as u64;
        while sent < due {
            stdin.write_all(format!("{sent}\n").as_bytes()).unwrap();
            sent += 1;
        }
        stdin.flush().unwrap();
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
    sent
}

/// About 50 messages a second, for as long as `count` of them take.
pub fn publish_slowly(broker: SocketAddr, count: u64) -> Child {
    Command::new("mosquitto_pub")
        .args(["-h", &broker.ip().to_string(), "-p", &broker.port().to_string(), "-V", "5", "-q", "1"])
        .args(["-t", "in", "-m", "1", "--repeat", &count.to_string(), "--repeat-delay", "0.02"])
        .spawn()
        .unwrap()
}

/// Asks at a steady rate until `stop`; how often each answer came.
fn ask_steadily(gateway: SocketAddr, stop: &AtomicBool) -> HashMap<String, u64> {
    let mut answers = HashMap::new();
    let (began, mut asked) = (Instant::now(), 0);
    while !stop.load(Ordering::Relaxed) {
        let due = (began.elapsed().as_secs_f64() * REQUESTS_PER_SECOND as f64) as u64;
        while asked < due {
            let answer = get(gateway, "/version").unwrap();
            *answers.entry(format!("{} {}", answer.status, answer.body)).or_default() += 1;
            asked += 1;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    answers
}

#[test]
fn five_replicas_roll_under_load_and_nothing_is_lost() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = write_flow(folder.path(), &flow("one", "")).unwrap();
    let up = Up::start(&file, UpOptions { replicas: 5, args: Vec::new() }).unwrap();
    let collector = Collector::start(up.mqtt, "out", 1).unwrap();
    let mut document = flow("two", "");
    up.point(&mut document);
    let stop = AtomicBool::new(false);
    let (sent, answers, fewest) = std::thread::scope(|scope| {
        let publisher = scope.spawn(|| publish_steadily(up.mqtt, MESSAGES_PER_SECOND, &stop));
        let asker = scope.spawn(|| ask_steadily(up.http, &stop));
        let watcher = scope.spawn(|| {
            let mut fewest = usize::MAX;
            while !stop.load(Ordering::Relaxed) {
                let replicas = up.replicas();
                if !replicas.is_empty() {
                    fewest = fewest.min(
                        replicas.iter().filter(|replica| replica.state == flotilla_tests::ReplicaState::Ready).count(),
                    );
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            fewest
        });
        eventually("load", Duration::from_secs(60), || (collector.distinct() > 2_000).then_some(())).unwrap();
        up.deploy(&document, &json!({"probation_ms": 1000})).unwrap();
        let rollout = up.rollout_ended(Duration::from_secs(180));
        let after = collector.distinct();
        let some_more = eventually("load afterwards", Duration::from_secs(60), || {
            (collector.distinct() > after + 2_000).then_some(())
        });
        stop.store(true, Ordering::Relaxed);
        let all = (publisher.join().unwrap(), asker.join().unwrap(), watcher.join().unwrap());
        assert_eq!(rollout.unwrap()["phase"], "done");
        some_more.unwrap();
        all
    });
    eventually("every message to come out", Duration::from_secs(60), || {
        let numbers: std::collections::HashSet<_> = collector
            .counts()
            .into_keys()
            .filter_map(|payload| payload.split_once(':').map(|(_, n)| n.to_owned()))
            .collect();
        (numbers.len() as u64 == sent).then_some(())
    })
    .unwrap();
    let counts = collector.counts();
    let of = |mark: &str| counts.iter().filter(|(payload, _)| payload.starts_with(mark)).map(|(_, n)| n).sum::<usize>();
    println!(
        "{sent} messages: {} by the old revision, {} by the new; HTTP {answers:?}; fewest ready {fewest}",
        of("one:"),
        of("two:")
    );
    assert!(of("one:") > 0 && of("two:") > 0);
    assert!(answers.keys().all(|answer| answer == "200 one" || answer == "200 two"), "{answers:?}");
    assert!(answers.len() == 2, "{answers:?}");
    assert!(fewest >= 4, "only {fewest} replicas were ready at a time");
}
