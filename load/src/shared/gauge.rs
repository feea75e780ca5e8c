//! How busy the generator's own thread and process are.

use rustix::time::{ClockId, clock_gettime};

/// Processor time of this thread.
pub struct Gauge {
    cpu: f64,
    at: f64,
    first: (f64, f64),
}

/// Seconds of processor time of this thread.
fn thread_cpu() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

impl Gauge {
    /// From now on.
    pub fn new(now: f64) -> Gauge {
        let cpu = thread_cpu();
        Gauge { cpu, at: now, first: (cpu, now) }
    }

    /// Share of one core since the last call.
    pub fn busy(&mut self, now: f64) -> f64 {
        let cpu = thread_cpu();
        let share = (cpu - self.cpu) / (now - self.at).max(1e-3);
        (self.cpu, self.at) = (cpu, now);
        share.clamp(0.0, 1.0)
    }

    /// Share of one core since the begin.
    pub fn mean(&self, now: f64) -> f64 {
        ((thread_cpu() - self.first.0) / (now - self.first.1).max(1e-3)).clamp(0.0, 1.0)
    }
}

/// The most resident memory that this process had, in MiB.
pub fn peak_memory_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or(0.0);
    (kib / 102.4).round() / 10.0
}
