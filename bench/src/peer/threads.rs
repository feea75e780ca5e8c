//! Processor time to the nanosecond, thread by thread.

use std::collections::BTreeMap;

use anyhow::Context;

/// Processor time of each thread of a process so far, in nanoseconds, by the thread's id.
#[derive(Debug, Default)]
pub struct ThreadTimes(BTreeMap<u32, u64>);

impl ThreadTimes {
    /// Those of a process now, from the first field of `/proc/<pid>/task/<tid>/schedstat`.
    ///
    /// # Errors
    /// When the process is gone, or the kernel has no such files (they need `CONFIG_SCHED_INFO`).
    pub fn of(pid: u32) -> anyhow::Result<ThreadTimes> {
        let folder = format!("/proc/{pid}/task");
        let mut times = BTreeMap::new();
        for thread in std::fs::read_dir(&folder).with_context(|| folder.clone())?.flatten() {
            // A thread may end in between.
            let Ok(text) = std::fs::read_to_string(thread.path().join("schedstat")) else { continue };
            let id = thread.file_name().to_string_lossy().parse::<u32>();
            let spent = text.split_whitespace().next().and_then(|first| first.parse::<u64>().ok());
            if let (Ok(id), Some(spent)) = (id, spent) {
                times.insert(id, spent);
            }
        }
        anyhow::ensure!(
            !times.is_empty(),
            "{folder}/*/schedstat: the kernel does not tell the processor time of threads"
        );
        Ok(ThreadTimes(times))
    }

    /// Seconds since `earlier`. What threads did that have ended meanwhile is not in it.
    pub fn since(&self, earlier: &ThreadTimes) -> f64 {
        let spent = |(id, now): (&u32, &u64)| now.saturating_sub(earlier.0.get(id).copied().unwrap_or(0));
        self.0.iter().map(spent).sum::<u64>() as f64 / 1e9
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn threads_that_began_count_and_those_that_ended_do_not_take_away() {
        let earlier = ThreadTimes([(1, 1_000_000_000), (2, 5_000_000_000)].into_iter().collect());
        let later = ThreadTimes([(1, 1_500_000_000), (3, 250_000_000)].into_iter().collect());
        assert!((later.since(&earlier) - 0.75).abs() < 1e-9);
    }

    #[test]
    fn work_of_this_process_is_seen() {
        let own = std::process::id();
        let (before, begun) = (ThreadTimes::of(own).unwrap(), Instant::now());
        let spent = || ThreadTimes::of(own).unwrap().since(&before);
        while spent() < 0.01 {
            assert!(begun.elapsed() < Duration::from_secs(30), "{} s of 30", spent());
            std::hint::black_box((0..100_000_u64).fold(0, u64::wrapping_add));
        }
    }
}
