//! Whether what is dropped on this thread is dropped because of a panic.

use std::cell::Cell;

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// While one of these lives, [`is_failing`] is true on this thread: what a task held is dropped after its panic.
pub struct Failing(());

impl Failing {
    /// Begins to fail what is dropped on this thread.
    #[must_use]
    pub fn begin() -> Failing {
        DEPTH.with(|depth| depth.set(depth.get() + 1));
        Failing(())
    }
}

impl Drop for Failing {
    fn drop(&mut self) {
        DEPTH.with(|depth| depth.set(depth.get() - 1));
    }
}

/// True while this thread unwinds, and while the rest of a task that panicked is dropped. What stands for work that must end
/// one way or the other asks this in its `drop`: nobody finished it.
pub fn is_failing() -> bool {
    std::thread::panicking() || DEPTH.with(|depth| depth.get() > 0)
}
