//! The nodes of this replica.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use flotilla_api::node::{NodeCounts, NodeStatus, ReplicaNode};
use flotilla_engine::Shared;
use flotilla_engine::observe::{NodeView, Shown};
use flotilla_gateway::admin::Failure;

use super::super::node_id::node_id;
use super::gate::Control;

/// `GET /control/v1/nodes`: in the flow document's order.
pub(super) async fn nodes(State(control): State<Control>) -> Result<Json<Vec<ReplicaNode>>, Failure> {
    Ok(Json(of(&control.opened()?.shared)))
}

fn of(shared: &Shared) -> Vec<ReplicaNode> {
    let problems = shared.health().problems().into_iter();
    let mut problems: HashMap<String, String> = problems.map(|problem| (problem.id, problem.message)).collect();
    let node = |view: &std::sync::Arc<NodeView>| {
        let (counts, shown) = (view.counts(), view.status());
        ReplicaNode {
            id: node_id(view),
            counts: NodeCounts {
                received: counts.received,
                sent: counts.sent,
                errors: counts.errors,
                busy_us: u64::try_from(counts.busy.as_micros()).unwrap_or(u64::MAX),
            },
            status_since_ms: shown.as_ref().map_or(0, |shown| shown.since_ms as u64),
            status: shown.as_ref().map(status),
            problem: problems.remove(view.id.as_str()),
        }
    };
    shared.nodes().iter().map(node).collect()
}

fn status(shown: &Shown) -> NodeStatus {
    let part = |name: &str| Some(shown.status.get(name)).filter(|value| !value.is_nullish());
    let text = |name: &str| part(name).map(|value| value.to_text().to_string()).unwrap_or_default();
    NodeStatus { fill: text("fill"), shape: text("shape"), text: text("text") }
}
