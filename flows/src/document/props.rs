//! The fields of an entry.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use serde_json::{Map, Value};

/// The fields of an entry as they stand in the document. A copy shares them until it is changed: an entry is copied into the
/// graph and from there into the node, and a large document need not be in memory three times.
#[derive(Clone, PartialEq)]
pub struct Props(Arc<Map<String, Value>>);

impl Props {
    /// The fields by themselves; copied if others share them.
    pub fn into_map(self) -> Map<String, Value> {
        Arc::unwrap_or_clone(self.0)
    }
}

impl From<Map<String, Value>> for Props {
    fn from(fields: Map<String, Value>) -> Props {
        Props(Arc::new(fields))
    }
}

impl Deref for Props {
    type Target = Map<String, Value>;

    fn deref(&self) -> &Map<String, Value> {
        &self.0
    }
}

impl DerefMut for Props {
    fn deref_mut(&mut self) -> &mut Map<String, Value> {
        Arc::make_mut(&mut self.0)
    }
}

impl fmt::Debug for Props {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_shares_its_fields_until_it_is_changed() {
        let first = Props::from(Map::from_iter([("a".to_owned(), Value::from(1))]));
        let mut second = first.clone();
        assert!(Arc::ptr_eq(&first.0, &second.0));
        second.insert("a".to_owned(), Value::from(2));
        assert_eq!((first["a"].as_u64(), second["a"].as_u64()), (Some(1), Some(2)));
        assert_eq!(second.into_map().len(), 1);
    }
}
