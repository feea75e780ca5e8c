//! A scenario that can be run.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use flotilla_codec::QoS;
use rustls::ClientConfig;

use super::file::Faults;
use super::json_path::JsonPath;
use super::pace::Paced;
use super::target::Target;
use crate::measure::Threshold;
use crate::template::Template;

/// A scenario with everything in it checked.
pub struct Checked {
    /// For the report.
    pub name: String,
    /// See [`super::Scenario::seed`].
    pub seed: u64,
    /// What it was made of, for the report.
    pub text: String,
    /// See [`super::Scenario::drain`].
    pub drain: Duration,
    /// Conditions that set the exit code.
    pub thresholds: Vec<Threshold>,
    /// Streams.
    pub streams: Vec<Stream>,
    /// Where outputs come.
    pub collectors: Vec<Collect>,
    /// A schedule of faults.
    pub faults: Option<Faults>,
}

/// A stream of messages or requests.
#[derive(Clone)]
pub struct Stream {
    /// For the report.
    pub name: String,
    /// How fast.
    pub pace: Paced,
    /// Topics, or URLs: a key for each.
    pub names: Vec<String>,
    /// What each carries.
    pub payload: Template,
    /// Where the mark goes; never `Auto`.
    pub place: Place,
    /// Messages or requests.
    pub kind: Kind,
}

/// Where the mark is, decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The payload has it.
    Payload,
    /// A user property or header has it.
    Property,
    /// The payload has only a sequence, which the collector finds by its path.
    Sequence,
    /// Nowhere.
    None,
}

/// What a stream consists of.
#[derive(Clone)]
pub enum Kind {
    /// MQTT messages.
    Mqtt(MqttStream),
    /// HTTP requests.
    Http(HttpStream),
}

impl Kind {
    /// The MQTT stream that it is; none is asked for what it is not.
    ///
    /// # Panics
    /// For a stream of requests.
    pub fn mqtt(&self) -> &MqttStream {
        match self {
            Kind::Mqtt(mqtt) => mqtt,
            Kind::Http(_) => unreachable!("publishers are made for MQTT streams"),
        }
    }
}

/// MQTT messages.
#[derive(Clone)]
pub struct MqttStream {
    /// Where they go.
    pub target: Target,
    /// QoS.
    pub qos: QoS,
    /// Retain flag.
    pub retain: bool,
    /// Un-acknowledged at once.
    pub window: u16,
    /// User properties.
    pub properties: BTreeMap<String, String>,
}

/// HTTP requests.
#[derive(Clone)]
pub struct HttpStream {
    /// Method.
    pub method: hyper::Method,
    /// Header fields.
    pub headers: hyper::HeaderMap,
    /// True: the answers are what is followed; false: the collectors are.
    pub answers: bool,
    /// Statuses that are not errors; empty for 200 to 299.
    pub status: Vec<u16>,
    /// What the answer's body must have.
    pub answer: Option<Template>,
    /// Keeps connections.
    pub keep_alive: bool,
    /// How long an answer may take.
    pub timeout: Duration,
    /// For `https`.
    pub tls: Arc<ClientConfig>,
}

/// A subscription whose messages are outputs.
#[derive(Clone)]
pub struct Collect {
    /// Where.
    pub target: Target,
    /// Topic filter.
    pub filter: String,
    /// QoS.
    pub qos: QoS,
    /// Where the sequence is; `None`: the mark is looked for.
    pub sequence: Option<JsonPath>,
    /// Where the key is.
    pub key: Option<JsonPath>,
    /// Topic level of the key, from 0.
    pub level: Option<usize>,
    /// Each message has an output.
    pub all: bool,
    /// In order.
    pub ordered: bool,
}
