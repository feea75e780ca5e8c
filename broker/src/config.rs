use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// How a share group picks the member for the next message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// The member with the fewest un-acknowledged messages.
    #[default]
    LeastInFlight,
    /// One after the other.
    RoundRobin,
    /// Any.
    Random,
    /// The same member until it has no room.
    Sticky,
    /// By topic: one topic goes to one member while membership stays, in order.
    TopicHash,
}

/// Settings of a broker. Every field has a default.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Address of the TCP listener; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Largest packet taken from a client, in bytes.
    pub max_packet: usize,
    /// QoS 1 and 2 publishes a client may have un-acknowledged (receive maximum in CONNACK).
    pub receive_maximum: u16,
    /// Highest topic alias taken from a client; 0 turns aliases off.
    pub topic_alias_max: u16,
    /// Most un-acknowledged messages sent to one client, whatever receive maximum it asks for.
    pub max_in_flight: u16,
    /// Seconds; when set, clients are told to use this keep alive.
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
    /// Filters that may not be subscribed (SUBACK 0x80).
    pub deny_subscribe: Vec<String>,
    /// Share groups' strategy.
    pub strategy: Strategy,
    /// Milliseconds after which what a disconnected member of a share group held goes to another.
    pub redispatch_after_ms: u64,
    /// Messages that wait in one share group before publishers are refused or slowed.
    pub group_queue: usize,
    /// Bytes of them.
    pub group_queue_bytes: usize,
    /// Seconds that a share group without members keeps its messages.
    pub group_linger: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 1883)),
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
            deny_subscribe: Vec::new(),
            strategy: Strategy::LeastInFlight,
            redispatch_after_ms: 5000,
            group_queue: 100_000,
            group_queue_bytes: 256 << 20,
            group_linger: 3600,
        }
    }
}
