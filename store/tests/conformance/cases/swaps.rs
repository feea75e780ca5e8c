//! Compare-and-swap: one of many wins, and the losers see what is there.

use flotilla_store::{Cas, Expect, Write};

use super::text;
use crate::place::Place;

pub async fn swaps(place: Place) {
    let store = place.open().await;
    let cas =
        async |expected, new: Option<&str>| store.cas("k", expected, new.map(text), Write::default()).await.unwrap();

    assert_eq!(cas(Expect::Version(1), Some("x")).await, Cas::Conflict(None));
    assert_eq!(cas(Expect::Value(text("")), Some("x")).await, Cas::Conflict(None), "absent is not empty");
    let Cas::Swapped(version) = cas(Expect::Absent, Some("1")).await else { panic!("a new key") };
    let there = store.get("k").await.unwrap().unwrap();
    assert_eq!((there.version, &there.value[..]), (version, &b"1"[..]));
    assert_eq!(cas(Expect::Absent, Some("2")).await, Cas::Conflict(Some(there.clone())));
    assert_eq!(cas(Expect::Version(version + 1), Some("2")).await, Cas::Conflict(Some(there.clone())));
    assert_eq!(cas(Expect::Value(text("2")), Some("2")).await, Cas::Conflict(Some(there.clone())));
    assert_eq!(cas(Expect::Value(text("2")), None).await, Cas::Conflict(Some(there)));

    let Cas::Swapped(newer) = cas(Expect::Version(version), Some("2")).await else { panic!("the right version") };
    assert!(!cas(Expect::Version(version), Some("3")).await.is_swapped(), "an old version");
    assert!(cas(Expect::Value(text("2")), Some("3")).await.is_swapped(), "the right value");
    assert!(!cas(Expect::Version(newer), None).await.is_swapped());
    assert_eq!(cas(Expect::Value(text("3")), None).await, Cas::Swapped(0));
    assert_eq!(store.get("k").await.unwrap(), None);
    assert_eq!(cas(Expect::Absent, None).await, Cas::Swapped(0), "absent stays absent");
    assert_eq!(store.get("k").await.unwrap(), None);
    assert!(cas(Expect::Absent, Some("4")).await.is_swapped(), "new again after a delete");

    // Ticks: of many that want the same one, one gets it.
    let stores = [place.open().await, place.open().await, place.open().await];
    for tick in 0..20 {
        let key = format!("tick/{tick}");
        let tries = stores.iter().map(|store| store.cas(&key, Expect::Absent, Some(text("me")), Write::default()));
        let won = futures::future::try_join_all(tries).await.unwrap();
        assert_eq!(won.iter().filter(|cas| cas.is_swapped()).count(), 1);
    }

    // A counter by hand: no update is lost.
    let count = |store: std::sync::Arc<dyn flotilla_store::Store>| async move {
        for _ in 0..25 {
            loop {
                let old = store.get("count").await.unwrap();
                let number: u32 =
                    old.as_ref().map_or(0, |old| std::str::from_utf8(&old.value).unwrap().parse().unwrap());
                let expected = old.map_or(Expect::Absent, |old| Expect::Version(old.version));
                let new = text(&(number + 1).to_string());
                if store.cas("count", expected, Some(new), Write::default()).await.unwrap().is_swapped() {
                    break;
                }
            }
        }
    };
    futures::future::join_all(stores.into_iter().map(count)).await;
    assert_eq!(store.get("count").await.unwrap().unwrap().value, text("75"));
}
