//! JavaScript's loose comparisons.

use std::cmp::Ordering;

use flotilla_value::{Str, Value};

/// What an object becomes when it is compared with a primitive.
fn primitive(value: &Value) -> Value {
    match value {
        Value::Date(ms) => Value::Number(*ms),
        value if value.type_of() == "object" && !matches!(value, Value::Null) => Value::String(value.to_text()),
        value => value.clone(),
    }
}

fn is_object(value: &Value) -> bool {
    matches!(value.type_of(), "object" | "function") && !matches!(value, Value::Null)
}

/// `a == b`. Two objects are the same only when they are one; here that means equal and shared, so equal is taken.
pub(super) fn loose_eq(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (a, b) if a.is_nullish() || b.is_nullish() => a.is_nullish() && b.is_nullish(),
        (Value::Number(a), Value::Number(b)) => a.partial_cmp(b) == Some(Ordering::Equal),
        (Value::String(a), Value::String(b)) => a == b,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (a, b) if is_object(a) && is_object(b) => same_object(a, b),
        (Value::Bool(flag), other) | (other, Value::Bool(flag)) => {
            loose_eq(&Value::Number(f64::from(u8::from(*flag))), other)
        }
        (a, b) if is_object(a) || is_object(b) => {
            // A date compared with a text or number becomes its text.
            let plain = |value: &Value| match value {
                Value::Date(_) => Value::String(value.to_text()),
                other => primitive(other),
            };
            loose_eq(&plain(a), &plain(b))
        }
        (a, b) => a.to_number().partial_cmp(&b.to_number()) == Some(Ordering::Equal),
    }
}

fn same_object(a: &Value, b: &Value) -> bool {
    use std::sync::Arc;
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => Arc::ptr_eq(a, b),
        (Value::Object(a), Value::Object(b)) => Arc::ptr_eq(a, b),
        (Value::Error(a), Value::Error(b)) => Arc::ptr_eq(a, b),
        (Value::Buffer(a), Value::Buffer(b)) => a.as_ptr() == b.as_ptr() && a.len() == b.len(),
        _ => false,
    }
}

/// The order of `a` and `b` for `<` and its like; `None` when they have none (NaN).
pub(super) fn order(a: &Value, b: &Value) -> Option<Ordering> {
    let (a, b) = (primitive(a), primitive(b));
    match (&a, &b) {
        (Value::String(a), Value::String(b)) => Some(compare_texts(a, b)),
        (a, b) => a.to_number().partial_cmp(&b.to_number()),
    }
}

/// JavaScript orders texts by UTF-16 units.
fn compare_texts(a: &Str, b: &Str) -> Ordering {
    a.encode_utf16().cmp(b.encode_utf16())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_as_javascript_does() {
        let text = |text: &str| Value::from(text);
        let number = Value::Number;
        assert!(loose_eq(&number(1.0), &text("1")));
        assert!(loose_eq(&Value::Bool(true), &text("1")));
        assert!(!loose_eq(&Value::Bool(true), &text("true")));
        assert!(loose_eq(&Value::Null, &Value::Undefined));
        assert!(!loose_eq(&number(f64::NAN), &number(f64::NAN)));
        assert!(loose_eq(&Value::array(vec![number(1.0)]), &number(1.0)));
        assert_eq!(order(&text("10"), &text("9")), Some(Ordering::Less));
        assert_eq!(order(&text("10"), &number(9.0)), Some(Ordering::Greater));
        assert_eq!(order(&text("x"), &number(9.0)), None);
    }
}
