//! Takes away what nobody needs any more: deleted and expired entries, leases that ended.

use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use crate::contract::Result;
use crate::remote::io;
use crate::watch::{Hub, background};

use super::bucket::Bucket;
use super::clock::Clock;

/// How often the whole bucket is looked through.
const EVERY: Duration = Duration::from_mins(5);
/// How long a dead record stays: longer than any watch needs to be told of it.
const KEEP: Duration = Duration::from_mins(10);
/// How long a lease's record stays after its last change: past any lease that is in use.
const KEEP_LEASE: Duration = Duration::from_hours(24);

/// Starts the janitor of one store; it ends when the store is dropped.
pub(super) fn start(alive: &Arc<Hub>, bucket: &Bucket, clock: &Arc<Clock>) {
    let (alive, bucket, clock): (Weak<Hub>, _, _) = (Arc::downgrade(alive), bucket.clone(), clock.clone());
    background("nats janitor", &bucket.nats.place).spawn_on(io().handle(), async move {
        let mut every = tokio::time::interval_at(tokio::time::Instant::now() + EVERY, EVERY);
        loop {
            every.tick().await;
            if alive.strong_count() == 0 {
                return;
            }
            if let Err(error) = clean(&bucket, &clock).await {
                tracing::debug!(store = %bucket.nats.place, %error, "dead records stay until the next round");
            }
        }
    });
}

async fn clean(bucket: &Bucket, clock: &Clock) -> Result<()> {
    let now = clock.now(bucket).await?.earliest;
    let before = |time: SystemTime, keep: Duration| time + keep < now;
    for (_, record) in bucket.records(&bucket.entries, "").await? {
        let dead = if record.deleted { Some(record.written) } else { record.expires };
        if dead.is_some_and(|dead| before(dead, KEEP)) {
            remove(bucket, record.revision).await?;
        }
    }
    for (_, record) in bucket.records(&bucket.leases, "").await? {
        if before(record.written, KEEP_LEASE) {
            remove(bucket, record.revision).await?;
        }
    }
    Ok(())
}

/// Removes exactly this record: a newer one of the same key has another revision and stays.
async fn remove(bucket: &Bucket, revision: u64) -> Result<()> {
    bucket.nats.check()?;
    // One that is gone already is fine.
    let _ = bucket.stream.delete_message(revision).await;
    Ok(())
}
