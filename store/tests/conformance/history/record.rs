//! Does random operations on few keys and says what happened.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use flotilla_store::{Expect, Store, StoreError, Write};
use rand::{Rng, SeedableRng};

use super::event::{Answer, Line, Operation};
use crate::cases::child::say;

/// Operations per process.
const COUNT: i64 = 200;

/// Does random operations on few keys and says what happened.
pub async fn record(store: &dyn Store, seed: u64) {
    let mut random = rand::rngs::StdRng::seed_from_u64(seed);
    let mut seen: [Option<i64>; 3] = [None; 3];
    for n in 0..COUNT {
        let at = random.random_range(0..seen.len());
        let key = format!("lin/{at}");
        // Values tell who wrote them: a stale read shows.
        let unique = 1_000_000 * (i64::try_from(seed).unwrap() + 1) + n * 100;
        let operation = match random.random_range(0..10) {
            0..4 => Operation::Get,
            4..6 => Operation::Set(unique),
            6..8 => Operation::Cas(seen[at], unique),
            8 => Operation::Incr(1),
            _ => Operation::Delete,
        };
        line(&Line::Asked { key: key.clone(), operation: operation.clone(), time: now() });
        match run(store, &key, &operation).await {
            Ok(answer) => {
                match (&operation, &answer) {
                    (_, Answer::Value(value)) => seen[at] = *value,
                    (_, Answer::Sum(sum)) => seen[at] = Some(*sum),
                    (Operation::Set(new) | Operation::Cas(_, new), Answer::Done | Answer::Made(true)) => {
                        seen[at] = Some(*new);
                    }
                    (Operation::Delete, _) => seen[at] = None,
                    _ => {}
                }
                line(&Line::Answered { answer, time: now() });
            }
            Err(error) => {
                assert!(error.is_unavailable(), "{error}");
                line(&Line::Unknown);
            }
        }
        if n % 10 == 0 {
            let _ = store.incr("progress", 10.0).await;
        }
    }
}

async fn run(store: &dyn Store, key: &str, operation: &Operation) -> Result<Answer, StoreError> {
    let bytes = |number: &i64| Bytes::from(number.to_string());
    Ok(match operation {
        Operation::Get => {
            let value = store.get(key).await?.map(|entry| String::from_utf8(entry.value.to_vec()).unwrap());
            Answer::Value(value.map(|text| text.parse().unwrap()))
        }
        Operation::Set(new) => {
            store.set(key, bytes(new), Write::default()).await?;
            Answer::Done
        }
        Operation::Delete => Answer::Made(store.delete(key, None).await?),
        Operation::Cas(expected, new) => {
            let expected = expected.as_ref().map_or(Expect::Absent, |value| Expect::Value(bytes(value)));
            Answer::Made(store.cas(key, expected, Some(bytes(new)), Write::default()).await?.is_swapped())
        }
        Operation::Incr(by) => Answer::Sum(store.incr(key, *by as f64).await? as i64),
    })
}

fn line(line: &Line) {
    say(&serde_json::to_string(line).unwrap());
}

fn now() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos()).unwrap()
}
