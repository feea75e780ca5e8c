//! What the engine says of its health, for the record, `/readyz` and `/metrics`.

use std::fmt::Write as _;

use flotilla_api::health::{NodeProblem, ReplicaHealth, Source};
use flotilla_engine::Shared;

/// A reason is cut after this many characters: the record is written with each heartbeat.
const TEXT: usize = 300;

fn cut(text: &str) -> String {
    match text.char_indices().nth(TEXT) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text.to_owned(),
    }
}

/// The health of this replica now.
pub(super) fn of(shared: &Shared) -> ReplicaHealth {
    let problems = shared.health().problems();
    let ms = |time: std::time::Duration| time.as_millis() as u64;
    ReplicaHealth {
        broken: problems.len(),
        problems: problems
            .into_iter()
            .take(ReplicaHealth::PROBLEMS)
            .map(|problem| NodeProblem {
                node: problem.id,
                kind: problem.kind,
                name: problem.name,
                tab: problem.tab,
                message: cut(&problem.message),
            })
            .collect(),
        sources: shared
            .health()
            .sources()
            .into_iter()
            .map(|(source, since)| Source {
                node: source.node.to_string(),
                name: source.name,
                connected: source.connected,
                reason: cut(&source.reason),
                away_ms: if source.connected { 0 } else { ms(since) },
            })
            .collect(),
        begun: shared.deliveries().counts().started,
        oldest_ms: ms(shared.deliveries().oldest()),
        busy_ms: ms(shared.health().silent()),
        longest_ms: ms(shared.health().longest_silence()),
    }
}

/// The lines for `/readyz`: what does not work although the replica takes work.
pub(super) fn lines(shared: &Shared) -> Vec<String> {
    let health = of(shared);
    health.lost().map(ToString::to_string).chain(health.problems.iter().map(ToString::to_string)).collect()
}

/// The series for `/metrics`. Their labels are of the flow, so they end when the flow has them no more.
pub(super) fn series(shared: &Shared) -> String {
    let health = of(shared);
    let mut text = String::from(
        "# HELP flotilla_broken_nodes Nodes of the flow that do not work\n# TYPE flotilla_broken_nodes gauge\n",
    );
    let _ = writeln!(text, "flotilla_broken_nodes {}", health.broken);
    text +=
        "# HELP flotilla_source_connected Whether the flow is connected to what it takes work from or hands it to\n";
    text += "# TYPE flotilla_source_connected gauge\n";
    for source in &health.sources {
        let (node, name) = (escaped(&source.node), escaped(&source.name));
        let up = u8::from(source.connected);
        let _ = writeln!(text, "flotilla_source_connected{{node=\"{node}\",peer=\"{name}\"}} {up}");
    }
    text += "# HELP flotilla_worker_busy_seconds For how long a worker has been busy with one message\n";
    text += "# TYPE flotilla_worker_busy_seconds gauge\n";
    for (worker, beat) in shared.health().beats().iter().enumerate() {
        let _ = writeln!(text, "flotilla_worker_busy_seconds{{worker=\"{worker}\"}} {}", beat.silent().as_secs_f64());
    }
    text += "# HELP flotilla_oldest_delivery_seconds For how long the oldest open delivery has been open\n";
    text += "# TYPE flotilla_oldest_delivery_seconds gauge\n";
    let _ = writeln!(text, "flotilla_oldest_delivery_seconds {}", shared.deliveries().oldest().as_secs());
    text
}

pub(super) fn escaped(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
