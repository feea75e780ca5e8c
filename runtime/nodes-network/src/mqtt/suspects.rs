//! The session of a replica that died, when whoever finished it before has died, too: one of its messages may be the cause.
//! They run one at a time. Before each it is noted in the group's store, so that the next process knows with which one this
//! process died; one that [`max_attempts`](flotilla_engine::settings::Settings::max_attempts) processes died with is a dead
//! letter. Nothing is noted in the good case: a session that is finished at the first attempt costs one write.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use flotilla_mqtt::{Client, Publish, Ticket, Verdict};
use futures::future::BoxFuture;
use sha2::{Digest as _, Sha256};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use super::broker::MqttBroker;
use super::letters::Letter;

/// How often it is tried to note a message while the store is away.
const AGAIN: Duration = Duration::from_millis(500);

/// Why a message is laid aside that was not run.
const FORGOTTEN: &str =
    "the broker has forgotten the session of this message, and this replica stopped before it was run";

/// Remembers for the group with which message a process died.
pub trait Suspects: Send + Sync {
    /// This message runs now. How many processes have died with it; `None` while the store does not answer.
    fn note(&self, digest: String) -> BoxFuture<'static, Option<u32>>;
}

/// A message of such a session that waits for its turn.
pub(super) type Waiting = (Arc<Publish>, Ticket);

/// The messages of such a session. One is open at a time: its client has `max_in_flight` 1, and reads nothing behind it.
pub(super) struct Careful {
    pub(super) client: Arc<Client>,
    pub(super) turns: mpsc::Sender<Waiting>,
}

/// The messages of a session while it is finished. Dropped, the adoption is given up: what was not run goes back to the broker.
struct Turns<'a> {
    broker: &'a MqttBroker,
    client: &'a Arc<Client>,
    waiting: mpsc::Receiver<Waiting>,
    /// It is about to run.
    next: Option<Waiting>,
}

impl Drop for Turns<'_> {
    /// What the broker has forgotten goes nowhere else: it becomes a dead letter.
    fn drop(&mut self) {
        let left = self.next.take().into_iter().chain(std::iter::from_fn(|| self.waiting.try_recv().ok()));
        for (publish, ticket) in left.filter(|(_, ticket)| ticket.is_forgotten()) {
            let letter =
                Letter { error: FORGOTTEN.to_owned(), attempts: ticket.attempts(), ..self.broker.letter(&publish) };
            if Handle::try_current().is_ok() {
                self.broker.lay_aside(self.client, letter, ticket);
            } else {
                tracing::error!(topic = letter.topic.as_str(), "a message is lost: {FORGOTTEN}");
            }
        }
    }
}

/// By which a message is known again. Two that are equal are equally dangerous.
fn digest(publish: &Publish) -> String {
    let mut hash = Sha256::new();
    hash.update(publish.topic.as_bytes());
    hash.update([0]);
    hash.update(&publish.payload);
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// True when the connection that a message came on has ended and the broker sends it again: at QoS 1. At QoS 0 nobody does, and
/// at QoS 2 it is the same message that comes again, which runs once.
fn is_gone(gone: Option<&Arc<AtomicBool>>) -> bool {
    gone.is_some_and(|gone| gone.load(Ordering::Acquire))
}

/// Notes that a message is about to run; how many processes have died with it. `None` when its connection ended before the store
/// had it: that may take as long as the store is away, and the broker has given the message to somebody else by then.
async fn deaths_with(digest: String, suspects: &dyn Suspects, gone: Option<Arc<AtomicBool>>) -> Option<u32> {
    while !is_gone(gone.as_ref()) {
        if let Some(deaths) = suspects.note(digest.clone()).await {
            return Some(deaths);
        }
        tokio::time::sleep(AGAIN).await;
    }
    None
}

impl MqttBroker {
    /// Where a message of this client waits for its turn, if its messages run one at a time.
    pub(super) fn turns_of(&self, client: &Arc<Client>) -> Option<mpsc::Sender<Waiting>> {
        let state = self.state.lock();
        let careful = state.careful.iter().find(|careful| Arc::ptr_eq(&careful.client, client));
        careful.map(|careful| careful.turns.clone())
    }

    /// Runs the messages of a session one at a time. Does not end: whoever drops it leaves the rest to others.
    pub(super) async fn one_at_a_time(
        self: &Arc<Self>,
        client: &Arc<Client>,
        waiting: mpsc::Receiver<Waiting>,
        suspects: Arc<dyn Suspects>,
    ) {
        let limit = self.shared.settings().max_attempts.max(1);
        let mut turns = Turns { broker: self, client, waiting, next: None };
        while let Some(message) = turns.waiting.recv().await {
            let (publish, ticket) = turns.next.insert(message);
            // One that the broker had not sent before has killed nobody.
            let deaths =
                if publish.dup { deaths_with(digest(publish), &*suspects, ticket.gone()).await } else { Some(0) };
            let deaths = deaths.filter(|_| !is_gone(ticket.gone().as_ref()));
            let Some((publish, ticket)) = turns.next.take() else { continue };
            let Some(deaths) = deaths else {
                ticket.settle(Verdict::Never);
                continue;
            };
            if deaths >= limit {
                let error = format!("{deaths} processes died while they worked on this message");
                let letter = Letter { error, attempts: deaths, died: true, ..self.letter(&publish) };
                self.lay_aside(client, letter, ticket);
                continue;
            }
            if deaths > 0 {
                tracing::warn!(topic = publish.topic.as_str(), deaths, "runs a message that processes died with");
            }
            self.take_and_wait(client, publish, ticket).await;
        }
    }

    async fn take_and_wait(&self, client: &Arc<Client>, publish: Arc<Publish>, ticket: Ticket) {
        let (done, ended) = oneshot::channel();
        self.take(client, publish, ticket, Some(done));
        // It is dropped at the end of the delivery, which says nothing over it.
        let _ = ended.await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A store that is away, and whose connection to the broker ends at the second time that it is asked.
    struct Away(std::sync::atomic::AtomicU32, Arc<AtomicBool>);

    impl Suspects for Away {
        fn note(&self, _digest: String) -> BoxFuture<'static, Option<u32>> {
            if self.0.fetch_add(1, Ordering::AcqRel) > 0 {
                self.1.store(true, Ordering::Release);
            }
            Box::pin(std::future::ready(None))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_whose_connection_ends_while_the_store_is_away_is_not_run_by_this_one() {
        let gone = Arc::new(AtomicBool::new(false));
        let away = Away(std::sync::atomic::AtomicU32::new(0), gone.clone());
        let noted = tokio::time::timeout(Duration::from_secs(60), deaths_with("m".to_owned(), &away, Some(gone)));
        assert_eq!(noted.await, Ok(None));
        assert_eq!(away.0.load(Ordering::Acquire), 2);
        let (none, never) = (None, AtomicBool::new(false));
        assert!(!is_gone(none) && !is_gone(Some(&Arc::new(never))), "QoS 0 is sent by nobody again");
    }

    #[test]
    fn a_message_is_known_again_by_topic_and_payload() {
        let publish = |topic: &str, payload: &'static str| Publish {
            topic: topic.into(),
            payload: payload.into(),
            ..Publish::default()
        };
        assert_eq!(digest(&publish("a", "b")), digest(&publish("a", "b")));
        assert_ne!(digest(&publish("a", "b")), digest(&publish("ab", "")));
        assert_eq!(digest(&publish("a", "b")).len(), 32);
    }
}
