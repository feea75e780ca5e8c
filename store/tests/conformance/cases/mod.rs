//! What every backend must do.

pub mod child;
mod expiry;
mod fences;
mod leases;
mod linear;
mod lists;
mod outage;
mod processes;
mod refusals;
mod stalls;
mod sums;
mod swaps;
mod values;
mod watches;

pub use expiry::{expiry, many_expiries};
pub use fences::fences;
pub use leases::leases;
pub use linear::linear;
pub use lists::lists;
pub use outage::outage;
pub use processes::processes;
pub use refusals::refusals;
pub use stalls::stalls;
pub use sums::sums;
pub use swaps::swaps;
pub use values::values;
pub use watches::watches;

use std::time::{Duration, Instant};

use bytes::Bytes;

/// Bytes of a text.
fn text(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

/// Waits until something is so, at most half a minute.
async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds().await {
        assert!(Instant::now() < deadline, "never came: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Runs many calls, a few at a time.
async fn all<T>(calls: impl IntoIterator<Item = impl Future<Output = T>>) -> Vec<T> {
    use futures::StreamExt;
    futures::stream::iter(calls).buffer_unordered(16).collect().await
}
