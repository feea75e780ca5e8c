//! The config node.

use std::sync::Arc;

use rustls::{ClientConfig, ServerConfig};

use flotilla_engine::props;
use flotilla_engine::{ConfigNode, NodeCx, NodeError, Stateless};

use super::materials::Materials;
use super::trust::{self, TlsError};

/// The row in the table of node types.
pub const TYPE: Stateless = Stateless::config("tls-config", build);

/// What TLS connections of the nodes that refer to it use.
pub struct TlsConfig {
    materials: Result<Materials, String>,
    verify: bool,
    servername: Option<String>,
    alpn: Option<String>,
}

fn build(cx: NodeCx) -> Result<Arc<dyn ConfigNode>, NodeError> {
    let config = cx.config();
    let materials = Materials::read(&cx);
    if let Err(text) = &materials {
        cx.report().error(text.as_str(), None);
    }
    let text = |name: &str| Some(config.str(name).trim().to_owned()).filter(|text| !text.is_empty());
    Ok(Arc::new(TlsConfig {
        materials,
        // Node-RED hands an unset field on as `rejectUnauthorized: undefined`, which verifies.
        verify: props::flag_or(config, "verifyservercert", true),
        servername: text("servername"),
        alpn: text("alpnprotocol"),
    }))
}

impl TlsConfig {
    /// The name to ask the server for instead of its host name.
    pub fn servername(&self) -> Option<&str> {
        self.servername.as_deref()
    }

    /// For connections to a server.
    ///
    /// # Errors
    /// When a certificate or key cannot be used.
    pub fn client(&self) -> Result<Arc<ClientConfig>, TlsError> {
        // As Node-RED: files that cannot be read are reported once, and the connection goes without them.
        let none = Materials::default();
        let materials = self.materials.as_ref().unwrap_or(&none);
        trust::client(materials, self.verify, self.alpn.as_deref())
    }

    /// For listening. Clients must show a certificate when `verify` is on and a CA is given.
    ///
    /// # Errors
    /// When there is no certificate and key, or they cannot be used.
    pub fn server(&self) -> Result<Arc<ServerConfig>, TlsError> {
        let materials = self.materials.as_ref().map_err(|text| TlsError::Unusable(text.clone()))?;
        trust::server(materials, self.verify, self.alpn.as_deref())
    }
}

impl ConfigNode for TlsConfig {}
