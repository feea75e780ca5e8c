//! TLS for brokers.

use std::sync::Arc;

use crate::tls_config::{TlsConfig, client_without_config};
use flotilla_engine::Shared;

use super::options::BrokerOptions;

/// TLS to a broker.
pub(super) struct Secure {
    pub(super) config: Arc<rustls::ClientConfig>,
    /// The name to ask for instead of the host's.
    pub(super) servername: Option<String>,
}

/// What the broker node's tls-config node says. Without one the broker is verified, against the public authorities, only if
/// the broker node says so, as in Node-RED.
///
/// # Errors
/// When the tls-config node is missing, or its certificates cannot be used.
pub(super) fn config(shared: &Shared, options: &BrokerOptions) -> Result<Secure, String> {
    let Some(id) = options.tls_node().filter(|id| !id.is_empty()) else {
        let config = client_without_config(options.verifies()).map_err(|error| error.to_string())?;
        return Ok(Secure { config, servername: None });
    };
    let node = shared.config_node::<TlsConfig>(id);
    let node = node.ok_or_else(|| format!("the tls-config node \"{id}\" is missing"))?;
    let config = node.client().map_err(|error| error.to_string())?;
    Ok(Secure { config, servername: node.servername().map(str::to_owned) })
}
