//! What `flotilla replica` takes.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use flotilla_engine::settings::{Measure, OnFailure};

use super::advertise::Advertise;
use crate::flow_args::FlowArgs;

use super::ranges::{drain_seconds, lease_seconds};
use crate::store_url::StoreUrl;

/// What to do with a delivery that an uncaught error failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum OnFailureArg {
    /// Acknowledge it anyway, as Node-RED does
    #[default]
    Ack,
    /// Run it again, up to --max-retries, then dead-letter it
    Retry,
    /// Keep it as a dead letter (`flotilla deadletter`) and acknowledge it
    DeadLetter,
}

impl From<OnFailureArg> for OnFailure {
    fn from(arg: OnFailureArg) -> OnFailure {
        match arg {
            OnFailureArg::Ack => OnFailure::Ack,
            OnFailureArg::Retry => OnFailure::Retry,
            OnFailureArg::DeadLetter => OnFailure::DeadLetter,
        }
    }
}

/// What is measured of each message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum MeasureArg {
    /// Nothing: only which deliveries are open, how the others ended, and errors
    Nothing,
    /// How long deliveries take
    Deliveries,
    /// In addition, what each node received and sent, and how long it was busy
    #[default]
    Nodes,
}

impl From<MeasureArg> for Measure {
    fn from(arg: MeasureArg) -> Measure {
        match arg {
            MeasureArg::Nothing => Measure::Nothing,
            MeasureArg::Deliveries => Measure::Deliveries,
            MeasureArg::Nodes => Measure::Nodes,
        }
    }
}

/// What a replica is told about how to run its flow: the same for `flotilla replica` and `flotilla up`.
#[derive(Args, Clone, Debug)]
pub struct EngineArgs {
    /// Name of the group
    #[arg(long, visible_alias = "ha-group", env = "FLOTILLA_GROUP", default_value = "default", value_name = "NAME")]
    pub group: String,
    /// Worker threads per replica [default: one per core]
    #[arg(long, env = "FLOTILLA_WORKERS", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub workers: Option<u16>,
    /// Most deliveries in progress in a replica; beyond this, brokers and clients wait
    #[arg(long, env = "FLOTILLA_MAX_IN_FLIGHT", default_value_t = 1000, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub max_in_flight: u16,
    /// Memory limit of a replica for alerts and metrics, in MiB [default: that of its container, else of the machine]
    #[arg(long, env = "FLOTILLA_MEMORY_LIMIT", value_name = "MIB", value_parser = clap::value_parser!(u64).range(1..=1 << 30))]
    pub memory_limit: Option<u64>,
    /// What to measure of each message, for metrics and `flotilla nodes`
    #[arg(long, env = "FLOTILLA_MEASURE", default_value = "nodes", value_name = "WHAT")]
    pub measure: MeasureArg,
    /// What to do with a delivery that an uncaught error failed
    #[arg(long, env = "FLOTILLA_ON_FAILURE", default_value = "ack", value_name = "WHAT")]
    pub on_failure: OnFailureArg,
    /// How many times a failed delivery runs again, with --on-failure retry
    #[arg(long, env = "FLOTILLA_MAX_RETRIES", default_value_t = 3, value_name = "N", value_parser = clap::value_parser!(u32).range(..=1_000_000))]
    pub max_retries: u32,
    /// Seconds before the first retry; each further one waits twice as long, at most a minute
    #[arg(long, env = "FLOTILLA_RETRY_DELAY", default_value_t = 0.5, value_name = "SECONDS", value_parser = drain_seconds)]
    pub retry_delay: f64,
    /// How many replicas may die while they work on one message alone, before it becomes a dead letter
    #[arg(long, env = "FLOTILLA_MAX_ATTEMPTS", default_value_t = 3, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub max_attempts: u32,
    /// Topic on which dead letters are published, in addition to `flotilla deadletter`; empty for none
    #[arg(
        long,
        env = "FLOTILLA_DEAD_LETTER_TOPIC",
        default_value = "flotilla/dead-letter/{group}/{topic}",
        value_name = "TOPIC"
    )]
    pub dead_letter_topic: String,
    /// Seconds that a stopping replica has to finish what is in flight
    #[arg(long, env = "FLOTILLA_DRAIN_TIMEOUT", default_value_t = 15.0, value_name = "SECONDS", value_parser = drain_seconds)]
    pub drain_timeout: f64,
    /// Broker of the project link nodes, as in mqtt://USER:PASSWORD@HOST:PORT [default: that of FlowFuse's settings, or the
    /// embedded one of `flotilla up`]
    #[arg(long, env = "FLOTILLA_PROJECT_BROKER", value_name = "URL", hide_env_values = true)]
    pub project_broker: Option<String>,
    /// Team of the project link nodes: groups of different teams do not receive each other's messages [default: that of FlowFuse's
    /// settings, or flotilla]
    #[arg(long, env = "FLOTILLA_PROJECT_TEAM", value_name = "NAME", value_parser = flotilla_nodes_network::project::team)]
    pub project_team: Option<String>,
    /// Nodes to deny because they reach beyond the flow; a flow that has them is refused
    #[arg(long, env = "FLOTILLA_DENY", value_delimiter = ',', value_name = "WHAT", value_parser = ["exec", "file", "tcp-listen", "udp-listen", "websocket-listen"])]
    pub deny: Vec<String>,
    /// Run flows with unknown node types; such nodes drop messages and show it
    #[arg(long, env = "FLOTILLA_ALLOW_UNKNOWN")]
    pub allow_unknown: bool,
    /// Folder with npm modules for function nodes
    #[arg(long, env = "FLOTILLA_NODE_MODULES", value_name = "DIR")]
    pub node_modules: Option<PathBuf>,
    /// Seconds without a sign of life after which a replica counts as dead
    #[arg(long, env = "FLOTILLA_LEASE", default_value_t = 5.0, value_name = "SECONDS", value_parser = lease_seconds)]
    pub lease: f64,
    /// Seconds that an MQTT broker keeps the session of the last replica that stops, with messages published meanwhile; the
    /// next start continues with it. 0 ends it
    #[arg(long, env = "FLOTILLA_KEEP_SESSION", default_value_t = 86_400, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(..u32::MAX as i64))]
    pub keep_session: u32,
    /// Keep messages published at QoS 1 and 2 for ticks, HTTP requests and sockets in the store until the broker has them, so
    /// that they survive the replica. Costs two writes of the store per message
    #[arg(long, env = "FLOTILLA_DURABLE_OUTBOX")]
    pub durable_outbox: bool,
}

impl EngineArgs {
    /// The same as command line arguments, for a child process.
    pub fn to_args(&self) -> Vec<String> {
        fn name(value: &impl ValueEnum) -> String {
            value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
        }
        let mut args: Vec<String> = [
            ("--group", self.group.clone()),
            ("--max-in-flight", self.max_in_flight.to_string()),
            ("--measure", name(&self.measure)),
            ("--on-failure", name(&self.on_failure)),
            ("--max-retries", self.max_retries.to_string()),
            ("--retry-delay", self.retry_delay.to_string()),
            ("--max-attempts", self.max_attempts.to_string()),
            ("--dead-letter-topic", self.dead_letter_topic.clone()),
            ("--drain-timeout", self.drain_timeout.to_string()),
            ("--lease", self.lease.to_string()),
            ("--keep-session", self.keep_session.to_string()),
        ]
        .into_iter()
        .flat_map(|(flag, value)| [flag.to_owned(), value])
        .collect();
        if let Some(workers) = self.workers {
            args.extend(["--workers".to_owned(), workers.to_string()]);
        }
        if let Some(limit) = self.memory_limit {
            args.extend(["--memory-limit".to_owned(), limit.to_string()]);
        }
        if let Some(team) = &self.project_team {
            args.extend(["--project-team".to_owned(), team.clone()]);
        }
        if !self.deny.is_empty() {
            args.extend(["--deny".to_owned(), self.deny.join(",")]);
        }
        if self.allow_unknown {
            args.push("--allow-unknown".to_owned());
        }
        if self.durable_outbox {
            args.push("--durable-outbox".to_owned());
        }
        if let Some(dir) = &self.node_modules {
            args.extend(["--node-modules".to_owned(), dir.display().to_string()]);
        }
        args
    }
}

/// What `flotilla replica` takes.
#[derive(Args, Clone, Debug)]
pub struct ReplicaArgs {
    /// Flow document: the group runs it if it has no revision yet
    #[arg(value_name = "FLOWS.json")]
    pub flows: Option<PathBuf>,
    #[command(flatten)]
    pub flow: FlowArgs,
    #[command(flatten)]
    pub engine: EngineArgs,
    #[command(flatten)]
    pub at: StoreUrl,
    /// The group's key, which encrypts credentials
    #[arg(long, env = "FLOTILLA_GROUP_KEY", value_name = "KEY", hide_env_values = true)]
    pub group_key: Option<String>,
    /// Join token (`flotilla group join-token`): it names the group and has the group's key
    #[arg(long, env = "FLOTILLA_JOIN", value_name = "TOKEN", hide_env_values = true, conflicts_with_all = ["flows", "group_key", "spare"])]
    pub join: Option<String>,
    /// Unique id of this replica [default: GROUP-<random>]
    #[arg(long, env = "FLOTILLA_ID", value_name = "ID")]
    pub id: Option<String>,
    /// The host's name, as in `flotilla agent --host`: it is shown, and used to spread replicas over hosts
    #[arg(long, env = "FLOTILLA_HOST", default_value = "", hide_default_value = true, value_name = "NAME")]
    pub host: String,
    /// Make the group if it does not exist; with a flow document, and for the group `default`, it is made anyway
    #[arg(long, env = "FLOTILLA_CREATE")]
    pub create: bool,
    /// Join no group yet: wait until `flotilla group member add NAME --replica ID` adds it to one
    #[arg(long, env = "FLOTILLA_SPARE", conflicts_with = "flows")]
    pub spare: bool,
    /// Where the flow's HTTP nodes listen; the gateway finds the address in the registry
    #[arg(long, env = "FLOTILLA_HTTP", default_value = "127.0.0.1:0", value_name = "HOST:PORT", value_parser = crate::address::resolve)]
    pub http: SocketAddr,
    /// Address to register for --http, or a network, such as 10.1.0.0/16, in which this machine's address is used
    /// [default: that of --http, or the one that this machine sends from if it is 0.0.0.0]
    #[arg(long, env = "FLOTILLA_ADVERTISE", value_name = "HOST:PORT|NETWORK", value_parser = super::advertise::advertise)]
    pub advertise: Option<Advertise>,
    /// Address of /livez, /readyz and /metrics
    #[arg(long, env = "FLOTILLA_OPS", default_value = "127.0.0.1:0", value_name = "HOST:PORT", value_parser = crate::address::resolve)]
    pub ops: SocketAddr,
    /// Print the output of debug nodes among the log lines, at most 50 messages a second
    #[arg(long, env = "FLOTILLA_SHOW_DEBUG")]
    pub show_debug: bool,
    /// Drain and exit when standard input closes: the supervisor is gone
    #[arg(long, hide = true)]
    pub exit_with_parent: bool,
    /// Its parent starts it again with the key that it was given, not with the newest
    #[arg(long, hide = true)]
    pub given_key: bool,
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        engine: EngineArgs,
    }

    fn parsed(args: &[String]) -> EngineArgs {
        let line = std::iter::once("flotilla".to_owned()).chain(args.iter().cloned());
        Line::try_parse_from(line).map(|line| line.engine).unwrap()
    }

    #[test]
    fn a_child_measures_what_its_parent_was_told_to() {
        for (name, wanted) in
            [("nothing", Measure::Nothing), ("deliveries", Measure::Deliveries), ("nodes", Measure::Nodes)]
        {
            let parent = parsed(&["--measure".to_owned(), name.to_owned()]);
            assert_eq!(Measure::from(parsed(&parent.to_args()).measure), wanted);
        }
        assert!(Measure::Nothing < Measure::Deliveries && Measure::Deliveries < Measure::Nodes);
    }
}
