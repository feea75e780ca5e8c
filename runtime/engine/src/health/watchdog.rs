//! The thread that looks whether the workers go on. It waits for nothing but its own clock.

use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use flotilla_tasks::Task;

use super::state::{Health, Verdict};

/// How often it looks.
const LOOK: Duration = Duration::from_millis(100);
/// A look that comes later than this after the one before: the process was stopped, not the worker.
const STOPPED: Duration = Duration::from_secs(1);

struct Watched {
    count: u64,
    since: Instant,
}

/// Starts the watchdog. It ends when the health is gone.
pub(crate) fn start(health: &Arc<Health>) -> std::io::Result<()> {
    let health = Arc::downgrade(health);
    let task = Task {
        name: "watchdog",
        owner: "replica".into(),
        ends: "the health is gone",
        failure: "workers that hang are not noticed any more; restart the replica",
    };
    task.thread(move || run(&health)).map(drop)
}

fn run(health: &Weak<Health>) {
    let mut watched: Vec<Watched> = Vec::new();
    let mut last = Instant::now();
    loop {
        thread::sleep(LOOK);
        let Some(health) = health.upgrade() else { return };
        let now = Instant::now();
        let away = now.duration_since(last);
        last = now;
        let beats = health.beats();
        watched.resize_with(beats.len(), || Watched { count: u64::MAX, since: now });
        for (worker, (beat, watched)) in beats.iter().zip(&mut watched).enumerate() {
            if beat.is_over() {
                beat.set_silent(Duration::ZERO);
                if beat.has_panicked() {
                    health.judge(Verdict::Dead { worker });
                }
                continue;
            }
            let count = beat.count();
            if count != watched.count {
                *watched = Watched { count, since: now };
            } else if away > STOPPED {
                watched.since += away;
            }
            let silent = now.saturating_duration_since(watched.since);
            beat.set_silent(silent);
            health.silence(silent);
            let bound = health.bound();
            if silent > bound {
                health.judge(Verdict::Stuck { worker, bound });
            }
        }
        health.look();
    }
}
