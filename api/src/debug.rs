//! What debug nodes show.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::node::Unanswered;

/// A message of a debug node, as Node-RED's sidebar gets it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct DebugMessage {
    /// When, milliseconds since the epoch, on the replica's clock.
    pub time_ms: u64,
    /// The replica.
    pub replica: String,
    /// Its place among the messages of this replica: grows by one.
    pub position: u64,
    /// The debug node's id.
    pub node: String,
    /// Its name, or empty.
    pub name: String,
    /// The id of its tab.
    pub tab: String,
    /// The tab's name.
    pub tab_label: String,
    /// Node-RED's path of the flow: `tab/instance/...`.
    pub path: String,
    /// `msg.topic`.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub topic: Value,
    /// The property of the message that is shown; empty: the whole message.
    pub property: String,
    /// Node-RED's name of its kind: `string[5]`, `number`, `Object`, `array[3]`, ...
    pub format: String,
    /// The value as text; objects and arrays as JSON.
    pub msg: Value,
    /// Messages of this replica right before this one that came too fast and were left out.
    pub left_out: u64,
}

/// The newest messages of debug nodes. `GET /api/v1/groups/{group}/debug`; with `follow=true` as server-sent events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DebugMessages {
    /// The messages, by time.
    pub messages: Vec<DebugMessage>,
    /// How many messages the replicas left out since they started, because they came too fast.
    pub left_out: u64,
    /// The replicas that did not answer.
    pub unanswered: Vec<Unanswered>,
}

/// What a replica hands out of its debug messages.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DebugPage {
    /// The messages, the oldest first.
    pub messages: Vec<DebugMessage>,
    /// The position to ask for next.
    pub next: u64,
    /// See [`DebugMessages::left_out`].
    pub left_out: u64,
}

impl DebugMessage {
    /// What it shows, in one line: `plant/a : msg.payload : number 21.5`.
    pub fn value(&self) -> String {
        let topic = self.topic.as_str().filter(|topic| !topic.is_empty());
        let topic = topic.map(|topic| format!("{topic} : ")).unwrap_or_default();
        let property = if self.property.is_empty() { String::new() } else { format!(".{}", self.property) };
        let msg = match &self.msg {
            Value::String(text) if self.format.starts_with("string") => format!("\"{text}\""),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        format!("{topic}msg{property} : {} {msg}", self.format)
    }
}

impl std::fmt::Display for DebugMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = if self.name.is_empty() { &self.node } else { &self.name };
        write!(f, "[{}] {name}: {}", self.tab_label, self.value())
    }
}
