//! Reading a delay node's configuration.

use std::rc::Rc;

use flotilla_engine::props;
use flotilla_engine::{Node, NodeCx, NodeError, Stateless};

use super::burst::Burst;
use super::hold::{Hold, Wait};
use super::queue::Queue;
use super::rate::Rate;

/// The row in the table of node types.
pub const TYPE: Stateless = Stateless::node("delay", build);

fn build(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    let config = cx.config();
    let unit = |name: &str| match config.str(name) {
        "milliseconds" => 1.0,
        "minutes" => 60_000.0,
        "hours" => 3_600_000.0,
        "days" => 86_400_000.0,
        _ => 1000.0,
    };
    let number = |name: &str| props::value(config, name).to_number();
    let fixed = number("timeout") * unit("timeoutUnits");
    let rate_unit = match config.str("rateUnits") {
        "minute" => 60_000.0,
        "hour" => 3_600_000.0,
        "day" => 86_400_000.0,
        _ => 1000.0,
    };
    let units = number("nbRateUnits");
    let rate = rate_unit / number("rate") * if units > 0.0 { units } else { 1.0 };
    let rate = if rate.is_finite() { rate } else { 1.0 };
    let random = unit("randomUnits");
    let (first, last) = (number("randomFirst") * random, number("randomLast") * random);
    let changeable = props::flag(config, "allowrate");
    let two_outputs = (number("outputs") - 2.0).abs() < 0.5;
    Ok(match config.str("pauseType") {
        "delayv" => Hold::new(cx, Wait::Message(fixed), fixed),
        "random" => Hold::new(cx, Wait::Random { first, last }, fixed),
        "rate" => {
            let drop = props::flag(config, "drop");
            Rate::new(cx, rate, changeable, drop, two_outputs)
        }
        "burst" => {
            let most = number("rate");
            Burst::new(cx, most, units * rate_unit, two_outputs)
        }
        kind @ ("queue" | "timed") => {
            let one_by_one = kind == "queue";
            Queue::new(cx, rate, changeable, one_by_one, two_outputs)
        }
        _ => Hold::new(cx, Wait::Fixed, fixed),
    })
}
