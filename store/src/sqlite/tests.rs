//! What only a file can get wrong. What every backend promises is in `tests/`.

use bytes::Bytes;

use crate::contract::{Acquire, StoreError, Write};

use super::open;

#[tokio::test]
async fn a_foreign_or_damaged_file_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "not a database at all, just some notes that somebody wants to keep".repeat(20)).unwrap();
    let other = folder.path().join("other.db");
    rusqlite::Connection::open(&other).unwrap().execute_batch("CREATE TABLE t (x); INSERT INTO t VALUES (1)").unwrap();
    for path in [text, other] {
        let before = std::fs::read(&path).unwrap();
        let refused = open(&format!("sqlite:{}", path.display())).await.err().unwrap();
        assert!(matches!(refused, StoreError::Foreign { .. }), "{refused}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    let ours = folder.path().join("ours.db");
    let url = format!("sqlite:{}", ours.display());
    let store = open(&url).await.unwrap();
    for n in 0..200 {
        store.set(&format!("key/{n}"), Bytes::from(vec![7; 500]), Write::default()).await.unwrap();
    }
    drop(store);
    let mut bytes = std::fs::read(&ours).unwrap();
    assert!(bytes.len() > 40_000, "the test must damage pages that hold entries");
    bytes[8_192..36_000].fill(0xA5);
    std::fs::write(&ours, &bytes).unwrap();
    let refused = open(&url).await.err().unwrap();
    assert!(matches!(refused, StoreError::Corrupt { .. }), "{refused}");
    assert_eq!(std::fs::read(&ours).unwrap(), bytes);
}

#[tokio::test]
async fn leases_do_not_outlive_a_start_of_the_machine_whose_clock_begins_earlier() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let url = format!("sqlite:{}", path.display());
    let ttl = std::time::Duration::from_secs(7200);
    let before = open(&url).await.unwrap();
    assert!(matches!(before.acquire("l", "a", ttl).await.unwrap(), Acquire::Granted(_)));
    drop(before);
    assert!(
        matches!(open(&url).await.unwrap().acquire("l", "b", ttl).await.unwrap(), Acquire::Held(_)),
        "the same start"
    );
    let file = rusqlite::Connection::open(&path).unwrap();
    file.execute("UPDATE clock SET boot = 'another start'", []).unwrap();
    drop(file);
    let after = open(&url).await.unwrap();
    assert!(matches!(after.acquire("l", "b", ttl).await.unwrap(), Acquire::Granted(_)));
}

#[tokio::test]
async fn bad_urls_name_the_part_that_is_wrong() {
    for (url, part) in [
        ("sqlite:", "path"),
        ("sqlite::memory:", "path"),
        ("sqlite:/no/such/folder/x.db", "path"),
        ("sqlite:x.db?timeout=fast", "timeout"),
        ("sqlite:x.db?speed=9", "setting"),
    ] {
        match open(url).await {
            Err(StoreError::BadUrl { field, .. }) => assert_eq!(field, part, "{url}"),
            other => panic!("{url}: {:?}", other.err()),
        }
    }
}
