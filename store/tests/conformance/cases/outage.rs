//! The store goes away and comes back: errors in time meanwhile, and all is well again afterwards.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use flotilla_store::{Expect, Write};

use super::watches::Mirror;
use super::{eventually, text};
use crate::place::Place;

pub async fn outage(mut place: Place) {
    let Some(mut server) = place.server.take() else { return locked_file(&place).await };
    let store = place.open_with("timeout=500ms").await;
    store.set("k", text("1"), Write::default()).await.unwrap();
    let lease = store.acquire("l", "a", Duration::from_mins(1)).await.unwrap().granted().unwrap();
    let short = store.acquire("short", "a", Duration::from_millis(600)).await.unwrap().granted().unwrap();
    let mut mirror = Mirror::new(store.clone(), "k").await;
    mirror.until(&BTreeMap::from([("k".to_owned(), text("1"))])).await;
    let resyncs = mirror.resyncs;

    server.kill();
    let began = Instant::now();
    let failed = store.get("k").await.unwrap_err();
    assert!(failed.is_unavailable(), "{failed}");
    assert!(!failed.to_string().contains("s3cret"), "{failed}");
    assert!(store.set("k", text("2"), Write::default()).await.unwrap_err().is_unavailable());
    assert!(store.cas("k", Expect::Absent, Some(text("2")), Write::default()).await.unwrap_err().is_unavailable());
    assert!(store.incr("n", 1.0).await.unwrap_err().is_unavailable());
    assert!(store.renew(&lease).await.unwrap_err().is_unavailable(), "away is not the same as lost");
    assert!(store.acquire("l2", "a", Duration::from_secs(1)).await.unwrap_err().is_unavailable());
    assert!(store.blocking().get("k").unwrap_err().is_unavailable());
    assert!(began.elapsed() < Duration::from_secs(15), "each within its time-out: {:?}", began.elapsed());
    // Nothing answers, and the holder still stops believing in its lease.
    eventually("the lease ends without the store", async || !short.is_live()).await;

    server.restart();
    eventually("the store is back", async || store.get("k").await.is_ok()).await;
    assert_eq!(store.get("k").await.unwrap().unwrap().value, text("1"), "an acknowledged write survives the crash");
    assert_eq!(store.get("n").await.unwrap(), None);
    eventually("the lease is renewed", async || store.renew(&lease).await.is_ok()).await;
    let again = store.acquire("l", "a", Duration::from_mins(1)).await.unwrap().granted().unwrap();
    assert!(again.token > lease.token, "tokens grow across a restart: {} then {}", lease.token, again.token);

    // The watch goes on: it lists again, or goes on where it was.
    store.set("k3", text("3"), Write::default()).await.unwrap();
    let expected = BTreeMap::from([("k".to_owned(), text("1")), ("k3".to_owned(), text("3"))]);
    mirror.until(&expected).await;
    println!("{:?}: {} resyncs across a restart", place.kind, mirror.resyncs - resyncs);
    place.server = Some(server);
}

/// A file is never away, but another process may hold its lock.
async fn locked_file(place: &Place) {
    let store = place.open_with("timeout=300ms").await;
    store.set("k", text("1"), Write::default()).await.unwrap();
    let other = rusqlite::Connection::open(place.folder.path().join("store.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let began = Instant::now();
    let failed = store.set("k", text("2"), Write::default()).await.unwrap_err();
    assert!(failed.is_unavailable(), "{failed}");
    assert!(store.blocking().incr("n", 1.0).unwrap_err().is_unavailable());
    assert!(began.elapsed() < Duration::from_secs(10), "within the time-out: {:?}", began.elapsed());
    assert_eq!(store.get("k").await.unwrap().unwrap().value, text("1"), "reads go on");
    other.execute_batch("ROLLBACK").unwrap();
    store.set("k", text("2"), Write::default()).await.unwrap();
}
