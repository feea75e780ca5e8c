//! A scenario as it is written in TOML. The fields are its documentation.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use crate::span::Span;

/// A whole scenario.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Scenario {
    /// For the report.
    pub name: String,
    /// Where random payloads and fault schedules begin; the same seed gives the same run.
    pub seed: u64,
    /// How long each stream runs that has no time of its own. Default: 30 s.
    #[serde(rename = "for")]
    pub duration: Option<Span>,
    /// How long after the last publish, without any output, what did not come out counts as lost. Default: 10 s.
    pub drain: Option<Span>,
    /// Conditions that set the exit code: `"lost = 0"`, `"p99 < 50ms"`, `"errors < 0.1%"`.
    pub thresholds: Vec<String>,
    /// The broker of all streams and collectors that name none.
    pub mqtt: Option<Broker>,
    /// Streams of MQTT messages.
    pub publish: Vec<Publish>,
    /// Streams of HTTP requests.
    pub request: Vec<Request>,
    /// Where outputs come.
    pub expect: Vec<Expect>,
    /// Faults, for groups that the command line names.
    pub faults: Option<Faults>,
}

/// A broker, and who connects to it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Broker {
    /// `mqtt://HOST:PORT`, `mqtts://HOST:PORT` for TLS, or `HOST:PORT`.
    pub url: String,
    /// 5, or 4 for MQTT 3.1.1. Default: 5.
    pub version: Option<u8>,
    /// User name.
    pub user: Option<String>,
    /// Password.
    pub password: Option<String>,
    /// PEM file with the certificate authorities that are trusted; default: those of the web.
    pub ca: Option<PathBuf>,
    /// PEM file with the client's certificate.
    pub cert: Option<PathBuf>,
    /// PEM file with the client's key.
    pub key: Option<PathBuf>,
    /// Takes any certificate: for tests only.
    pub insecure: bool,
    /// Seconds. Default: 30.
    pub keep_alive: Option<u16>,
}

/// How fast a stream goes; in each kind of stream.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pace {
    /// Messages a second of the whole stream, or `"max"`: as fast as answers come.
    pub rate: Option<Rate>,
    /// Connections. Default: 1.
    pub clients: Option<usize>,
    /// How long it runs.
    #[serde(rename = "for")]
    pub duration: Option<Span>,
    /// How long after the begin of the run it begins.
    pub after: Option<Span>,
    /// Goes up from 0 to the rate in this time.
    pub ramp: Option<Span>,
    /// So many at once, again and again, on top of the rate.
    pub burst: Option<Bursts>,
    /// Goes up in steps until something gives; instead of a rate.
    pub steps: Option<Steps>,
    /// Each client waits for its answer, then this long; instead of a rate.
    pub think: Option<Span>,
    /// Ends after so many messages.
    pub count: Option<u64>,
}

/// What is left of a stream's keys: an unknown one is refused here, as flattened fields do not do it themselves.
fn pace<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Pace, D::Error> {
    Pace::deserialize(toml::Table::deserialize(deserializer)?).map_err(D::Error::custom)
}

/// Messages a second.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Rate {
    /// A number.
    Number(f64),
    /// `"max"`, or a number as text: `"2000/s"`.
    Text(String),
}

/// Bursts.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bursts {
    /// From one to the next.
    pub every: Span,
    /// In each.
    pub messages: u64,
}

/// Steps.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Steps {
    /// Messages a second of the first.
    pub from: f64,
    /// More with each step.
    pub by: f64,
    /// No step beyond this rate.
    pub to: f64,
    /// How long each is.
    pub every: Span,
    /// The run ends with the first step for which one of these does not hold. Default: 95 % of the rate came out.
    #[serde(default)]
    pub until: Vec<String>,
}

/// A stream of MQTT messages.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Publish {
    /// For the report. Default: the topic.
    pub name: Option<String>,
    /// Another broker than the scenario's.
    pub mqtt: Option<Broker>,
    /// A topic pattern: `plant/press-{1..50}/temperature`. Each topic is a key with an order of its own.
    pub topic: String,
    /// 0, 1 or 2. Default: 1.
    pub qos: Option<u8>,
    /// Retain flag.
    pub retain: bool,
    /// Payload template. Default: a JSON object with a value and a time.
    pub payload: Option<String>,
    /// CSV file whose columns the payload uses.
    pub csv: Option<PathBuf>,
    /// Where the mark goes: `auto`, `json`, `property`, `template` or `none`.
    pub mark: MarkPlace,
    /// User properties (MQTT 5).
    pub properties: BTreeMap<String, String>,
    /// Un-acknowledged publishes of a client at once. Default: 100.
    pub window: Option<u16>,
    /// How fast.
    #[serde(flatten, deserialize_with = "pace")]
    pub pace: Pace,
}

/// Where a message carries its mark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MarkPlace {
    /// In the template where it says `{{mark}}` or `{{seq}}`; else in a JSON object; else in a user property.
    #[default]
    Auto,
    /// As the first member of the JSON object.
    Json,
    /// In the user property `load` (MQTT 5), or the header `x-load` (HTTP).
    Property,
    /// Where the template says `{{mark}}` or `{{seq}}`.
    Template,
    /// Nowhere: the messages are not followed.
    None,
}

/// A stream of HTTP requests.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Request {
    /// For the report. Default: method and URL.
    pub name: Option<String>,
    /// `http://HOST:PORT/PATH` or `https://`; a pattern as topics are.
    pub url: String,
    /// Default: GET, or POST with a body.
    pub method: Option<String>,
    /// Header fields.
    pub headers: BTreeMap<String, String>,
    /// Body template.
    pub body: Option<String>,
    /// CSV file whose columns the body uses.
    pub csv: Option<PathBuf>,
    /// Where the mark goes.
    pub mark: MarkPlace,
    /// Statuses that are not errors. Default: any of 200 to 299.
    pub status: Vec<u16>,
    /// Text that the answer's body must have; a template: `{{seq}}`, `{{mark}}`.
    pub answer: Option<String>,
    /// False: a connection for each request. Default: true.
    pub keep_alive: Option<bool>,
    /// How long an answer may take. Default: 30 s.
    pub timeout: Option<Span>,
    /// PEM file with the certificate authorities that are trusted.
    pub ca: Option<PathBuf>,
    /// Takes any certificate: for tests only.
    pub insecure: bool,
    /// True: what comes out is read from the `expect` topics, not from the answers.
    pub outputs: bool,
    /// How fast.
    #[serde(flatten, deserialize_with = "pace")]
    pub pace: Pace,
}

/// Where outputs come.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expect {
    /// A topic filter.
    pub topic: String,
    /// Another broker than the scenario's.
    pub mqtt: Option<Broker>,
    /// Default: 1.
    pub qos: Option<u8>,
    /// JSON path of the sequence (`seq`, `data.items[0].n`), where the flow keeps the number and not the mark.
    pub sequence: Option<String>,
    /// JSON path of the key's name; without it the key is taken from the topic level that `level` says, or it is the only one.
    pub key: Option<String>,
    /// Level of the output's topic (from 1) that is the key's name.
    pub level: Option<usize>,
    /// False: not each message has an output, so none is lost. Default: true.
    pub all: Option<bool>,
    /// False: no order is expected. Default: true.
    pub ordered: Option<bool>,
}

/// A schedule of faults.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Faults {
    /// Default: the scenario's.
    pub seed: Option<u64>,
    /// What may happen: `kill`, `stop`, `stop-all`, `cut`, `restart-broker`, `deploy`, `scale`. Default: `kill` and `stop`.
    pub kinds: Vec<String>,
    /// Time from one fault to the next, on average. Default: 10 s.
    pub every: Option<Span>,
    /// When the first may come. Default: 5 s.
    pub after: Option<Span>,
    /// How long a replica stands still or is cut off; each time between a tenth of this and all of it. Default: 8 s.
    pub pause: Option<Span>,
    /// Flow documents that `deploy` rolls out by turns.
    pub flows: Vec<PathBuf>,
    /// Replicas that `scale` chooses from. Default: 2 to 4.
    pub replicas: Vec<u16>,
}
