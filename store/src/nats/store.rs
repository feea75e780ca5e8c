//! NATS as a backend.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_nats::HeaderMap;
use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::Mutex;

use crate::contract::{Acquire, Cas, Entry, Expect, Fence, HeldLease, Lease, Moment, Result, Store, Watch, Write, add};
use crate::remote::{Backend, Remote, on_io};
use crate::url::NetUrl;
use crate::watch::Hub;

use super::bucket::{Bucket, Replaces};
use super::client::Nats;
use super::clock::Clock;
use super::key::subject;
use super::record::{Record, delete_headers, value_headers};
use super::{feed, janitor, lease};

/// What a message needs besides its value.
const HEADERS: usize = 4 * 1024;

struct NatsStore {
    bucket: Bucket,
    clock: Arc<Clock>,
    hub: Arc<Hub>,
    /// One change of a read value at a time: this process's own calls do not make each other try again.
    turn: Mutex<()>,
}

/// What a change of a value becomes.
enum Change<T> {
    /// Nothing is written.
    Keep(T),
    /// A value (`None`: a deletion) is written; the answer is made from the new revision.
    Put(Option<Bytes>, HeaderMap, Box<dyn FnOnce(u64) -> T + Send>),
}

/// Opens `nats://` or `tls://`.
pub(crate) async fn open(url: &str) -> Result<Arc<dyn Store>> {
    let url = NetUrl::parse(url, 4222, &["tls"])?;
    let store = on_io(async move {
        let bucket = Bucket::open(Nats::connect(&url).await?, &url.namespace).await?;
        let clock = Arc::new(Clock::open(&bucket, &url.namespace).await?);
        let hub = Arc::default();
        janitor::start(&hub, &bucket, &clock);
        Ok(NatsStore { bucket, clock, hub, turn: Mutex::new(()) })
    });
    Ok(Arc::new(Remote::new(store.await?)))
}

impl NatsStore {
    /// Reads a key, decides, and writes if nothing changed since; else again.
    async fn change<T: Send>(
        &self,
        key: &str,
        fence: Option<&Fence>,
        decide: impl Fn(Option<Entry>) -> Result<Change<T>> + Send + Sync,
    ) -> Result<T> {
        let subject = subject(&self.bucket.entries, key);
        let _turn = self.turn.lock().await;
        loop {
            let all = match fence {
                Some(fence) => {
                    // The order matters: what is read after this revision is still so when the server accepts it.
                    let revision = self.bucket.revision().await?;
                    lease::check(&self.bucket, &self.clock, fence).await?;
                    Some(revision)
                }
                None => None,
            };
            let record = self.bucket.read(&subject).await?;
            let own = record.as_ref().map_or(0, |record| record.revision);
            match decide(self.entry(key, record).await?)? {
                Change::Keep(answer) => return Ok(answer),
                Change::Put(value, headers, answer) => {
                    let replaces = all.map_or(Replaces::Revision(own), |all| Replaces::Stream { all, own });
                    let written = self.bucket.write(&subject, value.unwrap_or_default(), headers, replaces).await?;
                    if let Some(revision) = written {
                        return Ok(answer(revision));
                    }
                }
            }
        }
    }

    async fn entry(&self, key: &str, record: Option<Record>) -> Result<Option<Entry>> {
        let Some(record) = record else { return Ok(None) };
        // The clock is asked for only when it matters.
        let now = match record.expires {
            Some(_) => self.clock.now(&self.bucket).await?.latest,
            None => SystemTime::UNIX_EPOCH,
        };
        Ok(record.entry(key, now))
    }
}

fn put<T>(value: Option<Bytes>, ttl: Option<Duration>, answer: impl FnOnce(u64) -> T + Send + 'static) -> Change<T> {
    let headers = if value.is_some() { value_headers(ttl, None) } else { delete_headers() };
    Change::Put(value, headers, Box::new(answer))
}

#[async_trait]
impl Backend for NatsStore {
    const KIND: &'static str = "nats";

    fn place(&self) -> String {
        self.bucket.nats.place.clone()
    }

    fn timeout(&self) -> Duration {
        self.bucket.nats.timeout
    }

    fn max_value(&self) -> usize {
        self.bucket.nats.client.server_info().max_payload.saturating_sub(HEADERS).min(crate::contract::MAX_VALUE)
    }

    async fn get(&self, key: &str) -> Result<Option<Entry>> {
        let record = self.bucket.read(&subject(&self.bucket.entries, key)).await?;
        self.entry(key, record).await
    }

    async fn set(&self, key: &str, value: Bytes, write: Write) -> Result<u64> {
        if let Some(fence) = &write.fence {
            let decide = |_| Ok(put(Some(value.clone()), write.ttl, |revision| revision));
            return self.change(key, Some(fence), decide).await;
        }
        let headers = value_headers(write.ttl, None);
        let subject = subject(&self.bucket.entries, key);
        let written = self.bucket.write(&subject, value, headers, Replaces::Anything).await?;
        written.ok_or_else(|| self.bucket.nats.away("a write that replaces anything was refused"))
    }

    async fn delete(&self, key: &str, fence: Option<Fence>) -> Result<bool> {
        let decide = |current: Option<Entry>| match current {
            None => Ok(Change::Keep(false)),
            Some(_) => Ok(put(None, None, |_| true)),
        };
        self.change(key, fence.as_ref(), decide).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Entry>> {
        let records = self.bucket.records(&self.bucket.entries, prefix).await?;
        let now = self.clock.now(&self.bucket).await?.latest;
        Ok(records.into_iter().filter_map(|(key, record)| record.entry(&key, now)).collect())
    }

    async fn cas(&self, key: &str, expected: Expect, new: Option<Bytes>, write: Write) -> Result<Cas> {
        let decide = |current: Option<Entry>| {
            if !expected.holds(current.as_ref()) {
                return Ok(Change::Keep(Cas::Conflict(current)));
            }
            let is_put = new.is_some();
            if !is_put && current.is_none() {
                return Ok(Change::Keep(Cas::Swapped(0)));
            }
            Ok(put(new.clone(), write.ttl, move |revision| Cas::Swapped(if is_put { revision } else { 0 })))
        };
        self.change(key, write.fence.as_ref(), decide).await
    }

    async fn incr(&self, key: &str, by: f64) -> Result<f64> {
        let decide = |current: Option<Entry>| {
            let (sum, text) = add(key, current.as_ref().map(|entry| &entry.value[..]), by)?;
            let headers = value_headers(None, current.and_then(|entry| entry.expires));
            Ok(Change::Put(Some(Bytes::from(text)), headers, Box::new(move |_| sum)))
        };
        self.change(key, None, decide).await
    }

    async fn acquire(&self, name: &str, holder: &str, ttl: Duration, asked: Moment) -> Result<Acquire> {
        lease::acquire(&self.bucket, &self.clock, name, holder, ttl, asked).await
    }

    async fn renew(&self, lease: &Lease, asked: Moment) -> Result<Lease> {
        lease::renew(&self.bucket, &self.clock, lease, asked).await
    }

    async fn release(&self, lease: &Lease) -> Result<bool> {
        lease::release(&self.bucket, &self.clock, lease).await
    }

    async fn leases(&self, prefix: &str) -> Result<Vec<HeldLease>> {
        lease::list(&self.bucket, &self.clock, prefix).await
    }

    async fn watch(&self, prefix: &str) -> Result<Watch> {
        feed::watch(&self.hub, &self.bucket, &self.clock, prefix)
    }

    async fn now(&self) -> Result<SystemTime> {
        Ok(self.clock.now(&self.bucket).await?.earliest)
    }
}
