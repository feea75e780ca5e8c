//! Increments: exact with many writers, JavaScript's numbers, JSON text.

use std::time::Duration;

use flotilla_store::{StoreError, Write};

use super::{all, text};
use crate::place::Place;

pub async fn sums(place: Place) {
    let store = place.open().await;
    let exact = |number: f64| number.to_bits();
    for (by, sum) in
        [(1.0, 1.0), (2.0, 3.0), (-4.5, -1.5), (1.6, 0.100_000_000_000_000_09), (1e300, 1e300), (0.0, 1e300)]
    {
        assert_eq!(exact(store.incr("n", by).await.unwrap()), exact(sum), "by {by}");
        let kept = store.get("n").await.unwrap().unwrap().value;
        assert_eq!(exact(std::str::from_utf8(&kept).unwrap().parse().unwrap()), exact(sum), "{kept:?}");
    }
    for (value, by, sum) in
        [("41", 1.0, "42"), ("null", 2.0, "2"), ("1", -1.0, "0"), ("-1.5e2", 0.0, "-150"), ("0.5", 0.5, "1")]
    {
        store.set("t", text(value), Write::default()).await.unwrap();
        store.blocking().incr("t", by).unwrap();
        assert_eq!(store.get("t").await.unwrap().unwrap().value, text(sum));
    }
    for bad in ["", "\"1\"", "{}", "true", "1 2", "0x10", "inf", "nan", "1.", ".5", "007", "1e999"] {
        store.set("t", text(bad), Write::default()).await.unwrap();
        let refused = store.incr("t", 1.0).await;
        assert!(matches!(refused, Err(StoreError::NotANumber { .. })), "{bad:?}: {refused:?}");
        assert_eq!(store.get("t").await.unwrap().unwrap().value, text(bad));
    }
    store.set("t", text("1.7e308"), Write::default()).await.unwrap();
    assert!(store.incr("t", 1.7e308).await.is_err(), "past what a number holds");
    for bad in [f64::NAN, f64::INFINITY] {
        assert!(matches!(store.incr("t", bad).await, Err(StoreError::NotANumber { .. })), "{bad}");
    }

    store.set("e", text("1"), Write::expiring(Duration::from_hours(1))).await.unwrap();
    let before = store.get("e").await.unwrap().unwrap();
    store.incr("e", 1.0).await.unwrap();
    let after = store.get("e").await.unwrap().unwrap();
    assert_eq!(after.expires, before.expires, "an expiry stays");
    assert!(after.expires.is_some() && after.version != before.version);

    let stores = [place.open().await, place.open().await];
    let mut seen = all((0..200).map(async |n| stores[n % 2].incr("many", 1.0).await.unwrap())).await;
    seen.sort_by(f64::total_cmp);
    assert!(seen.iter().zip(1..=200).all(|(sum, n)| exact(*sum) == exact(f64::from(n))), "each sum once: {seen:?}");
}
