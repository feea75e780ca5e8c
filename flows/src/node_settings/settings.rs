//! Settings of one node in a group.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who gets a message of an `mqtt in` node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Share {
    /// One replica gets it: the default.
    Group,
    /// Every replica gets it.
    Each,
    /// One replica at a time consumes all of them.
    Single,
    /// The replica with the fewest unfinished messages gets it: spread evenly, not in order.
    LeastInFlight,
}

/// Who gets the retained messages when the subscription of an `mqtt in` node begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Retained {
    /// The group, once.
    Once,
    /// Every replica.
    Each,
    /// Nobody.
    None,
}

/// Who gets what other projects broadcast to a `project link in` node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Broadcast {
    /// The group, once.
    Group,
    /// Every replica.
    Each,
}

/// Who fires the ticks of an `inject` node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TickMode {
    /// One replica: the default for what repeats.
    One,
    /// Every replica.
    Each,
    /// One replica; another fires the tick again if that one dies before it has finished.
    Retry,
}

/// Settings of one node in a group. They are part of a revision; those that are not set are the node's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NodeSettings {
    /// Who gets a message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<Share>,
    /// Who gets retained messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retained: Option<Retained>,
    /// Who gets broadcasts of other projects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broadcast: Option<Broadcast>,
    /// Who fires ticks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tick: Option<TickMode>,
    /// The levels of the topic that order goes by, for example `plant/{press}/#`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_key: Option<String>,
    /// Where an `mqtt-broker` node connects instead: `HOST:PORT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broker: Option<String>,
}

/// A setting of a node that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("node setting \"{setting}\": {reason}")]
pub struct BadNodeSetting {
    /// As it was given.
    pub setting: String,
    /// What is wrong and what to write instead.
    pub reason: String,
}

impl NodeSettings {
    /// The settings that can be set, for help and errors.
    pub const SHAPES: &str = "share=group|each|single|least-in-flight, retained=once|each|none, broadcast=group|each, tick=one|each|retry, \
                              order_key=PATTERN, broker=HOST:PORT; share, each and single alone mean share=...; KEY= takes it back";

    /// True when nothing is set.
    pub fn is_empty(&self) -> bool {
        *self == NodeSettings::default()
    }

    /// Sets what `KEY=VALUE` says; an empty value takes the setting back. `share`, `each` and `single` stand for `share=...`.
    ///
    /// # Errors
    /// [`BadNodeSetting`] for keys and values that there are not.
    pub fn set(&mut self, setting: &str) -> Result<(), BadNodeSetting> {
        let bad = |reason: String| BadNodeSetting { setting: setting.to_owned(), reason };
        let (key, value) = match setting {
            "share" => ("share", "group"),
            "each" | "single" => ("share", setting),
            _ => setting.split_once('=').ok_or_else(|| bad(format!("write one of {}", Self::SHAPES)))?,
        };
        let given = Some(value).filter(|value| !value.is_empty());
        match key {
            "share" => {
                self.share = given
                    .map(|value| word(value, "group, each, single or least-in-flight"))
                    .transpose()
                    .map_err(bad)?;
            }
            "retained" => {
                self.retained = given.map(|value| word(value, "once, each or none")).transpose().map_err(bad)?;
            }
            "broadcast" => {
                self.broadcast = given.map(|value| word(value, "group or each")).transpose().map_err(bad)?;
            }
            "tick" => self.tick = given.map(|value| word(value, "one, each or retry")).transpose().map_err(bad)?,
            "order_key" => self.order_key = given.map(str::to_owned),
            "broker" => {
                if given.is_some_and(|value| split_address(value).is_none()) {
                    return Err(bad("the broker must be HOST:PORT, for example mosquitto:1883".to_owned()));
                }
                self.broker = given.map(str::to_owned);
            }
            _ => return Err(bad(format!("there is no \"{key}\": write one of {}", Self::SHAPES))),
        }
        Ok(())
    }

    /// These settings, and those of `below` where nothing is set here.
    #[must_use]
    pub fn over(self, below: &NodeSettings) -> NodeSettings {
        NodeSettings {
            share: self.share.or(below.share),
            retained: self.retained.or(below.retained),
            broadcast: self.broadcast.or(below.broadcast),
            tick: self.tick.or(below.tick),
            order_key: self.order_key.or_else(|| below.order_key.clone()),
            broker: self.broker.or_else(|| below.broker.clone()),
        }
    }

    /// The host and port of the broker, when they are set.
    pub fn broker_address(&self) -> Option<(&str, u16)> {
        split_address(self.broker.as_deref()?)
    }
}

fn split_address(text: &str) -> Option<(&str, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    Some((host, port.parse().ok()?)).filter(|(host, _)| !host.is_empty())
}

fn word<T: serde::de::DeserializeOwned>(value: &str, words: &str) -> Result<T, String> {
    serde_json::from_value(value.into()).map_err(|_| format!("\"{value}\" must be {words}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_and_taken_back_and_what_is_wrong_is_named() {
        let mut settings = NodeSettings::default();
        for setting in [
            "each",
            "retained=once",
            "broadcast=each",
            "tick=retry",
            "order_key=plant/{press}/#",
            "broker=mosquitto:1883",
        ] {
            settings.set(setting).unwrap();
        }
        assert_eq!(settings.share, Some(Share::Each));
        assert_eq!(settings.broker_address(), Some(("mosquitto", 1883)));
        let text = serde_json::to_string(&settings).unwrap();
        assert_eq!(serde_json::from_str::<NodeSettings>(&text).unwrap(), settings);
        for setting in ["share=", "retained=", "broadcast=", "tick=", "order_key=", "broker="] {
            settings.set(setting).unwrap();
        }
        assert!(settings.is_empty());
        for (bad, why) in [
            ("every", "share=group"),
            ("broadcast=some", "group or each"),
            ("tick=never", "one, each or retry"),
            ("brokr=a:1", "no \"brokr\""),
            ("broker=a", "HOST:PORT"),
        ] {
            let error = settings.set(bad).unwrap_err().to_string();
            assert!(error.contains(bad) && error.contains(why), "{error}");
        }
    }
}
