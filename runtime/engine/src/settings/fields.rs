//! The settings and their defaults.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use super::measure::Measure;
use super::on_failure::OnFailure;
use crate::message::generate_id;

/// What a replica is told besides its flows. Replaced as a whole (`ArcSwap`), so a change is effective at once.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The group's name: the share name of MQTT subscriptions.
    pub group: String,
    /// This replica's unique id.
    pub replica: String,
    /// A text that is this process's own and never another's.
    pub process: String,
    /// Worker threads; default one per core.
    pub workers: usize,
    /// Deliveries that are open at most; the receive maximum of MQTT connections.
    pub max_in_flight: usize,
    /// What happens to failed deliveries.
    pub on_failure: OnFailure,
    /// What is measured of each message. What runs goes on with what it started with.
    pub measure: Measure,
    /// How often a failed delivery is run again before it is dead-lettered.
    pub max_retries: u32,
    /// How long the first retry waits; each further one waits twice as long, a minute at most.
    pub retry_delay: Duration,
    /// From so many processes on that died while they worked on one message and on nothing else, it is a dead letter.
    pub max_attempts: u32,
    /// `mqtt in` nodes subscribe to `$share/<group>/<filter>`, so that the group's replicas share the messages. Off by
    /// default; a replica of a group switches it on.
    pub share_subscriptions: bool,
    /// How long MQTT sessions of the whole group outlive it.
    pub keep_session: Duration,
    /// Where dead letters are published; `{group}` and `{topic}` are filled in. Empty: nowhere.
    pub dead_letter_topic: String,
    /// How long a node may take to close; Node-RED's `nodeCloseTimeout`, 15 s.
    pub node_close_timeout: Duration,
    /// Node types that an operator switched off: `exec`, `file`, `tcp-listen`, ...
    pub deny: Vec<String>,
    /// Run flows with unknown node types: such nodes swallow messages visibly.
    pub allow_unknown: bool,
    /// Where function nodes find npm modules.
    pub node_modules: Option<PathBuf>,
    /// Environment variables of the revision, over those of the process.
    pub env: HashMap<String, Option<String>>,
    /// Settings under Node-RED's own names, for example `nodeMessageBufferMaxLength`, `functionTimeout`,
    /// `httpRequestTimeout`, `functionGlobalContext`, `contextStorage`.
    pub node_red: serde_json::Map<String, serde_json::Value>,
    /// Texts are catalogue keys instead of English: Node-RED's specs expect that.
    pub catalogue_keys: bool,
}

/// The variable that tells a flow in which replica it runs.
pub const REPLICA: &str = "FLOTILLA_REPLICA";

/// True for variables of the process that configure Flotilla itself: keys, tokens and URLs with passwords are among them,
/// and no flow, nor any program that a flow runs, is to see them.
pub fn is_own(name: &str) -> bool {
    name.get(..9).is_some_and(|start| start.eq_ignore_ascii_case("FLOTILLA_"))
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            group: "default".to_owned(),
            replica: "alone".to_owned(),
            process: format!("{}{}", generate_id(), generate_id()),
            workers: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            max_in_flight: 1000,
            on_failure: OnFailure::Ack,
            measure: Measure::default(),
            max_retries: 3,
            retry_delay: Duration::from_millis(500),
            max_attempts: 3,
            share_subscriptions: false,
            keep_session: Duration::from_secs(86_400),
            dead_letter_topic: "flotilla/dead-letter/{group}/{topic}".to_owned(),
            node_close_timeout: Duration::from_secs(15),
            deny: Vec::new(),
            allow_unknown: false,
            node_modules: None,
            env: HashMap::new(),
            node_red: serde_json::Map::new(),
            catalogue_keys: false,
        }
    }
}

impl Settings {
    /// A numeric setting under Node-RED's name; numbers in strings count.
    pub fn number(&self, name: &str) -> Option<f64> {
        match self.node_red.get(name)? {
            serde_json::Value::Number(number) => number.as_f64(),
            serde_json::Value::String(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// An environment variable: the revision's, then the process's. A revision's `None` hides the process's. Flows do not see
    /// what configures Flotilla ([`is_own`]) except this replica's id, [`REPLICA`].
    pub fn env_var(&self, name: &str) -> Option<String> {
        match self.env.get(name) {
            Some(value) => value.clone(),
            None if name == REPLICA => Some(self.replica.clone()),
            None if is_own(name) => None,
            None => std::env::var(name).ok(),
        }
    }

    /// Node-RED's `nodeMessageBufferMaxLength`: messages that a node may hold; 0 is without a bound.
    pub fn message_buffer_max(&self) -> usize {
        self.number("nodeMessageBufferMaxLength").map_or(0, |number| number as usize)
    }
}
