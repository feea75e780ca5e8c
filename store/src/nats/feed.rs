//! Watches: a consumer of the bucket's stream, made anew (and the watches told to list again) with each connection.

use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::DeliverPolicy;
use async_nats::jetstream::consumer::push::{Ordered, OrderedConfig};
use futures::{Stream, StreamExt, TryStreamExt};

use crate::contract::{Result, Watch};
use crate::remote::io;
use crate::watch::{Hub, background};

use super::bucket::Bucket;
use super::clock::Clock;
use super::expiries::Expiries;
use super::key::key;
use super::record::Record;

/// How often the connection, the watches and the expiries are looked at.
const CHECK: Duration = Duration::from_millis(250);
/// The pause before the consumer is made again.
const PAUSE: Duration = Duration::from_millis(100);
/// How many keys that expired are looked at before changes are told again.
const AT_ONCE: usize = 64;

/// Feeds the watches of one store. Ends when the store is dropped or nobody watches any more.
struct Feed {
    hub: Weak<Hub>,
    bucket: Bucket,
    clock: Arc<Clock>,
    expiries: Expiries,
}

/// The entries' records, from a consumer of its own.
struct Consumed {
    messages: Ordered,
    /// How many there are already.
    waiting: u64,
}

/// Begins a watch.
pub(super) fn watch(hub: &Arc<Hub>, bucket: &Bucket, clock: &Arc<Clock>, prefix: &str) -> Result<Watch> {
    hub.add(prefix, || {
        let (hub, bucket, clock) = (Arc::downgrade(hub), bucket.clone(), clock.clone());
        let task = background("nats watch", &bucket.nats.place);
        task.spawn_on(io().handle(), Feed { hub, bucket, clock, expiries: Expiries::default() }.run());
        Ok(())
    })
}

impl Feed {
    async fn run(mut self) {
        let mut failing = false;
        loop {
            match self.follow(&mut failing).await {
                Ok(()) => return,
                Err(error) if !failing => {
                    failing = true;
                    tracing::warn!(store = %self.bucket.nats.place, %error, "the store's changes cannot be read; trying again");
                }
                Err(_) => {}
            }
            tokio::time::sleep(PAUSE).await;
            if self.hub.upgrade().is_none_or(|hub| !hub.retain()) {
                return;
            }
        }
    }

    /// Follows one consumer until the connection is lost, or until nobody watches any more.
    async fn follow(&mut self, failing: &mut bool) -> Result<()> {
        let nats = self.bucket.nats.clone();
        nats.check()?;
        let connects = nats.connects();
        let mut messages = self.consume(DeliverPolicy::New, false).await?.messages;
        // What was there before is remembered on the way: nobody waits until a large bucket is read.
        let older = self.consume(DeliverPolicy::LastPerSubject, true).await?;
        let mut older = (older.waiting > 0).then_some(older.messages);
        self.expiries = Expiries::default();
        // What has expired by now is not in the listing that follows, so nobody need be told.
        let listed = self.clock.now(&self.bucket).await?.earliest;
        match self.hub.upgrade() {
            Some(hub) => hub.resync(),
            None => return Ok(()),
        }
        *failing = false;
        let mut check = tokio::time::interval(CHECK);
        loop {
            tokio::select! {
                message = messages.next() => {
                    if let Some((key, record)) = self.record(message)?.1 {
                        self.tell(key, record).await?;
                    }
                }
                message = next(&mut older) => {
                    let (pending, record) = self.record(message)?;
                    if let Some((key, record)) = record && record.expires.is_some_and(|expires| expires > listed) {
                        self.expiries.note(&key, record.revision, record.expires);
                    }
                    if pending == 0 {
                        older = None;
                    }
                }
                _ = check.tick() => {
                    if self.hub.upgrade().is_none_or(|hub| !hub.retain()) {
                        return Ok(());
                    }
                    if nats.connects() != connects {
                        return Err(nats.away("the connection was made again"));
                    }
                    if self.expire().await? {
                        check.reset_immediately();
                    }
                }
            }
        }
    }

    async fn consume(&self, deliver_policy: DeliverPolicy, headers_only: bool) -> Result<Consumed> {
        let nats = &self.bucket.nats;
        let config = OrderedConfig {
            deliver_subject: nats.client.new_inbox(),
            filter_subject: format!("{}.>", self.bucket.entries),
            deliver_policy,
            headers_only,
            ..OrderedConfig::default()
        };
        let consumer = self.bucket.stream.create_consumer(config).await.map_err(|error| nats.away(error))?;
        let waiting = consumer.cached_info().num_pending;
        Ok(Consumed { messages: consumer.messages().await.map_err(|error| nats.away(error))?, waiting })
    }

    /// The key and the record in a message (`None`: not an entry's), and how many follow in the bucket.
    fn record<E: ToString>(&self, message: Option<Result<Message, E>>) -> Result<(u64, Option<(String, Record)>)> {
        let nats = &self.bucket.nats;
        let message = message.ok_or_else(|| nats.away("the consumer ended"))?.map_err(|error| nats.away(error))?;
        let info = message.info().map_err(|error| nats.away(error))?;
        let (revision, written) = (info.stream_sequence, info.published.unix_timestamp_nanos());
        let Some(key) = key(&self.bucket.entries, &message.subject) else { return Ok((info.pending, None)) };
        let record = Record::new(revision, message.payload.clone(), message.headers.as_ref(), written);
        Ok((info.pending, Some((key, record))))
    }

    async fn tell(&mut self, key: String, record: Record) -> Result<()> {
        let Some(hub) = self.hub.upgrade() else { return Ok(()) };
        self.expiries.note(&key, record.revision, record.expires);
        // What has expired already is told as gone.
        let now = match record.expires {
            Some(_) => self.clock.now(&self.bucket).await?.latest,
            None => SystemTime::UNIX_EPOCH,
        };
        hub.tell(&key, record.entry(&key, now).as_ref());
        Ok(())
    }

    /// Tells what went away by itself since the last time, some at once. True when there are more.
    async fn expire(&mut self) -> Result<bool> {
        if self.expiries.is_empty() {
            return Ok(false);
        }
        let now = self.clock.now(&self.bucket).await?.earliest;
        let due = self.expiries.take_due(now, AT_ONCE);
        let reads = due.into_iter().map(async |(key, revision)| {
            let newest = self.bucket.read(&super::key::subject(&self.bucket.entries, &key)).await?;
            // A newer record tells for itself.
            Ok(newest.is_none_or(|newest| newest.revision == revision).then_some(key))
        });
        let gone: Vec<Option<Arc<str>>> = futures::stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
        let Some(hub) = self.hub.upgrade() else { return Ok(false) };
        for key in gone.into_iter().flatten() {
            hub.tell(&key, None);
        }
        Ok(self.expiries.is_due(now))
    }
}

/// The next of what is still read; never when that is done.
async fn next(messages: &mut Option<Ordered>) -> Option<<Ordered as Stream>::Item> {
    match messages {
        Some(messages) => messages.next().await,
        None => std::future::pending().await,
    }
}
