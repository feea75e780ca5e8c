//! Leases: one holder, tokens that only grow, and no lease believed longer than it was granted.

use std::time::{Duration, Instant};

use flotilla_store::{Acquire, Moment, StoreError};

use super::eventually;
use crate::place::Place;

const LONG: Duration = Duration::from_mins(1);
const SHORT: Duration = Duration::from_millis(400);

pub async fn leases(place: Place) {
    let (one, two) = (place.open().await, place.open().await);
    let asked = Moment::now();
    let first = one.acquire("up/grade", "a", LONG).await.unwrap().granted().unwrap();
    assert!(first.is_live() && first.until >= asked && first.until <= Moment::now() + LONG);
    let Acquire::Held(held) = two.acquire("up/grade", "b", LONG).await.unwrap() else { panic!("two holders") };
    assert_eq!((held.name.as_str(), held.holder.as_str(), held.token), ("up/grade", "a", first.token));
    assert!(
        held.remaining > Duration::from_secs(30) && held.remaining <= LONG + Duration::from_millis(1),
        "{:?}",
        held.remaining
    );
    let listed = two.leases("up/").await.unwrap();
    assert_eq!(listed.iter().map(|held| (held.holder.as_str(), held.token)).collect::<Vec<_>>(), [("a", first.token)]);
    assert!(two.leases("x").await.unwrap().is_empty());

    // The holder itself gets it again; its old token is void.
    let again = one.acquire("up/grade", "a", LONG).await.unwrap().granted().unwrap();
    assert!(again.token > first.token);
    assert_eq!(one.renew(&first).await, Err(StoreError::Fenced { lease: "up/grade".to_owned(), token: first.token }));
    assert!(!one.release(&first).await.unwrap(), "an old token releases nothing");
    let renewed = one.renew(&again).await.unwrap();
    assert!(renewed.token == again.token && renewed.until >= again.until);
    assert!(one.release(&renewed).await.unwrap());
    assert!(!one.release(&renewed).await.unwrap());
    assert!(one.renew(&renewed).await.unwrap_err().is_fenced());
    assert!(one.leases("").await.unwrap().is_empty());

    // Tokens grow across release and expiry.
    let short = two.acquire("up/grade", "b", SHORT).await.unwrap().granted().unwrap();
    assert!(short.token > again.token);
    eventually("the store lets the lease go", async || one.leases("").await.unwrap().is_empty()).await;
    assert!(!short.is_live(), "the holder stopped believing in it before the store let it go");
    assert!(two.renew(&short).await.unwrap_err().is_fenced(), "what expired is not renewed, also when nobody has it");
    let next = one.acquire("up/grade", "c", LONG).await.unwrap().granted().unwrap();
    assert!(next.token > short.token);

    // Renewing keeps others out for longer than the first grant.
    let mut kept = one.acquire("kept", "a", SHORT).await.unwrap().granted().unwrap();
    let began = Instant::now();
    while began.elapsed() < 3 * SHORT {
        match one.renew(&kept).await {
            Ok(renewed) => kept = renewed,
            // A machine that stood still for the whole lease: the store was right to let it go.
            Err(error) => {
                assert!(error.is_fenced() && !kept.is_live(), "{error}");
                return;
            }
        }
        if let Acquire::Granted(_) = two.acquire("kept", "b", SHORT).await.unwrap() {
            assert!(!kept.is_live(), "two holders at once");
            return;
        }
    }

    // Many ask at once, one gets it.
    let asks = (0..10).map(|n| {
        let store = if n % 2 == 0 { &one } else { &two };
        let holder = format!("h{n}");
        async move { store.acquire("race", &holder, LONG).await.unwrap().granted() }
    });
    let granted: Vec<_> = futures::future::join_all(asks).await.into_iter().flatten().collect();
    assert_eq!(granted.len(), 1, "{granted:?}");
}
