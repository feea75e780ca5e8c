//! A store that makes a change only of the version that the change is for.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use flotilla_store::{
    Acquire, BlockingStore, Cas, Entry, Expect, Fence, HeldLease as Lent, Lease, Store, StoreError, Watch, Write,
};
use parking_lot::Mutex;

use super::mark::Mark;
use crate::error::GroupError;

type Result<T, E = StoreError> = std::result::Result<T, E>;

/// A store for one change of one thing. It passes everything on. A record of the thing is read by its key, and written, only
/// while it has the version that was seen at first; a `list` is not checked, but a write after it is. A caller that finds a record
/// changed gets an error, and [`Held::is_changed`] is true: nothing of the thing was written then. After the first write the rest
/// of the change is free, as the thing is this change's own.
pub struct Held {
    store: Arc<dyn Store>,
    mark: Mark,
    state: Mutex<State>,
}

struct State {
    /// The version of each part.
    tags: Vec<String>,
    /// No other version is changed.
    is_held: bool,
    changed: bool,
    written: bool,
}

impl Held {
    /// The store for a change of a thing. `hold`: of no other version than that of now.
    ///
    /// # Errors
    /// [`GroupError::Store`]; [`GroupError::Corrupt`] for a record that is not what it should be.
    pub async fn look(store: Arc<dyn Store>, mark: Mark, hold: bool) -> Result<Held, GroupError> {
        let mut tags = Vec::new();
        for part in mark.parts() {
            tags.push(part.tag(store.get(&part.key).await?.as_ref())?);
        }
        let state = Mutex::new(State { tags, is_held: hold, changed: false, written: false });
        Ok(Held { store, mark, state })
    }

    /// The version of the thing: that of the beginning, or the one that this change made. `None`: there is no such thing.
    pub fn tag(&self) -> Option<String> {
        let state = self.state.lock();
        state.tags.iter().any(|tag| tag != "0").then(|| state.tags.join("."))
    }

    /// True when somebody else changed the thing, so that nothing of it was written.
    pub fn is_changed(&self) -> bool {
        self.state.lock().changed
    }

    /// True when this change was written.
    pub fn is_written(&self) -> bool {
        self.state.lock().written
    }

    /// The place of a part that must not have changed.
    fn held(&self, key: &str) -> Option<usize> {
        let state = self.state.lock();
        self.mark.place(key).filter(|_| state.is_held && !state.written)
    }

    fn check(&self, place: usize, entry: Option<&Entry>) -> Result<()> {
        let tag = self.mark.parts()[place].tag(entry).map_err(|error| refused(&error.to_string()))?;
        let mut state = self.state.lock();
        if state.tags[place] == tag {
            return Ok(());
        }
        state.changed = true;
        Err(refused("it was changed meanwhile"))
    }

    /// Reads a part that is to be written, when it must not have changed.
    async fn checked(&self, key: &str) -> Result<Option<Expect>> {
        let Some(place) = self.held(key) else { return Ok(None) };
        let entry = self.store.get(key).await?;
        self.check(place, entry.as_ref())?;
        Ok(Some(entry.map_or(Expect::Absent, |entry| Expect::Version(entry.version))))
    }

    /// Notes what this change wrote.
    fn note(&self, key: &str, value: Option<Bytes>, version: u64) {
        let Some(place) = self.mark.place(key) else { return };
        let entry = value.map(|value| Entry { key: key.to_owned(), value, version, expires: None });
        let mut state = self.state.lock();
        state.written = true;
        if let Ok(tag) = self.mark.parts()[place].tag(entry.as_ref()) {
            state.tags[place] = tag;
        }
    }

    fn lost(&self) -> StoreError {
        self.state.lock().changed = true;
        refused("it was changed meanwhile")
    }
}

fn refused(reason: &str) -> StoreError {
    StoreError::Refused { store: "group's".to_owned(), reason: reason.to_owned() }
}

#[async_trait]
impl Store for Held {
    fn kind(&self) -> &'static str {
        self.store.kind()
    }

    /// For nodes of flows, which no change of a user is made by.
    fn blocking(&self) -> &dyn BlockingStore {
        self.store.blocking()
    }

    async fn get(&self, key: &str) -> Result<Option<Entry>> {
        let entry = self.store.get(key).await?;
        if let Some(place) = self.held(key) {
            self.check(place, entry.as_ref())?;
        }
        Ok(entry)
    }

    async fn set(&self, key: &str, value: Bytes, write: Write) -> Result<u64> {
        let version = match self.checked(key).await? {
            None => self.store.set(key, value.clone(), write).await?,
            Some(expected) => match self.store.cas(key, expected, Some(value.clone()), write).await? {
                Cas::Swapped(version) => version,
                Cas::Conflict(_) => return Err(self.lost()),
            },
        };
        self.note(key, Some(value), version);
        Ok(version)
    }

    async fn delete(&self, key: &str, fence: Option<Fence>) -> Result<bool> {
        let gone = match self.checked(key).await? {
            None => self.store.delete(key, fence).await?,
            Some(Expect::Absent) => return Ok(false),
            Some(expected) => match self.store.cas(key, expected, None, Write { ttl: None, fence }).await? {
                Cas::Swapped(_) => true,
                Cas::Conflict(_) => return Err(self.lost()),
            },
        };
        if gone {
            self.note(key, None, 0);
        }
        Ok(gone)
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Entry>> {
        self.store.list(prefix).await
    }

    async fn cas(&self, key: &str, expected: Expect, new: Option<Bytes>, write: Write) -> Result<Cas> {
        // What is expected may have been read anywhere. A conflict is for the caller, who reads again and finds the change here.
        self.checked(key).await?;
        let done = self.store.cas(key, expected, new.clone(), write).await?;
        if let Cas::Swapped(version) = &done {
            self.note(key, new, *version);
        }
        Ok(done)
    }

    async fn incr(&self, key: &str, by: f64) -> Result<f64> {
        self.store.incr(key, by).await
    }

    async fn acquire(&self, name: &str, holder: &str, ttl: Duration) -> Result<Acquire> {
        self.store.acquire(name, holder, ttl).await
    }

    async fn renew(&self, lease: &Lease) -> Result<Lease> {
        self.store.renew(lease).await
    }

    async fn release(&self, lease: &Lease) -> Result<bool> {
        self.store.release(lease).await
    }

    async fn leases(&self, prefix: &str) -> Result<Vec<Lent>> {
        self.store.leases(prefix).await
    }

    async fn watch(&self, prefix: &str) -> Result<Watch> {
        self.store.watch(prefix).await
    }

    async fn now(&self) -> Result<SystemTime> {
        self.store.now().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys;
    use crate::scheduler::Ledger;
    use crate::test_store;
    use crate::trail::TrailRules;

    #[tokio::test]
    async fn nothing_is_written_over_what_somebody_else_wrote_in_between() {
        let folder = tempfile::TempDir::new().unwrap();
        let store = test_store::open(&folder).await;
        let key = keys::trail_rule("g");
        let text = |text: &str| Bytes::from(text.to_owned());
        store.set(&key, text("{}"), Write::default()).await.unwrap();
        let look = async |hold| Held::look(store.clone(), Mark::trail_rule("g").unwrap(), hold).await.unwrap();
        // Each way to write, after somebody else has written.
        for way in 0..4 {
            let (held, free) = (look(true).await, look(false).await);
            let seen = store.get(&key).await.unwrap().unwrap();
            store.set(&key, text("{\"theirs\":1}"), Write::default()).await.unwrap();
            let theirs = store.get(&key).await.unwrap();
            let refused = match way {
                0 => held.set(&key, text("{}"), Write::default()).await.is_err(),
                1 => held.delete(&key, None).await.is_err(),
                2 => held.get(&key).await.is_err(),
                _ => {
                    let now = Expect::Version(theirs.as_ref().unwrap().version);
                    held.cas(&key, now, None, Write::default()).await.is_err()
                }
            };
            assert!(refused && held.is_changed() && !held.is_written(), "way {way}");
            assert_eq!(store.get(&key).await.unwrap(), theirs, "way {way}");
            assert_ne!(theirs.unwrap().version, seen.version);
            assert!(free.set(&key, text("{}"), Write::default()).await.is_ok(), "who names no version is not held");
        }
        // The version that is told after a change is that of the change.
        let held = look(true).await;
        let before = held.tag();
        let version = held.set(&key, text("{\"mine\":1}"), Write::default()).await.unwrap();
        assert_eq!((held.tag(), held.is_changed()), (Some(version.to_string()), false));
        assert_ne!(held.tag(), before);
        // What follows in the same change is free.
        TrailRules::new(Arc::new(held), "g").unwrap().set(None).await.unwrap();
        assert_eq!(store.get(&key).await.unwrap(), None);
        assert_eq!(look(true).await.tag(), None);
    }

    #[tokio::test]
    async fn a_change_elsewhere_in_a_document_is_none_of_the_thing() {
        let folder = tempfile::TempDir::new().unwrap();
        let store = test_store::open(&folder).await;
        let ledger = Ledger::new(store.clone());
        ledger.drain("a", true).await.unwrap();
        let held: Arc<dyn Store> = Arc::new(Held::look(store.clone(), Mark::host("a").unwrap(), true).await.unwrap());
        ledger.drain("b", true).await.unwrap();
        Ledger::new(held).drain("a", false).await.unwrap();
        let held = Arc::new(Held::look(store.clone(), Mark::host("a").unwrap(), true).await.unwrap());
        ledger.drain("a", true).await.unwrap();
        assert!(Ledger::new(held.clone()).drain("a", true).await.is_err());
        assert!(held.is_changed());
    }
}
