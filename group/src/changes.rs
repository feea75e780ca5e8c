//! Changes in the store, for those who act on what is there.

use std::sync::Arc;
use std::time::Duration;

use flotilla_store::{Entry, Event, Store, Watch};
use futures::FutureExt;
use futures::future::select_all;
use tokio::time::Instant;

/// Everything is read anew this often, whatever the watch tells: the second way to learn of a change.
const ANYWAY: Duration = Duration::from_secs(5);
/// The same while the watch cannot be had, or the last look failed.
const POLL: Duration = Duration::from_millis(300);

/// Waits for changes under some prefixes of the store. A reader looks once when it begins, and then only when something
/// changed, when changes may have been missed, and every five seconds: a group in which nothing happens costs the store
/// next to nothing.
pub struct Changes {
    store: Arc<dyn Store>,
    prefixes: Vec<String>,
    watches: Vec<Watch>,
    /// When everything is to be read anew.
    due: Instant,
    /// How often, whatever the watch tells.
    anyway: Duration,
}

/// What a reader has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// Read everything: changes may have been missed.
    Everything,
    /// These keys changed, in this order; `None`: it is gone.
    Keys(Vec<(String, Option<Entry>)>),
}

impl Changes {
    /// Changes under any of the prefixes; a whole key is a prefix, too.
    pub fn new(store: Arc<dyn Store>, prefixes: Vec<String>) -> Changes {
        Changes { store, prefixes, watches: Vec::new(), due: Instant::now(), anyway: ANYWAY }
    }

    /// Reads everything anew this often, for what is large and of which nobody depends on a missed change.
    #[must_use]
    pub fn every(self, anyway: Duration) -> Changes {
        Changes { anyway, ..self }
    }

    /// Waits for the next change; the first call answers at once. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Changed {
        if self.watches.len() < self.prefixes.len() && !self.begin().await {
            tokio::time::sleep_until(self.due).await;
            self.due = Instant::now() + POLL;
            return Changed::Everything;
        }
        let Ok(first) = tokio::time::timeout_at(self.due, any(&mut self.watches)).await else {
            self.due = Instant::now() + self.anyway;
            return Changed::Everything;
        };
        let mut keys = Vec::new();
        let mut next = Some(first);
        while let Some(event) = next {
            match event {
                Some(Event::Change { key, entry }) => keys.push((key, entry)),
                Some(Event::Resync) => {
                    self.due = Instant::now() + self.anyway;
                    return Changed::Everything;
                }
                None => self.watches.clear(),
            }
            next = if self.watches.is_empty() { None } else { any(&mut self.watches).now_or_never() };
        }
        if self.watches.is_empty() { Changed::Everything } else { Changed::Keys(keys) }
    }

    /// Has everything read anew soon: the reader could not do what it had to.
    pub fn look_again(&mut self) {
        self.due = self.due.min(Instant::now() + POLL);
    }

    /// Begins to watch. False when the store does not let it.
    async fn begin(&mut self) -> bool {
        self.watches.clear();
        for prefix in &self.prefixes {
            match self.store.watch(prefix).await {
                Ok(watch) => self.watches.push(watch),
                Err(error) => {
                    tracing::debug!(%error, prefix, "the store's changes cannot be watched; it is polled");
                    return false;
                }
            }
        }
        true
    }
}

/// The next event of any watch; `None` when the store was closed.
async fn any(watches: &mut [Watch]) -> Option<Event> {
    select_all(watches.iter_mut().map(|watch| watch.next().boxed())).await.0
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use flotilla_store::Write;

    use super::*;
    use crate::test_store;

    #[tokio::test]
    async fn a_reader_looks_once_and_then_hears_of_each_change_at_once() {
        let folder = tempfile::TempDir::new().unwrap();
        let (mine, other) = (test_store::open(&folder).await, test_store::open(&folder).await);
        let mut changes = Changes::new(mine, vec!["a/".to_owned(), "b".to_owned()]);
        assert_eq!(changes.next().await, Changed::Everything);
        while changes.next().now_or_never().is_some() {}
        let began = Instant::now();
        other.set("c", Bytes::from_static(b"1"), Write::default()).await.unwrap();
        other.set("a/1", Bytes::from_static(b"1"), Write::default()).await.unwrap();
        let Changed::Keys(keys) = changes.next().await else { panic!("only one key changed") };
        assert_eq!(keys.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["a/1"]);
        assert!(began.elapsed() < ANYWAY);
        other.delete("a/1", None).await.unwrap();
        assert_eq!(changes.next().await, Changed::Keys(vec![("a/1".to_owned(), None)]));
        let began = Instant::now();
        changes.look_again();
        assert_eq!(changes.next().await, Changed::Everything);
        assert!(began.elapsed() < ANYWAY, "it is read again soon");
    }
}
