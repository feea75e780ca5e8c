//! The functions that Node-RED adds to JSONata: `$env`, `$flowContext`, `$globalContext`, `$clone`, `$moment`.
//!
//! Source: `prepareJSONataExpression` of Node-RED's `util`.

use std::rc::Rc;

use jsonata_core::evaluator::{Evaluator, EvaluatorError};
use jsonata_core::value::JValue;

use super::bridge::Carried;
use super::moment;
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
    moment::register(evaluator, carried)
}
