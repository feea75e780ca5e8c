//! rumqttc's two clients, 3.1.1 and 5, as one.

use bytes::Bytes;
use rumqttc::v5;
use rumqttc::v5::mqttbytes::v5::PublishProperties;

use super::event::{self, Arrived, Happening};

/// A connection: what sends, and what has to be polled. A poll must not be dropped in the middle: rumqttc may lose what it
/// was writing.
pub enum Link {
    /// MQTT 3.1.1.
    V4 {
        /// Sends.
        client: rumqttc::AsyncClient,
        /// Is polled.
        events: Box<rumqttc::EventLoop>,
    },
    /// MQTT 5.
    V5 {
        /// Sends.
        client: v5::AsyncClient,
        /// Is polled.
        events: Box<v5::EventLoop>,
    },
}

/// Why a link is down, or what was handed over was not taken.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The network.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// Anything else that rumqttc reports.
    #[error("{0}")]
    Client(String),
    /// Nothing came in time.
    #[error("no answer within {0} s")]
    Silent(u64),
    /// A subscription was refused.
    #[error("the broker refused the subscription to \"{0}\": {1}")]
    Subscription(String, String),
    /// A name with wildcards or nothing in it.
    #[error("\"{0}\" is not a topic that one can publish to")]
    Topic(String),
    /// A filter whose wildcards are in the wrong place.
    #[error("\"{0}\" is not a topic filter")]
    Filter(String),
}

/// The half that sends; it may be held while the other is polled.
#[derive(Clone)]
pub enum Sender {
    /// MQTT 3.1.1.
    V4(rumqttc::AsyncClient),
    /// MQTT 5.
    V5(v5::AsyncClient),
}

/// What is published.
#[derive(Clone, Debug)]
pub struct Message {
    /// Topic.
    pub topic: String,
    /// 0, 1 or 2.
    pub qos: u8,
    /// Retain flag.
    pub retain: bool,
    /// Payload.
    pub payload: Bytes,
    /// Properties; MQTT 3.1.1 leaves them out.
    pub properties: Option<PublishProperties>,
}

/// QoS as both halves of rumqttc have it.
pub(super) fn level(qos: u8) -> (rumqttc::QoS, v5::mqttbytes::QoS) {
    use v5::mqttbytes::QoS;
    match qos {
        0 => (rumqttc::QoS::AtMostOnce, QoS::AtMostOnce),
        1 => (rumqttc::QoS::AtLeastOnce, QoS::AtLeastOnce),
        _ => (rumqttc::QoS::ExactlyOnce, QoS::ExactlyOnce),
    }
}

impl Link {
    /// What sends.
    pub fn sender(&self) -> Sender {
        match self {
            Link::V4 { client, .. } => Sender::V4(client.clone()),
            Link::V5 { client, .. } => Sender::V5(client.clone()),
        }
    }

    /// Waits for what happens next; connects (again) first where there is no connection.
    ///
    /// # Errors
    /// When the connection cannot be made, is refused or ends.
    pub async fn poll(&mut self) -> Result<Happening, LinkError> {
        match self {
            Link::V4 { events, .. } => events.poll().await.map(event::v4).map_err(v4_error),
            Link::V5 { events, .. } => events.poll().await.map(event::v5).map_err(v5_error),
        }
    }
}

fn v4_error(error: rumqttc::ConnectionError) -> LinkError {
    use rumqttc::{ConnectionError, StateError};
    match error {
        ConnectionError::Io(error) | ConnectionError::MqttState(StateError::Io(error)) => LinkError::Io(error),
        ConnectionError::ConnectionRefused(code) => {
            LinkError::Client(format!("the broker refused the connection: {code:?}"))
        }
        ConnectionError::NetworkTimeout => LinkError::Client("no answer in time".to_owned()),
        other => LinkError::Client(other.to_string()),
    }
}

fn v5_error(error: v5::ConnectionError) -> LinkError {
    use v5::{ConnectionError, StateError};
    match error {
        ConnectionError::Io(error) | ConnectionError::MqttState(StateError::Io(error)) => LinkError::Io(error),
        ConnectionError::ConnectionRefused(code) => {
            LinkError::Client(format!("the broker refused the connection: {code:?}"))
        }
        ConnectionError::MqttState(StateError::ServerDisconnect { reason_code, reason_string }) => {
            let why = reason_string.map(|text| format!(" ({text})")).unwrap_or_default();
            LinkError::Client(format!("the broker ended the connection: {reason_code:?}{why}"))
        }
        ConnectionError::Timeout(_) => LinkError::Client("no answer in time".to_owned()),
        other => LinkError::Client(other.to_string()),
    }
}

impl Sender {
    /// Hands a message over; waits while the queue is full.
    ///
    /// # Errors
    /// For a topic that one cannot publish to.
    pub async fn publish(&self, message: Message) -> Result<(), LinkError> {
        let Message { topic, qos, retain, payload, properties } = message;
        let refused = || LinkError::Topic(topic.clone());
        let (v4, v5) = level(qos);
        match self {
            Sender::V4(client) => client.publish(&topic, v4, retain, payload).await.map_err(|_| refused()),
            Sender::V5(client) => match properties {
                Some(properties) => {
                    client.publish_with_properties(&topic, v5, retain, payload, properties).await.map_err(|_| refused())
                }
                None => client.publish(&topic, v5, retain, payload).await.map_err(|_| refused()),
            },
        }
    }

    /// Subscribes to a filter.
    ///
    /// # Errors
    /// For a filter that is not valid.
    pub async fn subscribe(&self, filter: &str, qos: u8) -> Result<(), LinkError> {
        let refused = || LinkError::Filter(filter.to_owned());
        let (v4, v5) = level(qos);
        match self {
            Sender::V4(client) => client.subscribe(filter, v4).await.map_err(|_| refused()),
            Sender::V5(client) => client.subscribe(filter, v5).await.map_err(|_| refused()),
        }
    }

    /// Acknowledges a message, on a link with manual acknowledgements: PUBACK, or PUBREC.
    pub async fn ack(&self, arrived: &Arrived) {
        let (v4, v5) = level(arrived.qos);
        // It fails only when the connection is gone already: then the message comes again.
        let _ = match self {
            Sender::V4(client) => {
                let mut publish = rumqttc::Publish::new(&arrived.topic, v4, Vec::new());
                publish.pkid = arrived.pkid;
                client.ack(&publish).await.is_ok()
            }
            Sender::V5(client) => {
                let mut publish = v5::mqttbytes::v5::Publish::new(&arrived.topic, v5, Bytes::new(), None);
                publish.pkid = arrived.pkid;
                client.ack(&publish).await.is_ok()
            }
        };
    }

    /// DISCONNECT, behind what was handed over before.
    pub async fn disconnect(&self) {
        // It fails only when the connection is gone already.
        let _ = match self {
            Sender::V4(client) => client.disconnect().await.is_ok(),
            Sender::V5(client) => client.disconnect().await.is_ok(),
        };
    }
}
