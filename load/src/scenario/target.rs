//! A broker's address and credentials, checked.

use std::sync::Arc;

use flotilla_codec::Version;
use flotilla_flows::shown_url;
use rustls::ClientConfig;

use super::error::ScenarioError;
use super::file::Broker;
use super::tls;

/// A broker to connect to.
#[derive(Clone)]
pub struct Target {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// TLS, when asked for.
    pub tls: Option<Arc<ClientConfig>>,
    /// Protocol.
    pub version: Version,
    /// User name.
    pub user: Option<String>,
    /// Password.
    pub password: Option<String>,
    /// Seconds.
    pub keep_alive: u16,
}

impl Broker {
    /// Checks it by itself, outside of a scenario.
    ///
    /// # Errors
    /// For an address that is none, and for certificates that cannot be read.
    pub fn target(&self) -> Result<Target, ScenarioError> {
        Target::new("broker", self)
    }
}

impl Target {
    /// Checks what a scenario says.
    pub(super) fn new(field: &str, broker: &Broker) -> Result<Target, ScenarioError> {
        let bad = |what: String| ScenarioError::field(format!("{field}.url"), what);
        let url = broker.url.as_str();
        // No message repeats user or password, nor what may be a part of them.
        let shown = shown_url(url);
        let (scheme, rest) = url.split_once("://").unwrap_or(("mqtt", url));
        let secure = match scheme {
            "mqtt" | "tcp" => false,
            "mqtts" | "ssl" | "tls" => true,
            _ => return Err(bad(format!("\"{shown}\" is not a broker: write mqtt://HOST:PORT or mqtts://HOST:PORT"))),
        };
        let rest = rest.trim_end_matches('/');
        let (credentials, address) = rest.rsplit_once('@').map_or((None, rest), |(who, at)| (Some(who), at));
        let (host, port) = match address.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() => {
                let what = || format!("\"{shown}\" has a port which is no number from 0 to 65535");
                let port = port.parse().map_err(|_| bad(what()))?;
                (host, port)
            }
            _ => (address, if secure { 8883 } else { 1883 }),
        };
        if host.is_empty() || host.contains('/') {
            return Err(bad(format!("\"{shown}\" names no host: write mqtt://HOST:PORT")));
        }
        let version = match broker.version {
            None | Some(5) => Version::V5,
            Some(4 | 3) => Version::V4,
            Some(other) => {
                let what = format!("{other} is not a protocol version: 5, or 4 for MQTT 3.1.1");
                return Err(ScenarioError::field(format!("{field}.version"), what));
            }
        };
        let (user, password) = match credentials.map(|who| who.split_once(':').unwrap_or((who, ""))) {
            Some((user, password)) => (Some(user.to_owned()), Some(password.to_owned())),
            None => (broker.user.clone(), broker.password.clone()),
        };
        let tls = if secure { Some(tls::config(field, broker)?) } else { None };
        Ok(Target {
            host: host.trim_matches(['[', ']']).to_owned(),
            port,
            tls,
            version,
            user,
            password,
            keep_alive: broker.keep_alive.unwrap_or(30),
        })
    }

    /// `host:port`.
    pub fn address(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}
