//! How much memory this process has, and may have.

use std::sync::OnceLock;

/// What [`memory_limit`] answers.
static LIMIT: OnceLock<u64> = OnceLock::new();

/// Users say how many bytes it may have. To be called first.
pub fn set_memory_limit(bytes: u64) {
    let _ = LIMIT.set(bytes);
}

/// The memory that this process may have, in bytes: what users say, else the bound of its control group, else the machine's; 0 where neither is
/// known. Source: `memory.max` of cgroup v2, `memory.limit_in_bytes` of v1, `/proc/meminfo`.
pub fn memory_limit() -> u64 {
    *LIMIT.get_or_init(found_limit)
}

fn found_limit() -> u64 {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let number = |text: String| text.trim().parse::<u64>().ok();
    let group = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
    let bound = group.into_iter().find_map(|path| read(path).and_then(number));
    let machine = read("/proc/meminfo").and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?.to_owned();
        Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
    });
    // Version 1 says "none" with a number that no machine has.
    [bound, machine].into_iter().flatten().min().unwrap_or(0)
}

/// Resident memory in bytes; 0 where `/proc` is not there.
pub fn resident_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}
