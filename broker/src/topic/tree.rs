use rustc_hash::FxHashMap;

/// Values by topic or filter, one node per level. Holds filters (then [`Tree::matching`] finds those
/// that match a topic) or topics (then [`Tree::select`] finds those that a filter matches).
#[derive(Debug, Default)]
pub struct Tree<T> {
    root: Node<T>,
}

#[derive(Debug)]
struct Node<T> {
    value: Option<T>,
    children: FxHashMap<Box<str>, Node<T>>,
    plus: Option<Box<Node<T>>>,
    hash: Option<T>,
}

impl<T> Default for Node<T> {
    fn default() -> Self {
        Self { value: None, children: FxHashMap::default(), plus: None, hash: None }
    }
}

impl<T> Tree<T> {
    /// The value at `filter`, if there is one.
    pub fn get_mut(&mut self, filter: &str) -> Option<&mut T> {
        let mut node = &mut self.root;
        for level in filter.split('/') {
            node = match level {
                "#" => return node.hash.as_mut(),
                "+" => node.plus.as_deref_mut()?,
                _ => node.children.get_mut(level)?,
            };
        }
        node.value.as_mut()
    }

    /// The value at `filter`, made if it is missing.
    pub fn entry(&mut self, filter: &str) -> &mut T
    where
        T: Default,
    {
        let mut node = &mut self.root;
        for level in filter.split('/') {
            if level == "#" {
                return node.hash.get_or_insert_default();
            }
            node = if level == "+" {
                node.plus.get_or_insert_default()
            } else {
                node.children.entry(level.into()).or_default()
            };
        }
        node.value.get_or_insert_default()
    }

    /// Takes the value at `filter` out and the nodes that only led to it.
    pub fn remove(&mut self, filter: &str) -> Option<T> {
        self.root.remove(Some(filter))
    }

    /// Every value whose filter matches `topic`. A wildcard at the first level does not match a
    /// topic that begins with `$` [MQTT-4.7.2-1].
    pub fn matching<'a>(&'a self, topic: &str, found: &mut impl FnMut(&'a T)) {
        self.root.matching(Some(topic), topic.starts_with('$'), found);
    }

    /// Every value whose topic `filter` matches.
    pub fn select<'a>(&'a self, filter: &str, found: &mut impl FnMut(&'a T)) {
        self.root.select(Some(filter), true, found);
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
    fn is_empty(&self) -> bool {
        self.value.is_none() && self.children.is_empty() && self.plus.is_none() && self.hash.is_none()
    }

    fn remove(&mut self, path: Option<&str>) -> Option<T> {
        let Some(path) = path else { return self.value.take() };
        let (level, rest) = split(path);
        match level {
            "#" => self.hash.take(),
            "+" => {
                let taken = self.plus.as_mut()?.remove(rest);
                self.plus.take_if(|node| node.is_empty());
                taken
            }
            _ => {
                let child = self.children.get_mut(level)?;
                let taken = child.remove(rest);
                if child.is_empty() {
                    self.children.remove(level);
                }
                taken
            }
        }
    }

    fn matching<'a>(&'a self, path: Option<&str>, dollar: bool, found: &mut impl FnMut(&'a T)) {
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

    fn select<'a>(&'a self, path: Option<&str>, first: bool, found: &mut impl FnMut(&'a T)) {
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
                for (_, child) in self.children.iter().filter(|(name, _)| seen(name)) {
                    child.select(Some("#"), false, found);
                }
            }
            "+" => {
                for (_, child) in self.children.iter().filter(|(name, _)| seen(name)) {
                    child.select(rest, false, found);
                }
            }
            _ => {
                if let Some(child) = self.children.get(level) {
                    child.select(rest, false, found);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matched(filters: &[&str], topic: &str) -> Vec<String> {
        let mut tree = Tree::<String>::default();
        for filter in filters {
            *tree.entry(filter) = (*filter).to_owned();
        }
        let mut found = Vec::new();
        tree.matching(topic, &mut |filter| found.push(filter.clone()));
        found.sort();
        found
    }

    #[test]
    fn filters_match_as_section_4_7_says() {
        let all = ["#", "+", "+/+", "/+", "a", "a/#", "a/+", "a/b", "a/b/#", "$SYS/#"];
        assert_eq!(matched(&all, "a/b"), ["#", "+/+", "a/#", "a/+", "a/b", "a/b/#"]);
        assert_eq!(matched(&all, "a"), ["#", "+", "a", "a/#"]);
        assert_eq!(matched(&all, "/x"), ["#", "+/+", "/+"]);
        assert_eq!(matched(&all, "$SYS/x"), ["$SYS/#"]);
    }

    #[test]
    fn removal_leaves_no_nodes_behind() {
        let mut tree = Tree::<u8>::default();
        for filter in ["a/b/c", "a/+/#", "#"] {
            *tree.entry(filter) = 1;
        }
        for filter in ["a/b/c", "a/+/#", "#"] {
            assert_eq!(tree.remove(filter), Some(1));
            assert_eq!(tree.remove(filter), None);
        }
        assert!(tree.root.is_empty());
    }

    #[test]
    fn a_filter_selects_topics() {
        let mut tree = Tree::<&str>::default();
        for topic in ["a", "a/b", "a/b/c", "$x/b"] {
            *tree.entry(topic) = topic;
        }
        let select = |filter: &str| {
            let mut found = Vec::new();
            tree.select(filter, &mut |topic| found.push(*topic));
            found.sort_unstable();
            found
        };
        assert_eq!(select("#"), ["a", "a/b", "a/b/c"]);
        assert_eq!(select("a/#"), ["a", "a/b", "a/b/c"]);
        assert_eq!(select("+/b"), ["a/b"]);
        assert_eq!(select("$x/+"), ["$x/b"]);
    }
}
