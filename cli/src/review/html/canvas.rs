//! One tab or subflow as SVG.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use flotilla_flows::{Document, Finding, NodeConfig, Severity};
use flotilla_load::report::xml_escaped as escaped;

use super::look::fill;
use super::shape::{Shape, wire};

/// Room around what is drawn.
const MARGIN: f64 = 40.0;

/// The findings of a document by node, each with its number on the page.
pub(super) type ByNode<'a> = HashMap<&'a str, Vec<(usize, &'a Finding)>>;

/// An end of a subflow: where its messages come in or go out.
struct End<'a> {
    name: String,
    x: f64,
    y: f64,
    enters: bool,
    wires: Vec<(&'a str, usize)>,
}

/// Draws what stands on a tab or in a subflow; `None` when nothing does.
pub(super) fn canvas(document: &Document, tab: &NodeConfig, findings: &ByNode<'_>) -> Option<String> {
    let on_it: Vec<&NodeConfig> = document.entries().iter().filter(|node| node.z == tab.id).collect();
    let wired_to: HashSet<&str> =
        on_it.iter().flat_map(|node| node.wires.iter().flatten()).map(String::as_str).collect();
    let shapes: Vec<Shape<'_>> =
        on_it.iter().filter_map(|node| Shape::of(document, node, wired_to.contains(node.id.as_str()))).collect();
    if shapes.is_empty() {
        return None;
    }
    let ends = ends(tab);
    let mut drawn = String::new();
    for group in on_it.iter().filter(|node| node.kind == "group") {
        draw_group(&mut drawn, group);
    }
    let at: HashMap<&str, &Shape<'_>> = shapes.iter().map(|shape| (shape.node.id.as_str(), shape)).collect();
    for from in &shapes {
        for (output, targets) in from.node.wires.iter().enumerate() {
            for to in targets.iter().filter_map(|id| at.get(id.as_str())) {
                draw_wire(
                    &mut drawn,
                    (from.right(), from.port(output)),
                    (to.left(), to.y),
                    from.node.disabled || to.node.disabled,
                );
            }
        }
    }
    for end in &ends {
        for (node, port) in end.wires.iter().filter_map(|(id, port)| Some((at.get(id)?, *port))) {
            let (from, to) = if end.enters {
                ((end.x + 20.0, end.y), (node.left(), node.y))
            } else {
                ((node.right(), node.port(port)), (end.x - 20.0, end.y))
            };
            draw_wire(&mut drawn, from, to, false);
        }
        let (x, y, name) = (end.x - 20.0, end.y - 20.0, escaped(&end.name));
        let _ = write!(
            drawn,
            "<g class=\"node\"><rect class=\"box\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"40\" height=\"40\" rx=\"6\" fill=\"#dddddd\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{name}</text></g>",
            end.x,
            end.y + 5.0
        );
    }
    for shape in &shapes {
        draw_node(&mut drawn, shape, findings.get(shape.node.id.as_str()).map_or(&[], Vec::as_slice));
    }
    let (mut box_, mut points) = ((f64::MAX, f64::MAX, f64::MIN, f64::MIN), Vec::new());
    points.extend(shapes.iter().flat_map(|one| [(one.left(), one.top()), (one.right(), one.top() + one.height)]));
    points.extend(ends.iter().flat_map(|end| [(end.x - 20.0, end.y - 20.0), (end.x + 20.0, end.y + 20.0)]));
    points.extend(
        on_it.iter().filter_map(|node| area(node)).flat_map(|(x, y, wide, high)| [(x, y), (x + wide, y + high)]),
    );
    for (x, y) in points {
        box_ = (box_.0.min(x), box_.1.min(y), box_.2.max(x), box_.3.max(y));
    }
    let (x, y) = (box_.0 - MARGIN, box_.1 - MARGIN);
    let (width, height) = (box_.2 + MARGIN - x, box_.3 + MARGIN - y);
    let title = escaped(&tab.name);
    Some(format!(
        "<div class=\"canvas\" tabindex=\"0\"><svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-label=\"{title}\" \
         width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"{x:.1} {y:.1} {width:.1} {height:.1}\">{drawn}</svg></div>\n"
    ))
}

fn draw_wire(drawn: &mut String, from: (f64, f64), to: (f64, f64), off: bool) {
    let class = if off { "wire off" } else { "wire" };
    let _ = write!(drawn, "<path class=\"{class}\" d=\"{}\"/>", wire(from, to));
}

/// Place and size of a group.
fn area(node: &NodeConfig) -> Option<(f64, f64, f64, f64)> {
    if node.kind != "group" {
        return None;
    }
    Some((node.num("x")?, node.num("y")?, node.num("w")?, node.num("h")?))
}

fn draw_group(drawn: &mut String, group: &NodeConfig) {
    let Some((x, y, width, height)) = area(group) else { return };
    let name = escaped(&group.name);
    let _ = write!(
        drawn,
        "<g class=\"group\"><rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"6\"/>\
         <text x=\"{:.1}\" y=\"{:.1}\">{name}</text></g>",
        x + 8.0,
        y + 18.0
    );
}

fn draw_node(drawn: &mut String, shape: &Shape<'_>, findings: &[(usize, &Finding)]) {
    let node = shape.node;
    let worst = findings.iter().map(|(_, finding)| finding.severity).min();
    let mut class = "node".to_owned();
    let off = Some("off").filter(|_| node.disabled);
    let comment = Some("comment").filter(|_| node.kind == "comment");
    for more in [worst.map(word), off, comment].into_iter().flatten() {
        class.push(' ');
        class.push_str(more);
    }
    let (left, top) = (shape.left(), shape.top());
    let _ = write!(drawn, "<g class=\"{class}\" id=\"node-{}\">", escaped(&node.id));
    let mut told = format!("{} \"{}\"", node.kind, node.label());
    for (_, finding) in findings {
        let _ = write!(told, "\n{}: {}", finding.severity, finding.what);
    }
    let _ = write!(drawn, "<title>{}</title>", escaped(&told));
    let round = if node.kind == "junction" { 3 } else { 5 };
    let _ = write!(
        drawn,
        "<rect class=\"box\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"{round}\" fill=\"{}\"/>",
        shape.width,
        shape.height,
        fill(&node.kind)
    );
    if !shape.small {
        let _ =
            write!(drawn, "<text x=\"{:.1}\" y=\"{:.1}\">{}</text>", left + 32.0, shape.y + 5.0, escaped(&shape.label));
    }
    let mut port = |x: f64, y: f64| {
        let (x, y) = (x - 5.0, y - 5.0);
        let _ = write!(drawn, "<rect class=\"port\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"10\" height=\"10\" rx=\"3\"/>");
    };
    if shape.has_input {
        port(left, shape.y);
    }
    for output in 0..shape.outputs {
        port(shape.right(), shape.port(output));
    }
    if let (Some(worst), Some((number, _))) = (worst, findings.iter().min_by_key(|(_, finding)| finding.severity)) {
        // Left of the ports: the uppermost of several is near the corner.
        let (x, y) = (shape.right() - 16.0, top);
        let sign = match worst {
            Severity::Error => "E",
            Severity::Warning => "W",
            Severity::Info => "i",
        };
        let _ = write!(
            drawn,
            "<a href=\"#finding-{number}\" class=\"badge {}\"><circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"10\"/>\
             <text x=\"{x:.1}\" y=\"{:.1}\">{sign}</text></a>",
            word(worst),
            y + 4.0
        );
    }
    drawn.push_str("</g>");
}

/// A severity as the style sheet calls it.
pub(super) fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    }
}

/// The ends of a subflow.
fn ends(subflow: &NodeConfig) -> Vec<End<'_>> {
    let mut all = Vec::new();
    for (field, enters) in [("in", true), ("out", false), ("status", false)] {
        let listed = match subflow.get(field) {
            Some(serde_json::Value::Array(ends)) => ends.iter().collect(),
            Some(end @ serde_json::Value::Object(_)) => vec![end],
            _ => Vec::new(),
        };
        for (number, end) in listed.into_iter().enumerate() {
            let number_of = |name: &str| end.get(name).and_then(serde_json::Value::as_f64);
            let wires = end.get("wires").and_then(serde_json::Value::as_array).into_iter().flatten();
            let wires = wires.filter_map(|wire| {
                let port = wire.get("port").and_then(serde_json::Value::as_u64).unwrap_or(0);
                Some((wire.get("id")?.as_str()?, usize::try_from(port).ok()?))
            });
            let name = if field == "out" { (number + 1).to_string() } else { field.to_owned() };
            let (Some(x), Some(y)) = (number_of("x"), number_of("y")) else { continue };
            all.push(End { name, x, y, enters, wires: wires.collect() });
        }
    }
    all
}
