//! What a backend behind a network implements.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;

use crate::contract::{Acquire, Cas, Entry, Expect, Fence, HeldLease, Lease, Moment, Result, Watch, Write};

/// A backend behind a network. Keys and values were checked, the time-out is kept outside, and `asked` is from before
/// the request. What each call promises is on [`Store`](crate::Store).
#[async_trait]
pub(crate) trait Backend: Send + Sync + 'static {
    /// The backend's name.
    const KIND: &'static str;
    /// Where it is, for messages.
    fn place(&self) -> String;
    /// How long a call may take.
    fn timeout(&self) -> Duration;
    /// The largest value, in bytes.
    fn max_value(&self) -> usize;
    async fn get(&self, key: &str) -> Result<Option<Entry>>;
    async fn set(&self, key: &str, value: Bytes, write: Write) -> Result<u64>;
    async fn delete(&self, key: &str, fence: Option<Fence>) -> Result<bool>;
    async fn list(&self, prefix: &str) -> Result<Vec<Entry>>;
    async fn cas(&self, key: &str, expected: Expect, new: Option<Bytes>, write: Write) -> Result<Cas>;
    async fn incr(&self, key: &str, by: f64) -> Result<f64>;
    async fn acquire(&self, name: &str, holder: &str, ttl: Duration, asked: Moment) -> Result<Acquire>;
    async fn renew(&self, lease: &Lease, asked: Moment) -> Result<Lease>;
    async fn release(&self, lease: &Lease) -> Result<bool>;
    async fn leases(&self, prefix: &str) -> Result<Vec<HeldLease>>;
    async fn watch(&self, prefix: &str) -> Result<Watch>;
    async fn now(&self) -> Result<SystemTime>;
}
