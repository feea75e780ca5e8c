//! What a run showed: what `--json` writes and `compare` reads.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::measure::{Bar, Machine, Metric, Percentiles, Point};
use crate::shared::Event;
use crate::tracker::{Findings, Totals};

/// Everything. Unknown fields are passed over, missing ones are empty, so that results of other versions can be compared.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Results {
    /// Of this format: 1.
    pub format: u32,
    /// Version of the generator.
    pub version: String,
    /// Which client: `flotilla` or `rumqttc`.
    pub client: String,
    /// The scenario's name.
    pub name: String,
    /// The scenario as it was written, or the command line.
    pub scenario: String,
    /// Its seed.
    pub seed: u64,
    /// In RFC 3339.
    pub started: String,
    /// Seconds from the first message to the last that was waited for.
    pub seconds: f64,
    /// Where it ran.
    pub machine: Machine,
    /// Counts.
    pub totals: Totals,
    /// Outputs (without collectors: acknowledgements) a second, while messages were sent.
    pub rate: f64,
    /// From due to output; without collectors: to acknowledgement.
    pub latency: Percentiles,
    /// From due to acknowledgement.
    pub confirm: Percentiles,
    /// The distribution of `latency`.
    pub bars: Vec<Bar>,
    /// Each stream.
    pub streams: Vec<StreamResult>,
    /// Over time.
    pub timeline: Vec<Point>,
    /// Seconds of a point of `timeline`.
    pub point_s: f64,
    /// Faults, reconnects, steps.
    pub events: Vec<Event>,
    /// Steps up to the breaking point.
    pub steps: Vec<StepResult>,
    /// What was wrong, message by message; the first few of each kind.
    pub findings: Findings,
    /// What one has to know to read the numbers rightly.
    pub notes: Vec<String>,
    /// Error texts and how often.
    pub errors: BTreeMap<String, u64>,
    /// Conditions and whether they held.
    pub thresholds: Vec<Checked>,
    /// Whether the generator itself was the limit.
    pub generator: Generator,
}

/// A stream's counts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StreamResult {
    /// Its name.
    pub name: String,
    /// `mqtt` or `http`.
    pub kind: String,
    /// QoS, of MQTT streams.
    pub qos: Option<u8>,
    /// Clients.
    pub clients: usize,
    /// Sent.
    pub sent: u64,
    /// Acknowledged or answered.
    pub confirmed: u64,
    /// Failed.
    pub errors: u64,
}

/// A step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StepResult {
    /// Messages a second that it asked for.
    pub wanted: f64,
    /// Sent a second.
    pub sent: f64,
    /// Came out a second.
    pub received: f64,
    /// Milliseconds.
    pub p99: f64,
    /// Failed.
    pub errors: u64,
    /// Its conditions held.
    pub held: bool,
    /// Why not.
    pub why: String,
}

/// A threshold and what was measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Checked {
    /// As it was written.
    pub threshold: String,
    /// What was measured.
    pub value: f64,
    /// For people.
    pub shown: String,
    /// It holds.
    pub passed: bool,
}

/// The generator's own part in what was measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Generator {
    /// The numbers are the generator's, not those of what it tested.
    pub limit: bool,
    /// Why.
    pub why: String,
    /// Share of one core, at most, over a second.
    pub busy_max: f64,
    /// Share of one core, over the run.
    pub busy_mean: f64,
    /// Milliseconds that a message went out late by the generator's own fault.
    pub late_p99_ms: f64,
    /// The most memory that its process had, in MiB.
    pub memory_mib: f64,
}

impl Results {
    /// A metric's value.
    pub fn metric(&self, metric: Metric) -> f64 {
        metric.of(&self.totals, &self.latency, self.rate)
    }

    /// What [`Results::confirm`] measures: requests have no PUBACK, and QoS 0 has none either.
    pub fn confirm_name(&self) -> &'static str {
        let mqtt = self.streams.iter().any(|stream| stream.kind == "mqtt");
        let http = self.streams.iter().any(|stream| stream.kind == "http");
        match (mqtt, http) {
            (true, false) => "to the broker",
            (false, true) => "to the answer",
            _ => "confirmed",
        }
    }

    /// What [`Results::rate`] counts: outputs, or acknowledgements where no outputs are collected.
    pub fn counted(&self) -> (&'static str, u64) {
        let totals = &self.totals;
        if totals.received == 0 && totals.lost == 0 {
            ("confirmed", totals.confirmed)
        } else {
            ("came out", totals.received)
        }
    }

    /// False when all was sent at QoS 0, where being written is all that one learns.
    pub fn has_confirmations(&self) -> bool {
        self.streams.iter().any(|stream| stream.qos != Some(0))
    }

    /// True when all thresholds hold.
    pub fn passed(&self) -> bool {
        self.thresholds.iter().all(|checked| checked.passed)
    }

    /// Reads what `--json` wrote.
    ///
    /// # Errors
    /// When it is not that.
    pub fn parse(text: &str) -> Result<Results, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// As JSON.
    pub fn to_json(&self) -> String {
        // Numbers, texts and lists: nothing in it that JSON cannot have.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}
