//! TLS of the gateway's addresses.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Args;
use flotilla_gateway::tls::{Pem, Tls, TlsFiles};
use serde_json::{Map, Value};

/// What is taken of Node-RED's setting `https`. Without `requestCert`, Node asks for no certificate and needs no `ca`.
const TAKEN: [&str; 5] = ["key", "cert", "ca", "requestCert", "rejectUnauthorized"];

/// Certificates of the gateway's addresses.
#[derive(Args, Clone, Debug, Default)]
pub struct TlsArgs {
    /// Certificate chain (PEM) for the admin API and flow traffic; read again when it changes
    #[arg(long, env = "FLOTILLA_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Its key (PEM)
    #[arg(long, env = "FLOTILLA_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Authorities (PEM) for required certificates of the admin API's clients
    #[arg(long, env = "FLOTILLA_ADMIN_CLIENT_CA", value_name = "FILE", requires = "tls_cert")]
    admin_client_ca: Option<PathBuf>,
    /// Authorities (PEM) for required certificates of the clients of the flow's HTTP nodes
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
    /// True when they name a certificate.
    pub fn is_given(&self) -> bool {
        self.tls_cert.is_some()
    }

    /// True when clients of the admin API have to show a certificate.
    pub fn asks_admin_clients(&self) -> bool {
        self.admin_client_ca.is_some()
    }

    /// Reads the files.
    pub fn load(&self) -> anyhow::Result<GatewayTls> {
        let (Some(cert), Some(key)) = (&self.tls_cert, &self.tls_key) else { return Ok(GatewayTls::default()) };
        let load = |client_ca: &Option<PathBuf>| {
            let client_ca = client_ca.clone().map(Pem::File);
            let files = TlsFiles { cert: cert.clone().into(), key: key.clone().into(), client_ca };
            Tls::load(files).context("see --tls-cert and --tls-key")
        };
        Ok(GatewayTls { admin: Some(load(&self.admin_client_ca)?), http: Some(load(&self.http_client_ca)?) })
    }
}

impl GatewayTls {
    /// TLS of both addresses by Node-RED's setting `https`, which is for its editor and admin API, too.
    ///
    /// # Errors
    /// When a part of the setting cannot be taken: it protects what flows serve.
    pub fn of_setting(https: &Map<String, Value>) -> anyhow::Result<GatewayTls> {
        let advice =
            "give certificate and key with --tls-cert and --tls-key, and leave it out with --without-setting https";
        let on = |name: &str| https.get(name).is_some_and(|value| *value != Value::Bool(false) && !value.is_null());
        if let Some(name) = https.keys().find(|name| !TAKEN.contains(&name.as_str())) {
            bail!("https.{name} of the settings has no effect here: {advice}");
        }
        let pem = |name: &str| -> anyhow::Result<Option<Pem>> {
            let value = match https.get(name) {
                None | Some(Value::Null) => return Ok(None),
                Some(Value::Array(all)) if all.len() == 1 => &all[0],
                Some(value) => value,
            };
            let text = |text: &str| Pem::Text { name: format!("https.{name}"), text: text.to_owned() };
            let file = value.get("$file").and_then(Value::as_str).map(|file| Pem::File(file.into()));
            let found = file.or_else(|| value.as_str().map(text));
            found
                .map(Some)
                .with_context(|| format!("https.{name} of the settings must be PEM text or one PEM file: {advice}"))
        };
        let needed = |name: &str| pem(name)?.with_context(|| format!("https of the settings has no {name}: {advice}"));
        let asks = on("requestCert") && https.get("rejectUnauthorized") != Some(&Value::Bool(false));
        let client_ca = if asks { Some(needed("ca")?) } else { None };
        let files = TlsFiles { cert: needed("cert")?, key: needed("key")?, client_ca };
        let tls = Tls::load(files).with_context(|| format!("https of the settings: {advice}"))?;
        Ok(GatewayTls { admin: Some(tls.clone()), http: Some(tls) })
    }
}
