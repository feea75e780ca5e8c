//! What the numbers were measured on.

use crate::report::say;

fn first_value(file: &str, key: &str) -> String {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(key));
    line.and_then(|line| line.split_once(':'))
        .map_or_else(|| "unknown".to_owned(), |(_, value)| value.trim().to_owned())
}

/// Processor, cores, memory, kernel and how busy the machine is with other work.
pub fn print() {
    say(&format!("machine: {}", line()));
}

/// The same as one line.
pub fn line() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    format!(
        "{} x {}, {} memory, Linux {}, load average {} before the run",
        cores,
        first_value("/proc/cpuinfo", "model name"),
        first_value("/proc/meminfo", "MemTotal"),
        kernel.trim(),
        load.split(' ').next().unwrap_or("unknown"),
    )
}
