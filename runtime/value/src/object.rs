//! A plain object: properties in JavaScript's order.

use rustc_hash::FxHashMap;

use super::types::{Str, Value};

/// Past this many properties an index is kept beside the entries.
const INDEX_FROM: usize = 24;

/// Properties in JavaScript's own order: array-index keys ascending, then the others as they were first set.
#[derive(Clone, Default)]
pub struct Object {
    entries: Vec<(Str, Value)>,
    /// Positions by key; empty while a linear search is faster.
    index: FxHashMap<Str, u32>,
    /// How many leading entries have array-index keys.
    integers: u32,
}

impl Object {
    /// An empty object.
    pub fn new() -> Object {
        Object::default()
    }

    /// An empty object with room for `n` properties.
    pub fn with_capacity(n: usize) -> Object {
        Object { entries: Vec::with_capacity(n), ..Object::default() }
    }

    /// The number of properties.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True without properties.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn position(&self, key: &str) -> Option<usize> {
        if self.index.is_empty() {
            self.entries.iter().position(|(name, _)| name == key)
        } else {
            self.index.get(key).map(|at| *at as usize)
        }
    }

    /// A property.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.position(key).map(|at| &self.entries[at].1)
    }

    /// A property, for writing in place.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        self.position(key).map(|at| &mut self.entries[at].1)
    }

    /// True when the property exists, whatever its value.
    pub fn contains_key(&self, key: &str) -> bool {
        self.position(key).is_some()
    }

    /// Sets a property: in place when it exists, else at its place in JavaScript's order. Returns the old value.
    pub fn insert(&mut self, key: impl Into<Str>, value: impl Into<Value>) -> Option<Value> {
        let key = key.into();
        let value = value.into();
        if let Some(at) = self.position(&key) {
            return Some(std::mem::replace(&mut self.entries[at].1, value));
        }
        self.add(key, value);
        None
    }

    /// Adds a property that is known not to exist.
    pub(super) fn add(&mut self, key: Str, value: Value) {
        match array_index(&key) {
            None => {
                if !self.index.is_empty() {
                    self.index.insert(key.clone(), self.entries.len() as u32);
                }
                self.entries.push((key, value));
            }
            Some(number) => {
                let at = self.entries[..self.integers as usize]
                    .partition_point(|(name, _)| array_index(name).is_some_and(|existing| existing < number));
                self.entries.insert(at, (key, value));
                self.integers += 1;
                self.reindex();
            }
        }
        if self.index.is_empty() && self.entries.len() > INDEX_FROM {
            self.reindex();
        }
    }

    /// Removes a property and keeps the order of the others.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let at = self.position(key)?;
        let (_, value) = self.entries.remove(at);
        if at < self.integers as usize {
            self.integers -= 1;
        }
        self.reindex();
        Some(value)
    }

    /// Properties in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Str, &Value)> {
        self.entries.iter().map(|(key, value)| (key, value))
    }

    /// Properties in order, values for writing.
    pub fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = (&Str, &mut Value)> {
        self.entries.iter_mut().map(|(key, value)| (&*key, value))
    }

    /// Property names in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &Str> + Clone {
        self.entries.iter().map(|(key, _)| key)
    }

    /// Property values in order.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &Value> {
        self.entries.iter().map(|(_, value)| value)
    }

    fn reindex(&mut self) {
        self.index.clear();
        if self.entries.len() > INDEX_FROM {
            self.index = self.entries.iter().enumerate().map(|(at, (key, _))| (key.clone(), at as u32)).collect();
        }
    }
}

/// The number when `key` is a canonical array index (`0` to 2^32-2 without leading zeros), which JavaScript sorts first.
fn array_index(key: &str) -> Option<u32> {
    let first = key.as_bytes().first()?;
    if !first.is_ascii_digit() || key.len() > 10 || (*first == b'0' && key.len() > 1) {
        return None;
    }
    key.parse::<u32>().ok().filter(|number| *number != u32::MAX)
}

impl std::fmt::Debug for Object {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// Equal when both have the same properties, in whatever order.
impl PartialEq for Object {
    fn eq(&self, other: &Object) -> bool {
        self.len() == other.len() && self.iter().all(|(key, value)| other.get(key) == Some(value))
    }
}

impl<K: Into<Str>, V: Into<Value>> FromIterator<(K, V)> for Object {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Object {
        let mut object = Object::new();
        for (key, value) in pairs {
            object.insert(key, value);
        }
        object
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_in_javascript_order() {
        let mut object = Object::new();
        for key in ["b", "10", "a", "2", "01"] {
            object.insert(key, 1.0);
        }
        assert_eq!(object.keys().map(Str::as_str).collect::<Vec<_>>(), ["2", "10", "b", "a", "01"]);
        object.remove("2");
        object.insert("5", 1.0);
        assert_eq!(object.keys().map(Str::as_str).collect::<Vec<_>>(), ["5", "10", "b", "a", "01"]);
    }

    #[test]
    fn large_objects_find_their_keys_after_changes() {
        let mut object: Object = (0..100).map(|n| (format!("k{n}"), f64::from(n))).collect();
        object.remove("k50");
        object.insert("7", 7.0);
        assert_eq!(object.len(), 100);
        assert_eq!(object.get("k99").and_then(Value::as_number), Some(99.0));
        assert_eq!(object.get("k50"), None);
    }
}
