//! JavaScript's order of values, and a sort that any order leaves standing.

use std::cmp::Ordering;

use flotilla_value::Value;

/// Sorts stably. Comparing values of mixed types is not transitive in JavaScript, so a sort that relies on a total order
/// (the standard library's may panic) will not do.
pub(super) fn sort_by<T>(items: Vec<T>, compare: &impl Fn(&T, &T) -> Ordering) -> Vec<T> {
    if items.len() < 2 {
        return items;
    }
    let mut left = items;
    let right = left.split_off(left.len() / 2);
    let (left, right) = (sort_by(left, compare), sort_by(right, compare));
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    loop {
        let next = match (left.peek(), right.peek()) {
            (Some(a), Some(b)) if compare(a, b) == Ordering::Greater => right.next(),
            (Some(_), _) => left.next(),
            _ => right.next(),
        };
        match next {
            Some(item) => merged.push(item),
            None => return merged,
        }
    }
}

/// `a === b ? 0 : a > b ? 1 : -1`, as Node-RED's sort node compares.
pub(super) fn compare(a: &Value, b: &Value, numbers: bool) -> Ordering {
    let (a, b) =
        if numbers { (Value::Number(a.to_number()), Value::Number(b.to_number())) } else { (a.clone(), b.clone()) };
    if strictly_equal(&a, &b) {
        Ordering::Equal
    } else if greater(&a, &b) {
        Ordering::Greater
    } else {
        Ordering::Less
    }
}

fn strictly_equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.partial_cmp(b) == Some(Ordering::Equal),
        _ => a == b,
    }
}

fn greater(a: &Value, b: &Value) -> bool {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Date(_) => None,
        other if other.type_of() == "object" && *other != Value::Null => Some(other.to_text()),
        _ => None,
    };
    match (text(a), text(b)) {
        (Some(a), Some(b)) => a.encode_utf16().gt(b.encode_utf16()),
        _ => a.to_number() > b.to_number(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn javascript_order() {
        for (a, b, numbers, order) in [
            (Value::from("10"), Value::from("9"), false, Ordering::Less),
            (Value::from("10"), Value::from("9"), true, Ordering::Greater),
            (Value::Number(2.0), Value::from("10"), false, Ordering::Less),
            (Value::Bool(true), Value::Null, false, Ordering::Greater),
            (Value::from("a"), Value::from("a"), false, Ordering::Equal),
        ] {
            assert_eq!(compare(&a, &b, numbers), order, "{a:?} {b:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn sorts_stably(items: Vec<(u8, u8)>) {
            let mut expected = items.clone();
            expected.sort_by_key(|(key, _)| *key);
            proptest::prop_assert_eq!(sort_by(items, &|a, b| a.0.cmp(&b.0)), expected);
        }

        #[test]
        fn survives_an_order_that_is_none(items: Vec<u8>) {
            proptest::prop_assert_eq!(sort_by(items.clone(), &|_, _| Ordering::Greater).len(), items.len());
        }
    }
}
