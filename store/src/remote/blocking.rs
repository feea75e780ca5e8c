//! Calls that wait on the calling thread.

use std::future::Future;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use bytes::Bytes;

use crate::contract::{BlockingStore, Cas, Entry, Expect, Fence, Result, StoreError, Write};

use super::adapter::Remote;
use super::backend::Backend;
use super::runtime::{call, io};

/// The call has a time-out of its own; this is for a machine that is too busy to keep it.
const GRACE: Duration = Duration::from_millis(250);

impl<B: Backend> Remote<B> {
    fn wait<R: Send + 'static>(&self, work: impl Future<Output = Result<R>> + Send + 'static) -> Result<R> {
        let (answer, answered) = sync_channel(1);
        call().spawn_on(io().handle(), async move {
            // The caller may have stopped waiting.
            let _ = answer.send(work.await);
        });
        answered.recv_timeout(self.timeout() + GRACE).unwrap_or_else(|_| {
            let reason = format!("no answer within {:?}", self.timeout());
            Err(StoreError::Unavailable { store: self.place(), reason })
        })
    }
}

impl<B: Backend> BlockingStore for Remote<B> {
    fn get(&self, key: &str) -> Result<Option<Entry>> {
        self.check(key, None)?;
        let key = key.to_owned();
        self.wait(self.call(|b| async move { b.get(&key).await }))
    }

    fn set(&self, key: &str, value: Bytes, write: Write) -> Result<u64> {
        self.check(key, Some(&value))?;
        let key = key.to_owned();
        self.wait(self.call(|b| async move { b.set(&key, value, write).await }))
    }

    fn delete(&self, key: &str, fence: Option<Fence>) -> Result<bool> {
        self.check(key, None)?;
        let key = key.to_owned();
        self.wait(self.call(|b| async move { b.delete(&key, fence).await }))
    }

    fn list(&self, prefix: &str) -> Result<Vec<Entry>> {
        let prefix = prefix.to_owned();
        self.wait(self.call(|b| async move { b.list(&prefix).await }))
    }

    fn cas(&self, key: &str, expected: Expect, new: Option<Bytes>, write: Write) -> Result<Cas> {
        self.check(key, new.as_ref())?;
        let key = key.to_owned();
        self.wait(self.call(|b| async move { b.cas(&key, expected, new, write).await }))
    }

    fn incr(&self, key: &str, by: f64) -> Result<f64> {
        self.check(key, None)?;
        let key = key.to_owned();
        self.wait(self.call(|b| async move { b.incr(&key, by).await }))
    }
}
