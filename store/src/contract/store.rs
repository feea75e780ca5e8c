//! The store itself.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;

use super::entry::{Cas, Entry, Expect, Write};
use super::error::Result;
use super::event::Watch;
use super::lease::{Acquire, Fence, HeldLease, Lease};

/// State that outlives a replica, shared by all of them.
///
/// - Every operation on one key is linearizable: a read sees each write that was acknowledged before it began.
/// - Every operation answers within the URL's `timeout` (default 2 s), with [`StoreError::Unavailable`] at the latest.
///   A write that failed so may have been made.
/// - Keys and lease names are 1 to 512 bytes of UTF-8 without NUL; leases have names of their own.
/// - Dropping a future of a write does not undo it.
/// - It reconnects by itself.
///
/// [`StoreError::Unavailable`]: super::StoreError::Unavailable
#[async_trait]
pub trait Store: Send + Sync {
    /// Which backend: `sqlite`, `postgres`, `redis`, `nats`.
    fn kind(&self) -> &'static str;

    /// The same operations for callers that cannot wait asynchronously, such as a function node.
    fn blocking(&self) -> &dyn BlockingStore;

    /// Reads a key.
    async fn get(&self, key: &str) -> Result<Option<Entry>>;

    /// Writes a key; answers its new version.
    async fn set(&self, key: &str, value: Bytes, write: Write) -> Result<u64>;

    /// Removes a key. True when it was there.
    async fn delete(&self, key: &str, fence: Option<Fence>) -> Result<bool>;

    /// The entries whose key begins with `prefix` (empty: all), sorted by key's bytes. Not a snapshot: each entry is
    /// current, two of them may be of different moments.
    async fn list(&self, prefix: &str) -> Result<Vec<Entry>>;

    /// Writes (or with `None` removes) a key if it is what is expected. `write` as in [`Store::set`].
    async fn cas(&self, key: &str, expected: Expect, new: Option<Bytes>, write: Write) -> Result<Cas>;

    /// Adds to a number and answers the sum, atomically. Numbers are JavaScript's (64-bit floats), kept as JSON
    /// text; a missing key and `null` count as 0. An expiry that the key has stays.
    async fn incr(&self, key: &str, by: f64) -> Result<f64>;

    /// Asks for a lease for `ttl`, counted on the store's clock. `holder` must be unique per process: the holder itself
    /// is granted the lease again, with a new token.
    async fn acquire(&self, name: &str, holder: &str, ttl: Duration) -> Result<Acquire>;

    /// Extends a lease to its `ttl` from now. `Fenced` when it is no longer held, also when it expired and nobody
    /// else has it.
    async fn renew(&self, lease: &Lease) -> Result<Lease>;

    /// Gives a lease back. False when it was no longer held.
    async fn release(&self, lease: &Lease) -> Result<bool>;

    /// The leases that are held now and whose name begins with `prefix`, sorted by name.
    async fn leases(&self, prefix: &str) -> Result<Vec<HeldLease>>;

    /// Watches a prefix (empty: all). The first event is [`Event::Resync`](super::Event::Resync): list then.
    async fn watch(&self, prefix: &str) -> Result<Watch>;

    /// The store's clock.
    async fn now(&self) -> Result<SystemTime>;
}

/// A [`Store`]'s operations, waiting on the calling thread. May be called from anywhere, also inside an async runtime,
/// which then stands still for as long as the store takes (at most the time-out).
pub trait BlockingStore: Send + Sync {
    /// See [`Store::get`].
    fn get(&self, key: &str) -> Result<Option<Entry>>;
    /// See [`Store::set`].
    fn set(&self, key: &str, value: Bytes, write: Write) -> Result<u64>;
    /// See [`Store::delete`].
    fn delete(&self, key: &str, fence: Option<Fence>) -> Result<bool>;
    /// See [`Store::list`].
    fn list(&self, prefix: &str) -> Result<Vec<Entry>>;
    /// See [`Store::cas`].
    fn cas(&self, key: &str, expected: Expect, new: Option<Bytes>, write: Write) -> Result<Cas>;
    /// See [`Store::incr`].
    fn incr(&self, key: &str, by: f64) -> Result<f64>;
}
