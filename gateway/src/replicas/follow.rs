//! A stream of every replica of a group, as replicas come and go.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use flotilla_api::node::Unanswered;
use flotilla_api::{Client, Event};
use flotilla_tasks::{Handle, Task};
use tokio::sync::{Semaphore, mpsc};

use super::ask::Control;

/// How often it is looked which replicas there are.
const LOOK: Duration = Duration::from_millis(500);
/// A replica whose stream has no sign of life for so long does not answer; it has one every 500 ms.
const SILENCE: Duration = Duration::from_secs(2);
/// How long it waits after a stream was lost.
const AGAIN: Duration = Duration::from_millis(200);
/// What waits for a slow reader at most, in events and in bytes; past that the replicas' own buffers wait.
const WAITING: usize = 32;
const WAITING_BYTES: usize = 1 << 20;

/// What is heard of a replica.
#[derive(Clone, Debug)]
pub enum Heard {
    /// An event.
    Event(String, Event),
    /// Its stream begins.
    Answers(String),
    /// It does not answer, or not any more.
    Silent(Unanswered),
    /// It is not in the group any more.
    Gone(String),
}

/// What is heard of the replicas of a group. When it is dropped, following ends.
pub struct Following {
    heard: mpsc::Receiver<(Heard, u32)>,
    room: Arc<Semaphore>,
}

/// The other end.
#[derive(Clone)]
struct Telling {
    heard: mpsc::Sender<(Heard, u32)>,
    room: Arc<Semaphore>,
}

impl Following {
    /// The next; `None` when nobody is followed any more.
    pub async fn recv(&mut self) -> Option<Heard> {
        let (heard, bytes) = self.heard.recv().await?;
        self.room.add_permits(bytes as usize);
        Some(heard)
    }

    /// The next, if it is there already.
    pub fn try_recv(&mut self) -> Option<Heard> {
        let (heard, bytes) = self.heard.try_recv().ok()?;
        self.room.add_permits(bytes as usize);
        Some(heard)
    }
}

impl Telling {
    /// Waits for room. False when nobody listens any more.
    async fn send(&self, heard: Heard) -> bool {
        let bytes = match &heard {
            Heard::Event(_, event) => event.data.len().min(WAITING_BYTES),
            _ => 0,
        };
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        tokio::select! {
            room = self.room.acquire_many(bytes) => match room {
                Ok(room) => room.forget(),
                Err(_) => return false,
            },
            () = self.heard.closed() => return false,
        }
        self.heard.send((heard, bytes)).await.is_ok()
    }
}

/// Where a replica's stream begins: the path, from the first time on or behind what was heard.
pub type Path = Arc<dyn Fn(&str) -> String + Send + Sync>;

/// Follows `path` of each replica of a group, until the receiver is dropped. `path` gets the replica's id each time its stream
/// begins, so it can ask for what comes behind what it has.
pub fn follow(control: Control, path: Path) -> Following {
    let (heard, receiver) = mpsc::channel(WAITING);
    let room = Arc::new(Semaphore::new(WAITING_BYTES));
    let telling = Telling { heard, room: room.clone() };
    let task = Task {
        name: "replica streams",
        owner: "gateway".into(),
        ends: "nobody listens any more",
        failure: "whoever listens hears nothing more, and its stream ends",
    };
    drop(task.spawn(keep_following(control, path, telling)));
    Following { heard: receiver, room }
}

async fn keep_following(control: Control, path: Path, heard: Telling) {
    let mut streams: HashMap<String, (String, Handle<()>)> = HashMap::new();
    let end = |(_, stream): (String, Handle<()>)| stream.abort();
    loop {
        // While the store is away those that are known are followed.
        if let Ok(replicas) = control.clients().await {
            let living: Vec<_> = replicas.iter().map(|(replica, _)| replica.id.clone()).collect();
            let gone: Vec<_> = streams.keys().filter(|id| !living.contains(id)).cloned().collect();
            for id in gone {
                streams.remove(&id).map(end);
                heard.send(Heard::Gone(id)).await;
            }
            for (replica, client) in replicas {
                let id = replica.id;
                let client = match client {
                    Ok(client) => client,
                    Err(reason) => {
                        heard.send(Heard::Silent(Unanswered { replica: id, reason })).await;
                        continue;
                    }
                };
                // Another process may have the id by now, at another address.
                if streams.get(&id).is_some_and(|(at, _)| at == client.address()) {
                    continue;
                }
                let task = Task {
                    name: "replica stream",
                    owner: id.as_str().into(),
                    ends: "the replica leaves, or nobody listens",
                    failure: "nothing more is heard of this replica",
                };
                let address = client.address().to_owned();
                let stream = task.spawn(one(id.clone(), client, path.clone(), heard.clone()));
                streams.insert(id, (address, stream)).map(end);
            }
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = heard.heard.closed() => break,
        }
    }
    streams.into_values().for_each(end);
}

async fn one(id: String, client: Client, path: Path, heard: Telling) {
    while !heard.heard.is_closed() {
        let reason = match client.events(&path(&id), SILENCE).await {
            Ok(mut events) => {
                heard.send(Heard::Answers(id.clone())).await;
                loop {
                    match events.next().await {
                        Ok(Some(event)) => {
                            if !heard.send(Heard::Event(id.clone(), event)).await {
                                return;
                            }
                        }
                        Ok(None) => break "it ended its stream".to_owned(),
                        Err(error) => break error.to_string(),
                    }
                }
            }
            Err(error) => error.to_string(),
        };
        heard.send(Heard::Silent(Unanswered { replica: id.clone(), reason })).await;
        tokio::time::sleep(AGAIN).await;
    }
}
