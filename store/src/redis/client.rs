//! The one script, run on the server that is used now.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use redis::Script;
use redis::aio::PubSub;

use crate::contract::Result;
use crate::url::NetUrl;

use super::error::store_error;
use super::link::Link;
use super::reply::Reply;

static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("store.lua")));

/// The store on a server.
#[derive(Clone)]
pub(super) struct Redis {
    link: Arc<Link>,
    namespace: String,
    pub(super) timeout: Duration,
}

impl Redis {
    /// Connects; the first answer comes within the time-out.
    pub(super) async fn connect(url: &NetUrl) -> Result<Redis> {
        let link = Link::open(url).await?;
        Ok(Redis { link, namespace: format!("{{{}}}", url.namespace), timeout: url.timeout })
    }

    /// Where it is.
    pub(super) fn place(&self) -> &str {
        self.link.place()
    }

    /// Runs an operation of the script.
    pub(super) async fn run(&self, operation: &str, args: &[&[u8]]) -> Result<Reply> {
        let mut call = SCRIPT.key(&self.namespace);
        call.arg(operation);
        for arg in args {
            call.arg(*arg);
        }
        let parts = call.invoke_async::<Vec<Vec<u8>>>(&mut self.link.manager()).await;
        let parts = parts.map_err(|error| {
            let error = store_error(self.place(), &error);
            if error.is_unavailable() {
                self.link.failed();
            }
            error
        })?;
        Ok(Reply::new(parts, self.place().to_owned()))
    }

    /// A connection of its own that is told of every change.
    pub(super) async fn changes(&self) -> Result<PubSub> {
        let failed = |error: redis::RedisError| store_error(self.place(), &error);
        let mut changes = self.link.client().get_async_pubsub().await.map_err(failed)?;
        changes.subscribe(format!("{}:changes", self.namespace)).await.map_err(failed)?;
        Ok(changes)
    }
}
