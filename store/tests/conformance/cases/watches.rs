//! Watches: listing at each resync and following the changes always ends at what the store holds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use flotilla_store::{Event, Store, Watch, Write};

use super::{all, text};
use crate::place::Place;

/// A copy of a prefix that a watch keeps up to date.
pub struct Mirror {
    store: Arc<dyn Store>,
    watch: Watch,
    prefix: String,
    pub resyncs: usize,
    pub entries: BTreeMap<String, Bytes>,
    /// Keys that were told as gone.
    pub gone: BTreeSet<String>,
}

impl Mirror {
    pub async fn new(store: Arc<dyn Store>, prefix: &str) -> Mirror {
        let watch = store.watch(prefix).await.unwrap();
        Mirror { store, watch, prefix: prefix.to_owned(), resyncs: 0, entries: BTreeMap::new(), gone: BTreeSet::new() }
    }

    /// Follows until the copy holds exactly this.
    pub async fn until(&mut self, expected: &BTreeMap<String, Bytes>) {
        let follow = async {
            while self.resyncs == 0 || self.entries != *expected {
                match self.watch.next().await.expect("the watch goes on") {
                    Event::Resync => self.list().await,
                    Event::Change { key, entry: Some(entry) } => {
                        assert!(key.starts_with(&self.prefix) && key == entry.key, "{key}");
                        self.entries.insert(key, entry.value);
                    }
                    Event::Change { key, entry: None } => {
                        self.entries.remove(&key);
                        self.gone.insert(key);
                    }
                }
            }
        };
        let late = tokio::time::timeout(Duration::from_secs(30), follow).await.is_err();
        assert!(!late, "{} of {} entries, {} resyncs", self.entries.len(), expected.len(), self.resyncs);
    }

    async fn list(&mut self) {
        // The store may be away just now: the listing is asked for until it answers.
        loop {
            if let Ok(entries) = self.store.list(&self.prefix).await {
                self.entries = entries.into_iter().map(|entry| (entry.key, entry.value)).collect();
                self.resyncs += 1;
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

pub async fn watches(place: Place) {
    let (one, two) = (place.open().await, place.open().await);
    one.set("w/before", text("0"), Write::default()).await.unwrap();
    let mut watch = one.watch("w/").await.unwrap();
    assert_eq!(watch.next().await, Some(Event::Resync), "always first");
    let mut mirror = Mirror::new(one.clone(), "w/").await;
    let mut whole = Mirror::new(two.clone(), "").await;
    let mut expected = BTreeMap::from([("w/before".to_owned(), text("0"))]);
    mirror.until(&expected).await;

    two.set("w/a", text("1"), Write::default()).await.unwrap();
    two.set("other", text("1"), Write::default()).await.unwrap();
    one.delete("w/before", None).await.unwrap();
    one.incr("w/n", 3.0).await.unwrap();
    expected = BTreeMap::from([("w/a".to_owned(), text("1")), ("w/n".to_owned(), text("3"))]);
    mirror.until(&expected).await;
    let mut everything = expected.clone();
    everything.insert("other".to_owned(), text("1"));
    whole.until(&everything).await;

    // Many writers, more changes than a watch keeps: the copy ends at what is there.
    all((0..3_000).map(async |n| {
        let store = if n % 2 == 0 { &one } else { &two };
        store.set(&format!("w/{}", n % 700), text(&n.to_string()), Write::default()).await.unwrap()
    }))
    .await;
    for n in (0..700).step_by(3) {
        two.delete(&format!("w/{n}"), None).await.unwrap();
    }
    expected = two.list("w/").await.unwrap().into_iter().map(|entry| (entry.key, entry.value)).collect();
    assert!(expected.len() > 400);
    mirror.until(&expected).await;
    drop(watch);

    // A watch that was dropped ends; a new one works.
    drop(mirror);
    drop(whole);
    let mut fresh = Mirror::new(one.clone(), "w/a").await;
    two.set("w/a", text("last"), Write::default()).await.unwrap();
    fresh.until(&BTreeMap::from([("w/a".to_owned(), text("last"))])).await;
}
