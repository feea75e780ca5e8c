//! Messages at QoS 0 that were dropped because the broker was away: counted, and named.

use flotilla_engine::observe::Level;
use flotilla_value::Str;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;

use super::broker::MqttBroker;
use flotilla_mqtt::Receipt;

/// What was dropped, as an extension: for the metrics of the replica.
#[derive(Debug, Default)]
pub struct Lost(Mutex<FxHashMap<Str, u64>>);

impl Lost {
    /// Messages dropped since the start, by the node that published them.
    pub fn counts(&self) -> Vec<(Str, u64)> {
        self.0.lock().iter().map(|(node, messages)| (node.clone(), *messages)).collect()
    }
}

impl MqttBroker {
    /// A message at QoS 0 that had waited for the broker was dropped for a later one.
    pub(super) fn lost(&self, receipt: Receipt) {
        let Receipt::Node(node, msg, qos) = receipt else { return };
        if let Some(trail) = msg.delivery().and_then(|delivery| delivery.trail()) {
            trail.confirms(qos as u8, false);
        }
        *self.shared.extensions().get_or_init(Lost::default).0.lock().entry(node.clone()).or_default() += 1;
        let first = {
            let mut state = self.state.lock();
            let messages = state.lost.entry(node.clone()).or_default();
            *messages += 1;
            *messages == 1
        };
        let text = first.then(|| {
            let label = self.options.lock().label();
            self.shared.text("mqtt.errors.qos0-dropped", &[("broker", &label)])
        });
        self.with_node(&node, move |cx| {
            if let Some(text) = text {
                cx.report().warn(text);
            }
            cx.report().done(&msg);
        });
    }

    /// The broker is there again: says how many were dropped meanwhile.
    pub(super) fn tell_lost(&self) {
        let lost = std::mem::take(&mut self.state.lock().lost);
        for (node, messages) in lost {
            let text = format!(
                "mqtt-broker {}: {messages} messages at QoS 0 of node {node} were dropped while the broker was away",
                self.id
            );
            self.shared.log(Level::Warn, text);
        }
    }
}
