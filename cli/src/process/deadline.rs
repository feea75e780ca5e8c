//! The end of a process that does not end by itself.

use std::time::Duration;

use flotilla_tasks::Task;

use crate::exit::Exit;

/// Ends this process after a while with [`Exit::WorkerStuck`], from a thread of its own: whatever hangs then does not hold it up.
/// What is in flight was not acknowledged, and goes to others.
pub fn end_after(wait: Duration, what: &'static str) {
    let task = Task {
        name: "deadline",
        owner: what.into(),
        ends: "the process ends",
        failure: "a process that hangs does not end by itself; kill it",
    };
    let waiting = task.thread(move || {
        std::thread::sleep(wait);
        tracing::error!("{what} was not done within {} s: exits at once", wait.as_secs_f64());
        #[allow(clippy::disallowed_methods, reason = "main does not return: something that it waits for hangs")]
        std::process::exit(Exit::WorkerStuck as i32);
    });
    if let Err(error) = waiting {
        tracing::warn!(%error, "no thread for the deadline of the end");
    }
}
