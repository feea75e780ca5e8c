//! What a group needs of a broker and this one does not have.

use std::sync::Arc;

use flotilla_codec::Version;
use flotilla_codec::client::ConnAck;
use flotilla_value::Str;

use super::broker::MqttBroker;
use flotilla_mqtt::{Client, Role};

impl MqttBroker {
    /// Nodes that receive nothing, as the broker has no shared subscriptions.
    pub(super) fn deaf(&self) -> Vec<Str> {
        let state = self.state.lock();
        let shared = state.subscriptions.iter().filter(|(_, subscription)| state.unshared && subscription.is_shared());
        shared.map(|(node, _)| node.clone()).collect()
    }

    /// A broker that is connected to again says the same again: each thing is said once.
    pub(super) fn say_what_is_missing(&self, client: &Arc<Client>, ack: &ConnAck, version: Version) {
        if !matches!(client.role, Role::Consume | Role::Both) {
            return;
        }
        let unshared = ack.shared_subscriptions == Some(false);
        let older = version != Version::V5;
        let (first, own) = {
            let mut state = self.state.lock();
            let was = (std::mem::replace(&mut state.unshared, unshared), std::mem::replace(&mut state.older, older));
            (was != (unshared, older), state.mark.is_some())
        };
        if !first {
            return;
        }
        let label = self.options.lock().label();
        for node in self.deaf() {
            let text = self.shared.text("mqtt.errors.unshared", &[("broker", &label)]);
            self.with_node(&node, move |cx| cx.report().error(text, None));
        }
        let shares = self.state.lock().subscriptions.iter().any(|(_, subscription)| subscription.is_shared());
        for key in [(older && shares, "mqtt.errors.share-unknown"), (older && own, "mqtt.errors.own-unknown")] {
            if let (true, key) = key {
                let text = self.shared.text(key, &[("broker", &label)]);
                self.with_node(&self.id.clone(), move |cx| cx.report().warn(text));
            }
        }
    }
}
