//! Linearizability: what several processes (one killed) saw fits one order of events per key.

use std::collections::BTreeMap;

use super::child;
use crate::history::{Event, check, parse};
use crate::place::Place;

pub async fn linear(place: Place) {
    let store = place.open().await;
    let mut children: Vec<_> = (0..4).map(|seed| child::spawn("history", &place.url(""), seed)).collect();
    super::eventually("they are in the middle", async || store.incr("progress", 0.0).await.unwrap() >= 150.0).await;
    children[0].kill().unwrap();
    let mut events: BTreeMap<String, Vec<Event>> = BTreeMap::new();
    for child in children {
        for (key, event) in parse(&child::lines(child)) {
            events.entry(key).or_default().push(event);
        }
    }
    let total: usize = events.values().map(Vec::len).sum();
    assert!(total > 400, "only {total} operations were recorded");
    for (key, events) in events {
        check(&events).unwrap_or_else(|wrong| panic!("{:?}: {key} is not linearizable: {wrong}", place.kind));
    }
}
