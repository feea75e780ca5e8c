//! A replica's metrics: its deliveries and its memory.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use flotilla_engine::Shared;
use flotilla_nodes_core::Swallowed;
use flotilla_nodes_network::mqtt::{LetterCounts, Lost};
use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};

use super::memory::{memory_limit, resident_memory};
use crate::process::Metrics;

/// Shows deliveries and memory of this replica.
pub fn register(metrics: &Metrics, shared: &Arc<Shared>) {
    describe_counter!("flotilla_deliveries_started_total", "Pieces of work that came in: messages, requests, ticks");
    describe_counter!("flotilla_deliveries_ended_total", "Pieces of work that ended, by outcome");
    describe_counter!("flotilla_dead_letters_total", "Messages that failed for good and were laid aside");
    describe_counter!(
        "flotilla_dead_letters_refused_total",
        "Attempts to lay a message aside that store or broker refused"
    );
    describe_gauge!("flotilla_deliveries_in_flight", "Pieces of work that are open now");
    describe_gauge!("flotilla_memory_limit_bytes", Unit::Bytes, "Memory that this process may have");
    describe_gauge!("flotilla_resident_memory_bytes", Unit::Bytes, "Resident memory of this process");
    describe_counter!("flotilla_unknown_node_messages_total", "Messages that nodes of unknown types swallowed");
    describe_counter!(
        "flotilla_mqtt_qos0_dropped_total",
        "Messages at QoS 0 that were dropped while the broker was away"
    );
    let of_flow = shared.clone();
    metrics.also(move || super::health::series(&of_flow) + &super::node_series::series(&of_flow));
    let shared = shared.clone();
    metrics.before_scrape(move || {
        let counts = shared.deliveries().counts();
        counter!("flotilla_deliveries_started_total").absolute(counts.started);
        counter!("flotilla_deliveries_ended_total", "outcome" => "completed").absolute(counts.completed);
        counter!("flotilla_deliveries_ended_total", "outcome" => "failed").absolute(counts.failed);
        counter!("flotilla_deliveries_ended_total", "outcome" => "abandoned").absolute(counts.abandoned);
        for (node, kind, messages) in shared.extensions().get_or_init(Swallowed::default).counts() {
            let labels = [("node", node.to_string()), ("type", kind.to_string())];
            counter!("flotilla_unknown_node_messages_total", &labels).absolute(messages);
        }
        for (node, messages) in shared.extensions().get_or_init(Lost::default).counts() {
            counter!("flotilla_mqtt_qos0_dropped_total", "node" => node.to_string()).absolute(messages);
        }
        let letters = shared.extensions().get_or_init(LetterCounts::default);
        counter!("flotilla_dead_letters_total").absolute(letters.kept.load(Ordering::Relaxed));
        counter!("flotilla_dead_letters_refused_total").absolute(letters.refused.load(Ordering::Relaxed));
        gauge!("flotilla_deliveries_in_flight").set(counts.in_flight as f64);
        gauge!("flotilla_memory_limit_bytes").set(memory_limit() as f64);
        gauge!("flotilla_resident_memory_bytes").set(resident_memory() as f64);
    });
}
