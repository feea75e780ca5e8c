//! JSONata expressions with Node-RED's functions.

use std::cell::RefCell;
use std::rc::Rc;

use jsonata_core::Expression;
use jsonata_core::ast::AstNode;
use jsonata_core::evaluator::{Context, Evaluator, EvaluatorError, EvaluatorOptions};
use jsonata_core::memory;
use jsonata_core::parser;
use jsonata_core::value::JValue;
use regress::limit;
use rustc_hash::FxHashMap;

use flotilla_value::Value;

use super::bridge::Carried;
use super::error::ExpressionError;
use super::functions;
use super::memory::Watched;
use super::regexp::{Regexp, STEPS};
use super::surroundings::Surroundings;

/// An expression that takes longer is stopped: it would hold up every flow of its worker.
const TIME_LIMIT_MS: u64 = 10_000;

/// Bytes that an evaluation may take. A range of ten million numbers, the most that JSONata makes, takes 240 MB.
const MEMORY_LIMIT: u64 = 256 << 20;

/// Expressions that a worker keeps ready.
const CACHE: usize = 256;

/// An expression, parsed once.
pub struct Jsonata {
    plain: Option<Expression>,
    ast: AstNode,
    /// Written for Node-RED before 0.14: it begins with `msg.`, and the message is under that name.
    legacy: bool,
    /// The source when it names each property that it can reach; `None` when it may look at all of them.
    names: Option<String>,
}

thread_local! {
    static READY: RefCell<FxHashMap<String, Rc<Jsonata>>> = RefCell::default();
    static LEGACY: Option<Regexp> = Regexp::new(r#"(^|[^a-zA-Z0-9_'".])msg([^a-zA-Z0-9_'"]|$)"#, "").ok();
}

fn options(watched: &Watched) -> EvaluatorOptions {
    let cancel = Some(watched.token.clone());
    EvaluatorOptions { timeout_ms: Some(TIME_LIMIT_MS), cancel, ..EvaluatorOptions::default() }
}

fn split_code(message: &str) -> ExpressionError {
    match message.split_once(": ") {
        Some((code, text)) if code.len() == 5 && code[1..].bytes().all(|b| b.is_ascii_digit()) => {
            ExpressionError::with_code(text, code)
        }
        _ => ExpressionError::new(message),
    }
}

impl From<EvaluatorError> for ExpressionError {
    fn from(error: EvaluatorError) -> ExpressionError {
        split_code(error.message())
    }
}

impl Jsonata {
    /// Parses an expression, or takes it from the worker's cache.
    ///
    /// # Errors
    /// When the expression is malformed.
    pub fn compile(source: &str) -> Result<Rc<Jsonata>, ExpressionError> {
        if let Some(ready) = READY.with(|ready| ready.borrow().get(source).cloned()) {
            return Ok(ready);
        }
        let ast = parser::parse(source).map_err(|error| split_code(&error.to_string()))?;
        let needs_node = functions::NAMES.iter().any(|name| source.contains(name));
        // A bare path: without functions, wildcards and escapes it reaches only properties that it spells out.
        let spelled = !source.contains(['$', '*', '%', '\\', '~', '@', '#', '^']);
        let legacy = LEGACY.with(|legacy| legacy.as_ref().is_some_and(|legacy| legacy.is_match(source) == Ok(true)));
        let made = Rc::new(Jsonata {
            plain: (!needs_node).then(|| Expression::from_ast(ast.clone())),
            ast,
            legacy,
            names: spelled.then(|| source.to_owned()),
        });
        READY.with(|ready| {
            let mut ready = ready.borrow_mut();
            if ready.len() >= CACHE {
                ready.clear();
            }
            ready.insert(source.to_owned(), made.clone());
        });
        Ok(made)
    }

    /// Evaluates the expression for a message, with these variables bound.
    ///
    /// # Errors
    /// What JSONata reports, with its code, and expressions that take too long.
    pub fn evaluate(
        &self,
        around: Rc<dyn Surroundings>,
        msg: &Value,
        variables: &[(&str, Value)],
    ) -> Result<Value, ExpressionError> {
        let carried = Rc::new(Carried::default());
        let mut input = match &self.names {
            Some(source) => carried.message(msg, |key| source.contains(key)),
            None => carried.to_jsonata(msg),
        };
        if self.legacy {
            input = JValue::object([("msg".to_owned(), input)].into_iter().collect());
        }
        let watched = Watched::begin();
        let evaluate = || match &self.plain {
            Some(expression) if variables.is_empty() => expression.evaluate_with_options(&input, options(&watched)),
            _ => {
                let mut context = Context::new();
                for (name, value) in variables {
                    context.bind((*name).to_owned(), carried.to_jsonata(value));
                }
                let mut evaluator = Evaluator::with_options(context, options(&watched));
                functions::register(&mut evaluator, &around, &carried)?;
                evaluator.evaluate(&self.ast, &input)
            }
        };
        let mut result = None;
        // An expression that was ended has an error of its own.
        let _ = limit::within(STEPS, || result = Some(memory::bounded(MEMORY_LIMIT, evaluate)));
        let Some(result) = result else { return Ok(Value::Undefined) };
        let result = result.map_err(|error| watched.or_stopped(error.into()))?;
        Ok(carried.to_value(&result))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::context::{ContextRef, Contexts, ScopeKey};
    use flotilla_value::parse_json;

    struct Around(Arc<Contexts>);

    impl Surroundings for Around {
        fn env(&self, name: &str) -> Option<Value> {
            (name == "WHO").then(|| Value::from("Joe"))
        }

        fn context(&self, global: bool) -> ContextRef {
            self.0.scope(if global { ScopeKey::global() } else { ScopeKey::flow("f") })
        }
    }

    fn evaluate(source: &str, msg: &str) -> Result<Value, ExpressionError> {
        let around = Around(Arc::new(Contexts::default()));
        around.context(false).set("a.b", Value::Number(7.0), None).unwrap();
        Jsonata::compile(source)?.evaluate(Rc::new(around), &parse_json(msg.as_bytes()).unwrap(), &[])
    }

    #[test]
    fn paths_functions_and_legacy_expressions_work() {
        let msg = r#"{"payload":{"x":[1,2,3]},"topic":"t"}"#;
        assert_eq!(evaluate("$sum(payload.x)", msg).unwrap(), Value::Number(6.0));
        assert_eq!(evaluate("payload.x[1]", msg).unwrap(), Value::Number(2.0));
        assert_eq!(evaluate("msg.topic", msg).unwrap(), Value::from("t"));
        assert_eq!(evaluate("nothing", msg).unwrap(), Value::Undefined);
        assert_eq!(evaluate("$env('WHO') & $env('NO')", msg).unwrap(), Value::from("Joe"));
        assert_eq!(evaluate("$flowContext('a.b') + 1", msg).unwrap(), Value::Number(8.0));
        assert_eq!(evaluate("$clone(payload).x[0]", msg).unwrap(), Value::Number(1.0));
    }

    #[test]
    fn moments_are_formatted_and_moved() {
        let source = "'day ' & $moment('2024-02-28T12:00:00Z').add(2, 'days').utc().format('YYYY-MM-DD')";
        assert_eq!(evaluate(source, "{}").unwrap(), Value::from("day 2024-03-01"));
        assert_eq!(evaluate("$moment(1000).valueOf()", "{}").unwrap(), Value::Number(1000.0));
    }

    #[test]
    fn moments_have_moments_methods() {
        let cases = [
            (
                "$moment('2024-07-01T10:00:00Z').tz('Europe/Berlin').format('HH:mm Z z')",
                Value::from("12:00 +02:00 CEST"),
            ),
            ("$moment('2024-07-31T10:00:00Z').utc().startOf('month').toISOString()", "2024-07-01T00:00:00.000Z".into()),
            ("$moment('2024-07-31T10:00:00Z').utc().endOf('day').toISOString()", "2024-07-31T23:59:59.999Z".into()),
            ("$moment('2024-03-01').diff($moment('2024-01-15'), 'months')", Value::Number(1.0)),
            ("$moment('2024-03-01').diff('2024-02-28', 'days')", Value::Number(2.0)),
            ("$moment('2024-03-01').isAfter('2024-02-28')", Value::Bool(true)),
            ("$moment('2024-03-01').isBefore($moment('2024-02-28'))", Value::Bool(false)),
            ("($m := $moment(0).utc(); $m.locale('de').format('dddd, D. MMMM'))", "Donnerstag, 1. Januar".into()),
            ("$moment($millis() - 7200000).fromNow()", "2 hours ago".into()),
            ("$moment($millis() + 3 * 86400000).locale('fr').fromNow()", "dans 3 jours".into()),
            ("$moment('25.12.2024 18:30', 'DD.MM.YYYY HH:mm').format('YYYY-MM-DDTHH:mm')", "2024-12-25T18:30".into()),
            ("$moment('2024-01-31').add(1, 'months').format('YYYY-MM-DD')", "2024-02-29".into()),
            ("$moment('2024-01-31').add({'days': 1, 'hours': 2}).format('MM-DD HH')", "02-01 02".into()),
            ("$moment('x').format()", "Invalid date".into()),
            ("'at ' & $moment(0)", "at \"1970-01-01T00:00:00.000Z\"".into()),
            ("$moment(0).utc().hour(5).minute(90).format('HH:mm')", "06:30".into()),
            ("$moment(0).utc().isoWeek()", Value::Number(1.0)),
        ];
        for (source, expected) in cases {
            assert_eq!(evaluate(source, "{}").unwrap(), expected, "{source}");
        }
        assert_eq!(evaluate("$moment().nothing()", "{}").unwrap_err().code.as_deref(), Some("T1006"));
    }

    #[test]
    fn what_the_library_lacked_is_there() {
        let cases = [
            ("$fromMillis(23.5)", Value::from("1970-01-01T00:00:00.023Z")),
            ("$replace('a1b2', /(?<=b)\\d/, 'x')", "a1bx".into()),
            ("$contains('foobar', /foo(?!baz)/)", Value::Bool(true)),
            ("$encodeUrl('http://a/[ \"ü\"]?x=1&y=#')", "http://a/%5B%20%22%C3%BC%22%5D?x=1&y=#".into()),
            ("$encodeUrlComponent(\"a-b_c.d!e~f*g'h(i) j\")", "a-b_c.d!e~f*g'h(i)%20j".into()),
            ("$length($now('[Y0001]-[M01]-[D01]', '+0200'))", Value::Number(10.0)),
        ];
        for (source, expected) in cases {
            assert_eq!(evaluate(source, "{}").unwrap(), expected, "{source}");
        }
    }

    #[test]
    fn memory_is_bounded() {
        for source in [
            "$pad('', 2000000000)",
            "($f := function($t, $n) { $n = 0 ? $t : $f($t & $t, $n - 1) }; $length($f('0123456789', 60)))",
            "$join($map([1..100000], function() { 'x' }), $pad('', 1000000))",
        ] {
            assert_eq!(evaluate(source, "{}").unwrap_err().code.as_deref(), Some("U1004"), "{source}");
        }
    }

    /// With what only the engine that goes back and forth has: the rest is linear.
    #[test]
    fn patterns_that_go_back_and_forth_for_ever_end_every_function() {
        let msg = format!(r#"{{"payload":"{}b"}}"#, "a".repeat(40));
        for source in [
            "$match(payload, /(a+)+(?!b)$/)",
            "$replace(payload, /(a+)+(?!b)$/, 'x')",
            "$contains(payload, /(a+)+(?!b)$/)",
            "$split(payload, /(a+)+(?!b)$/)",
        ] {
            let mut found = None;
            // The bound of an expression holds below an outer one, which is sooner reached.
            let _ = limit::within(1_000_000, || found = Some(evaluate(source, &msg)));
            let error = found.unwrap().unwrap_err();
            assert_eq!(error.code.as_deref(), Some("U1005"), "{source}: {error}");
            assert!(error.message.contains("too many steps"), "{source}: {error}");
        }
    }

    #[test]
    fn values_that_json_cannot_say_pass_through() {
        let object: flotilla_value::Object =
            [("payload", Value::Buffer(bytes::Bytes::from_static(b"ab")))].into_iter().collect();
        let around = Rc::new(Around(Arc::new(Contexts::default())));
        let result = Jsonata::compile("{'b': payload}").unwrap().evaluate(around, &object.into(), &[]).unwrap();
        assert_eq!(result.get("b"), Value::Buffer(bytes::Bytes::from_static(b"ab")));
    }

    #[test]
    fn values_that_json_cannot_say_are_their_own_json_in_texts() {
        let object: flotilla_value::Object =
            [("payload", Value::Buffer(bytes::Bytes::from_static(b"ab")))].into_iter().collect();
        let around = Rc::new(Around(Arc::new(Contexts::default())));
        let result = Jsonata::compile("'got ' & payload & '!'").unwrap().evaluate(around, &object.into(), &[]).unwrap();
        assert_eq!(result, Value::from(r#"got {"type":"Buffer","data":[97,98]}!"#));
    }

    #[test]
    fn random_numbers_differ() {
        let source = "[$random(), $random()]";
        let found = evaluate(source, "{}").unwrap();
        let numbers: Vec<f64> = found.as_array().unwrap().iter().filter_map(Value::as_number).collect();
        assert!(numbers.len() == 2 && numbers.iter().all(|number| (0.0..1.0).contains(number)));
        assert!(numbers[0].to_bits() != numbers[1].to_bits());
    }

    #[test]
    fn errors_have_their_code() {
        assert!(Jsonata::compile("payload.(").is_err());
        assert_eq!(evaluate("1 + 'a'", "{}").unwrap_err().code.as_deref(), Some("T2002"));
    }
}
