//! What a run is to do: read from TOML, checked, resolved.

mod check;
mod checked;
mod error;
mod file;
mod json_path;
mod pace;
mod request;
mod target;
mod tls;

pub use crate::span::{BadSpan, Span};
pub use checked::{Checked, Collect, HttpStream, Kind, MqttStream, Place, Stream};
pub use error::ScenarioError;
pub use file::{Broker, Bursts, Expect, Faults, MarkPlace, Pace, Publish, Rate, Request, Scenario, Steps};
pub use json_path::JsonPath;
pub use pace::{Drive, Paced, StepPlan};
pub use target::Target;
