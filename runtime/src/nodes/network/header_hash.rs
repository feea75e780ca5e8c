//! The mark that `http request` leaves on the headers of a response, so that the nodes behind it do not send them on as
//! headers of a request or of an answer, unless the flow has changed them.

use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;

use crate::value::{Object, Value};

/// The header that holds the mark, as in Node-RED.
pub(crate) const NAME: &str = "x-node-red-request-node";

/// The mark of these headers.
pub(crate) fn mark(headers: &Object) -> Value {
    let mut entries: Vec<_> =
        headers.iter().filter(|(name, _)| *name != NAME).map(|(name, value)| (name.clone(), value.to_text())).collect();
    entries.sort();
    let mut hasher = FxHasher::default();
    entries.hash(&mut hasher);
    Value::from(format!("{:08x}", hasher.finish() as u32))
}

/// True when the headers are those of a response as it came.
pub(crate) fn is_untouched(headers: &Object) -> bool {
    headers.get(NAME).is_some_and(|known| *known == mark(headers))
}

#[cfg(test)]
mod tests {
    use super::*;

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
