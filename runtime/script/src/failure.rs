//! What scripts throw, as the error objects that catch nodes and logs get.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use rquickjs::function::Constructor;
use rquickjs::{Ctx, Value as JsValue};

use flotilla_value::{ErrorValue, Str, Value, stringify};

use super::engine::Script;
use super::program::Lines;
use super::sources::FILE;
use super::v8;

/// The parts of a function node's code, by their place in the compiled unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Body = 0,
    Setup = 1,
    Cleanup = 2,
}

/// A failed run.
pub(super) struct Failure {
    /// What to report.
    pub(super) value: Value,
    /// The worker's memory for scripts was used up.
    pub(super) out_of_memory: bool,
}

/// The error that `ctx` holds after a call failed.
pub(super) fn caught(
    script: &Rc<Script>,
    ctx: &Ctx<'_>,
    error: &rquickjs::Error,
    limit: Option<Duration>,
    lines: Option<&Lines>,
) -> Failure {
    let thrown = ctx.catch();
    if script.is_expired() {
        script.restart_clock(limit);
        return Failure { value: timed_out(limit), out_of_memory: false };
    }
    if !matches!(error, rquickjs::Error::Exception) {
        return Failure { value: ErrorValue::new(error.to_string()).into_value(), out_of_memory: false };
    }
    of_thrown(script, ctx, &thrown, lines)
}

/// The error of a script that was stopped because its time was up: V8's words.
pub(super) fn timed_out(limit: Option<Duration>) -> Value {
    let ms = limit.unwrap_or_default().as_millis();
    ErrorValue::with_code(format!("Script execution timed out after {ms}ms"), "ERR_SCRIPT_EXECUTION_TIMEOUT")
        .into_value()
}

/// The error object of a thrown value. Strings stay strings; what is no error goes as JSON, as in Node-RED.
pub(super) fn of_thrown<'js>(
    script: &Rc<Script>,
    ctx: &Ctx<'js>,
    thrown: &JsValue<'js>,
    lines: Option<&Lines>,
) -> Failure {
    // It may be that too much was handed out.
    script.hands_out_anew();
    let Ok(value) = script.export(ctx, thrown) else {
        ctx.catch();
        return Failure {
            value: ErrorValue::new("The script threw a value that cannot be read").into_value(),
            out_of_memory: false,
        };
    };
    let error = match value {
        Value::Error(error) => error,
        // Out of memory, QuickJS may have nothing left to make the error object from: it throws null.
        Value::Null if memory_is_scarce(script, ctx) => return out_of_memory(script),
        Value::Null => return Failure { value: Value::from("null"), out_of_memory: true },
        Value::String(text) => return Failure { value: Value::String(text), out_of_memory: false },
        other => {
            let text = stringify(&other).ok().flatten().unwrap_or_else(|| other.to_text().to_string());
            return Failure { value: Value::from(text), out_of_memory: false };
        }
    };
    // Where not even the text fits any more it is empty.
    if error.name == "InternalError" && (error.message.contains("out of memory") || error.message.is_empty()) {
        return out_of_memory(script);
    }
    let mut error = Arc::unwrap_or_clone(error);
    describe(&mut error, lines);
    Failure { value: Value::Error(Arc::new(error)), out_of_memory: false }
}

/// True when scripts hold more than half of their memory. Asked from inside of the engine, which tells its use only from
/// outside: by a buffer of the other half, which is let go at once.
fn memory_is_scarce(script: &Script, ctx: &Ctx<'_>) -> bool {
    let half = (script.memory_limit() / 2) as f64;
    let constructor = ctx.globals().get::<_, Constructor<'_>>("ArrayBuffer");
    let scarce = constructor.and_then(|make| make.construct::<_, JsValue<'_>>((half,))).is_err();
    if scarce {
        ctx.catch();
    }
    scarce
}

fn out_of_memory(script: &Script) -> Failure {
    let megabytes = script.memory_limit() >> 20;
    let text = format!("The script ran out of memory: all scripts of a worker have {megabytes} MB together");
    Failure { value: ErrorValue::with_code(text, "ERR_SCRIPT_OUT_OF_MEMORY").into_value(), out_of_memory: true }
}

/// Puts what the patched engine does not write in V8's words, with line and column where Node-RED adds them.
fn describe(error: &mut ErrorValue, lines: Option<&Lines>) {
    if let Some(message) = v8::plain(&error.message) {
        error.message = Str::from(message);
    }
    if error.name == "InternalError" && error.message == "stack overflow" {
        error.name = Str::new_static("RangeError");
        error.message = Str::new_static("Maximum call stack size exceeded");
    }
    // Node-RED puts the class in front of the message of a ReferenceError, and the place behind it.
    if error.name == "ReferenceError" {
        let place = error.stack.as_deref().and_then(|stack| place(stack, lines?)).unwrap_or_default();
        error.message = Str::from(format!("ReferenceError: {}{place}", error.message));
    }
}

/// The error of code that does not compile, with its place.
pub(super) fn of_compile(failure: Value, lines: &Lines) -> Value {
    let Value::Error(error) = failure else { return failure };
    let mut error = Arc::unwrap_or_clone(error);
    if error.name == "SyntaxError" {
        let place = error.stack.as_deref().and_then(|stack| place(stack, lines)).unwrap_or_default();
        error.message = Str::from(format!("{}{place}", error.message));
    }
    Value::Error(Arc::new(error))
}

/// ` (line 3, col 5)` of the innermost frame in the function's own code.
fn place(stack: &str, lines: &Lines) -> Option<String> {
    let (part, line, column) = innermost(stack, lines)?;
    let kind = match part {
        "Function setup" => "On Start, ",
        "Function cleanup" => "On Stop, ",
        _ => "",
    };
    Some(format!(" ({kind}line {line}, col {column})"))
}

/// Part, line and column of the innermost frame in the function's own code.
pub(super) fn innermost(stack: &str, lines: &Lines) -> Option<(&'static str, usize, usize)> {
    let numbers = |text: &str, count: usize| -> Vec<usize> {
        text.rsplit(|c: char| !c.is_ascii_digit())
            .filter(|digits| !digits.is_empty())
            .take(count)
            .map_while(|digits| digits.parse().ok())
            .collect()
    };
    for frame in stack.lines() {
        let known = ["Function node", "Function setup", "Function cleanup"]
            .into_iter()
            .find_map(|part| Some((part, frame.split_once(part)?.1.strip_prefix(':')?)));
        match known {
            Some((part, rest)) => {
                if let [column, line] = numbers(rest, 2)[..] {
                    return Some((part, line, column));
                }
            }
            // Code that does not compile has no frame yet.
            None => {
                if let Some([column, line]) = frame.split_once(FILE).map(|(_, rest)| numbers(rest, 2)).as_deref() {
                    let (part, line) = lines.part(*line)?;
                    return Some((part, line, *column));
                }
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_told_in_the_lines_of_the_part() {
        let lines = Lines { body: 3, setup: 6, cleanup: 9 };
        let at = |text: &str| place(text, &lines);
        assert_eq!(at("E: x\n    at f (Function node:ab1 [n 5]:2:7)").as_deref(), Some(" (line 2, col 7)"));
        assert_eq!(at("    at Function setup:ab1:1:7").as_deref(), Some(" (On Start, line 1, col 7)"));
        assert_eq!(at(&format!("    at x ({FILE}4:10:7)")).as_deref(), Some(" (On Stop, line 2, col 7)"));
        assert_eq!(at("at native"), None);
    }
}
