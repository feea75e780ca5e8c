//! Panics that were asked for: chaos tests have tasks panic at random, to see that nothing is lost.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// `NAME=TURNS[,NAME=TURNS][:SEED]`: tasks of these names panic, in one of so many turns on average.
const VARIABLE: &str = "FLOTILLA_PANIC_TASKS";

/// What was asked for.
struct Asked {
    tasks: Vec<(String, u64)>,
    random: AtomicU64,
}

static ASKED: OnceLock<Option<Asked>> = OnceLock::new();

impl Asked {
    fn read(text: &str, process: u64) -> Option<Asked> {
        let (tasks, seed) = text.rsplit_once(':').unwrap_or((text, "0"));
        let tasks: Option<Vec<(String, u64)>> = tasks
            .split(',')
            .map(|task| {
                let (name, turns) = task.rsplit_once('=')?;
                Some((name.trim().to_owned(), turns.parse().ok().filter(|turns| *turns > 0)?))
            })
            .collect();
        let seed: u64 = seed.parse().ok()?;
        Some(Asked { tasks: tasks?, random: AtomicU64::new(mixed(seed ^ (process << 32))) })
    }

    fn strikes(&self, name: &str) -> bool {
        let Some((_, turns)) = self.tasks.iter().find(|(known, _)| known == name) else { return false };
        let random = mixed(self.random.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed));
        random.is_multiple_of(*turns)
    }
}

/// SplitMix64.
fn mixed(state: u64) -> u64 {
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

/// Panics when that was asked for this task and its turn has come.
pub(super) fn panic_if_asked(name: &str) {
    let asked = ASKED.get_or_init(|| {
        let text = std::env::var(VARIABLE).ok()?;
        Asked::read(&text, u64::from(std::process::id()))
    });
    if let Some(asked) = asked {
        assert!(!asked.strikes(name), "asked for with {VARIABLE}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_named_tasks_panic_now_and_then() {
        let asked = Asked::read("mqtt connection=10,http connection=1:7", 1).unwrap();
        let struck = (0..10_000).filter(|_| asked.strikes("mqtt connection")).count();
        assert!((500..2000).contains(&struck), "{struck}");
        assert!(asked.strikes("http connection") && !asked.strikes("heartbeat"));
        for bad in ["", "mqtt connection", "a=0", "a=x", "a=1:x"] {
            assert!(Asked::read(bad, 1).is_none(), "{bad}");
        }
    }
}
