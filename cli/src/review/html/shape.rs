//! Where nodes and wires are: the editor's measures.

use flotilla_flows::{Document, NodeConfig};

use super::label::{label, short};

/// Units between two ports of a node.
const PORTS: f64 = 15.0;
/// About the width of a character of a label.
const CHARACTER: f64 = 7.4;

/// A node on the canvas.
pub(super) struct Shape<'a> {
    pub(super) node: &'a NodeConfig,
    pub(super) label: String,
    /// Its centre.
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) outputs: usize,
    pub(super) has_input: bool,
    /// Small, without its label.
    pub(super) small: bool,
}

impl<'a> Shape<'a> {
    /// The shape of a node that stands on a canvas; `None` for config nodes. `wired_to`: some wire leads to it.
    pub(super) fn of(document: &Document, node: &'a NodeConfig, wired_to: bool) -> Option<Shape<'a>> {
        let (x, y) = (node.num("x")?, node.num("y")?);
        if matches!(node.kind.as_str(), "group" | "tab" | "subflow") {
            return None;
        }
        let label = short(&label(document, node));
        let junction = node.kind == "junction";
        let small =
            junction || node.get("l") == Some(&false.into()) || (node.kind.starts_with("link ") && hides_label(node));
        let width = match (junction, small) {
            (true, _) => 10.0,
            (_, true) => 30.0,
            _ => (((label.chars().count() as f64 * CHARACTER + 50.0) / 20.0).ceil() * 20.0).max(100.0),
        };
        let outputs = if node.kind == "comment" { 0 } else { node.wires.len() };
        let height = if junction { 10.0 } else { (outputs as f64 * PORTS).max(30.0) };
        let has_input = !junction && (wired_to || has_input(&node.kind));
        Some(Shape { node, label, x, y, width, height, outputs: if junction { 0 } else { outputs }, has_input, small })
    }

    pub(super) fn left(&self) -> f64 {
        self.x - self.width / 2.0
    }

    pub(super) fn right(&self) -> f64 {
        self.x + self.width / 2.0
    }

    pub(super) fn top(&self) -> f64 {
        self.y - self.height / 2.0
    }

    /// The height of an output's port.
    pub(super) fn port(&self, output: usize) -> f64 {
        let outputs = self.outputs.max(1);
        self.y + (output as f64 - (outputs - 1) as f64 / 2.0) * PORTS
    }
}

/// The editor writes `l` only where it differs from what the type does: link in and out hide theirs, link call does not.
fn hides_label(node: &NodeConfig) -> bool {
    node.kind != "link call" && node.get("l") != Some(&true.into())
}

fn has_input(kind: &str) -> bool {
    let sources = [
        "inject",
        "catch",
        "status",
        "complete",
        "comment",
        "link in",
        "http in",
        "tcp in",
        "udp in",
        "websocket in",
        "watch",
        "mqtt in",
    ];
    !sources.contains(&kind)
}

/// A wire from one point to another; one that goes back leaves to the right all the same.
pub(super) fn wire(from: (f64, f64), to: (f64, f64)) -> String {
    let (along, across) = (to.0 - from.0, (to.1 - from.1).abs());
    let reach = if along > 0.0 {
        (along * 0.6).clamp(20.0, 200.0)
    } else {
        (along.abs() * 0.4 + across * 0.2).clamp(60.0, 200.0)
    };
    format!(
        "M{:.1} {:.1}C{:.1} {:.1} {:.1} {:.1} {:.1} {:.1}",
        from.0,
        from.1,
        from.0 + reach,
        from.1,
        to.0 - reach,
        to.1,
        to.0,
        to.1
    )
}
