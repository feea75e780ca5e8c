//! What every subcommand that talks to the admin API takes.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;
use flotilla_api::Client;
use flotilla_api::client::ClientTls;

use super::logins;
use crate::known_up;
use crate::place::Place;

/// Where `flotilla up` keeps its admin token, in its data folder.
pub const TOKEN_FILE: &str = "admin.token";

/// Where the admin API is, and the form of answers.
#[derive(Args, Clone, Debug)]
pub struct AdminArgs {
    /// Where the admin API of the gateway listens: HOST:PORT, a name or an IP address
    /// [default: that of the `flotilla up` in --data, or 127.0.0.1:1881]
    #[arg(long, global = true, env = "FLOTILLA_ADMIN", value_name = "[https://]HOST:PORT", value_parser = crate::address::admin)]
    pub admin: Option<String>,
    /// Data folder of the `flotilla up` to use
    #[arg(long, global = true, env = "FLOTILLA_DATA", default_value = ".flotilla", value_name = "DIR")]
    pub data: PathBuf,
    /// A token: a user's (`flotilla token new`) or the gateway's [default: that of `flotilla login`, else that of this user's
    /// `flotilla up` there or in --data, on this machine]
    #[arg(long, global = true, env = "FLOTILLA_ADMIN_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    pub admin_token: Option<String>,
    /// Authority (PEM) that signed the admin API's certificate, for --admin https://... [default: the public ones]
    #[arg(long, global = true, env = "FLOTILLA_ADMIN_CA", value_name = "FILE")]
    pub admin_ca: Option<PathBuf>,
    /// Client certificate (PEM), if the admin API asks for one
    #[arg(long, global = true, env = "FLOTILLA_ADMIN_CERT", value_name = "FILE", requires = "admin_key")]
    pub admin_cert: Option<PathBuf>,
    /// Its key (PEM)
    #[arg(long, global = true, env = "FLOTILLA_ADMIN_KEY", value_name = "FILE", requires = "admin_cert")]
    pub admin_key: Option<PathBuf>,
    /// Answer in JSON
    #[arg(long, global = true)]
    pub json: bool,
}

/// The same for one group.
#[derive(Args, Clone, Debug)]
pub struct GroupArgs {
    #[command(flatten)]
    pub admin: AdminArgs,
    /// Name of the group
    #[arg(long, global = true, env = "FLOTILLA_GROUP", default_value = "default", value_name = "NAME")]
    pub group: String,
}

impl AdminArgs {
    /// A client.
    pub fn client(&self) -> Client {
        let address = self.address();
        let token = self.admin_token.clone().or_else(|| logins::find(&address)).or_else(|| self.token_for(&address));
        let Some(plain) = address.strip_prefix("https://") else { return Client::new(address, token.as_deref()) };
        let identity = self.admin_cert.clone().zip(self.admin_key.clone());
        Client::new(plain, token.as_deref()).with_tls(ClientTls {
            ca: self.admin_ca.clone(),
            identity,
            ..ClientTls::default()
        })
    }

    /// Where the admin API is.
    pub fn address(&self) -> String {
        let found = || Place::find(&self.data).map(|place| place.admin).filter(|admin| !admin.is_empty());
        self.admin.clone().or_else(found).unwrap_or_else(|| "127.0.0.1:1881".to_owned())
    }

    /// The token in the data folder of the `up` that listens there, else in --data. It goes to no other machine.
    fn token_for(&self, address: &str) -> Option<String> {
        let address = address.strip_prefix("https://").unwrap_or(address);
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host).trim_matches(['[', ']']);
        let local = host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
        if !local {
            return None;
        }
        let port = address.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        let data = port.and_then(known_up::data).unwrap_or_else(|| self.data.clone());
        let token = std::fs::read_to_string(data.join(TOKEN_FILE)).ok()?;
        Some(token.trim().to_owned())
    }
}

impl GroupArgs {
    /// A client.
    pub fn client(&self) -> Client {
        self.admin.client()
    }
}
