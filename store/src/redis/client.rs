//! The connection to the server and the one script.

use std::sync::LazyLock;
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig, PubSub};
use redis::{
    Client, ClientTlsConfig, ConnectionAddr, IntoConnectionInfo, RedisConnectionInfo, Script, TlsCertificates,
};

use crate::contract::{Result, StoreError};
use crate::url::{NetUrl, bad_url};

use super::error::store_error;
use super::reply::Reply;

static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("store.lua")));

/// The connection to the server.
#[derive(Clone)]
pub(super) struct Redis {
    client: Client,
    manager: ConnectionManager,
    namespace: String,
    place: String,
    pub(super) timeout: Duration,
}

impl Redis {
    /// Connects; the first answer comes within the time-out.
    pub(super) async fn connect(url: &NetUrl) -> Result<Redis> {
        let place = url.place("redis");
        let failed = |error: redis::RedisError| store_error(&place, &error);
        let client = client(url)?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(url.timeout))
            .set_response_timeout(Some(url.timeout))
            .set_number_of_retries(2)
            .set_min_delay(Duration::from_millis(20))
            .set_max_delay(Duration::from_millis(200));
        let connect = ConnectionManager::new_with_config(client.clone(), config);
        let manager = tokio::time::timeout(url.timeout, connect).await.map_err(|_| StoreError::Unavailable {
            store: place.clone(),
            reason: format!("no connection within {:?}", url.timeout),
        })?;
        let manager = manager.map_err(failed)?;
        Ok(Redis { client, manager, namespace: format!("{{{}}}", url.namespace), timeout: url.timeout, place })
    }

    /// Where it is.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// Runs an operation of the script.
    pub(super) async fn run(&self, operation: &str, args: &[&[u8]]) -> Result<Reply> {
        let mut call = SCRIPT.key(&self.namespace);
        call.arg(operation);
        for arg in args {
            call.arg(*arg);
        }
        let parts = call.invoke_async::<Vec<Vec<u8>>>(&mut self.manager.clone()).await;
        Ok(Reply::new(parts.map_err(|error| store_error(&self.place, &error))?, self.place.clone()))
    }

    /// A connection of its own that is told of every change.
    pub(super) async fn changes(&self) -> Result<PubSub> {
        let failed = |error: redis::RedisError| store_error(&self.place, &error);
        let mut changes = self.client.get_async_pubsub().await.map_err(failed)?;
        changes.subscribe(format!("{}:changes", self.namespace)).await.map_err(failed)?;
        Ok(changes)
    }
}

fn client(url: &NetUrl) -> Result<Client> {
    let mut settings = RedisConnectionInfo::default();
    if let Some(user) = &url.user {
        settings = settings.set_username(user);
    }
    if let Some(password) = &url.password {
        settings = settings.set_password(password.reveal());
    }
    if !url.path.is_empty() {
        let reason = "it must be the number of a Redis database, such as 0";
        settings = settings.set_db(url.path.parse().map_err(|_| bad_url("path", &url.path, reason))?);
    }
    let (host, port) = (url.host.clone(), url.port);
    let address = if url.tls {
        ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None }
    } else {
        ConnectionAddr::Tcp(host, port)
    };
    let wrong = |error: redis::RedisError| bad_url("address", format!("{}:{}", url.host, url.port), error.to_string());
    let info = address.into_connection_info().map_err(wrong)?.set_redis_settings(settings);
    if !url.tls {
        return Client::open(info).map_err(wrong);
    }
    let read = |field, path: &std::path::Path| {
        std::fs::read(path).map_err(|error| bad_url(field, path.display().to_string(), error.to_string()))
    };
    let root_cert = url.ca.as_deref().map(|path| read("ca", path)).transpose()?;
    let identity = url.identity.as_ref();
    let client_tls = identity
        .map(|(cert, key)| Ok(ClientTlsConfig { client_cert: read("cert", cert)?, client_key: read("key", key)? }));
    let client_tls = client_tls.transpose()?;
    Client::build_with_tls(info, TlsCertificates { client_tls, root_cert }).map_err(wrong)
}
