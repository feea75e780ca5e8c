//! What the nodes of a broker node want to receive.
//!
//! A node may have tens of thousands of filters, and ask for them one by one: what is asked of all of them each time is counted
//! here as they come and go. Taking one out may change the order of the others: of nodes with the same filter, another may get
//! each message first after the next connect.

use std::collections::BTreeMap;

use flotilla_value::Str;
use indexmap::IndexMap;

use super::share::Subscription;

/// Subscriptions by node and filter.
#[derive(Default)]
pub(super) struct Interests {
    all: IndexMap<(Str, Str), Subscription>,
    /// How many have each pattern of a key.
    patterns: BTreeMap<String, usize>,
    /// How many do not want what their own client publishes.
    no_local: usize,
}

impl Interests {
    /// All, with their nodes.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Str, &Subscription)> {
        self.all.iter().map(|((node, _), subscription)| (node, subscription))
    }

    /// Adds one, or replaces that of the same node and filter.
    pub(super) fn put(&mut self, node: &Str, subscription: &Subscription) {
        self.count(subscription);
        let key = (node.clone(), subscription.filter.filter.clone());
        if let Some(old) = self.all.insert(key, subscription.clone()) {
            self.discount(&old);
        }
    }

    /// Takes that of a node and a filter out.
    pub(super) fn remove(&mut self, node: &Str, filter: &Str) {
        if let Some(old) = self.all.swap_remove(&(node.clone(), filter.clone())) {
            self.discount(&old);
        }
    }

    /// The different patterns of keys, with that of one more.
    pub(super) fn patterns_with(&self, subscription: &Subscription) -> Vec<String> {
        let own = subscription.order.pattern();
        let others = self.patterns.keys().filter(|pattern| Some(pattern.as_str()) != own);
        others.cloned().chain(own.map(str::to_owned)).collect()
    }

    /// True when a node does not want what its own client publishes.
    pub(super) fn any_no_local(&self) -> bool {
        self.no_local > 0
    }

    fn count(&mut self, subscription: &Subscription) {
        self.no_local += usize::from(subscription.filter.no_local);
        if let Some(pattern) = subscription.order.pattern() {
            *self.patterns.entry(pattern.to_owned()).or_default() += 1;
        }
    }

    fn discount(&mut self, old: &Subscription) {
        self.no_local -= usize::from(old.filter.no_local);
        if let Some(pattern) = old.order.pattern()
            && let Some(count) = self.patterns.get_mut(pattern)
        {
            *count -= 1;
            if *count == 0 {
                self.patterns.remove(pattern);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use flotilla_flows::NodeConfig;
    use flotilla_mqtt::{DataType, SubscribeFilter};

    use super::*;
    use crate::mqtt::order::Order;

    fn subscription(filter: &str, no_local: bool) -> Subscription {
        let filter = SubscribeFilter { filter: Str::new(filter), no_local, ..SubscribeFilter::default() };
        let order = Order::of(&NodeConfig::from_props(serde_json::Map::new())).0;
        Subscription { filter, datatype: DataType::Utf8, each: false, single: false, order }
    }

    #[test]
    fn what_is_counted_goes_with_what_was_counted() {
        let (mut interests, n, m) = (Interests::default(), Str::new("n"), Str::new("m"));
        interests.put(&n, &subscription("a", true));
        interests.put(&n, &subscription("a", true));
        interests.put(&m, &subscription("a", true));
        interests.put(&n, &subscription("b", false));
        assert_eq!((interests.iter().count(), interests.any_no_local()), (3, true));
        interests.put(&n, &subscription("a", false));
        interests.remove(&m, &Str::new("b"));
        assert!(interests.any_no_local(), "m still has its own");
        interests.remove(&m, &Str::new("a"));
        interests.remove(&m, &Str::new("a"));
        assert_eq!((interests.iter().count(), interests.any_no_local()), (2, false));
    }
}
