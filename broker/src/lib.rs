//! The embedded MQTT broker: sessions, subscriptions, at-least-once share groups.
