//! A server that is there but does not answer: time-outs, and no lease believed for too long.

use std::time::{Duration, Instant};

use flotilla_store::{Moment, Store, Write};

use super::{eventually, text};
use crate::place::Place;

pub async fn stalls(place: Place) {
    let Some(server) = &place.server else { return };
    let (store, other) = (place.open_with("timeout=400ms").await, place.open().await);
    store.set("k", text("1"), Write::default()).await.unwrap();
    let lease = store.acquire("l", "a", Duration::from_millis(800)).await.unwrap().granted().unwrap();

    server.pause(true);
    let began = Instant::now();
    for _ in 0..2 {
        let failed = store.get("k").await.unwrap_err();
        assert!(failed.is_unavailable(), "{failed}");
        assert!(store.blocking().get("k").unwrap_err().is_unavailable());
        assert!(store.renew(&lease).await.unwrap_err().is_unavailable());
    }
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    // Granted late: the time the request took counts against the holder.
    let asking = {
        let store = other.clone();
        tokio::spawn(async move { (Moment::now(), store.acquire("late", "a", Duration::from_secs(5)).await) })
    };
    eventually("the lease ends", async || !lease.is_live()).await;
    server.pause(false);
    let (asked, late) = asking.await.unwrap();
    if let Ok(late) = late {
        assert!(late.granted().unwrap().until <= asked + Duration::from_secs(5) + Duration::from_millis(50));
    }

    eventually("it answers again", async || store.get("k").await.is_ok()).await;
    assert!(!lease.is_live());
    let refused = store.set("k", text("2"), Write::fenced(lease.fence())).await;
    // The stopped server may have carried out a renewal that nobody heard of: it holds for its time only.
    if refused.is_ok() {
        eventually("the unheard renewal ends", async || {
            store.set("k", text("2"), Write::fenced(lease.fence())).await.is_err_and(|error| error.is_fenced())
        })
        .await;
    }
    usable(&*store).await;
}

async fn usable(store: &dyn Store) {
    store.set("after", text("1"), Write::default()).await.unwrap();
    assert_eq!(store.get("after").await.unwrap().unwrap().value, text("1"));
}
