//! A panic is caught, reported once and fails what the task held.
#![allow(clippy::disallowed_methods, reason = "a panic of a helper shows in the test that waits for it")]
#![allow(clippy::unwrap_used, reason = "a test that unwraps nothing stops there, with the reason")]

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use flotilla_tasks::{Ended, Task, is_failing};

/// Counts how often it was dropped because of a panic, and how often not.
#[derive(Clone, Default)]
struct Drops(Arc<[AtomicUsize; 2]>);

struct DropGuard(Drops);

impl Drop for DropGuard {
    fn drop(&mut self) {
        self.0.0[usize::from(is_failing())].fetch_add(1, Ordering::SeqCst);
    }
}

impl Drops {
    fn held(&self) -> DropGuard {
        DropGuard(self.clone())
    }

    fn seen(&self) -> [usize; 2] {
        [self.0[0].load(Ordering::SeqCst), self.0[1].load(Ordering::SeqCst)]
    }
}

/// A future that keeps what it holds over its own panic.
struct Panics(#[allow(dead_code, reason = "only dropped")] DropGuard);

impl Future for Panics {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        panic!("by hand")
    }
}

fn task(name: &'static str) -> Task {
    Task { name, owner: "test".into(), ends: "it is through", failure: "nothing" }
}

#[tokio::test]
async fn what_a_panicking_task_holds_is_dropped_as_failed_and_only_that() {
    let drops = Drops::default();
    let held = drops.held();
    task("ends").spawn(async move { drop(held) }).await.unwrap();
    assert_eq!(drops.seen(), [1, 0], "a task that is through fails nothing");

    let held = drops.held();
    let ended = task("local").spawn(async move {
        let _held = held;
        tokio::task::yield_now().await;
        panic!("in the middle");
    });
    let Err(Ended::Panicked(panicked)) = ended.await else { panic!("no panic came back") };
    assert_eq!((panicked.name, panicked.text.as_str()), ("local", "in the middle"));
    assert_eq!(drops.seen(), [1, 1]);

    assert!(task("kept").spawn(Panics(drops.held())).await.is_err());
    assert_eq!(drops.seen(), [1, 2], "also what is dropped after the unwinding");

    let held = drops.held();
    let waits = task("aborted").spawn(async move {
        let _held = held;
        std::future::pending::<()>().await;
    });
    tokio::task::yield_now().await;
    waits.abort();
    assert_eq!(waits.await, Err(Ended::Aborted));
    assert_eq!(drops.seen(), [2, 2], "an abort is no failure");
}

#[tokio::test]
async fn threads_and_blocking_code_are_supervised_too() {
    let drops = Drops::default();
    let held = drops.held();
    let thread = task("thread").thread(move || {
        let _held = held;
        panic!("{}", 7);
    });
    let Err(Ended::Panicked(panicked)) = thread.unwrap().join() else { panic!("no panic came back") };
    assert_eq!(panicked.text, "7");
    let held = drops.held();
    let blocking = task("blocking").spawn_blocking(move || {
        let _held = held;
        panic!("blocked");
    });
    assert!(matches!(blocking.await, Err(Ended::Panicked(_))));
    assert_eq!(drops.seen(), [0, 2]);
    assert!(flotilla_tasks::panics() >= 2);
}

#[tokio::test]
async fn whoever_supervises_hears_of_the_panic_after_everything_is_dropped() {
    let drops = Drops::default();
    let seen = drops.clone();
    task("then").supervise_then(Panics(drops.held()), |_| assert_eq!(seen.seen(), [0, 1])).await;
    assert_eq!(drops.seen(), [0, 1]);
}
