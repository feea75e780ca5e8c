//! The filter node (type `rbe`, report by exception): passes on what changed.

use std::cell::RefCell;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use flotilla_engine::message::Msg;
use flotilla_engine::props;
use flotilla_engine::{Node, NodeCx, NodeError, Stateless};
use flotilla_value::{Path, Str, Value};

/// The row in the table of node types.
pub const TYPE: Stateless = Stateless::node("rbe", build);

/// Messages without a topic.
const NO_TOPIC: &str = "_no_topic";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// Passes when the value differs.
    Changed,
    /// The same, but never the first.
    ChangedNotFirst,
    /// Passes when the difference is greater than the gap, or (`equal`) reaches it.
    Deadband { equal: bool },
    /// Passes when the difference is less than the gap, or (`equal`) not when it reaches it.
    Narrowband { equal: bool },
}

struct Filter {
    cx: NodeCx,
    rule: Rule,
    gap: f64,
    percent: bool,
    start: Option<Value>,
    /// Compare with the last input instead of the last output.
    inputs: bool,
    property: Path,
    topic: Path,
    by_topic: bool,
    previous: RefCell<FxHashMap<Str, Value>>,
}

/// `parseFloat` of a value: the number at the front of its text.
pub(super) fn parse_float(value: &Value) -> f64 {
    match value {
        Value::Number(number) => *number,
        other => flotilla_value::parse_float(&other.to_text()),
    }
}

fn build(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    let config = cx.config();
    let path = |name: &str, default: &str| {
        Path::message(&props::text(config, name, default)).map_err(|error| NodeError::new(error.to_string()))
    };
    let rule = match props::text(config, "func", "rbe").as_str() {
        "rbei" => Rule::ChangedNotFirst,
        "deadband" => Rule::Deadband { equal: false },
        "deadbandEq" => Rule::Deadband { equal: true },
        "narrowband" => Rule::Narrowband { equal: false },
        "narrowbandEq" => Rule::Narrowband { equal: true },
        _ => Rule::Changed,
    };
    let gap = props::text(config, "gap", "0");
    let percent = gap.ends_with('%');
    let gap = if percent { parse_float(&gap.into()) } else { Value::from(gap).to_number() };
    let start = props::value(config, "start");
    let by_topic = !matches!(props::value(config, "septopics"), Value::Bool(false));
    Ok(Rc::new(Filter {
        rule,
        gap,
        percent,
        start: start.truthy().then_some(start),
        inputs: props::text(config, "inout", "out") == "in",
        property: path("property", "payload")?,
        topic: path("topi", "topic")?,
        by_topic,
        previous: RefCell::default(),
        cx,
    }))
}

impl Filter {
    fn changed(&self, topic: &Str, value: &Value) -> bool {
        let mut previous = self.previous.borrow_mut();
        let known = previous.get(topic);
        let may_send = self.rule == Rule::Changed || known.is_some();
        // Node-RED compares a first object with an empty one.
        let same = match (known, value.type_of() == "object" && !matches!(value, Value::Null)) {
            (Some(known), true) if known.type_of() == "object" => known == value,
            (_, true) => *value == Value::object(),
            (Some(Value::Number(a)), false) if a.is_nan() => false,
            (Some(known), false) => known == value,
            (None, false) => false,
        };
        let was_object = known.is_some_and(|known| known.type_of() == "object");
        if !same {
            previous.insert(topic.clone(), value.clone());
        } else if !was_object && value.type_of() == "object" {
            // A first object that equals the empty one was there all the same.
            previous.insert(topic.clone(), Value::object());
        }
        !same && may_send
    }

    fn in_band(&self, topic: &Str, number: f64) -> bool {
        let mut all = self.previous.borrow_mut();
        let narrow = matches!(self.rule, Rule::Narrowband { .. });
        let mut previous = all.get(topic).map(Value::to_number);
        if previous.is_none() && narrow {
            previous = Some(self.start.as_ref().map_or(number, Value::to_number));
        }
        let gap = match (self.percent, previous) {
            (true, Some(previous)) => (previous * self.gap / 100.0).abs(),
            (true, None) => 0.0,
            (false, _) => self.gap,
        };
        let previous = previous.unwrap_or(number - gap - 1.0);
        let distance = (number - previous).abs();
        let at_gap = distance.total_cmp(&gap).is_eq();
        let passes = match self.rule {
            Rule::Deadband { equal } => distance > gap || (at_gap && equal),
            Rule::Narrowband { equal } => distance < gap || (at_gap && !equal),
            _ => false,
        };
        let kept = if self.inputs || passes { number } else { previous };
        all.insert(topic.clone(), Value::Number(kept));
        passes
    }
}

impl Node for Filter {
    fn receive(&self, msg: Msg) {
        let topic = msg.get_path(&self.topic).unwrap_or_default();
        if msg.has("reset") {
            match topic.as_str().filter(|topic| self.by_topic && !topic.is_empty()) {
                Some(_) => drop(self.previous.borrow_mut().remove(&msg.get("topic").to_text())),
                None => self.previous.borrow_mut().clear(),
            }
        }
        let value = msg.get_path(&self.property).unwrap_or_default();
        if value.is_undefined() {
            return self.cx.report().done(&msg);
        }
        let key = if self.by_topic && topic.truthy() { topic.to_text() } else { Str::new_static(NO_TOPIC) };
        let passes = match self.rule {
            Rule::Changed | Rule::ChangedNotFirst => self.changed(&key, &value),
            _ => {
                let number = parse_float(&value);
                if number.is_nan() {
                    self.cx.report().warn(self.cx.text("rbe.warn.nonumber", &[]));
                    return self.cx.report().done(&msg);
                }
                self.in_band(&key, number)
            }
        };
        if passes {
            self.cx.out().send(msg.clone());
        }
        self.cx.report().done(&msg);
    }
}
