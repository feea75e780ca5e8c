//! TLS for brokers.

use std::sync::Arc;

use crate::engine::Shared;

use super::options::BrokerOptions;

/// The TLS configuration of a broker's connections. Servers are always verified, against the public authorities; Node-RED
/// does not verify a server when no tls-config node says so.
///
/// # Errors
/// When the broker node names a tls-config node: its certificates are not read yet.
pub(super) fn config(_shared: &Shared, options: &BrokerOptions) -> Result<Arc<rustls::ClientConfig>, String> {
    if let Some(node) = options.tls_node().filter(|node| !node.is_empty()) {
        return Err(format!("the tls-config node \"{node}\" cannot be used for MQTT yet"));
    }
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| format!("TLS: {error}"))?;
    Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}
