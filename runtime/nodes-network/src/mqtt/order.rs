//! What an `mqtt in` node asks Flotilla's own broker for, beyond MQTT. Other brokers ignore it.

use flotilla_codec::agreed::{self, OrderKey, hash_text};
use flotilla_flows::{NodeConfig, Retained, Share};
use flotilla_value::Str;

/// How the messages of a node's filter are to reach the group.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Order {
    /// By key: the messages of one key go to one replica at a time, in order.
    keyed: bool,
    /// The levels of the topic that are the key; the whole topic without.
    pattern: Option<String>,
    /// The group is given the retained messages once for this text.
    retained: Option<String>,
}

impl Order {
    /// What the node's settings say. They are read nowhere else.
    ///
    /// # Errors
    /// Says what is wrong with the setting `order_key`; the order is by topic then.
    pub(super) fn of(config: &NodeConfig) -> (Order, Result<(), String>) {
        let settings = config.node_settings();
        let keyed = settings.share != Some(Share::LeastInFlight) && config.str("ha") != "least-in-flight";
        let checked = settings.order_key.as_deref().map(str::parse::<OrderKey>).transpose();
        let pattern = settings.order_key.filter(|_| keyed && checked.is_ok());
        // A node whose settings change begins anew.
        let token =
            || format!("{}-{:016x}", config.id, hash_text(&serde_json::to_string(&config.props).unwrap_or_default()));
        let retained = settings.retained.is_none_or(|retained| retained == Retained::Once).then(token);
        (Order { keyed, pattern, retained }, checked.map(|_| ()).map_err(|error| error.to_string()))
    }

    /// The pattern of the key, where it is not the whole topic.
    pub(super) fn pattern(&self) -> Option<&str> {
        self.pattern.as_deref()
    }

    /// The user properties of SUBSCRIBE. `retained`: the flow wants what is retained.
    pub(super) fn properties(&self, retained: bool) -> Vec<(Str, Str)> {
        let order = if self.keyed { agreed::ORDER_KEYED } else { agreed::ORDER_NONE };
        let mut user = vec![(Str::new_static(agreed::ORDER), Str::new_static(order))];
        user.extend(self.pattern.iter().map(|pattern| (Str::new_static(agreed::ORDER_KEY), Str::new(pattern))));
        let token = self.retained.iter().filter(|_| retained);
        user.extend(token.map(|token| (Str::new_static(agreed::RETAINED_ONCE), Str::new(token))));
        user
    }
}
