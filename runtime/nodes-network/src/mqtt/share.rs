//! What a broker node subscribes to for its nodes, and the share name under which the replicas of a group do.

use flotilla_codec::{QoS, RetainHandling};
use flotilla_value::Str;

use super::broker::MqttBroker;
use super::order::Order;
use super::url;
use flotilla_mqtt::{Client, DataType, SubRef, SubscribeFilter, topic};

/// What an `mqtt in` node wants to receive.
#[derive(Clone, Debug)]
pub(crate) struct Subscription {
    pub(crate) filter: SubscribeFilter,
    pub(crate) datatype: DataType,
    /// Every replica gets every message.
    pub(crate) each: bool,
    /// One replica at a time gets them all.
    pub(crate) single: bool,
    /// What Flotilla's own broker is asked for.
    pub(crate) order: Order,
}

impl Subscription {
    /// True when the replicas of a group are to share its messages under the group's name.
    pub(super) fn is_shared(&self) -> bool {
        !self.each && !self.single && !topic::is_special(&self.filter.filter)
    }

    /// True when the server keeps nothing for it while there is no connection.
    pub(super) fn is_fleeting(&self) -> bool {
        self.filter.qos == QoS::AtMostOnce
    }
}

/// Where a broker is, so that two nodes which may mean one broker have the same: its host. Neither port nor scheme counts
/// (a broker has several doors), nor the user (share names are the broker's, not the user's).
pub(super) fn place(broker: &str) -> String {
    let host = url::parse(broker).map_or_else(|_| broker.to_owned(), |url| url.host.to_ascii_lowercase());
    let local = matches!(host.as_str(), "localhost" | "::1") || host.starts_with("127.");
    if local { "localhost".to_owned() } else { host }
}

impl MqttBroker {
    /// The share name: the group's for the first broker node of the document that may mean this broker; the others have
    /// their id in theirs, so that each gets every message, as in Node-RED. Every replica of a revision comes to the same.
    fn share_name(&self) -> Str {
        if let Some(own) = &self.own {
            return own.share.clone();
        }
        let group = &self.shared.settings().group;
        let order = self.shared.config_order();
        let meets = |id: &&Str| {
            let node = self.shared.config_node::<MqttBroker>(id);
            node.is_some_and(|node| node.place == self.place && node.own.is_none())
        };
        if order.iter().find(meets).is_none_or(|first| *first == self.id) {
            return Str::new(group);
        }
        Str::from(format!("{group}-{}", self.id.replace(['/', '+', '#'], "_")))
    }

    fn wire_filter(&self, subscription: &Subscription) -> SubscribeFilter {
        let mut filter = subscription.filter.clone();
        if self.shared.settings().share_subscriptions {
            if subscription.is_shared() {
                let known = self.state.lock().share.clone();
                let share = known.unwrap_or_else(|| {
                    let share = self.share_name();
                    self.state.lock().share = Some(share.clone());
                    share
                });
                filter.filter = Str::from(format!("$share/{share}/{}", filter.filter));
                filter.user = subscription.order.properties(filter.retain_handling != RetainHandling::Never);
                // Retained messages come another way, or not at all: some brokers send them to each member.
                filter.retain_handling = RetainHandling::Never;
            } else if subscription.single && filter.retain_handling == RetainHandling::Always {
                // Each holder of the role goes on with the session: they come when it begins.
                filter.retain_handling = RetainHandling::IfNew;
            }
            // The client that subscribes is not the one that publishes: see [`super::no_local`].
            filter.no_local = false;
        }
        if filter.filter.starts_with("$share/") {
            // [MQTT-3.8.3-4]: a protocol error on a shared subscription.
            filter.no_local = false;
        }
        filter
    }

    pub(super) fn ask(&self, client: &Client, subscription: &Subscription, node: &Str) {
        let patterns = self.state.lock().subscriptions.patterns_with(subscription);
        client.set_order(&patterns);
        let no_local = subscription.filter.no_local;
        let held = SubRef { node: node.clone(), datatype: subscription.datatype, no_local, active: true };
        client.subscribe(self.wire_filter(subscription), held);
    }

    /// A node wants to receive.
    pub(crate) fn subscribe(&self, subscription: &Subscription, node: &Str) {
        let running = {
            let mut state = self.state.lock();
            state.subscriptions.put(node, subscription);
            state.running
        };
        self.mark_if_wanted();
        let Some(client) = self.consumer_of(subscription) else { return };
        self.ask(&client, subscription, node);
        if running && !client.has_begun() {
            self.connect();
        }
        self.fetch_retained_of(subscription, node);
    }

    /// A node no longer wants to receive. `force`: whatever the box "unsubscribe automatically" says.
    pub(crate) fn unsubscribe(&self, subscription: &Subscription, node: &Str, force: bool) {
        let keep = !force && !self.options.lock().auto_unsubscribe();
        let filter = self.wire_filter(subscription);
        let clients = {
            let mut state = self.state.lock();
            state.subscriptions.remove(node, &subscription.filter.filter);
            state.all_consumers()
        };
        self.mark_if_wanted();
        clients.iter().for_each(|client| client.unsubscribe(&filter.filter, node, keep));
    }

    /// After a deploy that kept this node, another broker node may be the first. Called between two connections.
    pub(super) fn share_again(&self) {
        let subscriptions: Vec<(Str, Subscription)> = {
            let state = self.state.lock();
            state.subscriptions.iter().map(|(node, subscription)| (node.clone(), subscription.clone())).collect()
        };
        let share = self.share_name();
        if self.state.lock().share.as_ref().is_none_or(|known| *known == share) {
            return;
        }
        for (node, subscription) in &subscriptions {
            if let Some(consumer) = self.consumer_of(subscription) {
                consumer.unsubscribe(&self.wire_filter(subscription).filter, node, false);
            }
        }
        self.state.lock().share = Some(share);
        for (node, subscription) in &subscriptions {
            if let Some(consumer) = self.consumer_of(subscription) {
                self.ask(&consumer, subscription, node);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_broker_has_one_place() {
        for same in ["mqtt://localhost:1883", "ws://127.0.0.1:9001/mqtt", "mqtts://[::1]"] {
            assert_eq!(place(same), "localhost", "{same}");
        }
        assert_eq!(place("mqtt://Plant.Example:1883"), place("mqtts://plant.example"));
        assert_ne!(place("mqtt://a.example"), place("mqtt://b.example"));
    }
}
