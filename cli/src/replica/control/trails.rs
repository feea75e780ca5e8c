//! The trails of this replica.

use axum::Json;
use axum::extract::State;
use flotilla_api::Problem;
use flotilla_api::trail::{Trail, TrailFilter, TrailRule};
use flotilla_engine::Shared;
use flotilla_engine::trail::BadRule;
use flotilla_gateway::admin::{Body, Failure, Query};

use super::gate::Control;
use crate::replica::trails::{trail_of, wanted};

/// `GET /control/v1/trails`: those that the filter wants, the newest first.
pub(super) async fn trails(
    State(control): State<Control>,
    Query(filter): Query<TrailFilter>,
) -> Result<Json<Vec<Trail>>, Failure> {
    let opened = control.opened()?;
    let views = opened.shared.deliveries().recorder().views().into_iter();
    Ok(Json(filter.of(views.map(|view| trail_of(&opened.id, Some(&opened.shared), view)).collect())))
}

/// `POST /control/v1/trails/rule`: answers the rule with the id of its node, if this flow can follow it. Puts nothing in force.
pub(super) async fn check(
    State(control): State<Control>,
    Body(rule): Body<TrailRule>,
) -> Result<Json<TrailRule>, Failure> {
    let opened = control.opened()?;
    let node = if rule.node.is_empty() { String::new() } else { node(&opened.shared, &rule.node)? };
    let rule = TrailRule { node, ..rule };
    wanted(&rule).map_err(|error| {
        let field = match error {
            BadRule::Property { .. } => "property",
            BadRule::Percent(_) => "percent",
            BadRule::Nothing => "next",
        };
        Problem::new(400, "bad_rule", error.to_string()).of_field(field)
    })?;
    Ok(Json(rule))
}

/// The id of the node with this id or name.
fn node(shared: &Shared, wanted: &str) -> Result<String, Failure> {
    if shared.node(wanted).is_some() {
        return Ok(wanted.to_owned());
    }
    let nodes = shared.nodes();
    let named: Vec<_> = nodes.iter().filter(|node| node.name == wanted).map(|node| node.id.as_str()).collect();
    match named.as_slice() {
        [id] => Ok((*id).to_owned()),
        [] => {
            let detail = format!("the flow has no node \"{wanted}\": see `flotilla nodes`");
            Err(Failure(Problem::new(404, "no_such_node", detail).of_field("node")))
        }
        ids => {
            let detail = format!("several nodes are named \"{wanted}\": use an id of {}", ids.join(", "));
            Err(Failure(Problem::new(409, "ambiguous", detail).of_field("node")))
        }
    }
}
