//! A tree of topics or filters, by level.

use super::node::Node;

/// Values by topic or filter, one node per level. Holds filters (then [`Tree::matching`] finds those
/// that match a topic) or topics (then [`Tree::select`] finds those that a filter matches).
/// For values that are one pointer: there is room for two in each node.
#[derive(Debug)]
pub struct Tree<T> {
    root: Node<T>,
    bytes: usize,
}

impl<T> Default for Tree<T> {
    fn default() -> Self {
        Self { root: Node::default(), bytes: 0 }
    }
}

impl<T> Tree<T> {
    /// About the memory of its nodes, in bytes; of the values only the pointers.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// What `filter` adds to [`Tree::bytes`] at most.
    pub fn cost(filter: &str) -> usize {
        filter.split('/').map(Node::<T>::cost).sum()
    }

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
        self.slot(filter).get_or_insert_default()
    }

    /// Puts `value` at `filter`; what was there.
    pub fn insert(&mut self, filter: &str, value: T) -> Option<T> {
        self.slot(filter).replace(value)
    }

    fn slot(&mut self, filter: &str) -> &mut Option<T> {
        let bytes = &mut self.bytes;
        let mut node = &mut self.root;
        for level in filter.split('/') {
            node = match level {
                "#" => return &mut node.hash,
                "+" => node.plus.get_or_insert_with(|| {
                    *bytes += Node::<T>::cost(level);
                    Box::default()
                }),
                _ => node.children.get_or_make(level, || *bytes += Node::<T>::cost(level)),
            };
        }
        &mut node.value
    }

    /// Takes the value at `filter` out and the nodes that only led to it.
    pub fn remove(&mut self, filter: &str) -> Option<T> {
        self.root.remove(Some(filter), &mut self.bytes)
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
        assert_eq!(tree.bytes(), 0);
    }

    /// Nodes with few children and with many find, count and forget the same.
    #[test]
    fn a_node_may_have_many_children() {
        let mut tree = Tree::<usize>::default();
        let name = |n: usize| format!("a/{n}/b");
        for n in 0..1000 {
            let before = tree.bytes();
            assert_eq!(tree.insert(&name(n), n), None);
            let grown = tree.bytes() - before;
            assert!(grown > 0 && grown <= Tree::<usize>::cost(&name(n)), "{grown}");
            assert_eq!(tree.insert(&name(n), n), Some(n));
            assert_eq!(tree.bytes(), before + grown, "nothing is new");
        }
        for n in 0..1000 {
            assert_eq!(tree.get_mut(&name(n)), Some(&mut n.clone()));
            let mut found = Vec::new();
            tree.matching(&name(n), &mut |n| found.push(*n));
            assert_eq!(found, [n]);
        }
        let mut all = Vec::new();
        tree.select("a/+/b", &mut |n| all.push(*n));
        all.sort_unstable();
        assert_eq!(all, (0..1000).collect::<Vec<_>>());
        for n in (0..1000).rev() {
            assert_eq!(tree.remove(&name(n)), Some(n));
            assert_eq!(tree.get_mut(&name(n)), None);
        }
        assert_eq!(tree.bytes(), 0);
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
