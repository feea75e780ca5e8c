//! Watches: what changed under a prefix, with no silent gap.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{Notify, mpsc};

use super::entry::Entry;

/// How many changes wait for a slow reader before it is told to list again.
const QUEUE: usize = 1024;

/// What a watch tells.
///
/// ```
/// use flotilla_store::{Event, Write, open};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::TempDir::new()?;
/// let store = open(&format!("sqlite:{}", folder.path().join("store.db").display())).await?;
/// let mut watch = store.watch("replicas/").await?;
/// assert_eq!(watch.next().await, Some(Event::Resync));
/// store.set("replicas/1", "here".into(), Write::default()).await?;
/// let Some(Event::Change { key, entry: Some(entry) }) = watch.next().await else { panic!() };
/// assert_eq!((key.as_str(), entry.value.as_ref()), ("replicas/1", &b"here"[..]));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Changes may have been missed: list the prefix now. Always the first event of a watch, so that a reader needs
    /// one path only. It comes again after a lost connection and when the reader was too slow.
    Resync,
    /// A key was written (or deleted, or it expired: `None`). Writes in quick succession may be told once, with
    /// the newest entry; the last one is always told.
    Change {
        /// The key.
        key: String,
        /// What it holds now.
        entry: Option<Entry>,
    },
}

/// Changes under a prefix.
#[derive(Debug)]
pub struct Watch {
    queue: mpsc::Receiver<Event>,
    lost: Arc<Lost>,
}

/// The writing end of a [`Watch`].
#[derive(Clone, Debug)]
pub(crate) struct WatchSender {
    queue: mpsc::Sender<Event>,
    lost: Arc<Lost>,
}

#[derive(Debug, Default)]
struct Lost {
    flag: AtomicBool,
    wake: Notify,
}

impl Watch {
    /// A watch and its writing end. The first event is [`Event::Resync`].
    pub(crate) fn channel() -> (WatchSender, Watch) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let lost = Arc::new(Lost { flag: AtomicBool::new(true), wake: Notify::new() });
        (WatchSender { queue: sender, lost: lost.clone() }, Watch { queue: receiver, lost })
    }

    /// Waits for the next event. `None` when the store was closed. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            // A gap is told before what follows it: what waits in the queue is in the listing as well.
            if self.lost.flag.swap(false, Ordering::AcqRel) {
                return Some(Event::Resync);
            }
            tokio::select! {
                biased;
                () = self.lost.wake.notified() => {}
                event = self.queue.recv() => return event,
            }
        }
    }
}

impl WatchSender {
    /// Tells a change; when the reader is too slow it is told to list again instead.
    pub(crate) fn send(&self, key: String, entry: Option<Entry>) {
        if let Err(mpsc::error::TrySendError::Full(_)) = self.queue.try_send(Event::Change { key, entry }) {
            self.resync();
        }
    }

    /// Tells that changes may have been missed.
    pub(crate) fn resync(&self) {
        self.lost.flag.store(true, Ordering::Release);
        self.lost.wake.notify_one();
    }

    /// True when nobody reads any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.queue.is_closed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_slow_reader_is_told_to_list_again() {
        let (sender, mut watch) = Watch::channel();
        assert_eq!(watch.next().await, Some(Event::Resync));
        for n in 0..=QUEUE {
            sender.send(n.to_string(), None);
        }
        assert_eq!(watch.next().await, Some(Event::Resync));
        for n in 0..QUEUE {
            assert_eq!(watch.next().await, Some(Event::Change { key: n.to_string(), entry: None }));
        }
        drop(sender);
        assert_eq!(watch.next().await, None);
    }
}
