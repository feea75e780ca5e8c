//! flotilla: how much work the matching on this thread may be.
//!
//! Some patterns need time that grows exponentially with the text: `(a+)+$`. What counts are steps, not time, so that a text
//! that is too much is too much on every machine.

use core::cell::Cell;

/// Entries of the stack for going back, 40 bytes each, that one match may need.
pub const MAX_STACK: usize = 4 << 20;

std::thread_local! {
    static LEFT: Cell<u64> = const { Cell::new(u64::MAX) };
}

/// The bound was reached: what was found or not found up to then says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepLimit;

/// What was there before, less what was used meanwhile.
struct Outer {
    before: u64,
    given: u64,
}

impl Outer {
    fn used(&self) -> u64 {
        self.given - left().min(self.given)
    }
}

impl Drop for Outer {
    fn drop(&mut self) {
        let used = self.used();
        // Without a bound there is nothing to count.
        LEFT.set(if self.before == u64::MAX { u64::MAX } else { self.before.saturating_sub(used) });
    }
}

/// Runs something that may take `steps`, and what an outer bound leaves.
pub fn within<R>(steps: u64, run: impl FnOnce() -> R) -> Result<R, StepLimit> {
    counted(steps, run).0
}

/// As [`within`], and how many steps it took.
pub fn counted<R>(steps: u64, run: impl FnOnce() -> R) -> (Result<R, StepLimit>, u64) {
    let before = left();
    let outer = Outer { before, given: steps.min(before) };
    LEFT.set(outer.given);
    let result = run();
    let (reached, used) = (is_reached(), outer.used());
    drop(outer);
    (if reached { Err(StepLimit) } else { Ok(result) }, used)
}

/// Whether the bound was reached inside of the current [`within`].
pub fn is_reached() -> bool {
    left() == 0
}

pub(crate) fn left() -> u64 {
    LEFT.get()
}

/// Steps that a match took.
pub(crate) fn take(steps: u64) {
    let left = left();
    if left != u64::MAX {
        LEFT.set(left.saturating_sub(steps));
    }
}

/// Everything that is left: a match gave up.
pub(crate) fn take_all() {
    if left() != u64::MAX {
        LEFT.set(0);
    }
}
