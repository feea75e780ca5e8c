//! Settings of nodes as fields of the document: the rest of the program reads a node's own fields, and a node whose
//! settings change restarts.

use std::collections::BTreeMap;

use serde_json::Value;

use super::settings::{Broadcast, NodeSettings, Share, TickMode};
use crate::document::{Document, NodeConfig};
use crate::reach::{Reply, replies};

/// The field of an entry that holds its [`NodeSettings`].
const FIELD: &str = "flotilla";
/// The field that marks an `mqtt in` node whose messages can only be answered where the request is.
const REPLIES: &str = "flotillaReplies";

impl Document {
    /// Gives nodes the settings that their group has for them. Settings of entries that are not there have no effect.
    /// `mqtt in` nodes that do nothing but answer HTTP requests are given every message in every replica, unless a setting
    /// says who gets them.
    pub fn set_node_settings(&mut self, settings: &BTreeMap<String, NodeSettings>) {
        for (id, reply) in replies(self) {
            let said = settings.get(&id).is_some_and(|settings| settings.share.is_some());
            if let Some(node) = self.get_mut(&id).filter(|node| reply == Reply::Only && !said && node.ha().is_empty()) {
                node.props.insert(REPLIES.to_owned(), Value::Bool(true));
            }
        }
        for (id, settings) in settings {
            if let Some(node) = self.get_mut(id) {
                node.apply(settings);
            }
        }
    }
}

impl NodeConfig {
    /// The settings that the group has for this node. Those of a node in a subflow hold in each of its instances.
    pub fn node_settings(&self) -> NodeSettings {
        self.get(FIELD).and_then(|value| serde_json::from_value(value.clone()).ok()).unwrap_or_default()
    }

    /// Which replicas this node works in, by its own field `ha` (a word, or an object with `mode`) or the group's settings; empty
    /// if neither says.
    pub fn ha(&self) -> &str {
        match self.get("ha") {
            Some(Value::Object(own)) => own.get("mode").and_then(Value::as_str).unwrap_or_default(),
            _ => self.str("ha"),
        }
    }

    /// True for an `mqtt in` node whose messages go to every replica.
    pub fn is_for_each(&self) -> bool {
        self.ha() == "each" || self.bool(REPLIES)
    }

    /// True for an `mqtt in` node whose messages all go to one replica at a time.
    pub fn is_for_one(&self) -> bool {
        self.ha() == "single" || self.node_settings().share == Some(Share::Single)
    }

    /// True for a node whose broadcasts go to every replica: its own `ha` (`{"broadcast": "each"}`) unless the group says.
    pub fn is_broadcast_for_each(&self) -> bool {
        let own = || self.get("ha").and_then(|ha| ha.get("broadcast")).is_some_and(|who| who == "each");
        self.node_settings().broadcast.map_or_else(own, |set| set == Broadcast::Each)
    }

    fn apply(&mut self, settings: &NodeSettings) {
        let Ok(value) = serde_json::to_value(settings) else { return };
        self.props.insert(FIELD.to_owned(), value);
        let everywhere = settings.share == Some(Share::Each) || settings.tick == Some(TickMode::Each);
        let once = settings.tick.is_some_and(|tick| tick != TickMode::Each);
        if everywhere || once {
            let mode = Value::from(if everywhere { "each" } else { "one" });
            match self.props.get_mut("ha") {
                // It also has a time zone, or says what happens to ticks that were missed.
                Some(Value::Object(own)) => drop(own.insert("mode".to_owned(), mode)),
                _ => drop(self.props.insert("ha".to_owned(), mode)),
            }
        }
        if let Some((host, port)) = settings.broker_address().filter(|_| self.kind == "mqtt-broker") {
            self.props.insert("broker".to_owned(), host.into());
            self.props.insert("port".to_owned(), port.to_string().into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_get_their_settings_and_the_rest_stays() {
        let mut document = Document::from_value(serde_json::json!([
            {"id": "b", "type": "mqtt-broker", "broker": "localhost", "port": "1883"},
            {"id": "i", "type": "mqtt in", "z": "t", "broker": "b"},
            {"id": "o", "type": "mqtt out", "z": "t", "broker": "b"}
        ]))
        .unwrap();
        let before = document.get("o").cloned();
        let with = |setting: &str| {
            let mut settings = NodeSettings::default();
            settings.set(setting).unwrap();
            settings
        };
        document.set_node_settings(&BTreeMap::from([
            ("b".to_owned(), with("broker=plant:1884")),
            ("i".to_owned(), with("each")),
            ("gone".to_owned(), with("single")),
        ]));
        let node = |id: &str| document.get(id).unwrap();
        assert_eq!((node("b").str("broker"), node("b").str("port")), ("plant", "1884"));
        assert_eq!((node("i").str("ha"), node("i").node_settings()), ("each", with("each")));
        assert_eq!(document.get("o").cloned(), before);
    }

    #[test]
    fn what_else_a_node_has_in_ha_stays() {
        for (own, setting, mode) in [
            (serde_json::json!({"timezone": "Europe/Berlin"}), "tick=retry", "one"),
            (serde_json::json!({"timezone": "Europe/Berlin", "mode": "one"}), "tick=each", "each"),
            (serde_json::json!({"broadcast": "each"}), "share=each", "each"),
        ] {
            let node = serde_json::json!([{"id": "n", "type": "inject", "z": "t", "ha": own}]);
            let mut document = Document::from_value(node).unwrap();
            let mut settings = NodeSettings::default();
            settings.set(setting).unwrap();
            document.set_node_settings(&BTreeMap::from([("n".to_owned(), settings)]));
            let node = document.get("n").unwrap();
            assert_eq!((node.ha(), node.is_for_each()), (mode, mode == "each"), "{setting}");
            for (name, value) in own.as_object().unwrap().iter().filter(|(name, _)| *name != "mode") {
                assert_eq!(node.get("ha").unwrap().get(name), Some(value), "{setting}");
            }
        }
    }
}
