//! The smooth node (node-red-node-smooth): minimum, maximum, mean, deviation, low and high pass of the last values.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use flotilla_engine::message::Msg;
use flotilla_engine::props;
use flotilla_engine::{Node, NodeCx, NodeError, Stateless};
use flotilla_value::{Path, Str, Value};

use super::range::round;

/// The row in the table of node types.
pub const TYPE: Stateless = Stateless::node("smooth", build);

enum Action {
    Max,
    Min,
    Mean,
    Deviation,
    Low,
    High,
    None,
}

struct Smooth {
    cx: NodeCx,
    action: Action,
    property: Path,
    /// Digits after the point, when results are rounded.
    round: Option<f64>,
    count: f64,
    by_topic: bool,
    reduce: bool,
    series: RefCell<FxHashMap<Str, Series>>,
}

/// What is known of one topic's values.
#[derive(Default)]
struct Series {
    values: VecDeque<f64>,
    total: f64,
    squares: f64,
    popped: f64,
    /// The low pass so far.
    low: Option<f64>,
    seen: f64,
}

fn build(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    let config = cx.config();
    let property = props::text(config, "property", "payload");
    let property = Path::message(&property).map_err(|error| NodeError::new(error.to_string()))?;
    let action = match config.str("action") {
        "max" => Action::Max,
        "min" => Action::Min,
        "mean" => Action::Mean,
        "sd" => Action::Deviation,
        "low" => Action::Low,
        "high" => Action::High,
        _ => Action::None,
    };
    let digits = props::value(config, "round");
    let round = match &digits {
        Value::String(text) if text == "true" => Some(0.0),
        Value::Bool(true) => Some(1.0),
        value => value.truthy().then(|| value.to_number()),
    };
    let count = props::value(config, "count").to_number();
    let by_topic = props::text(config, "mult", "single") != "single";
    let reduce = props::flag(config, "reduce");
    Ok(Rc::new(Smooth { cx, action, property, round, count, by_topic, reduce, series: RefCell::default() }))
}

impl Smooth {
    fn next(&self, series: &mut Series, number: f64) -> f64 {
        if matches!(self.action, Action::Low | Action::High) {
            let before = series.low.unwrap_or(number);
            let low = before + (number - before) / self.count;
            series.low = Some(low);
            return if matches!(self.action, Action::Low) { low } else { number - low };
        }
        series.values.push_back(number);
        if series.values.len() as f64 > self.count {
            series.popped = series.values.pop_front().unwrap_or(0.0);
        }
        let length = series.values.len() as f64;
        match self.action {
            Action::Max => series.values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            Action::Min => series.values.iter().copied().fold(f64::INFINITY, f64::min),
            Action::Mean => {
                series.total = series.total + number - series.popped;
                series.total / length
            }
            Action::Deviation => {
                series.total = series.total + number - series.popped;
                series.squares = series.squares + number * number - series.popped * series.popped;
                if length > 1.0 {
                    ((length * series.squares - series.total * series.total) / (length * (length - 1.0))).sqrt()
                } else {
                    0.0
                }
            }
            _ => number,
        }
    }
}

impl Node for Smooth {
    fn receive(&self, mut msg: Msg) {
        let value = match msg.get_path(&self.property) {
            Ok(value) => value,
            Err(error) => return self.cx.report().error(error.to_string(), Some(&msg)),
        };
        let topic = msg.get("topic");
        let topic = match self.by_topic {
            true if topic.truthy() => topic.to_text(),
            _ => Str::default(),
        };
        let mut all = self.series.borrow_mut();
        if msg.has("reset") {
            all.remove(&topic);
        }
        let series = all.entry(topic).or_default();
        if value.is_undefined() {
            return self.cx.report().done(&msg);
        }
        let number = value.to_number();
        if number.is_nan() {
            self.cx.report().log(format!("Not a number: {}", value.to_text()));
            return self.cx.report().done(&msg);
        }
        series.seen += 1.0;
        let mut result = self.next(series, number);
        if let Some(digits) = self.round {
            let scale = 10f64.powf(digits);
            result = round(result * scale) / scale;
        }
        let reduce = self.reduce && !matches!(self.action, Action::Low | Action::High);
        let full = (series.seen - self.count).abs() < f64::EPSILON;
        if !reduce || full {
            series.seen = 0.0;
            drop(all);
            if let Err(error) = msg.set_path(&self.property, result.into(), true) {
                return self.cx.report().error(error.to_string(), Some(&msg));
            }
            self.cx.out().send(msg.clone());
        } else {
            drop(all);
        }
        self.cx.report().done(&msg);
    }
}
