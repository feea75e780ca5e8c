//! Which received messages may be acknowledged, where the server takes acknowledgements in any order across keys: within a
//! key, in the order of arrival. One slow key holds up no other then.

use std::collections::VecDeque;

use flotilla_codec::agreed::OrderKey;
use rustc_hash::FxHashMap;

/// What is not acknowledged yet, by key.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    open: FxHashMap<u64, VecDeque<u64>>,
    due: Vec<u64>,
}

/// What a message's key is.
#[derive(Debug)]
pub(super) enum KeyOrder {
    /// The topic, or the levels of it that a pattern chooses.
    By(OrderKey),
    /// There are several patterns: everything is one key, which is right for all of them.
    Whole,
}

impl Default for KeyOrder {
    fn default() -> Self {
        KeyOrder::By(OrderKey::default())
    }
}

impl KeyOrder {
    /// From the patterns of all subscriptions. One that cannot be read is no pattern for the server either.
    pub(super) fn of(patterns: &[String]) -> KeyOrder {
        match patterns {
            [] => KeyOrder::default(),
            [first, rest @ ..] if rest.iter().all(|other| other == first) => {
                KeyOrder::By(first.parse().unwrap_or_default())
            }
            _ => KeyOrder::Whole,
        }
    }

    pub(super) fn key(&self, topic: &str) -> u64 {
        match self {
            KeyOrder::By(order) => order.hash(topic),
            KeyOrder::Whole => 0,
        }
    }
}

impl Lanes {
    /// A message came, behind those of its key that came before.
    pub(super) fn arrive(&mut self, key: u64, seq: u64) {
        self.open.entry(key).or_default().push_back(seq);
    }

    /// A message of `key` has ended: what is `ended` without one before it that is not becomes due. True when nothing was
    /// due before, so that somebody has to be told.
    pub(super) fn advance(&mut self, key: u64, ended: impl Fn(u64) -> bool) -> bool {
        let Some(lane) = self.open.get_mut(&key) else { return false };
        let first = self.due.is_empty();
        while let Some(seq) = lane.front().copied().filter(|seq| ended(*seq)) {
            lane.pop_front();
            self.due.push(seq);
        }
        if lane.is_empty() {
            self.open.remove(&key);
        }
        first && !self.due.is_empty()
    }

    /// What is to be acknowledged now.
    pub(super) fn take(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_do_not_wait_for_each_other() {
        let mut lanes = Lanes::default();
        [(1, 10), (2, 11), (1, 12), (2, 13)].into_iter().for_each(|(key, seq)| lanes.arrive(key, seq));
        assert!(!lanes.advance(1, |seq| seq == 12), "10 of its key has not ended");
        assert!(lanes.advance(2, |seq| seq == 11));
        assert!(!lanes.advance(1, |seq| seq != 13), "somebody was told already");
        assert_eq!(lanes.take(), [11, 10, 12]);
        assert!(lanes.advance(2, |_| true));
        assert_eq!((lanes.take(), lanes.open.len()), (vec![13], 0));
    }

    #[test]
    fn several_patterns_make_one_key() {
        let of = |patterns: &[&str]| KeyOrder::of(&patterns.iter().map(ToString::to_string).collect::<Vec<_>>());
        let by_topic = of(&[]);
        assert_ne!(by_topic.key("a/1"), by_topic.key("a/2"));
        let by_level = of(&["{x}/+", "{x}/+"]);
        assert_eq!(by_level.key("a/1"), by_level.key("a/2"));
        let whole = of(&["{x}/+", "+/{y}"]);
        assert_eq!(whole.key("a/1"), whole.key("b/2"));
    }
}
