//! What Flotilla's client and broker agree on beyond MQTT: user properties, and the key that order goes by.
//!
//! Another broker ignores these properties; another client never sends them.

use rustc_hash::FxHasher;
use std::hash::Hasher;

/// In CONNACK: what a member of a share group held when it went away is sent to another.
pub const REDISPATCH: &str = "flotilla-redispatch";
/// In CONNACK: the broker delivers by key where a subscription asks for it, and there takes acknowledgements in any order
/// across keys; within a key they come in the order of arrival.
pub const KEYED: &str = "flotilla-keyed";
/// In CONNECT: the name that a member of share groups keeps across its connections.
pub const MEMBER: &str = "flotilla-member";
/// In CONNECT: a text that is the process's own and never another's. A message whose holder ended without a word counts
/// a death, unless the process shows up again.
pub const PROCESS: &str = "flotilla-process";
/// In CONNECT of a connection that only publishes: it ends with the membership of this name, so that nothing old arrives
/// after what others make anew of the same messages.
pub const OUTPUTS_OF: &str = "flotilla-outputs-of";
/// In SUBSCRIBE, [`ORDER_KEYED`] or [`ORDER_NONE`]: how a share group is delivered.
pub const ORDER: &str = "flotilla-order";
/// The messages of one key go to one member at a time, in order.
pub const ORDER_KEYED: &str = "keyed";
/// To the member with the fewest unacknowledged messages.
pub const ORDER_NONE: &str = "least-in-flight";
/// In SUBSCRIBE: the levels of the topic that are the key, as [`OrderKey`] reads them.
pub const ORDER_KEY: &str = "flotilla-order-key";
/// In SUBSCRIBE of a share group: the group is given the retained messages once for this text.
pub const RETAINED_ONCE: &str = "flotilla-retained-once";
/// In PUBLISH to a member: so many processes died while they held this message.
pub const DEATHS: &str = "flotilla-deaths";
/// In PUBLISH to a member: so many of them held nothing else.
pub const DEATHS_ALONE: &str = "flotilla-deaths-alone";

/// The part of a topic that order goes by: all of it, or chosen levels.
///
/// ```
/// use flotilla_codec::agreed::OrderKey;
///
/// let key: OrderKey = "plant/{press}/#".parse()?;
/// assert_eq!(key.hash("plant/p1/temperature"), key.hash("plant/p1/pressure"));
/// assert_ne!(key.hash("plant/p1/temperature"), key.hash("plant/p2/temperature"));
/// // What the pattern does not match goes by its whole topic.
/// assert_ne!(key.hash("line/p1/a"), key.hash("line/p1/b"));
/// # Ok::<(), flotilla_codec::agreed::InvalidOrderKey>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderKey(Vec<Level>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Level {
    Literal(String),
    Any,
    Chosen,
    Rest,
}

/// A pattern that chooses no levels of a topic.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("order key {pattern:?}: {what}; write levels as in plant/{{press}}/#, with the levels of the key in braces")]
pub struct InvalidOrderKey {
    pattern: String,
    what: &'static str,
}

impl std::str::FromStr for OrderKey {
    type Err = InvalidOrderKey;

    fn from_str(pattern: &str) -> Result<Self, Self::Err> {
        let refuse = |what| Err(InvalidOrderKey { pattern: pattern.to_owned(), what });
        let mut levels = Vec::new();
        for text in pattern.split('/') {
            if levels.last() == Some(&Level::Rest) {
                return refuse("# is its last level");
            }
            levels.push(match text {
                "+" => Level::Any,
                "#" => Level::Rest,
                _ if text.len() > 2 && text.starts_with('{') && text.ends_with('}') => Level::Chosen,
                _ if text.contains(['{', '}', '+', '#']) => return refuse("+, # and {name} are whole levels"),
                _ => Level::Literal(text.to_owned()),
            });
        }
        if levels.len() > crate::MAX_LEVELS {
            return refuse("it has more than 128 levels");
        }
        if !levels.contains(&Level::Chosen) {
            return refuse("it chooses no level");
        }
        Ok(Self(levels))
    }
}

impl OrderKey {
    /// The key of `topic`: equal for equal chosen levels.
    pub fn hash(&self, topic: &str) -> u64 {
        self.chosen(topic).unwrap_or_else(|| finish(topic.as_bytes(), FxHasher::default()))
    }

    /// `None` without a pattern, and for a topic that does not match.
    fn chosen(&self, topic: &str) -> Option<u64> {
        if self.0.is_empty() {
            return None;
        }
        let mut hasher = FxHasher::default();
        let mut parts = topic.split('/');
        for level in &self.0 {
            if *level == Level::Rest {
                return Some(finish(b"", hasher));
            }
            let part = parts.next()?;
            match level {
                Level::Literal(text) if text != part => return None,
                Level::Chosen => {
                    hasher.write(part.as_bytes());
                    // So that "a", "bc" is not "ab", "c".
                    hasher.write_u8(b'/');
                }
                _ => {}
            }
        }
        parts.next().is_none().then(|| finish(b"", hasher))
    }
}

/// FxHash leaves the low bits poor: they are mixed.
fn finish(rest: &[u8], mut hasher: FxHasher) -> u64 {
    hasher.write(rest);
    mix(hasher.finish())
}

/// Spreads the bits of a number over all of them (the finalizer of SplitMix64).
pub fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

/// A text as a number.
pub fn hash_text(text: &str) -> u64 {
    finish(text.as_bytes(), FxHasher::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_that_choose_nothing_are_refused() {
        for pattern in ["", "a/b", "a/#", "a/{b", "a/{}/x", "#/{a}", "a+/{b}"] {
            assert!(pattern.parse::<OrderKey>().is_err(), "{pattern}");
        }
        let said = "a/#/{b}".parse::<OrderKey>().unwrap_err().to_string();
        assert!(said.starts_with("order key \"a/#/{b}\": # is its last level; write"), "{said}");
    }

    #[test]
    fn several_levels_make_one_key() {
        let key: OrderKey = "{a}/+/{b}".parse().unwrap();
        assert_eq!(key.hash("x/1/y"), key.hash("x/2/y"));
        for other in ["xy/1/", "x/1", "x/1/y/z", "y/1/x"] {
            assert_ne!(key.hash("x/1/y"), key.hash(other), "{other}");
        }
    }
}
