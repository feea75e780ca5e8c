//! The filters that a session is to have, in the order in which they were first wanted.
//!
//! A client may have tens of thousands, and a flow may ask for them one by one: what is done for one filter looks at no other
//! one, but for those that the same node has left behind: they go then, once.

use std::collections::BTreeMap;

use flotilla_value::Str;
use rustc_hash::{FxHashMap, FxHashSet};

use super::subscriptions::{SubRef, SubscribeFilter};
use crate::topic;

/// A filter and who wants what comes by it.
pub(super) struct Wanted {
    /// The filter without `$share/<group>/`.
    pub(super) plain: Str,
    pub(super) filter: SubscribeFilter,
    pub(super) refs: Vec<SubRef>,
}

/// The filters of a session.
#[derive(Default)]
pub(super) struct WantedFilters {
    /// By place in the order.
    all: BTreeMap<u64, Wanted>,
    next: u64,
    /// The place of each filter, as it goes over the wire.
    places: FxHashMap<Str, u64>,
    /// The place of each subscription's identifier.
    ids: FxHashMap<u32, u64>,
    /// The filters that a node has left while it is closed.
    left: FxHashMap<Str, FxHashSet<Str>>,
    /// How many filters were looked at: what a change costs is counted, not timed.
    #[cfg(test)]
    looked: std::cell::Cell<usize>,
}

impl WantedFilters {
    /// A filter, as it goes over the wire.
    pub(super) fn get(&self, filter: &str) -> Option<&Wanted> {
        let place = *self.places.get(filter)?;
        self.look();
        self.all.get(&place)
    }

    /// All, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Wanted> {
        self.all.values().inspect(move |_| self.look())
    }

    /// Those with these identifiers, in order.
    pub(super) fn with_ids(&self, ids: &[u32]) -> impl Iterator<Item = &Wanted> {
        let mut places: Vec<u64> = ids.iter().filter_map(|id| self.ids.get(id).copied()).collect();
        places.sort_unstable();
        places.dedup();
        places.into_iter().filter_map(move |place| self.all.get(&place)).inspect(move |_| self.look())
    }

    /// A filter that nobody here wants, unless it is there.
    pub(super) fn expect(&mut self, filter: SubscribeFilter) {
        self.place_of(filter);
    }

    /// Puts a node's interest in, with these options of its filter.
    pub(super) fn put(&mut self, filter: SubscribeFilter, node: SubRef) {
        if node.active {
            self.come_back(&filter.filter, &node.node);
        }
        let place = self.place_of(filter.clone());
        let Some(wanted) = self.all.get_mut(&place) else { return };
        if let Some(id) = wanted.filter.id.take() {
            self.ids.remove(&id);
        }
        if let Some(id) = filter.id {
            self.ids.insert(id, place);
        }
        wanted.filter = filter;
        match wanted.refs.iter_mut().find(|held| held.node == node.node) {
            Some(held) => *held = node,
            None => wanted.refs.push(node),
        }
    }

    /// A node is closed and its subscription stays.
    pub(super) fn leave(&mut self, filter: &str, node: &str) {
        self.look();
        let Some(wanted) = self.places.get(filter).and_then(|place| self.all.get_mut(place)) else { return };
        for held in wanted.refs.iter_mut().filter(|held| held.node == node && held.active) {
            held.active = false;
            self.left.entry(held.node.clone()).or_default().insert(wanted.filter.filter.clone());
        }
    }

    /// The filters that a node has left so.
    pub(super) fn left_by(&self, node: &str) -> Vec<Str> {
        self.left.get(node).into_iter().flatten().cloned().collect()
    }

    /// Takes a node's interest out. True when it was the last one: the filter is gone.
    pub(super) fn remove(&mut self, filter: &str, node: &str) -> bool {
        self.come_back(filter, node);
        self.look();
        let Some(place) = self.places.get(filter).copied() else { return false };
        let Some(wanted) = self.all.get_mut(&place) else { return false };
        wanted.refs.retain(|held| held.node != node);
        if !wanted.refs.is_empty() {
            return false;
        }
        if let Some(id) = wanted.filter.id {
            self.ids.remove(&id);
        }
        self.all.remove(&place);
        self.places.remove(filter);
        true
    }

    /// The place of a filter, which is made where there is none.
    fn place_of(&mut self, filter: SubscribeFilter) -> u64 {
        self.look();
        if let Some(place) = self.places.get(&filter.filter) {
            return *place;
        }
        let place = self.next;
        self.next += 1;
        self.places.insert(filter.filter.clone(), place);
        if let Some(id) = filter.id {
            self.ids.insert(id, place);
        }
        let plain = Str::new(topic::plain(&filter.filter));
        self.all.insert(place, Wanted { plain, filter, refs: Vec::new() });
        place
    }

    /// A node has not left a filter any more.
    fn come_back(&mut self, filter: &str, node: &str) {
        let Some(left) = self.left.get_mut(node) else { return };
        left.remove(filter);
        if left.is_empty() {
            self.left.remove(node);
        }
    }

    #[cfg(test)]
    fn look(&self) {
        self.looked.set(self.looked.get() + 1);
    }

    #[cfg(not(test))]
    #[allow(clippy::unused_self, reason = "it counts in tests")]
    fn look(&self) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subscriptions::DataType;

    const MANY: usize = 20_000;

    fn filter(name: &str, id: u32) -> SubscribeFilter {
        SubscribeFilter { filter: Str::new(name), id: Some(id), ..SubscribeFilter::default() }
    }

    fn node(name: &str) -> SubRef {
        SubRef { node: Str::new(name), datatype: DataType::default(), no_local: false, active: true }
    }

    fn names(wanted: &WantedFilters) -> Vec<String> {
        wanted.iter().map(|wanted| wanted.filter.filter.to_string()).collect()
    }

    #[test]
    fn what_a_filter_costs_does_not_grow_with_how_many_there_are() {
        let mut wanted = WantedFilters::default();
        let name = |number: usize| format!("$share/g/plant/{number}");
        let cost = |wanted: &WantedFilters, what: &str| {
            let looked = wanted.looked.replace(0);
            assert!(looked <= 4 * MANY, "{what}: {looked} looks at filters for {MANY} changes");
        };
        for number in 0..MANY {
            wanted.put(filter(&name(number), number as u32), node("n"));
        }
        cost(&wanted, "subscribe");
        for number in 0..MANY {
            assert_eq!(wanted.with_ids(&[number as u32]).count(), 1);
        }
        cost(&wanted, "a message with an identifier");
        for number in 0..MANY {
            assert!(wanted.left_by("n").is_empty());
            assert!(wanted.remove(&name(number), "n"));
        }
        cost(&wanted, "unsubscribe");
        for number in 0..MANY {
            wanted.put(filter(&name(number), number as u32), node("n"));
            wanted.leave(&name(number), "n");
        }
        wanted.looked.set(0);
        for filter in wanted.left_by("n") {
            wanted.remove(&filter, "n");
        }
        cost(&wanted, "what was left behind goes");
        assert!(
            names(&wanted).is_empty() && wanted.places.is_empty() && wanted.ids.is_empty() && wanted.left.is_empty()
        );
    }

    #[test]
    fn the_order_is_that_in_which_they_were_first_wanted() {
        let mut wanted = WantedFilters::default();
        for (number, name) in ["c", "a", "b", "a"].into_iter().enumerate() {
            wanted.put(filter(name, number as u32), node("n"));
        }
        assert_eq!(names(&wanted), ["c", "a", "b"]);
        assert_eq!(wanted.with_ids(&[1]).count(), 0, "the identifier of the filter is the last one that it got");
        let by_id: Vec<&str> = wanted.with_ids(&[3, 0, 3]).map(|wanted| wanted.plain.as_str()).collect();
        assert_eq!(by_id, ["c", "a"]);
        assert!(wanted.remove("a", "n"));
        wanted.put(filter("a", 9), node("n"));
        assert_eq!(names(&wanted), ["c", "b", "a"]);
    }

    #[test]
    fn a_filter_goes_with_the_last_that_wants_it() {
        let mut wanted = WantedFilters::default();
        wanted.put(filter("a", 1), node("n"));
        wanted.put(filter("a", 1), node("m"));
        wanted.leave("a", "n");
        wanted.leave("a", "n");
        assert_eq!(wanted.left_by("n"), ["a"]);
        assert!(!wanted.remove("a", "n") && wanted.left_by("n").is_empty());
        wanted.leave("a", "m");
        wanted.put(filter("a", 1), node("m"));
        assert!(wanted.left_by("m").is_empty(), "it is back");
        assert!(wanted.remove("a", "m") && !wanted.remove("a", "m"));
    }
}
