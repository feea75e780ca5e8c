//! The server that a node connects to.

use std::sync::Arc;

use rustls::ClientConfig;

use crate::dial::{NetError, Stream, encrypt, keep_alive, tcp};
use crate::tls_config::TlsConfig;
use flotilla_engine::{NodeCx, NodeError};

use super::listener;

/// TLS to a server.
#[derive(Clone)]
pub(super) struct Secure {
    config: Arc<ClientConfig>,
    servername: Option<String>,
}

/// A server.
pub(super) struct Target {
    pub(super) host: String,
    pub(super) port: u16,
    secure: Option<Secure>,
}

impl Secure {
    /// What the node's tls-config node says; none when it names none.
    pub(super) fn of(cx: &NodeCx) -> Result<Option<Secure>, NodeError> {
        let id = cx.config().str("tls");
        if id.is_empty() {
            return Ok(None);
        }
        let node = cx.config_node::<TlsConfig>(id);
        let node = node.ok_or_else(|| NodeError::new(format!("the tls-config node \"{id}\" is missing")))?;
        let config = node.client().map_err(|error| NodeError::new(error.to_string()))?;
        Ok(Some(Secure { config, servername: node.servername().map(str::to_owned) }))
    }
}

impl Target {
    /// The node's `host`, `port` and `tls`.
    pub(super) fn of(cx: &NodeCx) -> Result<Target, NodeError> {
        let host = match cx.config().str("host").trim() {
            "" => "localhost".to_owned(),
            host => host.to_owned(),
        };
        Ok(Target { host, port: listener::port(cx)?, secure: Secure::of(cx)? })
    }

    /// A server that a message names.
    pub(super) fn new(host: String, port: u16, secure: Option<Secure>) -> Target {
        Target { host, port, secure }
    }

    /// `host` and `port` for the catalogue's texts.
    pub(super) fn text(&self, cx: &NodeCx, key: &str) -> String {
        cx.text(key, &[("host", &self.host), ("port", &self.port.to_string())])
    }

    /// Connects.
    pub(super) async fn open(&self) -> Result<Box<dyn Stream>, NetError> {
        let host = self.host.trim_matches(['[', ']']);
        let stream = tcp(host, self.port).await?;
        keep_alive(&stream);
        match &self.secure {
            None => Ok(Box::new(stream)),
            Some(secure) => {
                let name = secure.servername.as_deref().unwrap_or(host);
                encrypt(Box::new(stream), name, secure.config.clone()).await
            }
        }
    }
}
