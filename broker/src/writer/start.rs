//! Opens the file, restores the router, starts the writer.

use std::{path::Path, sync::Arc};

use flotilla_tasks::{Task, Thread, is_failing};
use parking_lot::Mutex;

use super::thread;
use crate::{
    persist::{Clock, Journal, Loaded, PersistError, Queue, Store},
    router::Router,
};

/// The file, and what was in it.
#[derive(Debug)]
pub struct Restored {
    store: Store,
    loaded: Loaded,
    clock: Clock,
}

/// Opens what `folder` holds and reads it.
pub fn restore(folder: &Path) -> Result<Restored, PersistError> {
    let (store, clock) = (Store::open(folder)?, Clock::now());
    let loaded = store.load(clock)?;
    Ok(Restored { store, loaded, clock })
}

/// The thread that writes. Dropped, it still writes what it was given, then ends.
#[derive(Debug)]
pub struct Writer {
    queue: Arc<Queue>,
    thread: Option<Thread<()>>,
}

impl Writer {
    /// Fills the router and records its changes from then on.
    pub fn start(restored: Restored, router: &Arc<Mutex<Router>>) -> Result<Self, PersistError> {
        let Restored { store, loaded, clock } = restored;
        let queue = Arc::<Queue>::default();
        let journal = Journal::new(Arc::clone(&queue), clock, loaded.last_key, loaded.last_seq);
        {
            let mut router = router.lock();
            // Before there is a journal: what was stored need not be stored again.
            router.restore(loaded);
            router.persist(journal);
        }
        let path = store.path.clone();
        let (own, router) = (Arc::clone(&queue), Arc::clone(router));
        let task = Task {
            name: "broker-persist",
            owner: "broker".into(),
            ends: "the queue is closed",
            failure: "nothing that has to be stored is acknowledged any more; restart the broker",
        };
        let lost = Arc::clone(&queue);
        let thread = task
            .thread(move || {
                let trouble = Trouble(lost);
                thread::run(store, &own, &router, clock);
                drop(trouble);
            })
            .map_err(|source| PersistError::Io { path, source })?;
        Ok(Self { queue, thread: Some(thread) })
    }

    /// Writes what is left and ends the thread.
    pub async fn finish(mut self) {
        self.queue.close();
        if let Some(thread) = self.thread.take() {
            let task = Task {
                name: "broker-persist end",
                owner: "broker".into(),
                ends: "the writer's thread ends, as its queue is closed",
                failure: "the broker ends without waiting for it",
            };
            let _ = task.spawn_blocking(move || thread.join()).await;
        }
    }
}

/// Makes a panic of the writer show where a full disk shows.
struct Trouble(Arc<Queue>);

impl Drop for Trouble {
    fn drop(&mut self) {
        if is_failing() {
            self.0.set_trouble(Some("the thread that writes has failed: restart the broker".to_owned()));
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue.close();
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::{Broker, Config, message::Message, persist::Op};
    use flotilla_codec::QoS;

    /// What is retained and expired while no broker ran is not in the file for ever.
    #[tokio::test]
    async fn what_expired_meanwhile_goes_from_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let message = |topic: &'static str, expires| Op::PutRetained {
            message: Arc::new(Message {
                topic: topic.into(),
                payload: "x".into(),
                forward: bytes::Bytes::new(),
                qos: QoS::AtLeastOnce,
                retain: true,
                expires,
                weight: None,
            }),
        };
        let ops = [message("gone", Some(Instant::now())), message("stays", None)];
        Store::open(folder.path()).unwrap().commit(&ops, Clock::now()).unwrap();
        let config = Config {
            listen: ([127, 0, 0, 1], 0).into(),
            persist: Some(folder.path().to_owned()),
            sys_interval: 0,
            ..Config::default()
        };
        let broker = Broker::start(config).await.unwrap();
        let wait = async {
            while broker.status().retained != 1 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), wait).await.unwrap();
        broker.shutdown(Duration::from_secs(20)).await;
        let restored = restore(folder.path()).unwrap();
        let topics: Vec<&str> = restored.loaded.retained.iter().map(|message| message.topic()).collect();
        assert_eq!(topics, ["stays"]);
    }
}
