//! The one supervised way to spawn: every task and thread has a name, an owner, something that ends it and a meaning of
//! its failure. A panic is caught here, reported once, and fails what the task held.
//!
//! ```
//! use flotilla_tasks::Task;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let heartbeat = Task {
//!     name: "heartbeat",
//!     owner: "replica plant-1".into(),
//!     ends: "the replica deregisters",
//!     failure: "the lease runs out and others take over",
//! };
//! let beats = heartbeat.spawn(async { 3 });
//! assert_eq!(beats.await.unwrap(), 3);
//! # }
//! ```
//!
//! Use [`Task::spawn`] for `Send` work, [`Task::spawn_local`] on a worker, [`Task::spawn_blocking`] and [`Task::thread`] for
//! code that blocks. Where something else spawns (a `TaskTracker`, a `JoinSet`, a `LocalSet`, a runtime's handle), give it
//! [`Task::supervise`]. Whoever must act on a panic uses [`Task::supervise_then`] or looks at the [`Ended`] of the handle.

mod asked;
mod failing;
mod handle;
mod report;
mod supervised;
mod task;

pub use failing::{Failing, is_failing};
pub use handle::{Ended, Handle, Thread};
pub use report::{Panicked, panics, watch_panics};
pub use supervised::Supervised;
pub use task::Task;
