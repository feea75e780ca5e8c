//! What happens to a delivery that failed.

/// What a source does with a delivery that an uncaught error failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnFailure {
    /// Acknowledge it all the same: Node-RED's way.
    #[default]
    Ack,
    /// Run it again, up to the bound on retries, then dead-letter it.
    Retry,
    /// Publish it to the dead-letter topic and acknowledge it.
    DeadLetter,
}
