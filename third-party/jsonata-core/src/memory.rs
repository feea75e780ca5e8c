//! flotilla: how much memory an evaluation may take.
//!
//! What strings, arrays and objects take when they are made is added up. That is cheap and knows nothing of what was
//! freed, so each time another [`STEP`] came together the process is asked how much memory it has: an evaluation that
//! keeps what it makes ends with U1004. One text that alone is larger than the bound is refused before it is made.

use std::cell::Cell;

use crate::evaluator::EvaluatorError;
use crate::functions::FunctionError;

const STEP: u64 = 32 << 20;

thread_local! {
    static LIMIT: Cell<u64> = const { Cell::new(u64::MAX) };
    static CHARGED: Cell<u64> = const { Cell::new(0) };
    static NEXT_LOOK: Cell<u64> = const { Cell::new(u64::MAX) };
    static RESIDENT: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Runs an evaluation that may take `limit` bytes.
pub fn bounded<T>(limit: u64, run: impl FnOnce() -> T) -> T {
    LIMIT.set(limit);
    CHARGED.set(0);
    NEXT_LOOK.set(STEP);
    RESIDENT.set(None);
    let result = run();
    LIMIT.set(u64::MAX);
    NEXT_LOOK.set(u64::MAX);
    result
}

#[inline]
pub(crate) fn charge(bytes: usize) {
    CHARGED.set(CHARGED.get().saturating_add(bytes as u64));
}

fn message() -> String {
    format!("U1004: The expression needs more than {} MiB of memory", LIMIT.get() >> 20)
}

/// Bytes that the process has in memory; where that is not known, what was made counts.
fn resident() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    text.split(' ').nth(1)?.parse::<u64>().ok().map(|pages| pages * 4096)
}

#[inline]
pub(crate) fn check() -> Result<(), EvaluatorError> {
    if CHARGED.get() < NEXT_LOOK.get() {
        return Ok(());
    }
    look()
}

#[cold]
fn look() -> Result<(), EvaluatorError> {
    let charged = CHARGED.get();
    NEXT_LOOK.set(charged.saturating_add(STEP));
    let grown = match (resident(), RESIDENT.get()) {
        (Some(now), Some(before)) => now.saturating_sub(before).saturating_add(STEP).min(charged),
        (Some(now), None) => {
            // What came together up to here may be in there already.
            RESIDENT.set(Some(now));
            charged
        }
        (None, _) => charged,
    };
    if grown > LIMIT.get() {
        return Err(EvaluatorError::EvaluationError(message()));
    }
    Ok(())
}

/// Refuses one text that alone is larger than the bound.
pub(crate) fn room_for(bytes: usize) -> Result<(), FunctionError> {
    if bytes as u64 > LIMIT.get() {
        return Err(FunctionError::RuntimeError(message()));
    }
    Ok(())
}
