//! One suite for every backend, on real servers. A server that is not installed is reported as SKIPPED.
#![allow(clippy::disallowed_methods, reason = "a panic of a helper shows in the test that waits for it")]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "clippy allows them only in functions marked as tests")]

mod cases;
mod history;
mod place;
mod sentinel;

/// Runs every case on one backend; each case has a server (or a file) of its own.
macro_rules! suite {
    ($backend:ident, $kind:expr) => {
        suite!($backend, $kind, values lists swaps sums expiry many_expiries leases fences watches outage stalls
            processes linear refusals);
    };
    ($backend:ident, $kind:expr, $($case:ident)*) => {
        mod $backend {
            use crate::{cases, place};
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    if let Some(place) = place::Place::start($kind) {
                        cases::$case(place).await;
                    }
                }
            )*
        }
    };
}

suite!(sqlite, place::Kind::Sqlite);
suite!(redis, place::Kind::Redis);
suite!(postgres, place::Kind::Postgres);
suite!(nats, place::Kind::Nats);

/// What a child process does; started by the cases with the environment that says what.
#[test]
#[ignore = "a child process of the other tests"]
fn child() {
    cases::child::main();
}
