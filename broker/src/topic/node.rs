//! A node of a topic tree: one level.

use super::children::Children;

/// One level of a tree.
#[derive(Debug)]
pub(super) struct Node<T> {
    pub(super) value: Option<T>,
    /// The value of `#` below it.
    pub(super) hash: Option<T>,
    pub(super) plus: Option<Box<Node<T>>>,
    pub(super) children: Children<T>,
}

impl<T> Default for Node<T> {
    fn default() -> Self {
        Self { value: None, hash: None, plus: None, children: Children::default() }
    }
}

/// The first level and what follows its slash.
fn split(path: &str) -> (&str, Option<&str>) {
    match path.split_once('/') {
        Some((level, rest)) => (level, Some(rest)),
        None => (path, None),
    }
}

impl<T> Node<T> {
    /// About the memory of the node of `level` in its parent, its name and what the allocator adds, in bytes.
    pub(super) fn cost(level: &str) -> usize {
        if level == "#" { 0 } else { size_of::<(Box<str>, Self)>() + level.len() + 48 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.value.is_none() && self.children.is_empty() && self.plus.is_none() && self.hash.is_none()
    }

    /// Takes out the value at `path` and the nodes that only led to it, whose cost comes off `bytes`.
    pub(super) fn remove(&mut self, path: Option<&str>, bytes: &mut usize) -> Option<T> {
        let Some(path) = path else { return self.value.take() };
        let (level, rest) = split(path);
        match level {
            "#" => self.hash.take(),
            "+" => {
                let taken = self.plus.as_mut()?.remove(rest, bytes);
                if self.plus.take_if(|node| node.is_empty()).is_some() {
                    *bytes -= Self::cost(level);
                }
                taken
            }
            _ => {
                let child = self.children.get_mut(level)?;
                let taken = child.remove(rest, bytes);
                if child.is_empty() {
                    self.children.remove(level);
                    *bytes -= Self::cost(level);
                }
                taken
            }
        }
    }

    pub(super) fn matching<'a>(&'a self, path: Option<&str>, dollar: bool, found: &mut impl FnMut(&'a T)) {
        if !dollar && let Some(hash) = &self.hash {
            found(hash);
        }
        let Some(path) = path else {
            if let Some(value) = &self.value {
                found(value);
            }
            return;
        };
        let (level, rest) = split(path);
        if let Some(child) = self.children.get(level) {
            child.matching(rest, false, found);
        }
        if !dollar && let Some(plus) = &self.plus {
            plus.matching(rest, false, found);
        }
    }

    pub(super) fn select<'a>(&'a self, path: Option<&str>, first: bool, found: &mut impl FnMut(&'a T)) {
        let Some(path) = path else {
            if let Some(value) = &self.value {
                found(value);
            }
            return;
        };
        let (level, rest) = split(path);
        let seen = |name: &str| !(first && name.starts_with('$'));
        match level {
            "#" => {
                if let Some(value) = &self.value {
                    found(value);
                }
                self.children.each(&mut |name, child| {
                    if seen(name) {
                        child.select(Some("#"), false, found);
                    }
                });
            }
            "+" => self.children.each(&mut |name, child| {
                if seen(name) {
                    child.select(rest, false, found);
                }
            }),
            _ => {
                if let Some(child) = self.children.get(level) {
                    child.select(rest, false, found);
                }
            }
        }
    }
}
