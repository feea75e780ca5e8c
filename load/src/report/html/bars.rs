//! The distribution of latencies, as SVG.

use std::fmt::Write;

use super::axis::{Axis, Unit, label};
use crate::measure::{Bar, Percentiles, group_digits, show_ms};

/// Size of the drawing.
const SIZE: (f64, f64) = (860.0, 230.0);
/// Room at its left, right, top and bottom.
const ROOM: (f64, f64, f64, f64) = (58.0, 12.0, 30.0, 26.0);

/// Draws the bars, and a line at each percentile.
pub fn distribution(title: &str, bars: &[Bar], latency: &Percentiles) -> String {
    if bars.is_empty() {
        return String::new();
    }
    let (left, right, top, bottom) = ROOM;
    let ends = bars.iter().map(|bar| bar.to_ms);
    let first = bars[0].to_ms / 1.25;
    let across = Axis::new(Unit::Latency, ends.chain([first, latency.max]));
    let up = Axis::new(Unit::Count, bars.iter().map(|bar| bar.count as f64));
    let x = |ms: f64| left + across.place(ms) * (SIZE.0 - left - right);
    let y = |count: f64| SIZE.1 - bottom - up.place(count) * (SIZE.1 - top - bottom);
    let mut svg =
        format!("<figure><figcaption>{title}</figcaption>\n<svg viewBox=\"0 0 {} {}\" role=\"img\">\n", SIZE.0, SIZE.1);
    for tick in &up.ticks {
        let at = y(*tick);
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{left}\" x2=\"{:.1}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/><text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            SIZE.0 - right,
            left - 8.0,
            at + 4.0,
            label(Unit::Count, *tick)
        );
    }
    for tick in &across.ticks {
        let anchor = if x(*tick) > SIZE.0 - right - 15.0 { "end" } else { "middle" };
        let _ = writeln!(
            svg,
            "<text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{}</text>",
            x(*tick),
            SIZE.1 - 8.0,
            label(Unit::Latency, *tick)
        );
    }
    let mut from = first;
    for bar in bars {
        let (begin, end, height) = (x(from), x(bar.to_ms), y(bar.count as f64));
        if bar.count > 0 {
            // What is there shows, however small its share.
            let height = height.min(SIZE.1 - bottom - 1.5);
            let _ = writeln!(
                svg,
                "<rect class=\"bar\" x=\"{begin:.1}\" y=\"{height:.1}\" width=\"{:.1}\" height=\"{:.1}\"><title>{} to {}: {}</title></rect>",
                (end - begin - 1.0).max(0.5),
                SIZE.1 - bottom - height,
                show_ms(from),
                show_ms(bar.to_ms),
                group_digits(bar.count)
            );
        }
        from = bar.to_ms;
    }
    let mut before = f64::NEG_INFINITY;
    let marks = [
        ("p50", latency.p50),
        ("p99", latency.p99),
        ("p99.9", latency.p999),
        ("p99.99", latency.p9999),
        ("max", latency.max),
    ];
    for (name, ms) in marks {
        let at = x(ms);
        let _ = write!(
            svg,
            "<g class=\"mark note\"><title>{name} {}</title><line x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{top}\" y2=\"{:.1}\"/>",
            show_ms(ms),
            SIZE.1 - bottom
        );
        if at - before > 40.0 {
            let anchor = if at > SIZE.0 - 40.0 { "end" } else { "middle" };
            let _ = write!(svg, "<text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{name}</text>", top - 6.0);
            before = at;
        }
        svg.push_str("</g>\n");
    }
    svg.push_str("</svg></figure>\n");
    svg
}
