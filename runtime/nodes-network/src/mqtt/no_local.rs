//! "Do not receive messages published by this client", in a group.
//!
//! In Node-RED the client is the broker node. MQTT's own No Local cannot do it here: it is forbidden on shared subscriptions
//! [MQTT-3.8.3-4], and each replica publishes over connections of its own. So where a node asks for it, what the group
//! publishes through that broker node is marked with an MQTT 5 user property, and the node drops what has its mark.

use flotilla_value::Str;

use super::broker::MqttBroker;
use flotilla_mqtt::Publish;

/// The user property's name. Its value is `GROUP/BROKER NODE`.
pub(super) const MARK: &str = "flotilla-own";

/// Marks a message that goes out.
pub(super) fn mark(publish: &mut Publish, mark: &Str) {
    let props = publish.props.get_or_insert_default();
    props.user.retain(|(name, _)| name != MARK);
    props.user.push((Str::new_static(MARK), mark.clone()));
}

/// True for a message with this mark.
pub(super) fn is_marked(publish: &Publish, mark: &Str) -> bool {
    let props = publish.props.as_deref();
    props.is_some_and(|props| props.user.iter().any(|(name, value)| name == MARK && value == mark))
}

impl MqttBroker {
    /// Marks from now on if a node does not want what this broker node publishes, and only then. Outside a group the one
    /// connection says so to the broker itself.
    pub(super) fn mark_if_wanted(&self) {
        let settings = self.shared.settings();
        let mut state = self.state.lock();
        let wanted = state.users.iter().any(|user| user.no_local) || state.subscriptions.any_no_local();
        state.mark =
            (settings.share_subscriptions && wanted).then(|| Str::from(format!("{}/{}", settings.group, self.id)));
    }
}
