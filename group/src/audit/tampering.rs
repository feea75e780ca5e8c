//! Whatever is done to the store behind the log's back is found.

use std::sync::Arc;

use bytes::Bytes;
use flotilla_api::audit::{AuditEntry, Checkpoint, Sealed};
use flotilla_store::{Store, Write};

use super::log::AuditLog;
use super::signer::Signer;
use super::verify::{Known, Verdict, verify};
use crate::keys;
use crate::test_store;

struct Place {
    store: Arc<dyn Store>,
    log: AuditLog,
    _folder: tempfile::TempDir,
}

impl Place {
    /// A log with a checkpoint at entry 1 and at entry 33.
    async fn with(entries: u64) -> Place {
        let folder = tempfile::TempDir::new().unwrap();
        let store = test_store::open(&folder).await;
        let signer = Signer::new("the group's key").map(Arc::new);
        let log = AuditLog::new(store.clone(), "g").unwrap().signed(signer);
        for number in 1..=entries {
            log.write(entry(&format!("change {number}"))).await.unwrap();
        }
        Place { store, log, _folder: folder }
    }

    async fn verdict(&self, known: &Known) -> Verdict {
        verify(&self.log.chain().await.unwrap(), known)
    }

    /// What is wrong, without anything from elsewhere.
    async fn wrong(&self) -> Vec<(u64, &'static str)> {
        let verdict = self.verdict(&Known::default()).await;
        verdict.problems.into_iter().map(|wrong| (wrong.seq, wrong.what)).collect()
    }

    async fn sealed(&self, seq: u64) -> Sealed {
        let entry = self.store.get(&keys::audit_sealed("g", seq)).await.unwrap().unwrap();
        keys::read("an audit entry", &entry).unwrap()
    }

    async fn put(&self, seq: u64, sealed: &Sealed) {
        self.store.set(&keys::audit_sealed("g", seq), keys::encode(sealed), Write::default()).await.unwrap();
    }

    async fn exported(&self) -> Known {
        Known { checkpoints: self.log.chain().await.unwrap().checkpoints, keys: Vec::new() }
    }
}

fn entry(why: &str) -> AuditEntry {
    AuditEntry { actor: "ann".to_owned(), action: "test".to_owned(), why: why.to_owned(), ..AuditEntry::default() }
}

#[tokio::test]
async fn an_honest_log_is_whole() {
    let place = Place::with(40).await;
    let verdict = place.verdict(&Known::default()).await;
    assert_eq!((verdict.problems.as_slice(), verdict.entries, verdict.first, verdict.last), (&[][..], 40, 1, 40));
    assert_eq!((verdict.checkpoints, verdict.unsigned, verdict.keys.len()), (2, 7, 1));
    assert_eq!(place.log.list().await.unwrap().len(), 40);
    let (one, two) = (place.log.clone(), place.log.clone());
    // Two at a time: one order, nothing lost.
    let many = |log: AuditLog| async move {
        for number in 0..20 {
            log.write(entry(&number.to_string())).await.unwrap();
        }
    };
    tokio::join!(many(one), many(two));
    let verdict = place.verdict(&place.exported().await).await;
    assert_eq!((verdict.problems.as_slice(), verdict.entries), (&[][..], 80));
}

#[tokio::test]
async fn an_edited_entry_is_found() {
    let place = Place::with(40).await;
    let mut sealed = place.sealed(7).await;
    sealed.text = sealed.text.replace("change 7", "nothing");
    place.put(7, &sealed).await;
    assert_eq!(place.wrong().await, [(7, "changed")]);
    // With a hash that fits, the next one does not.
    let before = place.sealed(6).await;
    let forged = Sealed::after(Some(&before), "g", sealed.text.clone());
    place.put(7, &forged).await;
    assert_eq!(place.wrong().await, [(8, "order")]);
    // With all behind it made anew, the signed places do not fit, nor does the end.
    let mut last = forged;
    for seq in 8..=40 {
        last = Sealed::after(Some(&last), "g", place.sealed(seq).await.text);
        place.put(seq, &last).await;
    }
    assert_eq!(place.wrong().await, [(33, "changed"), (40, "changed"), (40, "order")]);
    // And with another signature in that place, the key is another.
    let key = place.exported().await.checkpoints[0].signature.key.clone();
    let forged = Signer::new("another key").unwrap().checkpoint("g", &place.sealed(33).await, 1);
    let at = keys::audit_checkpoint("g", 33);
    place.store.set(&at, keys::encode(&forged), Write::default()).await.unwrap();
    let verdict = place.verdict(&Known { keys: vec![key], checkpoints: Vec::new() }).await;
    assert!(verdict.problems.iter().any(|wrong| (wrong.seq, wrong.what) == (33, "signature")), "{verdict:?}");
}

#[tokio::test]
async fn a_deleted_entry_is_found() {
    let place = Place::with(40).await;
    place.store.delete(&keys::audit_sealed("g", 7), None).await.unwrap();
    assert_eq!(place.wrong().await, [(7, "missing")]);
    // The first ones, as if they had been trimmed.
    let place = Place::with(40).await;
    for seq in 1..=3 {
        place.store.delete(&keys::audit_sealed("g", seq), None).await.unwrap();
    }
    assert_eq!(place.wrong().await, [(1, "missing")]);
}

#[tokio::test]
async fn swapped_entries_are_found() {
    let place = Place::with(10).await;
    let (three, four) = (place.sealed(3).await, place.sealed(4).await);
    place.put(3, &Sealed { seq: 3, ..four }).await;
    place.put(4, &Sealed { seq: 4, ..three }).await;
    let wrong = place.wrong().await;
    assert!(wrong.contains(&(3, "changed")) && wrong.contains(&(4, "changed")), "{wrong:?}");
}

#[tokio::test]
async fn a_cut_tail_is_found() {
    // Behind the end record's back.
    let place = Place::with(40).await;
    for seq in 36..=40 {
        place.store.delete(&keys::audit_sealed("g", seq), None).await.unwrap();
    }
    assert_eq!(place.wrong().await, [(36, "missing")]);
    // With the end record set back to before a checkpoint that stayed.
    let place = Place::with(40).await;
    for seq in 31..=40 {
        place.store.delete(&keys::audit_sealed("g", seq), None).await.unwrap();
    }
    let head = keys::encode(&serde_json::json!({"last": place.sealed(30).await}));
    place.store.set(&keys::audit_head("g"), head.clone(), Write::default()).await.unwrap();
    assert_eq!(place.wrong().await, [(33, "rolled-back")]);
    // With that checkpoint gone as well, only what was exported knows.
    let exported = place.exported().await;
    place.store.delete(&keys::audit_checkpoint("g", 33), None).await.unwrap();
    assert_eq!(place.wrong().await, []);
    let verdict = place.verdict(&exported).await;
    assert_eq!(verdict.problems.iter().map(|wrong| wrong.what).collect::<Vec<_>>(), ["rolled-back"]);
}

#[tokio::test]
async fn a_store_that_was_rolled_back_and_goes_on_is_found() {
    let place = Place::with(20).await;
    let before: Vec<(String, Bytes)> =
        place.store.list("").await.unwrap().into_iter().map(|entry| (entry.key, entry.value)).collect();
    for number in 21..=40 {
        place.log.write(entry(&format!("change {number}"))).await.unwrap();
    }
    let exported = place.exported().await;
    assert!(exported.checkpoints.iter().any(|checkpoint: &Checkpoint| checkpoint.seq == 33));
    for entry in place.store.list("").await.unwrap() {
        place.store.delete(&entry.key, None).await.unwrap();
    }
    for (key, value) in before {
        place.store.set(&key, value, Write::default()).await.unwrap();
    }
    assert_eq!(place.wrong().await, [], "by itself it looks whole");
    let verdict = place.verdict(&exported).await;
    assert_eq!(verdict.problems.iter().map(|wrong| (wrong.seq, wrong.what)).collect::<Vec<_>>(), [(33, "rolled-back")]);
    // Other entries in the places of those that were lost.
    for number in 21..=40 {
        place.log.write(entry(&format!("other {number}"))).await.unwrap();
    }
    let verdict = place.verdict(&exported).await;
    assert_eq!(verdict.problems.iter().map(|wrong| (wrong.seq, wrong.what)).collect::<Vec<_>>(), [(33, "changed")]);
}

#[tokio::test]
async fn what_is_trimmed_by_age_is_no_tampering() {
    let place = Place::with(40).await;
    let mut chain = place.log.chain().await.unwrap();
    chain.entries.retain(|sealed| sealed.seq > 35);
    chain.now_ms += chain.kept_ms + 2 * 24 * 3600 * 1000;
    let verdict = verify(&chain, &Known::default());
    assert_eq!((verdict.problems.as_slice(), verdict.first), (&[][..], 36));
}

#[tokio::test]
async fn the_log_of_a_rollout_is_copied_once() {
    let place = Place::with(1).await;
    let log: Vec<AuditEntry> = (0..5).map(|index| AuditEntry { rollout: 1, time_ms: index, ..entry("step") }).collect();
    place.log.copy(&log[..3], 0).await.unwrap();
    place.log.copy(&log, 0).await.unwrap();
    place.log.copy(&log, 2).await.unwrap();
    assert_eq!(place.log.list().await.unwrap().len(), 6);
    assert_eq!(place.wrong().await, []);
}
