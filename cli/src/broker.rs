//! `flotilla broker`: the MQTT broker as a process of its own.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use flotilla_broker::{Broker, Config, Strategy};

use crate::process::{Metrics, Ops, Readiness, Shutdown};

/// Every setting is a flag, a `FLOTILLA_BROKER_*` variable and a key in the `[broker]` table of the TOML file.
#[derive(Args, Clone, Debug)]
pub struct BrokerArgs {
    /// Address of the TCP listener [default: 127.0.0.1:1883]
    #[arg(long, env = "FLOTILLA_BROKER_LISTEN", value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Largest packet taken, in bytes [default: 1048576]
    #[arg(long, env = "FLOTILLA_BROKER_MAX_PACKET", value_name = "BYTES")]
    max_packet: Option<usize>,
    /// QoS 1 and 2 publishes a client may have un-acknowledged [default: 1000]
    #[arg(long, env = "FLOTILLA_BROKER_RECEIVE_MAXIMUM", value_name = "COUNT")]
    receive_maximum: Option<u16>,
    /// Highest topic alias taken, 0 for none [default: 32]
    #[arg(long, env = "FLOTILLA_BROKER_TOPIC_ALIAS_MAX", value_name = "COUNT")]
    topic_alias_max: Option<u16>,
    /// Most un-acknowledged messages sent to one client [default: 1000]
    #[arg(long, env = "FLOTILLA_BROKER_MAX_IN_FLIGHT", value_name = "COUNT")]
    max_in_flight: Option<u16>,
    /// Longest keep alive for MQTT 5 clients, in seconds: who asks for more, or none, is told this
    #[arg(long, env = "FLOTILLA_BROKER_SERVER_KEEP_ALIVE", value_name = "SECONDS")]
    server_keep_alive: Option<u16>,
    /// Filters that may not be subscribed
    #[arg(long, env = "FLOTILLA_BROKER_DENY_SUBSCRIBE", value_name = "FILTER", value_delimiter = ',')]
    deny_subscribe: Vec<String>,
    /// How share groups pick a member: least-in-flight, round-robin, random, sticky, topic-hash
    #[arg(long, env = "FLOTILLA_BROKER_STRATEGY", value_name = "NAME", value_parser = strategy)]
    strategy: Option<Strategy>,
    /// Milliseconds after which what a disconnected member held goes to another [default: 5000]
    #[arg(long, env = "FLOTILLA_BROKER_REDISPATCH_AFTER_MS", value_name = "MS")]
    redispatch_after_ms: Option<u64>,
    /// Where /livez, /readyz and /metrics are
    #[arg(long, env = "FLOTILLA_OPS", default_value = "127.0.0.1:0", value_name = "ADDR")]
    ops: SocketAddr,
}

/// How long connections have to take what waits for them at the end.
const SHUTDOWN: Duration = Duration::from_secs(5);

/// Runs the broker until SIGTERM or SIGINT.
pub async fn run(args: BrokerArgs) -> anyhow::Result<ExitCode> {
    let mut signals = Shutdown::listen()?;
    let readiness = Readiness::default();
    let ops = Ops::start(args.ops, readiness.clone(), Metrics::install()?).await?;
    let broker = Broker::start(args.into_config()).await.context("cannot start the broker; see --listen")?;
    tracing::info!(mqtt = %broker.tcp_addr(), ops = %ops.address(), "broker serves");
    signals.next().await;
    readiness.waiting("broker", "it stops");
    tokio::select! {
        () = broker.shutdown(SHUTDOWN) => {}
        () = signals.next() => {}
    }
    Ok(ExitCode::SUCCESS)
}

impl BrokerArgs {
    fn into_config(self) -> Config {
        let default = Config::default();
        Config {
            listen: self.listen.unwrap_or(default.listen),
            max_packet: self.max_packet.unwrap_or(default.max_packet),
            receive_maximum: self.receive_maximum.unwrap_or(default.receive_maximum),
            topic_alias_max: self.topic_alias_max.unwrap_or(default.topic_alias_max),
            max_in_flight: self.max_in_flight.unwrap_or(default.max_in_flight),
            server_keep_alive: self.server_keep_alive,
            deny_subscribe: self.deny_subscribe,
            strategy: self.strategy.unwrap_or(default.strategy),
            redispatch_after_ms: self.redispatch_after_ms.unwrap_or(default.redispatch_after_ms),
            ..default
        }
    }
}

/// By its name in the configuration.
fn strategy(name: &str) -> Result<Strategy, String> {
    name.parse().map_err(|error: flotilla_broker::UnknownStrategy| error.to_string())
}
