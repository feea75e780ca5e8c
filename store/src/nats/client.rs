//! The connection to the server.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_nats::connection::State;
use async_nats::{Client, ConnectErrorKind, ConnectOptions, Event};

use crate::contract::{Result, StoreError};
use crate::tls::client_config;
use crate::url::NetUrl;

/// The connection to the server.
#[derive(Clone)]
pub(super) struct Nats {
    pub(super) client: Client,
    pub(super) place: String,
    pub(super) timeout: Duration,
    /// On how many servers the bucket is, when it is made.
    pub(super) replicas: usize,
    connects: Arc<AtomicU64>,
}

impl Nats {
    /// Connects; the client reconnects by itself from then on.
    pub(super) async fn connect(url: &NetUrl) -> Result<Nats> {
        let place = url.place("nats");
        let connects = Arc::new(AtomicU64::new(0));
        let counted = connects.clone();
        let mut options = ConnectOptions::new()
            .name("flotilla")
            .connection_timeout(url.timeout)
            .request_timeout(Some(url.timeout))
            .ping_interval(Duration::from_secs(2))
            .reconnect_delay_callback(|tries| Duration::from_millis(50 * (tries as u64).min(8)))
            .event_callback(move |event| {
                if matches!(event, Event::Connected | Event::SlowConsumer(_)) {
                    counted.fetch_add(1, Ordering::AcqRel);
                }
                std::future::ready(())
            });
        if url.tls {
            options = options.require_tls(true).tls_client_config(client_config(url)?);
        }
        options = match (&url.user, &url.password) {
            (Some(user), Some(password)) => options.user_and_password(user.clone(), password.reveal().to_owned()),
            (None, Some(token)) => options.token(token.reveal().to_owned()),
            (Some(token), None) => options.token(token.clone()),
            (None, None) => options,
        };
        let hosts = std::iter::once((&url.host, url.port)).chain(url.others.iter().map(|(host, port)| (host, *port)));
        let servers: Vec<String> = hosts
            .map(|(host, port)| {
                let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
                format!("nats://{host}:{port}")
            })
            .collect();
        let connected = tokio::time::timeout(url.timeout, options.connect(servers)).await;
        let away = |reason: String| StoreError::Unavailable { store: place.clone(), reason };
        let connected = connected.map_err(|_| away(format!("no connection within {:?}", url.timeout)))?;
        let client = connected.map_err(|error| match error.kind() {
            ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => {
                StoreError::Refused { store: place.clone(), reason: error.to_string() }
            }
            _ => away(error.to_string()),
        })?;
        Ok(Nats { client, place, timeout: url.timeout, replicas: url.replicas, connects })
    }

    /// Refuses at once while there is no connection: the client would keep the request and send it much later.
    pub(super) fn check(&self) -> Result<()> {
        match self.client.connection_state() {
            State::Connected => Ok(()),
            State::Pending | State::Disconnected => Err(self.away("the connection is lost; connecting again")),
        }
    }

    /// Changes when a connection was made again, or messages were dropped.
    pub(super) fn connects(&self) -> u64 {
        self.connects.load(Ordering::Acquire)
    }

    /// The store is not there.
    pub(super) fn away(&self, reason: impl ToString) -> StoreError {
        StoreError::Unavailable { store: self.place.clone(), reason: reason.to_string() }
    }
}
