//! A [`Backend`] as a [`Store`].

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;

use crate::contract::{
    Acquire, BlockingStore, Cas, Entry, Expect, Fence, HeldLease, Lease, Moment, Result, Store, StoreError, Watch,
    Write, check_key, check_value,
};

use super::backend::Backend;
use super::runtime::on_io;

/// Adds to a backend what all of them need: checks, the time-out, and a runtime that is not the caller's.
pub(crate) struct Remote<B> {
    backend: Arc<B>,
}

impl<B: Backend> Remote<B> {
    /// A store of this backend.
    pub(crate) fn new(backend: B) -> Remote<B> {
        Remote { backend: Arc::new(backend) }
    }

    /// One call, with the time-out: it ends also when nobody waits for it any more.
    pub(super) fn call<R, F>(&self, f: impl FnOnce(Arc<B>) -> F) -> impl Future<Output = Result<R>> + Send + 'static
    where
        R: Send + 'static,
        F: Future<Output = Result<R>> + Send + 'static,
    {
        let backend = self.backend.clone();
        let work = f(backend.clone());
        async move {
            let limit = backend.timeout();
            tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
                let reason = format!("no answer within {limit:?}");
                Err(StoreError::Unavailable { store: backend.place(), reason })
            })
        }
    }

    pub(super) fn check(&self, key: &str, value: Option<&Bytes>) -> Result<()> {
        check_key(key)?;
        check_value(key, value.map_or(&[], |value| &value[..]), self.backend.max_value(), B::KIND)
    }

    pub(super) fn place(&self) -> String {
        self.backend.place()
    }

    pub(super) fn timeout(&self) -> Duration {
        self.backend.timeout()
    }
}

#[async_trait]
impl<B: Backend> Store for Remote<B> {
    fn kind(&self) -> &'static str {
        B::KIND
    }

    fn blocking(&self) -> &dyn BlockingStore {
        self
    }

    async fn get(&self, key: &str) -> Result<Option<Entry>> {
        self.check(key, None)?;
        let key = key.to_owned();
        on_io(self.call(|b| async move { b.get(&key).await })).await
    }

    async fn set(&self, key: &str, value: Bytes, write: Write) -> Result<u64> {
        self.check(key, Some(&value))?;
        let key = key.to_owned();
        on_io(self.call(|b| async move { b.set(&key, value, write).await })).await
    }

    async fn delete(&self, key: &str, fence: Option<Fence>) -> Result<bool> {
        self.check(key, None)?;
        let key = key.to_owned();
        on_io(self.call(|b| async move { b.delete(&key, fence).await })).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Entry>> {
        let prefix = prefix.to_owned();
        on_io(self.call(|b| async move { b.list(&prefix).await })).await
    }

    async fn cas(&self, key: &str, expected: Expect, new: Option<Bytes>, write: Write) -> Result<Cas> {
        self.check(key, new.as_ref())?;
        let key = key.to_owned();
        on_io(self.call(|b| async move { b.cas(&key, expected, new, write).await })).await
    }

    async fn incr(&self, key: &str, by: f64) -> Result<f64> {
        self.check(key, None)?;
        let key = key.to_owned();
        on_io(self.call(|b| async move { b.incr(&key, by).await })).await
    }

    async fn acquire(&self, name: &str, holder: &str, ttl: Duration) -> Result<Acquire> {
        let asked = Moment::now();
        self.check(name, None)?;
        let (name, holder) = (name.to_owned(), holder.to_owned());
        on_io(self.call(|b| async move { b.acquire(&name, &holder, ttl, asked).await })).await
    }

    async fn renew(&self, lease: &Lease) -> Result<Lease> {
        let (asked, lease) = (Moment::now(), lease.clone());
        on_io(self.call(|b| async move { b.renew(&lease, asked).await })).await
    }

    async fn release(&self, lease: &Lease) -> Result<bool> {
        let lease = lease.clone();
        on_io(self.call(|b| async move { b.release(&lease).await })).await
    }

    async fn leases(&self, prefix: &str) -> Result<Vec<HeldLease>> {
        let prefix = prefix.to_owned();
        on_io(self.call(|b| async move { b.leases(&prefix).await })).await
    }

    async fn watch(&self, prefix: &str) -> Result<Watch> {
        let prefix = prefix.to_owned();
        on_io(self.call(|b| async move { b.watch(&prefix).await })).await
    }

    async fn now(&self) -> Result<SystemTime> {
        on_io(self.call(|b| async move { b.now().await })).await
    }
}
