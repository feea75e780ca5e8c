//! A plain object: properties in JavaScript's order.

use std::collections::BTreeMap;
use std::collections::btree_map;

use foldhash::fast::RandomState;

use super::types::{Str, Value};

/// Past this many properties an index is kept beside the entries.
const INDEX_FROM: usize = 24;

/// Properties in JavaScript's own order: array-index keys ascending, then the others as they were first set.
///
/// Every operation on one key takes logarithmic time at most, whatever the keys are: messages come from outside, and a
/// body of 60,000 integer keys must not take minutes.
#[derive(Clone, Default)]
pub struct Object {
    /// Properties with array-index keys.
    #[allow(clippy::box_collection, reason = "most objects have none: a pointer instead of a map in each")]
    integers: Option<Box<BTreeMap<u32, (Str, Value)>>>,
    /// The others as they were set. A removed one leaves a hole once there is an index.
    entries: Vec<Option<(Str, Value)>>,
    holes: u32,
    /// Positions in `entries` by key; empty while a linear search is faster. Its hash is seeded per process, so nobody can
    /// choose keys that collide.
    index: HashIndex,
}

type HashIndex = std::collections::HashMap<Str, u32, RandomState>;

/// Properties in order.
#[derive(Clone)]
pub struct Iter<'a> {
    integers: Option<btree_map::Values<'a, u32, (Str, Value)>>,
    entries: std::slice::Iter<'a, Option<(Str, Value)>>,
    left: usize,
}

struct IterMut<'a> {
    integers: Option<btree_map::ValuesMut<'a, u32, (Str, Value)>>,
    entries: std::slice::IterMut<'a, Option<(Str, Value)>>,
    left: usize,
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
        self.integers.as_ref().map_or(0, |integers| integers.len()) + self.entries.len() - self.holes as usize
    }

    /// True without properties.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The place of a key that is no array index.
    fn position(&self, key: &str) -> Option<usize> {
        if self.index.is_empty() {
            self.entries.iter().position(|entry| entry.as_ref().is_some_and(|(name, _)| name == key))
        } else {
            self.index.get(key).map(|at| *at as usize)
        }
    }

    /// A property.
    pub fn get(&self, key: &str) -> Option<&Value> {
        match array_index(key) {
            Some(number) => self.integers.as_ref()?.get(&number).map(|(_, value)| value),
            None => self.entries[self.position(key)?].as_ref().map(|(_, value)| value),
        }
    }

    /// A property, for writing in place.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        match array_index(key) {
            Some(number) => self.integers.as_mut()?.get_mut(&number).map(|(_, value)| value),
            None => {
                let at = self.position(key)?;
                self.entries[at].as_mut().map(|(_, value)| value)
            }
        }
    }

    /// True when the property exists, whatever its value.
    pub fn contains_key(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Sets a property: in place when it exists, else at its place in JavaScript's order. Returns the old value.
    pub fn insert(&mut self, key: impl Into<Str>, value: impl Into<Value>) -> Option<Value> {
        let key = key.into();
        let value = value.into();
        if let Some(number) = array_index(&key) {
            return self.integers.get_or_insert_default().insert(number, (key, value)).map(|(_, old)| old);
        }
        if let Some(at) = self.position(&key) {
            return self.entries[at].replace((key, value)).map(|(_, old)| old);
        }
        self.append(key, value);
        None
    }

    /// Adds a property that is known not to exist.
    pub(super) fn add(&mut self, key: Str, value: Value) {
        match array_index(&key) {
            None => self.append(key, value),
            Some(number) => {
                self.integers.get_or_insert_default().insert(number, (key, value));
            }
        }
    }

    fn append(&mut self, key: Str, value: Value) {
        if !self.index.is_empty() {
            self.index.insert(key.clone(), self.entries.len() as u32);
        }
        self.entries.push(Some((key, value)));
        if self.index.is_empty() && self.entries.len() > INDEX_FROM {
            self.reindex();
        }
    }

    /// Removes a property and keeps the order of the others.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        if let Some(number) = array_index(key) {
            return self.integers.as_mut()?.remove(&number).map(|(_, value)| value);
        }
        let at = self.position(key)?;
        let removed = if self.index.is_empty() {
            self.entries.remove(at)
        } else {
            self.index.remove(key);
            self.holes += 1;
            self.entries[at].take()
        };
        if self.holes as usize > self.entries.len() / 2 {
            self.entries.retain(Option::is_some);
            self.holes = 0;
            self.reindex();
        }
        removed.map(|(_, value)| value)
    }

    /// Properties in order.
    #[allow(clippy::iter_without_into_iter, reason = "objects are looped over by name, to be seen")]
    pub fn iter(&self) -> Iter<'_> {
        Iter {
            integers: self.integers.as_ref().map(|integers| integers.values()),
            entries: self.entries.iter(),
            left: self.len(),
        }
    }

    /// Properties in order, values for writing.
    pub fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = (&Str, &mut Value)> {
        let left = self.len();
        IterMut {
            integers: self.integers.as_mut().map(|integers| integers.values_mut()),
            entries: self.entries.iter_mut(),
            left,
        }
    }

    /// Property names in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &Str> + Clone {
        self.iter().map(|(key, _)| key)
    }

    /// Property values in order.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &Value> {
        self.iter().map(|(_, value)| value)
    }

    fn reindex(&mut self) {
        self.index.clear();
        if self.entries.len() > INDEX_FROM {
            let named = self.entries.iter().enumerate();
            self.index = named.filter_map(|(at, entry)| Some((entry.as_ref()?.0.clone(), at as u32))).collect();
        }
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a Str, &'a Value);

    fn next(&mut self) -> Option<Self::Item> {
        let integer = self.integers.as_mut().and_then(Iterator::next);
        let (key, value) = integer.or_else(|| self.entries.find_map(Option::as_ref))?;
        self.left -= 1;
        Some((key, value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Iter<'_> {}

impl<'a> Iterator for IterMut<'a> {
    type Item = (&'a Str, &'a mut Value);

    fn next(&mut self) -> Option<Self::Item> {
        let integer = self.integers.as_mut().and_then(Iterator::next);
        let (key, value) = integer.or_else(|| self.entries.find_map(Option::as_mut))?;
        self.left -= 1;
        Some((&*key, value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for IterMut<'_> {}

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

    #[test]
    fn removed_keys_leave_no_trace_in_order_or_number() {
        let mut object: Object = (0..100).map(|n| (format!("k{n}"), f64::from(n))).collect();
        for n in (0..100).filter(|n| n % 3 != 0) {
            assert_eq!(object.remove(&format!("k{n}")).and_then(|value| value.as_number()), Some(f64::from(n)));
        }
        object.insert("k1", 1.0);
        let expected: Vec<String> = (0..100).filter(|n| n % 3 == 0).chain([1]).map(|n| format!("k{n}")).collect();
        assert_eq!(object.keys().map(Str::as_str).collect::<Vec<_>>(), expected);
        assert_eq!(object.len(), expected.len());
        assert_eq!(object.iter_mut().len(), expected.len());
    }

    /// Quadratic before: each of these took minutes.
    #[test]
    fn many_integer_keys_are_set_and_removed_in_any_order() {
        let count = 200_000_u32;
        for key in [|n: u32| n, |n: u32| 4_000_000_000 - n, |n: u32| n.wrapping_mul(2_654_435_761) >> 1] {
            let mut object: Object = [("name", 1.0)].into_iter().collect();
            for n in 0..count {
                object.insert(key(n).to_string(), f64::from(n));
            }
            let numbers: Vec<u32> = object.keys().filter_map(|name| name.parse().ok()).collect();
            assert!(numbers.is_sorted() && object.keys().last().is_some_and(|name| name == "name"));
            for n in 0..count {
                object.remove(&key(n).to_string());
            }
            assert_eq!(object.len(), 1);
        }
        let mut named: Object = (0..count).map(|n| (format!("k{n}"), 1.0)).collect();
        for n in 0..count {
            assert!(named.remove(&format!("k{n}")).is_some());
        }
        assert!(named.is_empty());
    }
}
