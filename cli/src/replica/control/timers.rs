//! The timers of this replica.

use axum::Json;
use axum::extract::State;
use flotilla_api::timer::ReplicaTimer;
use flotilla_engine::observe::Timers;
use flotilla_gateway::admin::Failure;

use super::super::node_id::node_id;
use super::gate::Control;

/// `GET /control/v1/timers`.
pub(super) async fn timers(State(control): State<Control>) -> Result<Json<Vec<ReplicaTimer>>, Failure> {
    let shared = &control.opened()?.shared;
    let timers = shared.extensions().get_or_init(Timers::default);
    let views = timers.views(|node| shared.node(node).is_some()).into_iter();
    let ms = |time: f64| time as u64;
    let shown = views.filter_map(|(node, timer)| {
        let view = shared.node(&node)?;
        let (missed_ms, missed_why) = timer.last_missed.unzip();
        Some(ReplicaTimer {
            id: node_id(&view),
            rule: timer.rule,
            each: timer.each,
            next_ms: timer.next_ms.map(ms),
            last_ms: timer.last_ms.map(ms),
            runs: timer.runs,
            missed: timer.missed,
            missed_ms: missed_ms.map(ms),
            missed_why: missed_why.unwrap_or_default(),
        })
    });
    Ok(Json(shown.collect()))
}
