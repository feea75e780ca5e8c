//! The functions that Node-RED adds to JSONata: `$env`, `$flowContext`, `$globalContext`, `$clone`, `$moment`.
//!
//! Source: `prepareJSONataExpression` of Node-RED's `util`.

use std::rc::Rc;

use chrono::{DateTime, Duration, FixedOffset, Months, NaiveDate, NaiveDateTime, Utc};
use jsonata_core::evaluator::{Evaluator, EvaluatorError};
use jsonata_core::value::JValue;

use super::bridge::Carried;
use super::moment::{Moment, format_moment, local};
use super::moment_rewrite::CHAIN;
use super::surroundings::{Surroundings, context_get};

/// An expression that has none of these in it needs no node.
pub(super) const NAMES: [&str; 6] = ["$env", "$flowContext", "$globalContext", "$clone", "$moment", "$random"];

fn failed(message: impl Into<String>) -> EvaluatorError {
    EvaluatorError::EvaluationError(message.into())
}

/// Makes the functions known to an evaluator.
pub(super) fn register(
    evaluator: &mut Evaluator,
    around: &Rc<dyn Surroundings>,
    carried: &Rc<Carried>,
) -> Result<(), EvaluatorError> {
    let (node, values) = (around.clone(), carried.clone());
    evaluator.register_fn("env", move |args: &[JValue]| {
        let name = args.first().and_then(JValue::as_str).unwrap_or_default();
        Ok(node.env(name).map_or_else(|| JValue::from(""), |value| values.to_jsonata(&value)))
    })?;
    for (name, global) in [("flowContext", false), ("globalContext", true)] {
        let (node, values) = (around.clone(), carried.clone());
        evaluator.register_fn(name, move |args: &[JValue]| {
            let key = args.first().and_then(JValue::as_str).unwrap_or_default();
            let key = match args.get(1).and_then(JValue::as_str) {
                Some(store) => format!("#:({store})::{key}"),
                None => key.to_owned(),
            };
            let value = context_get(&*node, global, &key, None).map_err(|error| failed(error.message))?;
            Ok(values.to_jsonata(&value))
        })?;
    }
    evaluator.register_fn_override("random", |_: &[JValue]| Ok(JValue::Number(rand::random::<f64>())))?;
    // Values are never changed in place here, so a clone is the value itself.
    evaluator.register_fn("clone", |args: &[JValue]| Ok(args.first().cloned().unwrap_or(JValue::Undefined)))?;
    evaluator.register_fn("moment", |args: &[JValue]| {
        let at = parse(args);
        Ok(at.map_or_else(|| JValue::from("Invalid date"), |at| JValue::from(iso(&at))))
    })?;
    evaluator.register_fn(CHAIN, |args: &[JValue]| chain(args))
}

fn iso(at: &Moment) -> String {
    at.with_timezone(&Utc).format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// `moment(...)`: now, milliseconds, an ISO 8601 text, or `[year, month, ...]`.
fn parse(args: &[JValue]) -> Option<Moment> {
    match args.first() {
        None | Some(JValue::Undefined) => local(crate::clock::now_ms()),
        Some(JValue::Number(ms)) => local(*ms),
        Some(JValue::String(text)) => parse_text(text),
        Some(JValue::Array(parts)) => {
            let part = |at: usize, or: f64| parts.get(at).and_then(JValue::as_f64).unwrap_or(or) as u32;
            let day = NaiveDate::from_ymd_opt(part(0, 1970.0) as i32, part(1, 0.0) + 1, part(2, 1.0))?;
            let time = day.and_hms_milli_opt(part(3, 0.0), part(4, 0.0), part(5, 0.0), part(6, 0.0))?;
            Some(time.and_local_timezone(chrono::Local).earliest()?.fixed_offset())
        }
        Some(_) => None,
    }
}

fn parse_text(text: &str) -> Option<Moment> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Some(at.with_timezone(&chrono::Local).fixed_offset());
    }
    let time = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    let time = time.or_else(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0))?;
    Some(time.and_local_timezone(chrono::Local).earliest()?.fixed_offset())
}

/// `$moment(args).method(args)...`: the arguments of `$moment`, then each method's name and arguments.
fn chain(args: &[JValue]) -> Result<JValue, EvaluatorError> {
    let list = |value: Option<&JValue>| value.and_then(JValue::as_array).cloned().unwrap_or_default();
    let Some(mut at) = parse(&list(args.first())) else { return Ok(JValue::from("Invalid date")) };
    for call in args[1.min(args.len())..].chunks(2) {
        let name = call[0].as_str().unwrap_or_default();
        let args = list(call.get(1));
        match step(at, name, &args)? {
            Step::Moment(next) => at = next,
            Step::Value(value) => return Ok(value),
        }
    }
    Ok(JValue::from(iso(&at)))
}

enum Step {
    Moment(Moment),
    Value(JValue),
}

fn step(at: Moment, name: &str, args: &[JValue]) -> Result<Step, EvaluatorError> {
    let text = |index: usize| args.get(index).and_then(JValue::as_str).unwrap_or_default();
    let number = |index: usize| args.get(index).and_then(JValue::as_f64).unwrap_or(0.0);
    Ok(match name {
        "format" => Step::Value(JValue::from(format_moment(&at, text(0)))),
        "valueOf" => Step::Value(JValue::Number(at.timestamp_millis() as f64)),
        "unix" => Step::Value(JValue::Number(at.timestamp() as f64)),
        "toISOString" | "toJSON" => Step::Value(JValue::from(iso(&at))),
        "utc" => Step::Moment(at.with_timezone(&Utc).fixed_offset()),
        "local" => Step::Moment(at.with_timezone(&chrono::Local).fixed_offset()),
        "add" => Step::Moment(shift(at, number(0), text(1))?),
        "subtract" => Step::Moment(shift(at, -number(0), text(1))?),
        "year" | "month" | "date" | "day" | "hour" | "hours" | "minute" | "minutes" | "second" | "seconds" => {
            let format = match name {
                "year" => "YYYY",
                "month" => "M",
                "date" => "D",
                "day" => "d",
                "hour" | "hours" => "H",
                "minute" | "minutes" => "m",
                _ => "s",
            };
            let value: f64 = format_moment(&at, format).parse().unwrap_or(f64::NAN);
            // moment counts months from 0.
            Step::Value(JValue::Number(if name == "month" { value - 1.0 } else { value }))
        }
        other => return Err(failed(format!("$moment(): the method \"{other}\" is not available here"))),
    })
}

fn shift(at: Moment, amount: f64, unit: &str) -> Result<DateTime<FixedOffset>, EvaluatorError> {
    let months = |count: f64| {
        let months = Months::new(count.abs() as u32);
        if count < 0.0 { at.checked_sub_months(months) } else { at.checked_add_months(months) }
    };
    let fixed = |ms: f64| at.checked_add_signed(Duration::try_milliseconds((amount * ms) as i64)?);
    let moved = match unit {
        "years" | "year" | "y" => months(amount * 12.0),
        "quarters" | "quarter" | "Q" => months(amount * 3.0),
        "months" | "month" | "M" => months(amount),
        "weeks" | "week" | "w" => fixed(604_800_000.0),
        "days" | "day" | "d" => fixed(86_400_000.0),
        "hours" | "hour" | "h" => fixed(3_600_000.0),
        "minutes" | "minute" | "m" => fixed(60_000.0),
        "seconds" | "second" | "s" => fixed(1000.0),
        _ => fixed(1.0),
    };
    moved.ok_or_else(|| failed(format!("$moment(): {amount} {unit} later is out of range")))
}
