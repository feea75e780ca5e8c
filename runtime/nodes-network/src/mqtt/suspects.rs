//! The session of a replica that died, when whoever finished it before has died, too: one of its messages may be the cause.
//! They run one at a time. Before each it is noted in the group's store, so that the next process knows with which one this
//! process died; one that [`max_attempts`](flotilla_engine::settings::Settings::max_attempts) processes died with is a dead
//! letter. Nothing is noted in the good case: a session that is finished at the first attempt costs one write.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use flotilla_mqtt::{Client, Publish, Ticket, Verdict};
use futures::future::BoxFuture;
use sha2::{Digest as _, Sha256};
use tokio::sync::{mpsc, oneshot};

use super::broker::MqttBroker;
use super::letters::Letter;

/// How often it is tried to note a message while the store is away.
const AGAIN: Duration = Duration::from_millis(500);

/// Remembers for the group with which message a process died.
pub trait Suspects: Send + Sync {
    /// This message runs now. How many processes have died with it; `None` while the store does not answer.
    fn note(&self, digest: String) -> BoxFuture<'static, Option<u32>>;
}

/// A message of such a session that waits for its turn.
pub(super) type Waiting = (Publish, Ticket);

/// The messages of such a session. No more wait than the broker sends at a time: the receive maximum is 1.
pub(super) struct Careful {
    pub(super) client: Arc<Client>,
    pub(super) turns: mpsc::UnboundedSender<Waiting>,
}

/// By which a message is known again. Two that are equal are equally dangerous.
fn digest(publish: &Publish) -> String {
    let mut hash = Sha256::new();
    hash.update(publish.topic.as_bytes());
    hash.update([0]);
    hash.update(&publish.payload);
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

impl MqttBroker {
    /// Where a message of this client waits for its turn, if its messages run one at a time.
    pub(super) fn turns_of(&self, client: &Arc<Client>) -> Option<mpsc::UnboundedSender<Waiting>> {
        let state = self.state.lock();
        let careful = state.careful.iter().find(|careful| Arc::ptr_eq(&careful.client, client));
        careful.map(|careful| careful.turns.clone())
    }

    /// Runs the messages of a session one at a time. Does not end: whoever drops it leaves the rest to others.
    pub(super) async fn one_at_a_time(
        self: &Arc<Self>,
        client: &Arc<Client>,
        mut waiting: mpsc::UnboundedReceiver<Waiting>,
        suspects: Arc<dyn Suspects>,
    ) {
        let limit = self.shared.settings().max_attempts.max(1);
        while let Some((publish, ticket)) = waiting.recv().await {
            if ticket.gone().is_some_and(|gone| gone.load(Ordering::Acquire)) {
                // Its connection ended while it waited: the broker sends it again.
                ticket.settle(Verdict::Never);
                continue;
            }
            if !publish.dup {
                // The broker had not sent it before: nobody has died with it.
                self.take_and_wait(client, publish, ticket).await;
                continue;
            }
            let digest = digest(&publish);
            let deaths = loop {
                match suspects.note(digest.clone()).await {
                    Some(deaths) => break deaths,
                    None => tokio::time::sleep(AGAIN).await,
                }
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

    async fn take_and_wait(&self, client: &Arc<Client>, publish: Publish, ticket: Ticket) {
        let (done, ended) = oneshot::channel();
        self.take(client, publish, ticket, Some(done));
        // It is dropped at the end of the delivery, which says nothing over it.
        let _ = ended.await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
