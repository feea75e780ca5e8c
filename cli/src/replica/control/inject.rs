//! The buttons of inject nodes.

use axum::Json;
use axum::extract::State;
use flotilla_api::Problem;
use flotilla_api::node::{Inject, Injected};
use flotilla_engine::Shared;
use flotilla_gateway::admin::{Body, Failure, Path};

use super::gate::Control;

/// `POST /control/v1/nodes/{node}/inject`: `node` is an id or a name.
pub(super) async fn inject(
    State(control): State<Control>,
    Path(node): Path<String>,
    Body(inject): Body<Inject>,
) -> Result<Json<Injected>, Failure> {
    let opened = control.opened()?;
    let id = find(&opened.shared, &node)?;
    let payload = inject.payload.as_ref().map(flotilla_value::from_json);
    if !flotilla_nodes_core::press(&opened.shared, &id, payload).await {
        let detail = format!("inject node \"{node}\" does not run: `flotilla nodes` shows why");
        return Err(Failure(Problem::new(409, "node_not_running", detail)));
    }
    Ok(Json(Injected { node: id, replicas: vec![opened.id.clone()], unanswered: Vec::new() }))
}

/// The inject node with this id, or the one with this name.
fn find(shared: &Shared, wanted: &str) -> Result<String, Failure> {
    let nodes = shared.nodes();
    let found = nodes.iter().find(|node| node.id == wanted);
    let named = || nodes.iter().filter(|node| node.name == wanted && !wanted.is_empty());
    let injects: Vec<_> = named().filter(|node| node.kind == "inject").collect();
    let refuse = |code, detail| Err(Failure(Problem::new(409, code, detail).of_field("node")));
    match (found, injects.as_slice()) {
        (Some(node), _) if node.kind == "inject" => Ok(node.id.to_string()),
        (None, [node]) => Ok(node.id.to_string()),
        (None, [_, _, ..]) => {
            let ids: Vec<_> = injects.iter().map(|node| node.id.as_str()).collect();
            refuse("ambiguous", format!("several inject nodes are named \"{wanted}\": use an id of {}", ids.join(", ")))
        }
        (other, []) => match other.or_else(|| named().next()) {
            Some(node) => {
                refuse("not_inject", format!("\"{wanted}\" is of type {}: only inject nodes have a button", node.kind))
            }
            None => {
                let detail = format!("the flow has no node \"{wanted}\": see `flotilla nodes --type inject`");
                Err(Failure(Problem::new(404, "no_such_node", detail).of_field("node")))
            }
        },
        (Some(node), _) => {
            refuse("not_inject", format!("\"{wanted}\" is of type {}: only inject nodes have a button", node.kind))
        }
    }
}
