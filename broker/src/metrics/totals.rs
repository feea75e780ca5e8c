//! Metrics of the whole broker, for the recorder.

use metrics::{counter, gauge};

use crate::router::{Stats, Totals};

/// Hands what the router counts to the process's metrics recorder.
pub fn report(stats: &Stats, totals: &Totals) {
    gauge!("flotilla_broker_connections").set(totals.connections as f64);
    gauge!("flotilla_broker_sessions").set(totals.sessions as f64);
    gauge!("flotilla_broker_retained_messages").set(totals.retained as f64);
    gauge!("flotilla_broker_retained_bytes").set(totals.retained_bytes as f64);
    gauge!("flotilla_broker_held_bytes").set(totals.held_bytes as f64);
    counter!("flotilla_broker_connections_accepted_total").absolute(stats.accepted);
    counter!("flotilla_broker_connections_stalled_total").absolute(stats.closed_stalled);
    counter!("flotilla_broker_redelivered_total").absolute(stats.redelivered);
    for (qos, name) in ["0", "1", "2"].into_iter().enumerate() {
        for (direction, messages, bytes) in
            [("in", stats.received[qos], stats.received_bytes[qos]), ("out", stats.sent[qos], stats.sent_bytes[qos])]
        {
            counter!("flotilla_broker_messages_total", "direction" => direction, "qos" => name).absolute(messages);
            counter!("flotilla_broker_payload_bytes_total", "direction" => direction, "qos" => name).absolute(bytes);
        }
    }
    for (reason, count) in stats.dropped() {
        counter!("flotilla_broker_dropped_total", "reason" => reason).absolute(count);
    }
}
