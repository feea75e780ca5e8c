//! What one replica of a group tells the others at once, at most once each: what its flow sends to all WebSocket clients.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use flotilla_store::{Store, Write};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::changes::{Changed, Changes};
use crate::error::GroupError;
use crate::keys;

/// How long something that was said is there for those who look a little later.
const KEPT: Duration = Duration::from_secs(10);
/// How long a replica counts as listening without saying so again.
const HERE: Duration = Duration::from_secs(15);
/// How often it says so.
const SAY_HERE: Duration = Duration::from_secs(5);
/// When it could not say so, it tries again this much later.
const SAY_AGAIN: Duration = Duration::from_secs(1);
/// Everything is read anew this often only, as what was said is large: the watch tells of each change, and when it missed some.
const LOOK: Duration = Duration::from_secs(60);
/// What waits to be said at most.
const WAITING: usize = 1024;
/// The largest message that is told to others.
pub const LARGEST: usize = 256 << 10;

/// Why others are not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Untold {
    /// It does not fit.
    #[error("it is larger than 256 KiB: only the clients of this replica get it")]
    TooLarge,
    /// The store does not keep up.
    #[error("the store does not keep up: only the clients of this replica get it")]
    Full,
}

/// The sayings of one process.
#[derive(Clone)]
pub struct Relay {
    say: mpsc::Sender<Bytes>,
    others: Arc<AtomicBool>,
}

/// The part that runs: it says what waits, and hears the others.
pub struct Relaying {
    store: Arc<dyn Store>,
    group: String,
    process: String,
    others: Arc<AtomicBool>,
    waiting: mpsc::Receiver<Bytes>,
}

/// What was heard of the others, by process: the number of the last.
#[derive(Default)]
struct Heard(HashMap<String, u64>);

impl Relay {
    /// For a process that is unique on all machines.
    ///
    /// # Errors
    /// [`GroupError::BadName`].
    pub fn new(store: Arc<dyn Store>, group: &str, process: &str) -> Result<(Relay, Relaying), GroupError> {
        keys::check("group", group)?;
        let (say, waiting) = mpsc::channel(WAITING);
        let others = Arc::<AtomicBool>::default();
        let (group, process) = (group.to_owned(), process.replace('/', "_"));
        let relaying = Relaying { store, group, process, others: others.clone(), waiting };
        Ok((Relay { say, others }, relaying))
    }

    /// Tells the others, if there are any, without waiting.
    ///
    /// # Errors
    /// When they are not told.
    pub fn say(&self, message: Bytes) -> Result<(), Untold> {
        if !self.others.load(Ordering::Acquire) {
            return Ok(());
        }
        if message.len() > LARGEST {
            return Err(Untold::TooLarge);
        }
        self.say.try_send(message).map_err(|_| Untold::Full)
    }
}

impl Relaying {
    /// Runs until it is dropped. `hear` gets what others said, each message once, in the order in which its process said it.
    pub async fn run(self, hear: impl Fn(Bytes)) {
        let Relaying { store, group, process, others, waiting } = self;
        let saying = saying(&store, &group, &process, waiting);
        let hearing = hearing(&store, &group, &process, &others, hear);
        tokio::join!(saying, hearing);
    }
}

async fn saying(store: &Arc<dyn Store>, group: &str, process: &str, mut waiting: mpsc::Receiver<Bytes>) {
    let (mut number, mut lost) = (0_u64, 0_u64);
    while let Some(message) = waiting.recv().await {
        number += 1;
        let write = Write { ttl: Some(KEPT), fence: None };
        match store.set(&keys::said(group, process, number), message, write).await {
            Ok(_) if lost > 0 => {
                tracing::warn!(lost, "WebSocket clients of other replicas missed messages; they hear again");
                lost = 0;
            }
            Ok(_) => {}
            Err(error) => {
                if lost == 0 {
                    tracing::warn!(%error, "WebSocket clients of other replicas miss what is sent to all");
                }
                lost += 1;
            }
        }
    }
}

async fn hearing(store: &Arc<dyn Store>, group: &str, process: &str, others: &AtomicBool, hear: impl Fn(Bytes)) {
    let here = keys::listens(group, process);
    let is_other = |key: &str| key != here && keys::is_listener(group, key);
    let mut changes = Changes::new(store.clone(), vec![keys::relay(group)]).every(LOOK);
    let (mut heard, mut is_first, mut say_here) = (Heard::default(), true, Instant::now());
    let mut listeners: HashSet<String> = HashSet::new();
    loop {
        if say_here <= Instant::now() {
            let write = Write { ttl: Some(HERE), fence: None };
            let said = store.set(&here, Bytes::new(), write).await;
            say_here = Instant::now() + if said.is_ok() { SAY_HERE } else { SAY_AGAIN };
        }
        let Ok(changed) = tokio::time::timeout_at(say_here, changes.next()).await else { continue };
        let looked = matches!(changed, Changed::Everything);
        let entries = match changed {
            Changed::Keys(keys) => {
                for (key, entry) in keys.iter().filter(|(key, _)| is_other(key)) {
                    match entry {
                        Some(_) => listeners.insert(key.clone()),
                        None => listeners.remove(key),
                    };
                }
                others.store(!listeners.is_empty(), Ordering::Release);
                keys.into_iter().filter_map(|(key, entry)| Some((key, entry?.value))).collect()
            }
            Changed::Everything => match store.list(&keys::relay(group)).await {
                Ok(entries) => {
                    let there = entries.iter().filter(|entry| is_other(&entry.key));
                    listeners = there.map(|entry| entry.key.clone()).collect();
                    others.store(!listeners.is_empty(), Ordering::Release);
                    // What a process said that is silent is gone by now.
                    let speaks: HashSet<&str> =
                        entries.iter().filter_map(|entry| Some(keys::said_by(group, &entry.key)?.0)).collect();
                    heard.0.retain(|process, _| speaks.contains(process.as_str()));
                    entries.into_iter().map(|entry| (entry.key, entry.value)).collect::<Vec<_>>()
                }
                Err(error) => {
                    tracing::debug!(%error, "cannot hear the other replicas");
                    changes.look_again();
                    continue;
                }
            },
        };
        for (key, message) in entries {
            let Some((from, number)) = keys::said_by(group, &key) else { continue };
            // What was said before this process listened is for clients that were there then.
            if from != process && heard.is_new(from, number) && !is_first {
                hear(message);
            }
        }
        is_first &= !looked;
    }
}

impl Heard {
    /// True the first time.
    fn is_new(&mut self, process: &str, number: u64) -> bool {
        let last = self.0.entry(process.to_owned()).or_default();
        let is_new = number > *last;
        *last = number.max(*last);
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_store;
    use parking_lot::Mutex;

    const DEADLINE: Duration = Duration::from_secs(20);

    type Messages = Arc<Mutex<Vec<String>>>;

    async fn until(what: &str, ready: impl Fn() -> bool) {
        let waiting = async {
            while !ready() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(DEADLINE, waiting).await.unwrap_or_else(|_| panic!("waited in vain for {what}"));
    }

    fn process(store: &Arc<dyn Store>, name: &str) -> (Relay, Messages, impl Future<Output = ()>) {
        let (relay, relaying) = Relay::new(store.clone(), "g", name).unwrap();
        let heard = Messages::default();
        let sink = heard.clone();
        let hear = move |message: Bytes| sink.lock().push(String::from_utf8_lossy(&message).into_owned());
        (relay, heard, relaying.run(hear))
    }

    #[tokio::test]
    async fn each_message_is_heard_once_by_the_others_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let store = test_store::open(&folder).await;
        let (one, by_one, running_one) = process(&store, "p/1");
        let (two, by_two, running_two) = process(&store, "p/2");
        one.say("nobody listens".into()).unwrap();
        let scene = async {
            until("both to see each other", || {
                one.others.load(Ordering::Acquire) && two.others.load(Ordering::Acquire)
            })
            .await;
            for n in 0..200 {
                one.say(format!("a{n}").into()).unwrap();
                two.say(format!("b{n}").into()).unwrap();
            }
            assert_eq!(one.say(vec![0; LARGEST + 1].into()), Err(Untold::TooLarge));
            until("all of one's", || by_two.lock().len() >= 200).await;
            until("all of two's", || by_one.lock().len() >= 200).await;
            // One that comes later hears nothing of what was before.
            let (three, by_three, running_three) = process(&store, "p/3");
            let later = async {
                until("the third", || three.others.load(Ordering::Acquire)).await;
                one.say("last".into()).unwrap();
                until("the last message", || by_three.lock().len() == 1 && by_two.lock().len() == 201).await;
                assert_eq!(*by_three.lock(), ["last"]);
            };
            tokio::select! {
                () = running_three => {}
                () = later => {}
            }
        };
        tokio::select! {
            () = running_one => {}
            () = running_two => {}
            () = scene => {}
        }
        let all: Vec<String> = (0..200).map(|n| format!("a{n}")).chain(["last".to_owned()]).collect();
        assert_eq!(*by_two.lock(), all);
        assert_eq!(*by_one.lock(), (0..200).map(|n| format!("b{n}")).collect::<Vec<_>>());
    }
}
