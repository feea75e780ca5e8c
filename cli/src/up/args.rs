//! What `flotilla up` takes.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Map, Value};

use crate::door::DoorArgs;
use crate::flow_args::FlowArgs;
use crate::machine_args::MachineArgs;
use crate::oidc::OidcArgs;
use crate::replica::EngineArgs;
use crate::tls::TlsArgs;

/// What `flotilla up` takes.
#[derive(Args, Clone, Debug)]
pub struct UpArgs {
    /// The flow document, as exported from Node-RED, or a whole user directory of Node-RED (~/.node-red)
    #[arg(
        value_name = "FLOWS.json|DIR",
        required = false,
        required_unless_present = "forget",
        default_value_if("forget", "true", ".")
    )]
    pub flows: PathBuf,
    /// The directory that the flow document was found in
    #[arg(skip)]
    pub dir: Option<PathBuf>,
    /// Roll the flow document out when it differs from what the group runs
    #[arg(long, env = "FLOTILLA_DEPLOY")]
    pub deploy: bool,
    /// Start only the embedded broker: end the MQTT sessions that the last run left at brokers (--keep-session), with
    /// what they hold, and exit; exit code 5 when some are left. Give --group, --store, --mqtt and --mqtt-persist (or
    /// --no-broker) as that run had them
    #[arg(long, env = "FLOTILLA_FORGET")]
    pub forget: bool,
    /// Number of replicas [default: as many as the group had, or 3]
    #[arg(long, env = "FLOTILLA_REPLICAS", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub replicas: Option<u16>,
    /// Where an mqtt-broker node connects, by its id, instead of its address in the flow
    #[arg(long, env = "FLOTILLA_BROKER", value_delimiter = ',', value_name = "NODE=HOST:PORT")]
    pub broker: Vec<String>,
    /// Where the embedded MQTT broker listens
    #[arg(long, env = "FLOTILLA_MQTT", default_value = "127.0.0.1:1883", value_name = "HOST:PORT", value_parser = crate::address::resolve)]
    pub mqtt: SocketAddr,
    /// The embedded broker also accepts clients from other machines, without a password
    #[arg(long, env = "FLOTILLA_MQTT_ALLOW_ANONYMOUS")]
    pub mqtt_allow_anonymous: bool,
    /// Folder where the embedded broker keeps sessions, retained and waiting messages, so that they survive a crash
    #[arg(long, env = "FLOTILLA_MQTT_PERSIST", value_name = "DIR")]
    pub mqtt_persist: Option<PathBuf>,
    /// Do not start the embedded broker; the flow's mqtt-broker nodes name another one
    #[arg(long, env = "FLOTILLA_NO_BROKER")]
    pub no_broker: bool,
    /// Address of the flow's HTTP nodes, through the gateway [default: uiPort of settings.js, or 127.0.0.1:1880]
    #[arg(long, env = "FLOTILLA_HTTP", value_name = "HOST:PORT", value_parser = crate::address::resolve)]
    pub http: Option<SocketAddr>,
    /// Where the admin API listens; on other addresses than loopback, clients should reach it with TLS (--tls-cert)
    #[arg(long, env = "FLOTILLA_ADMIN", default_value = "127.0.0.1:1881", value_name = "HOST:PORT", value_parser = crate::address::resolve)]
    pub admin: SocketAddr,
    /// Token of the admin API [default: made once, and kept in DIR/admin.token for the CLI to find]
    #[arg(long, env = "FLOTILLA_ADMIN_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    pub admin_token: Option<String>,
    /// Several people share this group: they log in as users, and the token in DIR only creates the first admin
    #[arg(long, env = "FLOTILLA_USERS")]
    pub users: bool,
    #[command(flatten)]
    pub tls: TlsArgs,
    /// `https` of the settings.js in the directory
    #[arg(skip)]
    pub https: Option<Map<String, Value>>,
    /// Secret that signs alerts to the webhooks of groups
    #[arg(long, env = "FLOTILLA_ALERT_SECRET", value_name = "SECRET", hide_env_values = true)]
    pub alert_secret: Option<String>,
    /// The store, where other machines have agents or an `up` of the same group [default: an SQLite file in DIR]
    #[arg(long, env = "FLOTILLA_STORE", value_name = "URL", hide_env_values = true)]
    pub store: Option<String>,
    #[command(flatten)]
    pub machine: MachineArgs,
    /// Folder for the SQLite store, the group's key and the admin token
    #[arg(long, env = "FLOTILLA_DATA", default_value = ".flotilla", value_name = "DIR")]
    pub data: PathBuf,
    #[command(flatten)]
    pub door: DoorArgs,
    #[command(flatten)]
    pub oidc: OidcArgs,
    #[command(flatten)]
    pub flow: FlowArgs,
    #[command(flatten)]
    pub engine: EngineArgs,
}

impl UpArgs {
    /// What the user gave: the flow document, or the directory that it is in.
    pub fn given(&self) -> &Path {
        self.dir.as_deref().unwrap_or(&self.flows)
    }
}
