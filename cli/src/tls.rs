//! TLS of the gateway's addresses.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use flotilla_gateway::tls::{Tls, TlsFiles};

/// Certificates of the gateway's addresses.
#[derive(Args, Clone, Debug)]
pub struct TlsArgs {
    /// Certificate chain (PEM) for the admin API and flow traffic; read anew when it changes
    #[arg(long, env = "FLOTILLA_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Its key (PEM)
    #[arg(long, env = "FLOTILLA_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Authorities (PEM) of certificates that clients of the admin API have to show
    #[arg(long, env = "FLOTILLA_ADMIN_CLIENT_CA", value_name = "FILE", requires = "tls_cert")]
    admin_client_ca: Option<PathBuf>,
    /// Authorities (PEM) of certificates that clients of the flow's HTTP nodes have to show
    #[arg(long, env = "FLOTILLA_HTTP_CLIENT_CA", value_name = "FILE", requires = "tls_cert")]
    http_client_ca: Option<PathBuf>,
}

/// TLS of the two addresses; `None`: none.
#[derive(Clone, Debug, Default)]
pub struct GatewayTls {
    /// Of the admin API.
    pub admin: Option<Arc<Tls>>,
    /// Of flow traffic.
    pub http: Option<Arc<Tls>>,
}

impl TlsArgs {
    /// Reads the files.
    pub fn load(&self) -> anyhow::Result<GatewayTls> {
        let (Some(cert), Some(key)) = (&self.tls_cert, &self.tls_key) else { return Ok(GatewayTls::default()) };
        let load = |client_ca: &Option<PathBuf>| {
            let files = TlsFiles { cert: cert.clone(), key: key.clone(), client_ca: client_ca.clone() };
            Tls::load(files).context("see --tls-cert and --tls-key")
        };
        Ok(GatewayTls { admin: Some(load(&self.admin_client_ca)?), http: Some(load(&self.http_client_ca)?) })
    }
}
