//! The settings, with their defaults.

use std::{net::SocketAddr, path::PathBuf};

use serde::{Deserialize, Serialize};

use super::{Account, GroupStrategy, Strategy};

/// Settings of a broker. Every field has a default.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Address of the TCP listener; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Address of the TLS listener, if there is to be one.
    pub tls_listen: Option<SocketAddr>,
    /// PEM file with its certificate chain.
    pub tls_cert: Option<PathBuf>,
    /// PEM file with its key.
    pub tls_key: Option<PathBuf>,
    /// Address of the WebSocket listener, if there is to be one.
    pub ws_listen: Option<SocketAddr>,
    /// Origins of web pages that may connect there, as in `https://plant.example`; `*` for all. Pages from this machine's
    /// address or `localhost` may without.
    pub ws_origins: Vec<String>,
    /// File of `name:hash` lines; with it, clients need a user name and its password.
    pub users: Option<PathBuf>,
    /// Users that the program which runs the broker makes. Others connect as if they were not there.
    #[serde(skip)]
    pub accounts: Vec<Account>,
    /// File of `WHO WHAT FILTER` lines; with it, what no line allows is refused.
    pub acl: Option<PathBuf>,
    /// Take clients without a password from anywhere. Otherwise only from this machine, while there are no users.
    pub allow_anonymous: bool,
    /// Seconds between the broker's own messages on `$SYS/broker/...`; 0 for none.
    pub sys_interval: u64,
    /// Folder for what survives a crash; without one all is in memory.
    pub persist: Option<PathBuf>,
    /// Largest packet taken from a client, in bytes.
    pub max_packet: usize,
    /// QoS 1 and 2 publishes a client may have un-acknowledged (receive maximum in CONNACK).
    pub receive_maximum: u16,
    /// Highest topic alias taken from a client; 0 turns aliases off.
    pub topic_alias_max: u16,
    /// Most un-acknowledged messages sent to one client, whatever receive maximum it asks for.
    pub max_in_flight: u16,
    /// Seconds; MQTT 5 clients that ask for a longer keep alive, or none, are told to use this one.
    pub server_keep_alive: Option<u16>,
    /// Seconds to wait for CONNECT.
    pub connect_timeout: u64,
    /// Longest session expiry granted, in seconds.
    pub max_session_expiry: u32,
    /// Messages that wait for one session before new ones for it are dropped and counted.
    pub session_queue: usize,
    /// Bytes of them.
    pub session_queue_bytes: usize,
    /// Encoded bytes that wait for one connection's socket.
    pub out_buffer: usize,
    /// Most connections at once.
    pub max_connections: usize,
    /// Of them, from one address.
    pub max_connections_per_address: usize,
    /// Sessions, connected or not, before no more are made that outlive their connection (CONNACK 0x97).
    pub max_sessions: usize,
    /// Largest CONNECT taken, in bytes.
    pub max_connect: usize,
    /// Subscriptions of one session.
    pub max_subscriptions: usize,
    /// Bytes of memory that they take, about: mostly by the levels of their filters.
    pub max_subscription_bytes: usize,
    /// Bytes of memory of all filters that are subscribed or are a share group's, about.
    pub max_filter_bytes: usize,
    /// Retained messages; 0 for none.
    pub max_retained: usize,
    /// Bytes of them, the levels of their topics included.
    pub max_retained_bytes: usize,
    /// Milliseconds that a publisher is paused at most, per batch, for a subscriber that is behind but reads; 0 for never.
    pub publisher_patience_ms: u64,
    /// Bytes of all messages that are held (waiting, in flight, retained). Past them share groups take no more, as when
    /// they are full, and sessions' queues neither.
    pub max_held_bytes: usize,
    /// Filters that may not be subscribed (SUBACK 0x80), with all that they cover. Wider ones may.
    pub deny_subscribe: Vec<String>,
    /// Share groups' strategy.
    pub strategy: Strategy,
    /// Strategies of single share groups by name; `*` at the end stands for any rest. The first that fits counts.
    pub group_strategies: Vec<GroupStrategy>,
    /// Milliseconds after which what a disconnected member of a share group held goes to another.
    pub redispatch_after_ms: u64,
    /// Messages that wait in one share group before publishers are refused or slowed.
    pub group_queue: usize,
    /// Bytes of them.
    pub group_queue_bytes: usize,
    /// Seconds that a message waits in a share group at most.
    pub group_max_age: u64,
    /// Seconds that a share group without members keeps its messages.
    pub group_linger: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 1883)),
            tls_listen: None,
            tls_cert: None,
            tls_key: None,
            ws_listen: None,
            ws_origins: Vec::new(),
            users: None,
            accounts: Vec::new(),
            acl: None,
            allow_anonymous: false,
            sys_interval: 10,
            persist: None,
            max_packet: 1 << 20,
            receive_maximum: 1000,
            topic_alias_max: 32,
            max_in_flight: 1000,
            server_keep_alive: None,
            connect_timeout: 10,
            max_session_expiry: u32::MAX,
            session_queue: 10_000,
            session_queue_bytes: 16 << 20,
            out_buffer: 256 << 10,
            max_connections: 20_000,
            max_connections_per_address: 20_000,
            max_sessions: 100_000,
            max_connect: 128 << 10,
            max_subscriptions: 10_000,
            max_subscription_bytes: 32 << 20,
            max_filter_bytes: 1 << 30,
            max_retained: 1_000_000,
            max_retained_bytes: 512 << 20,
            publisher_patience_ms: 1000,
            max_held_bytes: 1 << 30,
            deny_subscribe: Vec::new(),
            strategy: Strategy::LeastInFlight,
            group_strategies: Vec::new(),
            redispatch_after_ms: 5000,
            group_queue: 100_000,
            group_queue_bytes: 256 << 20,
            group_max_age: 86_400,
            group_linger: 3600,
        }
    }
}

impl Config {
    /// The strategy of the share group `name`.
    pub fn strategy_for(&self, name: &str) -> Strategy {
        let single = self.group_strategies.iter().find(|single| single.fits(name));
        single.map_or(self.strategy, |single| single.strategy)
    }

    /// Whether members of the share group `name` may ask for delivery by key: a strategy that was set has the last word.
    pub fn may_ask(&self, name: &str) -> bool {
        self.strategy == Strategy::LeastInFlight && !self.group_strategies.iter().any(|single| single.fits(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strategies_of_single_groups() {
        let group_strategies = ["plant-a=sticky", "plant*=topic-hash"].map(|text| text.parse().unwrap()).to_vec();
        let config = Config { group_strategies, ..Config::default() };
        assert_eq!(config.strategy_for("plant-a"), Strategy::Sticky);
        assert_eq!(config.strategy_for("plant-b"), Strategy::TopicHash);
        assert_eq!(config.strategy_for("other"), Strategy::LeastInFlight);
        for (text, error) in [
            ("plant", "\"plant\" has no strategy: write NAME=STRATEGY, as in plant*=topic-hash"),
            ("a/b=sticky", "\"a/b\" is not a share group name: use a name without / + #, or a prefix and *"),
            (
                "a=fast",
                "strategy \"fast\" is not known: use least-in-flight, round-robin, random, sticky, topic-hash or keyed",
            ),
        ] {
            assert_eq!(text.parse::<GroupStrategy>().unwrap_err().to_string(), error);
        }
    }
}
