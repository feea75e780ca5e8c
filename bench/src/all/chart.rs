//! A section as bars, an SVG that follows the reader's light or dark theme.

use std::fmt::Write;

use super::markdown::shown;
use super::table::{Case, Section, Sides};

const WIDTH: f64 = 860.0;
const LEFT: f64 = 210.0;
const RIGHT: f64 = 110.0;
const BAR: f64 = 16.0;
const STEP: f64 = 24.0;
const STYLE: &str = "text{font:13px system-ui,sans-serif;fill:#24292f}.t{font-weight:600}.s{fill:#57606a}.o{fill:#3b6fd4}.p{fill:#9aa7b5}.w{stroke:#24292f;stroke-width:1.3}\
@media(prefers-color-scheme:dark){text{fill:#e4e8ee}.s{fill:#98a3b3}.o{fill:#7aa5ff}.p{fill:#566273}.w{stroke:#e4e8ee}}";

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Bars are medians, lines the spread; Flotilla's are blue. Differences have none: they go below 0.
pub fn chart(section: &Section) -> String {
    let (mut body, mut y) = (String::new(), 22.0);
    for case in section.cases.iter().filter(|case| case.who != Sides::Differences) {
        y = bars(&mut body, case, y);
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {y:.0}\" width=\"{WIDTH}\" role=\"img\">\
         <title>{}</title><style>{STYLE}</style>{body}</svg>\n",
        escaped(section.title)
    )
}

fn bars(out: &mut String, case: &Case, mut y: f64) -> f64 {
    let most = case.sides.iter().filter_map(|side| Some(side.spread()?.1)).fold(0.0, f64::max);
    if most <= 0.0 {
        return y;
    }
    let better = if case.metric.more { "more" } else { "less" };
    let _ = write!(
        out,
        "<text class=\"t\" x=\"0\" y=\"{y:.0}\">{} <tspan class=\"s\">{}, {better} is better</tspan></text>",
        escaped(&case.name),
        escaped(case.metric.unit)
    );
    y += 10.0;
    let scale = (WIDTH - LEFT - RIGHT) / most;
    for (at, side) in case.sides.iter().enumerate() {
        let (Some(median), Some((low, high))) = (side.median(), side.spread()) else { continue };
        let (class, middle) = (if at == 0 { "o" } else { "p" }, y + BAR / 2.0);
        let _ = write!(
            out,
            "<text x=\"0\" y=\"{:.1}\">{}</text><rect class=\"{class}\" x=\"{LEFT}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{BAR}\" rx=\"3\"/>\
             <line class=\"w\" x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{middle:.1}\" y2=\"{middle:.1}\"/><text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            y + 12.5,
            escaped(&side.name),
            (median * scale).max(1.0),
            LEFT + low * scale,
            LEFT + high * scale,
            LEFT + high * scale + 8.0,
            y + 12.5,
            shown(median)
        );
        y += STEP;
    }
    y + 26.0
}
