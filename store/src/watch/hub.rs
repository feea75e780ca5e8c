//! Who watches what.

use parking_lot::Mutex;

use crate::contract::{Entry, Result, Watch, WatchSender};

/// The watches of one open store. One task or thread feeds it while anybody watches.
#[derive(Default)]
pub(crate) struct Hub {
    watches: Mutex<Watches>,
}

#[derive(Default)]
struct Watches {
    senders: Vec<(String, WatchSender)>,
    fed: bool,
}

impl Hub {
    /// Begins a watch; `feed` starts the feeder when there is none.
    pub(crate) fn add(&self, prefix: &str, feed: impl FnOnce() -> Result<()>) -> Result<Watch> {
        let (sender, watch) = Watch::channel();
        let mut watches = self.watches.lock();
        if !watches.fed {
            feed()?;
            watches.fed = true;
        }
        watches.senders.push((prefix.to_owned(), sender));
        Ok(watch)
    }

    /// Drops watches that nobody reads. False, and the feeder must end, when none is left.
    pub(crate) fn retain(&self) -> bool {
        let mut watches = self.watches.lock();
        watches.senders.retain(|(_, sender)| !sender.is_closed());
        watches.fed = !watches.senders.is_empty();
        watches.fed
    }

    /// True when somebody watches this key.
    pub(crate) fn wants(&self, key: &str) -> bool {
        self.watches.lock().senders.iter().any(|(prefix, _)| key.starts_with(prefix.as_str()))
    }

    /// Tells a change to those who watch the key.
    pub(crate) fn tell(&self, key: &str, entry: Option<&Entry>) {
        for (prefix, sender) in &self.watches.lock().senders {
            if key.starts_with(prefix.as_str()) {
                sender.send(key.to_owned(), entry.cloned());
            }
        }
    }

    /// Tells everybody to list again.
    pub(crate) fn resync(&self) {
        for (_, sender) in &self.watches.lock().senders {
            sender.resync();
        }
    }
}
