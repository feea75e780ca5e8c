//! Makes `$moment` and the methods of what it gives known to an evaluator.

use std::cell::RefCell;
use std::rc::Rc;

use jiff::tz::TimeZone;
use jsonata_core::evaluator::{Evaluator, EvaluatorError, HOST_METHOD, HOST_OBJECT};
use jsonata_core::value::JValue;

use flotilla_value::Value;

use super::super::bridge::Carried;
use super::date::Moment;
use super::methods::{Args, Given, call};
use super::parse::parse;

/// The moments of one evaluation; a value that is one has its index.
#[derive(Default)]
struct Moments(RefCell<Vec<Moment>>);

impl Moments {
    fn find(&self, value: &JValue) -> Option<Moment> {
        let JValue::Object(map) = value else { return None };
        let at = map.get(HOST_OBJECT)?.as_f64()?;
        self.0.borrow().get(at as usize).cloned()
    }

    /// A value that is the moment: its JSON is the date's.
    fn keep(&self, moment: Moment, carried: &Carried) -> JValue {
        let mut moments = self.0.borrow_mut();
        let at = JValue::Number(moments.len() as f64);
        let ms = moment.value();
        moments.push(moment);
        carried.marked([(HOST_OBJECT.to_owned(), at)], &Value::Date(ms))
    }
}

/// Registers `$moment` and the methods.
pub(in super::super) fn register(evaluator: &mut Evaluator, carried: &Rc<Carried>) -> Result<(), EvaluatorError> {
    let (moments, values) = (Rc::new(Moments::default()), carried.clone());
    let known = moments.clone();
    evaluator.register_fn("moment", move |args: &[JValue]| {
        let given = args.first().and_then(|value| known.find(value));
        Ok(known.keep(given.unwrap_or_else(|| parse(args, TimeZone::system())), &values))
    })?;
    let values = carried.clone();
    evaluator.register_fn(HOST_METHOD, move |args: &[JValue]| {
        let (Some(at), Some(name)) =
            (args.first().and_then(|value| moments.find(value)), args.get(1).and_then(JValue::as_str))
        else {
            return Err(EvaluatorError::ReferenceError("T1006: Attempted to invoke a non-function".to_owned()));
        };
        let args = Args { values: &args[2..], moment: &|value| moments.find(value) };
        match call(&at, name, &args) {
            Some(Given::Moment(moment)) => Ok(moments.keep(moment, &values)),
            Some(Given::Value(value)) => Ok(value),
            None => Err(EvaluatorError::ReferenceError("T1006: Attempted to invoke a non-function".to_owned())),
        }
    })
}
