//! Watches: a consumer of the bucket's stream, made anew (and the watches told to list again) with each connection.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use async_nats::jetstream::consumer::DeliverPolicy;
use async_nats::jetstream::consumer::push::OrderedConfig;
use futures::StreamExt;

use crate::contract::{Result, Watch};
use crate::remote::io;
use crate::watch::Hub;

use super::bucket::Bucket;
use super::clock::Clock;
use super::key::key;
use super::record::Record;

/// How often the connection, the watches and the expiries are looked at.
const CHECK: Duration = Duration::from_millis(250);
/// The pause before the consumer is made again.
const PAUSE: Duration = Duration::from_millis(100);
/// How many expiries are remembered; what is beyond shows at the next listing.
const EXPIRIES: usize = 100_000;

/// Feeds the watches of one store. Ends when the store is dropped or nobody watches any more.
struct Feed {
    hub: Weak<Hub>,
    bucket: Bucket,
    clock: Arc<Clock>,
    /// When which key goes away by itself.
    expiries: BTreeMap<(SystemTime, String), u64>,
}

/// Begins a watch.
pub(super) fn watch(hub: &Arc<Hub>, bucket: &Bucket, clock: &Arc<Clock>, prefix: &str) -> Result<Watch> {
    hub.add(prefix, || {
        let (hub, bucket, clock) = (Arc::downgrade(hub), bucket.clone(), clock.clone());
        io().spawn(Feed { hub, bucket, clock, expiries: BTreeMap::new() }.run());
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
        let config = OrderedConfig {
            deliver_subject: nats.client.new_inbox(),
            filter_subject: format!("{}.>", self.bucket.entries),
            deliver_policy: DeliverPolicy::New,
            ..OrderedConfig::default()
        };
        let consumer = self.bucket.stream.create_consumer(config).await.map_err(|error| nats.away(error))?;
        let mut messages = consumer.messages().await.map_err(|error| nats.away(error))?;
        self.remember_expiries().await?;
        match self.hub.upgrade() {
            Some(hub) => hub.resync(),
            None => return Ok(()),
        }
        *failing = false;
        let mut check = tokio::time::interval(CHECK);
        loop {
            tokio::select! {
                message = messages.next() => {
                    let Some(message) = message else { return Err(nats.away("the consumer ended")) };
                    let message = message.map_err(|error| nats.away(error))?;
                    let info = message.info().map_err(|error| nats.away(error))?;
                    let (revision, written) = (info.stream_sequence, info.published.unix_timestamp_nanos());
                    let Some(key) = key(&self.bucket.entries, &message.subject) else { continue };
                    let record = Record::new(revision, message.payload.clone(), message.headers.as_ref(), written);
                    self.tell(key, record).await?;
                }
                _ = check.tick() => {
                    if self.hub.upgrade().is_none_or(|hub| !hub.retain()) {
                        return Ok(());
                    }
                    if nats.connects() != connects {
                        return Err(nats.away("the connection was made again"));
                    }
                    self.expire().await?;
                }
            }
        }
    }

    async fn tell(&mut self, key: String, record: Record) -> Result<()> {
        let Some(hub) = self.hub.upgrade() else { return Ok(()) };
        if let Some(expires) = record.expires.filter(|_| self.expiries.len() < EXPIRIES) {
            self.expiries.insert((expires, key.clone()), record.revision);
        }
        // What has expired already is told as gone.
        let now = match record.expires {
            Some(_) => self.clock.now(&self.bucket).await?.latest,
            None => SystemTime::UNIX_EPOCH,
        };
        hub.tell(&key, record.entry(&key, now).as_ref());
        Ok(())
    }

    /// What is there already and will go away by itself.
    async fn remember_expiries(&mut self) -> Result<()> {
        let records = self.bucket.records(&self.bucket.entries, "").await?;
        self.expiries = records
            .into_iter()
            .filter_map(|(key, record)| Some(((record.expires?, key), record.revision)))
            .take(EXPIRIES)
            .collect();
        Ok(())
    }

    /// Tells what went away by itself since the last time.
    async fn expire(&mut self) -> Result<()> {
        let Some((first, _)) = self.expiries.first_key_value() else { return Ok(()) };
        let now = self.clock.now(&self.bucket).await?.earliest;
        if first.0 > now {
            return Ok(());
        }
        let later = self.expiries.split_off(&(now, String::new()));
        let gone = std::mem::replace(&mut self.expiries, later);
        let Some(hub) = self.hub.upgrade() else { return Ok(()) };
        for ((_, key), revision) in gone {
            let newest = self.bucket.read(&super::key::subject(&self.bucket.entries, &key)).await?;
            // A newer record has told for itself.
            if newest.is_none_or(|newest| newest.revision == revision) {
                hub.tell(&key, None);
            }
        }
        Ok(())
    }
}
