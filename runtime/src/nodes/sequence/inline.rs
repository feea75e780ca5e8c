//! Work that seldom waits.

use crate::engine::NodeCx;

/// Runs work at once as far as it goes without waiting, which is to its end unless an expression waits for context.
pub(super) fn run_inline(cx: &NodeCx, work: impl Future<Output = ()> + 'static) {
    let mut work = Box::pin(work);
    let mut task = std::task::Context::from_waker(std::task::Waker::noop());
    if work.as_mut().poll(&mut task).is_pending() {
        cx.spawn(work);
    }
}
