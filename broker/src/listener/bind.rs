//! Binds the listeners that the settings ask for.

use std::net::SocketAddr;

use flotilla_tasks::Task;
use tokio::net::TcpListener;

use super::{
    Shared,
    accept::{Transport, serve},
    tls,
};
use crate::{config::Config, start_error::StartError};

/// The listeners that the settings ask for, bound.
#[derive(Debug)]
pub struct Listeners {
    bound: Vec<(TcpListener, Transport)>,
}

/// Where they listen.
#[derive(Debug, Clone, Copy)]
pub struct Addresses {
    /// Plain TCP.
    pub tcp: SocketAddr,
    /// TLS.
    pub tls: Option<SocketAddr>,
    /// WebSocket.
    pub websocket: Option<SocketAddr>,
}

impl Listeners {
    /// Binds them all.
    pub async fn bind(config: &Config) -> Result<(Self, Addresses), StartError> {
        let mut bound = Vec::new();
        let tcp = add(&mut bound, "listen", config.listen, Transport::Tcp).await?;
        let mut addresses = Addresses { tcp, tls: None, websocket: None };
        if let Some(address) = config.tls_listen {
            let acceptor = tls::acceptor(config.tls_cert.as_deref(), config.tls_key.as_deref())?;
            addresses.tls = Some(add(&mut bound, "tls_listen", address, Transport::Tls(acceptor)).await?);
        }
        if let Some(address) = config.ws_listen {
            addresses.websocket = Some(add(&mut bound, "ws_listen", address, Transport::WebSocket).await?);
        }
        Ok((Self { bound }, addresses))
    }

    /// Serves them all, each in a task that ends when the broker stops.
    pub fn serve(self, shared: &Shared) {
        for (listener, transport) in self.bound {
            let task = Task {
                name: "broker listener",
                owner: format!("{transport:?}").into(),
                ends: "the broker stops",
                failure: "no new connections on this listener; restart the broker",
            };
            shared.tasks.spawn(task.supervise(serve(listener, transport, Shared::clone(shared))));
        }
    }
}

async fn add(
    bound: &mut Vec<(TcpListener, Transport)>,
    setting: &'static str,
    address: SocketAddr,
    transport: Transport,
) -> Result<SocketAddr, StartError> {
    // Port 0 takes a free one.
    let listener = TcpListener::bind(address).await.map_err(|source| StartError::Bind { setting, address, source })?;
    let address = listener.local_addr().map_err(|source| StartError::Bind { setting, address, source })?;
    bound.push((listener, transport));
    Ok(address)
}
