//! Stops an expression that uses up memory.
//!
//! The library counts no bytes. What it uses is seen from outside: the watchdog looks at the memory of the process while an
//! expression runs, and an expression that runs for less than two looks (0.2 s) cannot use up much.

use std::cell::OnceCell;
use std::sync::Arc;

use jsonata_core::evaluator::CancelToken;
use parking_lot::Mutex;

use super::error::ExpressionError;
use crate::health::{Health, Pulse};

/// An expression may have the process grow by so many MB.
const LIMIT_MB: u64 = 256;

/// The expression that runs on a worker.
#[derive(Default)]
struct Guard {
    running: Mutex<Option<Running>>,
}

struct Running {
    token: CancelToken,
    /// Memory of the process at the first look, in MB.
    before: Option<u64>,
}

/// While an expression is watched.
pub(super) struct Watched {
    guard: Option<Arc<Guard>>,
    pub(super) token: CancelToken,
}

thread_local! {
    static GUARD: OnceCell<Arc<Guard>> = const { OnceCell::new() };
}

impl Pulse for Guard {
    fn pulse(&self) {
        let mut running = self.running.lock();
        let Some(running) = &mut *running else { return };
        let Some(now) = resident_mb() else { return };
        let before = *running.before.get_or_insert(now);
        if now > before + LIMIT_MB {
            running.token.cancel();
        }
    }
}

/// Resident memory of this process (`VmRSS`).
fn resident_mb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? >> 10)
}

impl Watched {
    /// An expression begins to run on this thread.
    pub(super) fn begin() -> Watched {
        let token = CancelToken::new();
        let guard = GUARD.with(|guard| guard.get().cloned());
        if let Some(guard) = &guard {
            *guard.running.lock() = Some(Running { token: token.clone(), before: None });
        }
        Watched { guard, token }
    }

    /// The error instead of the library's, when this was stopped.
    pub(super) fn or_stopped(&self, error: ExpressionError) -> ExpressionError {
        if !self.token.is_cancelled() {
            return error;
        }
        let text = format!("The expression was stopped: it used more than {LIMIT_MB} MB of memory");
        ExpressionError::with_code(text, "ERR_EXPRESSION_MEMORY")
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if let Some(guard) = &self.guard {
            *guard.running.lock() = None;
        }
    }
}

/// Has the expressions of this thread watched, for as long as it lives.
pub(crate) fn watch_expressions(health: &Health) {
    let guard = Arc::new(Guard::default());
    let pulse: Arc<dyn Pulse> = guard.clone();
    health.look_after(Arc::downgrade(&pulse));
    GUARD.with(|kept| drop(kept.set(guard)));
}
