//! Whether the store of the `shared` context answers: only the first call of an outage on each worker waits for it.
//!
//! A call to this context blocks its worker, with all tabs on it. While a store does not answer, each call would block it for
//! the store's whole time-out. So a call that was answered too late or not at all closes the door: calls fail at once, until a
//! task that looks beside the workers got an answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use flotilla_store::{BlockingStore, Store, StoreError};
use flotilla_tasks::Task;
use parking_lot::Mutex;

/// A call that failed sooner cost its worker nothing: the next one may try, too.
const SOON: Duration = Duration::from_millis(100);
/// How often the task looks.
const LOOK: Duration = Duration::from_millis(250);
/// A look that takes longer is given up.
const PATIENCE: Duration = Duration::from_secs(5);
/// Without a look for so long (its worker is busy) a caller tries by itself.
const STALE: Duration = Duration::from_secs(8);

/// The store as the shared context calls it.
#[derive(Clone)]
pub(super) struct Answers {
    store: Arc<dyn Store>,
    away: Arc<Mutex<Option<Away>>>,
}

/// The store does not answer.
struct Away {
    error: StoreError,
    /// The last look, or the call that found it.
    looked: Instant,
}

/// Opens the door when the task ends, however it does.
struct Opens(Arc<Mutex<Option<Away>>>);

impl Drop for Opens {
    fn drop(&mut self) {
        *self.0.lock() = None;
    }
}

impl Answers {
    pub(super) fn new(store: Arc<dyn Store>) -> Answers {
        Answers { store, away: Arc::default() }
    }

    /// One call, which blocks the worker at most for the store's time-out, and not at all while the store is known to be away.
    ///
    /// # Errors
    /// The store's own; while it is away, that of the call that found it so.
    pub(super) fn ask<R>(
        &self,
        call: impl FnOnce(&dyn BlockingStore) -> Result<R, StoreError>,
    ) -> Result<R, StoreError> {
        if let Some(away) = &*self.away.lock()
            && away.looked.elapsed() < STALE
        {
            return Err(away.error.clone());
        }
        let began = Instant::now();
        let answer = call(self.store.blocking());
        if let Err(error) = &answer
            && error.is_unavailable()
            && began.elapsed() >= SOON
        {
            self.close(error);
        }
        answer
    }

    fn close(&self, error: &StoreError) {
        // Without a runtime nobody could look.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let before = self.away.lock().replace(Away { error: error.clone(), looked: Instant::now() });
        if before.is_some() {
            return;
        }
        let task = Task {
            name: "look for the store",
            owner: "shared context".into(),
            ends: "the store answers, or nobody calls it any more",
            failure: "the next call to the shared context looks by itself",
        };
        let (store, opens) = (self.store.clone(), Opens(self.away.clone()));
        drop(task.spawn_on(&runtime, async move {
            loop {
                tokio::time::sleep(LOOK).await;
                if Arc::strong_count(&opens.0) == 1 {
                    // Nobody calls any more.
                    break;
                }
                // A write, as one may have to wait where a read does not; nothing has that key.
                let look = tokio::time::timeout(PATIENCE, store.delete("shared-context-look", None)).await;
                if !matches!(&look, Err(_) | Ok(Err(StoreError::Unavailable { .. }))) {
                    break;
                }
                if let Some(away) = &mut *opens.0.lock() {
                    away.looked = Instant::now();
                }
            }
            drop(opens);
        }));
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use flotilla_store::Write;

    use super::*;

    #[tokio::test]
    async fn only_the_first_call_of_an_outage_waits_for_the_store() {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("s.db");
        let store = flotilla_store::open(&format!("sqlite:{}?timeout=500ms", file.display())).await.unwrap();
        let answers = Answers::new(store);
        let set = || {
            let mut asked = false;
            let answer = answers.ask(|store| {
                asked = true;
                store.set("k", Bytes::from_static(b"1"), Write::default())
            });
            (answer, asked)
        };
        assert!(set().0.is_ok());
        let lock = rusqlite::Connection::open(&file).unwrap();
        lock.execute_batch("BEGIN IMMEDIATE").unwrap();
        // Nothing looks meanwhile: this test's runtime has one thread.
        let asked = (0..20).filter(|_| {
            let (answer, asked) = set();
            assert!(answer.unwrap_err().is_unavailable());
            asked
        });
        assert_eq!(asked.count(), 1);
        // It is still away when it was looked for.
        tokio::time::sleep(LOOK * 3).await;
        assert!(!set().1);
        lock.execute_batch("ROLLBACK").unwrap();
        let back = async {
            while set().0.is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), back).await.expect("calls go to the store again");
    }
}
