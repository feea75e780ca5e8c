//! Single keys: what is written is read, by every connection, and versions change.

use bytes::Bytes;
use flotilla_store::{StoreError, Write};

use super::text;
use crate::place::Place;

pub async fn values(place: Place) {
    let (one, two) = (place.open().await, place.open().await);
    assert_eq!(one.get("a").await.unwrap(), None);
    let first = one.set("a", text("1"), Write::default()).await.unwrap();
    let entry = two.get("a").await.unwrap().unwrap();
    assert_eq!((entry.key.as_str(), &entry.value[..], entry.version, entry.expires), ("a", &b"1"[..], first, None));

    let second = two.set("a", text("1"), Write::default()).await.unwrap();
    assert_ne!(second, first, "the same value again is a write");
    assert!(one.delete("a", None).await.unwrap());
    assert!(!two.delete("a", None).await.unwrap());
    assert_eq!(two.get("a").await.unwrap(), None);
    let third = one.set("a", text("2"), Write::default()).await.unwrap();
    assert!(third != first && third != second, "a version never comes again, also not after a delete");

    let all_bytes: Vec<u8> = (0..=255).cycle().take(900 * 1024).collect();
    for value in [Bytes::new(), text("{\"a\":\"ü\"}"), Bytes::from(all_bytes)] {
        two.set("b", value.clone(), Write::default()).await.unwrap();
        assert_eq!(one.get("b").await.unwrap().unwrap().value, value);
        assert_eq!(one.blocking().get("b").unwrap().unwrap().value, value);
    }

    let odd = [
        "context/flow 1/größe",
        "a.b",
        "a*",
        "a>",
        "/",
        "//",
        ".",
        "%",
        "_",
        "a=b",
        "'",
        "\"",
        "\\",
        "\u{10ffff}",
        "A",
        "\n",
    ];
    for key in odd {
        one.set(key, text(key), Write::default()).await.unwrap();
    }
    for key in odd {
        assert_eq!(two.get(key).await.unwrap().unwrap().value, text(key), "{key:?}");
        assert!(two.delete(key, None).await.unwrap(), "{key:?}");
        assert_eq!(one.get(key).await.unwrap(), None, "{key:?}");
    }

    let long = "k".repeat(flotilla_store::MAX_KEY);
    one.set(&long, text("x"), Write::default()).await.unwrap();
    assert_eq!(two.get(&long).await.unwrap().unwrap().value, text("x"));
    for bad in ["", "a\0b", &"k".repeat(flotilla_store::MAX_KEY + 1)] {
        assert!(matches!(one.set(bad, text("x"), Write::default()).await, Err(StoreError::BadKey { .. })));
        assert!(matches!(one.blocking().get(bad), Err(StoreError::BadKey { .. })));
    }
    let huge = Bytes::from(vec![0; flotilla_store::MAX_VALUE + 1]);
    assert!(matches!(one.set("h", huge, Write::default()).await, Err(StoreError::TooLarge { .. })));
    assert_eq!(one.get("h").await.unwrap(), None);

    let (store, reference) = (one.now().await.unwrap(), std::time::SystemTime::now());
    let apart = store.duration_since(reference).or_else(|_| reference.duration_since(store)).unwrap();
    assert!(apart.as_secs() < 5, "the server's clock is this machine's: {apart:?}");
}
