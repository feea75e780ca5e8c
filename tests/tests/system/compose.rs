//! `deploy/`: the image and the compose file, brought up as a user does it, under load and with a death in it.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use flotilla_tests::{Collector, Compose, Docker, eventually, get};
use serde_json::Value;

/// Messages a second, in packets of a hundredth: the load lasts for as long as the test takes.
const PER_SECOND: usize = 2000;
/// A replica has this many messages in work at most.
const IN_FLIGHT: usize = 1000;

/// Numbered messages and counted requests, until told to stop.
struct Load {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicUsize>,
    publisher: std::thread::JoinHandle<()>,
    requests: std::thread::JoinHandle<Vec<(u16, String)>>,
}

impl Load {
    fn start(compose: &Compose) -> Load {
        let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (mqtt, http) = (compose.mqtt, compose.http);
        let (stopped, count) = (stop.clone(), sent.clone());
        let publisher = std::thread::spawn(move || {
            let mut child = Command::new("mosquitto_pub")
                .args(["-h", &mqtt.ip().to_string(), "-p", &mqtt.port().to_string(), "-V", "5"])
                .args(["-q", "1", "-t", "plant/press-1/temperature", "-l"])
                .stdin(Stdio::piped())
                .spawn()
                .unwrap();
            let mut lines = child.stdin.take().unwrap();
            while !stopped.load(Ordering::Relaxed) {
                for _ in 0..PER_SECOND / 100 {
                    writeln!(lines, "{{\"seq\":{},\"value\":21.5}}", count.fetch_add(1, Ordering::Relaxed)).unwrap();
                }
                // Paces the load.
                std::thread::sleep(Duration::from_millis(10));
            }
            // Ends when the broker has acknowledged all.
            drop(lines);
            assert!(child.wait().unwrap().success());
        });
        let stopped = stop.clone();
        let requests = std::thread::spawn(move || {
            let mut answers = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                let answer = get(http, "/hits/compose").unwrap();
                answers.push((answer.status, answer.body));
                std::thread::sleep(Duration::from_millis(5));
            }
            answers
        });
        Load { stop, sent, publisher, requests }
    }

    /// Waits until so many more messages were sent.
    fn run_for(&self, messages: usize) {
        let until = self.sent.load(Ordering::Relaxed) + messages;
        let enough = || (self.sent.load(Ordering::Relaxed) >= until).then_some(());
        eventually("the load to go on", Duration::from_mins(1), enough).unwrap();
    }

    /// How many messages were sent in all, and the answers to the requests.
    fn end(self) -> (usize, Vec<(u16, String)>) {
        self.stop.store(true, Ordering::Relaxed);
        self.publisher.join().unwrap();
        (self.sent.load(Ordering::Relaxed), self.requests.join().unwrap())
    }
}

fn every_number_came_out(reports: &Collector, sent: usize) {
    let numbers = reports.wait_for_numbers(sent, Duration::from_secs(30)).unwrap();
    let twice: usize = numbers.values().map(|count| count - 1).sum();
    assert!(twice <= IN_FLIGHT, "{twice} doubles of one that died and one that left");
}

/// Only what the killed replica had may fail, and no hit is counted twice.
fn every_request_was_answered(answers: &[(u16, String)]) {
    let failed: Vec<_> = answers.iter().filter(|(status, _)| *status != 200).collect();
    assert!(failed.len() <= 1 && failed.iter().all(|(status, _)| *status == 502), "{failed:?}");
    let mut hits: Vec<u64> = answers
        .iter()
        .filter(|(status, _)| *status == 200)
        .map(|(_, body)| serde_json::from_str::<Value>(body).unwrap()["hits"].as_u64().unwrap())
        .collect();
    assert!(hits.is_sorted() && hits.len() > 20, "{hits:?}");
    hits.dedup();
    assert!(hits.len() + failed.len() >= answers.len(), "a hit was given out twice");
}

#[test]
fn containers_die_and_leave_and_nothing_is_lost() {
    let docker = match Docker::start() {
        Ok(docker) => docker,
        Err(reason) => return eprintln!("SKIPPED compose::containers_die_and_leave_and_nothing_is_lost: {reason:#}"),
    };
    let compose = Compose::up(docker).unwrap();
    let first = compose.wait_for_ready(3).unwrap();
    assert_eq!(compose.status(Some("another-token-0123456789")).unwrap().0, 401);
    for service in ["broker", "gateway", "replica"] {
        for container in compose.containers(service).unwrap() {
            let healthy = || (compose.inspect(&container, "{{.State.Health.Status}}").ok()? == "healthy").then_some(());
            eventually(&format!("a {service} to be healthy"), Duration::from_secs(30), healthy).unwrap();
        }
    }

    let reports = Collector::start(compose.mqtt, "plant/+/report", 1).unwrap();
    let load = Load::start(&compose);
    load.run_for(PER_SECOND);
    // Its process dies, as of a lack of memory: the restart policy is for that, and not for `docker kill`.
    let victim = compose.containers("replica").unwrap().remove(0);
    let pid = compose.inspect(&victim, "{{.State.Pid}}").unwrap();
    assert!(Command::new("kill").args(["-KILL", &pid]).status().unwrap().success());
    let came_back = || {
        let ready = compose.ready();
        (ready.len() == 3 && ready.iter().any(|id| !first.contains(id))).then_some(())
    };
    eventually("another replica in the container of the dead one", Duration::from_mins(1), came_back).unwrap();
    compose.run(&["up", "-d", "--no-recreate", "--scale", "replica=2"]).unwrap();
    assert_eq!(compose.containers("replica").unwrap().len(), 2);
    assert_eq!(compose.wait_for_ready(2).unwrap().len(), 2);
    load.run_for(PER_SECOND / 2);
    let (sent, answers) = load.end();
    every_number_came_out(&reports, sent);
    every_request_was_answered(&answers);
}
