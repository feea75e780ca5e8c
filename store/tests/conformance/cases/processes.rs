//! Many processes at once, killed and paused in the middle.

use std::time::Duration;

use flotilla_store::{Event, Store, Write};

use super::{child, eventually, text};
use crate::place::{Kind, Place, signal_to};

pub async fn processes(place: Place) {
    let store = place.open_with(if place.kind == Kind::Sqlite { "timeout=500ms" } else { "" }).await;
    counters(&place, &*store).await;
    leaders(&place, &*store).await;
}

/// Four processes count, three are killed in the middle: each acknowledged increment is there, once.
async fn counters(place: &Place, store: &dyn Store) {
    let mut children: Vec<_> = (0..4).map(|n| child::spawn("count", &place.url(""), n)).collect();
    let mut tried = 0;
    let mut sums: Vec<u64> = Vec::new();
    for (n, target) in [(3, 100.0), (2, 200.0), (1, 300.0), (0, 400.0)] {
        eventually("they count", async || store.incr("count", 0.0).await.unwrap_or_default() >= target).await;
        let mut child = children.remove(n);
        child.kill().unwrap();
        for line in child::lines(child) {
            tried += usize::from(line == "try");
            sums.extend(line.strip_prefix("sum ").map(|sum| sum.parse::<u64>().unwrap()));
        }
    }
    let total = store.incr("count", 0.0).await.unwrap() as usize;
    assert!(sums.len() >= 300 && sums.len() <= total && total <= tried, "{} <= {total} <= {tried}", sums.len());
    sums.sort_unstable();
    let before = sums.len();
    sums.dedup();
    assert_eq!(sums.len(), before, "no sum was given twice");
}

/// Three processes compete for a lease and write under it; the holder is paused past its lease, another killed.
/// The tokens that are written never go back.
async fn leaders(place: &Place, store: &dyn Store) {
    let mut watch = store.watch("led").await.unwrap();
    assert_eq!(watch.next().await, Some(Event::Resync));
    let mut children: Vec<_> = (0..3).map(|n| child::spawn("lead", &place.url(""), n)).collect();
    for round in 0..4 {
        let holder = wait_for_holder(store, None).await;
        let at: usize = holder.holder[1..].parse().unwrap();
        pause(store, children[at].id()).await;
        let next = wait_for_holder(store, Some(holder.token)).await;
        eventually("the next holder writes", async || {
            let led = store.get("led").await.ok().flatten();
            led.is_some_and(|entry| token(&entry.value) >= next.token)
        })
        .await;
        signal_to(children[at].id(), "CONT");
        if round == 2 {
            let seed = at as u64;
            let mut killed = std::mem::replace(&mut children[at], child::spawn("lead", &place.url(""), seed));
            killed.kill().unwrap();
            killed.wait().unwrap();
        }
    }
    let mut written: Vec<(u64, u64)> = Vec::new();
    for mut child in children {
        child.kill().unwrap();
        for line in child::lines(child) {
            if let Some((token, version)) = line.strip_prefix("wrote ").and_then(|rest| rest.split_once(' ')) {
                written.push((version.parse().unwrap(), token.parse().unwrap()));
            }
        }
    }
    written.sort_unstable();
    // Of four holders and more; what one that was killed wrote is not known here.
    assert!(written.len() >= 3, "they wrote: {}", written.len());
    assert!(written.is_sorted_by_key(|(_, token)| *token), "an old holder wrote after a newer one");
    // A watcher never saw an older token after a newer one either.
    let mut last = 0;
    while let Ok(Some(event)) = tokio::time::timeout(Duration::from_millis(300), watch.next()).await {
        if let Event::Change { entry: Some(entry), .. } = event {
            let token = token(&entry.value);
            assert!(token >= last, "token {token} after {last}");
            last = token;
        }
    }
}

/// Stops a process, but not in the middle of a write to a file: SQLite's lock stays with it until it wakes or dies.
async fn pause(store: &dyn Store, pid: u32) {
    loop {
        signal_to(pid, "STOP");
        if store.set("probe", text("1"), Write::default()).await.is_ok() {
            return;
        }
        signal_to(pid, "CONT");
    }
}

/// Waits until somebody holds the lease with a token other than this one.
fn token(value: &[u8]) -> u64 {
    std::str::from_utf8(value).unwrap().parse().unwrap()
}

async fn wait_for_holder(store: &dyn Store, not: Option<u64>) -> flotilla_store::HeldLease {
    let mut found = None;
    eventually("somebody leads", async || {
        found = store.leases("lead").await.unwrap_or_default().pop().filter(|held| Some(held.token) != not);
        found.is_some()
    })
    .await;
    found.unwrap()
}
