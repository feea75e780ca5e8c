//! A store whose operations are timed and whose failures are counted.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use metrics::{counter, describe_counter, describe_histogram, histogram};

use crate::contract::{
    Acquire, BlockingStore, Cas, Entry, Expect, Fence, HeldLease, Lease, Result, Store, Watch, Write,
};

/// The operations, as labels name them.
const OPS: [&str; 12] =
    ["get", "set", "delete", "list", "cas", "incr", "acquire", "renew", "release", "leases", "watch", "now"];

/// Passes everything on, and reports it to the process's `metrics` recorder: `flotilla_store_seconds{op}` and
/// `flotilla_store_errors_total{op,reason}`. A conflict or a lost lease is an answer and no error.
pub struct Metered(Arc<dyn Store>);

impl Metered {
    /// Times `store`.
    pub fn over(store: Arc<dyn Store>) -> Arc<dyn Store> {
        describe_histogram!("flotilla_store_seconds", "How long the store took to answer, by operation");
        describe_counter!("flotilla_store_errors_total", "Operations that the store did not carry out, by operation");
        // What never failed is 0, and not unknown.
        for op in OPS {
            counter!("flotilla_store_errors_total", "op" => op, "reason" => "unavailable").increment(0);
        }
        Arc::new(Metered(store))
    }
}

fn told<T>(op: &'static str, began: Instant, result: Result<T>) -> Result<T> {
    histogram!("flotilla_store_seconds", "op" => op).record(began.elapsed().as_secs_f64());
    if let Err(error) = &result
        && !error.is_fenced()
    {
        let reason = if error.is_unavailable() { "unavailable" } else { "refused" };
        counter!("flotilla_store_errors_total", "op" => op, "reason" => reason).increment(1);
    }
    result
}

#[async_trait]
impl Store for Metered {
    fn kind(&self) -> &'static str {
        self.0.kind()
    }

    fn blocking(&self) -> &dyn BlockingStore {
        self
    }

    async fn get(&self, key: &str) -> Result<Option<Entry>> {
        let began = Instant::now();
        told("get", began, self.0.get(key).await)
    }

    async fn set(&self, key: &str, value: Bytes, write: Write) -> Result<u64> {
        let began = Instant::now();
        told("set", began, self.0.set(key, value, write).await)
    }

    async fn delete(&self, key: &str, fence: Option<Fence>) -> Result<bool> {
        let began = Instant::now();
        told("delete", began, self.0.delete(key, fence).await)
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Entry>> {
        let began = Instant::now();
        told("list", began, self.0.list(prefix).await)
    }

    async fn cas(&self, key: &str, expected: Expect, new: Option<Bytes>, write: Write) -> Result<Cas> {
        let began = Instant::now();
        told("cas", began, self.0.cas(key, expected, new, write).await)
    }

    async fn incr(&self, key: &str, by: f64) -> Result<f64> {
        let began = Instant::now();
        told("incr", began, self.0.incr(key, by).await)
    }

    async fn acquire(&self, name: &str, holder: &str, ttl: Duration) -> Result<Acquire> {
        let began = Instant::now();
        told("acquire", began, self.0.acquire(name, holder, ttl).await)
    }

    async fn renew(&self, lease: &Lease) -> Result<Lease> {
        let began = Instant::now();
        told("renew", began, self.0.renew(lease).await)
    }

    async fn release(&self, lease: &Lease) -> Result<bool> {
        let began = Instant::now();
        told("release", began, self.0.release(lease).await)
    }

    async fn leases(&self, prefix: &str) -> Result<Vec<HeldLease>> {
        let began = Instant::now();
        told("leases", began, self.0.leases(prefix).await)
    }

    async fn watch(&self, prefix: &str) -> Result<Watch> {
        let began = Instant::now();
        told("watch", began, self.0.watch(prefix).await)
    }

    async fn now(&self) -> Result<SystemTime> {
        let began = Instant::now();
        told("now", began, self.0.now().await)
    }
}

impl BlockingStore for Metered {
    fn get(&self, key: &str) -> Result<Option<Entry>> {
        let began = Instant::now();
        told("get", began, self.0.blocking().get(key))
    }

    fn set(&self, key: &str, value: Bytes, write: Write) -> Result<u64> {
        let began = Instant::now();
        told("set", began, self.0.blocking().set(key, value, write))
    }

    fn delete(&self, key: &str, fence: Option<Fence>) -> Result<bool> {
        let began = Instant::now();
        told("delete", began, self.0.blocking().delete(key, fence))
    }

    fn list(&self, prefix: &str) -> Result<Vec<Entry>> {
        let began = Instant::now();
        told("list", began, self.0.blocking().list(prefix))
    }

    fn cas(&self, key: &str, expected: Expect, new: Option<Bytes>, write: Write) -> Result<Cas> {
        let began = Instant::now();
        told("cas", began, self.0.blocking().cas(key, expected, new, write))
    }

    fn incr(&self, key: &str, by: f64) -> Result<f64> {
        let began = Instant::now();
        told("incr", began, self.0.blocking().incr(key, by))
    }
}
