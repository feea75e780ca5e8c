//! PostgreSQL as a backend.

use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use tokio_postgres::Row;

use crate::contract::{
    Acquire, Cas, Entry, Expect, Fence, HeldLease, Lease, MAX_VALUE, Moment, Result, Store, StoreError, Watch, Write,
    prefix_end,
};
use crate::remote::{Backend, Remote, io, on_io};
use crate::url::NetUrl;
use crate::watch::{Hub, background};

use super::client::Postgres;
use super::{listener, schema};

/// How often expired entries are taken away.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

struct PostgresStore {
    postgres: Postgres,
    hub: Arc<Hub>,
}

/// Opens `postgres://` or `postgresql://`.
pub(crate) async fn open(url: &str) -> Result<Arc<dyn Store>> {
    let url = NetUrl::parse(url, 5432, &[])?;
    let postgres = on_io(async move {
        let postgres = Postgres::new(&url)?;
        // Making the schema is more than one call.
        let limit = url.timeout * 5;
        let ensured = tokio::time::timeout(limit, schema::ensure(&postgres)).await;
        ensured.map_err(|_| StoreError::Unavailable {
            store: postgres.place.clone(),
            reason: format!("no answer within {limit:?}"),
        })??;
        Ok(postgres)
    });
    let store = PostgresStore { postgres: postgres.await?, hub: Arc::default() };
    let sweeping = sweep(store.postgres.clone(), Arc::downgrade(&store.hub));
    background("postgres sweep", &store.postgres.place).spawn_on(io().handle(), sweeping);
    Ok(Arc::new(Remote::new(store)))
}

/// Takes expired entries away. Ends when the store is dropped; a failure shows in the calls of others.
async fn sweep(postgres: Postgres, alive: Weak<Hub>) {
    let mut every = tokio::time::interval(SWEEP_EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        if alive.strong_count() == 0 {
            return;
        }
        let _ = tokio::time::timeout(postgres.timeout, postgres.rows("SELECT {ns}.sweep(200)", &[])).await;
    }
}

/// Columns `at` and on: key, value, version, expires.
pub(super) fn entry(row: &Row, at: usize) -> Entry {
    let value: Vec<u8> = row.get(at + 1);
    let version: i64 = row.get(at + 2);
    Entry { key: row.get(at), value: value.into(), version: version as u64, expires: row.get(at + 3) }
}

fn micros(ttl: Duration) -> i64 {
    i64::try_from(ttl.as_micros()).unwrap_or(i64::MAX / 2).min(i64::MAX / 2)
}

fn fence_args(fence: Option<&Fence>) -> (Option<&str>, Option<i64>) {
    (fence.map(|fence| fence.lease.as_str()), fence.map(|fence| fence.token as i64))
}

fn fenced(fence: Option<&Fence>) -> StoreError {
    let (lease, token) = fence.map_or((String::new(), 0), |fence| (fence.lease.clone(), fence.token));
    StoreError::Fenced { lease, token }
}

#[async_trait]
impl Backend for PostgresStore {
    const KIND: &'static str = "postgres";

    fn place(&self) -> String {
        self.postgres.place.clone()
    }

    fn timeout(&self) -> Duration {
        self.postgres.timeout
    }

    fn max_value(&self) -> usize {
        MAX_VALUE
    }

    async fn get(&self, key: &str) -> Result<Option<Entry>> {
        let sql = "SELECT key, value, version, expires FROM {ns}.entry
            WHERE key = $1 AND (expires IS NULL OR expires > clock_timestamp())";
        Ok(self.postgres.rows(sql, &[&key]).await?.first().map(|row| entry(row, 0)))
    }

    async fn set(&self, key: &str, value: Bytes, write: Write) -> Result<u64> {
        let (lease, token) = fence_args(write.fence.as_ref());
        let sql = "SELECT {ns}.put($1, $2, $3, $4, $5)";
        let row = self.postgres.row(sql, &[&key, &&value[..], &write.ttl.map(micros), &lease, &token]).await?;
        let version: Option<i64> = row.get(0);
        version.map(|version| version as u64).ok_or_else(|| fenced(write.fence.as_ref()))
    }

    async fn delete(&self, key: &str, fence: Option<Fence>) -> Result<bool> {
        let (lease, token) = fence_args(fence.as_ref());
        let row = self.postgres.row("SELECT {ns}.remove($1, $2, $3)", &[&key, &lease, &token]).await?;
        row.get::<_, Option<bool>>(0).ok_or_else(|| fenced(fence.as_ref()))
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Entry>> {
        let sql = "SELECT key, value, version, expires FROM {ns}.entry
            WHERE key >= $1 AND ($2::text IS NULL OR key < $2) AND (expires IS NULL OR expires > clock_timestamp())
            ORDER BY key";
        let rows = self.postgres.rows(sql, &[&prefix, &prefix_end(prefix)]).await?;
        Ok(rows.iter().map(|row| entry(row, 0)).collect())
    }

    async fn cas(&self, key: &str, expected: Expect, new: Option<Bytes>, write: Write) -> Result<Cas> {
        let (lease, token) = fence_args(write.fence.as_ref());
        let (mode, version, value) = match expected {
            Expect::Absent => ("absent", None, None),
            Expect::Version(version) => ("version", Some(version as i64), None),
            Expect::Value(value) => ("value", None, Some(value)),
        };
        let (value, new) = (value.as_deref(), new.as_deref());
        let sql = "SELECT status, key, value, version, expires FROM {ns}.cas($1, $2, $3, $4, $5, $6, $7, $8)";
        let ttl = write.ttl.map(micros);
        let row = self.postgres.row(sql, &[&key, &mode, &version, &value, &new, &ttl, &lease, &token]).await?;
        match row.get(0) {
            "fenced" => Err(fenced(write.fence.as_ref())),
            "conflict" => Ok(Cas::Conflict(row.get::<_, Option<String>>(1).map(|_| entry(&row, 1)))),
            _ => Ok(Cas::Swapped(row.get::<_, i64>(3) as u64)),
        }
    }

    async fn incr(&self, key: &str, by: f64) -> Result<f64> {
        let not_a_number = |found: String| StoreError::NotANumber { key: key.to_owned(), found };
        if !by.is_finite() {
            return Err(not_a_number(by.to_string()));
        }
        let row = match self.postgres.row("SELECT sum, wrong FROM {ns}.incr($1, $2)", &[&key, &by]).await {
            Err(StoreError::Refused { reason, .. }) if reason.contains("22003") => {
                return Err(not_a_number("a number too large to add to".to_owned()));
            }
            other => other?,
        };
        let found = row.get::<_, Option<Vec<u8>>>(1).unwrap_or_default();
        let shown = || String::from_utf8_lossy(&found[..found.len().min(40)]).into_owned();
        row.get::<_, Option<f64>>(0).ok_or_else(|| not_a_number(shown()))
    }

    async fn acquire(&self, name: &str, holder: &str, ttl: Duration, asked: Moment) -> Result<Acquire> {
        let sql = "SELECT token, holder, held_token, left_us FROM {ns}.acquire($1, $2, $3)";
        let row = self.postgres.row(sql, &[&name, &holder, &micros(ttl)]).await?;
        let name = name.to_owned();
        if let Some(token) = row.get::<_, Option<i64>>(0) {
            let lease = Lease { name, holder: holder.to_owned(), token: token as u64, ttl, until: asked + ttl };
            return Ok(Acquire::Granted(lease));
        }
        let remaining = Duration::from_micros(row.get::<_, i64>(3) as u64);
        Ok(Acquire::Held(HeldLease { name, holder: row.get(1), token: row.get::<_, i64>(2) as u64, remaining }))
    }

    async fn renew(&self, lease: &Lease, asked: Moment) -> Result<Lease> {
        let sql = "UPDATE {ns}.lease SET expires = {ns}.after($3)
            WHERE name = $1 AND token = $2 AND expires > clock_timestamp() RETURNING 1";
        let rows = self.postgres.rows(sql, &[&lease.name, &(lease.token as i64), &micros(lease.ttl)]).await?;
        if rows.is_empty() {
            return Err(fenced(Some(&lease.fence())));
        }
        Ok(Lease { until: asked + lease.ttl, ..lease.clone() })
    }

    async fn release(&self, lease: &Lease) -> Result<bool> {
        let sql = "DELETE FROM {ns}.lease WHERE name = $1 AND token = $2 AND expires > clock_timestamp() RETURNING 1";
        Ok(!self.postgres.rows(sql, &[&lease.name, &(lease.token as i64)]).await?.is_empty())
    }

    async fn leases(&self, prefix: &str) -> Result<Vec<HeldLease>> {
        let sql = "SELECT name, holder, token,
                greatest(0, extract(epoch FROM expires - clock_timestamp()) * 1000000)::bigint
            FROM {ns}.lease WHERE name >= $1 AND ($2::text IS NULL OR name < $2) AND expires > clock_timestamp()
            ORDER BY name";
        let rows = self.postgres.rows(sql, &[&prefix, &prefix_end(prefix)]).await?;
        let held = |row: &Row| HeldLease {
            name: row.get(0),
            holder: row.get(1),
            token: row.get::<_, i64>(2) as u64,
            remaining: Duration::from_micros(row.get::<_, i64>(3) as u64),
        };
        Ok(rows.iter().map(held).collect())
    }

    async fn watch(&self, prefix: &str) -> Result<Watch> {
        listener::watch(&self.hub, &self.postgres, prefix)
    }

    async fn now(&self) -> Result<SystemTime> {
        Ok(self.postgres.row("SELECT clock_timestamp()", &[]).await?.get(0))
    }
}
