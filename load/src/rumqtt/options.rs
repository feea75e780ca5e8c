//! From a checked target to rumqttc's options.

use std::time::Duration;

use flotilla_codec::Version;
use rumqttc::{NetworkOptions, TlsConfiguration, Transport, v5};

use super::link::{Link, level};
use crate::scenario::Target;

/// The largest packet that is taken.
const LARGEST: u32 = 256 << 20;
/// The shortest keep alive that rumqttc takes, in seconds.
const LEAST_KEEP_ALIVE: u16 = 5;

/// What a client announces beside its target.
#[derive(Clone, Debug, Default)]
pub struct LinkOptions {
    /// ClientID.
    pub client_id: String,
    /// Clean start, or clean session.
    pub clean: bool,
    /// Seconds that the session outlives the connection (MQTT 5); `None`: it ends with it.
    pub session_expiry: Option<u32>,
    /// Messages handed over that rumqttc has not written yet; handing over waits at this many.
    pub queue: usize,
    /// Un-acknowledged publishes at once; `None`: as many as the broker takes.
    pub in_flight: Option<u16>,
    /// What arrives is acknowledged by [`super::Sender::ack`] only.
    pub manual_acks: bool,
    /// The will.
    pub will: Option<Will>,
    /// User properties of CONNECT (MQTT 5).
    pub user_properties: Vec<(String, String)>,
}

/// What the broker publishes when the client is gone without a word.
#[derive(Clone, Debug)]
pub struct Will {
    /// Its topic.
    pub topic: String,
    /// Its payload.
    pub payload: String,
    /// 0, 1 or 2.
    pub qos: u8,
    /// Retain flag.
    pub retain: bool,
}

impl LinkOptions {
    /// A link that connects when it is polled.
    pub fn link(self, target: &Target) -> Link {
        let transport = match &target.tls {
            Some(config) => Transport::tls_with_config(TlsConfiguration::Rustls(config.clone())),
            None => Transport::tcp(),
        };
        // rumqttc joins host and port with a colon; TLS compares the bare host.
        let host = if target.host.contains(':') && target.tls.is_none() {
            format!("[{}]", target.host)
        } else {
            target.host.clone()
        };
        let mut network = NetworkOptions::new();
        network.set_tcp_nodelay(true);
        let credentials = target.user.clone().map(|user| (user, target.password.clone().unwrap_or_default()));
        // 0 is "never" in MQTT, and refused by rumqttc's MQTT 5 half.
        let keep_alive = if target.keep_alive == 0 { u16::MAX } else { target.keep_alive.max(LEAST_KEEP_ALIVE) };
        let keep_alive = Duration::from_secs(u64::from(keep_alive));
        if target.version == Version::V5 {
            let mut options = v5::MqttOptions::new(self.client_id, host, target.port);
            options.set_transport(transport).set_keep_alive(keep_alive).set_clean_start(self.clean);
            options.set_max_packet_size(Some(LARGEST)).set_session_expiry_interval(self.session_expiry);
            options.set_network_options(network).set_pending_throttle(Duration::ZERO);
            options.set_manual_acks(self.manual_acks);
            if let Some(most) = self.in_flight {
                options.set_outgoing_inflight_upper_limit(most.max(1));
            }
            if !self.user_properties.is_empty() {
                options.set_user_properties(self.user_properties);
            }
            if let Some((user, password)) = credentials {
                options.set_credentials(user, password);
            }
            if let Some(will) = self.will {
                let (_, qos) = level(will.qos);
                options.set_last_will(v5::mqttbytes::v5::LastWill::new(
                    will.topic,
                    will.payload,
                    qos,
                    will.retain,
                    None,
                ));
            }
            let (client, events) = v5::AsyncClient::new(options, self.queue);
            return Link::V5 { client, events: Box::new(events) };
        }
        let mut options = rumqttc::MqttOptions::new(self.client_id, host, target.port);
        options.set_transport(transport).set_keep_alive(keep_alive).set_clean_session(self.clean);
        options.set_max_packet_size(LARGEST as usize, LARGEST as usize).set_pending_throttle(Duration::ZERO);
        options.set_manual_acks(self.manual_acks);
        if let Some(most) = self.in_flight {
            options.set_inflight(most.max(1));
        }
        if let Some((user, password)) = credentials {
            options.set_credentials(user, password);
        }
        if let Some(will) = self.will {
            options.set_last_will(rumqttc::LastWill::new(will.topic, will.payload, level(will.qos).0, will.retain));
        }
        let (client, mut events) = rumqttc::AsyncClient::new(options, self.queue);
        events.set_network_options(network);
        Link::V4 { client, events: Box::new(events) }
    }
}
