//! A replica's memory stays bounded, however much comes in.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use flotilla_tests::{Up, UpOptions, example, peak_memory};

/// What the publishers do, and for how long.
const PUBLISHERS: usize = 4;
const FLOOD: Duration = Duration::from_secs(30);
/// What a replica may take at most, without the pages of its binary. A buffer that grows with the load takes hundreds.
const LIMIT: u64 = 42 << 20;

/// Publishes at QoS 0, which nothing slows down but the socket, until `stop`.
fn flood(up: &Up, stop: &AtomicBool, sent: &AtomicU64) {
    let mut child = Command::new("mosquitto_pub")
        .args(["-h", &up.mqtt.ip().to_string(), "-p", &up.mqtt.port().to_string()])
        .args(["-q", "0", "-t", "plant/press-1/temperature", "-l"])
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let lines = "{\"value\":21.5}\n".repeat(100);
    while !stop.load(Ordering::Relaxed) && stdin.write_all(lines.as_bytes()).is_ok() {
        sent.fetch_add(100, Ordering::Relaxed);
    }
    let _ = child.kill();
    let _ = child.wait();
}

#[test]
fn publishers_that_outrun_the_group_do_not_fill_its_memory() {
    let up = Up::start(&example("plant.json"), UpOptions::default()).unwrap();
    let replicas = up.replicas();
    let (stop, sent) = (AtomicBool::new(false), AtomicU64::new(0));
    let before: u64 = replicas.iter().map(|replica| replica.completed).sum();
    std::thread::scope(|scope| {
        for _ in 0..PUBLISHERS {
            scope.spawn(|| flood(&up, &stop, &sent));
        }
        // The length of the load, not a wait for something: nothing is expected to happen at its end.
        let end = Instant::now() + FLOOD;
        while Instant::now() < end && up.ready() == replicas.len() {
            std::thread::sleep(Duration::from_millis(500));
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert_eq!(up.ready(), replicas.len(), "every replica lives through it\n{}", up.log());
    let completed = up.replicas().iter().map(|replica| replica.completed).sum::<u64>() - before;
    eprintln!("{} messages were published, {completed} had been worked on at the end", sent.load(Ordering::Relaxed));
    assert!(completed > 0, "the group works while it is overrun");
    for replica in replicas {
        let peak = peak_memory(replica.pid).unwrap();
        eprintln!("{}: at most {} KiB", replica.id, peak >> 10);
        assert!(peak < LIMIT, "{} took {} MiB", replica.id, peak >> 20);
    }
}
