//! A line chart over the time of the run, as SVG.

use std::fmt::Write;

use super::axis::{Axis, Unit, label, time_label};
use super::escape::escaped;

/// A line.
pub struct Line {
    /// For the legend.
    pub name: &'static str,
    /// Its style in the page's sheet: `c1` to `c4`, or `want` for a dashed one.
    pub class: &'static str,
    /// Seconds and values.
    pub points: Vec<(f64, f64)>,
    /// Values hold until the next point.
    pub stairs: bool,
}

/// A moment to be marked.
pub struct Marker {
    /// Seconds.
    pub at: f64,
    /// Number in the list of events.
    pub number: usize,
    /// Shown when one points at it.
    pub title: String,
    /// `fault`, `connection`, `step` or `note`.
    pub kind: String,
}

/// Size of the drawing, and of the room for labels at its left, right, top and bottom.
const SIZE: (f64, f64) = (860.0, 240.0);
/// See [`SIZE`].
const ROOM: (f64, f64, f64, f64) = (58.0, 12.0, 18.0, 26.0);

/// Draws it. `end`: seconds of the time axis.
pub fn chart(title: &str, unit: Unit, lines: &[Line], markers: &[Marker], end: f64) -> String {
    let values = lines.iter().flat_map(|line| line.points.iter().map(|(_, value)| *value));
    let (across, up) = (Axis::time(end), Axis::new(unit, values));
    let (left, right, top, bottom) = ROOM;
    let x = |seconds: f64| left + across.place(seconds) * (SIZE.0 - left - right);
    let y = |value: f64| SIZE.1 - bottom - up.place(value) * (SIZE.1 - top - bottom);
    let mut svg = format!(
        "<figure><figcaption>{}<span class=\"legend\">{}</span></figcaption>\n<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n",
        escaped(title),
        lines.iter().map(|line| format!("<i class=\"{}\"></i>{}", line.class, line.name)).collect::<Vec<_>>().join(" "),
        SIZE.0,
        SIZE.1,
        escaped(title),
    );
    // Writing to a String cannot fail.
    for tick in &up.ticks {
        let at = y(*tick);
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{left}\" x2=\"{:.1}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/><text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            SIZE.0 - right,
            left - 8.0,
            at + 4.0,
            label(unit, *tick)
        );
    }
    for tick in &across.ticks {
        let at = x(*tick);
        let anchor = if at > SIZE.0 - right - 12.0 { "end" } else { "middle" };
        let _ = writeln!(
            svg,
            "<text class=\"tick\" x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{}</text>",
            SIZE.1 - 8.0,
            time_label(*tick)
        );
    }
    let mut last_label = f64::NEG_INFINITY;
    for marker in markers {
        let at = x(marker.at);
        let _ = write!(
            svg,
            "<g class=\"mark {}\"><title>{}</title><line x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{top}\" y2=\"{:.1}\"/>",
            escaped(&marker.kind),
            escaped(&marker.title),
            SIZE.1 - bottom
        );
        // Numbers that would cover each other are left out; the list has all.
        if at - last_label > 18.0 {
            let _ = write!(
                svg,
                "<text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                top - 5.0,
                marker.number
            );
            last_label = at;
        }
        svg.push_str("</g>\n");
    }
    for line in lines {
        let _ = writeln!(svg, "<path class=\"line {}\" d=\"{}\"/>", line.class, path(line, unit, &x, &y));
    }
    svg.push_str("</svg></figure>\n");
    svg
}

/// The line's path; where a latency is 0 there was none, and the line is broken.
fn path(line: &Line, unit: Unit, x: &dyn Fn(f64) -> f64, y: &dyn Fn(f64) -> f64) -> String {
    let mut path = String::new();
    let mut before: Option<f64> = None;
    for (seconds, value) in &line.points {
        if unit == Unit::Latency && *value <= 0.0 {
            before = None;
            continue;
        }
        let (at, height) = (x(*seconds), y(*value));
        let _ = match before {
            None => write!(path, "M{at:.1} {height:.1}"),
            Some(_) if line.stairs => write!(path, "H{at:.1}V{height:.1}"),
            Some(_) => write!(path, "L{at:.1} {height:.1}"),
        };
        before = Some(height);
    }
    path
}
