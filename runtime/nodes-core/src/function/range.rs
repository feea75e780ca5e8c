//! The range node: maps a number from one range to another.

use std::rc::Rc;

use flotilla_engine::message::Msg;
use flotilla_engine::props;
use flotilla_engine::{Node, NodeCx, NodeError, Stateless};
use flotilla_value::{ErrorValue, Path};

/// The row in the table of node types.
pub const TYPE: Stateless = Stateless::node("range", build);

/// What happens to numbers outside the input range.
#[derive(PartialEq, Eq)]
enum Outside {
    Scale,
    Clamp,
    Roll,
    Drop,
}

struct Range {
    cx: NodeCx,
    property: Path,
    outside: Outside,
    round: bool,
    input: (f64, f64),
    output: (f64, f64),
}

fn build(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    let config = cx.config();
    let number = |name: &str| props::value(config, name).to_number();
    let property = props::text(config, "property", "payload");
    let property = Path::message(&property).map_err(|error| NodeError::new(error.to_string()))?;
    let outside = match config.str("action") {
        "clamp" => Outside::Clamp,
        "roll" => Outside::Roll,
        "drop" => Outside::Drop,
        _ => Outside::Scale,
    };
    let (mut input, mut output) = ((number("minin"), number("maxin")), (number("minout"), number("maxout")));
    if input.0 > input.1 {
        (input, output) = ((input.1, input.0), (output.1, output.0));
    }
    let round = props::flag(config, "round");
    if round {
        output = (output.0.ceil(), output.1.floor());
    }
    Ok(Rc::new(Range { cx, property, outside, round, input, output }))
}

/// `Math.round`: halves go up.
pub(super) fn round(number: f64) -> f64 {
    (number + 0.5).floor()
}

impl Node for Range {
    fn receive(&self, mut msg: Msg) {
        let value = match msg.get_path(&self.property) {
            Ok(value) => value,
            Err(error) => return self.cx.report().error(ErrorValue::new(error.to_string()).into_value(), Some(&msg)),
        };
        if value.is_undefined() {
            self.cx.out().send(msg.clone());
            return self.cx.report().done(&msg);
        }
        let mut number = value.to_number();
        if number.is_nan() {
            self.cx.report().log(format!("{}: {}", self.cx.text("range.errors.notnumber", &[]), value.to_text()));
            return self.cx.report().done(&msg);
        }
        let (low, high) = self.input;
        match self.outside {
            Outside::Drop if number < low || number > high => return self.cx.report().done(&msg),
            Outside::Clamp => number = number.max(low).min(high),
            Outside::Roll => {
                let width = high - low;
                number = ((number - low) % width + width) % width + low;
            }
            _ => {}
        }
        let (from, to) = self.output;
        let mut scaled = (number - low) / (high - low) * (to - from) + from;
        if self.round {
            scaled = round(scaled);
        }
        if let Err(error) = msg.set_path(&self.property, scaled.into(), true) {
            return self.cx.report().error(ErrorValue::new(error.to_string()).into_value(), Some(&msg));
        }
        self.cx.out().send(msg.clone());
        self.cx.report().done(&msg);
    }
}
