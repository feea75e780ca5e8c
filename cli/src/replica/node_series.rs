//! The metrics of single nodes, of latencies and of queues.

use std::fmt::Write as _;

use flotilla_engine::Shared;
use flotilla_engine::message::{LATENCY_BOUNDS, LatencyCounts};
use flotilla_engine::observe::{NodeCounts, NodeView};
use flotilla_engine::settings::Measure;

/// Nodes that have series, those that were busy for longest: flows may have thousands.
const BUSIEST: usize = 100;

/// How a series of a node is read.
type Read = fn(&NodeCounts) -> f64;

const FAMILIES: [(&str, &str, Read); 4] = [
    ("flotilla_node_received_messages_total", "Messages that a node was handed", |counts| counts.received as f64),
    ("flotilla_node_sent_messages_total", "Messages that a node sent", |counts| counts.sent as f64),
    ("flotilla_node_errors_total", "Errors that a node reported, caught or not", |counts| counts.errors as f64),
    ("flotilla_node_busy_seconds_total", "How long a node was busy with messages, estimated", |counts| {
        counts.busy.as_secs_f64()
    }),
];

/// All of it in Prometheus' text format.
pub(super) fn series(shared: &Shared) -> String {
    let mut text = String::new();
    let mut nodes: Vec<_> = shared.nodes().into_iter().map(|view| (view.counts(), view)).collect();
    nodes.retain(|(counts, _)| *counts != NodeCounts::default());
    nodes.sort_by(|(a, one), (b, other)| (b.busy, b.sent, &one.id).cmp(&(a.busy, a.sent, &other.id)));
    nodes.truncate(BUSIEST);
    let counted = shared.settings_now().measure >= Measure::Nodes;
    for (name, help, read) in FAMILIES {
        // Errors are counted whatever is measured.
        if !counted && name != "flotilla_node_errors_total" {
            continue;
        }
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} counter");
        for (counts, view) in &nodes {
            let _ = writeln!(text, "{name}{{{}}} {}", labels(view), read(counts));
        }
    }
    // What is not measured has no series: zeros would say that nothing happened.
    if shared.deliveries().measures() {
        latency(&mut text, &shared.deliveries().latencies());
    }
    let name = "flotilla_worker_queue_messages";
    let _ = writeln!(text, "# HELP {name} Messages that wait on a worker for their node\n# TYPE {name} gauge");
    for (worker, beat) in shared.health().beats().iter().enumerate() {
        let _ = writeln!(text, "{name}{{worker=\"{worker}\"}} {}", beat.waiting());
    }
    let name = "flotilla_script_memory_bytes";
    let _ =
        writeln!(text, "# HELP {name} Memory that a worker's scripts use, measured every 15 s\n# TYPE {name} gauge");
    for (worker, beat) in shared.health().beats().iter().enumerate() {
        let _ = writeln!(text, "{name}{{worker=\"{worker}\"}} {}", beat.script_bytes());
    }
    text
}

fn latency(text: &mut String, counts: &LatencyCounts) {
    let name = "flotilla_delivery_seconds";
    let help = "How long deliveries took from their arrival until what they came as may be acknowledged";
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} histogram");
    for (bound, up_to) in LATENCY_BOUNDS.iter().zip(&counts.up_to) {
        let _ = writeln!(text, "{name}_bucket{{le=\"{bound}\"}} {up_to}");
    }
    let all = counts.up_to.last().copied().unwrap_or(0);
    let _ = writeln!(text, "{name}_bucket{{le=\"+Inf\"}} {all}");
    let _ = writeln!(text, "{name}_sum {}\n{name}_count {all}", counts.sum.as_secs_f64());
}

fn labels(view: &NodeView) -> String {
    let [id, kind, name, tab] =
        [view.id.as_str(), view.kind.as_str(), view.name.as_str(), view.tab_label.as_str()].map(super::health::escaped);
    format!("node=\"{id}\",type=\"{kind}\",name=\"{name}\",tab=\"{tab}\"")
}
