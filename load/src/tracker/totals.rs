//! Counts.

use serde::{Deserialize, Serialize};

/// What was counted in a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Totals {
    /// Messages and requests handed over, each once however often it was sent again.
    pub sent: u64,
    /// Acknowledged by the broker, or answered as expected. At QoS 0: written.
    pub confirmed: u64,
    /// Different messages that came out.
    pub received: u64,
    /// Confirmed, and never came out.
    pub lost: u64,
    /// Of these, messages that were sent or expected at QoS 0: a broker may drop those.
    pub lost_at_qos0: u64,
    /// Acknowledged by a broker that had no subscriber to give them to (MQTT 5, reason 0x10, "no matching subscribers").
    pub unrouted: u64,
    /// Neither confirmed nor out when the run ended: nobody promised anything.
    pub unconfirmed: u64,
    /// Outputs of messages that had come out before.
    pub repeated: u64,
    /// Of these, messages that the generator itself had sent again after a reconnect.
    pub repeated_after_resend: u64,
    /// Messages that came out after a later one of their key.
    pub out_of_order: u64,
    /// Outputs that left an old value behind: they came after that of a later message of their key, and what had come since
    /// did not come again behind them. A redelivery of what was not acknowledged repeats all of it, in order.
    pub stale: u64,
    /// Messages sent again after a reconnect.
    pub resent: u64,
    /// Outputs without a mark of this run.
    pub unmarked: u64,
    /// Outputs with a mark that was never sent.
    pub never_sent: u64,
    /// Failed: refused publishes, unexpected HTTP answers, requests without an answer.
    pub errors: u64,
    /// Connections that ended and were made again.
    pub reconnects: u64,
    /// Outputs without a latency: more were on the way than due times are kept for.
    pub untimed: u64,
}
