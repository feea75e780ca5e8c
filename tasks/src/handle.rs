//! Handles of what was spawned.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::task::{AbortHandle, JoinHandle};

use super::report::Panicked;

/// A spawned task. Awaiting it gives its result; dropping the handle leaves the task running.
#[derive(Debug)]
pub struct Handle<T>(pub(super) JoinHandle<Result<T, Panicked>>);

/// A thread that was started.
#[derive(Debug)]
pub struct Thread<T>(pub(super) std::thread::JoinHandle<Result<T, Panicked>>);

/// Why a task gave no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It panicked, and that has been reported.
    Panicked(Panicked),
    /// It was aborted, or its runtime is gone.
    Aborted,
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Ended::Panicked(panicked) => panicked.fmt(f),
            Ended::Aborted => f.write_str("the task was aborted"),
        }
    }
}

impl std::error::Error for Ended {}

impl<T> Handle<T> {
    /// Ends the task at its next wait; what it holds is dropped.
    pub fn abort(&self) {
        self.0.abort();
    }

    /// Something that can end the task and be kept apart from its result.
    pub fn abort_handle(&self) -> AbortHandle {
        self.0.abort_handle()
    }

    /// True when it has ended, in whatever way.
    pub fn is_finished(&self) -> bool {
        self.0.is_finished()
    }
}

impl<T> Future for Handle<T> {
    type Output = Result<T, Ended>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map(|joined| match joined {
            Ok(result) => result.map_err(Ended::Panicked),
            Err(_) => Err(Ended::Aborted),
        })
    }
}

impl<T> Thread<T> {
    /// Waits until the thread has ended.
    ///
    /// # Errors
    /// When it panicked.
    pub fn join(self) -> Result<T, Ended> {
        match self.0.join() {
            Ok(result) => result.map_err(Ended::Panicked),
            Err(_) => Err(Ended::Aborted),
        }
    }

    /// True when it has ended, in whatever way.
    pub fn is_finished(&self) -> bool {
        self.0.is_finished()
    }
}
