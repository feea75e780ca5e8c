//! Entries that go away by themselves, on the store's clock.

use std::collections::BTreeMap;
use std::time::Duration;

use flotilla_store::{Event, Expect, Write};

use super::watches::Mirror;
use super::{all, eventually, text};
use crate::place::Place;

pub async fn expiry(place: Place) {
    let store = place.open().await;
    let soon = || Write::expiring(Duration::from_millis(300));
    for key in ["gone", "kept", "summed", "swapped"] {
        store.set(key, text("1"), soon()).await.unwrap();
    }
    let entry = store.get("gone").await.unwrap();
    if let Some(entry) = entry {
        let left = entry.expires.unwrap().duration_since(store.now().await.unwrap()).unwrap_or_default();
        // The two clocks of SQLite may be apart: the machine's is set by others.
        assert!(left <= Duration::from_millis(300) + Duration::from_secs(1), "{left:?}");
    }
    store.set("kept", text("2"), Write::default()).await.unwrap();
    let mut watch = store.watch("gone").await.unwrap();
    assert_eq!(watch.next().await, Some(Event::Resync));

    eventually("the entry goes", async || store.get("gone").await.unwrap().is_none()).await;
    eventually("the entry goes", async || store.get("summed").await.unwrap().is_none()).await;
    eventually("the entry goes", async || store.get("swapped").await.unwrap().is_none()).await;
    assert!(!store.delete("gone", None).await.unwrap());
    assert_eq!(store.get("kept").await.unwrap().unwrap().expires, None, "a write without expiry makes it stay");
    let listed: Vec<String> = store.list("").await.unwrap().into_iter().map(|entry| entry.key).collect();
    assert_eq!(listed, ["kept"]);
    assert_eq!(store.incr("summed", 5.0).await.unwrap().to_bits(), 5f64.to_bits(), "what expired counts as 0");
    assert!(store.cas("swapped", Expect::Absent, Some(text("2")), Write::default()).await.unwrap().is_swapped());
    assert_eq!(store.get("swapped").await.unwrap().unwrap().expires, None);

    // The watcher is told, although nobody wrote.
    let told = tokio::time::timeout(Duration::from_secs(20), async {
        loop {
            match watch.next().await.unwrap() {
                Event::Change { key, entry: None } if key == "gone" => return,
                Event::Change { .. } | Event::Resync => {}
            }
        }
    });
    told.await.expect("the watcher is told of an expiry");
}

/// More keys than are looked at at once: all that go are told, and none that stays.
pub async fn many_expiries(place: Place) {
    let store = place.open().await;
    let write = async |prefix: &str, ttl: u64| {
        let ttl = Duration::from_millis(ttl);
        all((0..500).map(async |n| {
            store.set(&format!("{prefix}/{n}"), text("1"), Write::expiring(ttl)).await.unwrap();
        }))
        .await;
    };
    write("w/dead", 1).await;
    eventually("they go", async || store.list("w/").await.unwrap().is_empty()).await;
    write("w/soon", 2_000).await;
    let mut mirror = Mirror::new(place.open().await, "w/").await;
    write("w/later", 2_000).await;
    store.set("w/soon/7", text("2"), Write::default()).await.unwrap();
    store.set("w/later/7", text("2"), Write::default()).await.unwrap();
    let kept = ["w/later/7", "w/soon/7"].map(|key| (key.to_owned(), text("2")));
    mirror.until(&BTreeMap::from(kept)).await;
    // Where expired records stay until a janitor comes, a watch does not begin with all of them.
    let dead = mirror.gone.iter().filter(|key| key.starts_with("w/dead/")).count();
    assert!(dead == 0 || store.kind() != "nats", "{dead} keys are told that were gone before");
}
