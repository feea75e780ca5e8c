//! Listing by prefix: sorted by bytes, complete past a page, nothing else.

use flotilla_store::Write;

use super::{all, text};
use crate::place::Place;

pub async fn lists(place: Place) {
    let store = place.open().await;
    assert!(store.list("").await.unwrap().is_empty());
    let keys = ["a", "a/", "a/1", "a/10", "a/2", "a/b/c", "a/ü", "a0", "b/1", "a//x", "A/1", "a.1", "a\u{10ffff}"];
    for key in keys {
        store.set(key, text(key), Write::default()).await.unwrap();
    }
    for prefix in ["", "a", "a/", "a/1", "a/b", "a/b/", "b", "c", "a//", "a/ü", "a."] {
        let mut expected: Vec<&str> = keys.into_iter().filter(|key| key.starts_with(prefix)).collect();
        expected.sort_unstable();
        let found = store.list(prefix).await.unwrap();
        assert_eq!(found.iter().map(|entry| entry.key.as_str()).collect::<Vec<_>>(), expected, "prefix {prefix:?}");
        assert!(found.iter().all(|entry| entry.value == entry.key.as_bytes() && entry.version > 0));
    }
    let many: Vec<String> = (0..1_234).map(|n| format!("many/{n:05}")).collect();
    all(many.iter().map(async |key| store.set(key, text(key), Write::default()).await.unwrap())).await;
    store.delete("many/00007", None).await.unwrap();
    let found = store.list("many/").await.unwrap();
    assert_eq!(found.len(), 1_233);
    assert!(found.is_sorted_by(|a, b| a.key < b.key));
    assert_eq!(store.blocking().list("many/").unwrap().len(), 1_233);
}
