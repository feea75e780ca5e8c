//! Leases: one record each, replaced only in the revision that was read.

use std::time::{Duration, UNIX_EPOCH};

use async_nats::HeaderMap;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::contract::{Acquire, Fence, HeldLease, Lease, Moment, Result, StoreError};

use super::bucket::{Bucket, Replaces};
use super::clock::{Clock, Now};
use super::key::subject;
use super::record::Record;

/// A lease's record. It ends `ttl` after the server took it. Released ones stay for a while, so that tokens only grow.
#[derive(Serialize, Deserialize)]
struct Body {
    holder: String,
    token: u64,
    /// Milliseconds; 0 when it was released.
    ttl: u64,
}

/// What a record says at some time.
struct Found {
    body: Body,
    revision: u64,
    /// What is left of it at the earliest of now.
    longest: Duration,
    /// What is left of it at the latest of now.
    shortest: Duration,
}

/// Grants a lease that nobody else holds.
pub(super) async fn acquire(
    bucket: &Bucket,
    clock: &Clock,
    name: &str,
    holder: &str,
    ttl: Duration,
    asked: Moment,
) -> Result<Acquire> {
    loop {
        let found = find(bucket, clock, name).await?;
        if let Some(found) = found.as_ref().filter(|found| found.body.holder != holder && !found.longest.is_zero()) {
            return Ok(Acquire::Held(held(name, found)));
        }
        let server = clock.now(bucket).await?.earliest.duration_since(UNIX_EPOCH).unwrap_or_default();
        let last = found.as_ref().map_or(0, |found| found.body.token);
        // At least the clock: tokens also grow when the server lost its data.
        let token = (last + 1).max(u64::try_from(server.as_micros()).unwrap_or_default());
        let revision = found.map_or(0, |found| found.revision);
        let body = Body { holder: holder.to_owned(), token, ttl: millis(ttl) };
        if write(bucket, name, &body, revision).await? {
            let (name, holder) = (name.to_owned(), holder.to_owned());
            return Ok(Acquire::Granted(Lease { name, holder, token, ttl, until: asked + ttl }));
        }
    }
}

/// Extends a lease that is still held.
pub(super) async fn renew(bucket: &Bucket, clock: &Clock, lease: &Lease, asked: Moment) -> Result<Lease> {
    loop {
        let found = held_by(bucket, clock, &lease.fence()).await?;
        let body = Body { ttl: millis(lease.ttl), ..found.body };
        if write(bucket, &lease.name, &body, found.revision).await? {
            return Ok(Lease { until: asked + lease.ttl, ..lease.clone() });
        }
    }
}

/// Ends a lease now.
pub(super) async fn release(bucket: &Bucket, clock: &Clock, lease: &Lease) -> Result<bool> {
    loop {
        let found = match held_by(bucket, clock, &lease.fence()).await {
            Err(StoreError::Fenced { .. }) => return Ok(false),
            other => other?,
        };
        if write(bucket, &lease.name, &Body { ttl: 0, ..found.body }, found.revision).await? {
            return Ok(true);
        }
    }
}

/// The leases that are held, by name.
pub(super) async fn list(bucket: &Bucket, clock: &Clock, prefix: &str) -> Result<Vec<HeldLease>> {
    let records = bucket.records(&bucket.leases, prefix).await?;
    let now = clock.now(bucket).await?;
    let found = records.into_iter().filter_map(|(name, record)| Some((name, read(bucket, record, now).ok()?)));
    Ok(found.filter(|(_, found)| !found.longest.is_zero()).map(|(name, found)| held(&name, &found)).collect())
}

/// Refuses when a lease is not held.
pub(super) async fn check(bucket: &Bucket, clock: &Clock, fence: &Fence) -> Result<()> {
    held_by(bucket, clock, fence).await.map(drop)
}

async fn held_by(bucket: &Bucket, clock: &Clock, fence: &Fence) -> Result<Found> {
    let found = find(bucket, clock, &fence.lease).await?;
    let found = found.filter(|found| found.body.token == fence.token && !found.shortest.is_zero());
    found.ok_or_else(|| StoreError::Fenced { lease: fence.lease.clone(), token: fence.token })
}

async fn find(bucket: &Bucket, clock: &Clock, name: &str) -> Result<Option<Found>> {
    let now = clock.now(bucket).await?;
    let record = bucket.read(&subject(&bucket.leases, name)).await?;
    record.map(|record| read(bucket, record, now)).transpose()
}

fn read(bucket: &Bucket, record: Record, now: Now) -> Result<Found> {
    let body: Body = serde_json::from_slice(&record.value).map_err(|error| StoreError::Corrupt {
        store: bucket.nats.place.clone(),
        reason: format!("a lease's record cannot be read: {error}"),
    })?;
    let end = record.written + Duration::from_millis(body.ttl);
    let left = |now| if body.ttl == 0 { Duration::ZERO } else { end.duration_since(now).unwrap_or_default() };
    Ok(Found { longest: left(now.earliest), shortest: left(now.latest), revision: record.revision, body })
}

fn held(name: &str, found: &Found) -> HeldLease {
    let (holder, token) = (found.body.holder.clone(), found.body.token);
    HeldLease { name: name.to_owned(), holder, token, remaining: found.longest }
}

async fn write(bucket: &Bucket, name: &str, body: &Body, revision: u64) -> Result<bool> {
    let value = serde_json::to_vec(body).expect("text and numbers are JSON");
    let replaces = Replaces::Revision(revision);
    let subject = subject(&bucket.leases, name);
    Ok(bucket.write(&subject, Bytes::from(value), HeaderMap::new(), replaces).await?.is_some())
}

/// Milliseconds, at least 1: 0 means released. Cut-off parts count for one more, so that it never ends early.
fn millis(ttl: Duration) -> u64 {
    u64::try_from(ttl.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX / 4).max(1)
}
