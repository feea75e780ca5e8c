//! Keys of a run: a number for each (topic, client), names for people and for outputs.

use std::collections::HashMap;

use flotilla_codec::QoS;

use crate::scenario::{Checked, Kind, Place, Stream};
use crate::tracker::{KeyKind, Tracker};

/// See the module.
pub struct Keys {
    /// First key number of each stream.
    first: Vec<u32>,
    /// By the names that an output may use.
    by_name: HashMap<String, Option<u32>>,
    /// Short names, by key number: what varies in the topic.
    short: Vec<String>,
    /// Keys whose outputs have only a sequence.
    by_sequence: Vec<u32>,
}

/// Keys of a stream: as many as topics, or as clients where those are more; a client's messages on a topic have an order.
pub fn count(stream: &Stream) -> usize {
    stream.names.len().max(stream.pace.clients)
}

impl Keys {
    /// Numbers all keys.
    pub fn new(scenario: &Checked, tracker: &mut Tracker) -> Keys {
        let mut keys = Keys { first: Vec::new(), by_name: HashMap::new(), short: Vec::new(), by_sequence: Vec::new() };
        // Without a collector nothing comes out, and nothing is lost for that.
        let followed = !scenario.collectors.is_empty();
        let all = scenario.collectors.iter().all(|collect| collect.all);
        let ordered = scenario.collectors.iter().all(|collect| collect.ordered);
        let promised = scenario.collectors.iter().all(|collect| collect.qos != QoS::AtMostOnce);
        for stream in &scenario.streams {
            let answers = matches!(&stream.kind, Kind::Http(http) if http.answers);
            let names = &stream.names;
            let varying = varying_levels(names);
            keys.first.push(keys.short.len() as u32);
            for number in 0..count(stream) {
                let name = &names[number % names.len()];
                let shown = if stream.pace.clients > names.len() {
                    format!("{name} (client {})", number % stream.pace.clients + 1)
                } else {
                    name.clone()
                };
                let expected = answers || (followed && all && stream.place != Place::None);
                let kind = KeyKind {
                    all: expected && !answers,
                    ordered: ordered && !answers,
                    followed: answers || (followed && stream.place != Place::None),
                    promised: promised && !at_qos0(&stream.kind),
                };
                let key = tracker.add_key(shown, kind);
                let short: Vec<&str> =
                    name.split('/').enumerate().filter(|(at, _)| varying(*at)).map(|(_, level)| level).collect();
                let short = if short.is_empty() { name.clone() } else { short.join("/") };
                for alias in [name, &short] {
                    keys.by_name
                        .entry(alias.clone())
                        .and_modify(|known| {
                            if *known != Some(key) {
                                *known = None;
                            }
                        })
                        .or_insert(Some(key));
                }
                if stream.place == Place::Sequence {
                    keys.by_sequence.push(key);
                }
                keys.short.push(short);
            }
        }
        keys
    }

    /// The key of a stream's client: `turn` counts its messages.
    pub fn of(&self, stream: usize, definition: &Stream, client: usize, turn: u64) -> (u32, usize) {
        let clients = definition.pace.clients;
        let own = (count(definition) - client).div_ceil(clients) as u64;
        let number = client + (turn % own) as usize * clients;
        (self.first[stream] + number as u32, number % definition.names.len())
    }

    /// The short name.
    pub fn short(&self, key: u32) -> &str {
        &self.short[key as usize]
    }

    /// The key that an output names; `None` when it is not known, or several have that name.
    pub fn named(&self, name: &str) -> Option<u32> {
        self.by_name.get(name).copied().flatten()
    }

    /// The only key whose outputs have a sequence alone.
    pub fn single(&self) -> Option<u32> {
        match self.by_sequence.as_slice() {
            [only] => Some(*only),
            _ => None,
        }
    }
}

/// Nothing is promised of its messages.
fn at_qos0(kind: &Kind) -> bool {
    matches!(kind, Kind::Mqtt(mqtt) if mqtt.qos == QoS::AtMostOnce)
}

/// Which levels differ between the names.
fn varying_levels(names: &[String]) -> impl Fn(usize) -> bool {
    let mut varying = Vec::new();
    if let Some(first) = names.first() {
        let levels: Vec<&str> = first.split('/').collect();
        varying = vec![false; levels.len()];
        for name in names {
            for (at, level) in name.split('/').enumerate() {
                match levels.get(at) {
                    Some(own) if *own == level => {}
                    Some(_) => varying[at] = true,
                    None => {}
                }
            }
        }
    }
    move |at| varying.get(at).copied().unwrap_or(true)
}
