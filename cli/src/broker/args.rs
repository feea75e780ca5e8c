//! `flotilla broker`'s settings.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use flotilla_broker::{Config, GroupStrategy, Strategy};

use super::passwd::PasswdArgs;
use super::status::StatusArgs;

/// Runs the broker, or queries one.
#[derive(Args, Clone, Debug)]
pub struct BrokerArgs {
    #[command(subcommand)]
    pub(super) ask: Option<Ask>,
    #[command(flatten)]
    pub(super) serve: ServeArgs,
}

/// Queries to a running broker.
#[derive(Subcommand, Clone, Debug)]
pub enum Ask {
    /// Show a running broker's share groups: members, shares and lag
    Status(StatusArgs),
    /// Set or remove a user in a --users file
    Passwd(PasswdArgs),
}

/// Every setting is a flag, a `FLOTILLA_BROKER_*` variable and a key in the `[broker]` table of the TOML file.
#[derive(Args, Clone, Debug)]
pub struct ServeArgs {
    /// Address of the TCP listener [default: 127.0.0.1:1883]
    #[arg(long, env = "FLOTILLA_BROKER_LISTEN", value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Address of a TLS listener; needs --tls-cert and --tls-key
    #[arg(long, env = "FLOTILLA_BROKER_TLS_LISTEN", value_name = "ADDRESS")]
    tls_listen: Option<SocketAddr>,
    /// PEM file with the TLS listener's certificate chain
    #[arg(long, env = "FLOTILLA_BROKER_TLS_CERT", value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// PEM file with the certificate's key
    #[arg(long, env = "FLOTILLA_BROKER_TLS_KEY", value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// Address of a WebSocket listener (subprotocol mqtt)
    #[arg(long, env = "FLOTILLA_BROKER_WS_LISTEN", value_name = "ADDRESS")]
    ws_listen: Option<SocketAddr>,
    /// Web page that may connect there, as in https://plant.example, or * for all; pages from localhost or this machine's
    /// address always may
    #[arg(long, env = "FLOTILLA_BROKER_WS_ORIGIN", value_name = "ORIGIN", value_delimiter = ',')]
    ws_origin: Vec<String>,
    /// File of name:hash lines (argon2 or bcrypt); with it, clients need a user name and its password
    #[arg(long, env = "FLOTILLA_BROKER_USERS", value_name = "FILE")]
    users: Option<PathBuf>,
    /// File of WHO WHAT FILTER lines: a user, * or -; publish, subscribe or both; a filter with %c and %u
    #[arg(long, env = "FLOTILLA_BROKER_ACL", value_name = "FILE")]
    acl: Option<PathBuf>,
    /// Accept clients without a password from anywhere, not only from this machine
    #[arg(long, env = "FLOTILLA_BROKER_ALLOW_ANONYMOUS")]
    allow_anonymous: bool,
    /// Most connections at once [default: 20000]
    #[arg(long, env = "FLOTILLA_BROKER_MAX_CONNECTIONS", value_name = "COUNT")]
    max_connections: Option<usize>,
    /// Most connections from one address [default: 20000]
    #[arg(long, env = "FLOTILLA_BROKER_MAX_CONNECTIONS_PER_ADDRESS", value_name = "COUNT")]
    max_connections_per_address: Option<usize>,
    /// Most sessions, connected or not; past this, new sessions end with their connection [default: 100000]
    #[arg(long, env = "FLOTILLA_BROKER_MAX_SESSIONS", value_name = "COUNT")]
    max_sessions: Option<usize>,
    /// Largest accepted CONNECT, in bytes [default: 131072]
    #[arg(long, env = "FLOTILLA_BROKER_MAX_CONNECT", value_name = "BYTES")]
    max_connect: Option<usize>,
    /// Seconds that a new connection has for its CONNECT [default: 10]
    #[arg(long, env = "FLOTILLA_BROKER_CONNECT_TIMEOUT", value_name = "SECONDS")]
    connect_timeout: Option<u64>,
    /// Most subscriptions of one session [default: 10000]
    #[arg(long, env = "FLOTILLA_BROKER_MAX_SUBSCRIPTIONS", value_name = "COUNT")]
    max_subscriptions: Option<usize>,
    /// Approximate bytes of memory for them, mostly for the levels of their filters [default: 33554432]
    #[arg(long, env = "FLOTILLA_BROKER_MAX_SUBSCRIPTION_BYTES", value_name = "BYTES")]
    max_subscription_bytes: Option<usize>,
    /// Approximate bytes of memory for all filters of subscriptions and share groups [default: 1073741824]
    #[arg(long, env = "FLOTILLA_BROKER_MAX_FILTER_BYTES", value_name = "BYTES")]
    max_filter_bytes: Option<usize>,
    /// Longest time that a session outlives its connection, in seconds [default: no limit]
    #[arg(long, env = "FLOTILLA_BROKER_MAX_SESSION_EXPIRY", value_name = "SECONDS")]
    max_session_expiry: Option<u32>,
    /// Most retained messages, 0 for none [default: 1000000]
    #[arg(long, env = "FLOTILLA_BROKER_MAX_RETAINED", value_name = "COUNT")]
    max_retained: Option<usize>,
    /// Bytes of retained messages, including the levels of their topics [default: 536870912]
    #[arg(long, env = "FLOTILLA_BROKER_MAX_RETAINED_BYTES", value_name = "BYTES")]
    max_retained_bytes: Option<usize>,
    /// Seconds between the broker's own messages on $SYS/broker/..., 0 for none [default: 10]
    #[arg(long, env = "FLOTILLA_BROKER_SYS_INTERVAL", value_name = "SECONDS")]
    sys_interval: Option<u64>,
    /// Folder for sessions, retained and queued messages, so that they survive a crash; without it all are in memory
    #[arg(long, env = "FLOTILLA_BROKER_PERSIST", value_name = "DIR")]
    persist: Option<PathBuf>,
    /// Largest accepted packet, in bytes [default: 1048576]
    #[arg(long, env = "FLOTILLA_BROKER_MAX_PACKET", value_name = "BYTES")]
    max_packet: Option<usize>,
    /// Most un-acknowledged QoS 1 and 2 publishes of one client [default: 1000]
    #[arg(long, env = "FLOTILLA_BROKER_RECEIVE_MAXIMUM", value_name = "COUNT")]
    receive_maximum: Option<u16>,
    /// Highest accepted topic alias, 0 for none [default: 32]
    #[arg(long, env = "FLOTILLA_BROKER_TOPIC_ALIAS_MAX", value_name = "COUNT")]
    topic_alias_max: Option<u16>,
    /// Most un-acknowledged messages sent to one client [default: 1000]
    #[arg(long, env = "FLOTILLA_BROKER_MAX_IN_FLIGHT", value_name = "COUNT")]
    max_in_flight: Option<u16>,
    /// Longest keep alive for MQTT 5 clients, in seconds; a client that asks for more, or for none, gets this one
    #[arg(long, env = "FLOTILLA_BROKER_SERVER_KEEP_ALIVE", value_name = "SECONDS")]
    server_keep_alive: Option<u16>,
    /// Filters that may not be subscribed, with everything that they cover; wider ones may (use --acl against them)
    #[arg(long, env = "FLOTILLA_BROKER_DENY_SUBSCRIBE", value_name = "FILTER", value_delimiter = ',')]
    deny_subscribe: Vec<String>,
    /// How share groups pick a member: least-in-flight, round-robin, random, sticky, topic-hash, keyed
    #[arg(long, env = "FLOTILLA_BROKER_STRATEGY", value_name = "NAME", value_parser = strategy)]
    strategy: Option<Strategy>,
    /// The same for groups of one name, as in plant*=topic-hash (* matches any rest); the first match applies
    #[arg(long, env = "FLOTILLA_BROKER_GROUP_STRATEGY", value_name = "NAME=STRATEGY", value_delimiter = ',')]
    group_strategy: Vec<GroupStrategy>,
    /// Messages that wait in one share group before publishers are refused or slowed [default: 100000]
    #[arg(long, env = "FLOTILLA_BROKER_GROUP_QUEUE", value_name = "COUNT")]
    group_queue: Option<usize>,
    /// Bytes of these messages [default: 268435456]
    #[arg(long, env = "FLOTILLA_BROKER_GROUP_QUEUE_BYTES", value_name = "BYTES")]
    group_queue_bytes: Option<usize>,
    /// Longest time that a message waits in a share group, in seconds [default: 86400]
    #[arg(long, env = "FLOTILLA_BROKER_GROUP_MAX_AGE", value_name = "SECONDS")]
    group_max_age: Option<u64>,
    /// Seconds that a share group without members still collects messages [default: 3600]
    #[arg(long, env = "FLOTILLA_BROKER_GROUP_LINGER", value_name = "SECONDS")]
    group_linger: Option<u64>,
    /// Messages that wait for one session before new ones for it are dropped and counted [default: 10000]
    #[arg(long, env = "FLOTILLA_BROKER_SESSION_QUEUE", value_name = "COUNT")]
    session_queue: Option<usize>,
    /// Bytes of these messages [default: 16777216]
    #[arg(long, env = "FLOTILLA_BROKER_SESSION_QUEUE_BYTES", value_name = "BYTES")]
    session_queue_bytes: Option<usize>,
    /// Bytes of all messages held: waiting, in flight and retained; past this, every queue is full [default: 1073741824]
    #[arg(long, env = "FLOTILLA_BROKER_MAX_HELD_BYTES", value_name = "BYTES")]
    max_held_bytes: Option<usize>,
    /// Milliseconds that publishers at QoS 1 and 2 pause, each time, for a slow subscriber that still reads; 0 for never:
    /// then its queue fills, and further messages are dropped and counted [default: 1000]
    #[arg(long, env = "FLOTILLA_BROKER_PUBLISHER_PATIENCE_MS", value_name = "MS")]
    publisher_patience_ms: Option<u64>,
    /// Milliseconds after which messages of a disconnected member go to another [default: 5000]
    #[arg(long, env = "FLOTILLA_BROKER_REDISPATCH_AFTER_MS", value_name = "MS")]
    redispatch_after_ms: Option<u64>,
    /// Address of /livez, /readyz and /metrics
    #[arg(long, env = "FLOTILLA_OPS", default_value = "127.0.0.1:0", value_name = "ADDR")]
    pub ops: SocketAddr,
}

impl ServeArgs {
    /// The settings, with the defaults of what is not set.
    pub fn into_config(self) -> Config {
        let default = Config::default();
        Config {
            listen: self.listen.unwrap_or(default.listen),
            tls_listen: self.tls_listen,
            tls_cert: self.tls_cert,
            tls_key: self.tls_key,
            ws_listen: self.ws_listen,
            users: self.users,
            acl: self.acl,
            allow_anonymous: self.allow_anonymous,
            max_connections: self.max_connections.unwrap_or(default.max_connections),
            max_connections_per_address: self
                .max_connections_per_address
                .unwrap_or(default.max_connections_per_address),
            connect_timeout: self.connect_timeout.unwrap_or(default.connect_timeout),
            max_subscriptions: self.max_subscriptions.unwrap_or(default.max_subscriptions),
            max_subscription_bytes: self.max_subscription_bytes.unwrap_or(default.max_subscription_bytes),
            max_filter_bytes: self.max_filter_bytes.unwrap_or(default.max_filter_bytes),
            max_session_expiry: self.max_session_expiry.unwrap_or(default.max_session_expiry),
            max_sessions: self.max_sessions.unwrap_or(default.max_sessions),
            max_connect: self.max_connect.unwrap_or(default.max_connect),
            ws_origins: self.ws_origin,
            max_retained: self.max_retained.unwrap_or(default.max_retained),
            max_retained_bytes: self.max_retained_bytes.unwrap_or(default.max_retained_bytes),
            sys_interval: self.sys_interval.unwrap_or(default.sys_interval),
            persist: self.persist,
            max_packet: self.max_packet.unwrap_or(default.max_packet),
            receive_maximum: self.receive_maximum.unwrap_or(default.receive_maximum),
            topic_alias_max: self.topic_alias_max.unwrap_or(default.topic_alias_max),
            max_in_flight: self.max_in_flight.unwrap_or(default.max_in_flight),
            server_keep_alive: self.server_keep_alive,
            deny_subscribe: self.deny_subscribe,
            strategy: self.strategy.unwrap_or(default.strategy),
            group_strategies: self.group_strategy,
            group_queue: self.group_queue.unwrap_or(default.group_queue),
            group_queue_bytes: self.group_queue_bytes.unwrap_or(default.group_queue_bytes),
            group_max_age: self.group_max_age.unwrap_or(default.group_max_age),
            group_linger: self.group_linger.unwrap_or(default.group_linger),
            session_queue: self.session_queue.unwrap_or(default.session_queue),
            publisher_patience_ms: self.publisher_patience_ms.unwrap_or(default.publisher_patience_ms),
            session_queue_bytes: self.session_queue_bytes.unwrap_or(default.session_queue_bytes),
            max_held_bytes: self.max_held_bytes.unwrap_or(default.max_held_bytes),
            redispatch_after_ms: self.redispatch_after_ms.unwrap_or(default.redispatch_after_ms),
            ..default
        }
    }
}

/// By its name in the configuration.
fn strategy(name: &str) -> Result<Strategy, String> {
    name.parse().map_err(|error: flotilla_broker::UnknownStrategy| error.to_string())
}
