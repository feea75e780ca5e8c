//! Which server is used: the one of the URL, or the master that sentinels name.
//!
//! After a failover the sentinels name another. It is asked for when an operation fails because of the server; the next
//! operations go to whoever it is then.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, ClientTlsConfig, ConnectionAddr, IntoConnectionInfo, RedisConnectionInfo, TlsCertificates};

use crate::contract::{Result, StoreError};
use crate::remote::io;
use crate::url::{NetUrl, bad_url};
use crate::watch::background;

use super::error::store_error;

/// The connection to the server that is used now.
pub(super) struct Link {
    url: NetUrl,
    place: String,
    at: Mutex<At>,
    asking: tokio::sync::Mutex<()>,
}

#[derive(Clone)]
struct At {
    address: (String, u16),
    client: Client,
    manager: ConnectionManager,
}

impl Link {
    /// Connects; the first answer comes within the time-out.
    pub(super) async fn open(url: &NetUrl) -> Result<Arc<Link>> {
        let place = url.place("redis");
        let address = match &url.sentinel {
            Some(name) => {
                tracing::warn!(
                    store = place,
                    "Redis replicates behind its answers: a failover can take back writes that were acknowledged, leases among \
                     them; set min-replicas-to-write 1 on the servers, or use another store where that matters"
                );
                master(url, name, &place).await?
            }
            None => (url.host.clone(), url.port),
        };
        let at = connect(url, address, &place).await?;
        Ok(Arc::new(Link { url: url.clone(), place, at: Mutex::new(at), asking: tokio::sync::Mutex::default() }))
    }

    pub(super) fn place(&self) -> &str {
        &self.place
    }

    pub(super) fn client(&self) -> Client {
        self.at.lock().client.clone()
    }

    pub(super) fn manager(&self) -> ConnectionManager {
        self.at.lock().manager.clone()
    }

    /// The server did not do what it was asked: another may be the master by now.
    pub(super) fn failed(self: &Arc<Self>) {
        if self.url.sentinel.is_none() {
            return;
        }
        let link = self.clone();
        background("redis sentinel", &self.place).spawn_on(io().handle(), async move { link.ask().await });
    }

    async fn ask(&self) {
        // One that asks already asks for all.
        let (Ok(_asking), Some(name)) = (self.asking.try_lock(), &self.url.sentinel) else { return };
        let Ok(address) = master(&self.url, name, &self.place).await else { return };
        let known = self.at.lock().address.clone();
        if address == known {
            return;
        }
        if let Ok(at) = connect(&self.url, address, &self.place).await {
            tracing::warn!(
                store = self.place,
                host = at.address.0,
                port = at.address.1,
                "the sentinels name another master"
            );
            *self.at.lock() = at;
        }
    }
}

async fn connect(url: &NetUrl, address: (String, u16), place: &str) -> Result<At> {
    let client = client(url, &address.0, address.1, true)?;
    let config = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(url.timeout))
        .set_response_timeout(Some(url.timeout))
        .set_number_of_retries(2)
        .set_min_delay(Duration::from_millis(20))
        .set_max_delay(Duration::from_millis(200));
    let connect = ConnectionManager::new_with_config(client.clone(), config);
    let manager = tokio::time::timeout(url.timeout, connect).await.map_err(|_| late(url, place))?;
    Ok(At { address, client, manager: manager.map_err(|error| store_error(place, &error))? })
}

fn late(url: &NetUrl, place: &str) -> StoreError {
    StoreError::Unavailable { store: place.to_owned(), reason: format!("no connection within {:?}", url.timeout) }
}

/// The master of this name, as the first sentinel that answers knows it.
async fn master(url: &NetUrl, name: &str, place: &str) -> Result<(String, u16)> {
    let own = (url.host.clone(), url.port);
    let mut failure = late(url, place);
    for (host, port) in std::iter::once(&own).chain(&url.others) {
        let sentinel = client(url, host, *port, false)?;
        let asked = async {
            let mut connection = sentinel.get_multiplexed_async_connection().await?;
            let mut command = redis::cmd("SENTINEL");
            command.arg("get-master-addr-by-name").arg(name);
            command.query_async::<Option<(String, u16)>>(&mut connection).await
        };
        match tokio::time::timeout(url.timeout, asked).await {
            Ok(Ok(Some(address))) => return Ok(address),
            Ok(Ok(None)) => {
                return Err(bad_url("sentinel", name, "the sentinels watch no master of this name"));
            }
            Ok(Err(error)) => failure = store_error(place, &error),
            Err(_) => {}
        }
    }
    Err(failure)
}

/// A client of a server, or of a sentinel: those are asked without user, password and database.
fn client(url: &NetUrl, host: &str, port: u16, server: bool) -> Result<Client> {
    let mut settings = RedisConnectionInfo::default();
    if let Some(user) = url.user.as_ref().filter(|_| server) {
        settings = settings.set_username(user);
    }
    if let Some(password) = url.password.as_ref().filter(|_| server) {
        settings = settings.set_password(password.reveal());
    }
    if server && !url.path.is_empty() {
        let reason = "it must be the number of a Redis database, such as 0";
        settings = settings.set_db(url.path.parse().map_err(|_| bad_url("path", &url.path, reason))?);
    }
    let address = if url.tls {
        ConnectionAddr::TcpTls { host: host.to_owned(), port, insecure: false, tls_params: None }
    } else {
        ConnectionAddr::Tcp(host.to_owned(), port)
    };
    let wrong = |error: redis::RedisError| bad_url("address", format!("{host}:{port}"), error.to_string());
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
