//! From a URL to a store.

use std::sync::Arc;

use crate::contract::{Result, Store};
use crate::{nats, postgres, redis, sqlite};

use crate::url::bad_url;

/// Opens the store that a URL names, and makes sure that it answers.
///
/// - `sqlite:PATH` a file on this machine, made when it is not there; several processes may use it at once
/// - `postgres://[USER[:PASSWORD]@]HOST[:PORT][,HOST[:PORT]...][/DATABASE]`, with TLS by `?sslmode=require`; of several hosts
///   the one that may write is used
/// - `redis://` or with TLS `rediss://[USER[:PASSWORD]@]HOST[:PORT][/DATABASE]`
/// - `nats://` or with TLS `tls://[USER:PASSWORD@|TOKEN@]HOST[:PORT][,HOST[:PORT]...]`; `?replicas=3` makes the bucket on three
///   servers of a cluster
///
/// Every URL takes `?timeout=` (`500ms`, `2s`; default `2s`); those of servers also `namespace=` (default `flotilla`),
/// `ca=`, `cert=` and `key=` (PEM files). User and password come from the URL or else from `FLOTILLA_STORE_USER` and
/// `FLOTILLA_STORE_PASSWORD`, the CA from `FLOTILLA_STORE_CA`.
///
/// ```
/// use flotilla_store::{Write, open};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::TempDir::new()?;
/// let store = open(&format!("sqlite:{}", folder.path().join("store.db").display())).await?;
/// let version = store.set("greeting", "hello".into(), Write::default()).await?;
/// let entry = store.get("greeting").await?.expect("it was written");
/// assert_eq!((entry.value.as_ref(), entry.version), (&b"hello"[..], version));
/// assert_eq!(store.incr("count", 2.0).await?, 2.0);
/// # Ok(())
/// # }
/// ```
pub async fn open(url: &str) -> Result<Arc<dyn Store>> {
    let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
    match scheme {
        "sqlite" => sqlite::open(url).await,
        "nats" | "tls" => nats::open(url).await,
        "postgres" | "postgresql" => postgres::open(url).await,
        "redis" | "rediss" => redis::open(url).await,
        _ => Err(bad_url(
            "scheme",
            scheme,
            "it is not known: begin with sqlite:, postgres:, redis:, rediss:, nats: or tls:",
        )),
    }
}
