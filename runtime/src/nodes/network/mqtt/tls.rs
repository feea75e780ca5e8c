//! TLS for brokers.

use std::sync::Arc;

use crate::engine::Shared;

use super::options::BrokerOptions;

/// The TLS configuration of a broker's connections.
pub(super) fn config(_shared: &Shared, _options: &BrokerOptions) -> Result<Arc<rustls::ClientConfig>, String> {
    Err("TLS needs a tls-config node".to_owned())
}
