//! Fenced writes: refused once the lease expired, was released, or has a newer holder.

use std::time::Duration;

use flotilla_store::{Expect, Fence, Lease, Store, Write};

use super::{eventually, text};
use crate::place::Place;

const LONG: Duration = Duration::from_mins(1);

pub async fn fences(place: Place) {
    let (one, two) = (place.open().await, place.open().await);
    let lease = one.acquire("l", "a", LONG).await.unwrap().granted().unwrap();
    write_all(&*one, &lease, true).await;
    write_all(&*two, &lease, true).await;
    let made_up = Lease { token: lease.token + 1, ..lease.clone() };
    write_all(&*one, &made_up, false).await;
    let other = Lease { name: "other".to_owned(), ..lease.clone() };
    write_all(&*one, &other, false).await;

    assert!(one.release(&lease).await.unwrap());
    write_all(&*one, &lease, false).await;

    // A holder that stalls past its lease: refused when it expired, refused when somebody else has it.
    let stalled = one.acquire("l", "a", Duration::from_millis(200)).await.unwrap().granted().unwrap();
    eventually("the lease expires", async || two.leases("l").await.unwrap().is_empty()).await;
    write_all(&*one, &stalled, false).await;
    let newer = two.acquire("l", "b", LONG).await.unwrap().granted().unwrap();
    write_all(&*one, &stalled, false).await;
    write_all(&*two, &newer, true).await;
}

/// Each kind of write under the lease: all are made, or none leaves a trace.
async fn write_all(store: &dyn Store, lease: &Lease, allowed: bool) {
    let fence = || Some::<Fence>(lease.fence());
    let write = || Write::fenced(lease.fence());
    store.set("there", text("old"), Write::default()).await.unwrap();
    store.delete("new", None).await.unwrap();

    assert_eq!(store.set("new", text("x"), write()).await.is_ok(), allowed);
    assert_eq!(store.cas("there", Expect::Value(text("old")), Some(text("x")), write()).await.is_ok(), allowed);
    assert_eq!(store.blocking().set("new", text("x"), write()).is_ok(), allowed);
    assert_eq!(store.get("new").await.unwrap().is_some(), allowed);
    assert_eq!(store.get("there").await.unwrap().unwrap().value, text(if allowed { "x" } else { "old" }));
    if allowed {
        assert!(!store.cas("there", Expect::Absent, Some(text("y")), write()).await.unwrap().is_swapped());
        assert!(store.delete("there", fence()).await.unwrap());
        assert!(!store.delete("there", fence()).await.unwrap());
        assert!(store.cas("new", Expect::Value(text("x")), None, write()).await.unwrap().is_swapped());
    } else {
        assert!(store.delete("there", fence()).await.unwrap_err().is_fenced());
        assert!(store.cas("there", Expect::Absent, Some(text("y")), write()).await.unwrap_err().is_fenced());
        assert!(store.cas("there", Expect::Value(text("old")), None, write()).await.unwrap_err().is_fenced());
        assert_eq!(store.get("there").await.unwrap().unwrap().value, text("old"));
    }
}
