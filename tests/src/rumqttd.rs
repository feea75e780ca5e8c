//! rumqttd inside the test's process: a broker that nobody here wrote, without redispatch, one port for each protocol version.

use std::collections::HashMap;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use rumqttd::{Broker, Config, ConnectionSettings, RouterConfig, ServerSettings};

use crate::ports::free_ports;
use crate::wait::eventually;

/// A rumqttd that runs. It has no way to stop it: its threads end with the test's process.
#[derive(Clone, Copy, Debug)]
pub struct Rumqttd {
    /// Where it listens for MQTT 3.1.1; it closes connections of MQTT 5 there.
    pub v4: SocketAddr,
    /// Where it listens for MQTT 5; it closes connections of MQTT 3.1.1 there.
    pub v5: SocketAddr,
}

impl Rumqttd {
    /// Starts it on free ports of loopback.
    ///
    /// # Errors
    /// When there are no free ports, or it does not listen within ten seconds.
    pub fn start() -> anyhow::Result<Rumqttd> {
        let [v4, v5] = free_ports()?;
        let config = Config {
            router: RouterConfig {
                max_connections: 100,
                max_outgoing_packet_count: 200,
                max_segment_size: 16 << 20,
                max_segment_count: 4,
                ..RouterConfig::default()
            },
            v4: Some(HashMap::from([("v4".to_owned(), server("rumqttd v4", v4))])),
            v5: Some(HashMap::from([("v5".to_owned(), server("rumqttd v5", v5))])),
            ..Config::default()
        };
        let mut broker = Broker::new(config);
        std::thread::spawn(move || drop(broker.start()));
        for address in [v4, v5] {
            eventually("rumqttd to listen", Duration::from_secs(10), || TcpStream::connect(address).ok())?;
        }
        Ok(Rumqttd { v4, v5 })
    }
}

fn server(name: &str, listen: SocketAddr) -> ServerSettings {
    ServerSettings {
        name: name.to_owned(),
        listen,
        tls: None,
        next_connection_delay_ms: 1,
        connections: ConnectionSettings {
            connection_timeout_ms: 60_000,
            max_payload_size: 1 << 20,
            max_inflight_count: 100,
            auth: None,
            external_auth: None,
            dynamic_filters: true,
        },
    }
}
