//! The children of a node in a topic tree.

use rustc_hash::FxHashMap;

use super::node::Node;

/// The nodes below one, by name. Most have one or a few: a hash table for each would be most of a tree's memory.
#[derive(Debug)]
pub(super) enum Children<T> {
    Few(Vec<(Box<str>, Node<T>)>),
    Many(Box<FxHashMap<Box<str>, Node<T>>>),
}

/// With more children it is a hash table.
const FEW: usize = 8;

impl<T> Default for Children<T> {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl<T> Children<T> {
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Few(few) => few.is_empty(),
            Self::Many(many) => many.is_empty(),
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Node<T>> {
        match self {
            Self::Few(few) => few.iter().find(|(own, _)| **own == *name).map(|(_, node)| node),
            Self::Many(many) => many.get(name),
        }
    }

    pub(super) fn get_mut(&mut self, name: &str) -> Option<&mut Node<T>> {
        match self {
            Self::Few(few) => few.iter_mut().find(|(own, _)| **own == *name).map(|(_, node)| node),
            Self::Many(many) => many.get_mut(name),
        }
    }

    /// `made` is told when it is new.
    pub(super) fn get_or_make(&mut self, name: &str, made: impl FnOnce()) -> &mut Node<T> {
        if let Self::Few(few) = self
            && few.len() == FEW
            && !few.iter().any(|(own, _)| **own == *name)
        {
            *self = Self::Many(Box::new(few.drain(..).collect()));
        }
        match self {
            Self::Few(few) => {
                let at = few.iter().position(|(own, _)| **own == *name).unwrap_or_else(|| {
                    made();
                    if few.len() == few.capacity() {
                        // Most never have a second.
                        few.reserve_exact(few.len().max(1));
                    }
                    few.push((name.into(), Node::default()));
                    few.len() - 1
                });
                &mut few[at].1
            }
            Self::Many(many) => many.entry(name.into()).or_insert_with(|| {
                made();
                Node::default()
            }),
        }
    }

    pub(super) fn remove(&mut self, name: &str) {
        match self {
            Self::Few(few) => {
                if let Some(at) = few.iter().position(|(own, _)| **own == *name) {
                    few.swap_remove(at);
                }
            }
            Self::Many(many) => {
                many.remove(name);
                if many.len() < FEW / 2 {
                    *self = Self::Few(many.drain().collect());
                } else if many.len() < many.capacity() / 8 {
                    many.shrink_to(many.len() * 2);
                }
            }
        }
    }

    pub(super) fn each<'a>(&'a self, found: &mut impl FnMut(&'a str, &'a Node<T>)) {
        match self {
            Self::Few(few) => few.iter().for_each(|(name, node)| found(name, node)),
            Self::Many(many) => many.iter().for_each(|(name, node)| found(name, node)),
        }
    }
}
