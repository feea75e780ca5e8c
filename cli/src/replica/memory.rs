//! How much memory this process has, and may have.

use std::hint::black_box;
use std::sync::OnceLock;
use std::time::Duration;

use flotilla_tasks::Task;

/// Longer than the allocator keeps what was freed, in case that it is needed again: 1 s.
const KEPT: Duration = Duration::from_millis(1500);
/// So large that mimalloc keeps none of it for its next allocation.
const LARGE: usize = 8 << 20;

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

/// After a deploy: what it freed, and the nodes that it replaced, go back to the system. mimalloc gives back what was freed a second
/// ago when it frees a page again, which a replica without work does not do.
pub fn give_back_soon(replica: &str) {
    let task = Task {
        name: "freed memory",
        owner: replica.into(),
        ends: "the memory was given back",
        failure: "it is given back when the replica frees more",
    };
    task.spawn(async {
        tokio::time::sleep(KEPT).await;
        // Nothing is written to it, so that it takes no memory itself.
        drop(black_box(Vec::<u8>::with_capacity(LARGE)));
    });
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    /// As nodes do it: many small parts, which are freed in pages.
    fn use_memory(bytes: usize) {
        let parts: Vec<Box<[u8; 1024]>> = (0..bytes / 1024).map(|_| Box::new([1; 1024])).collect();
        drop(black_box(parts));
    }

    #[tokio::test]
    async fn what_was_freed_goes_back_to_the_system_soon() {
        let before = resident_memory();
        use_memory(128 << 20);
        let limit = before + (32 << 20);
        let freed = resident_memory();
        assert!(freed > limit, "the allocator gives all back at once: there is nothing to do ({before}, {freed})");
        give_back_soon("r");
        let deadline = Instant::now() + Duration::from_secs(20);
        while resident_memory() > limit {
            assert!(Instant::now() < deadline, "{} bytes are resident, {before} were before", resident_memory());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
