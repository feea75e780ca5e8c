//! The mark that `http request` leaves on the headers of a response, so that the nodes behind it do not send them on as
//! headers of a request or of an answer, unless the flow has changed them.

use flotilla_value::{Object, Value};

/// The header that holds the mark, as in Node-RED.
pub(crate) const NAME: &str = "x-node-red-request-node";

/// The mark of these headers: what npm's `hash-sum` makes of them, as Node-RED marks them, so that headers that came
/// from a Node-RED elsewhere are known too.
pub(crate) fn mark(headers: &Object) -> Value {
    let headers: Object =
        headers.iter().filter(|(name, _)| *name != NAME).map(|(name, value)| (name.clone(), value.clone())).collect();
    Value::from(format!("{:08x}", fold_value(0, &Value::from(headers), "")))
}

fn fold(hash: i64, text: &str) -> i64 {
    if text.is_empty() {
        return hash;
    }
    // JavaScript's `(hash << 5) - hash + unit | 0`: the shift is of 32 bits, the difference is not.
    let folded = text.encode_utf16().fold(hash, |hash, unit| {
        let shifted = i64::from((hash as i32).wrapping_shl(5));
        i64::from((shifted - hash + i64::from(unit)) as i32)
    });
    if folded < 0 { folded * -2 } else { folded }
}

fn fold_value(hash: i64, value: &Value, key: &str) -> i64 {
    let class = match value {
        Value::Undefined => "[object Undefined]",
        Value::Null => "[object Null]",
        Value::Bool(_) => "[object Boolean]",
        Value::Number(_) => "[object Number]",
        Value::String(_) => "[object String]",
        Value::Array(_) => "[object Array]",
        Value::Date(_) => "[object Date]",
        _ => "[object Object]",
    };
    let hash = fold(fold(fold(hash, key), class), value.type_of());
    match value {
        Value::Object(object) => {
            let mut names: Vec<_> = object.iter().collect();
            names.sort_by(|a, b| a.0.encode_utf16().cmp(b.0.encode_utf16()));
            let hash = names.into_iter().fold(hash, |hash, (name, value)| fold_value(hash, value, name));
            fold(hash, "[object Object]")
        }
        Value::Array(items) => {
            let mut places: Vec<_> = items.iter().enumerate().map(|(at, item)| (at.to_string(), item)).collect();
            places.sort_by(|a, b| a.0.cmp(&b.0));
            let hash = places.into_iter().fold(hash, |hash, (at, item)| fold_value(hash, item, &at));
            fold(hash, &value.to_text())
        }
        other => fold(hash, &other.to_text()),
    }
}

/// True when the headers are those of a response as it came.
pub(crate) fn is_untouched(headers: &Object) -> bool {
    headers.get(NAME).is_some_and(|known| *known == mark(headers))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_marks_of_node_red() {
        let one: Object = [("content-type", "text/plain")].into_iter().collect();
        assert_eq!(mark(&one), Value::from("44c4f7bf"));
        let cookies = Value::array(vec!["a=1".into(), "b=\u{e9}".into()]);
        let two: Object = [("set-cookie", cookies), ("n", Value::Number(3.0))].into_iter().collect();
        assert_eq!(mark(&two), Value::from("07d4258f"));
    }

    #[test]
    fn a_change_shows() {
        let mut headers: Object = [("a", "1"), ("b", "2")].into_iter().collect();
        let known = mark(&headers);
        headers.insert(NAME, known);
        assert!(is_untouched(&headers));
        headers.insert("a", "3");
        assert!(!is_untouched(&headers));
    }
}
