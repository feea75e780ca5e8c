//! A future whose panic is caught.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use super::asked::panic_if_asked;
use super::failing::Failing;
use super::report::{Panicked, report, text};
use super::task::Task;

/// Work under supervision: ends with what the work gives, or with its panic, which has been reported by then.
///
/// When the work panics, everything that it still holds is dropped while [`crate::is_failing`] is true.
#[must_use = "it does nothing until it is spawned or awaited"]
pub struct Supervised<F> {
    task: Task,
    /// `None` once it has ended.
    work: Option<Pin<Box<F>>>,
}

impl<F: Future> Supervised<F> {
    pub(super) fn new(task: Task, work: F) -> Supervised<F> {
        Supervised { task, work: Some(Box::pin(work)) }
    }
}

impl<F: Future> Future for Supervised<F> {
    type Output = Result<F::Output, Panicked>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let Some(work) = &mut this.work else { return Poll::Pending };
        let name = this.task.name;
        let turn = || {
            panic_if_asked(name);
            work.as_mut().poll(cx)
        };
        match catch_unwind(AssertUnwindSafe(turn)) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(value)) => {
                this.work = None;
                Poll::Ready(Ok(value))
            }
            Err(panic) => {
                let panicked = this.task.panicked(text(&*panic));
                let work = this.work.take();
                // Dropping it may panic as well: one report is enough.
                let _ = catch_unwind(AssertUnwindSafe(|| {
                    let _failing = Failing::begin();
                    drop(work);
                }));
                report(&panicked);
                Poll::Ready(Err(panicked))
            }
        }
    }
}
