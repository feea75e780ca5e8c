//! Which entries go away by themselves, and when.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::SystemTime;

/// How many are remembered; what is beyond shows at the next listing.
const MOST: usize = 100_000;

/// When which key goes away by itself: the newest record that is known of each.
#[derive(Default)]
pub(super) struct Expiries {
    by_time: BTreeSet<(SystemTime, Arc<str>)>,
    by_key: HashMap<Arc<str>, (SystemTime, u64)>,
}

impl Expiries {
    /// Remembers a record, in place of an older one of its key. One without expiry is not remembered.
    pub(super) fn note(&mut self, key: &str, revision: u64, expires: Option<SystemTime>) {
        if self.by_key.get(key).is_some_and(|(_, known)| *known > revision) {
            return;
        }
        if let Some((key, (time, _))) = self.by_key.remove_entry(key) {
            self.by_time.remove(&(time, key));
        }
        if let Some(expires) = expires.filter(|_| self.by_key.len() < MOST) {
            let key = Arc::<str>::from(key);
            self.by_time.insert((expires, key.clone()));
            self.by_key.insert(key, (expires, revision));
        }
    }

    /// True when something is gone by `now`.
    pub(super) fn is_due(&self, now: SystemTime) -> bool {
        self.by_time.first().is_some_and(|(time, _)| *time <= now)
    }

    /// The keys that went first, at most `most` and gone by `now`, with their revisions. They are forgotten.
    pub(super) fn take_due(&mut self, now: SystemTime, most: usize) -> Vec<(Arc<str>, u64)> {
        let mut due = Vec::new();
        while due.len() < most && self.is_due(now) {
            let Some((_, key)) = self.by_time.pop_first() else { break };
            if let Some((_, revision)) = self.by_key.remove(&key) {
                due.push((key, revision));
            }
        }
        due
    }

    /// Whether none is remembered; when one goes away next need not be asked then.
    pub(super) fn is_empty(&self) -> bool {
        self.by_time.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn at(second: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(second)
    }

    fn due(expiries: &mut Expiries, second: u64, most: usize) -> Vec<(String, u64)> {
        expiries.take_due(at(second), most).into_iter().map(|(key, revision)| (key.to_string(), revision)).collect()
    }

    #[test]
    fn the_newest_record_of_a_key_counts() {
        let mut expiries = Expiries::default();
        expiries.note("renewed", 1, Some(at(10)));
        expiries.note("renewed", 2, Some(at(20)));
        expiries.note("renewed", 1, Some(at(10)));
        expiries.note("kept", 3, Some(at(10)));
        expiries.note("kept", 4, None);
        assert_eq!(due(&mut expiries, 15, 10), []);
        assert_eq!(due(&mut expiries, 20, 10), [("renewed".to_owned(), 2)]);
        assert!(expiries.is_empty() && expiries.by_key.is_empty());
    }

    #[test]
    fn what_goes_at_once_is_told_in_parts() {
        let mut expiries = Expiries::default();
        for n in 0..10 {
            expiries.note(&n.to_string(), n, Some(at(10)));
        }
        assert!(!expiries.is_due(at(9)));
        assert_eq!(due(&mut expiries, 10, 7).len(), 7);
        assert!(expiries.is_due(at(10)));
        assert_eq!(due(&mut expiries, 10, 7).len(), 3);
        assert!(!expiries.is_due(at(99)));
    }

    #[test]
    fn no_more_are_remembered_than_may() {
        let mut expiries = Expiries::default();
        for n in 0..MOST as u64 + 10 {
            expiries.note(&n.to_string(), n, Some(at(n)));
        }
        assert_eq!((expiries.by_time.len(), expiries.by_key.len()), (MOST, MOST));
        // One that is remembered stays so when it is renewed.
        expiries.note("0", u64::MAX, Some(at(1)));
        assert_eq!(expiries.by_time.len(), MOST);
    }
}
