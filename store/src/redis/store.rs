//! Redis as a backend.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use bytes::Bytes;

use crate::contract::{
    Acquire, Cas, Entry, Expect, Fence, HeldLease, Lease, MAX_VALUE, Moment, Result, Store, StoreError, Watch, Write,
    prefix_end,
};
use crate::remote::{Backend, Remote, on_io};
use crate::url::NetUrl;
use crate::watch::Hub;

use super::client::Redis;
use super::watch;

/// How many entries one call lists, so that the server is never kept long.
const PAGE: usize = 500;

struct RedisStore {
    redis: Redis,
    hub: Arc<Hub>,
}

/// Opens `redis://` or `rediss://`.
pub(crate) async fn open(url: &str) -> Result<Arc<dyn Store>> {
    let url = NetUrl::parse(url, 6379, &["rediss"])?;
    let redis = on_io(async move {
        let redis = Redis::connect(&url).await?;
        redis.run("now", &[]).await?;
        Ok(redis)
    });
    Ok(Arc::new(Remote::new(RedisStore { redis: redis.await?, hub: Arc::default() })))
}

/// Lease and token as the script takes them.
fn fence_args(fence: Option<&Fence>) -> (&str, String) {
    fence.map_or(("", String::new()), |fence| (&fence.lease, fence.token.to_string()))
}

fn ttl_arg(ttl: Option<Duration>) -> String {
    ttl.map(|ttl| ttl.as_millis().to_string()).unwrap_or_default()
}

impl RedisStore {
    /// Calls a listing operation page by page; `take` reads a row (its name, then three parts from an index on).
    async fn pages(
        &self,
        operation: &str,
        prefix: &str,
        mut take: impl FnMut(&super::reply::Reply, String, usize) -> Result<()> + Send,
    ) -> Result<()> {
        let end = prefix_end(prefix).map_or_else(|| "+".to_owned(), |end| format!("({end}"));
        let mut from = format!("[{prefix}");
        loop {
            let limit = PAGE.to_string();
            let reply = self.redis.run(operation, &[from.as_bytes(), end.as_bytes(), limit.as_bytes()]).await?;
            for row in 0..reply.rows() {
                let name = reply.text(1 + row * 4)?;
                from = format!("({name}");
                take(&reply, name, 2 + row * 4)?;
            }
            if reply.rows() < PAGE {
                return Ok(());
            }
        }
    }
}

#[async_trait]
impl Backend for RedisStore {
    const KIND: &'static str = "redis";

    fn place(&self) -> String {
        self.redis.place().to_owned()
    }

    fn timeout(&self) -> Duration {
        self.redis.timeout
    }

    fn max_value(&self) -> usize {
        MAX_VALUE
    }

    async fn get(&self, key: &str) -> Result<Option<Entry>> {
        self.redis.run("get", &[key.as_bytes()]).await?.entry(key, 1)
    }

    async fn set(&self, key: &str, value: Bytes, write: Write) -> Result<u64> {
        let (lease, token) = fence_args(write.fence.as_ref());
        let ttl = ttl_arg(write.ttl);
        let args = [key.as_bytes(), &value, ttl.as_bytes(), lease.as_bytes(), token.as_bytes()];
        self.redis.run("set", &args).await?.unless_fenced(write.fence.as_ref())?.number(1)
    }

    async fn delete(&self, key: &str, fence: Option<Fence>) -> Result<bool> {
        let (lease, token) = fence_args(fence.as_ref());
        let reply = self.redis.run("delete", &[key.as_bytes(), lease.as_bytes(), token.as_bytes()]).await?;
        Ok(reply.unless_fenced(fence.as_ref())?.word() == "ok")
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Entry>> {
        let mut entries = Vec::new();
        self.pages("list", prefix, |reply, name, at| {
            entries.extend(reply.entry(&name, at)?);
            Ok(())
        })
        .await?;
        Ok(entries)
    }

    async fn cas(&self, key: &str, expected: Expect, new: Option<Bytes>, write: Write) -> Result<Cas> {
        let (lease, token) = fence_args(write.fence.as_ref());
        let (mode, expected) = match expected {
            Expect::Absent => ("absent", Bytes::new()),
            Expect::Version(version) => ("version", Bytes::from(version.to_string())),
            Expect::Value(value) => ("value", value),
        };
        let (action, value) = new.map_or(("delete", Bytes::new()), |value| ("set", value));
        let ttl = ttl_arg(write.ttl);
        let args: [&[u8]; 8] = [
            key.as_bytes(),
            mode.as_bytes(),
            &expected,
            action.as_bytes(),
            &value,
            ttl.as_bytes(),
            lease.as_bytes(),
            token.as_bytes(),
        ];
        let reply = self.redis.run("cas", &args).await?.unless_fenced(write.fence.as_ref())?;
        match reply.word() {
            "conflict" => Ok(Cas::Conflict(reply.entry(key, 1)?)),
            _ => Ok(Cas::Swapped(reply.number(1)?)),
        }
    }

    async fn incr(&self, key: &str, by: f64) -> Result<f64> {
        let not_a_number = |found: String| StoreError::NotANumber { key: key.to_owned(), found };
        if !by.is_finite() {
            return Err(not_a_number(by.to_string()));
        }
        let reply = self.redis.run("incr", &[key.as_bytes(), format!("{by:e}").as_bytes()]).await?;
        let text = reply.text(1)?;
        if reply.word() == "nan" { Err(not_a_number(text)) } else { text.parse().map_err(|_| not_a_number(text)) }
    }

    async fn acquire(&self, name: &str, holder: &str, ttl: Duration, asked: Moment) -> Result<Acquire> {
        let millis = ttl.as_millis().to_string();
        let reply = self.redis.run("acquire", &[name.as_bytes(), holder.as_bytes(), millis.as_bytes()]).await?;
        let name = name.to_owned();
        if reply.word() == "held" {
            let remaining = Duration::from_millis(reply.number(3)?);
            return Ok(Acquire::Held(HeldLease { name, holder: reply.text(1)?, token: reply.number(2)?, remaining }));
        }
        let (holder, token, until) = (holder.to_owned(), reply.number(1)?, asked + ttl);
        Ok(Acquire::Granted(Lease { name, holder, token, ttl, until }))
    }

    async fn renew(&self, lease: &Lease, asked: Moment) -> Result<Lease> {
        let (token, millis) = (lease.token.to_string(), lease.ttl.as_millis().to_string());
        let reply = self.redis.run("renew", &[lease.name.as_bytes(), token.as_bytes(), millis.as_bytes()]).await?;
        reply.unless_fenced(Some(&lease.fence()))?;
        Ok(Lease { until: asked + lease.ttl, ..lease.clone() })
    }

    async fn release(&self, lease: &Lease) -> Result<bool> {
        let token = lease.token.to_string();
        Ok(self.redis.run("release", &[lease.name.as_bytes(), token.as_bytes()]).await?.word() == "ok")
    }

    async fn leases(&self, prefix: &str) -> Result<Vec<HeldLease>> {
        let mut leases = Vec::new();
        self.pages("leases", prefix, |reply, name, at| {
            if !reply.text(at + 1)?.is_empty() {
                let remaining = Duration::from_millis(reply.number(at + 2)?);
                leases.push(HeldLease { name, holder: reply.text(at)?, token: reply.number(at + 1)?, remaining });
            }
            Ok(())
        })
        .await?;
        Ok(leases)
    }

    async fn watch(&self, prefix: &str) -> Result<Watch> {
        watch::watch(&self.hub, &self.redis, prefix)
    }

    async fn now(&self) -> Result<SystemTime> {
        Ok(UNIX_EPOCH + Duration::from_micros(self.redis.run("now", &[]).await?.number(1)?))
    }
}
