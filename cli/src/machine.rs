//! What this machine is called, and how busy it is (`proc(5)`).

use std::time::{SystemTime, UNIX_EPOCH};

use flotilla_api::placement::{AgentBinary, HostLoad};

/// The machine's hostname.
pub fn name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    Some(name.trim()).filter(|name| !name.is_empty()).unwrap_or("localhost").to_owned()
}

/// How busy the machine is now. `started_ms`: when this process started.
pub fn load(started_ms: u64) -> HostLoad {
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    HostLoad {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_ms,
        memory: bytes(&memory, "MemTotal:"),
        memory_available: bytes(&memory, "MemAvailable:"),
        load: load.split(' ').next().and_then(|minute| minute.parse().ok()).unwrap_or_default(),
        processors: std::thread::available_parallelism().map_or(1, usize::from),
        binary: AgentBinary::default(),
        key: String::new(),
        beat: 0,
    }
}

/// Now, in milliseconds since the epoch.
pub fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// A line of `/proc/meminfo`: kibibytes.
fn bytes(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let value = line.and_then(|line| line.split_whitespace().next()).and_then(|value| value.parse::<u64>().ok());
    value.map_or(0, |kibibytes| kibibytes << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_a_name_and_memory() {
        assert!(!name().is_empty());
        let load = load(1);
        assert!(load.memory > load.memory_available && load.memory_available > 0 && load.processors > 0, "{load:?}");
    }
}
