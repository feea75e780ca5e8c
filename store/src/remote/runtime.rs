//! The runtime that owns every connection to a store.

use std::future::Future;
use std::sync::LazyLock;

use flotilla_tasks::Task;
use tokio::runtime::{Builder, Runtime};

use crate::contract::{Result, StoreError};

/// Connections live here, not on the caller's runtime: a worker thread that waits for an answer (a function node reading
/// shared context) must not be the one that has to read it from the socket. Never dropped.
static IO: LazyLock<Runtime> = LazyLock::new(|| {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(2).thread_name("store-io").enable_all();
    builder.build().expect("a process that cannot start two threads cannot run a replica")
});

/// The runtime that owns every connection to a store.
pub(crate) fn io() -> &'static Runtime {
    &IO
}

/// Runs there, and goes on there when the caller stops waiting.
pub(crate) async fn on_io<R: Send + 'static>(work: impl Future<Output = Result<R>> + Send + 'static) -> Result<R> {
    call().spawn_on(IO.handle(), work).await.unwrap_or_else(|error| {
        Err(StoreError::Unavailable { store: "network".to_owned(), reason: format!("the call was stopped: {error}") })
    })
}

/// A call to a store.
pub(super) fn call() -> Task {
    Task {
        name: "store call",
        owner: "store".into(),
        ends: "the server answers or the time-out passes",
        failure: "the call fails as if the store were away",
    }
}
