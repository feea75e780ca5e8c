//! What a task says about itself, and the ways to start it.

use std::future::Future;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use smol_str::SmolStr;

use super::handle::{Handle, Thread};
use super::report::{Panicked, report, text};
use super::supervised::Supervised;

/// What a task is. All four are said where it is spawned, and a report of its panic shows them.
#[derive(Clone, Debug)]
pub struct Task {
    /// What it does, in a word or two: `heartbeat`, `http connection`.
    pub name: &'static str,
    /// What it belongs to: a node, a replica, a connection, a store.
    pub owner: SmolStr,
    /// What ends it, if nothing fails.
    pub ends: &'static str,
    /// What it means when it panics, for whoever reads the log.
    pub failure: &'static str,
}

impl Task {
    /// Spawns work on the current runtime.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    #[allow(clippy::disallowed_methods, reason = "this is the supervised way")]
    pub fn spawn<F>(self, work: F) -> Handle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        Handle(tokio::spawn(self.supervise(work)))
    }

    /// Spawns work on a runtime that is not the current one.
    #[allow(clippy::disallowed_methods, reason = "this is the supervised way")]
    pub fn spawn_on<F>(self, runtime: &tokio::runtime::Handle, work: F) -> Handle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        Handle(runtime.spawn(self.supervise(work)))
    }

    /// Spawns work that stays on this thread.
    ///
    /// # Panics
    /// Outside of a `LocalSet`.
    #[allow(clippy::disallowed_methods, reason = "this is the supervised way")]
    pub fn spawn_local<F>(self, work: F) -> Handle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        Handle(tokio::task::spawn_local(self.supervise(work)))
    }

    /// Runs code that blocks on a thread kept for that. It cannot be aborted once it runs.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    #[allow(clippy::disallowed_methods, reason = "this is the supervised way")]
    pub fn spawn_blocking<T: Send + 'static>(self, work: impl FnOnce() -> T + Send + 'static) -> Handle<T> {
        Handle(tokio::task::spawn_blocking(move || self.run(work)))
    }

    /// Starts a thread of its own with this name.
    ///
    /// # Errors
    /// When the system has no thread left.
    #[allow(clippy::disallowed_methods, reason = "this is the supervised way")]
    pub fn thread<T: Send + 'static>(self, work: impl FnOnce() -> T + Send + 'static) -> io::Result<Thread<T>> {
        let thread = std::thread::Builder::new().name(self.name.to_owned());
        thread.spawn(move || self.run(work)).map(Thread)
    }

    /// Work under supervision, for whoever spawns it in another way (`TaskTracker`, `JoinSet`, `LocalSet`).
    pub fn supervise<F: Future>(self, work: F) -> Supervised<F> {
        Supervised::new(self, work)
    }

    /// As [`Task::supervise`], without a result: `on_panic` acts on a panic after it was reported, and everything that the
    /// task held has been dropped by then.
    pub async fn supervise_then(self, work: impl Future<Output = ()>, on_panic: impl FnOnce(&Panicked)) {
        if let Err(panicked) = self.supervise(work).await {
            on_panic(&panicked);
        }
    }

    /// Runs code here and now under supervision.
    ///
    /// # Errors
    /// When it panics; that has been reported by then.
    pub fn run<T>(&self, work: impl FnOnce() -> T) -> Result<T, Panicked> {
        catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
            let panicked = self.panicked(text(&*panic));
            report(&panicked);
            panicked
        })
    }

    pub(super) fn panicked(&self, text: String) -> Panicked {
        Panicked { name: self.name, owner: self.owner.clone(), failure: self.failure, text }
    }
}
