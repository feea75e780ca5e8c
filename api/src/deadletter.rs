//! Dead letters: messages that failed for good.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::trail::Trail;

/// Why a message is a dead letter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// Its delivery failed, as often as it may be tried.
    #[default]
    Failed,
    /// Replicas died while they worked on it and on nothing else.
    Died,
}

/// A dead letter without its content. `GET /api/v1/groups/{group}/deadletters` answers them, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeadLetter {
    /// Its number in the group; grows.
    pub id: u64,
    /// When it was put here, in ms since 1970 on the store's clock.
    pub time_ms: u64,
    /// The replica that gave it up.
    pub replica: String,
    /// The id of the mqtt-broker node that it came through.
    pub broker: String,
    /// The topic that it came on.
    pub topic: String,
    /// Its quality of service.
    pub qos: u8,
    /// It was a retained message.
    #[serde(default)]
    pub retain: bool,
    /// Bytes of its payload.
    pub bytes: u64,
    /// Why it is here.
    pub cause: Cause,
    /// The id of the node that failed; empty when replicas died.
    #[serde(default)]
    pub node: String,
    /// What that node reported.
    pub error: String,
    /// How often it was tried.
    pub attempts: u32,
    /// How often it was replayed since, without success.
    #[serde(default)]
    pub replays: u32,
}

/// One dead letter. `GET /api/v1/groups/{group}/deadletters/{id}`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeadLetterContent {
    /// What lists show of it.
    #[serde(flatten)]
    pub letter: DeadLetter,
    /// The payload in base64; none when it was too large to be kept.
    pub payload: Option<String>,
    /// MQTT 5's properties that go with it.
    #[serde(default)]
    pub properties: LetterProperties,
    /// The message as it was at the node that failed, in JSON; none when it was too large to be kept, or replicas died.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Value>,
    /// Where its last delivery went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trail: Option<Trail>,
}

/// How a dead letter is run again. `POST /api/v1/groups/{group}/deadletters/{id}/replay`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ReplayLetter {
    /// Its message enters the node that failed, as it was there, and no node before it; else it begins anew.
    pub at_failure: bool,
    /// Sent by clients of 0.1.0 and ignored: who it was is known from the credential.
    #[serde(skip_serializing)]
    pub actor: String,
}

/// Another payload for a dead letter. `PUT /api/v1/groups/{group}/deadletters/{id}/payload`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPayload {
    /// The payload in base64.
    pub payload: String,
    /// It is the message where it failed that is to be another one: the payload is an object in JSON.
    #[serde(default)]
    pub at_failure: bool,
}

/// The properties of a message that a replay gives back to the flow (MQTT 5, 3.3.2.3).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct LetterProperties {
    /// The payload is UTF-8 text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utf8: Option<bool>,
    /// The type of its content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// Where an answer goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_topic: Option<String>,
    /// What ties the answer to it, in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation: Option<String>,
    /// User properties, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub user: Vec<(String, String)>,
}
