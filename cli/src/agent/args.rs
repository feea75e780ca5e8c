//! What `flotilla agent` takes.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use flotilla_api::placement::HostFacts;
use flotilla_gateway::balancer::Network;

use crate::machine_args::MachineArgs;
use crate::replica::EngineArgs;
use crate::store_url::StoreUrl;

/// What `flotilla agent` takes.
#[derive(Args, Clone, Debug)]
pub struct AgentArgs {
    #[command(flatten)]
    pub machine: MachineArgs,
    /// Most replicas on this host, of all groups together [default: no limit]
    #[arg(long, env = "FLOTILLA_MAX_REPLICAS", value_name = "N")]
    pub max_replicas: Option<u32>,
    /// The user that owns the host
    #[arg(long, env = "FLOTILLA_OWNER", default_value = "", hide_default_value = true, value_name = "USER")]
    pub owner: String,
    /// Seconds without a sign of life after which this host counts as lost
    #[arg(long, env = "FLOTILLA_HOST_LEASE", default_value_t = 10, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub host_lease: u64,
    /// Seconds that a host may be lost before its replicas are placed elsewhere; the same for all agents
    #[arg(long, env = "FLOTILLA_REPLACE_AFTER", default_value_t = 60, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(0..=86_400))]
    pub replace_after: u64,
    /// Folder for the binaries of `flotilla upgrade`; its file system must allow programs to run
    #[arg(long, env = "FLOTILLA_DATA", default_value = ".flotilla", value_name = "DIR")]
    pub data: PathBuf,
    /// Only check whether an agent could start with these arguments: a new binary must pass this before it takes over
    #[arg(long, hide = true)]
    pub rehearse: bool,
    /// Where the replicas' HTTP nodes listen; with port 0 each gets its own port. Gateways reach replicas at this address
    #[arg(long, env = "FLOTILLA_HTTP", default_value = "0.0.0.0:0", value_name = "HOST:PORT", value_parser = crate::address::resolve)]
    pub http: SocketAddr,
    /// The network in which gateways reach the replicas, such as 10.1.0.0/16: this machine's address in it is used
    #[arg(long, env = "FLOTILLA_ADVERTISE", value_name = "NETWORK")]
    pub advertise: Option<Network>,
    /// Address of the agent's /livez, /readyz and /metrics
    #[arg(long, env = "FLOTILLA_OPS", default_value = "127.0.0.1:0", value_name = "HOST:PORT", value_parser = crate::address::resolve)]
    pub ops: SocketAddr,
    /// The groups' key, which encrypts credentials
    #[arg(long, env = "FLOTILLA_GROUP_KEY", value_name = "KEY", hide_env_values = true)]
    pub group_key: Option<String>,
    #[command(flatten)]
    pub at: StoreUrl,
    #[command(flatten)]
    pub engine: EngineArgs,
}

impl AgentArgs {
    /// What is said of the host.
    pub fn facts(&self) -> HostFacts {
        HostFacts { max_replicas: self.max_replicas, owner: self.owner.clone(), ..self.machine.facts() }
    }

    /// How long the lease on the host's name runs.
    pub fn lease(&self) -> Duration {
        Duration::from_secs(self.host_lease)
    }
}
