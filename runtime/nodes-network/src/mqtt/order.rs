//! What an `mqtt in` node asks Flotilla's own broker for, beyond MQTT. Other brokers ignore it.

use flotilla_codec::agreed::{self, OrderKey, hash_text};
use flotilla_flows::{NodeConfig, Retained, Share};
use flotilla_value::Str;

/// How the messages of a node's filter are to reach the group.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Order {
    /// By key: the messages of one key go to one replica at a time, in order.
    keyed: bool,
    /// The levels of the topic that are the key; the whole topic without.
    pattern: Option<String>,
    /// Who gets the retained messages.
    retained: Retained,
    /// The group is given them once for this text.
    token: String,
}

impl Order {
    /// What the node's settings say. They are read nowhere else.
    ///
    /// # Errors
    /// Says what is wrong with the setting `order_key`; the order is by topic then.
    pub(crate) fn of(config: &NodeConfig) -> (Order, Result<(), String>) {
        let settings = config.node_settings();
        let keyed = settings.share != Some(Share::LeastInFlight) && config.ha() != "least-in-flight";
        let checked = settings.order_key.as_deref().map(str::parse::<OrderKey>).transpose();
        let pattern = settings.order_key.filter(|_| keyed && checked.is_ok());
        // A node whose settings change begins anew.
        let fields: Vec<_> =
            config.props.iter().filter(|(name, _)| !matches!(name.as_str(), "x" | "y" | "wires")).collect();
        let token = format!("{}-{:016x}", config.id, hash_text(&serde_json::to_string(&fields).unwrap_or_default()));
        let retained = settings.retained.unwrap_or(Retained::Once);
        (Order { keyed, pattern, retained, token }, checked.map(|_| ()).map_err(|error| error.to_string()))
    }

    /// The same for a filter that was asked for by message; each time that it is, it begins anew.
    pub(super) fn of_time(&self, filter: &str, serial: u64) -> Order {
        Order { token: format!("{}-{:016x}-{serial}", self.token, hash_text(filter)), ..self.clone() }
    }

    /// What tells the subscription from others, and from itself under other settings.
    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// Who gets the retained messages, where the flow wants them.
    pub(super) fn retained(&self) -> Retained {
        self.retained
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
        if retained && self.retained == Retained::Once {
            user.push((Str::new_static(agreed::RETAINED_ONCE), Str::new(&self.token)));
        }
        user
    }
}
